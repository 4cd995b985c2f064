//===- HostSymbols.cpp - C library functions open to compiled code --------===//

#include "codegen/cpu/HostSymbols.h"

#include <math.h>
#include <string.h>

#include <bit>
#include <cstdint>

namespace mlir::gsa {

namespace {

template <typename Function>
void* address(Function* function) {
  return reinterpret_cast<void*>(function);
}

/// To the nearest bf16, ties to even; NaN stays NaN and is quiet. What LLVM
/// calls where a CPU has no instruction for it and a pass of its own has made a
/// truncation anew.
__bf16 roundToBF16(float x) {
  auto bits = std::bit_cast<uint32_t>(x);
  uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  if (x != x) rounded = bits | 0x400000;
  return std::bit_cast<__bf16>(static_cast<uint16_t>(rounded >> 16));
}

llvm::StringMap<void*> makeTable() {
  llvm::StringMap<void*> table;
  table["memcpy"] = address(&::memcpy);
  table["memmove"] = address(&::memmove);
  table["memset"] = address(&::memset);
// The double and the float version; C linkage makes both names unambiguous
// only through a typed pointer.
#define GSA_UNARY(name)                            \
  table[#name] = address<double(double)>(&::name); \
  table[#name "f"] = address<float(float)>(&::name##f);
#define GSA_BINARY(name)                                   \
  table[#name] = address<double(double, double)>(&::name); \
  table[#name "f"] = address<float(float, float)>(&::name##f);
  GSA_UNARY(acos)
  GSA_UNARY(acosh)
  GSA_UNARY(asin)
  GSA_UNARY(asinh)
  GSA_UNARY(atan)
  GSA_UNARY(atanh)
  GSA_UNARY(cbrt)
  GSA_UNARY(ceil)
  GSA_UNARY(cos)
  GSA_UNARY(cosh)
  GSA_UNARY(erf)
  GSA_UNARY(erfc)
  GSA_UNARY(exp)
  GSA_UNARY(exp2)
  GSA_UNARY(expm1)
  GSA_UNARY(floor)
  GSA_UNARY(log)
  GSA_UNARY(log10)
  GSA_UNARY(log1p)
  GSA_UNARY(log2)
  GSA_UNARY(nearbyint)
  GSA_UNARY(rint)
  GSA_UNARY(round)
  GSA_UNARY(sin)
  GSA_UNARY(sinh)
  GSA_UNARY(sqrt)
  GSA_UNARY(tan)
  GSA_UNARY(tanh)
  GSA_UNARY(trunc)
  GSA_BINARY(atan2)
  GSA_BINARY(fmod)
  GSA_BINARY(fmax)
  GSA_BINARY(fmin)
  GSA_BINARY(pow)
#undef GSA_UNARY
#undef GSA_BINARY
  table["fma"] = address<double(double, double, double)>(&::fma);
  table["fmaf"] = address<float(float, float, float)>(&::fmaf);
  table["ldexp"] = address<double(double, int)>(&::ldexp);
  table["ldexpf"] = address<float(float, int)>(&::ldexpf);
  // LLVM merges a sine and a cosine of one angle into a GNU extension.
  table["sincos"] = address<void(double, double*, double*)>(&::sincos);
  table["sincosf"] = address<void(float, float*, float*)>(&::sincosf);
  table["__truncsfbf2"] = address(&roundToBF16);
  return table;
}

}  // namespace

const llvm::StringMap<void*>& hostSymbols() {
  static const llvm::StringMap<void*> table = makeTable();
  return table;
}

}  // namespace mlir::gsa
