//===- stream_kernels.cuh - rings, cursors, turns ---------------*- CUDA
//-*-===//
//
// They call the device library and nothing else, as generated kernels do: the
// same text runs on a GPU (stream_tests.cuh) and in emulation
// (test/unit/emu/streams_test.cc).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_STREAM_KERNELS_CUH
#define GSA_TEST_GPU_SELFTEST_STREAM_KERNELS_CUH

#include "gsa/device/tile.cuh"

using namespace gsa::dev;

namespace stream_kernels {

/// Sleeps for a time that depends on warp and iteration, so that producers and
/// consumers run ahead of each other in both directions.
__device__ inline void stumble(int seed, int iteration) {
  unsigned number = warp_rank<team<0, 1>>();
  unsigned x = (seed * 2654435761u) ^ ((number * 40503u + iteration) * 97u);
  x ^= x >> 13;
  x *= 0x5bd1e995u;
  x ^= x >> 15;
  if (x % 4 != 0) return;
#if defined(__CUDA_ARCH__)
  __nanosleep(x % 3000);
#elif !defined(__CUDACC__)
  usleep(x % 3000);
#endif
}

/// Streams of counts[0], counts[1], ... tiles of 8 x 16 go through one ring:
/// sums[2 * tile + reader] = sum of the tile's elements, each times its number.
template <int Stages>
__device__ void follow(const int* stream, int tiles, const int* counts,
                       int streams, int seed, int* sums) {
  using loader = team<0, 1>;
  using readers = team<1, 2>;
  auto buffer =
      smem_alloc<smem_stages<int, Stages, 8, 16, smem_layout::swizzle>>(0);
  auto slots = ring_alloc<ring<Stages>, 1, 2>(512 * Stages);
  auto cursor = cursor_alloc<ring_cursor>();
  sync<team<0, 3>, 0>();
  int done = 0;
  for (int s = 0; s < streams; ++s) {
    const int count = load(counts, s);
    const int base = cursor_get(cursor);
    if (in_team<loader>()) {
      for (int i = 0; i < count; ++i) {
        const int slot = ring_acquire(slots, base + i);
        copy_rows<loader, 16>(stage(buffer, slot),
                              strided_rows(stream, 16, 8 * tiles),
                              8 * (done + i), 16);
        stumble(seed, i);
        ring_commit<true>(slots, base + i);
      }
      cursor_advance(cursor, count);
    } else if (in_team<readers>()) {
      for (int i = 0; i < count; ++i) {
        const int slot = ring_wait(slots, base + i);
        auto tile = stage(buffer, slot);
        int sum = 0;
        for (int k = 0; k < 128; ++k)
          sum += load_shared(tile, k / 16, k % 16) * (k + 1);
        stumble(seed + 1, i);
        ring_release(slots, base + i);
        store(sums, 2 * (done + i) + warp_rank<readers>(), sum);
      }
      cursor_advance(cursor, count);
    }
    if (count > 0) done += count;
  }
}

/// Groups of four warps, behind four others, take `rounds` turns each, `passes`
/// times: log[n] = 1000 * pass + 10 * round + group of the n-th turn.
template <int Groups>
__device__ void take_turns(int passes, int rounds, int seed, int* log) {
  using all = team<0, 4 + 4 * Groups>;
  using takers = team<4, 4 * Groups>;
  auto turn = smem_alloc<smem<int, 1, 4, smem_layout::linear>>(0);
  if (in_team<team<0, 1>>()) store_shared(turn, 0, 0, 0);
  sync<all, 0>();
  if (in_team<takers>()) {
    const int rank = warp_rank<takers>();
    for (int pass = 0; pass < passes; ++pass) {
      turn_start<takers, Groups, 2>();
      for (int round = 0; round < rounds; ++round) {
        stumble(seed, round);
        turn_wait<takers, Groups, 2>();
        // Nothing but the turn orders this.
        if (rank % 4 == 0) {
          const int n = load_shared(turn, 0, 0);
          stumble(seed + 1, round);
          store(log, n, 1000 * pass + 10 * round + rank / 4);
          store_shared(turn, 0, 0, n + 1);
        }
        turn_pass<takers, Groups, 2>();
        stumble(seed + 2, round);
      }
      turn_end<takers, Groups, 2>();
    }
    // Once all have ended, another count of warps may use the barriers.
    sync<takers, 1>();
    sync<takers, 2>();
    sync<takers, 1 + Groups>();
  }
}

}  // namespace stream_kernels

#define FOLLOW(NAME, STAGES)                                                \
  extern "C" __global__ void NAME(const int* stream, int tiles,             \
                                  const int* counts, int streams, int seed, \
                                  int* sums) {                              \
    stream_kernels::follow<STAGES>(stream, tiles, counts, streams, seed,    \
                                   sums);                                   \
  }
FOLLOW(follow_1, 1)
FOLLOW(follow_2, 2)
FOLLOW(follow_3, 3)
#undef FOLLOW

#define TAKE_TURNS(NAME, GROUPS)                                    \
  extern "C" __global__ void NAME(int passes, int rounds, int seed, \
                                  int* log) {                       \
    stream_kernels::take_turns<GROUPS>(passes, rounds, seed, log);  \
  }
TAKE_TURNS(take_turns_2, 2)
TAKE_TURNS(take_turns_3, 3)
#undef TAKE_TURNS

#if defined(GSA_SELFTEST_SM90A)
// Boxes of two matrices to each slot of a ring, by one lane of two warps: rows
// row + 24 i of `keys`, two panels of them, and row + 8 i of `numbers`.
extern "C" __global__ void load_boxes(
    const __grid_constant__ tensor_map keys,
    const __grid_constant__ tensor_map numbers, int row, int column, int tiles,
    bf16* keys_out, float* numbers_out) {
  using loaders = team<0, 2>;
  using readers = team<2, 3>;
  auto key_tiles =
      smem_alloc<smem_stages<bf16, 2, 24, 128, smem_layout::swizzle_128b>>(0);
  auto number_tiles =
      smem_alloc<smem_stages<float, 2, 8, 16, smem_layout::linear>>(12288);
  auto slots = ring_alloc<ring<2>, 2, 3>(13312);
  sync<team<0, 5>, 0>();
  if (in_team<loaders>()) {
    for (int i = 0; i < tiles; ++i) {
      const int slot = ring_acquire(slots, i);
      tma_load<loaders>(stage(key_tiles, slot), keys, column, row + 24 * i,
                        slots, i);
      tma_load<loaders>(stage(number_tiles, slot), numbers, column, row + 8 * i,
                        slots, i);
      stream_kernels::stumble(1, i);
      ring_commit<false>(slots, i);
    }
  } else if (in_team<readers>()) {
    for (int i = 0; i < tiles; ++i) {
      const int slot = ring_wait(slots, i);
      auto key_tile = stage(key_tiles, slot);
      auto number_tile = stage(number_tiles, slot);
      for (int r = warp_rank<readers>(); r < 24; r += 3)
        for (int c = 0; c < 128; ++c)
          store(keys_out, (24 * i + r) * 128 + c, load_shared(key_tile, r, c));
      for (int r = warp_rank<readers>(); r < 8; r += 3)
        for (int c = 0; c < 16; ++c)
          store(numbers_out, (8 * i + r) * 16 + c,
                load_shared(number_tile, r, c));
      stream_kernels::stumble(2, i);
      ring_release(slots, i);
    }
  }
}
#endif

#endif  // GSA_TEST_GPU_SELFTEST_STREAM_KERNELS_CUH
