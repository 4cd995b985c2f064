// -----------------------------------------------------------------------------
// File: emu_types_test.cc
// -----------------------------------------------------------------------------
//
// Scalars of the emulation against the runtime's conversions.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "gsa/device/tile.cuh"
#include "runtime/core/dtype.h"

namespace gsa {
namespace {

std::vector<double> Samples() {
  std::vector<double> values = {
      0.0,      -0.0,     1.0,      65504.0,   65519.99, 65520.0,  65536.0,
      1e300,    -1e300,   3.4e38,   3.3961e38, 0x1p-24,  0x1p-25,  0x1.8p-25,
      0x1p-149, 0x1p-133, 0x1p-134, INFINITY,  NAN,      -INFINITY};
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    // Any exponent that matters, and numbers just beside ties.
    double value = std::ldexp(1.0 + double(random() % 4096) / 4096,
                              static_cast<int>(random() % 320) - 170);
    values.push_back(value);
    values.push_back(-std::nextafter(value, 1e300));
  }
  return values;
}

template <typename A, typename B>
void ExpectSame(A actual, B expected, double value, bool is_nan) {
  if (is_nan)
    EXPECT_TRUE(std::isnan(dev::to_float(actual)));
  else
    EXPECT_EQ(actual.bits, expected.bits) << value;
}

TEST(EmuTypesTest, RoundsToNearestEvenInOneStep) {
  for (double value : Samples()) {
    bool is_nan = std::isnan(value);
    ExpectSame(dev::convert_to<dev::bf16>(value), BF16FromDouble(value), value,
               is_nan);
    ExpectSame(dev::convert_to<dev::f16>(value), F16FromDouble(value), value,
               is_nan);
    float single = static_cast<float>(value);
    ExpectSame(dev::to_bf16(single), BF16FromFloat(single), value, is_nan);
    ExpectSame(dev::to_f16(single), F16FromFloat(single), value, is_nan);
  }
}

TEST(EmuTypesTest, WidensEveryHalf) {
  for (int bits = 0; bits < 65536; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float f = F16ToFloat({half}), b = BF16ToFloat({half});
    if (std::isnan(f))
      EXPECT_TRUE(std::isnan(dev::to_float(dev::f16{half})));
    else
      EXPECT_EQ(dev::to_float(dev::f16{half}), f) << bits;
    if (std::isnan(b))
      EXPECT_TRUE(std::isnan(dev::to_float(dev::bf16{half})));
    else
      EXPECT_EQ(dev::to_float(dev::bf16{half}), b) << bits;
  }
}

}  // namespace
}  // namespace gsa
