// What attention over a union of keys leaves to attention by query: lists that
// do not ascend strictly within the keys, and rows that are not finite. Tiles
// of 4 queries have one defect each:
//
//   query  5   descends                   21  no entries
//          9   an entry twice             25  a count above the slots
//         13   the last entry is behind   26  a negative count
//              the keys                   29  garbage behind the count
//         17   the first one is -1        32  to 35: no entries in the tile
//
// Values of keys 33, 34 and 60 are an infinity, a NaN and so large that sums
// overflow; key 70 has an infinity. All are keys of some queries of a tile
// alone. Logits of queries 38 and 39 are beyond 8192, those of 37 below.

// REQUIRES: host-cxx
// RUN: sed 's/TYPE/bf16/g;s/QUERIES/4/;s/GROUPS/1/;s/CHUNK/12/;s/LARGE/3.3e38/g' %s > %t.bf16.mlir
// RUN: sed 's/TYPE/f16/g;s/QUERIES/4/;s/GROUPS/1/;s/CHUNK/12/;s/LARGE/65504.0/g' %s > %t.f16.mlir
// RUN: sed 's/TYPE/bf16/g;s/QUERIES/32/;s/GROUPS/2/;s/CHUNK/32/;s/LARGE/3.3e38/g' %s > %t.split.mlir
// RUN: gsa-run %t.bf16.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.f16.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.split.mlir --target emu --arch sm_90a --compare | FileCheck %s

// CHECK: Comparison with the float64 reference: passed

#id = affine_map<(b, t, h, d) -> (b, t, h, d)>

