//===- ring_tests.cuh - barriers and rings -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_RING_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_RING_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"
#include "test/gpu/selftest/stream_kernels.cuh"

namespace selftest {

using stream_kernels::stumble;

/// Tiles of a stream go through a ring; each consumer warp folds the sums of
/// the tiles in their order.
template <int Stages, int Producers, int Consumers, bool Asynchronous>
__global__ void ring_kernel(const int* stream, int iterations, int seed,
                            unsigned* folds) {
  constexpr int R = 16, C = 32;
  using producers = team<0, Producers>;
  using consumers = team<Producers, Consumers>;
  auto tiles = smem_alloc<smem_stages<int, Stages, R, C, swizzle>>(0);
  auto slots =
      ring_alloc<ring<Stages>, Producers, Consumers>(Stages * R * C * 4);
  sync<team<0, Producers + Consumers>, 0>();
  if (in_team<producers>()) {
    for (int i = 0; i < iterations; ++i) {
      auto slot = ring_acquire(slots, i);
      auto tile = stage(tiles, slot);
      const int* from = stream + i * R * C;
      if constexpr (Asynchronous) {
        copy_rows<producers, 16>(tile, strided_rows(from, C, R), 0, C);
      } else {
        for (int k = producers::thread(); k < R * C; k += producers::threads)
          tile.at(k / C, k % C) = from[k];
      }
      stumble(seed, i);
      ring_commit<Asynchronous>(slots, i);
    }
  } else if (in_team<consumers>()) {
    unsigned fold = 0;
    for (int i = 0; i < iterations; ++i) {
      auto slot = ring_wait(slots, i);
      auto tile = stage(tiles, slot);
      unsigned sum = 0;
      for (int k = lane(); k < R * C; k += 32)
        sum += static_cast<unsigned>(tile.at(k / C, k % C)) * (k + 1);
      stumble(seed + 1, i);
      ring_release(slots, i);
      fold = fold * 31 + __reduce_add_sync(0xffffffffu, sum);
    }
    store(folds, warp_rank<consumers>(), fold);
  }
}

template <int Stages, int Producers, int Consumers, bool Asynchronous>
void test_ring(Suite& suite) {
  for (int iterations : {0, 1, Stages, Stages + 1, 200}) {
    Random random(iterations);
    Array<int> stream(iterations * 512LL);
    Array<unsigned> folds(Consumers);
    random.Fill(stream);
    unsigned want = 0;
    for (int i = 0; i < iterations; ++i) {
      unsigned sum = 0;
      for (int k = 0; k < 512; ++k)
        sum += static_cast<unsigned>(stream[i * 512 + k]) * (k + 1);
      want = want * 31 + sum;
    }
    for (int seed = 0; seed < 10; ++seed) {
      launch("ring", ring_kernel<Stages, Producers, Consumers, Asynchronous>, 1,
             Producers + Consumers, Stages * (2048 + 16), stream.data(),
             iterations, seed, folds.data());
      suite.Context(
          "stages %d producers %d consumers %d async %d iterations %d", Stages,
          Producers, Consumers, Asynchronous, iterations);
      for (int c = 0; c < Consumers; ++c) suite.Equal(folds[c], want, c);
    }
  }
}

inline void test_rings() {
  Suite suite("ring");
  test_ring<1, 1, 1, true>(suite);
  test_ring<2, 1, 4, true>(suite);
  test_ring<3, 4, 2, true>(suite);
  test_ring<4, 2, 8, true>(suite);
  test_ring<1, 2, 2, false>(suite);
  test_ring<4, 4, 3, false>(suite);
  test_ring<5, 1, 1, false>(suite);
}

/// Two teams with barriers of their own pass numbers around within the team.
__global__ void sync_kernel(int rounds, int* out) {
  auto cells = smem_alloc<smem<int, 1, 8, linear>>(0);
  using first = team<0, 3>;
  using second = team<3, 5>;
  store_shared(cells, 0, warp(), warp());
  sync<team<0, 8>, 0>();
  for (int i = 0; i < rounds; ++i) {
    stumble(3, i);
    int value;
    if (in_team<first>()) {
      value = load_shared(cells, 0, (warp_rank<first>() + 1) % 3);
      sync<first, 1>();
      store_shared(cells, 0, warp(), value + 10);
      sync<first, 1>();
    } else {
      value = load_shared(cells, 0, 3 + (warp_rank<second>() + 1) % 5);
      sync<second, 2>();
      store_shared(cells, 0, warp(), value + 10);
      sync<second, 2>();
    }
  }
  store(out, warp(), load_shared(cells, 0, warp()));
}

inline void test_sync() {
  Suite suite("sync warp_rank in_team load_shared store_shared");
  Array<int> out(8);
  launch("sync", sync_kernel, 1, 8, 32, 100, out.data());
  for (int w = 0; w < 8; ++w)
    suite.Equal(out[w], 1000 + (w < 3 ? (w + 100) % 3 : 3 + (w - 3 + 100) % 5),
                w);
}

#if defined(GSA_SELFTEST_SM90A)
__global__ void __launch_bounds__(256, 1) registers_kernel(int* out) {
  if (in_team<team<0, 4>>()) {
    set_max_registers<40, false>();
    store(out, warp(), 1);
  } else {
    set_max_registers<232, true>();
    store(out, warp(), 2);
  }
}

inline void test_set_max_registers() {
  Suite suite("set_max_registers");
  Array<int> out(8);
  launch("set_max_registers", registers_kernel, 1, 8, 0, out.data());
  for (int w = 0; w < 8; ++w) suite.Equal(out[w], w < 4 ? 1 : 2, w);
}
#endif

inline void run_ring_tests() {
  test_sync();
  test_rings();
#if defined(GSA_SELFTEST_SM90A)
  test_set_max_registers();
#endif
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_RING_TESTS_CUH
