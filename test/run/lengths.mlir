// Lengths that are an operand: how many of the keys there are. A batch has all of
// them, one has none, one fewer than queries, and one says more than there is
// room for. Keys behind the length are NaN, and nobody sees them. Everything
// that takes lengths, on a CPU by loops and by definition, and as emulated
// kernels; with lengths a schedule is chosen that knows them.

// RUN: sed 's/TYPE/f32/g;s/NAN/0x7FC00000/g' %s > %t.f32.mlir
// RUN: sed 's/TYPE/bf16/g;s/NAN/0x7FC0/g' %s > %t.bf16.mlir
// RUN: gsa-run %t.f32.mlir --compare | FileCheck %s
// RUN: gsa-run %t.bf16.mlir --compare --threads 3 | FileCheck %s
// RUN: gsa-run %t.f32.mlir --compare --reference | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %t.f32.mlir --target emu --arch sm_80 --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t.bf16.mlir --target emu --arch sm_90a --compare | FileCheck %s %}

// CHECK-NOT: NaN
// CHECK: Comparison with the float64 reference: passed

#three = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#four = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

func.func @main(
    %q: tensor<4x21x4x32xTYPE> {gsa.name = "query"},
    %k: tensor<4x45x2x32xTYPE> {gsa.name = "key"},
    %v: tensor<4x45x2x32xTYPE> {gsa.name = "value"},
    %iq: tensor<4x21x2x16xTYPE> {gsa.name = "index_query"},
    %ik: tensor<4x45x16xTYPE> {gsa.name = "index_key"},
    %g: tensor<4x21x4xTYPE> {gsa.name = "gate"})
    -> (tensor<4x21x45xf32> {gsa.name = "scores"},
        tensor<4x21x45xf32> {gsa.name = "scores_of_all"},
        tensor<4x21x9xi32> {gsa.name = "indices"},
        tensor<4x21xi32> {gsa.name = "counts"},
        tensor<4x21x4x32xTYPE> {gsa.name = "output"},
        tensor<4x4x21xf32> {gsa.name = "lse"},
        tensor<4x21x4x32xTYPE> {gsa.name = "dense"},
        tensor<4x4x21xf32> {gsa.name = "dense_lse"},
        tensor<4x21x4x32xTYPE> {gsa.name = "full"},
        tensor<4x21x4x32xTYPE> {gsa.name = "merged"}) {
  %lengths = arith.constant dense<[45, -2, 13, 1000]> : tensor<4xi32>
  %nan = arith.constant NAN : TYPE
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c13 = arith.constant 13 : index
  %ik_room = tensor.empty() : tensor<4x45x16xTYPE>
  %bad_ik = linalg.generic {indexing_maps = [#three, #three],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ik : tensor<4x45x16xTYPE>) outs(%ik_room : tensor<4x45x16xTYPE>) {
  ^bb0(%x: TYPE, %old: TYPE):
    %batch = linalg.index 0 : index
    %key = linalg.index 1 : index
    %is_first = arith.cmpi eq, %batch, %c1 : index
    %is_second = arith.cmpi eq, %batch, %c2 : index
    %is_late = arith.cmpi sge, %key, %c13 : index
    %is_behind = arith.andi %is_second, %is_late : i1
    %is_hidden = arith.ori %is_first, %is_behind : i1
    %y = arith.select %is_hidden, %nan, %x : TYPE
    linalg.yield %y : TYPE
  } -> tensor<4x45x16xTYPE>
  %k_room = tensor.empty() : tensor<4x45x2x32xTYPE>
  %bad_k = linalg.generic {indexing_maps = [#four, #four],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%k : tensor<4x45x2x32xTYPE>) outs(%k_room : tensor<4x45x2x32xTYPE>) {
  ^bb0(%x: TYPE, %old: TYPE):
    %batch = linalg.index 0 : index
    %key = linalg.index 1 : index
    %is_first = arith.cmpi eq, %batch, %c1 : index
    %is_second = arith.cmpi eq, %batch, %c2 : index
    %is_late = arith.cmpi sge, %key, %c13 : index
    %is_behind = arith.andi %is_second, %is_late : i1
    %is_hidden = arith.ori %is_first, %is_behind : i1
    %y = arith.select %is_hidden, %nan, %x : TYPE
    linalg.yield %y : TYPE
  } -> tensor<4x45x2x32xTYPE>
  %v_room = tensor.empty() : tensor<4x45x2x32xTYPE>
  %bad_v = linalg.generic {indexing_maps = [#four, #four],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%v : tensor<4x45x2x32xTYPE>) outs(%v_room : tensor<4x45x2x32xTYPE>) {
  ^bb0(%x: TYPE, %old: TYPE):
    %batch = linalg.index 0 : index
    %key = linalg.index 1 : index
    %is_first = arith.cmpi eq, %batch, %c1 : index
    %is_second = arith.cmpi eq, %batch, %c2 : index
    %is_late = arith.cmpi sge, %key, %c13 : index
    %is_behind = arith.andi %is_second, %is_late : i1
    %is_hidden = arith.ori %is_first, %is_behind : i1
    %y = arith.select %is_hidden, %nan, %x : TYPE
    linalg.yield %y : TYPE
  } -> tensor<4x45x2x32xTYPE>

  %scores = gsa.index_scores %iq, %bad_ik lengths %lengths
      : (tensor<4x21x2x16xTYPE>, tensor<4x45x16xTYPE>, tensor<4xi32>)
      -> tensor<4x21x45xf32>
  %scores_of_all = gsa.index_scores %iq, %bad_ik lengths %lengths
      {mask = #gsa.mask<none>}
      : (tensor<4x21x2x16xTYPE>, tensor<4x45x16xTYPE>, tensor<4xi32>)
      -> tensor<4x21x45xf32>
  %indices, %counts, %status = gsa.select %iq, %bad_ik lengths %lengths
      policy <fixed, base = 9> {sink = 2 : i64, local = 2 : i64}
      : (tensor<4x21x2x16xTYPE>, tensor<4x45x16xTYPE>, tensor<4xi32>)
      -> (tensor<4x21x9xi32>, tensor<4x21xi32>, tensor<4x21xi32>)
  // Lists that have keys behind the length.
  %all, %all_counts, %all_status = gsa.select %iq, %ik
      policy <fixed, base = 9> {mask = #gsa.mask<none>}
      : (tensor<4x21x2x16xTYPE>, tensor<4x45x16xTYPE>)
      -> (tensor<4x21x9xi32>, tensor<4x21xi32>, tensor<4x21xi32>)
  %output, %lse = gsa.gather_attention %q, %bad_k, %bad_v
      indices %all, %all_counts gate %g lengths %lengths
      : (tensor<4x21x4x32xTYPE>, tensor<4x45x2x32xTYPE>,
         tensor<4x45x2x32xTYPE>, tensor<4x21x9xi32>, tensor<4x21xi32>,
         tensor<4x21x4xTYPE>, tensor<4xi32>)
      -> (tensor<4x21x4x32xTYPE>, tensor<4x4x21xf32>)
  %dense, %dense_lse = gsa.dense_attention %q, %bad_k, %bad_v gate %g
      lengths %lengths {gate_activation = #gsa.gate_activation<silu>}
      : (tensor<4x21x4x32xTYPE>, tensor<4x45x2x32xTYPE>,
         tensor<4x45x2x32xTYPE>, tensor<4x21x4xTYPE>, tensor<4xi32>)
      -> (tensor<4x21x4x32xTYPE>, tensor<4x4x21xf32>)
  %full, %full_lse = gsa.dense_attention %q, %bad_k, %bad_v lengths %lengths
      {mask = #gsa.mask<none>}
      : (tensor<4x21x4x32xTYPE>, tensor<4x45x2x32xTYPE>,
         tensor<4x45x2x32xTYPE>, tensor<4xi32>)
      -> (tensor<4x21x4x32xTYPE>, tensor<4x4x21xf32>)
  %o0, %l0 = gsa.partial_attention %q, %bad_k, %bad_v lengths %lengths
      first 0 size 10 {mask = #gsa.mask<causal>}
      : (tensor<4x21x4x32xTYPE>, tensor<4x45x2x32xTYPE>,
         tensor<4x45x2x32xTYPE>, tensor<4xi32>)
      -> (tensor<4x21x4x32xf32>, tensor<4x4x21xf32>)
  %o1, %l1 = gsa.partial_attention %q, %bad_k, %bad_v lengths %lengths
      first 10 size 50 {mask = #gsa.mask<causal>}
      : (tensor<4x21x4x32xTYPE>, tensor<4x45x2x32xTYPE>,
         tensor<4x45x2x32xTYPE>, tensor<4xi32>)
      -> (tensor<4x21x4x32xf32>, tensor<4x4x21xf32>)
  %merged, %merged_lse = gsa.merge_attention %o0, %o1 lse %l0, %l1 gate %g
      {element_type = TYPE}
      : (tensor<4x21x4x32xf32>, tensor<4x21x4x32xf32>, tensor<4x4x21xf32>,
         tensor<4x4x21xf32>, tensor<4x21x4xTYPE>)
      -> (tensor<4x21x4x32xTYPE>, tensor<4x4x21xf32>)
  return %scores, %scores_of_all, %indices, %counts, %output, %lse, %dense,
      %dense_lse, %full, %merged
      : tensor<4x21x45xf32>, tensor<4x21x45xf32>, tensor<4x21x9xi32>,
        tensor<4x21xi32>, tensor<4x21x4x32xTYPE>, tensor<4x4x21xf32>,
        tensor<4x21x4x32xTYPE>, tensor<4x4x21xf32>, tensor<4x21x4x32xTYPE>,
        tensor<4x21x4x32xTYPE>
}
