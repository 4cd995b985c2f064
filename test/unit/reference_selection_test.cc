//===- reference_selection_test.cc - from index scores to indices ---------===//
//
// Scores, statistics, budgets, top-k and their fusion, by hand-computed values
// and by properties over random shapes.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "test/reference/AdaptiveK.h"
#include "test/reference/IndexScores.h"
#include "test/reference/RowStatistics.h"
#include "test/reference/Select.h"
#include "test/reference/StatMean.h"
#include "test/reference/TopK.h"
#include "test/unit/reference_testing.h"

namespace gsa::reference {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNaN = std::nan("");

//===----------------------------------------------------------------------===//
// IndexScores
//===----------------------------------------------------------------------===//

TEST(IndexScores, FollowsTheFormula) {
  Tensor<double> query({1, 1, 2, 2}, {1.0, 2.0, -1.0, 0.5});
  Tensor<double> key({1, 2, 2}, {0.5, -1.0, 2.0, 3.0});
  Tensor<double> weights({1, 1, 2}, {0.3, -0.7});
  Tensor<double> bias({2}, {0.1, -0.2});
  IndexScoresOptions options;
  options.scale = 0.25;
  options.mask = Mask::kNone;
  auto sigmoid = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
  double dots[2][2] = {{-1.5, 8.0}, {-1.0, -0.5}};  // [head][key]
  Tensor<double> scores = IndexScores({query, key, &weights, &bias}, options);
  for (int s = 0; s < 2; ++s) {
    EXPECT_NEAR(scores.At(0, 0, s),
                sigmoid(0.3) * sigmoid(0.25 * dots[0][s] + 0.1) +
                    sigmoid(-0.7) * sigmoid(0.25 * dots[1][s] - 0.2),
                1e-15);
  }
  options.score_activation = ScoreActivation::kRelu;
  options.weight_activation = WeightActivation::kIdentity;
  scores = IndexScores({query, key, &weights, &bias}, options);
  EXPECT_EQ(scores.At(0, 0, 0), 0.0);
  EXPECT_NEAR(scores.At(0, 0, 1), 0.3 * (0.25 * 8.0 + 0.1), 1e-15);

  options.score_activation = ScoreActivation::kIdentity;
  options.scale.reset();
  scores = IndexScores({query, key}, options);  // Weights 1, bias 0.
  EXPECT_NEAR(scores.At(0, 0, 0), (-1.5 - 1.0) / std::sqrt(2.0), 1e-15);
}

TEST(IndexScores, CausalMaskIsBottomRightAligned) {
  for (auto [queries, keys] : {std::pair{3, 5}, {5, 3}, {4, 4}, {1, 1}}) {
    Tensor<double> query({1, queries, 1, 3}, 0.5), key({1, keys, 3}, 0.5);
    Tensor<double> scores = IndexScores({query, key});
    for (int t = 0; t < queries; ++t) {
      for (int s = 0; s < keys; ++s) {
        bool visible = s <= t + keys - queries;
        EXPECT_EQ(scores.At(0, t, s) > -kInf, visible) << t << " " << s;
      }
    }
  }
}

TEST(IndexScores, NanStaysInTheCellsThatReadIt) {
  for (ScoreActivation activation :
       {ScoreActivation::kSigmoid, ScoreActivation::kRelu,
        ScoreActivation::kIdentity}) {
    std::mt19937 generator(1);
    Tensor<double> query = Random({1, 4, 2, 3}, &generator);
    Tensor<double> key = Random({1, 4, 3}, &generator);
    query.At(0, 2, 1, 0) = kNaN;
    key.At(0, 1, 2) = kNaN;
    IndexScoresOptions options;
    options.score_activation = activation;
    Tensor<double> scores = IndexScores({query, key}, options);
    for (int t = 0; t < 4; ++t) {
      for (int s = 0; s < 4; ++s) {
        bool nan = s <= t && (t == 2 || s == 1);
        EXPECT_EQ(std::isnan(scores.At(0, t, s)), nan) << t << " " << s;
      }
    }
  }
}

TEST(IndexScores, EachStepIsInfiniteBeyondTheRange) {
  auto near = [](double a, double b, double c, double d) {
    return ElementsAre(DoubleEq(a), DoubleEq(b), DoubleEq(c), DoubleEq(d));
  };
  Tensor<double> query({1, 1, 2, 1}, {1e30, -1e30});
  Tensor<double> key({1, 4, 1}, {1e7, 1e9, -1e9, 1e8});
  Tensor<double> weights({1, 1, 2}, {2.0, 1.0});
  IndexScoresOptions options;
  options.mask = Mask::kNone;
  options.scale = 1e-3;
  options.weight_activation = WeightActivation::kIdentity;
  options.score_activation = ScoreActivation::kRelu;
  options.range = FloatFormat::F32();
  IndexOperands operands{query, key, &weights};
  // The dot products of keys 1 and 2 overflow, though a thousandth would not.
  EXPECT_THAT(IndexScores(operands, options).values(),
              near(2e34, kInf, kInf, 2e35));
  options.score_activation = ScoreActivation::kIdentity;
  Tensor<double> scores = IndexScores(operands, options);
  EXPECT_TRUE(std::isnan(scores.At(0, 0, 1)));
  EXPECT_TRUE(std::isnan(scores.At(0, 0, 2)));
  EXPECT_DOUBLE_EQ(scores.At(0, 0, 3), 1e35);
  options.score_activation = ScoreActivation::kSigmoid;
  EXPECT_THAT(IndexScores(operands, options).values(),
              near(2.0, 2.0, 1.0, 2.0));
  // A term, and the sum of two.
  options.score_activation = ScoreActivation::kRelu;
  options.scale = 1.0;
  weights = Tensor<double>({1, 1, 2}, {4.0, 1.0});
  EXPECT_THAT(IndexScores(operands, options).values(),
              near(4e37, kInf, kInf, kInf));
  query = Tensor<double>({1, 1, 2, 1}, {2e30, 2e30});
  weights = Tensor<double>({1, 1, 2}, {1.0, 1.0});
  EXPECT_THAT(IndexScores(operands, options).values(),
              near(4e37, kInf, 0.0, kInf));
  options.range = FloatFormat::F64();
  EXPECT_THAT(IndexScores(operands, options).values(),
              near(4e37, 4e39, 0.0, 4e38));
}

TEST(IndexScores, RefusesOperandsThatDoNotFit) {
  Tensor<double> query({1, 2, 2, 3}), key({1, 2, 3}), odd({1, 2, 4}), two({2});
  EXPECT_NO_THROW(IndexScores({query, key, nullptr, &two}));
  EXPECT_THROW(IndexScores({query, odd}), std::invalid_argument);
  EXPECT_THROW(IndexScores({query, key, &odd}), std::invalid_argument);
  IndexScoresOptions options;
  options.scale = kInf;
  EXPECT_THROW(IndexScores({query, key}, options), std::invalid_argument);
}

//===----------------------------------------------------------------------===//
// RowStatistics, StatMean
//===----------------------------------------------------------------------===//

TEST(RowStatistics, VarianceOfVisibleAndOfZeroFilledCells) {
  Tensor<double> scores({1, 1, 5}, {1.0, kNaN, 4.0, 1.0, -kInf});
  RowStatisticsResult visible = RowStatistics(scores);
  EXPECT_EQ(visible.visible[0], 3);
  EXPECT_NEAR(visible.value[0], 2.0, 1e-15);  // (1 + 4 + 1) / 3
  RowStatisticsResult unbiased =
      RowStatistics(scores, {Statistic::kVariance, Population::kVisible, 1});
  EXPECT_NEAR(unbiased.value[0], 3.0, 1e-15);
  RowStatisticsResult filled =
      RowStatistics(scores, {Statistic::kVariance, Population::kZeroFilled, 1});
  EXPECT_EQ(filled.visible[0], 3);
  EXPECT_NEAR(filled.value[0], (18.0 - 36.0 / 5.0) / 4.0, 1e-15);
}

TEST(RowStatistics, ShortRowsHaveNoVariance) {
  Tensor<double> one({1, 2, 2}, {7.0, -kInf, -kInf, kNaN});
  RowStatisticsResult result =
      RowStatistics(one, {Statistic::kVariance, Population::kVisible, 1});
  EXPECT_THAT(result.value.values(), ElementsAre(0.0, 0.0));
  EXPECT_THAT(result.visible.values(), ElementsAre(1, 0));
  Tensor<double> single({1, 1, 1}, 7.0);
  result =
      RowStatistics(single, {Statistic::kVariance, Population::kZeroFilled, 1});
  EXPECT_EQ(result.value[0], 0.0);
}

TEST(RowStatistics, Entropy) {
  // Equal scores: log n, less the 1e-10 inside the logarithm.
  Tensor<double> scores({1, 3, 4}, {5.0, 5.0, 5.0, 5.0,          //
                                    800.0, kNaN, -kInf, -800.0,  //
                                    -kInf, -kInf, kNaN, -kInf});
  RowStatisticsResult result =
      RowStatistics(scores, {Statistic::kEntropy, Population::kVisible, 0});
  EXPECT_NEAR(result.value[0], -std::log(0.25 + 1e-10), 1e-15);
  EXPECT_NEAR(result.value[1], -std::log(1.0 + 1e-10), 1e-15);
  EXPECT_EQ(result.value[2], 0.0);
  EXPECT_THAT(result.visible.values(), ElementsAre(4, 2, 0));
}

TEST(RowStatistics, RefusesIllegalOptions) {
  Tensor<double> scores({1, 1, 2});
  EXPECT_THROW(
      RowStatistics(scores, {Statistic::kVariance, Population::kVisible, 2}),
      std::invalid_argument);
  EXPECT_THROW(
      RowStatistics(scores, {Statistic::kEntropy, Population::kZeroFilled, 0}),
      std::invalid_argument);
}

TEST(StatMean, SkipsWhatIsNotFinite) {
  EXPECT_EQ(StatMean(Tensor<double>({2, 3}, {1, kNaN, 5, kInf, -kInf, 3})),
            3.0);
  EXPECT_EQ(StatMean(Tensor<double>({1, 2}, {kNaN, kInf})), 0.0);
  EXPECT_EQ(StatMean(Tensor<double>(Shape{0, 4})), 0.0);
}

//===----------------------------------------------------------------------===//
// AdaptiveK
//===----------------------------------------------------------------------===//

TEST(AdaptiveK, Formulas) {
  double v = 0.37, vbar = 0.21;
  KPolicy policy{KPolicyKind::kUpstreamVariance, 100, 1, 1000, 2.0};
  EXPECT_DOUBLE_EQ(RawBudget(policy, 50, v, vbar),
                   100 * (0.5 + 1 / (1 + 2 * v / (vbar + 1e-8))));
  policy.kind = KPolicyKind::kPaperEma;
  EXPECT_DOUBLE_EQ(RawBudget(policy, 50, v, vbar), 100 * v / (vbar + 1e-8));
  policy.kind = KPolicyKind::kEntropy;
  EXPECT_DOUBLE_EQ(RawBudget(policy, 50, v, 0),
                   100 * (0.5 + 2 * v / (std::log(51.0) + 1e-8)));
  policy.kind = KPolicyKind::kOrth;
  EXPECT_DOUBLE_EQ(RawBudget(policy, 50, v, 0),
                   100 * (1 + 2 * std::log(1 + std::exp(v))));
  EXPECT_EQ(RawBudget(KPolicy::Fixed(100), 50, v, vbar), 100.0);
}

TEST(AdaptiveK, ClampsTruncatesAndLimits) {
  KPolicy policy{KPolicyKind::kPaperEma, 10, 4, 12, 1.0};
  EXPECT_EQ(FinalBudget(policy, 100, 7.999), 7);
  EXPECT_EQ(FinalBudget(policy, 100, 1.5), 4);
  EXPECT_EQ(FinalBudget(policy, 100, 1e300), 12);
  EXPECT_EQ(FinalBudget(policy, 100, kInf), 12);
  EXPECT_EQ(FinalBudget(policy, 100, -kInf), 4);
  EXPECT_EQ(FinalBudget(policy, 100, kNaN), 4);
  EXPECT_EQ(FinalBudget(policy, 5, 7.9), 5);
  EXPECT_EQ(FinalBudget(policy, 1, 7.9), 1);
  EXPECT_EQ(FinalBudget(policy, 0, 7.9), 0);
  EXPECT_EQ(FinalBudget(KPolicy::Fixed(10), 100, 10.0), 10);
  EXPECT_EQ(FinalBudget(KPolicy::Fixed(10), 3, 10.0), 3);
}

TEST(AdaptiveK, OperandsFollowThePolicy) {
  Tensor<int32_t> visible({1, 2}, {3, 9});
  Tensor<double> statistic({1, 2}, {0.5, kNaN});
  KPolicy fixed = KPolicy::Fixed(4);
  EXPECT_THAT(AdaptiveK(visible, nullptr, {}, fixed).k.values(),
              ElementsAre(3, 4));
  EXPECT_THROW(AdaptiveK(visible, nullptr, 1.0, fixed), std::invalid_argument);
  KPolicy ema{KPolicyKind::kPaperEma, 4, 2, 8, 1.0};
  AdaptiveKResult result = AdaptiveK(visible, &statistic, 0.25, ema);
  EXPECT_THAT(result.k.values(), ElementsAre(3, 2));
  EXPECT_NEAR(result.raw[0], 8.0, 1e-6);
  EXPECT_LT(result.raw[0], 8.0);
  EXPECT_THROW(AdaptiveK(visible, nullptr, 0.25, ema), std::invalid_argument);
  EXPECT_THROW(AdaptiveK(visible, &statistic, {}, ema), std::invalid_argument);
  ema.min = 9;
  EXPECT_THROW(AdaptiveK(visible, &statistic, 0.25, ema),
               std::invalid_argument);
}

TEST(KPolicy, SlotsHoldEveryBudget) {
  EXPECT_EQ(KPolicy::Fixed(7).Slots(), 7);
  EXPECT_EQ((KPolicy{KPolicyKind::kUpstreamVariance, 3, 1, 100, 1}.Slots()), 4);
  EXPECT_EQ((KPolicy{KPolicyKind::kUpstreamVariance, 9, 1, 10, 1}.Slots()), 10);
  EXPECT_EQ((KPolicy{KPolicyKind::kOrth, 3, 1, 100, 1}.Slots()), 100);
}

//===----------------------------------------------------------------------===//
// TopK
//===----------------------------------------------------------------------===//

std::vector<int32_t> Keep(std::vector<double> row, int64_t k, int64_t sink = 0,
                          int64_t local = 0, int64_t slots = 8) {
  return TopKRow(row, k, {slots, sink, local, IndexOrder::kIndex});
}

TEST(TopK, TiesKeepTheSmallerIndex) {
  EXPECT_THAT(Keep({1, 2, 2, 1, 2, 2}, 3), ElementsAre(1, 2, 4));
  EXPECT_THAT(Keep({0.0, -0.0, 0.0, -0.0}, 2), ElementsAre(0, 1));
  EXPECT_THAT(Keep({-0.0, 0.0, 0.0}, 1), ElementsAre(0));
  EXPECT_THAT(Keep({kInf, 1, kInf, kInf}, 2), ElementsAre(0, 2));
}

TEST(TopK, WhatIsNotVisibleIsNeverKept) {
  EXPECT_THAT(Keep({kNaN, 1, -kInf, 3, kNaN}, 4), ElementsAre(1, 3));
  EXPECT_THAT(Keep({kNaN, -kInf}, 4), IsEmpty());
  EXPECT_THAT(Keep({}, 4), IsEmpty());
  EXPECT_THAT(Keep({1, 2}, 0), IsEmpty());
  EXPECT_THAT(Keep({1, 2}, -3), IsEmpty());
}

TEST(TopK, BudgetIsCutToTheSlots) {
  EXPECT_THAT(Keep({1, 2, 3, 4}, 4, 0, 0, 2), ElementsAre(2, 3));
}

TEST(TopK, ForcedKeysComeFirst) {
  std::vector<double> row = {1, 9, 8, 2, 7, 3, -kInf, -kInf};
  EXPECT_THAT(Keep(row, 3, 1, 1), ElementsAre(0, 1, 5));
  EXPECT_THAT(Keep(row, 4, 0, 2), ElementsAre(1, 2, 4, 5));
  // More forced keys than budget: the smallest indices of them.
  EXPECT_THAT(Keep(row, 2, 1, 2), ElementsAre(0, 4));
  // They may overlap, cover everything, and are not counted twice.
  EXPECT_THAT(Keep(row, 8, 4, 4), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(Keep(row, 1, 100, 100), ElementsAre(0));
}

TEST(TopK, ForcedPositionsThatAreNotVisibleAreNotReplaced) {
  // The sink position 0 is NaN; the local window ends at the last visible key
  // (5) and holds the positions 3 to 5, of which 4 is NaN.
  std::vector<double> row = {kNaN, 9, 8, 1, kNaN, 0, kNaN};
  EXPECT_THAT(Keep(row, 3, 1, 3), ElementsAre(1, 3, 5));
}

TEST(TopK, OrderByScoreAndStatus) {
  Tensor<double> scores({1, 2, 4}, {1, 3, 3, kNaN, kNaN, kNaN, 5, -kInf});
  Tensor<int32_t> k({1, 2}, {2, 3});
  TopKOptions options{3, 0, 0, IndexOrder::kScore};
  TopKResult result = TopK(scores, k, options);
  EXPECT_THAT(result.indices.values(), ElementsAre(1, 2, -1, 2, -1, -1));
  EXPECT_THAT(result.counts.values(), ElementsAre(2, 1));
  EXPECT_THAT(result.status.values(), ElementsAre(1, 2));
  k[0] = 3;
  EXPECT_THAT(TopK(scores, k, options).indices.values(),
              ElementsAre(1, 2, 0, 2, -1, -1));
  options.sink = 1;
  EXPECT_THROW(TopK(scores, k, options), std::invalid_argument);
  EXPECT_THROW(TopK(scores, k, {0, 0, 0, IndexOrder::kIndex}),
               std::invalid_argument);
}

//===----------------------------------------------------------------------===//
// Select
//===----------------------------------------------------------------------===//

TEST(Select, NormaliserFollowsThePolicy) {
  Tensor<double> query({1, 2, 1, 1}, 1.0), key({1, 2, 1}, 1.0);
  SelectOptions options;
  options.policy = {KPolicyKind::kPaperEma, 2, 1, 4, 1.0};
  EXPECT_THROW(Select({query, key}, options), std::invalid_argument);
  options.normaliser = 1.0;
  EXPECT_NO_THROW(Select({query, key}, options));
  options.policy = KPolicy::Fixed(2);
  EXPECT_THROW(Select({query, key}, options), std::invalid_argument);
}

TEST(Select, EmptyRowsOfMoreQueriesThanKeys) {
  std::mt19937 generator(2);
  Tensor<double> query = Random({1, 5, 2, 3}, &generator);
  Tensor<double> key = Random({1, 2, 3}, &generator);
  SelectOptions options;
  options.policy = {KPolicyKind::kUpstreamVariance, 4, 2, 6, 1.0};
  SelectResult result = Select({query, key}, options);
  EXPECT_THAT(result.counts.values(), ElementsAre(0, 0, 0, 1, 2));
  EXPECT_THAT(result.status.values(), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(std::vector<int32_t>(result.indices.Slice(0, 0),
                                   result.indices.Slice(0, 3)),
              ::testing::Each(-1));
  EXPECT_TRUE(std::isfinite(result.normaliser));
}

/// Random operands and options of a selection; scores repeat, so ties occur.
struct RandomSelection {
  explicit RandomSelection(std::mt19937* generator) {
    auto pick = [&](int64_t low, int64_t high) {
      return RandomInt(low, high, generator);
    };
    int64_t batch = pick(1, 2), queries = pick(1, 9), keys = pick(1, 11);
    int64_t heads = pick(1, 3), depth = pick(1, 9);
    query = Random({batch, queries, heads, depth}, generator);
    key = Random({batch, keys, depth}, generator);
    for (int64_t s = 1; s < keys; s += 2) {
      std::copy(key.Slice(0, s - 1), key.Slice(0, s), key.Slice(0, s));
    }
    if (pick(0, 3) == 0) key.values().back() = kNaN;
    weights = Random({batch, queries, heads}, generator);
    bias = Random({heads}, generator);
    has_weights = pick(0, 1);
    has_bias = pick(0, 1);
    options.policy.kind = static_cast<KPolicyKind>(pick(0, 4));
    options.policy.base = pick(1, 6);
    if (options.policy.UsesStatistic()) {
      options.policy.min = pick(1, 3);
      options.policy.max = pick(3, 12);
      options.policy.temperature = pick(0, 3) * 0.7;
    }
    if (options.policy.kind == KPolicyKind::kPaperEma ||
        (options.policy.UsesNormaliser() && pick(0, 1))) {
      options.normaliser = 0.02 * pick(0, 4);
    }
    options.score_activation = static_cast<ScoreActivation>(pick(0, 2));
    options.weight_activation = static_cast<WeightActivation>(pick(0, 1));
    options.mask = static_cast<Mask>(pick(0, 1));
    if (pick(0, 1)) options.scale = 0.1 * pick(-5, 5);
    options.sink = pick(0, 2);
    options.local = pick(0, 2);
  }
  IndexOperands Operands() const {
    return {query, key, has_weights ? &weights : nullptr,
            has_bias ? &bias : nullptr};
  }

  Tensor<double> query, key, weights, bias;
  bool has_weights, has_bias;
  SelectOptions options;
};

TEST(SelectPropertyTest, EqualsTheCompositionOfTheSingleOps) {
  std::mt19937 generator(7);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    RandomSelection random(&generator);
    const SelectOptions& options = random.options;
    const KPolicy& policy = options.policy;
    Tensor<double> scores =
        IndexScores(random.Operands(), options.ScoreOptions());
    RowStatisticsResult statistics = RowStatistics(scores, StatisticOf(policy));
    std::optional<double> normaliser = options.normaliser;
    if (policy.UsesNormaliser() && !normaliser) {
      normaliser = StatMean(statistics.value);
    }
    AdaptiveKResult budget =
        AdaptiveK(statistics.visible,
                  policy.UsesStatistic() ? &statistics.value : nullptr,
                  normaliser, policy);
    TopKResult expected =
        TopK(scores, budget.k,
             {policy.Slots(), options.sink, options.local, IndexOrder::kIndex});
    SelectResult result = Select(random.Operands(), options);
    EXPECT_EQ(result.indices, expected.indices);
    EXPECT_EQ(result.counts, expected.counts);
    EXPECT_EQ(result.status, expected.status);
    EXPECT_EQ(result.k, budget.k);
    EXPECT_EQ(result.visible, statistics.visible);
  }
}

// Stated without TopKRow: counts, order, and that no key left out beats a kept
// one that is not forced.
TEST(SelectPropertyTest, KeepsTheBestKeys) {
  std::mt19937 generator(11);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    RandomSelection random(&generator);
    SelectResult result = Select(random.Operands(), random.options);
    std::vector<double> row;
    int64_t queries = random.query.dim(1);
    for (int64_t i = 0; i < result.counts.size(); ++i) {
      int64_t b = i / queries, t = i % queries;
      ScoreRow(random.Operands(), random.options.ScoreOptions(), b, t, &row);
      std::vector<int32_t> kept = Row(result, b, t);
      int64_t slots = random.options.policy.Slots();
      ASSERT_EQ(int64_t(kept.size()), std::min<int64_t>(result.k[i], slots));
      ASSERT_TRUE(std::is_sorted(kept.begin(), kept.end()));
      ASSERT_EQ(std::adjacent_find(kept.begin(), kept.end()), kept.end());
      std::vector<int32_t> forced =
          ForcedKeys(row, random.options.sink, random.options.local);
      auto contains = [](const std::vector<int32_t>& list, int32_t s) {
        return std::find(list.begin(), list.end(), s) != list.end();
      };
      for (int32_t in : kept) {
        ASSERT_GT(row[in], -kInf);
        if (contains(forced, in)) continue;
        for (int32_t out = 0; out < int32_t(row.size()); ++out) {
          if (contains(kept, out) || !(row[out] > -kInf)) continue;
          EXPECT_FALSE(contains(forced, out));
          EXPECT_TRUE(row[in] > row[out] || (row[in] == row[out] && in < out));
        }
      }
    }
  }
}

TEST(SelectPropertyTest, ThreadsDoNotChangeTheResult) {
  std::mt19937 generator(13);
  Tensor<double> query = Random({2, 40, 3, 5}, &generator);
  Tensor<double> key = Random({2, 50, 5}, &generator);
  SelectOptions options;
  options.policy = {KPolicyKind::kUpstreamVariance, 9, 2, 20, 1.0};
  SelectResult one = Select({query, key}, options);
  options.num_threads = 4;
  SelectResult four = Select({query, key}, options);
  EXPECT_EQ(one.indices, four.indices);
  EXPECT_EQ(one.raw, four.raw);
  EXPECT_EQ(one.normaliser, four.normaliser);
}

}  // namespace
}  // namespace gsa::reference
