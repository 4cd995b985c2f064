//===- reference_criterion_test.cc - rounding, and limits by it -----------===//

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "test/reference/Criterion.h"
#include "test/reference/GatherAttention.h"
#include "test/reference/Math.h"
#include "test/reference/Rounding.h"
#include "test/unit/reference_testing.h"

namespace gsa::reference {
namespace {

TEST(Rounding, IsThatOfTheMachineForBinary32) {
  std::mt19937_64 generator(3);
  Rounder rounder(FloatFormat::F32());
  for (int i = 0; i < 100000; ++i) {
    // All exponents that occur, also below the normal numbers.
    double value =
        std::ldexp(std::uniform_real_distribution<double>(-2, 2)(generator),
                   std::uniform_int_distribution<int>(-152, 126)(generator));
    EXPECT_EQ(rounder(value), static_cast<float>(value)) << value;
  }
}

TEST(Rounding, SixteenBitFormats) {
  struct Case {
    FloatFormat format;
    double value, expected;
  };
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (const Case& c : std::vector<Case>{
           {FloatFormat::BF16(), 1.00390625, 1.0},        // a tie: to even
           {FloatFormat::BF16(), 1.01171875, 1.015625},   // a tie: to even
           {FloatFormat::BF16(), 1.00390626, 1.0078125},  // above the tie
           {FloatFormat::BF16(), -3.3961776e38, -kInf},
           {FloatFormat::BF16(), 3.38e38, 0x1.FCp127},
           {FloatFormat::BF16(), 0x1p-133, 0x1p-133},  // the smallest
           {FloatFormat::BF16(), 0x1p-134, 0.0},       // a tie: to 0
           {FloatFormat::F16(), 2049, 2048},
           {FloatFormat::F16(), 65519.99, 65504},
           {FloatFormat::F16(), 65520, kInf},
           {FloatFormat::F16(), 0x1.8p-25, 0x1p-24},
           {FloatFormat::F16(), 0x1p-14, 0x1p-14},
           {FloatFormat::F16(), 6.1e-5, 0x1.FF8p-15},
           {FloatFormat::F64(), 1.0 / 3, 1.0 / 3},
       }) {
    EXPECT_EQ(RoundTo(c.format, c.value), c.expected) << c.value;
    EXPECT_EQ(RoundTo(c.format, -c.value), -c.expected) << -c.value;
  }
  EXPECT_TRUE(std::signbit(RoundTo(FloatFormat::F16(), -1e-30)));
  EXPECT_TRUE(std::isnan(RoundTo(FloatFormat::F16(), kNan)));
  EXPECT_EQ(FloatFormat::F16().OverflowThreshold(), 65520);
  EXPECT_EQ(FloatFormat::BF16().UnitRoundoff(), 0x1p-8);
  EXPECT_EQ(FloatFormat::F16().HalfOfSmallest(), 0x1p-25);
}

/// 4 rows of 64 normally distributed elements, and their bf16 numbers.
struct Rows {
  Rows() {
    std::mt19937 generator(5);
    exact = Random({4, 64}, &generator);
    rounded = exact;
    Rounder{FloatFormat::BF16()}(&rounded);
  }
  CriterionResult Compare(const Tensor<double>& tested, bool by_row = true) {
    return CompareWithin(tested, exact, rounded,
                         {FloatFormat::BF16(), 2e-5, by_row});
  }
  Tensor<double> exact, rounded;
};

TEST(Criterion, RowsHoldAtLeast64Elements) {
  EXPECT_EQ(CriterionRowSize({2, 5, 128}), 128);
  EXPECT_EQ(CriterionRowSize({2, 5, 64}), 64);
  EXPECT_EQ(CriterionRowSize({2, 5, 63}), 315);
  EXPECT_EQ(CriterionRowSize({2, 3}), 6);
  EXPECT_EQ(CriterionRowSize({}), 1);
  EXPECT_EQ(CriterionRowSize({0, 7}), 1);
}

TEST(Criterion, TwiceTheRoundedErrorPasses) {
  Rows rows;
  EXPECT_TRUE(rows.Compare(rows.rounded).Ok());
  EXPECT_TRUE(rows.Compare(rows.exact).Ok());
  Tensor<double> tested = rows.exact;
  for (int64_t i = 0; i < tested.size(); ++i)
    tested[i] += 2 * (rows.rounded[i] - rows.exact[i]);
  EXPECT_TRUE(rows.Compare(tested).Ok());
  for (int64_t i = 0; i < tested.size(); ++i)
    tested[i] += 6 * (rows.rounded[i] - rows.exact[i]);
  EXPECT_FALSE(rows.Compare(tested).Ok());
}

// 2 % of one small row are nothing on the scale of the tensor.
TEST(Criterion, ErrorsOfOneRowAreHeldToThatRow) {
  Rows rows;
  for (int64_t i = 128; i < 192; ++i) {
    rows.exact[i] *= 0.01;
    rows.rounded[i] = RoundTo(FloatFormat::BF16(), rows.exact[i]);
  }
  Tensor<double> tested = rows.rounded;
  for (int64_t i = 128; i < 192; ++i) tested[i] *= 1.02;
  CriterionResult result = rows.Compare(tested);
  EXPECT_FALSE(result.Ok());
  EXPECT_EQ(result.worst_row, 2);
  EXPECT_GT(result.row_share, 1.0);
  EXPECT_LT(result.error.max_abs, result.limit);
  // Unless rows of the two are not the same rows.
  EXPECT_TRUE(rows.Compare(tested, /*by_row=*/false).Ok());
}

TEST(Criterion, OneElementIsHeldToTheTensor) {
  Rows rows;
  Tensor<double> tested = rows.rounded;
  tested[77] += 0.1;
  CriterionResult result = rows.Compare(tested);
  EXPECT_FALSE(result.Ok());
  EXPECT_EQ(result.error.worst, 77);
  EXPECT_GT(result.error.max_abs, result.limit);
}

TEST(Criterion, NonFiniteNumbersMustBeThoseOfAnEvaluation) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  auto compare = [](double tested, double exact, double rounded) {
    return CompareWithin(
               Tensor<double>({1}, tested), Tensor<double>({1}, exact),
               Tensor<double>({1}, rounded), {FloatFormat::F16(), 2e-5, true})
        .Ok();
  };
  EXPECT_TRUE(compare(kNan, kNan, kNan));
  EXPECT_FALSE(compare(1, kNan, kNan));
  EXPECT_FALSE(compare(kNan, 1, 1));
  EXPECT_TRUE(compare(-kInf, -kInf, -kInf));
  EXPECT_FALSE(compare(kInf, -kInf, -kInf));
  EXPECT_FALSE(compare(-1e30, -kInf, -kInf));
  EXPECT_FALSE(compare(-kInf, -7, -7));
  // Beyond the largest number, and next to it.
  EXPECT_TRUE(compare(kInf, 70000, kInf));
  EXPECT_FALSE(compare(-kInf, 70000, kInf));
  EXPECT_FALSE(compare(65504, 70000, kInf));
  EXPECT_TRUE(compare(kInf, 65510, 65504));
  EXPECT_FALSE(compare(kInf, 64000, 64000));
  // Where a rounded intermediate result overflows.
  EXPECT_TRUE(compare(kNan, 12, kNan));
  EXPECT_TRUE(compare(kInf, 12, kInf));
  EXPECT_TRUE(compare(12, 12, kNan));
  EXPECT_FALSE(compare(-kInf, 12, kInf));
  // f64 has no number beyond.
  EXPECT_FALSE(CompareWithin(Tensor<double>({1}, kInf),
                             Tensor<double>({1}, 1e308),
                             Tensor<double>({1}, 1e308), {})
                   .Ok());
}

TEST(Criterion, UnderflowIsNoError) {
  Tensor<double> exact({3}, std::vector<double>{1e-87, -3e-44, 1e-39});
  Tensor<double> zeros({3});
  EXPECT_TRUE(
      CompareWithin(zeros, exact, zeros, {FloatFormat::F32(), 2e-5, true})
          .Ok());
  EXPECT_FALSE(
      CompareWithin(zeros, exact, exact, {FloatFormat::F64(), 1e-9, true})
          .Ok());
}

// The rounded evaluation of attention is never right by luck: with two keys
// whose values cancel, the errors of their weights do not.
TEST(Criterion, RoundedWeightsMoveEveryOutput) {
  Tensor<double> query({1, 1, 1, 1}), key({1, 2, 1, 1});
  Tensor<double> value({1, 2, 1, 64}, 1.0);
  for (int64_t d = 0; d < 64; ++d) value[64 + d] = -1.0;
  Tensor<int32_t> indices({1, 1, 2}, std::vector<int32_t>{0, 1});
  Tensor<int32_t> counts({1, 1}, 2);
  GatherAttentionOptions options;
  options.rounding = AttentionRounding{FloatFormat::BF16()};
  AttentionResult result =
      GatherAttention({query, key, value}, indices, counts, options);
  int negative = 0;
  for (double x : result.output.values()) {
    EXPECT_DOUBLE_EQ(std::abs(x), 0x1p-8 * std::sqrt(0.5));
    negative += x < 0;
  }
  EXPECT_GT(negative, 16);
  EXPECT_LT(negative, 48);
  // Weights of f32 are not rounded further.
  options.rounding = AttentionRounding{FloatFormat::F32()};
  result = GatherAttention({query, key, value}, indices, counts, options);
  for (double x : result.output.values()) EXPECT_EQ(x, 0.0);
}

TEST(Criterion, CountsWhatIsNotFinite) {
  // 7e4 is an infinity of f16, and NaN is at the same and at another place.
  Tensor<double> exact({5}, {1.0, kNan, 7e4, 2.0, kInfinity});
  Tensor<double> tested({5}, {1.0, kNan, kInfinity, kNan, kInfinity});
  CriterionOptions options;
  options.type = FloatFormat::F16();
  CriterionResult result = CompareWithin(tested, exact, exact, options);
  EXPECT_EQ(result.tested_nonfinite, 4);
  EXPECT_EQ(result.reference_nonfinite, 3);
  EXPECT_EQ(result.finite, 1);
  EXPECT_EQ(result.error.mismatches, 1);
}

}  // namespace
}  // namespace gsa::reference
