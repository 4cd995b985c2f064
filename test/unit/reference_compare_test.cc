//===- reference_compare_test.cc - comparison helpers and metrics ---------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "test/reference/Compare.h"
#include "test/reference/DenseAttention.h"
#include "test/reference/Math.h"
#include "test/reference/Metrics.h"
#include "test/unit/reference_testing.h"

namespace gsa::reference {
namespace {

using ::testing::HasSubstr;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNaN = std::nan("");

//===----------------------------------------------------------------------===//
// CompareTensors
//===----------------------------------------------------------------------===//

TEST(CompareTensors, MeasuresAgainstTheLargestReference) {
  Tensor<double> reference({2, 2}, {1.0, -8.0, kNaN, -kInf});
  Tensor<double> tested({2, 2}, {1.5, -8.25, kNaN, -kInf});
  TensorError error = CompareTensors(tested, reference);
  EXPECT_EQ(error.max_abs, 0.5);
  EXPECT_EQ(error.worst, 0);
  EXPECT_EQ(error.mismatches, 0);
  EXPECT_EQ(error.Relative(), 0.0625);
  EXPECT_TRUE(error.Within(0.0, 0.0625));
  EXPECT_TRUE(error.Within(0.5, 0.0));
  EXPECT_FALSE(error.Within(0.4, 0.01));
}

TEST(CompareTensors, InfinitiesAndNanMustAgree) {
  Tensor<double> reference({4}, {kInf, kNaN, -kInf, 1.0});
  for (auto [i, value] : {std::pair{0, -kInf},
                          {0, 1e308},
                          {1, kInf},
                          {2, kNaN},
                          {3, kNaN},
                          {3, kInf}}) {
    Tensor<double> tested = reference;
    tested[i] = value;
    TensorError error = CompareTensors(tested, reference);
    EXPECT_EQ(error.mismatches, 1) << i << " " << value;
    EXPECT_EQ(error.worst, i);
    EXPECT_FALSE(error.Within(1e308, 1e308));
  }
  EXPECT_TRUE(CompareTensors(reference, reference).Within(0, 0));
  EXPECT_THROW(CompareTensors(Tensor<double>(Shape{3}), reference),
               std::invalid_argument);
}

//===----------------------------------------------------------------------===//
// CompareRow
//===----------------------------------------------------------------------===//

/// A row whose reference selection is {0, 2, 5} at a budget of 3.
struct TestRow {
  std::vector<double> scores = {0.9, 0.1, 0.8, kNaN, 0.3, 0.500, 0.495, -kInf};
  RowReference reference{scores, {KPolicyKind::kOrth, 3, 1, 6, 1.0}, 3.4, 6};

