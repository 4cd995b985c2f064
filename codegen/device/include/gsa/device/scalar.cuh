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

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SCALAR_CUH
