//===- training_tests.cuh - what trains the indexer -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_TRAINING_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_TRAINING_TESTS_CUH

#include <algorithm>

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

/// Adds the heads of two products to sums of nothing; lse are in rows 1 and 2.
template <int Heads>
__global__ void log_sum_kernel(const float* products, const float* lse,
                               float scale, float* out) {
  auto bases = smem_alloc<smem<float, 3, 16, linear>>(0);
  for (int i = lane(); i < 48; i += 32) bases.at(i / 16, i % 16) = lse[i];
  __syncwarp();
  auto x = frag_alloc<frag<float, 16, 64, acc>>();
  auto sums = lanes_alloc<lanes<float, 2>>();
  for (float& each : sums.v) each = -infinity();
  for (int part = 0; part < 2; ++part) {
    put_dense(x, products + part * 1024);
    log_sum_columns<Heads>(sums, x, bases, 1 + part, scale);
  }
  store_scores(out, sums, 0, 64);
}

/// log(sum of exp(scale x - lse)), from the largest on.
inline double log_sum(const std::vector<double>& x) {
  double most = -kInf, sum = 0;
  for (double each : x)
    if (std::isnan(each) || each == kInf) return kNan;
  for (double each : x) most = std::max(most, each);
  if (most == -kInf) return most;
  for (double each : x) sum += std::exp(each - most);
  return most + std::log(sum);
}

template <int Heads>
void test_log_sums(Suite& suite) {
  Random random(Heads);
  Array<float> products(2048), lse(48), out(64);
  random.Fill(products, -30, 30);
  random.Fill(lse, -10, 60);
  // Of a column all, of others one number that is not finite; heads without.
  for (int i = 0; i < 32; ++i) products[64 * i + 5] = static_cast<float>(-kInf);
  products[6] = static_cast<float>(-kInf);
  products[7] = static_cast<float>(kNan);
  products[8] = static_cast<float>(kInf);
  lse[16 + Heads - 1] = static_cast<float>(-kInf);
  const float scale = 2.5f;
  launch("log_sum_columns", log_sum_kernel<Heads>, 1, 1, 192, products.data(),
         lse.data(), scale, out.data());
  suite.Context("%d heads", Heads);
  for (int c = 0; c < 64; ++c) {
    std::vector<double> x;
    for (int part = 0; part < 2; ++part)
      for (int h = 0; h < Heads; ++h) {
        double base = lse[16 * (1 + part) + h];
        double logit =
            static_cast<double>(scale) * products[1024 * part + 64 * h + c];
        bool none = base == -kInf || logit == -kInf;
        x.push_back(none ? -kInf : logit - base);
      }
    double want = log_sum(x);
    suite.Near(out[c], want, 1e-5 + 1e-6 * std::fabs(want), c);
  }
}

inline void test_log_sum_columns() {
  Suite suite("log_sum_columns");
  test_log_sums<1>(suite);
  test_log_sums<4>(suite);
  test_log_sums<9>(suite);
  test_log_sums<16>(suite);
}

template <activation Kind>
__global__ void slope_kernel(const float* from, float* out) {
  auto x = frag_alloc<frag<float, 16, 24, acc>>();
  auto y = frag_alloc<frag<float, 16, 24, acc>>();
  put_dense(x, from);
  slope<Kind>(y, x);
  get_dense(y, out);
}

template <activation Kind>
void test_slope(const char* name) {
  Suite suite(std::string("slope ") + name);
  Random random(3);
  Array<float> from(384), out(384);
  random.Fill(from, -20, 20);
  const double special[] = {0, -0.0, kInf, -kInf, kNan, 1e-30, -1e-30, 90, -90};
  std::copy(special, special + 9, from.data());
  launch("slope", slope_kernel<Kind>, 1, 1, 0, from.data(), out.data());
  for (int i = 0; i < 384; ++i) {
    double x = from[i], e = std::exp(-std::fabs(x));
    double want = 1;
    if (Kind == activation::sigmoid) want = e / ((1 + e) * (1 + e));
    if (Kind == activation::relu) want = std::isnan(x) ? x : x > 0 ? 1 : 0;
    // What is too small for ex2 becomes 0.
    suite.Near(out[i], want,
               Kind == activation::sigmoid ? 6e-6 * want + 1e-37 : 0, i);
  }
}

__global__ void weigh_kernel(const float* from, const float* cells,
                             const int* list, int first, int end, int limit,
                             float* out) {
  auto x = frag_alloc<frag<float, 16, 24, acc>>();
  put_dense(x, from);
  weigh_columns(x, cells, listed_rows(from, 8, list, end, limit), first);
  get_dense(x, out);
}

inline void test_weigh_columns() {
  Suite suite("weigh_columns");
  Random random(5);
  const int limit = 9;
  Array<float> from(384), cells(40), out(384);
  Array<int> list(40);
  for (int first : {0, 3, 16})
    for (int end : {-1, 0, 5, 19, 40}) {
      random.Fill(from);
      random.Fill(cells);
      for (int i = 0; i < 40; ++i) list[i] = random.Integer(-2, limit);
      from[24 * 3 + 7] = from[24 * 5 + 8] = static_cast<float>(kNan);
      cells[11] = static_cast<float>(kInf);
      launch("weigh_columns", weigh_kernel, 1, 1, 0, from.data(), cells.data(),
             list.data(), first, end, limit, out.data());
      suite.Context("first %d end %d", first, end);
      for (int i = 0; i < 384; ++i) {
        int at = first + i % 24;
        bool exists = at < end && list[at] >= 0 && list[at] < limit;
        suite.Equal(out[i], exists ? from[i] * cells[at] : 0, i / 24, i % 24);
      }
    }
}

inline void run_training_tests() {
  test_log_sum_columns();
  test_slope<activation::sigmoid>("sigmoid");
  test_slope<activation::relu>("relu");
  test_slope<activation::identity>("identity");
  test_weigh_columns();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_TRAINING_TESTS_CUH
