// gsa.select: chunks of queries through a slab of scores.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile --canonicalize --cse | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-to-tile --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// 32 rows of 200 scores.
// REMARK: SelectWorkspace
// REMARK-SAME: bytes=25600, rows=32

// CHECK-LABEL: gsa_tile.kernel @index_scores
// Hidden cells are not written: the selection does not read them.
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.store_rows
// CHECK-NOT: gsa_tile.store_rows
// CHECK-LABEL: gsa_tile.kernel @select_rows
// CHECK-NOT: gsa_tile.sum_row %
// CHECK: gsa_tile.emit_row
// CHECK-LABEL: func.func @main
// CHECK: scf.for %[[BATCH:.*]] = %c0 to %c2 step %c1
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %c100 step %c32
// CHECK: %[[REST:.*]] = arith.subi %c100, %[[BEGIN]]
// CHECK: %[[ROWS:.*]] = arith.minsi %[[REST]], %c32
// CHECK: %[[SLAB:.*]] = memref.alloc() : memref<32x200xf32>
// CHECK: gsa_tile.launch @index_scores {{.*}} args({{.*}}, %[[SLAB]], {{.*}}, %[[BATCH]], %[[BEGIN]], %[[ROWS]]
// CHECK: gsa_tile.launch @select_rows grid(%[[ROWS]]) args({{.*}}, %[[SLAB]], {{.*}}, %[[BATCH]], %[[BEGIN]])
func.func @main(%q: tensor<2x100x2x64xbf16>, %k: tensor<2x200x64xbf16>)
    -> (tensor<2x100x16xi32>, tensor<2x100xi32>, tensor<2x100xi32>) {
  %i, %c, %n = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16> {
      gsa.schedule = #gsa.select_schedule<
        scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                  stages = 3, producers = 4, consumers = 2>,
        topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>}
      : (tensor<2x100x2x64xbf16>, tensor<2x200x64xbf16>)
      -> (tensor<2x100x16xi32>, tensor<2x100xi32>, tensor<2x100xi32>)
  return %i, %c, %n : tensor<2x100x16xi32>, tensor<2x100xi32>, tensor<2x100xi32>
}

// -----

// The batch mean takes a first round over the chunks.

// CHECK-LABEL: gsa_tile.kernel @select_statistic
// CHECK: gsa_tile.squares_row
// CHECK-LABEL: gsa_tile.kernel @select_rows
// CHECK-NOT: gsa_tile.squares_row
// CHECK: gsa_tile.emit_row
// CHECK-LABEL: func.func @main
// CHECK: scf.for
// CHECK: gsa_tile.launch @index_scores
// CHECK: gsa_tile.launch @select_statistic
// CHECK: gsa_tile.launch @stat_mean
// CHECK: scf.for
// CHECK: gsa_tile.launch @index_scores
// CHECK: gsa_tile.launch @select_rows
func.func @main(%q: tensor<1x40x1x16xf32>, %k: tensor<1x40x16xf32>)
    -> (tensor<1x40x12xi32>, tensor<1x40xi32>, tensor<1x40xi32>) {
  %i, %c, %n = gsa.select %q, %k
      policy #gsa.k_policy<upstream_variance, base = 8, max = 16> {
      gsa.schedule = #gsa.select_schedule<
        scores = <engine = fma, block_q = 16, block_k = 16, span = 4,
                  stages = 1, producers = 0, consumers = 1>,
        topk = <warps = 2, bins = 256, capacity = 64, chunk = 16>>}
      : (tensor<1x40x1x16xf32>, tensor<1x40x16xf32>)
      -> (tensor<1x40x12xi32>, tensor<1x40xi32>, tensor<1x40xi32>)
  return %i, %c, %n : tensor<1x40x12xi32>, tensor<1x40xi32>, tensor<1x40xi32>
}

// -----

// A statistic of its own row is taken where the row is selected.

// CHECK-LABEL: gsa_tile.kernel @select_rows
// CHECK: gsa_tile.sum_row
// CHECK: gsa_tile.squares_row
// CHECK: gsa_tile.emit_row
// CHECK-LABEL: func.func @main
// CHECK: scf.for
// CHECK: gsa_tile.launch @index_scores
// CHECK-NEXT: gsa_tile.launch @select_rows grid
func.func @main(%q: tensor<1x40x1x16xf32>, %k: tensor<1x40x16xf32>,
                %mean: tensor<f32>)
    -> (tensor<1x40x16xi32>, tensor<1x40xi32>, tensor<1x40xi32>) {
  %i, %c, %n = gsa.select %q, %k normaliser %mean
      policy #gsa.k_policy<paper_ema, base = 8, max = 16> {
      gsa.schedule = #gsa.select_schedule<
        scores = <engine = fma, block_q = 16, block_k = 16, span = 4,
                  stages = 1, producers = 0, consumers = 1>,
        topk = <warps = 2, bins = 256, capacity = 64, chunk = 16>>}
      : (tensor<1x40x1x16xf32>, tensor<1x40x16xf32>, tensor<f32>)
      -> (tensor<1x40x16xi32>, tensor<1x40xi32>, tensor<1x40xi32>)
  return %i, %c, %n : tensor<1x40x16xi32>, tensor<1x40xi32>, tensor<1x40xi32>
}
