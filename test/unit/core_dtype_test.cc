// -----------------------------------------------------------------------------
// File: core_dtype_test.cc
// -----------------------------------------------------------------------------
//
// Names, sizes and the exactness of the 16-bit conversions, which are compared
// with a search over all 65536 values of each format.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/dtype.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

TEST(DTypeTest, NamesRoundTrip) {
  for (DType dtype : AllDTypes()) {
    EXPECT_EQ(ParseDType(DTypeName(dtype)).value(), dtype);
  }
  EXPECT_EQ(AllDTypes().size(), 8u);
}

TEST(DTypeTest, UnknownNameListsTheKnownOnes) {
  const absl::Status status = ParseDType("f8_e4m3").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr("f8_e4m3"), HasSubstr("bf16, f32")));
  EXPECT_FALSE(ParseDType("F32").ok());
  EXPECT_FALSE(ParseDType("").ok());
}

TEST(DTypeTest, SizesMatchTheStorageTypes) {
  EXPECT_EQ(DTypeSize(DTypeOf<bool>()), sizeof(bool));
  EXPECT_EQ(DTypeSize(DTypeOf<uint8_t>()), sizeof(uint8_t));
  EXPECT_EQ(DTypeSize(DTypeOf<int32_t>()), sizeof(int32_t));
  EXPECT_EQ(DTypeSize(DTypeOf<int64_t>()), sizeof(int64_t));
  EXPECT_EQ(DTypeSize(DTypeOf<F16>()), sizeof(F16));
  EXPECT_EQ(DTypeSize(DTypeOf<BF16>()), sizeof(BF16));
  EXPECT_EQ(DTypeSize(DTypeOf<float>()), sizeof(float));
  EXPECT_EQ(DTypeSize(DTypeOf<double>()), sizeof(double));
}

struct Half {
  static constexpr int kMantissa = 10;
  static float ToFloat(uint16_t bits) { return F16ToFloat(F16{bits}); }
  static uint16_t FromDouble(double v) { return F16FromDouble(v).bits; }
  static uint16_t FromFloat(float v) { return F16FromFloat(v).bits; }
};
struct Brain {
  static constexpr int kMantissa = 7;
  static float ToFloat(uint16_t bits) { return BF16ToFloat(BF16{bits}); }
  static uint16_t FromDouble(double v) { return BF16FromDouble(v).bits; }
  static uint16_t FromFloat(float v) { return BF16FromFloat(v).bits; }
};

template <typename Format>
class NarrowFormatTest : public testing::Test {};
using Formats = testing::Types<Half, Brain>;
TYPED_TEST_SUITE(NarrowFormatTest, Formats);

TYPED_TEST(NarrowFormatTest, EveryValueRoundTrips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = TypeParam::ToFloat(bits);
    const uint16_t again = TypeParam::FromFloat(value);
    ASSERT_EQ(again, TypeParam::FromDouble(value)) << bits;
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(TypeParam::ToFloat(again))) << bits;
      ASSERT_EQ(again & 0x8000, bits & 0x8000) << "the sign of a NaN";
    } else {
      ASSERT_EQ(again, bits);
    }
  }
}

// Between each two neighbours: the exact midpoint goes to the even one, and one
// double (or float) to either side of it to the nearer one.
TYPED_TEST(NarrowFormatTest, MidpointsRoundToEvenAndNeighboursToNearest) {
  const uint16_t infinity =
      TypeParam::FromDouble(std::numeric_limits<double>::infinity());
  for (uint16_t bits = 0; bits < infinity; ++bits) {
    const double low = TypeParam::ToFloat(bits);
    // The value that would follow the largest finite one stands for infinity.
    const double high = bits + 1 == infinity
                            ? low + (low - TypeParam::ToFloat(bits - 1))
                            : TypeParam::ToFloat(bits + 1);
    const double middle = low + (high - low) / 2;
    const uint16_t even = bits & 1 ? bits + 1 : bits;
    const uint16_t next = bits + 1;
    for (int sign = 0; sign < 2; ++sign) {
      const double s = sign ? -1.0 : 1.0;
      const uint16_t mask = sign ? 0x8000 : 0;
      ASSERT_EQ(TypeParam::FromDouble(s * middle), even | mask) << middle;
      ASSERT_EQ(TypeParam::FromDouble(s * std::nextafter(middle, 0.0)),
                bits | mask);
      ASSERT_EQ(TypeParam::FromDouble(s * std::nextafter(middle, 1e300)),
                next | mask);
      const float fm = static_cast<float>(middle);
      if (fm == middle) {
        ASSERT_EQ(TypeParam::FromFloat(s * fm), even | mask) << middle;
        ASSERT_EQ(TypeParam::FromFloat(s * std::nextafter(fm, 0.0f)),
                  bits | mask);
        ASSERT_EQ(
            TypeParam::FromFloat(
                s * std::nextafter(fm, std::numeric_limits<float>::infinity())),
            next | mask);
      }
    }
  }
}

TYPED_TEST(NarrowFormatTest, DoubleIsRoundedOnce) {
  // Just above a midpoint by less than a float can tell: by way of float it
  // would become the midpoint and then round down to even.
  const double ulp = std::ldexp(1.0, -TypeParam::kMantissa);
  const double value = 1.0 + ulp / 2 + 0x1p-40;
  EXPECT_EQ(TypeParam::ToFloat(TypeParam::FromDouble(value)), 1.0 + ulp);
  EXPECT_EQ(TypeParam::ToFloat(TypeParam::FromFloat(value)), 1.0);
}

TYPED_TEST(NarrowFormatTest, NanStaysNanWhateverItsPayload) {
  for (int bit = 0; bit < 52; ++bit) {
    const uint64_t payload = 0x7ff0000000000000ull | (uint64_t{1} << bit);
    const double nan = std::bit_cast<double>(payload);
    EXPECT_TRUE(std::isnan(TypeParam::ToFloat(TypeParam::FromDouble(nan))))
        << bit;
  }
  for (int bit = 0; bit < 23; ++bit) {
    const float nan = std::bit_cast<float>(0xff800000u | (1u << bit));
    const float result = TypeParam::ToFloat(TypeParam::FromFloat(nan));
    EXPECT_TRUE(std::isnan(result) && std::signbit(result)) << bit;
  }
}

TYPED_TEST(NarrowFormatTest, TinyAndHugeKeepTheirSign) {
  EXPECT_EQ(TypeParam::FromDouble(-0.0), 0x8000);
  EXPECT_EQ(TypeParam::FromDouble(-std::numeric_limits<double>::denorm_min()),
            0x8000);
  EXPECT_EQ(TypeParam::FromDouble(-1e-200), 0x8000);
  EXPECT_EQ(TypeParam::ToFloat(TypeParam::FromDouble(-1e300)),
            -std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace gsa
