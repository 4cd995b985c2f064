// -----------------------------------------------------------------------------
// File: dtype.h
// -----------------------------------------------------------------------------
//
// Element types of host tensors, their sizes and names, and the conversions
// between binary32/binary64 and the two 16-bit floating point formats. All
// conversions round to nearest, ties to even, in one step: a double never goes
// through float on its way to bfloat16, which would round twice.

#ifndef GSA_RUNTIME_CORE_DTYPE_H_
#define GSA_RUNTIME_CORE_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gsa {

enum class DType : uint8_t {
  kBool,
  kU8,
  kI32,
  kI64,
  kF16,
  kBF16,
  kF32,
  kF64,
};

// Storage of IEEE 754 binary16 and of bfloat16. Plain bits: arithmetic happens
// in float or double.
struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

// Every DType, in the order of the enumeration.
absl::Span<const DType> AllDTypes();

// Bytes per element.
size_t DTypeSize(DType dtype);
bool IsFloat(DType dtype);

// "bool", "u8", "i32", "i64", "f16", "bf16", "f32", "f64".
const char* DTypeName(DType dtype);
// "BOOL", "U8", "I32", "I64", "F16", "BF16", "F32", "F64".
const char* DTypeSafetensorsName(DType dtype);

// The inverse of DTypeName; InvalidArgument names the text and lists the known
// names. Types of safetensors files: see safetensors_header.h.
absl::StatusOr<DType> ParseDType(absl::string_view name);

// The DType that stores a C++ type, e.g. DTypeOf<float>() == DType::kF32.
template <typename T>
constexpr DType DTypeOf();
template <>
constexpr DType DTypeOf<bool>() {
  return DType::kBool;
}
template <>
constexpr DType DTypeOf<uint8_t>() {
  return DType::kU8;
}
template <>
constexpr DType DTypeOf<int32_t>() {
  return DType::kI32;
}
template <>
constexpr DType DTypeOf<int64_t>() {
  return DType::kI64;
}
template <>
constexpr DType DTypeOf<F16>() {
  return DType::kF16;
}
template <>
constexpr DType DTypeOf<BF16>() {
  return DType::kBF16;
}
template <>
constexpr DType DTypeOf<float>() {
  return DType::kF32;
}
template <>
constexpr DType DTypeOf<double>() {
  return DType::kF64;
}

// Round to nearest even. Overflow gives infinity, NaN stays NaN (quiet, same
// sign), zeros keep their sign, results below the normal range are subnormal.
F16 F16FromDouble(double value);
BF16 BF16FromDouble(double value);
F16 F16FromFloat(float value);
BF16 BF16FromFloat(float value);

// Exact.
float F16ToFloat(F16 value);
float BF16ToFloat(BF16 value);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_DTYPE_H_
