//===- softmax_tests.cuh - online softmax -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_SOFTMAX_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_SOFTMAX_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

/// Scores of 16 rows in `steps` tiles of C columns; with `parts` = 2, even and
/// odd steps go to two states that are merged at last.
template <int C, int D, bool Bounded>
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
      softmax_update<Bounded>(x, output[part], maximum[part], sum[part], scale);
      auto p = frag_alloc<frag<float, 16, C, frag_layout::lhs>>();
      if constexpr (Bounded)
        softmax_weights(p, x, sum[part]);
      else
        convert(p, x);
      mma_nn(output[part], p, tile, 0);
      __syncthreads();
    }
  }
  if (parts == 2)
    softmax_merge<Bounded>(output[0], maximum[0], sum[0], output[1], maximum[1],
                           sum[1], scale);
  softmax_finish<Bounded>(output[0], lse, maximum[0], sum[0], scale);
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

/// Scores, values and results of 16 rows of `count` cells in tiles of C.
template <int C, int D>
struct SoftmaxCase {
  explicit SoftmaxCase(int count)
      : count(count), scores(16 * count), values(count * D) {}

  float& Score(int r, int i) {
    return scores[(i / C) * 16 * C + r * C + i % C];
  }

  template <bool Bounded>
  void Run(int parts, float scale) {
    launch("softmax", softmax_kernel<C, D, Bounded>, 1, 1,
           C * D * static_cast<int>(sizeof(float)), scores.data(),
           values.data(), count / C, parts, scale, out.data(), lse.data());
  }

  /// Compares a row with its definition in double.
  void Check(Suite& suite, int r, float scale, double tolerance) {
    double most = -kInf, sum = 0;
    std::vector<double> mean(D, 0.0);
    auto logit = [&](int i) {
      double l = static_cast<double>(scale) * Score(r, i);
      return l == kInf ? kNan : l;
    };
    for (int i = 0; i < count; ++i) most = std::fmax(most, logit(i));
    for (int i = 0; i < count; ++i) {
      double p = logit(i) == -kInf ? 0 : std::exp(logit(i) - most);
      sum += p;
      for (int d = 0; d < D; ++d) mean[d] += p * values[i * D + d];
    }
    bool empty = sum == 0;
    double log_sum = empty ? -kInf : most + std::log(sum);
    suite.Near(lse[r], log_sum,
               tolerance + 1e-6 +
                   (std::isfinite(log_sum) ? 2e-7 * std::fabs(log_sum) : 0),
               r, -1);
    for (int d = 0; d < D; ++d) {
      double want = empty ? 0 : mean[d] / sum;
      double size = std::isfinite(want) ? std::fmax(1.0, std::fabs(want)) : 1;
      suite.Near(out[r * D + d], want, 4 * tolerance * size, r, d);
    }
  }

  int count;
  Array<float> scores, values;
  Array<float> out{16 * D}, lse{16};
};

template <int C, int D, bool Bounded>
void test_softmax(Suite& suite, int steps, int parts, float scale) {
  SoftmaxCase<C, D> test(steps * C);
  Random random(C + steps);
  random.Fill(test.values);
  for (int r = 0; r < 16; ++r)
    for (int i = 0; i < test.count; ++i)
      test.Score(r, i) = static_cast<float>(
          odd_score(r, i, test.count, random.Uniform(-20, 20)));
  test.template Run<Bounded>(parts, scale);
  suite.Context("C %d D %d steps %d parts %d scale %g bounded %d", C, D, steps,
                parts, scale, Bounded);
  for (int r = 0; r < 16; ++r) {
    double largest = 0;
    for (int i = 0; i < test.count; ++i)
      if (std::isfinite(test.Score(r, i)))
        largest = std::fmax(largest, std::fabs(scale * test.Score(r, i)));
    // Logits are rounded to float.
    test.Check(suite, r, scale, 1e-6 + largest * 2e-7);
  }
}

/// Finite logits of any size, around the size from which scores are shifted
/// (11356 = 2^14 ln 2), too.
inline double large_logit(int row, int i, int count) {
  switch (row) {
    case 0:
      return 1e30;
    case 1:
      return -1e30;
    case 2:
      return 3e38;  // times log2 e: infinite
    case 3:
      return -3e38;
    case 4:  // one key weighs everything
      return i == count / 2 ? 1e20 : 9.9e19;
    case 5:
      return i == count / 2 ? -9.9e19 : -1e20;
    case 6:
      return 131072 + 0.25 * i;
    case 7:
      return -131072 - 0.25 * i;
    case 8:  // from one side of the limit to the other
      return 11350 + 0.125 * i;
    case 9:
      return 11350 + 0.125 * (count - i);
    case 10:
      return -11362 + 0.125 * i;
    case 11:
      return -11362 + 0.125 * (count - i);
    case 12:
      return i < count / 2 ? -3e38 : 0.5 * (i % 8);
    case 13:
      return i < count / 2 ? 0.5 * (i % 8) : 3e38;
    case 14:
      return i < count / 2 ? -kInf : -2e38;
    default:
      return i % 3 ? -kInf : 1.5e38;
  }
}

