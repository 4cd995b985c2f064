// -----------------------------------------------------------------------------
// File: emu_types_test.cc
// -----------------------------------------------------------------------------
//
// Scalars of the emulation against the runtime's conversions.

#include <gtest/gtest.h>

#include <climits>
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

// Positions beyond 2^31 elements and 4 GiB, of an address that is not used.
TEST(EmuTypesTest, PositionsHave64Bits) {
  const auto position = [](auto* to) {
    return (reinterpret_cast<intptr_t>(to) - (intptr_t{1} << 40)) /
           static_cast<long long>(sizeof(*to));
  };
  auto* base = reinterpret_cast<float*>(intptr_t{1} << 40);
  auto* halves = reinterpret_cast<dev::bf16*>(intptr_t{1} << 40);
  EXPECT_EQ(position(dev::at(base, dev::indices(7), dev::sizes())), 7);
  EXPECT_EQ(
      position(dev::at(halves, dev::indices(3, 5), dev::sizes(1000000000))),
      3000000005LL);
  EXPECT_EQ(position(dev::at(base, dev::indices(70000, 69999, 3),
                             dev::sizes(70001, 4))),
            (70000LL * 70001 + 69999) * 4 + 3);
  EXPECT_EQ(
      position(dev::at(base, dev::indices(INT_MAX, 1, 2), dev::sizes(8, 16))),
      (INT_MAX * 8LL + 1) * 16 + 2);
}

TEST(EmuTypesTest, RowsHave64Bits) {
  auto* base = reinterpret_cast<float*>(intptr_t{1} << 40);
  const auto distance = [&](float* to) {
    return (reinterpret_cast<intptr_t>(to) - reinterpret_cast<intptr_t>(base)) /
           4;
  };
  const long long pitch = (1LL << 33) + 24, apart = 1LL << 38;
  EXPECT_EQ(distance(dev::strided_rows(base, pitch, 100).row(77)), 77 * pitch);
  EXPECT_EQ(distance(dev::strided_rows(base, 100000LL, 100000).row(99999)),
            99999 * 100000LL);
  EXPECT_EQ(distance(dev::two_level_rows<8>(base, pitch, 5LL, 100).row(83)),
            10 * pitch + 3 * 5);
  EXPECT_EQ(distance(dev::interleaved_rows(base, pitch, apart, 100).row(45)),
            (8 * 2 + 5) * pitch + apart);
  const int list[] = {0};
  EXPECT_EQ(distance(dev::listed_rows(base, pitch, list, 1, 100).row(99)),
            99 * pitch);
}

}  // namespace
}  // namespace gsa
