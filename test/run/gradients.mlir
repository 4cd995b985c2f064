// Gradients against the float64 reference, compiled as they are on a CPU, and the
// one refused that has no kernels. The backward function of a layer runs by
// kernels. There are more queries than keys, so rows see
// none; GQA has a ratio of 3; sizes are odd; lengths cut lists; a NaN concerns
// what depends on it.

// RUN: sed 's/TYPE/bf16/g;s/ACC/f32/g;s/NAN/0x7FC0/g' %s > %t.bf16.mlir
// RUN: sed 's/TYPE/f64/g;s/ACC/f64/g;s/NAN/0x7FF8000000000000/g' %s > %t.f64.mlir
// RUN: gsa-run %t.bf16.mlir --compare --threads 2 | FileCheck %s
// RUN: gsa-run %t.f64.mlir --compare --reference | FileCheck %s
// RUN: not gsa-run %t.bf16.mlir --target cuda --arch sm_90a --stop-after tile 2>&1 | FileCheck %s --check-prefix=CUDA
// RUN: gsa-opt %examples/gsa_layer.mlir --gsa-differentiate=outputs=output -o %t.layer.mlir
// RUN: %if host-cxx %{ gsa-run %t.layer.mlir --entry main_backward --seq 40 --target emu --compare | FileCheck %s %}

// CHECK: Comparison with the float64 reference: passed

// CUDA: error: 'gsa.dense_attention_grad' op has no kernels: this gradient runs on the CPU target only so far; compile the function with this op for the target 'cpu'

#four = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

