// Gradients of gates and the row sums of attention, by kernels against the
// float64 reference: odd sizes, a NaN and values that are large, logits where
// the slope of a sigmoid is next to nothing.

// RUN: sed 's/TYPE/f16/g;s/NAN/0x7E00/g;s/LARGE/200.0/g' %s > %t.f16.mlir
// RUN: sed 's/TYPE/bf16/g;s/NAN/0x7FC0/g;s/LARGE/1.0e18/g' %s > %t.bf16.mlir
// RUN: sed 's/TYPE/f32/g;s/NAN/0x7FC00000/g;s/LARGE/1.0e18/g' %s > %t.f32.mlir
// RUN: gsa-run %t.f16.mlir --compare --threads 2 | FileCheck %s
// RUN: gsa-run %t.bf16.mlir --compare --threads 2 -q
// RUN: gsa-run %t.f32.mlir --compare --threads 2 -q
// RUN: %if host-cxx %{ gsa-run %t.f16.mlir --target emu --arch sm_90a --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t.bf16.mlir --target emu --arch sm_80 --compare -q %}
// RUN: %if host-cxx %{ gsa-run %t.f32.mlir --target emu --arch sm_90a --compare -q %}
// RUN: %if nvrtc %{ gsa-run %t.f16.mlir --target cuda --arch sm_90a --stop-after=code --dump-dir %t.code -q %}

// CHECK: Comparison with the float64 reference: passed

#four = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#three = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

func.func @main(
    %x: tensor<2x13x6x17xTYPE> {gsa.name = "x"},
    %d: tensor<2x13x6x17xTYPE> {gsa.name = "output_grad"},
    %z: tensor<2x13x6x17xTYPE> {gsa.name = "gate"},
    %wide: tensor<2x13x6x17xf32> {gsa.name = "wide_gate"},
    %y: tensor<2x13x6xTYPE> {gsa.name = "head_gate"},
    %l: tensor<2x6x13xf32> {gsa.name = "lse_grad"},
    %u: tensor<1x5x2x64xTYPE> {gsa.name = "u"},
    %v: tensor<1x5x2x64xTYPE> {gsa.name = "v"},
    %w: tensor<1x5x2xf32> {gsa.name = "w"},
    %one: tensor<3x1x1x1xTYPE> {gsa.name = "one"},
    %none: tensor<2x0x3x8xTYPE> {gsa.name = "none"})
    -> (tensor<2x13x6x17xTYPE> {gsa.name = "sigmoid_input"},
        tensor<2x13x6x17xTYPE> {gsa.name = "sigmoid_logits"},
        tensor<2x13x6x17xTYPE> {gsa.name = "silu_input"},
        tensor<2x13x6x17xf32> {gsa.name = "silu_logits"},
        tensor<2x13x6x17xTYPE> {gsa.name = "head_input"},
        tensor<2x13x6xTYPE> {gsa.name = "head_logits"},
        tensor<1x5x2xf32> {gsa.name = "even_head_logits"},
        tensor<2x6x13xf32> {gsa.name = "row_sums"},
        tensor<1x2x5xf32> {gsa.name = "even_row_sums"},
        tensor<3x1x1xf32> {gsa.name = "one_row_sums"},
        tensor<2x3x0xf32> {gsa.name = "no_row_sums"}) {
  // A NaN in head 2 of token 9 of batch 1, large values in head 4; logits far
  // from 0.
  %nan = arith.constant NAN : TYPE
  %large = arith.constant LARGE : TYPE
  %far = arith.constant 40.0 : TYPE
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c9 = arith.constant 9 : index
  %room = tensor.empty() : tensor<2x13x6x17xTYPE>
  %bad = linalg.generic {indexing_maps = [#four, #four],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x13x6x17xTYPE>) outs(%room : tensor<2x13x6x17xTYPE>) {
  ^bb0(%a: TYPE, %old: TYPE):
    %batch = linalg.index 0 : index
    %token = linalg.index 1 : index
    %head = linalg.index 2 : index
    %is_batch = arith.cmpi eq, %batch, %c1 : index
    %is_token = arith.cmpi eq, %token, %c9 : index
    %is_head = arith.cmpi eq, %head, %c2 : index
    %is_here = arith.andi %is_batch, %is_token : i1
    %is_bad = arith.andi %is_here, %is_head : i1
    %is_large = arith.cmpi eq, %head, %c4 : index
    %b = arith.mulf %a, %large : TYPE
    %c = arith.select %is_large, %b, %a : TYPE
    %e = arith.select %is_bad, %nan, %c : TYPE
    linalg.yield %e : TYPE
  } -> tensor<2x13x6x17xTYPE>
  %y_room = tensor.empty() : tensor<2x13x6xTYPE>
  %far_y = linalg.generic {indexing_maps = [#three, #three],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y : tensor<2x13x6xTYPE>) outs(%y_room : tensor<2x13x6xTYPE>) {
  ^bb0(%a: TYPE, %old: TYPE):
    %b = arith.mulf %a, %far : TYPE
    linalg.yield %b : TYPE
  } -> tensor<2x13x6xTYPE>

  %0:2 = gsa.gate_grad %bad, %z output_grad %d
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>)
  %1:2 = gsa.gate_grad %bad, %wide output_grad %d
      {activation = #gsa.gate_activation<silu>}
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xf32>, tensor<2x13x6x17xTYPE>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xf32>)
  %2:2 = gsa.gate_grad %bad, %far_y output_grad %d
      {activation = #gsa.gate_activation<tanh>}
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6xTYPE>, tensor<2x13x6x17xTYPE>)
      -> (tensor<2x13x6x17xTYPE>, tensor<2x13x6xTYPE>)
  %3:2 = gsa.gate_grad %u, %w output_grad %v
      {activation = #gsa.gate_activation<silu>}
      : (tensor<1x5x2x64xTYPE>, tensor<1x5x2xf32>, tensor<1x5x2x64xTYPE>)
      -> (tensor<1x5x2x64xTYPE>, tensor<1x5x2xf32>)
  %4 = gsa.attention_row_sums %bad, %d lse_grad %l
      : (tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>, tensor<2x6x13xf32>)
      -> tensor<2x6x13xf32>
  %5 = gsa.attention_row_sums %u, %v
      : (tensor<1x5x2x64xTYPE>, tensor<1x5x2x64xTYPE>) -> tensor<1x2x5xf32>
  %6 = gsa.attention_row_sums %one, %one
      : (tensor<3x1x1x1xTYPE>, tensor<3x1x1x1xTYPE>) -> tensor<3x1x1xf32>
  %7 = gsa.attention_row_sums %none, %none
      : (tensor<2x0x3x8xTYPE>, tensor<2x0x3x8xTYPE>) -> tensor<2x3x0xf32>
  return %0#0, %0#1, %1#0, %1#1, %2#0, %2#1, %3#1, %4, %5, %6, %7
      : tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>, tensor<2x13x6x17xTYPE>,
        tensor<2x13x6x17xf32>, tensor<2x13x6x17xTYPE>, tensor<2x13x6xTYPE>,
        tensor<1x5x2xf32>, tensor<2x6x13xf32>, tensor<1x2x5xf32>,
        tensor<3x1x1xf32>, tensor<2x3x0xf32>
}
