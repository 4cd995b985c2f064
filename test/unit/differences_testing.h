//===- differences_testing.h - gradients against differences ----*- C++ -*-===//

#ifndef GSA_TEST_UNIT_DIFFERENCES_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENCES_TESTING_H_

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "test/unit/reference_testing.h"

namespace gsa::reference {

/// <a, b> over those elements of `a` that are finite: the log-sum-exp of a row
/// without keys is -inf and nothing depends on it.
inline double Inner(const Tensor<double>& a, const Tensor<double>& b) {
  double sum = 0.0;
  for (int64_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a[i])) sum += a[i] * b[i];
  }
  return sum;
}

/// Compares `gradient` with central differences of `loss` in each element of
/// `tensor`, which is as it was afterwards.
inline void ExpectDifferences(const char* name, Tensor<double>* tensor,
                              const Tensor<double>& gradient,
                              const std::function<double()>& loss) {
  constexpr double kStep = 1e-5;
  ASSERT_EQ(tensor->shape(), gradient.shape()) << name;
  for (int64_t i = 0; i < tensor->size(); ++i) {
    double x = (*tensor)[i];
    (*tensor)[i] = x + kStep;
    double up = loss();
    (*tensor)[i] = x - kStep;
    double down = loss();
    (*tensor)[i] = x;
    EXPECT_NEAR(gradient[i], (up - down) / (2 * kStep), 1e-7)
        << name << " element " << i;
  }
}

}  // namespace gsa::reference

#endif  // GSA_TEST_UNIT_DIFFERENCES_TESTING_H_
