// What dense attention by warpgroups leaves to attention by rows: values of keys
// 33, 60 and 70 are an infinity, so large that sums overflow, and a NaN; key 90
// has an infinity, which makes logits infinite or NaN. Queries before them do not
// see them, but their warps and tiles do, and so do those of the last queries of
// the first batch, whose last tile reaches key 5 of the second one, a NaN there.
// Logits of queries 20 to 23 are beyond 8192.

// REQUIRES: host-cxx
// RUN: sed 's/TYPE/bf16/g;s/LARGE/3.3e38/g;s/ROWS/128/g;s/ORDER/ping_pong/g' %s > %t.bf16.mlir
// RUN: sed 's/TYPE/f16/g;s/LARGE/65504.0/g;s/ROWS/192/g;s/ORDER/free/g' %s > %t.f16.mlir
// RUN: gsa-run %t.bf16.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.f16.mlir --target emu --arch sm_90a --compare | FileCheck %s

// CHECK: Comparison with the float64 reference: passed

#id = affine_map<(b, t, h, d) -> (b, t, h, d)>

func.func @main(
    %q: tensor<2x100x4x64xTYPE> {gsa.name = "query"},
    %k: tensor<2x100x2x64xTYPE> {gsa.name = "key"},
    %v: tensor<2x100x2x64xTYPE> {gsa.name = "value"})
    -> (tensor<2x100x4x64xTYPE> {gsa.name = "output"},
        tensor<2x4x100xf32> {gsa.name = "lse"}) {
  %one = arith.constant 1.0 : TYPE
  %none = arith.constant 0.0 : TYPE
  %inf = arith.divf %one, %none : TYPE
  %nan = arith.divf %none, %none : TYPE
  %large = arith.constant LARGE : TYPE
  %factor = arith.constant 20000.0 : TYPE
  %n0 = arith.constant 0 : index
  %n1 = arith.constant 1 : index
  %n3 = arith.constant 3 : index
  %n5 = arith.constant 5 : index
  %n20 = arith.constant 20 : index
  %n24 = arith.constant 24 : index
  %n33 = arith.constant 33 : index
  %n60 = arith.constant 60 : index
  %n70 = arith.constant 70 : index
  %n90 = arith.constant 90 : index
  %some_kv = tensor.empty() : tensor<2x100x2x64xTYPE>
  %some_q = tensor.empty() : tensor<2x100x4x64xTYPE>
  %values = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%v : tensor<2x100x2x64xTYPE>) outs(%some_kv : tensor<2x100x2x64xTYPE>) {
  ^bb0(%x: TYPE, %o: TYPE):
    %b = linalg.index 0 : index
    %t = linalg.index 1 : index
    %d = linalg.index 3 : index
    %in = arith.cmpi eq, %d, %n3 : index
    %second = arith.cmpi eq, %b, %n1 : index
    %t5 = arith.cmpi eq, %t, %n5 : index
    %t33 = arith.cmpi eq, %t, %n33 : index
    %t60 = arith.cmpi eq, %t, %n60 : index
    %t70 = arith.cmpi eq, %t, %n70 : index
    %p33 = arith.andi %t33, %in : i1
    %p70 = arith.andi %t70, %in : i1
    %p5 = arith.andi %t5, %second : i1
    %x0 = arith.select %p33, %inf, %x : TYPE
    %x1 = arith.select %p70, %nan, %x0 : TYPE
    %x2 = arith.select %t60, %large, %x1 : TYPE
    %x3 = arith.select %p5, %nan, %x2 : TYPE
    linalg.yield %x3 : TYPE
  } -> tensor<2x100x2x64xTYPE>
  %keys = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x100x2x64xTYPE>) outs(%some_kv : tensor<2x100x2x64xTYPE>) {
  ^bb0(%x: TYPE, %o: TYPE):
    %t = linalg.index 1 : index
    %h = linalg.index 2 : index
    %d = linalg.index 3 : index
    %t90 = arith.cmpi eq, %t, %n90 : index
    %d0 = arith.cmpi eq, %d, %n0 : index
    %h0 = arith.cmpi eq, %h, %n0 : index
    %p0 = arith.andi %t90, %d0 : i1
    %p = arith.andi %p0, %h0 : i1
    %x0 = arith.select %p, %inf, %x : TYPE
    linalg.yield %x0 : TYPE
  } -> tensor<2x100x2x64xTYPE>
  %queries = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x100x4x64xTYPE>) outs(%some_q : tensor<2x100x4x64xTYPE>) {
  ^bb0(%x: TYPE, %o: TYPE):
    %t = linalg.index 1 : index
    %from = arith.cmpi sge, %t, %n20 : index
    %to = arith.cmpi slt, %t, %n24 : index
    %in = arith.andi %from, %to : i1
    %scaled = arith.mulf %x, %factor : TYPE
    %x0 = arith.select %in, %scaled, %x : TYPE
    linalg.yield %x0 : TYPE
  } -> tensor<2x100x4x64xTYPE>
  %o, %l = gsa.dense_attention %queries, %keys, %values
      {mask = #gsa.mask<causal>, gsa.schedule = #gsa.dense_schedule<
           engine = wgmma, block_q = ROWS, block_k = 48, key_stages = 2,
           value_stages = 1, order = ORDER, per_row = <engine = mma_sync,
           block_q = 16, block_k = 32, stages = 1, producers = 0,
           consumers = 2>>}
      : (tensor<2x100x4x64xTYPE>, tensor<2x100x2x64xTYPE>,
         tensor<2x100x2x64xTYPE>)
      -> (tensor<2x100x4x64xTYPE>, tensor<2x4x100xf32>)
  return %o, %l : tensor<2x100x4x64xTYPE>, tensor<2x4x100xf32>
}
