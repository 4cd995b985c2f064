// gsa.select without scores in memory: a sample, bounds, one pass that appends
// candidates, the selection among them, and the rows whose lists are not
// complete.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --canonicalize --cse | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// 96 flags, and 70 rows of 320 scores where 96 lists of 64 pairs, bounds, counts and
// samples of 75 were.
// REMARK: SelectWorkspace
// REMARK-SAME: bytes=89984, rows=96

// Every 4th key; cells behind the row's last key are written, but not read.
// CHECK-LABEL: gsa_tile.kernel @sample_scores
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.wgmma_nt
// CHECK: gsa_tile.activate %{{.*}} <fast_tanh>
// CHECK-NOT: gsa_tile.mask_causal
// CHECK: gsa_tile.store_rows
// CHECK-LABEL: gsa_tile.kernel @row_bounds
// CHECK: gsa_tile.histogram_row
// CHECK: gsa_tile.key_value
// No score is written; the last head's product is the last use of the keys.
// CHECK-LABEL: gsa_tile.kernel @append_scores
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.wgmma_wait
// CHECK: gsa_tile.wgmma_wait
// CHECK-NEXT: gsa_tile.release
// CHECK: gsa_tile.activate %{{.*}} <fast_tanh>
// CHECK: gsa_tile.add_partial_sums
// CHECK: scf.if
// CHECK-NEXT: gsa_tile.mask_causal
// CHECK: gsa_tile.append_candidates
// CHECK-NOT: gsa_tile.store_rows
// CHECK: gsa_tile.flush_candidates
// CHECK: gsa_tile.flag_rows
// CHECK-LABEL: gsa_tile.kernel @select_candidates
// CHECK: scf.if
// CHECK: gsa_tile.load_candidates
// CHECK: gsa_tile.mark_forced
// CHECK: scf.if
// CHECK: gsa_tile.histogram_candidates
// CHECK: gsa_tile.find_rank
// CHECK: gsa_tile.mark_above
// CHECK: gsa_tile.mark_best
// CHECK: gsa_tile.scan_bits
// CHECK: gsa_tile.place_marked
// CHECK: gsa_tile.store_cells
// CHECK-NOT: gsa_tile.radix_row
// CHECK: } else {
// CHECK: gsa_tile.store
// The scores of flagged rows are those of the schedule without candidates.
// CHECK-LABEL: gsa_tile.kernel @flagged_scores
// CHECK: gsa_tile.mma_nt
// CHECK: gsa_tile.activate %{{.*}} <sigmoid>
// CHECK-LABEL: gsa_tile.kernel @select_flagged_rows
// CHECK: scf.if
// CHECK: gsa_tile.scan_row
// CHECK: gsa_tile.emit_row
// CHECK-LABEL: func.func @main
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %c300 step %c96
// CHECK: %[[FLAGS:.*]] = memref.alloc() : memref<96xi32>
// CHECK: %[[SLAB:.*]] = memref.alloc() : memref<7200xf32>
// CHECK: %[[BOUNDS:.*]] = memref.alloc() : memref<96xf32>
// CHECK: %[[COUNTS:.*]] = memref.alloc() : memref<96xi32>
// CHECK: %[[LISTS:.*]] = memref.alloc() : memref<96x64x2xi32>
// CHECK: gsa_tile.launch @sample_scores {{.*}}%[[SLAB]]
// CHECK: gsa_tile.launch @row_bounds {{.*}}%[[SLAB]], %[[BOUNDS]], %[[COUNTS]]
// CHECK: gsa_tile.launch @append_scores {{.*}}%[[COUNTS]], %[[BOUNDS]], %[[LISTS]]
// CHECK: gsa_tile.launch @select_candidates {{.*}}%[[COUNTS]], %[[LISTS]], %[[FLAGS]]
// CHECK: %[[SCORES:.*]] = memref.alloc() : memref<22400xf32>
// CHECK: %[[STEP:.*]] = arith.divui %c22400, %{{.*}}
// CHECK: scf.for %[[FIRST:.*]] = %c0 to %{{.*}} step %[[STEP]]
// CHECK: gsa_tile.launch @flagged_scores brief {{.*}}%[[FLAGS]], %[[SCORES]]
// CHECK: gsa_tile.launch @select_flagged_rows brief {{.*}}%[[FLAGS]], %{{.*}}, %[[SCORES]]
// CHECK: } {gsa_tile.independent}
func.func @main(%q: tensor<2x300x2x64xbf16>, %k: tensor<2x300x64xbf16>)
    -> (tensor<2x300x16xi32>, tensor<2x300xi32>, tensor<2x300xi32>) {
  %i, %c, %n = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 64, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 96>}
      : (tensor<2x300x2x64xbf16>, tensor<2x300x64xbf16>)
      -> (tensor<2x300x16xi32>, tensor<2x300xi32>, tensor<2x300xi32>)
  return %i, %c, %n : tensor<2x300x16xi32>, tensor<2x300xi32>, tensor<2x300xi32>
}