func.func @main(
    %q: tensor<2x13x6x24xTYPE> {gsa.name = "query"},
    %k: tensor<2x11x2x24xTYPE> {gsa.name = "key"},
    %v: tensor<2x11x2x17xTYPE> {gsa.name = "value"},
    %iq: tensor<2x13x2x16xTYPE> {gsa.name = "index_query"},
    %ik: tensor<2x11x16xTYPE> {gsa.name = "index_key"},
    %z: tensor<2x13x6x17xTYPE> {gsa.name = "gate"},
    %y: tensor<2x13x6xTYPE> {gsa.name = "head_gate"},
    %do: tensor<2x13x6x17xTYPE> {gsa.name = "output_grad"},
    %dl: tensor<2x6x13xACC> {gsa.name = "lse_grad"})
    -> (tensor<2x13x6x24xTYPE> {gsa.name = "query_grad"},
        tensor<2x11x2x24xTYPE> {gsa.name = "key_grad"},
        tensor<2x11x2x17xTYPE> {gsa.name = "value_grad"},
        tensor<2x13x6x17xTYPE> {gsa.name = "gate_grad"},
        tensor<2x13x6xTYPE> {gsa.name = "head_gate_grad"},
        tensor<2x13x6x24xTYPE> {gsa.name = "dense_query_grad"},
        tensor<2x11x2x24xTYPE> {gsa.name = "dense_key_grad"},
        tensor<2x11x2x17xTYPE> {gsa.name = "dense_value_grad"},
        tensor<2x13x6x24xTYPE> {gsa.name = "short_query_grad"},
        tensor<2x11x2x24xTYPE> {gsa.name = "short_key_grad"},
        tensor<2x11x2x17xTYPE> {gsa.name = "short_value_grad"}) {
  // A NaN in head 2 of query 9 of batch 1.
  %nan = arith.constant NAN : TYPE
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c9 = arith.constant 9 : index
  %room = tensor.empty() : tensor<2x13x6x24xTYPE>
  %bad = linalg.generic {indexing_maps = [#four, #four],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x13x6x24xTYPE>) outs(%room : tensor<2x13x6x24xTYPE>) {
  ^bb0(%x: TYPE, %old: TYPE):
    %batch = linalg.index 0 : index
    %query = linalg.index 1 : index
    %head = linalg.index 2 : index
    %is_batch = arith.cmpi eq, %batch, %c1 : index
    %is_query = arith.cmpi eq, %query, %c9 : index
    %is_head = arith.cmpi eq, %head, %c2 : index
    %is_token = arith.andi %is_batch, %is_query : i1
    %is_bad = arith.andi %is_token, %is_head : i1
    %w = arith.select %is_bad, %nan, %x : TYPE
    linalg.yield %w : TYPE
  } -> tensor<2x13x6x24xTYPE>
  %indices, %counts, %status = gsa.select %iq, %ik policy <fixed, base = 5>
      : (tensor<2x13x2x16xTYPE>, tensor<2x11x16xTYPE>)
      -> (tensor<2x13x5xi32>, tensor<2x13xi32>, tensor<2x13xi32>)

  // Attention over lists, gated twice.
  %o, %lse = gsa.gather_attention %bad, %k, %v indices %indices, %counts
      : (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>,
         tensor<2x13x5xi32>, tensor<2x13xi32>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>)
  %gated = gsa.gate %o, %z {activation = #gsa.gate_activation<silu>}
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>) -> tensor<2x13x6x17xTYPE>
  %dgated, %dy = gsa.gate_grad %gated, %y output_grad %do
      {activation = #gsa.gate_activation<tanh>}
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6xTYPE>, tensor<2x13x6x17xTYPE>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x13x6xTYPE>)
  %dout, %dz = gsa.gate_grad %o, %z output_grad %dgated
      {activation = #gsa.gate_activation<silu>}
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>)
  %sums = gsa.attention_row_sums %o, %dout lse_grad %dl
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>) -> tensor<2x6x13xACC>
  %dq, %dk, %dv = gsa.gather_attention_grad %bad, %k, %v
      indices %indices, %counts output_grad %dout lse %lse row_sums %sums
      : (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>,
         tensor<2x13x5xi32>, tensor<2x13xi32>, tensor<2x13x6x17xTYPE>,
         tensor<2x6x13xACC>, tensor<2x6x13xACC>)
      -> (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>)

  // Attention over all keys that a causal mask shows.
  %p, %plse = gsa.dense_attention %bad, %k, %v
      : (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>)
  %psums = gsa.attention_row_sums %p, %do
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>) -> tensor<2x6x13xACC>
  %eq, %ek, %ev = gsa.dense_attention_grad %bad, %k, %v output_grad %do
      lse %plse row_sums %psums
      : (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>,
         tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>, tensor<2x6x13xACC>)
      -> (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>)

  // Both with fewer keys than there is room for, and another scale.
  %n = arith.constant dense<[7, 0]> : tensor<2xi32>
  %s, %slse = gsa.dense_attention %q, %k, %v lengths %n
      {mask = #gsa.mask<none>, scale = -0.75 : f64}
      : (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>,
         tensor<2xi32>) -> (tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>)
  %ssums = gsa.attention_row_sums %s, %do lse_grad %dl
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>) -> tensor<2x6x13xACC>
  %fq, %fk, %fv = gsa.dense_attention_grad %q, %k, %v output_grad %do
      lse %slse row_sums %ssums lengths %n
      {mask = #gsa.mask<none>, scale = -0.75 : f64}
      : (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>,
         tensor<2x13x6x17xTYPE>, tensor<2x6x13xACC>, tensor<2x6x13xACC>, tensor<2xi32>)
      -> (tensor<2x13x6x24xTYPE>, tensor<2x11x2x24xTYPE>, tensor<2x11x2x17xTYPE>)
  return %dq, %dk, %dv, %dz, %dy, %eq, %ek, %ev, %fq, %fk, %fv
      : tensor<2x13x6x24xTYPE>,
        tensor<2x11x2x24xTYPE>,
        tensor<2x11x2x17xTYPE>,
        tensor<2x13x6x17xTYPE>,
        tensor<2x13x6xTYPE>,
        tensor<2x13x6x24xTYPE>,
        tensor<2x11x2x24xTYPE>,
        tensor<2x11x2x17xTYPE>,
        tensor<2x13x6x24xTYPE>,
        tensor<2x11x2x24xTYPE>,
        tensor<2x11x2x17xTYPE>
}
