// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --gsa-to-tile=arch=sm_90a | FileCheck %s
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a -o %t
// RUN: gsa-translate --gsa-tile-to-cuda %t | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t | FileCheck %s --check-prefix=USAGE %}
// RUN: %if gsa-run %{ gsa-run %s --target=emu --arch=sm_90a --compare | FileCheck %s --check-prefix=EMU %}

// A tile of wgmma has any number of keys that 8 divides.
// CHECK: gsa_tile.tile_ring : <2 by cp_async, !gsa_tile.smem<72x64xbf16, swizzle_128b>>
// CHECK: gsa_tile.wgmma_fence %{{.*}} : !gsa_tile.frag<16x72xf32, acc>

// CUDA: smem_stages<bf16, 2, 72, 64, smem_layout::swizzle_128b>
// CUDA: wgmma_nt<false>(
// EMU: Comparison with the float64 reference: passed
// USAGE: sm_90a index_scores registers={{[0-9]+}} stack=0
func.func @main(%q: tensor<1x192x2x64xbf16>, %k: tensor<1x192x64xbf16>)
    -> tensor<1x192x192xf32> {
  %0 = gsa.index_scores %q, %k
      {gsa.schedule = #gsa.score_schedule<engine = wgmma, block_q = 64,
          block_k = 72, span = 2, stages = 2, producers = 4, consumers = 4>}
      : (tensor<1x192x2x64xbf16>, tensor<1x192x64xbf16>)
      -> tensor<1x192x192xf32>
  return %0 : tensor<1x192x192xf32>
}
