// -----------------------------------------------------------------------------
// File: dtype.cc
// -----------------------------------------------------------------------------

#include "runtime/core/dtype.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

struct DTypeInfo {
  DType dtype;
  size_t size;
  const char* name;
  const char* safetensors_name;
};

constexpr DTypeInfo kInfo[] = {
    {DType::kBool, 1, "bool", "BOOL"}, {DType::kU8, 1, "u8", "U8"},
    {DType::kI32, 4, "i32", "I32"},    {DType::kI64, 8, "i64", "I64"},
    {DType::kF16, 2, "f16", "F16"},    {DType::kBF16, 2, "bf16", "BF16"},
    {DType::kF32, 4, "f32", "F32"},    {DType::kF64, 8, "f64", "F64"},
};

constexpr DType kAll[] = {DType::kBool, DType::kU8,   DType::kI32, DType::kI64,
                          DType::kF16,  DType::kBF16, DType::kF32, DType::kF64};

const DTypeInfo& Info(DType dtype) { return kInfo[static_cast<int>(dtype)]; }

// Rounds a double to a binary format of one sign bit, `kExponent` exponent bits
// and `kMantissa` stored mantissa bits.
template <int kExponent, int kMantissa>
uint16_t Narrow(double value) {
  static_assert(1 + kExponent + kMantissa == 16);
  constexpr int kBias = (1 << (kExponent - 1)) - 1;
  constexpr int kMinExponent = 1 - kBias;  // of the smallest normal number
  constexpr uint16_t kInfinity = ((1u << kExponent) - 1) << kMantissa;
  constexpr uint16_t kQuiet = 1u << (kMantissa - 1);

  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 63) << 15);
  const int raw_exponent = static_cast<int>((bits >> 52) & 0x7ff);
  const uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);

  if (raw_exponent == 0x7ff) {
    if (fraction == 0) return sign | kInfinity;
    // The quiet bit is set explicitly: a NaN whose payload sits in the bits cut
    // off would otherwise become an infinity.
    return sign | kInfinity | kQuiet |
           static_cast<uint16_t>(fraction >> (52 - kMantissa));
  }
  // Subnormal doubles are far below half of the smallest result.
  if (raw_exponent == 0) return sign;
  const int exponent = raw_exponent - 1023;
  if (exponent > kBias) return sign | kInfinity;

  const uint64_t significand = fraction | (uint64_t{1} << 52);
  const bool subnormal = exponent < kMinExponent;
  int shift = 52 - kMantissa;
  if (subnormal) shift += kMinExponent - exponent;
  if (shift > 53) return sign;
  uint64_t quotient = significand >> shift;
  const uint64_t rest = significand & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  if (rest > half || (rest == half && (quotient & 1))) ++quotient;
  // A normal quotient carries its implicit bit, worth one exponent step; a
  // carry out of the mantissa moves to the next exponent, up to infinity.
  const uint64_t base =
      subnormal ? 0 : static_cast<uint64_t>(exponent - kMinExponent);
  return sign | static_cast<uint16_t>((base << kMantissa) + quotient);
}

}  // namespace

absl::Span<const DType> AllDTypes() { return kAll; }

size_t DTypeSize(DType dtype) { return Info(dtype).size; }

bool IsFloat(DType dtype) { return dtype >= DType::kF16; }

const char* DTypeName(DType dtype) { return Info(dtype).name; }

const char* DTypeSafetensorsName(DType dtype) {
  return Info(dtype).safetensors_name;
}

absl::StatusOr<DType> ParseDType(absl::string_view name) {
  std::string known;
  for (const DTypeInfo& info : kInfo) {
    if (name == info.name) return info.dtype;
    absl::StrAppend(&known, known.empty() ? "" : ", ", info.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown dtype '", absl::CHexEscape(name.substr(0, 64)),
                   "': expected one of ", known));
}

F16 F16FromDouble(double value) { return F16{Narrow<5, 10>(value)}; }

BF16 BF16FromDouble(double value) { return BF16{Narrow<8, 7>(value)}; }

// Widening float to double is exact, so these round once as well.
F16 F16FromFloat(float value) { return F16FromDouble(value); }

BF16 BF16FromFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) {
    return BF16{static_cast<uint16_t>((bits >> 16) | 0x40)};
  }
  return BF16{
      static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

float F16ToFloat(F16 value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000) << 16;
  const uint32_t exponent = (value.bits >> 10) & 0x1f;
  const uint32_t fraction = value.bits & 0x3ff;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  if (exponent == 0x1f) {
    const uint32_t quiet = fraction ? 0x400000 : 0;
    return std::bit_cast<float>(sign | 0x7f800000 | quiet | (fraction << 13));
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) |
                              (fraction << 13));
}

float BF16ToFloat(BF16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

}  // namespace gsa
