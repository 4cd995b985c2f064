//===- softmax_tests.cuh - online softmax -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_SOFTMAX_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_SOFTMAX_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

/// Scores of 16 rows in `steps` tiles of C columns; with `parts` = 2, even and
/// odd steps go to two states that are merged at last.
template <int C, int D>
__global__ void softmax_kernel(const float* scores, const float* values,
                               int steps, int parts, float scale, float* out,
                               float* lse_out) {
  using vec = rowvec<float, 16>;
  using fragment = frag<float, 16, D, frag_layout::acc>;
  auto tile = smem_alloc<smem<float, C, D, swizzle>>(0);
  fragment output[2];
  vec maximum[2], sum[2], lse;
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    fill(output[part], 0.0f);
    fill_rows(maximum[part], -infinity());
    fill_rows(sum[part], 0.0f);
    if (part >= parts) break;
    for (int step = part; step < steps; step += parts) {
      put_tile(tile, values + step * C * D);
      auto x = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
      put_dense(x, scores + step * 16 * C);
      softmax_update(x, output[part], maximum[part], sum[part], scale);
      auto p = frag_alloc<frag<float, 16, C, frag_layout::lhs>>();
      convert(p, x);
      mma_nn(output[part], p, tile, 0);
      __syncthreads();
    }
  }
  if (parts == 2)
    softmax_merge(output[0], maximum[0], sum[0], output[1], maximum[1], sum[1],
                  scale);
  softmax_finish(output[0], lse, maximum[0], sum[0], scale);
  get_dense(output[0], out);
  get_dense(lse, lse_out);
}

/// Rows of scores that are not just random.
inline double odd_score(int row, int i, int count, double x) {
  switch (row) {
    case 0:  // empty
      return -kInf;
    case 1:  // first tile empty
      return i < count / 2 ? -kInf : x;
    case 2:
      return i == count / 3 ? kNan : x;
    case 3:
      return i == count - 1 ? kInf : x;
    case 4:  // one score
      return i == count / 2 ? x : -kInf;
    case 5:  // large, with small differences
      return std::ldexp(std::round(x * 64), -2) + 4096;
    case 6:  // rising maximum
      return 0.5 * i;
    case 7:
      return -0.5 * i;
    case 8:  // NaN and nothing else
      return kNan;
    case 9:
      return i % 2 ? -kInf : x;
    case 10:  // NaN in an otherwise empty row
      return i == 0 ? kNan : -kInf;
    default:
      return x;
  }
}

template <int C, int D>
void test_softmax(Suite& suite, int steps, int parts, float scale) {
  int count = steps * C;
  Random random(C + steps);
  Array<float> scores(16 * count), values(count * D), out(16 * D), lse(16);
  random.Fill(values);
  auto score = [&](int r, int i) -> float& {
    return scores[(i / C) * 16 * C + r * C + i % C];
  };
  for (int r = 0; r < 16; ++r)
    for (int i = 0; i < count; ++i)
      score(r, i) =
          static_cast<float>(odd_score(r, i, count, random.Uniform(-20, 20)));
  launch("softmax", softmax_kernel<C, D>, 1, 1,
         C * D * static_cast<int>(sizeof(float)), scores.data(), values.data(),
         steps, parts, scale, out.data(), lse.data());
  suite.Context("C %d D %d steps %d parts %d scale %g", C, D, steps, parts,
                scale);
  for (int r = 0; r < 16; ++r) {
    double most = -kInf, sum = 0, largest = 0;
    std::vector<double> mean(D, 0.0);
    auto logit = [&](int i) {
      double x = score(r, i);
      double l = static_cast<double>(scale) * x;
      return l == kInf ? kNan : l;
    };
    for (int i = 0; i < count; ++i) {
      most = std::fmax(most, logit(i));
      if (std::isfinite(score(r, i)))
        largest = std::fmax(largest, std::fabs(scale * score(r, i)));
    }
    for (int i = 0; i < count; ++i) {
      double p = logit(i) == -kInf ? 0 : std::exp(logit(i) - most);
      sum += p;
      for (int d = 0; d < D; ++d) mean[d] += p * values[i * D + d];
    }
    bool empty = sum == 0;
    // Logits are rounded to float.
    double relative = 1e-6 + largest * 2e-7;
    suite.Near(lse[r], empty ? -kInf : most + std::log(sum), relative + 1e-6, r,
               -1);
    for (int d = 0; d < D; ++d)
      suite.Near(out[r * D + d], empty ? 0 : mean[d] / sum, 4 * relative, r, d);
  }
}

inline void test_softmaxes() {
  for (int parts : {1, 2}) {
    Suite suite(parts == 1 ? "softmax_update softmax_finish" : "softmax_merge");
    for (float scale : {0.125f, 1.0f, 3.0f}) {
      test_softmax<64, 64>(suite, 4, parts, scale);
      test_softmax<8, 24>(suite, 7, parts, scale);
      test_softmax<48, 32>(suite, 2, parts, scale);
    }
  }
  {
    // Products that overflow: +inf makes the row NaN, -inf is no score.
    Suite suite("softmax overflow");
    for (double x : {3e38, -3e38}) {
      Array<float> scores(16 * 8), values(8 * 8), out(16 * 8), lse(16);
      for (int i = 0; i < 16 * 8; ++i) scores[i] = static_cast<float>(x);
      for (int i = 0; i < 64; ++i) values[i] = 1;
      launch("softmax", softmax_kernel<8, 8>, 1, 1, 256, scores.data(),
             values.data(), 1, 1, 16.0f, out.data(), lse.data());
      suite.Context("x %g", x);
      for (int r = 0; r < 16; ++r) {
        suite.Equal(out[r * 8], x > 0 ? kNan : 0, r);
        suite.Equal(lse[r], x > 0 ? kNan : -kInf, r);
      }
    }
  }
}

inline void run_softmax_tests() { test_softmaxes(); }

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_SOFTMAX_TESTS_CUH
