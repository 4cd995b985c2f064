// Attention in parts, merged, against the float64 reference beside the whole:
// on a CPU by loops and by definition, and as emulated kernels. Ranges are of
// odd sizes, one ends behind the last key and one is behind it; rows see no key
// at all, as there are more queries than keys; and a NaN concerns its row.

// RUN: sed 's/TYPE/f32/g;s/NAN/0x7FC00000/g' %s > %t.f32.mlir
// RUN: sed 's/TYPE/bf16/g;s/NAN/0x7FC0/g' %s > %t.bf16.mlir
// RUN: sed 's/TYPE/f16/g;s/NAN/0x7E00/g' %s > %t.f16.mlir
// RUN: gsa-run %t.f32.mlir --compare | FileCheck %s
// RUN: gsa-run %t.bf16.mlir --compare | FileCheck %s
// RUN: gsa-run %t.f16.mlir --compare --reference | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %t.f32.mlir --target emu --arch sm_80 --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t.bf16.mlir --target emu --arch sm_90a --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t.f16.mlir --target emu --arch sm_90a --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t.bf16.mlir --target emu --arch sm_90a --stop-after program | FileCheck %s --check-prefix=PROGRAM %}

// CHECK: Comparison with the float64 reference: passed

// Ranges are arguments: those that begin at whole vectors share a kernel.
// PROGRAM: partial_gather_attention<<<
// PROGRAM: partial_dense_attention<<<
// PROGRAM: {{^}}void partial_gather_attention(
// PROGRAM: int range_first
// PROGRAM: int range_size

#four = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

func.func @main(
    %q: tensor<2x23x6x24xTYPE> {gsa.name = "query"},
    %k: tensor<2x19x2x24xTYPE> {gsa.name = "key"},
    %v: tensor<2x19x2x17xTYPE> {gsa.name = "value"},
    %iq: tensor<2x23x2x16xTYPE> {gsa.name = "index_query"},
    %ik: tensor<2x19x16xTYPE> {gsa.name = "index_key"},
    %g: tensor<2x23x6x17xTYPE> {gsa.name = "gate"})
    -> (tensor<2x23x6x17xTYPE> {gsa.name = "whole"},
        tensor<2x6x23xf32> {gsa.name = "whole_lse"},
        tensor<2x23x6x17xTYPE> {gsa.name = "merged"},
        tensor<2x6x23xf32> {gsa.name = "merged_lse"},
        tensor<2x23x6x17xTYPE> {gsa.name = "dense"},
        tensor<2x6x23xf32> {gsa.name = "dense_lse"},
        tensor<2x23x6x17xTYPE> {gsa.name = "dense_merged"},
        tensor<2x6x23xf32> {gsa.name = "dense_merged_lse"}) {
  // A NaN in head 2 of query 9 of batch 1.
  %nan = arith.constant NAN : TYPE
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c9 = arith.constant 9 : index
  %room = tensor.empty() : tensor<2x23x6x24xTYPE>
  %bad = linalg.generic {indexing_maps = [#four, #four],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x23x6x24xTYPE>) outs(%room : tensor<2x23x6x24xTYPE>) {
  ^bb0(%x: TYPE, %old: TYPE):
    %batch = linalg.index 0 : index
    %query = linalg.index 1 : index
    %head = linalg.index 2 : index
    %is_batch = arith.cmpi eq, %batch, %c1 : index
    %is_query = arith.cmpi eq, %query, %c9 : index
    %is_head = arith.cmpi eq, %head, %c2 : index
    %is_token = arith.andi %is_batch, %is_query : i1
    %is_bad = arith.andi %is_token, %is_head : i1
    %y = arith.select %is_bad, %nan, %x : TYPE
    linalg.yield %y : TYPE
  } -> tensor<2x23x6x24xTYPE>
  %indices, %counts, %status = gsa.select %iq, %ik policy <fixed, base = 11>
      : (tensor<2x23x2x16xTYPE>, tensor<2x19x16xTYPE>)
      -> (tensor<2x23x11xi32>, tensor<2x23xi32>, tensor<2x23xi32>)

  %whole, %whole_lse = gsa.gather_attention %bad, %k, %v
      indices %indices, %counts gate %g
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>, tensor<2x23x11xi32>, tensor<2x23xi32>,
         tensor<2x23x6x17xTYPE>)
      -> (tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>)
  %o0, %l0 = gsa.partial_attention %bad, %k, %v indices %indices, %counts
      first 0 size 4
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>, tensor<2x23x11xi32>, tensor<2x23xi32>)
      -> (tensor<2x23x6x17xf32>, tensor<2x6x23xf32>)
  %o1, %l1 = gsa.partial_attention %bad, %k, %v indices %indices, %counts
      first 4 size 5
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>, tensor<2x23x11xi32>, tensor<2x23xi32>)
      -> (tensor<2x23x6x17xf32>, tensor<2x6x23xf32>)
  %o2, %l2 = gsa.partial_attention %bad, %k, %v indices %indices, %counts
      first 9 size 5
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>, tensor<2x23x11xi32>, tensor<2x23xi32>)
      -> (tensor<2x23x6x17xf32>, tensor<2x6x23xf32>)
  %o3, %l3 = gsa.partial_attention %bad, %k, %v indices %indices, %counts
      first 14 size 5
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>, tensor<2x23x11xi32>, tensor<2x23xi32>)
      -> (tensor<2x23x6x17xf32>, tensor<2x6x23xf32>)
  %joined, %merged_lse = gsa.merge_attention %o0, %o1, %o2, %o3
      lse %l0, %l1, %l2, %l3 {element_type = TYPE}
      : (tensor<2x23x6x17xf32>, tensor<2x23x6x17xf32>, tensor<2x23x6x17xf32>,
         tensor<2x23x6x17xf32>, tensor<2x6x23xf32>, tensor<2x6x23xf32>,
         tensor<2x6x23xf32>, tensor<2x6x23xf32>)
      -> (tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>)
  %merged = gsa.gate %joined, %g
      : (tensor<2x23x6x17xTYPE>, tensor<2x23x6x17xTYPE>)
      -> tensor<2x23x6x17xTYPE>

  %dense, %dense_lse = gsa.dense_attention %bad, %k, %v
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>)
      -> (tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>)
  %d0, %m0 = gsa.partial_attention %bad, %k, %v first 0 size 7
      {mask = #gsa.mask<causal>}
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>)
      -> (tensor<2x23x6x17xf32>, tensor<2x6x23xf32>)
  %d1, %m1 = gsa.partial_attention %bad, %k, %v first 7 size 30
      {mask = #gsa.mask<causal>}
      : (tensor<2x23x6x24xTYPE>, tensor<2x19x2x24xTYPE>,
         tensor<2x19x2x17xTYPE>)
      -> (tensor<2x23x6x17xf32>, tensor<2x6x23xf32>)
  %dense_merged, %dense_merged_lse = gsa.merge_attention %d0, %d1
      lse %m0, %m1 {element_type = TYPE}
      : (tensor<2x23x6x17xf32>, tensor<2x23x6x17xf32>, tensor<2x6x23xf32>,
         tensor<2x6x23xf32>)
      -> (tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>)
  return %whole, %whole_lse, %merged, %merged_lse, %dense, %dense_lse,
      %dense_merged, %dense_merged_lse
      : tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>, tensor<2x23x6x17xTYPE>,
        tensor<2x6x23xf32>, tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>,
        tensor<2x23x6x17xTYPE>, tensor<2x6x23xf32>
}