  RowVerdict Judge(std::vector<int32_t> list,
                   const SelectionTolerance& tolerance = {}) {
    int32_t count = list.size();
    list.resize(6, -1);
    return CompareRow(reference, list, count, tolerance);
  }
};

TEST(CompareRow, IdenticalList) {
  TestRow row;
  EXPECT_EQ(row.Judge({0, 2, 5}).verdict, Verdict::kIdentical);
  EXPECT_EQ(row.Judge({0, 2, 5}).message, "");
}

TEST(CompareRow, ExchangeWithinTheMarginIsLegal) {
  TestRow row;
  SelectionTolerance tolerance;
  tolerance.score_margin = 0.006;
  RowVerdict verdict = row.Judge({0, 2, 6}, tolerance);
  EXPECT_EQ(verdict.verdict, Verdict::kLegal);
  EXPECT_NEAR(verdict.score_gap, 0.005, 1e-15);
  tolerance.score_margin = 0.004;
  verdict = row.Judge({0, 2, 6}, tolerance);
  EXPECT_EQ(verdict.verdict, Verdict::kWrong);
  EXPECT_THAT(verdict.message, HasSubstr("key 6 is listed"));
}

TEST(CompareRow, LeavingOutABetterKeyIsWrong) {
  TestRow row;
  SelectionTolerance tolerance;
  tolerance.score_margin = 0.05;  // Enough for 5 and 6, not for 2.
  RowVerdict verdict = row.Judge({0, 5, 6}, tolerance);
  EXPECT_EQ(verdict.verdict, Verdict::kWrong);
  EXPECT_THAT(verdict.message, HasSubstr("key 2 is not listed"));
  EXPECT_NEAR(verdict.score_gap, 0.3, 1e-15);
}

TEST(CompareRow, TiesAreLegalWithoutAMargin) {
  TestRow row;
  row.scores[6] = row.scores[5];
  EXPECT_EQ(row.Judge({0, 2, 5}).verdict, Verdict::kIdentical);
  EXPECT_EQ(row.Judge({0, 2, 6}).verdict, Verdict::kLegal);
}

TEST(CompareRow, InfiniteScoresAreAsFarAsTheEndOfTheType) {
  std::vector<double> scores = {kInf, 3.40282e38, kInf, 3.0e38};
  RowReference reference{scores, KPolicy::Fixed(2), 2.0, 2};
  SelectionTolerance tolerance;
  tolerance.score_margin = 1e-5 * 3.4e38;
  auto verdict_of = [&](std::vector<int32_t> list) {
    return CompareRow(reference, list, 2, tolerance).verdict;
  };
  EXPECT_EQ(verdict_of({0, 2}), Verdict::kIdentical);
  EXPECT_EQ(verdict_of({0, 1}), Verdict::kWrong);
  EXPECT_FALSE(OtherLegalList(reference, tolerance));
  reference.type = FloatFormat::F32();
  EXPECT_EQ(verdict_of({0, 2}), Verdict::kIdentical);
  // Key 1 is within rounding of the end of the range, key 3 is not.
  EXPECT_EQ(verdict_of({0, 1}), Verdict::kLegal);
  EXPECT_EQ(verdict_of({0, 3}), Verdict::kWrong);
  EXPECT_THAT(OtherLegalList(reference, tolerance),
              ::testing::Optional(std::vector<int32_t>{0, 1}));
}

TEST(CompareRow, CountOfABudgetThatOverflowsWhereRoundingDoes) {
  TestRow row;
  std::vector<int32_t> six = {0, 1, 2, 4, 5, 6};
  EXPECT_EQ(row.Judge(six).verdict, Verdict::kWrong);
  SelectionTolerance tolerance;
  tolerance.rounded_raw = kInf;
  EXPECT_EQ(row.Judge(six, tolerance).verdict, Verdict::kLegal);
  EXPECT_EQ(row.Judge({0, 2, 5}, tolerance).verdict, Verdict::kIdentical);
  EXPECT_EQ(row.Judge({0, 2}, tolerance).verdict, Verdict::kWrong);
  tolerance.rounded_raw = kNaN;  // The smallest budget
  EXPECT_EQ(row.Judge({0}, tolerance).verdict, Verdict::kLegal);
  EXPECT_EQ(row.Judge(six, tolerance).verdict, Verdict::kWrong);
}

TEST(CompareRow, CountMayDifferAtARoundingBoundaryOnly) {
  TestRow row;
  std::vector<int32_t> two = {0, 2}, three = {0, 2, 5}, four = {0, 2, 5, 6};
  auto verdict_at = [&](double raw, const std::vector<int32_t>& list) {
    row.reference.raw = raw;
    return row.Judge(list).verdict;
  };
  EXPECT_EQ(verdict_at(3.4, two), Verdict::kWrong);
  EXPECT_EQ(verdict_at(3.4, four), Verdict::kWrong);
  EXPECT_EQ(verdict_at(3.0005, two), Verdict::kLegal);
  EXPECT_EQ(verdict_at(3.0005, three), Verdict::kIdentical);
  EXPECT_EQ(verdict_at(3.0005, four), Verdict::kWrong);
  EXPECT_EQ(verdict_at(2.9995, three), Verdict::kLegal);
  EXPECT_EQ(verdict_at(2.9995, two), Verdict::kIdentical);
  // A clamped budget has no rounding boundary, unless the clamp is near.
  row.reference.policy.max = 3;
  EXPECT_EQ(verdict_at(5.0, two), Verdict::kWrong);
  EXPECT_EQ(verdict_at(3.0005, two), Verdict::kLegal);
  row.reference.policy = KPolicy::Fixed(3);
  EXPECT_EQ(verdict_at(3.0, two), Verdict::kWrong);
  EXPECT_EQ(verdict_at(3.0, three), Verdict::kIdentical);
}

TEST(CompareRow, CountIsNeverOffByTwo) {
  TestRow row;
  SelectionTolerance generous;
  generous.budget_absolute = 1e9;
  row.reference.raw = 3.0;
  EXPECT_EQ(row.Judge({0, 2}, generous).verdict, Verdict::kLegal);
  EXPECT_EQ(row.Judge({0}, generous).verdict, Verdict::kWrong);
  EXPECT_EQ(row.Judge({0, 2, 5, 6}, generous).verdict, Verdict::kWrong);
}

TEST(CompareRow, BrokenListsAreWrong) {
  TestRow row;
  SelectionTolerance tolerance;
  tolerance.score_margin = 10.0;
  auto message = [&](std::vector<int32_t> list) {
    RowVerdict verdict = row.Judge(std::move(list), tolerance);
    EXPECT_EQ(verdict.verdict, Verdict::kWrong);
    return verdict.message;
  };
  EXPECT_THAT(message({0, 2, 2}), HasSubstr("listed twice"));
  EXPECT_THAT(message({0, 5, 2}), HasSubstr("ascending"));
  EXPECT_THAT(message({0, 2, 3}), HasSubstr("not visible"));
  EXPECT_THAT(message({0, 2, 7}), HasSubstr("not visible"));
  EXPECT_THAT(message({0, 2, 8}), HasSubstr("expected 0 to 7"));
  EXPECT_THAT(message({-1, 0, 2}), HasSubstr("expected 0 to 7"));
  tolerance.ascending = false;
  EXPECT_EQ(row.Judge({5, 0, 2}, tolerance).verdict, Verdict::kIdentical);
  std::vector<int32_t> tail = {0, 2, 5, 0, -1, -1};
  EXPECT_THAT(CompareRow(row.reference, tail, 3).message, HasSubstr("beyond"));
  EXPECT_THAT(CompareRow(row.reference, tail, 7).message,
              HasSubstr("count is 7"));
  EXPECT_THAT(CompareRow(row.reference, tail, -1).message,
              HasSubstr("count is -1"));
}

TEST(CompareRow, ForcedKeysHaveNoMargin) {
  TestRow row;
  row.reference.sink = 2;
  row.reference.local = 1;
  SelectionTolerance tolerance;
  tolerance.score_margin = 10.0;
  EXPECT_EQ(row.Judge({0, 1, 6}).verdict, Verdict::kIdentical);
  EXPECT_THAT(row.Judge({0, 2, 6}, tolerance).message,
              HasSubstr("forced key 1 is not listed"));
  row.reference.raw = 4.4;
  EXPECT_EQ(row.Judge({0, 1, 2, 6}).verdict, Verdict::kIdentical);
  EXPECT_EQ(row.Judge({0, 1, 4, 6}, tolerance).verdict, Verdict::kLegal);
  row.reference.raw = 2.4;
  EXPECT_EQ(row.Judge({0, 1}).verdict, Verdict::kIdentical);
  EXPECT_EQ(row.Judge({0, 6}, tolerance).verdict, Verdict::kWrong);
}

//===----------------------------------------------------------------------===//
// CompareSelections
//===----------------------------------------------------------------------===//

struct TestSelection {
  TestSelection() {
    std::mt19937 generator(31);
    query = Random({2, 30, 2, 6}, &generator);
    key = Random({2, 30, 6}, &generator);
    options.policy = {KPolicyKind::kUpstreamVariance, 8, 2, 12, 1.0};
    reference = Select({query, key}, options);
  }
  SelectionReport Compare(const SelectResult& tested, double margin) const {
    SelectionTolerance tolerance;
    tolerance.score_margin = margin;
    return CompareSelections({query, key}, options, reference, tested.indices,
                             tested.counts, tolerance);
  }