/// `scale` is a power of two, so that the logits are exact and no tolerance
/// grows with them.
template <bool Bounded>
void test_large_logits(Suite& suite, int parts, float scale) {
  constexpr int C = 16, D = 16;
  SoftmaxCase<C, D> test(8 * C);
  Random random(parts);
  random.Fill(test.values);
  for (int r = 0; r < 16; ++r)
    for (int i = 0; i < test.count; ++i)
      test.Score(r, i) =
          static_cast<float>(static_cast<float>(large_logit(r, i, test.count)) /
                             static_cast<double>(scale));
  test.template Run<Bounded>(parts, scale);
  suite.Context("parts %d scale %g bounded %d", parts, scale, Bounded);
  for (int r = 0; r < 16; ++r) test.Check(suite, r, scale, 4e-6);
}

/// Means of values near the largest float: some rows have one key, some weigh
/// all keys alike, so that sums go through many units.
inline void test_large_values(Suite& suite, int parts) {
  constexpr int C = 16, D = 16;
  SoftmaxCase<C, D> test(64 * C);
  for (int i = 0; i < test.count; ++i)
    for (int d = 0; d < D; ++d)
      test.values[i * D + d] = d % 2 ? -3.3e38f : 3.3e38f;
  for (int r = 0; r < 16; ++r)
    for (int i = 0; i < test.count; ++i)
      test.Score(r, i) = static_cast<float>(r == 0   ? (i == 5 ? 90 : 0)
                                            : r == 1 ? 0.01 * i
                                            : r == 2 ? -0.01 * i
                                                     : 0.3 * ((i * r) % 7));
  test.template Run<true>(parts, 1.0f);
  suite.Context("parts %d", parts);
  for (int r = 0; r < 16; ++r)
    for (int d = 0; d < D; ++d)
      suite.Near(test.out[r * D + d] / 3.3e38, d % 2 ? -1 : 1, 2e-5, r, d);
}

/// Weights of bf16 as numbers, in the layout of the scores.
template <int C>
__global__ void weights_kernel(const float* scores, const float* sums,
                               float* out) {
  auto x = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  auto p = frag_alloc<frag<bf16, 16, C, frag_layout::lhs>>();
  rowvec<float, 16> sum;
  put_dense(x, scores);
  put_dense(sum, sums);
  softmax_weights(p, x, sum);
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      x.x[j][i] = unpack<bf16>(p.x[j / 2][2 * (j & 1) + (i >> 1)], i & 1);
  get_dense(x, out);
}

inline void test_half_weights() {
  Suite suite("softmax_weights of bf16");
  constexpr int C = 48;
  Random random(7);
  Array<float> scores(16 * C), sums(16), out(16 * C);
  random.Fill(scores, 0, 1);
  for (int r = 0; r < 16; ++r)
    sums[r] = static_cast<float>(std::ldexp(random.Uniform(1, 2), r));
  launch("softmax_weights", weights_kernel<C>, 1, 1, 0, scores.data(),
         sums.data(), out.data());
  for (int r = 0; r < 16; ++r) {
    // 2^-2 for sums below 2, and 2^-4 for each 2^4 from there on.
    double unit = std::ldexp(1.0, -2 - 4 * ((r + 3) / 4));
    for (int c = 0; c < C; ++c)
      suite.Equal(out[r * C + c], rounded<bf16>(scores[r * C + c]) * unit, r,
                  c);
  }
}

inline void test_softmaxes() {
  for (int parts : {1, 2}) {
    Suite suite(parts == 1 ? "softmax_update softmax_finish" : "softmax_merge");
    for (float scale : {0.125f, 1.0f, 3.0f}) {
      test_softmax<64, 64, true>(suite, 4, parts, scale);
      test_softmax<64, 64, false>(suite, 4, parts, scale);
      test_softmax<8, 24, true>(suite, 7, parts, scale);
      test_softmax<48, 32, false>(suite, 2, parts, scale);
    }
  }
  {
    Suite suite("softmax of large logits");
    for (int parts : {1, 2})
      for (float scale : {1.0f, 64.0f, 0x1p100f, 0x1p127f}) {
        test_large_logits<true>(suite, parts, scale);
        test_large_logits<false>(suite, parts, scale);
      }
  }
  {
    Suite suite("softmax_weights, large values");
    for (int parts : {1, 2}) test_large_values(suite, parts);
  }
  {
    // Products that overflow: +inf makes the row NaN, -inf is no score.
    Suite suite("softmax overflow");
    for (double x : {3e38, -3e38}) {
      Array<float> scores(16 * 8), values(8 * 8), out(16 * 8), lse(16);
      for (int i = 0; i < 16 * 8; ++i) scores[i] = static_cast<float>(x);
      for (int i = 0; i < 64; ++i) values[i] = 1;
      launch("softmax", softmax_kernel<8, 8, false>, 1, 1, 256, scores.data(),
             values.data(), 1, 1, 16.0f, out.data(), lse.data());
      suite.Context("x %g", x);
      for (int r = 0; r < 16; ++r) {
        suite.Equal(out[r * 8], x > 0 ? kNan : 0, r);
        suite.Equal(lse[r], x > 0 ? kNan : -kInf, r);
      }
    }
  }
}

