// gsa.index_scores: heads stay in registers, hidden tiles are not computed.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile --canonicalize --cse | FileCheck %s

// CHECK-LABEL: gsa_tile.kernel @index_scores
// CHECK-SAME: warps = 6
// The queries of both heads.
// CHECK-COUNT-2: gsa_tile.copy_rows {{.*}} by <0, 6> vector 16 : <bf16, strided, read>, index to <32x64xbf16, swizzle>
// CHECK: %[[RING:.*]] = gsa_tile.tile_ring : <3 by cp_async, !gsa_tile.smem<64x64xbf16, swizzle>>
// CHECK: gsa_tile.copy_wait <0, 6>
// CHECK: gsa_tile.load_rowvec
// CHECK: gsa_tile.activate_rows %{{.*}} <sigmoid>
// CHECK: gsa_tile.stream below %{{.*}} <loaders = 4> rings(%[[RING]]
// CHECK: gsa_tile.copy_rows {{.*}} by <0, 4> vector 16 : <bf16, strided, read>, index to <64x64xbf16, swizzle>
// CHECK-NEXT: } compute {
// CHECK-COUNT-2: gsa_tile.mma_nt
// CHECK: gsa_tile.affine %{{.*}}, %cst
// CHECK: gsa_tile.activate %{{.*}} <sigmoid>
// CHECK: gsa_tile.add_scaled
// CHECK: gsa_tile.mask_causal
// CHECK: gsa_tile.store_rows
// CHECK-NEXT: }
// Tiles above the diagonal.
// CHECK: gsa_tile.fill %{{.*}}, %cst{{.*}} : <16x64xf32, acc>
// CHECK: scf.for
// CHECK-NOT: gsa_tile.mma_nt
// CHECK: gsa_tile.store_rows
// CHECK-LABEL: func.func @main
// 100 queries in blocks of 32, 300 keys in 5 tiles of 64, 2 to a span.
// CHECK: gsa_tile.launch @index_scores grid(%c4, %c3, %c2)
func.func @main(%q: tensor<2x100x2x64xbf16>, %k: tensor<2x300x64xbf16>,
                %w: tensor<2x100x2xbf16>, %b: tensor<2xf32>)
    -> tensor<2x100x300xf32> {
  %0 = gsa.index_scores %q, %k weights %w bias %b {
      gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 32,
          block_k = 64, span = 2, stages = 3, producers = 4, consumers = 2>}
      : (tensor<2x100x2x64xbf16>, tensor<2x300x64xbf16>, tensor<2x100x2xbf16>,
         tensor<2xf32>) -> tensor<2x100x300xf32>
  return %0 : tensor<2x100x300xf32>
}

// -----

// f32, a depth of two fragments, no mask, no weights, no bias.

// CHECK-LABEL: gsa_tile.kernel @index_scores
// CHECK: gsa_tile.copy_rows {{.*}} vector 4 : <f32, strided, read>, index to <16x64xf32, swizzle>
// CHECK: gsa_tile.copy_rows {{.*}} vector 4 : <f32, strided, read>, index to <16x16xf32, swizzle>
// CHECK: gsa_tile.fill_rows
// CHECK: gsa_tile.stream below %{{.*}} <loaders = 0>
// CHECK-COUNT-2: gsa_tile.mma_nt
// CHECK-NOT: gsa_tile.mask_causal
// CHECK: gsa_tile.store_rows
// CHECK-NOT: scf.for
// CHECK-LABEL: func.func @main
func.func @main(%q: tensor<1x7x1x77xf32>, %k: tensor<1x9x77xf32>)
    -> tensor<1x7x9xf32> {
  %0 = gsa.index_scores %q, %k {mask = #gsa.mask<none>,
      score_activation = #gsa.score_activation<identity>,
      gsa.schedule = #gsa.score_schedule<engine = fma, block_q = 16,
          block_k = 16, span = 1, stages = 1, producers = 0, consumers = 1>}
      : (tensor<1x7x1x77xf32>, tensor<1x9x77xf32>) -> tensor<1x7x9xf32>
  return %0 : tensor<1x7x9xf32>
}
