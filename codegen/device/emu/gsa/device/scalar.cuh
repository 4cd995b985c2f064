//===- scalar.cuh - scalar operations that C++ lacks (host) ----*- C++ -*-===//

#ifndef GSA_DEVICE_SCALAR_CUH
#define GSA_DEVICE_SCALAR_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev {

// Of CUDA's own functions those that C lacks.
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
// Templates, so that those of a later C are preferred to them.
template <class T>
T rsqrtf(T x) {
  return 1.0f / sqrtf(x);
}
template <class T>
T rsqrt(T x) {
  return 1.0 / sqrt(x);
}

/// Quotient of signed integers, rounded up and down. The divisor is not 0.
template <class T>
T ceil_div(T a, T b) {
  return a / b + (a % b != 0 && (a < 0) == (b < 0) ? 1 : 0);
}
template <class T>
T floor_div(T a, T b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// Maximum and minimum of IEEE 754-2019: NaN if an argument is, and -0 is less
/// than +0.
template <class T>
T ieee_maximum(T x, T y) {
  if (x != x || y != y) return x + y;
  if (x == y) return signbit(x) ? y : x;
  return x > y ? x : y;
}
template <class T>
T ieee_minimum(T x, T y) {
  if (x != x || y != y) return x + y;
  if (x == y) return signbit(x) ? x : y;
  return x < y ? x : y;
}
inline float maximum(float x, float y) { return ieee_maximum(x, y); }
inline float minimum(float x, float y) { return ieee_minimum(x, y); }
inline double maximum(double x, double y) { return ieee_maximum(x, y); }
inline double minimum(double x, double y) { return ieee_minimum(x, y); }

inline double sin_f64(double x) { return sin(x); }
inline double cos_f64(double x) { return cos(x); }

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SCALAR_CUH
