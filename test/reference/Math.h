//===- Math.h - scalar functions and contiguous loops -----------*- C++ -*-===//
//
// Small functions that more than one operator needs. The loops keep a fixed
// order of additions, so results are the same for every compiler that honours
// IEEE arithmetic, and still vectorise.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_MATH_H_
#define GSA_TEST_REFERENCE_MATH_H_

#include <cmath>
#include <cstdint>
#include <limits>

namespace gsa::reference {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// 1 / (1 + e^-x) without overflow; NaN stays NaN.
inline double Sigmoid(double x) {
  if (x >= 0) return 1.0 / (1.0 + std::exp(-x));
  double e = std::exp(x);
  return e / (1.0 + e);
}

/// log(1 + e^x) without overflow; NaN stays NaN.
inline double Softplus(double x) {
  if (x > 0) return x + std::log1p(std::exp(-x));
  return std::log1p(std::exp(x));
}

/// <a, b>. Eight partial sums in a fixed order: element i goes to sum i mod 8.
inline double Dot(const double* a, const double* b, int64_t n) {
  double sum[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int64_t lane = 0; lane < 8; ++lane) {
      sum[lane] += a[i + lane] * b[i + lane];
    }
  }
  for (int64_t lane = 0; i + lane < n; ++lane) {
    sum[lane] += a[i + lane] * b[i + lane];
  }
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) +
         ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/// y += a * x.
inline void AddScaled(double a, const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}

/// 1 or -1, a hash of `i`: the direction of an error of unknown sign.
inline double SignOf(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15u;
  i = (i ^ (i >> 31)) * 0xBF58476D1CE4E5B9u;
  return i >> 63 ? -1.0 : 1.0;
}

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_MATH_H_
