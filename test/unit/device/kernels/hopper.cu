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
        tma_load<team<0, 1>>(stage(keys, slot), map, 0, 64 * i, slots, i);
        ring_commit<false>(slots, i);
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
    store_rows(strided_rows(out, 64, 16), 0, sum, 64);
  }
}

// Two loops over one ring, filled row by row; two warpgroups take turns and add
// what they read to the sums of all blocks.
extern "C" __global__ __launch_bounds__(384, 1) void streams(
    const float* __restrict__ source, const int* __restrict__ table,
    float* __restrict__ sums, long long pitch, int rows, int steps) {
  using loaders = team<0, 4>;
  using consumers = team<4, 8>;
  auto tiles =
      smem_alloc<smem_stages<float, 3, 64, 64, smem_layout::linear>>(0);
  auto parts = smem_alloc<smem<float, 128, 64, smem_layout::linear>>(49152);
  auto slots = ring_alloc<ring<3>, 4, 8>(81920);
  auto cursor = cursor_alloc<ring_cursor>();
  sync<team<0, 12>, 0>();
  for (int block = block_id<0>(); block < rows; block += grid_size<0>()) {
    auto base = cursor_get(cursor);
    if (in_team<loaders>()) {
      for (int i = 0; i < steps; ++i) {
        auto slot = ring_acquire(slots, base + i);
        bulk_rows<loaders>(stage(tiles, slot),
                           paged_rows<16, 16, 1>(source, pitch, table, rows, rows), i * 64,
                           64, slots, base + i);
        ring_commit<false>(slots, base + i);
      }
      cursor_advance(cursor, steps);
    } else if (in_team<consumers>()) {
      auto rank = warp_rank<consumers>();
      auto sum = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
      turn_start<consumers, 2, 2>();
      for (int i = 0; i < steps; ++i) {
        auto slot = ring_wait(slots, base + i);
        turn_wait<consumers, 2, 2>();
        take_frag(sum, stage(tiles, slot), 16 * (rank % 4));
        turn_pass<consumers, 2, 2>();
        ring_release(slots, base + i);
        put_frag(parts, 16 * rank, sum);
        fence_async();
        sync<consumers, 1>();
        reduce_rows<consumers>(strided_rows(sums, pitch, rows), 128 * block,
                               parts, 64);
        reduce_wait<consumers, 1>();
      }
      turn_end<consumers, 2, 2>();
      cursor_advance(cursor, steps);
    }
  }
}
