// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --gsa-to-tile=arch=sm_90a | FileCheck %s
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a | gsa-translate --gsa-tile-to-cuda | FileCheck %s --check-prefix=CUDA
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a | gsa-translate --gsa-tile-to-emu | FileCheck %s --check-prefix=CUDA
// RUN: not gsa-opt %s --gsa-cuda-schedule=arch=sm_80 2>&1 | FileCheck %s --check-prefix=SM80

// A second schedule of index_scores: the engine wgmma. Only the lowering of the
// op knows of it; pipeline, roles, plan, printer and runtime are those of the
// other schedules.

// SM80: error: 'gsa.index_scores' op has an illegal schedule: engine wgmma needs sm_90a, not sm_80

// Operands are in panels of 128 bytes, 48 columns padded to a panel; products
// come in groups, one for each head.
// CHECK-LABEL: gsa_tile.kernel @index_scores
// CHECK: gsa_tile.smem_alloc : <64x64xbf16, swizzle_128b>
// CHECK: gsa_tile.tile_ring : <2 by cp_async, !gsa_tile.smem<64x64xbf16, swizzle_128b>>
// CHECK: gsa_tile.copy_wait
// CHECK: gsa_tile.stream below %{{.*}} <loaders = 4>
// CHECK: } compute {
// CHECK: gsa_tile.fence_async
// CHECK: gsa_tile.wgmma_fence %{{.*}} : !gsa_tile.frag<16x64xf32, acc>
// CHECK-NEXT: gsa_tile.wgmma_nt
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.wgmma_wait 0
// CHECK-NOT: gsa_tile.mma_nt

// CUDA: ring_wait(
// CUDA: fence_async();
// CUDA: wgmma_fence({{.*}});
// CUDA-NEXT: wgmma_nt<false>(
// CUDA-NEXT: wgmma_commit();
// CUDA-NEXT: wgmma_wait<0>({{.*}});

func.func @main(%q: tensor<1x192x2x48xbf16>, %k: tensor<1x192x48xbf16>)
    -> tensor<1x192x192xf32> {
  %0 = gsa.index_scores %q, %k
      {gsa.schedule = #gsa.score_schedule<engine = wgmma, block_q = 64,
          block_k = 64, span = 2, stages = 2, producers = 4, consumers = 4>}
      : (tensor<1x192x2x48xbf16>, tensor<1x192x48xbf16>)
      -> tensor<1x192x192xf32>
  return %0 : tensor<1x192x192xf32>
}
