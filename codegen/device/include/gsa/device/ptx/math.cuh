//===- math.cuh - approximate functions -*- CUDA -*-===//
//
// PTX ISA 9.7.3, Floating Point Instructions.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_MATH_CUH
#define GSA_DEVICE_PTX_MATH_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// 2^x with a relative error below 2^-22; results below 2^-126 become 0;
/// 2^-inf = 0, 2^inf = inf, NaN stays NaN. PTX: ex2.approx.ftz.f32.
GSA_DEVICE float ex2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// 1 / x within 1 ulp; 1 / inf = 0, NaN stays NaN. PTX: rcp.approx.ftz.f32.
GSA_DEVICE float rcp(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// tanh x with a relative error below 2^-11 by the ISA; what the hardware does
/// is closer (docs/rationale/one-pass-selection.md). NaN stays NaN, and
/// infinities are 1 and -1. PTX: tanh.approx.f32.
GSA_DEVICE float tanh(float x) {
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// Products of the two bf16 numbers of each register, rounded once.
/// PTX: fma.rn.bf16x2 with -0, the neutral element of a sum (mul.bf16x2 needs
/// sm_90).
GSA_DEVICE unsigned mul_bf16x2(unsigned x, unsigned y) {
  unsigned z;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;"
      : "=r"(z)
      : "r"(x), "r"(y), "r"(0x80008000u));
  return z;
}

/// Maximum that is NaN if an argument is. PTX: max.NaN.f32.
GSA_DEVICE float max_nan(float x, float y) {
  float z;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(z) : "f"(x), "f"(y));
  return z;
}

/// Minimum that is NaN if an argument is. PTX: min.NaN.f32.
GSA_DEVICE float min_nan(float x, float y) {
  float z;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(z) : "f"(x), "f"(y));
  return z;
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_MATH_CUH