// -----

// The variance of a row comes from moments, of its spans of keys; that of rows
// whose scores are not finite from their scores. The mean takes a round before.

// CHECK-LABEL: gsa_tile.kernel @score_moments
// CHECK: scf.if
// CHECK: gsa_tile.add_partial_sums
// CHECK: gsa_tile.flag_rows
// CHECK-NEXT: gsa_tile.mask_causal
// CHECK-NEXT: gsa_tile.add_partial_moments {{.*}}some_hidden = true
// CHECK: } else {
// CHECK-NEXT: gsa_tile.add_partial_moments
// CHECK-NOT: gsa_tile.append_candidates
// CHECK: gsa_tile.flag_rows
// CHECK: gsa_tile.join_partial_sums
// CHECK: gsa_tile.store_rowvec
// CHECK-LABEL: gsa_tile.kernel @row_variances
// CHECK: gsa_tile.sum_row
// CHECK-LABEL: func.func @main
// CHECK: scf.for
// CHECK: gsa_tile.launch @empty_counts
// CHECK: gsa_tile.launch @score_moments
// CHECK: gsa_tile.launch @row_variances
// CHECK: gsa_tile.launch @flagged_scores
// CHECK: gsa_tile.launch @flagged_statistic
// CHECK: gsa_tile.launch @stat_mean
// CHECK: scf.for
// CHECK: gsa_tile.launch @sample_scores
// CHECK: gsa_tile.launch @append_scores
// CHECK: gsa_tile.launch @select_candidates
func.func @main(%q: tensor<1x300x2x64xbf16>, %k: tensor<1x300x64xbf16>)
    -> (tensor<1x300x24xi32>, tensor<1x300xi32>, tensor<1x300xi32>) {
  %i, %c, %n = gsa.select %q, %k
      policy #gsa.k_policy<upstream_variance, base = 16, max = 32> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 64, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 96>}
      : (tensor<1x300x2x64xbf16>, tensor<1x300x64xbf16>)
      -> (tensor<1x300x24xi32>, tensor<1x300xi32>, tensor<1x300xi32>)
  return %i, %c, %n : tensor<1x300x24xi32>, tensor<1x300xi32>, tensor<1x300xi32>
}

// -----

// The same with one scoring: rows are selected for the largest budget, and trimmed
// when the mean is known.

// CHECK-LABEL: gsa_tile.kernel @append_scores
// CHECK: gsa_tile.add_partial_moments
// CHECK: gsa_tile.append_candidates
// CHECK-LABEL: gsa_tile.kernel @select_most
// CHECK: gsa_tile.sum_row
// CHECK: gsa_tile.place_marked
// CHECK: gsa_tile.place_scores
// CHECK: gsa_tile.store_cells {{.*}}xf32
// CHECK-LABEL: gsa_tile.kernel @trim_rows
// CHECK: gsa_tile.load_row
// CHECK: gsa_tile.look_up_cells
// CHECK-NEXT: gsa_tile.sync
// CHECK-NEXT: gsa_tile.store_cells
// CHECK-LABEL: func.func @main
// CHECK: scf.for
// CHECK: gsa_tile.launch @sample_scores
// CHECK: gsa_tile.launch @append_scores
// CHECK: gsa_tile.launch @select_most
// CHECK: gsa_tile.launch @flagged_scores
// CHECK: gsa_tile.launch @flagged_statistic
// CHECK: gsa_tile.launch @stat_mean
// CHECK-NOT: gsa_tile.launch @append_scores
// CHECK: gsa_tile.launch @trim_rows
// CHECK: gsa_tile.launch @flagged_scores
// CHECK: gsa_tile.launch @select_flagged_rows
func.func @main(%q: tensor<1x300x2x64xbf16>, %k: tensor<1x300x64xbf16>)
    -> (tensor<1x300x24xi32>, tensor<1x300xi32>, tensor<1x300xi32>) {
  %i, %c, %n = gsa.select %q, %k
      policy #gsa.k_policy<upstream_variance, base = 16, max = 32> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 64, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 96, keep = true>}
      : (tensor<1x300x2x64xbf16>, tensor<1x300x64xbf16>)
      -> (tensor<1x300x24xi32>, tensor<1x300xi32>, tensor<1x300xi32>)
  return %i, %c, %n : tensor<1x300x24xi32>, tensor<1x300xi32>, tensor<1x300xi32>
}

// -----

// A normaliser couples no rows: one scoring is enough.