func.func @main(
    %q: tensor<1x40x8x64xTYPE> {gsa.name = "query"},
    %k: tensor<1x200x2x64xTYPE> {gsa.name = "key"},
    %v: tensor<1x200x2x64xTYPE> {gsa.name = "value"})
    -> (tensor<1x40x8x64xTYPE> {gsa.name = "output"},
        tensor<1x8x40xf32> {gsa.name = "lse"}) {
  %one = arith.constant 1.0 : TYPE
  %none = arith.constant 0.0 : TYPE
  %inf = arith.divf %one, %none : TYPE
  %nan = arith.divf %none, %none : TYPE
  %large = arith.constant LARGE : TYPE
  %some_kv = tensor.empty() : tensor<1x200x2x64xTYPE>
  %values = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%v : tensor<1x200x2x64xTYPE>) outs(%some_kv : tensor<1x200x2x64xTYPE>) {
  ^bb0(%x: TYPE, %o: TYPE):
    %t = linalg.index 1 : index
    %d = linalg.index 3 : index
    %n3 = arith.constant 3 : index
    %n33 = arith.constant 33 : index
    %n34 = arith.constant 34 : index
    %n60 = arith.constant 60 : index
    %in = arith.cmpi eq, %d, %n3 : index
    %t33 = arith.cmpi eq, %t, %n33 : index
    %t34 = arith.cmpi eq, %t, %n34 : index
    %t60 = arith.cmpi eq, %t, %n60 : index
    %p33 = arith.andi %t33, %in : i1
    %p34 = arith.andi %t34, %in : i1
    %x0 = arith.select %p33, %inf, %x : TYPE
    %x1 = arith.select %p34, %nan, %x0 : TYPE
    %x2 = arith.select %t60, %large, %x1 : TYPE
    linalg.yield %x2 : TYPE
  } -> tensor<1x200x2x64xTYPE>
  %keys = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%k : tensor<1x200x2x64xTYPE>) outs(%some_kv : tensor<1x200x2x64xTYPE>) {
  ^bb0(%x: TYPE, %o: TYPE):
    %t = linalg.index 1 : index
    %h = linalg.index 2 : index
    %d = linalg.index 3 : index
    %n0 = arith.constant 0 : index
    %n70 = arith.constant 70 : index
    %t70 = arith.cmpi eq, %t, %n70 : index
    %d0 = arith.cmpi eq, %d, %n0 : index
    %h0 = arith.cmpi eq, %h, %n0 : index
    %p0 = arith.andi %t70, %d0 : i1
    %p = arith.andi %p0, %h0 : i1
    %x0 = arith.select %p, %inf, %x : TYPE
    linalg.yield %x0 : TYPE
  } -> tensor<1x200x2x64xTYPE>

  %some_q = tensor.empty() : tensor<1x40x8x64xTYPE>
  %scaled = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<1x40x8x64xTYPE>) outs(%some_q : tensor<1x40x8x64xTYPE>) {
  ^bb0(%x: TYPE, %o: TYPE):
    %t = linalg.index 1 : index
    %t37 = arith.constant 37 : index
    %below = arith.constant 1024.0 : TYPE
    %above = arith.constant 8192.0 : TYPE
    %is37 = arith.cmpi eq, %t, %t37 : index
    %is38 = arith.cmpi ugt, %t, %t37 : index
    %f0 = arith.select %is37, %below, %one : TYPE
    %f1 = arith.select %is38, %above, %f0 : TYPE
    %y = arith.mulf %x, %f1 : TYPE
    linalg.yield %y : TYPE
  } -> tensor<1x40x8x64xTYPE>

  // Entry s of query t is 2 t + 5 s.
  %some_i = tensor.empty() : tensor<1x40x24xi32>
  %indices = linalg.generic {
      indexing_maps = [affine_map<(b, t, s) -> (b, t, s)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%some_i : tensor<1x40x24xi32>) {
  ^bb0(%o: i32):
    %ti = linalg.index 1 : index
    %si = linalg.index 2 : index
    %t = arith.index_cast %ti : index to i32
    %s = arith.index_cast %si : index to i32
    %n0 = arith.constant 0 : i32
    %n1 = arith.constant 1 : i32
    %n2 = arith.constant 2 : i32
    %n5 = arith.constant 5 : i32
    %n7 = arith.constant 7 : i32
    %n9 = arith.constant 9 : i32
    %n13 = arith.constant 13 : i32
    %n17 = arith.constant 17 : i32
    %n19 = arith.constant 19 : i32
    %n23 = arith.constant 23 : i32
    %n29 = arith.constant 29 : i32
    %n200 = arith.constant 200 : i32
    %least = arith.constant -2147483648 : i32
    %minus = arith.constant -1 : i32
    %t2 = arith.muli %t, %n2 : i32
    %s5 = arith.muli %s, %n5 : i32
    %x = arith.addi %t2, %s5 : i32
    %t5 = arith.cmpi eq, %t, %n5 : i32
    %down = arith.subi %n200, %x : i32
    %x0 = arith.select %t5, %down, %x : i32
    %t9 = arith.cmpi eq, %t, %n9 : i32
    %s7 = arith.cmpi eq, %s, %n7 : i32
    %twice = arith.andi %t9, %s7 : i1
    %before = arith.subi %x, %n5 : i32
    %x1 = arith.select %twice, %before, %x0 : i32
    %t13 = arith.cmpi eq, %t, %n13 : i32
    %s23 = arith.cmpi eq, %s, %n23 : i32
    %behind = arith.andi %t13, %s23 : i1
    %x2 = arith.select %behind, %n200, %x1 : i32
    %t17 = arith.cmpi eq, %t, %n17 : i32
    %s0 = arith.cmpi eq, %s, %n0 : i32
    %first = arith.andi %t17, %s0 : i1
    %x3 = arith.select %first, %minus, %x2 : i32
    %t29 = arith.cmpi eq, %t, %n29 : i32
    %s20 = arith.cmpi sgt, %s, %n19 : i32
    %rest = arith.andi %t29, %s20 : i1
    %garbage = arith.addi %least, %s : i32
    %x4 = arith.select %rest, %garbage, %x3 : i32
    linalg.yield %x4 : i32
  } -> tensor<1x40x24xi32>

  %counts = arith.constant dense<[[
      24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24,
      24, 24, 24, 24, 24, 0, 24, 24, 24, 100, -5, 24, 24, 20, 1, 24,
      0, 0, 0, 0, 24, 24, 24, 24]]> : tensor<1x40xi32>
  %o, %l = gsa.gather_attention %scaled, %keys, %values indices %indices, %counts
      {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = QUERIES,
           groups = GROUPS, block_k = 32, key_stages = 2, value_stages = 1, producers = 4,
           table = 1024, chunk = CHUNK, per_query = <engine = mma_sync,
           block_q = 16, block_k = 32, stages = 1, producers = 0,
           consumers = 1>>}
      : (tensor<1x40x8x64xTYPE>, tensor<1x200x2x64xTYPE>,
         tensor<1x200x2x64xTYPE>, tensor<1x40x24xi32>, tensor<1x40xi32>)
      -> (tensor<1x40x8x64xTYPE>, tensor<1x8x40xf32>)
  return %o, %l : tensor<1x40x8x64xTYPE>, tensor<1x8x40xf32>
}
