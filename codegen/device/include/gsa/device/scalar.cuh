//===- scalar.cuh - scalar operations that C++ lacks -*- CUDA -*-===//
//
// What ops of the dialects arith and math print as where C++ has neither an
// operator nor a function of the same meaning. The functions of C (expf, sin,
// fma, ...) are known to NVRTC without a header.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SCALAR_CUH
#define GSA_DEVICE_SCALAR_CUH

#include "gsa/device/ptx/math.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

/// Quotient of signed integers, rounded up and down. The divisor is not 0.
template <class T>
GSA_DEVICE T ceil_div(T a, T b) {
  T quotient = a / b;
  return quotient + (a % b != 0 && (a < 0) == (b < 0) ? 1 : 0);
}
template <class T>
GSA_DEVICE T floor_div(T a, T b) {
  T quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// Maximum and minimum of IEEE 754-2019: NaN if an argument is, and -0 is less
/// than +0.
GSA_DEVICE float maximum(float x, float y) { return ptx::max_nan(x, y); }
GSA_DEVICE float minimum(float x, float y) { return ptx::min_nan(x, y); }
GSA_DEVICE double maximum(double x, double y) {
  if (x != x || y != y) return x + y;
  // Equal numbers have equal bits, zeros all but the sign.
  if (x == y)
    return __longlong_as_double(__double_as_longlong(x) &
                                __double_as_longlong(y));
  return x > y ? x : y;
}
GSA_DEVICE double minimum(double x, double y) {
  if (x != x || y != y) return x + y;
  if (x == y)
    return __longlong_as_double(__double_as_longlong(x) |
                                __double_as_longlong(y));
  return x < y ? x : y;
}

//===----------------------------------------------------------------------===//
// Sine and cosine in double
//===----------------------------------------------------------------------===//

// CUDA's sin and cos reduce large arguments with a table in local memory, which
// costs a stack even where no argument is large. The functions of multiples of
// pi need none.

/// x / pi less an even number, for |x| < 2^53 with an absolute error below
/// 2^-52. 1 / pi is given in two parts, x times the first one exactly.
GSA_DEVICE double multiple_of_pi(double x) {
  constexpr double high = 0x1.45f306dc9c883p-2;
  constexpr double low = -0x1.6b01ec5417056p-56;
  double product = x * high;
  double rest = fma(x, low, fma(x, high, -product));
  return (product - 2.0 * rint(0.5 * product)) + rest;
}

/// Sine and cosine of x within 4e-16 for |x| < 2^53, less exact beyond; NaN for
/// NaN and infinities.
GSA_DEVICE double sin_f64(double x) { return sinpi(multiple_of_pi(x)); }
GSA_DEVICE double cos_f64(double x) { return cospi(multiple_of_pi(x)); }

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SCALAR_CUH
