//===- score_tests.cuh - scores of few queries -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_SCORE_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_SCORE_TESTS_CUH

#include <algorithm>

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

/// Two steps of 64 columns; weights and offsets are in rows 2 and 3.
template <int Heads>
__global__ void score_columns_kernel(const float* products, const float* heads,
                                     float scale, float* out) {
  auto constants = smem_alloc<smem<float, 4, 16, linear>>(0);
  auto line = smem_alloc<smem<float, 2, 128, linear>>(256);
  for (int i = lane(); i < 64; i += 32) constants.at(i / 16, i % 16) = heads[i];
  __syncwarp();
  auto x = frag_alloc<frag<float, 16, 64, acc>>();
  auto scores = lanes_alloc<lanes<float, 2>>();
  for (int step = 0; step < 2; ++step) {
    for_elements(x, [&](float& e, int r, int c) {
      e = products[r * 128 + 64 * step + c];
    });
    score_columns<activation::identity, Heads>(scores, x, constants, 2, scale);
    // By way of a line of shared memory.
    put_lanes(line, 1, 64 * step, scores);
    scores = lanes_alloc<lanes<float, 2>>();
    take_lanes(scores, line, 1, 64 * step);
    store_scores(out, scores, 64 * step, 100);
  }
}

template <int Heads>
inline void test_score_columns(Suite& suite) {
  Random random(Heads);
  Array<float> products(16 * 128), heads(64), out(128);
  for (int i = 0; i < 16 * 128; ++i)
    products[i] = static_cast<float>(random.Integer(-9, 9));
  for (int i = 0; i < 64; ++i)
    heads[i] = static_cast<float>(random.Integer(-9, 9));
  for (int i = 0; i < 128; ++i) out[i] = 0.5f;
  launch("score_columns", score_columns_kernel<Heads>, 1, 1, 1280,
         products.data(), heads.data(), 2.0f, out.data());
  suite.Context("%d heads", Heads);
  for (int c = 0; c < 128; ++c) {
    double want = c < 100 ? 0 : 0.5;  // Cells behind the end are not written.
    for (int h = 0; h < Heads && c < 100; ++h)
      want += heads[32 + h] * (2.0 * products[h * 128 + c] + heads[48 + h]);
    suite.Equal(out[c], want, c);
  }
}

/// Each warp appends 4 times 64 cells to list 1, through lines with room for 6
/// hits beside those of a call.
__global__ void append_cells_kernel(const float* scores, float bound, int end,
                                    int capacity, int* list, int* counts) {
  auto staged = smem_alloc<smem<int, 4, 140, linear>>(0);
  auto held = lanes_alloc<lanes<int, 1>>();
  auto mine = lanes_alloc<lanes<float, 2>>();
  int line = static_cast<int>(threadIdx.x / 32);
  for (int step = 0; step < 4; ++step) {
    int begin = 64 * (4 * static_cast<int>(line + 4 * blockIdx.x) + step);
    for (int i = 0; i < 2; ++i) mine.v[i] = scores[begin + 32 * i + lane()];
    append_cells(list, counts, 1, staged, line, held, mine, bound, begin, end,
                 capacity);
  }
  flush_cells(list, counts, 1, staged, line, held, capacity);
}

inline void test_append_cells() {
  Suite suite("append_cells");
  Random random(3);
  constexpr int cells = 4096, capacity = 1200;
  Array<float> scores(cells);
  Array<int> list(2 * 2 * capacity), counts(2);
  for (int end : {0, 1, 63, 2000, cells})
    for (float bound : {-1.0f, 0.5f, 0.9f, 2.0f})
      for (bool finite : {true, false}) {
        for (int i = 0; i < cells; ++i)
          scores[i] = static_cast<float>(random.Integer(0, 999)) / 1000;
        // Behind the end nothing counts.
        if (end < cells) scores[end] = static_cast<float>(kNan);
        if (!finite && end > 0) scores[end / 2] = static_cast<float>(kNan);
        counts[0] = counts[1] = 0;
        std::fill(list.data(), list.data() + list.size(), -7);
        launch("append_cells", append_cells_kernel, cells / 1024, 4,
               4 * 140 * 4, scores.data(), bound, end, capacity, list.data(),
               counts.data());
        suite.Context("end %d bound %g finite %d", end, bound, finite);
        std::vector<int> want, got;
        for (int i = 0; i < end; ++i)
          if (scores[i] >= bound) want.push_back(i);
        suite.Equal(counts[0], 0);
        suite.Equal(list[0], -7);
        if (!finite && end > 0) {
          suite.Equal(counts[1] >= 1 << 30, 1);
          continue;
        }
        int hits = static_cast<int>(want.size());
        suite.Equal(counts[1], hits);
        for (int i = 0; i < std::min(hits, capacity); ++i) {
          int cell = list[2 * (capacity + i) + 1];
          float score;
          std::memcpy(&score, &list[2 * (capacity + i)], 4);
          bool exists = cell >= 0 && cell < end;
          suite.Equal(exists, 1, i);
          if (exists) suite.Equal(score, scores[cell], i);
          got.push_back(cell);
        }
        std::sort(got.begin(), got.end());
        if (hits <= capacity) suite.Equal(got == want, 1);
      }
}

inline void run_score_tests() {
  {
    Suite suite("score_columns store_scores put_lanes take_lanes");
    test_score_columns<1>(suite);
    test_score_columns<4>(suite);
    test_score_columns<9>(suite);
    test_score_columns<16>(suite);
  }
  test_append_cells();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_SCORE_TESTS_CUH
