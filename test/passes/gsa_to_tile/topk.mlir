// gsa.topk: a block per row; histogram, kept cells, threshold, ascending
// emission.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile --canonicalize --cse | FileCheck %s

// CHECK-LABEL: gsa_tile.kernel @topk
// CHECK-SAME: warps = 4
// An SM holds 32 warps.
// CHECK-SAME: min_blocks = 8
// CHECK: %[[ROW:.*]] = gsa_tile.block_id 0
// 64-bit address of the row.
// CHECK: %[[SCORES:.*]] = gsa_tile.at %arg0[%[[ROW]], %c0] sizes[%arg5]
// CHECK: gsa_tile.scan_row %{{.*}}, %[[SCORES]]
// CHECK: gsa_tile.publish_scan
// Only rows with more visible keys than the budget need a threshold.
// CHECK: scf.if
// CHECK: gsa_tile.histogram_row {{.*}} forced %c2
// CHECK: gsa_tile.find_rank {{.*}} bins 256
// The cells of the threshold's bin and above fit, or all is done over the row.
// CHECK: %[[KEPT:.*]] = arith.addi %{{.*}}, %{{.*}} : i32
// CHECK: %[[FITS:.*]] = arith.cmpi sle, %[[KEPT]], %c64_i32
// CHECK: scf.if %[[FITS]] {
// CHECK: gsa_tile.load_scores %[[X:[^,]*]],
// A step of 4 warps, all warps in each. The next step's scores are loaded
// before the barrier, which is between counts and their use; steps take turns
// with two rows of counts. No loop over steps is to be unrolled.
// CHECK: scf.for %[[I:.*]] = %c0 to %arg5 step %c1024
// CHECK: %[[NUMBER:.*]] = arith.divui %[[I]], %c1024
// CHECK: %[[SLOT:.*]] = arith.remui %[[NUMBER]], %c2
// CHECK: gsa_tile.mark_scores %[[X]] to %[[MARKED:[^ ]*]] at %[[BEGIN:.*]] range {{.*}} of 256 forced %c2, {{.*}} count %[[COUNTS:.*]][%[[SLOT]], %[[WARP:.*]]]
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[BEGIN]], %c1024
// CHECK-NEXT: gsa_tile.load_scores %[[X]], %{{.*}}[%[[NEXT]] to
// CHECK-NEXT: gsa_tile.sync <0, 4>
// CHECK-NEXT: gsa_tile.keep_cells %[[MARKED]] at %[[BEGIN]] forced %c2, {{.*}} count %[[COUNTS]][%[[SLOT]], %[[WARP]]] to %[[KEYS:.*]], %[[CELLS:.*]] kept
// CHECK: } {gsa_tile.rolled}
// CHECK: scf.for
// CHECK: scf.if %[[FITS]] {
// CHECK: gsa_tile.radix_keys {{.*}}, %[[KEYS]][
// CHECK: } else {
// CHECK: gsa_tile.radix_row
// CHECK: gsa_tile.find_rank {{.*}} bins 256
// CHECK: gsa_tile.count_kept %{{.*}}, %[[KEYS]][
// CHECK: gsa_tile.store_totals
// CHECK: gsa_tile.sync <0, 4>
// CHECK: gsa_tile.sum_rows
// CHECK: gsa_tile.emit_kept %{{.*}}, %{{.*}}, %[[KEYS]], %[[CELLS]][
// CHECK: } else {
// CHECK: gsa_tile.count_row
// CHECK: gsa_tile.store_totals
// CHECK: gsa_tile.sync <0, 4>
// CHECK: gsa_tile.sum_rows
// CHECK: gsa_tile.emit_row
// CHECK: gsa_tile.fill_span %c-1_i32
// CHECK-LABEL: func.func @main
// CHECK: gsa_tile.launch @topk grid(%c6)
func.func @main(%s: tensor<2x3x1000xf32>, %k: tensor<2x3xi32>)
    -> (tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 16 {sink = 2 : i64, local = 3 : i64,
      gsa.schedule = #gsa.topk_schedule<warps = 4, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x1000xf32>, tensor<2x3xi32>)
      -> (tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %i, %c, %n : tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>
}

// -----

// By descending score: a bitonic sort of 8 pairs. One warp counts nothing
// before it emits.

// CHECK-LABEL: gsa_tile.kernel @topk
// CHECK-NOT: gsa_tile.count_{{row|kept}}
// CHECK: gsa_tile.emit_kept
// CHECK-NOT: gsa_tile.count_{{row|kept}}
// CHECK: gsa_tile.emit_row
// CHECK: gsa_tile.sync
// CHECK: gsa_tile.take_candidates {{.*}} to <1x8xi32, linear>, <1x8xi32, linear>
// CHECK: scf.for %{{.*}} = %c1 to %c4
// CHECK: gsa_tile.sort_step
// CHECK: gsa_tile.store_cells
func.func @main(%s: tensor<1x3x50xf32>, %k: tensor<1x3xi32>)
    -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 5 {
      order = #gsa.index_order<score>,
      gsa.schedule = #gsa.topk_schedule<warps = 1, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<1x3x50xf32>, tensor<1x3xi32>)
      -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  return %i, %c, %n : tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>
}
