//===- merge_tests.cuh - attention from parts of a list -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_MERGE_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_MERGE_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

enum merge_gate { kUngated, kGatedPerRow, kGatedPerColumn };

/// Parts one after the other, `rows` rows of `columns` each.
template <merge_gate Gate>
__global__ void merge_kernel(const float* outputs, const float* lses,
                             const float* gates, int parts, int rows,
                             int columns, bf16* to, float* lse) {
  using both = team<0, 2>;
  long long pitch = columns, size = static_cast<long long>(rows) * columns;
  auto output = strided_rows(to, pitch, rows);
  auto from = strided_rows(outputs, pitch, rows);
  auto part_lses = strided_rows(lses, 1LL, rows);
  auto result_lses = strided_rows(lse, 1LL, rows);
  if constexpr (Gate == kUngated)
    merge_parts<both, activation::sigmoid, false>(output, result_lses, from,
                                                  size, part_lses, rows, parts,
                                                  columns, gate_of());
  else
    merge_parts<both, activation::sigmoid, Gate == kGatedPerRow>(
        output, result_lses, from, size, part_lses, rows, parts, columns,
        gate_of(strided_rows(gates, Gate == kGatedPerRow ? 1LL : pitch, rows)));
}

template <merge_gate Gate>
void check_merge(Suite& suite, int parts, int rows, int columns, double large) {
  Random random(parts + columns);
  Array<float> outputs(1LL * parts * rows * columns), lses(1LL * parts * rows),
      gates(1LL * rows * columns), lse(rows);
  Array<bf16> to(1LL * rows * columns);
  random.Fill(outputs);
  random.Fill(gates, -3, 3);
  for (int i = 0; i < parts * rows; ++i)
    lses[i] = static_cast<float>(large + random.Uniform(-6, 6));
  // Parts without keys hold anything; a row of them is empty.
  for (int p = 0; p < parts; ++p)
    for (int r = 0; r < rows; ++r)
      if ((p + r) % 3 == 0 || r == 1) {
        lses[p * rows + r] = static_cast<float>(-kInf);
        outputs[(p * rows + r) * columns] = static_cast<float>(kNan);
      }
  launch("merge_parts", merge_kernel<Gate>, 1, 2, 0,
         static_cast<const float*>(outputs.data()),
         static_cast<const float*>(lses.data()),
         static_cast<const float*>(gates.data()), parts, rows, columns,
         to.data(), lse.data());
  suite.Context("gate %d, %d parts of %d x %d, lse about %g", Gate, parts, rows,
                columns, large);
  for (int r = 0; r < rows; ++r) {
    double most = -kInf, sum = 0;
    for (int p = 0; p < parts; ++p) most = std::fmax(most, lses[p * rows + r]);
    for (int p = 0; p < parts; ++p)
      if (most > -kInf) sum += std::exp(lses[p * rows + r] - most);
    suite.Near(lse[r], most == -kInf ? most : most + std::log(sum),
               1e-6 * std::fabs(large) + 2e-6, r);
    for (int c = 0; c < columns; ++c) {
      double x = 0;
      for (int p = 0; p < parts; ++p)
        if (lses[p * rows + r] > -kInf)
          x += std::exp(lses[p * rows + r] - most) / sum *
               outputs[(p * rows + r) * columns + c];
      if (Gate != kUngated)
        x /= 1 + std::exp(-static_cast<double>(
                     gates[Gate == kGatedPerRow ? r : r * columns + c]));
      // Rounded to 8 bits, from a float that is off by little.
      suite.Near(to_host(to[r * columns + c]), x,
                 std::ldexp(std::fabs(x), -8) + 2e-5, r, c);
    }
  }
}

inline void run_merge_tests() {
  Suite suite("merge_parts merge_columns gate_of");
  for (int parts : {1, 2, 15, 16, 17, 33})
    for (int columns : {4, 7, 64}) {
      check_merge<kUngated>(suite, parts, 5, columns, 0);
      check_merge<kGatedPerRow>(suite, parts, 3, columns, 90);
      check_merge<kGatedPerColumn>(suite, parts, 6, columns, -90);
    }
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_MERGE_TESTS_CUH