  Tensor<double> query, key;
  SelectOptions options;
  SelectResult reference;
};

// The derivation of score_margin: score errors of at most e never need more
// than 2 e. Noise on the index keys plays the part of rounding errors.
TEST(CompareSelections, NoiseIsLegalWithinTwiceItsSize) {
  TestSelection test;
  std::mt19937 generator(37);
  Tensor<double> noisy_key = test.key;
  for (double& x : noisy_key.values()) {
    x += std::normal_distribution<double>(0.0, 3e-2)(generator);
  }
  test.options.policy = KPolicy::Fixed(6);  // Counts are not the point here.
  test.reference = Select({test.query, test.key}, test.options);
  Tensor<double> exact = IndexScores({test.query, test.key});
  Tensor<double> noisy = IndexScores({test.query, noisy_key});
  double error = CompareTensors(noisy, exact).max_abs;
  SelectResult tested = Select({test.query, noisy_key}, test.options);
  SelectionReport report = test.Compare(tested, 2 * error);
  EXPECT_TRUE(report.Ok()) << report.ToString();
  EXPECT_GT(report.legal, 0);
  EXPECT_EQ(report.rows, 60);
  EXPECT_LE(report.max_score_gap, 2 * error);
  EXPECT_FALSE(test.Compare(tested, 0.0).Ok());
}

TEST(CompareSelections, ReportsTheRow) {
  TestSelection test;
  EXPECT_EQ(test.Compare(test.reference, 0.0).identical, 60);
  SelectResult broken = test.reference;
  broken.counts.At(1, 20) -= 1;
  broken.indices.At(1, 20, broken.counts.At(1, 20)) = -1;
  SelectionReport report = test.Compare(broken, 0.0);
  EXPECT_EQ(report.identical, 59);
  EXPECT_EQ(report.wrong, 1);
  EXPECT_EQ(report.count_differences, 1);
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_THAT(report.errors[0], HasSubstr("batch 1 query 20: count is"));
}

//===----------------------------------------------------------------------===//
// Metrics
//===----------------------------------------------------------------------===//

TEST(Metrics, SelectionStatistics) {
  // Two sequences of five rows.
  std::vector<std::vector<int32_t>> lists = {
      {0}, {0, 1}, {1, 2}, {}, {}, {5}, {5}, {5, 6, 7}, {1, 6, 7}, {9}};
  Tensor<int32_t> indices({2, 5, 3}, -1), counts({2, 5});
  for (int64_t row = 0; row < 10; ++row) {
    std::copy(lists[row].begin(), lists[row].end(), indices.data() + row * 3);
    counts[row] = lists[row].size();
  }
  SelectionStatistics statistics = MeasureSelection(indices, counts);
  EXPECT_EQ(statistics.rows, 10);
  EXPECT_EQ(statistics.min_k, 0);
  EXPECT_EQ(statistics.max_k, 3);
  EXPECT_DOUBLE_EQ(statistics.mean_k, 1.4);
  EXPECT_EQ(statistics.pairs, 7);  // Not ({}, {}), not across sequences.
  EXPECT_DOUBLE_EQ(statistics.jaccard,
                   (1.0 / 2 + 1.0 / 3 + 0 + 1 + 1.0 / 3 + 1.0 / 2 + 0) / 7);
  ASSERT_EQ(statistics.unions.size(), 6u);
  const TileUnion& two = statistics.unions[0];
  EXPECT_EQ(two.tile, 2);
  EXPECT_EQ(two.tiles, 4);  // The fifth row of a sequence fills no tile.
  EXPECT_DOUBLE_EQ(two.mean_union, (2 + 2 + 1 + 4) / 4.0);
  EXPECT_DOUBLE_EQ(two.union_over_k,
                   (2 / 1.5 + 2 / 1.0 + 1 / 1.0 + 4 / 3.0) / 4);
  const TileUnion& four = statistics.unions[1];
  EXPECT_EQ(four.tiles, 2);
  EXPECT_DOUBLE_EQ(four.union_over_k, (3 / 1.25 + 4 / 2.0) / 2);
  EXPECT_EQ(statistics.unions[2].tiles, 0);
  EXPECT_EQ(statistics.unions[2].union_over_k, 0.0);
}

TEST(Metrics, AttentionMassAgreesWithTheLogSumExp) {
  std::mt19937 generator(41);
  Tensor<double> query = Random({2, 12, 4, 6}, &generator);
  Tensor<double> key = Random({2, 15, 2, 6}, &generator);
  Tensor<double> value({2, 15, 2, 1}, 0.0);
  for (int64_t b = 0; b < 2; ++b) {
    value.At(b, 0, 0, 0) = value.At(b, 0, 1, 0) = 1.0;  // Measures key 0.
  }
  // Every third key, so key 0 is always listed and some are hidden.
  Tensor<int32_t> indices({2, 12, 5}), counts({2, 12}, 5);
  for (int64_t i = 0; i < indices.size(); ++i) indices[i] = i % 5 * 3;
  AttentionOperands operands{query, key, value};
  AttentionResult dense = DenseAttention(operands);
  AttentionMassOptions options;
  options.row_stride = 5;
  AttentionMass mass =
      MeasureAttentionMass(query, key, indices, counts, options);
  EXPECT_EQ(mass.rows, 6);
  double kept = 0, kept_min = 1, first_dense = 0, first_sparse = 0;
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t t : {0, 5, 10}) {
      AttentionResult sparse =
          AttendToLists(operands, {}, [&](int64_t, int64_t row) {
            std::vector<int32_t> list;
            for (int32_t s = 0; s <= row + 3; s += 3) list.push_back(s);
            return list;
          });
      double row = 0;
      for (int64_t j = 0; j < 4; ++j) {
        row += std::exp(sparse.lse.At(b, j, t) - dense.lse.At(b, j, t)) / 4;
        first_dense += dense.output.At(b, t, j, 0) / 24;
        first_sparse += sparse.output.At(b, t, j, 0) / 24;
      }
      kept += row / 6;
      kept_min = std::min(kept_min, row);
    }
  }
  EXPECT_NEAR(mass.kept_mean, kept, 1e-12);
  EXPECT_NEAR(mass.kept_min, kept_min, 1e-12);
  EXPECT_NEAR(mass.first_token_dense, first_dense, 1e-12);
  EXPECT_NEAR(mass.first_token_sparse, first_sparse, 1e-12);
}

