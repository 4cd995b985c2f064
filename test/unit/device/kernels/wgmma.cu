//===- wgmma.cu - products of a warpgroup -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;
GSA_WGMMA(64, bf16);
GSA_WGMMA(64, f16);
GSA_WGMMA(72, f16);
GSA_WGMMA(128, bf16);
GSA_WGMMA(256, bf16);

// Attention of one warpgroup over tiles that a ring brings: scores of a step
// and the sum of the one before in flight together. How many tiles there are is
// known to each warpgroup alone, so that the compiler cannot tell that slots
// are the same in all lanes.
extern "C" __global__ __launch_bounds__(384, 1) void attend(
    float* __restrict__ out, const int* __restrict__ counts) {
  auto queries = smem_alloc<smem<bf16, 128, 128, smem_layout::swizzle_128b>>(0);
  auto keys =
      smem_alloc<smem_stages<bf16, 4, 64, 128, smem_layout::swizzle_128b>>(
          32768);
  auto slots = ring_alloc<ring<4>, 1, 8>(32768 + 65536);
  sync<team<0, 12>, 0>();
  if (in_team<team<4, 8>>()) {
    const int row = warp_rank<team<4, 8>>() / 4 * 64;
    const int steps = counts[threadIdx.x >> 7];
    auto scores = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
    auto weights = frag_alloc<frag<bf16, 16, 64, frag_layout::lhs>>();
    auto sum = frag_alloc<frag<float, 16, 128, frag_layout::acc>>();
    fill(sum, 0.0f);
    const int first = ring_wait(slots, 0);
    wgmma_fence();
    wgmma_nt<false>(scores, queries, row, stage(keys, first), 0);
    wgmma_commit();
    wgmma_wait<0>(scores);
    convert(weights, scores);
    for (int i = 1; i < steps; ++i) {
      const int slot = ring_wait(slots, i);
      wgmma_fence(weights, sum);
      wgmma_nt<false>(scores, queries, row, stage(keys, slot), 0);
      wgmma_commit();
      wgmma_nn(sum, weights, stage(keys, (i - 1) % 4), 0);
      wgmma_commit();
      wgmma_wait<1>(scores);
      affine(scores, 0.5f, 1.0f);
      wgmma_wait<0>(sum);
      ring_release(slots, i - 1);
      convert(weights, scores);
    }
    store_rows(strided_rows(out + 128 * row, 128ll, 16), 0, sum, 128);
  }
}

// Products of a backward kernel: the left operand is stored by rows of k.
extern "C" __global__ __launch_bounds__(128, 1) void transposed(
    float* __restrict__ out, int steps) {
  auto weights = smem_alloc<smem<bf16, 64, 128, smem_layout::swizzle_128b>>(0);
  auto values =
      smem_alloc<smem<bf16, 64, 128, smem_layout::swizzle_128b>>(16384);
  auto sum = frag_alloc<frag<float, 16, 128, frag_layout::acc>>();
  fill(sum, 0.0f);
  for (int i = 0; i < steps; ++i) {
    sync<team<0, 4>, 0>();
    fence_async();
    wgmma_fence(sum);
    wgmma_nn<true, true>(sum, weights, i % 2 * 64, values, 0);
    wgmma_commit();
    wgmma_wait<0>(sum);
  }
  store_rows(strided_rows(out, 128ll, 16), 0, sum, 128);
}

// The widest product, whose accumulator is 128 registers.
extern "C" __global__ __launch_bounds__(128,
                                        1) void wide(float* __restrict__ out) {
  auto left = smem_alloc<smem<bf16, 64, 64, smem_layout::swizzle_128b>>(0);
  auto right = smem_alloc<smem<bf16, 256, 64, smem_layout::swizzle_128b>>(8192);
  auto sum = frag_alloc<frag<float, 16, 256, frag_layout::acc>>();
  wgmma_fence();
  wgmma_nt<false>(sum, left, 0, right, 0);
  wgmma_commit();
  wgmma_wait<0>(sum);
  store_rows(strided_rows(out, 256ll, 16), 0, sum, 256);
}

// Panels of 64 and of 32 bytes, and a width that is no multiple of a panel.
extern "C" __global__ __launch_bounds__(128, 1) void narrow(
    float* __restrict__ out) {
  auto left = smem_alloc<smem<f16, 64, 32, smem_layout::swizzle>>(0);
  auto right = smem_alloc<smem<f16, 64, 32, smem_layout::swizzle>>(4096);
  auto narrow_left = smem_alloc<smem<f16, 64, 16, smem_layout::swizzle>>(8192);
  auto narrow_right =
      smem_alloc<smem<f16, 64, 16, smem_layout::swizzle>>(10240);
  auto values =
      smem_alloc<smem<f16, 64, 128, smem_layout::swizzle_128b>>(12288);
  auto sum = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  auto weights = frag_alloc<frag<f16, 16, 64, frag_layout::lhs>>();
  auto result = frag_alloc<frag<float, 16, 72, frag_layout::acc>>();
  wgmma_fence();
  wgmma_nt<false>(sum, left, 0, right, 0);
  wgmma_nt(sum, narrow_left, 0, narrow_right, 0);
  wgmma_commit();
  wgmma_wait<0>(sum);
  convert(weights, sum);
  wgmma_fence(weights);
  wgmma_nn<false>(result, weights, values, 0);
  wgmma_commit();
  wgmma_wait<0>(result);
  store_rows(strided_rows(out, 72ll, 16), 0, result, 72);
}