// CHECK-LABEL: gsa_tile.kernel @append_scores
// CHECK: gsa_tile.add_partial_moments
// CHECK: gsa_tile.append_candidates
// CHECK: gsa_tile.join_partial_sums
// CHECK-LABEL: gsa_tile.kernel @select_candidates
// CHECK: gsa_tile.sum_row
// CHECK: gsa_tile.place_marked
// CHECK-LABEL: func.func @main
// CHECK-NOT: gsa_tile.launch @stat_mean
func.func @main(%q: tensor<1x300x2x64xbf16>, %k: tensor<1x300x64xbf16>,
                %mean: tensor<f32>)
    -> (tensor<1x300x32xi32>, tensor<1x300xi32>, tensor<1x300xi32>) {
  %i, %c, %n = gsa.select %q, %k normaliser %mean
      policy #gsa.k_policy<paper_ema, base = 16, max = 32> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 64, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 96>}
      : (tensor<1x300x2x64xbf16>, tensor<1x300x64xbf16>, tensor<f32>)
      -> (tensor<1x300x32xi32>, tensor<1x300xi32>, tensor<1x300xi32>)
  return %i, %c, %n : tensor<1x300x32xi32>, tensor<1x300xi32>, tensor<1x300xi32>
}

// -----

// 8 queries a warp: the rows of a product are those of two heads in turn, two
// such products are under way together, and sums have half the rows.

// CHECK-LABEL: gsa_tile.kernel @sample_scores
// CHECK: gsa_tile.store_rows {{.*}} : <8x64xf32, acc>
// CHECK-LABEL: gsa_tile.kernel @append_scores
// CHECK: gsa_tile.interleaved_rows {{.*}} to <bf16, interleaved, read>
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} to <64x64xbf16, swizzle_128b>
// CHECK: gsa_tile.fill_halves
// CHECK: gsa_tile.interleaved_rows
// CHECK: gsa_tile.load_rowvec {{.*}} : <bf16, interleaved, read>
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.wgmma_fence %[[A:.*]] :
// CHECK-NEXT: gsa_tile.wgmma_nt %[[A]],
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.wgmma_fence %[[B:.*]] :
// CHECK-NEXT: gsa_tile.wgmma_nt %[[B]],
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.wgmma_wait 1, %[[A]] :
// CHECK-NEXT: gsa_tile.affine_rows %[[A]]
// CHECK-NEXT: gsa_tile.activate %[[A]]
// CHECK-NEXT: gsa_tile.add_row_pairs %[[SUM:.*]], %[[A]],
// CHECK-NEXT: gsa_tile.wgmma_fence %[[A]] :
// CHECK-NEXT: gsa_tile.wgmma_nt %[[A]],
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.wgmma_wait 1, %[[B]] :
// CHECK-NEXT: gsa_tile.affine_rows %[[B]]
// CHECK-NEXT: gsa_tile.activate %[[B]]
// CHECK-NEXT: gsa_tile.add_row_pairs %[[SUM]], %[[B]],
// CHECK: gsa_tile.drain_candidates {{.*}} room 16
// CHECK-NEXT: gsa_tile.wgmma_wait 0, %[[A]] :
// CHECK-NEXT: gsa_tile.release
// The last product is activated where its hits are staged.
// CHECK-NOT: gsa_tile.activate
// CHECK: scf.if
// CHECK-NEXT: gsa_tile.stage_products <fast_tanh> %[[A]] * {{.*}} to %[[SUM]], {{.*}}some_hidden = true
// CHECK-NEXT: } else {
// CHECK-NEXT: gsa_tile.stage_products <fast_tanh> %[[A]] * {{.*}} to %[[SUM]],
// CHECK-NOT: some_hidden
// CHECK: gsa_tile.flush_candidates
func.func @main(%q: tensor<1x300x6x64xbf16>, %k: tensor<1x300x64xbf16>,
                %w: tensor<1x300x6xbf16>, %b: tensor<6xf32>)
    -> (tensor<1x300x16xi32>, tensor<1x300xi32>, tensor<1x300xi32>) {
  %i, %c, %n = gsa.select %q, %k weights %w bias %b
      policy #gsa.k_policy<fixed, base = 16> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 32, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 96>}
      : (tensor<1x300x6x64xbf16>, tensor<1x300x64xbf16>,
         tensor<1x300x6xbf16>, tensor<6xf32>)
      -> (tensor<1x300x16xi32>, tensor<1x300xi32>, tensor<1x300xi32>)
  return %i, %c, %n : tensor<1x300x16xi32>, tensor<1x300xi32>, tensor<1x300xi32>
}

// -----

// With an even number of products a warp never waits for one alone: the last of a
// tile becomes scores beside the first of the next, and the others beside the ones
// behind them. A branch, that of the drain, keeps them above the last wait.