TEST(Metrics, AttentionMassOfAllAndOfNoKeys) {
  std::mt19937 generator(43);
  Tensor<double> query = Random({1, 3, 2, 4}, &generator);
  Tensor<double> key = Random({1, 3, 1, 4}, &generator);
  Tensor<int32_t> indices({1, 3, 3}, {0, 1, 2, 0, 1, 2, 0, 1, 2});
  AttentionMass all =
      MeasureAttentionMass(query, key, indices, Tensor<int32_t>({1, 3}, 3));
  EXPECT_NEAR(all.kept_min, 1.0, 1e-15);
  EXPECT_NEAR(all.first_token_dense, all.first_token_sparse, 1e-15);
  AttentionMass none =
      MeasureAttentionMass(query, key, indices, Tensor<int32_t>({1, 3}, 0));
  EXPECT_EQ(none.kept_mean, 0.0);
  EXPECT_EQ(none.first_token_sparse, 0.0);
  EXPECT_GT(none.first_token_dense, 0.0);
}

TEST(Metrics, MassByKeyFollowsWeightsAndGates) {
  std::mt19937 generator(11);
  Tensor<double> query = Random({1, 5, 2, 3}, &generator);
  Tensor<double> key = Random({1, 5, 1, 3}, &generator);
  Tensor<int32_t> indices({1, 5, 2},
                          std::vector<int32_t>{0, -1, 0, 1, 0, 2, 1, 3, 2, 4});
  Tensor<int32_t> counts({1, 5}, std::vector<int32_t>{1, 2, 2, 2, 2});
  std::vector<int64_t> rows = {0, 1, 2, 3, 4};
  Tensor<double> value_gate({1, 5, 1}, 0.5), output_gate({1, 5, 2}, 0.25);
  MassOperands operands{query,    key,     rows,        5,
                        &indices, &counts, &value_gate, &output_gate};
  AttentionMass mass = MeasureAttentionMass(operands);
  EXPECT_EQ(mass.rows_seeing, (std::vector<int64_t>{5, 4, 3, 2, 1}));
  // The weights of a row add up to one, dense and sparse.
  double dense = 0, sparse = 0;
  for (int s = 0; s < 5; ++s) {
    dense += mass.dense_by_key[s] * mass.rows_seeing[s];
    sparse += mass.sparse_by_key[s] * mass.rows_seeing[s];
    EXPECT_NEAR(mass.dense_gated_by_key[s], mass.dense_by_key[s] / 8, 1e-12);
    EXPECT_NEAR(mass.sparse_gated_by_key[s], mass.sparse_by_key[s] / 8, 1e-12);
  }
  EXPECT_NEAR(dense, 5.0, 1e-12);
  EXPECT_NEAR(sparse, 5.0, 1e-12);
  EXPECT_NEAR(mass.dense_by_key[0], mass.first_token_dense, 1e-12);
  EXPECT_NEAR(mass.sparse_by_key[0], mass.first_token_sparse, 1e-12);
  // Without lists and gates: nothing sparse, nothing gated.
  MassOperands plain{query, key, rows, 5};
  AttentionMass alone = MeasureAttentionMass(plain);
  EXPECT_EQ(alone.dense_by_key, mass.dense_by_key);
  EXPECT_TRUE(alone.sparse_by_key.empty());
  EXPECT_TRUE(alone.dense_gated_by_key.empty());
  // Threads change nothing.
  AttentionMassOptions threads;
  threads.num_threads = 3;
  EXPECT_EQ(MeasureAttentionMass(operands, threads).sparse_gated_by_key,
            mass.sparse_gated_by_key);
}

