//===- hopper.cu - what sm_90a adds -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;
GSA_WGMMA(64, bf16);

// One warp loads by tensor map, a warpgroup multiplies.
extern "C" __global__ __launch_bounds__(256, 1) void warpgroups(
    const __grid_constant__ tensor_map map, float* __restrict__ out,
    int steps) {
  using tile = smem<bf16, 64, 64, smem_layout::swizzle_128b>;
  auto queries = smem_alloc<tile>(0);
  auto keys =
      smem_alloc<smem_stages<bf16, 4, 64, 64, smem_layout::swizzle_128b>>(8192);
  auto slots = ring_alloc<ring<4>, 1, 4>(8192 * 5);
  sync<team<0, 8>, 0>();
  if (in_team<team<0, 4>>()) {
    set_max_registers<40, false>();
    if (in_team<team<0, 1>>())
      for (int i = 0; i < steps; ++i) {
        auto slot = ring_acquire(slots, i);
        ring_expect<8192>(slots, i);
        tma_load(stage(keys, slot), map, 0, 64 * i, slots, i);
      }
  } else if (in_team<team<4, 4>>()) {
    set_max_registers<232, true>();
    auto scores = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
    auto sum = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
    auto p = frag_alloc<frag<bf16, 16, 64, frag_layout::lhs>>();
    fill(sum, 0.0f);
    for (int i = 0; i < steps; ++i) {
      auto slot = ring_wait(slots, i);
      fill(scores, 0.0f);
      fence_async();
      wgmma_fence(scores);
      wgmma_nt(scores, queries, 0, stage(keys, slot), 0);
      wgmma_commit();
      wgmma_wait<0>();
      convert(p, scores);
      wgmma_fence(p);
      wgmma_fence(sum);
      wgmma_nn(sum, p, stage(keys, slot), 0);
      wgmma_commit();
      wgmma_wait<0>();
      ring_release(slots, i);
    }
    store_rows(out, 64, sum, 16, 64);
  }
}
