// More indexer heads than shared memory has room for: the queries of some come
// through the ring with each tile of keys, so that a tile takes a step of the stream
// for each group of heads. Its scores begin with the first group and are stored, or
// appended, behind the last one.
// RUN: gsa-opt %s --split-input-file --gsa-cuda-schedule=arch=sm_90a --gsa-to-tile=arch=sm_90a --canonicalize --cse | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-cuda-schedule=arch=sm_90a | FileCheck %s --check-prefix=CHOSEN

// CHECK-LABEL: gsa_tile.kernel @index_scores(
// CHECK-NOT: gsa_tile.smem_alloc
// CHECK: gsa_tile.tile_ring : <2 by cp_async, !gsa_tile.smem<64x128xbf16, swizzle>, !gsa_tile.smem<32x128xbf16, swizzle>, !gsa_tile.smem<32x128xbf16, swizzle>>
// CHECK: %[[STEPS:.*]] = arith.muli %{{.*}}, %c32
// CHECK: gsa_tile.stream below %[[STEPS]]
// CHECK: (%[[I:[a-z0-9]+]]: index, %[[K:[a-z0-9]+]]: {{.*}}, %[[Q0:[a-z0-9]+]]: {{.*}}, %[[Q1:[a-z0-9]+]]: {{.*}}):
// CHECK: arith.remui %[[I]], %c32
// CHECK: arith.divui %[[I]], %c32
// CHECK: gsa_tile.copy_rows {{.*}} to %[[K]]
// CHECK: gsa_tile.copy_rows {{.*}} to %[[Q0]]
// CHECK: gsa_tile.copy_rows {{.*}} to %[[Q1]]
// CHECK: } compute {
// CHECK: %[[BEGINS:.*]] = arith.cmpi eq, %[[HEAD:.*]], %c0
// CHECK: scf.if %[[BEGINS]] {
// CHECK-NEXT: gsa_tile.fill %[[SUM:[a-z0-9]+]],
// CHECK: gsa_tile.mma_nt
// CHECK: gsa_tile.load %{{.*}}[%[[HEAD]]]
// CHECK: gsa_tile.add_scaled %[[SUM]],
// CHECK: gsa_tile.mma_nt
// CHECK: gsa_tile.add_scaled %[[SUM]],
// CHECK: %[[ENDS:.*]] = arith.cmpi eq, %[[HEAD]], %c62
// CHECK: scf.if %[[ENDS]] {
// CHECK: gsa_tile.store_rows
func.func @main(%q: tensor<1x300x64x128xbf16>, %k: tensor<1x300x128xbf16>,
                %w: tensor<1x300x64xbf16>, %b: tensor<64xf32>)
    -> tensor<1x300x300xf32> {
  %0 = gsa.index_scores %q, %k weights %w bias %b
      {gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 32,
          block_k = 64, span = 2, stages = 2, producers = 4, consumers = 2,
          head_tile = 2>}
      : (tensor<1x300x64x128xbf16>, tensor<1x300x128xbf16>,
         tensor<1x300x64xbf16>, tensor<64xf32>) -> tensor<1x300x300xf32>
  return %0 : tensor<1x300x300xf32>
}

// -----

// Chosen where they do not all fit: by the schedule with scores in memory and, of long
// rows, in one pass.
// CHOSEN-LABEL: @short
// CHOSEN: head_tile = 8
func.func @short(%q: tensor<1x300x64x128xbf16>, %k: tensor<1x300x128xbf16>)
    -> tensor<1x300x300xf32> {
  %0 = gsa.index_scores %q, %k
      : (tensor<1x300x64x128xbf16>, tensor<1x300x128xbf16>)
      -> tensor<1x300x300xf32>
  return %0 : tensor<1x300x300xf32>
}

// -----

// CHOSEN-LABEL: @long
// CHOSEN: #gsa.one_pass_schedule<scores = <engine = wgmma, {{[^>]*}}, head_tile = 2>, exact = <scores = <{{[^>]*}}, head_tile = 8>
func.func @long(%q: tensor<1x65536x64x128xbf16>, %k: tensor<1x65536x128xbf16>)
    -> (tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>) {
  %i, %c, %n = gsa.select %q, %k policy <fixed, base = 2048>
      : (tensor<1x65536x64x128xbf16>, tensor<1x65536x128xbf16>)
      -> (tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>)
  return %i, %c, %n : tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>
}