// CHECK-LABEL: gsa_tile.kernel @append_scores
// CHECK: gsa_tile.stream
// CHECK: } compute {
// CHECK: gsa_tile.wgmma_fence %[[A:.*]] :
// CHECK-NEXT: gsa_tile.wgmma_nt %[[A]],
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.lagged {
// CHECK-NEXT: ^{{.*}}(%[[BEFORE:.*]]: index):
// CHECK-NEXT: %[[TILE:.*]] = arith.addi %{{.*}}, %[[BEFORE]] : index
// CHECK-NEXT: arith.muli %[[TILE]], %c64
// CHECK: scf.if
// CHECK-NEXT: gsa_tile.stage_products <fast_tanh> %[[B:[^ ]*]] * {{.*}} to %[[SUM:[^, ]*]], {{.*}}some_hidden = true
// CHECK-NEXT: } else {
// CHECK-NEXT: gsa_tile.stage_products <fast_tanh> %[[B]] * {{.*}} to %[[SUM]],
// CHECK: gsa_tile.wgmma_fence %[[B]] :
// CHECK-NEXT: gsa_tile.wgmma_nt %[[B]],
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.fill %[[SUM]],
// CHECK-NEXT: gsa_tile.wgmma_wait 1, %[[A]] :
// CHECK-NEXT: gsa_tile.affine %[[A]]
// CHECK-NEXT: gsa_tile.activate %[[A]]
// CHECK-NEXT: gsa_tile.add_row_pairs %[[SUM]], %[[A]],
// CHECK-NEXT: gsa_tile.wgmma_fence %[[A]] :
// CHECK: gsa_tile.drain_candidates {{.*}} room 16
// CHECK-NEXT: gsa_tile.wgmma_wait 0, %[[B]] :
// CHECK-NEXT: gsa_tile.release
// CHECK-NEXT: }
// CHECK: gsa_tile.flush_candidates
func.func @main(%q: tensor<1x300x4x64xbf16>, %k: tensor<1x300x64xbf16>)
    -> (tensor<1x300x16xi32>, tensor<1x300xi32>, tensor<1x300xi32>) {
  %i, %c, %n = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 32, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 96>}
      : (tensor<1x300x4x64xbf16>, tensor<1x300x64xbf16>)
      -> (tensor<1x300x16xi32>, tensor<1x300xi32>, tensor<1x300xi32>)
  return %i, %c, %n : tensor<1x300x16xi32>, tensor<1x300xi32>, tensor<1x300xi32>
}

// -----

// Keys in boxes: no fence in the stream, but one for the queries before it. Spans
// by the number of blocks, of which those come first that see the most. Every
// fourth key is the first one of a row of four.

// CHECK-LABEL: gsa_tile.kernel @sample_scores(
// CHECK-SAME: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>
// CHECK: gsa_tile.fence_async
// CHECK: gsa_tile.stream
// CHECK-NOT: gsa_tile.fence_async
// CHECK: gsa_tile.store_rows
// CHECK-LABEL: gsa_tile.kernel @append_scores(
// CHECK-SAME: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>
// CHECK: gsa_tile.grid_size
// CHECK: gsa_tile.tile_ring : {{.*}}bulk
// CHECK: gsa_tile.smem_alloc : <128x56xi32, linear>
// CHECK: gsa_tile.fence_async
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.tma_load
// CHECK-NOT: gsa_tile.fence_async
// CHECK: gsa_tile.wgmma_fence %[[A:.*]] :
// CHECK-NEXT: gsa_tile.wgmma_nt %[[A]],
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-LABEL: gsa_tile.kernel @select_candidates
// CHECK: gsa_tile.find_rank {{.*}} bins 512
// CHECK-LABEL: func.func @main
// CHECK: %[[KEYS:.*]] = memref.expand_shape {{.*}} into memref<750x256xbf16>
// CHECK: gsa_tile.launch @sample_scores {{.*}}(%{{[^,]*}}, %[[KEYS]],
// CHECK: arith.maxui %{{.*}}, %c4
func.func @main(%q: tensor<1x3000x4x64xbf16>, %k: tensor<1x3000x64xbf16>)
    -> (tensor<1x3000x16xi32>, tensor<1x3000xi32>, tensor<1x3000xi32>) {
  %i, %c, %n = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 32, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4, pairs = 1,
                  boxes = true>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 8, capacity = 64, chunk = 960, sm_blocks = 2,
        staged = 12, candidate_bins = 512, least_span = 4>}
      : (tensor<1x3000x4x64xbf16>, tensor<1x3000x64xbf16>)
      -> (tensor<1x3000x16xi32>, tensor<1x3000xi32>, tensor<1x3000xi32>)
  return %i, %c, %n : tensor<1x3000x16xi32>, tensor<1x3000xi32>, tensor<1x3000xi32>
}