template <int C>
__global__ void softmax_grad_kernel(const float* scores, const float* grads,
                                    const float* lse, const float* sums,
                                    float scale, int rows, float* weights_out,
                                    float* grads_out) {
  auto x = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  auto d = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  rowvec<float, 16> lse_rows, sum_rows;
  put_dense(x, scores);
  put_dense(d, grads);
  put_dense(lse_rows, lse);
  put_dense(sum_rows, sums);
  softmax_grad(x, d, lse_rows, sum_rows, scale, rows);
  get_dense(x, weights_out);
  get_dense(d, grads_out);
}

/// Rows of numbers that are not just random; where nothing counts, there is
/// what a product with 0 would spread.
template <int C>
void put_odd_rows(const Array<float>& x, const Array<float>& d,
                  const Array<float>& lse, const Array<float>& sums) {
  const float inf = static_cast<float>(kInf), nan = static_cast<float>(kNan);
  for (int c = 0; c < C; ++c) {
    const float odd = c % 3 == 0 ? nan : c % 3 == 1 ? inf : -inf;
    x[c] = d[c] = odd;  // a row without keys
    if (c % 2) {        // keys that do not exist
      x[C + c] = -inf;
      d[C + c] = odd;
    }
  }
  lse[0] = -inf;
  lse[2] = nan;
  lse[3] = inf;
  x[4 * C + 1] = nan;
  x[4 * C + 2] = inf;
  lse[5] = lse[7] = 0;  // no weight is too small
  d[5 * C] = inf;
  d[5 * C + C - 1] = nan;
  sums[6] = nan;
  sums[7] = -inf;
  x[8 * C + 3] = 3e38f;  // times the scale: infinite
  x[8 * C + 4] = -3e38f;
  lse[9] = 300;  // weights that ex2 makes 0
}

template <int C>
void test_softmax_grad(Suite& suite, float scale) {
  Random random(C);
  Array<float> x(16 * C), d(16 * C), lse(16), sums(16);
  Array<float> weights(16 * C), grads(16 * C);
  random.Fill(x, -20, 20);
  random.Fill(d, -3, 3);
  random.Fill(lse, -10, 50);
  random.Fill(sums, -3, 3);
  put_odd_rows<C>(x, d, lse, sums);
  for (int rows : {-1, 0, 1, 7, 9, 16, 40}) {
    launch("softmax_grad", softmax_grad_kernel<C>, 1, 1, 0, x.data(), d.data(),
           lse.data(), sums.data(), scale, rows, weights.data(), grads.data());
    suite.Context("%d columns scale %g rows %d", C, scale, rows);
    for (int i = 0; i < 16 * C; ++i) {
      int r = i / C, c = i % C;
      bool none = r >= rows || lse[r] == -kInf || x[i] == -kInf;
      double logit = static_cast<double>(scale) * x[i] - lse[r];
      double p = none ? 0 : std::exp(logit);
      if (p > 3.4e38) p = kInf;
      double want = none ? 0 : p * (static_cast<double>(d[i]) - sums[r]);
      // The difference and its product are rounded to float, then ex2; what is
      // too small for it becomes 0.
      double error = none || !std::isfinite(logit) || !std::isfinite(p)
                         ? 0
                         : p * (4e-7 + 2e-7 * std::fabs(logit)) + 1e-37;
      suite.Near(weights[i], p, error, r, c);
      suite.Near(grads[i], want,
                 error == 0 || std::isnan(want)
                     ? 0
                     : error * 6 + 2e-7 * std::fabs(want),
                 r, c);
    }
  }
}

inline void run_softmax_tests() {
  test_softmaxes();
  test_half_weights();
  Suite suite("softmax_grad");
  for (float scale : {0.125f, 1.0f, 3.0f}) {
    test_softmax_grad<64>(suite, scale);
    test_softmax_grad<24>(suite, scale);
    test_softmax_grad<8>(suite, scale);
  }
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_SOFTMAX_TESTS_CUH