TEST(Metrics, GatesAreMeasuredByTheirActivation) {
  Tensor<double> logits({1, 2, 1, 2}, std::vector<double>{0, -3, 4, -2});
  GateStatistics sigmoid = MeasureGate(logits, GateActivation::kSigmoid);
  EXPECT_EQ(sigmoid.elements, 4);
  EXPECT_NEAR(sigmoid.mean, (0.5 + Sigmoid(-3) + Sigmoid(4) + Sigmoid(-2)) / 4,
              1e-15);
  EXPECT_EQ(sigmoid.share_closed, 0.25);  // 0.047; 0.119 is above 0.1
  EXPECT_EQ(MeasureGate(logits, GateActivation::kTanh).share_closed, 0.5);
  Tensor<double> means = GateMeans(logits, GateActivation::kSigmoid);
  EXPECT_EQ(means.shape(), (Shape{1, 2, 1}));
  EXPECT_NEAR(means[1], (Sigmoid(4) + Sigmoid(-2)) / 2, 1e-15);
  EXPECT_EQ(GateMeans(Tensor<double>({1, 2, 1}), GateActivation::kSigmoid)[0],
            0.5);
}

TEST(Metrics, SampledRowsAreEvenlySpaced) {
  EXPECT_EQ(SampledRows(5, 64), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(SampledRows(10, 3), (std::vector<int64_t>{0, 3, 6, 9}));
  EXPECT_TRUE(SampledRows(10, 0).empty());
}

}  // namespace
}  // namespace gsa::reference
