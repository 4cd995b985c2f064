//===- reference_attention_test.cc - attention, gates, rope, linear -------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "test/reference/AppendRows.h"
#include "test/reference/DenseAttention.h"
#include "test/reference/Gate.h"
#include "test/reference/GatherAttention.h"
#include "test/reference/Linear.h"
#include "test/reference/MergeAttention.h"
#include "test/reference/PagedRows.h"
#include "test/reference/Parallel.h"
#include "test/reference/Rope.h"
#include "test/unit/reference_testing.h"

namespace gsa::reference {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNaN = std::nan("");

//===----------------------------------------------------------------------===//
// GatherAttention and DenseAttention
//===----------------------------------------------------------------------===//

/// B = 1, Sq = 1, H = 2, G = 1, D = 2, Dv = 1, Sk = 3.
struct SmallAttention {
  Tensor<double> query{{1, 1, 2, 2}, {1.0, -0.5, 0.25, 2.0}};
  Tensor<double> key{{1, 3, 1, 2}, {0.5, 1.0, -1.0, 2.0, 3.0, 0.1}};
  Tensor<double> value{{1, 3, 1, 1}, {10.0, -4.0, 7.0}};

  AttentionResult Gather(std::vector<int32_t> list, int32_t count) const {
    int64_t slots = list.size();
    return GatherAttention({query, key, value},
                           Tensor<int32_t>({1, 1, slots}, std::move(list)),
                           Tensor<int32_t>({1, 1}, count));
  }
};

TEST(GatherAttention, FollowsTheFormula) {
  SmallAttention small;
  AttentionResult result = small.Gather({0, 2}, 2);
  double logits[2][2] = {{0.5 - 0.5, 3.0 - 0.05}, {0.125 + 2.0, 0.75 + 0.2}};
  for (int j = 0; j < 2; ++j) {
    double a = std::exp(logits[j][0] / std::sqrt(2.0));
    double b = std::exp(logits[j][1] / std::sqrt(2.0));
    EXPECT_NEAR(result.output.At(0, 0, j, 0), (10 * a + 7 * b) / (a + b),
                1e-13);
    EXPECT_NEAR(result.lse.At(0, j, 0), std::log(a + b), 1e-14);
  }
}

TEST(GatherAttention, IndicesOutOfRangeAreSkipped) {
  SmallAttention small;
  AttentionResult clean = small.Gather({0, 2}, 2);
  AttentionResult noisy = small.Gather({-1, 0, 3, 2, -100, 1 << 30}, 6);
  EXPECT_EQ(clean.output, noisy.output);
  EXPECT_EQ(clean.lse, noisy.lse);
}

TEST(GatherAttention, TailIsNotRead) {
  SmallAttention small;
  AttentionResult clean = small.Gather({0, 2}, 2);
  AttentionResult poisoned = small.Gather({0, 2, 1, 1}, 2);
  EXPECT_EQ(clean.output, poisoned.output);
  EXPECT_EQ(clean.lse, poisoned.lse);
}

TEST(GatherAttention, CountsAreClampedToTheSlots) {
  SmallAttention small;
  AttentionResult all = small.Gather({0, 2}, 2);
  AttentionResult more = small.Gather({0, 2}, 1 << 30);
  EXPECT_EQ(all.output, more.output);
  EXPECT_EQ(all.lse, more.lse);
  AttentionResult none = small.Gather({0, 2}, -3);
  EXPECT_EQ(none.output, small.Gather({0, 2}, 0).output);
}

TEST(GatherAttention, DuplicatesCountTwice) {
  SmallAttention small;
  AttentionResult once = small.Gather({1}, 1);
  AttentionResult twice = small.Gather({1, 1}, 2);
  EXPECT_EQ(once.output, twice.output);
  EXPECT_NEAR(twice.lse[0], once.lse[0] + std::log(2.0), 1e-14);
  AttentionResult weighted = small.Gather({1, 0, 1}, 3);
  double a = std::exp((-1.0 - 1.0) / std::sqrt(2.0)), b = std::exp(0.0);
  EXPECT_NEAR(weighted.output[0], (-4 * 2 * a + 10 * b) / (2 * a + b), 1e-13);
}

TEST(GatherAttention, RowWithoutKeysIsZero) {
  SmallAttention small;
  for (AttentionResult result :
       {small.Gather({0, 2}, 0), small.Gather({-1, 7}, 2),
        small.Gather({0, 2}, -5)}) {
    EXPECT_THAT(result.output.values(), Each(0.0));
    EXPECT_THAT(result.lse.values(), Each(-kInf));
  }
}

TEST(GatherAttention, KeysThatAreNotListedAreNotRead) {
  SmallAttention small;
  AttentionResult clean = small.Gather({0, 2}, 2);
  small.key.At(0, 1, 0, 0) = kNaN;
  small.value.At(0, 1, 0, 0) = kNaN;
  EXPECT_EQ(small.Gather({0, 2}, 2).output, clean.output);
}

TEST(GatherAttention, LargeLogitsDoNotOverflow) {
  SmallAttention small;
  for (double& x : small.query.values()) x *= 1e4;
  AttentionResult result = small.Gather({0, 1, 2}, 3);
  for (double x : result.output.values()) EXPECT_TRUE(std::isfinite(x));
  EXPECT_NEAR(result.output[0], 7.0, 1e-12);
  EXPECT_NEAR(result.lse[0], 29500.0 / std::sqrt(2.0), 1e-9);
}

TEST(GatherAttention, InfiniteLogits) {
  SmallAttention small;
  small.query = Tensor<double>({1, 1, 2, 2}, {kInf, 1.0, -kInf, 1.0});
  AttentionResult result = small.Gather({0, 2}, 2);  // Logits +inf and -inf.
  EXPECT_TRUE(std::isnan(result.lse[0]));
  EXPECT_TRUE(std::isnan(result.output[0]));
  EXPECT_EQ(result.lse[1], -kInf);
  EXPECT_EQ(result.output[1], 0.0);
  // A finite logit beside one of -inf takes all the mass.
  small.query = Tensor<double>({1, 1, 2, 2}, {1.0, 1.0, 1.0, 1.0});
  small.key.At(0, 2, 0, 0) = -kInf;
  EXPECT_THAT(small.Gather({0, 2}, 2).output.values(), ElementsAre(10, 10));
}

TEST(GatherAttention, RefusesOperandsThatDoNotFit) {
  SmallAttention small;
  small.query = Tensor<double>({1, 1, 3, 2});
  small.key = Tensor<double>({1, 3, 2, 2});
  small.value = Tensor<double>({1, 3, 2, 1});
  EXPECT_THROW(small.Gather({0}, 1), std::invalid_argument);  // H % G
}

TEST(DenseAttention, EmptyRowsOfMoreQueriesThanKeys) {
  std::mt19937 generator(5);
  Tensor<double> query = Random({1, 4, 2, 3}, &generator);
  Tensor<double> key = Random({1, 2, 1, 3}, &generator);
  Tensor<double> value = Random({1, 2, 1, 2}, &generator);
  AttentionResult result = DenseAttention({query, key, value});
  for (int64_t t = 0; t < 4; ++t) {
    for (int64_t j = 0; j < 2; ++j) {
      EXPECT_EQ(result.lse.At(0, j, t) == -kInf, t < 2);
      EXPECT_EQ(result.output.At(0, t, j, 0) == 0.0, t < 2);
      // One key: its value comes back unchanged.
      if (t == 2) {
        EXPECT_EQ(result.output.At(0, t, j, 1), value[1]);
      }
    }
  }
}

TEST(DenseAttention, OneKeyHeadPerGroupOfConsecutiveQueryHeads) {
  Tensor<double> query({1, 1, 6, 1}, 1.0), key({1, 1, 3, 1}, 1.0);
  Tensor<double> value({1, 1, 3, 1}, {10, 20, 30});
  EXPECT_THAT(DenseAttention({query, key, value}).output.values(),
              ElementsAre(10, 10, 20, 20, 30, 30));
}

TEST(AttentionPropertyTest, GatherOverTheFullListIsDense) {
  std::mt19937 generator(17);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(round);
    int64_t batch = RandomInt(1, 2, &generator);
    int64_t queries = RandomInt(1, 20, &generator);
    int64_t keys = RandomInt(1, 20, &generator);
    int64_t groups = RandomInt(1, 3, &generator);
    int64_t heads = groups * RandomInt(1, 3, &generator);
    int64_t depth = RandomInt(1, 10, &generator);
    int64_t value_depth = RandomInt(1, 10, &generator);
    Mask mask = static_cast<Mask>(RandomInt(0, 1, &generator));
    Tensor<double> query = Random({batch, queries, heads, depth}, &generator);
    Tensor<double> key = Random({batch, keys, groups, depth}, &generator);
    Tensor<double> value =
        Random({batch, keys, groups, value_depth}, &generator);
    Tensor<int32_t> indices({batch, queries, keys}, -1);
    Tensor<int32_t> counts({batch, queries});
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t t = 0; t < queries; ++t) {
        for (int32_t s = 0; s < keys; ++s) {
          if (mask == Mask::kCausal && s > t + keys - queries) break;
          indices.At(b, t, counts.At(b, t)++) = s;
        }
      }
    }
    AttentionOperands operands{query, key, value};
    AttentionResult gathered = GatherAttention(operands, indices, counts);
    AttentionResult dense =
        DenseAttention(operands, {std::nullopt, mask, /*num_threads=*/2});
    EXPECT_EQ(gathered.output, dense.output);
    EXPECT_EQ(gathered.lse, dense.lse);
  }
}

//===----------------------------------------------------------------------===//
// Ranges, MergeAttention and lengths
//===----------------------------------------------------------------------===//

/// B = 1, Sq = 3, H = 2, G = 1, D = 2, Dv = 2, Sk = 7.
struct ManyKeys {
  Tensor<double> query{{1, 3, 2, 2}}, key{{1, 7, 1, 2}}, value{{1, 7, 1, 2}};

  ManyKeys() {
    FillNormal(1, query);
    FillNormal(2, key);
    FillNormal(3, value);
  }
  /// A number that looks random, for each element.
  static void FillNormal(int seed, Tensor<double>& tensor) {
    for (int64_t i = 0; i < tensor.size(); ++i) {
      tensor[i] =
          2 * std::sin(12.9898 * static_cast<double>(i) + 78.233 * seed);
    }
  }
  AttentionResult Dense(KeyRange range = {}) const {
    DenseAttentionOptions options;
    options.range = range;
    return DenseAttention({query, key, value}, options);
  }
  AttentionResult Merge(std::vector<KeyRange> ranges) const {
    std::vector<AttentionResult> results;
    for (const KeyRange& range : ranges) results.push_back(Dense(range));
    std::vector<AttentionPart> parts;
    for (const AttentionResult& result : results) {
      parts.push_back({result.output, result.lse});
    }
    return MergeAttention(parts);
  }
};

void ExpectNear(const Tensor<double>& a, const Tensor<double>& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (int64_t i = 0; i < a.size(); ++i) {
    if (std::isnan(b[i])) {
      EXPECT_TRUE(std::isnan(a[i])) << i;
    } else {
      EXPECT_NEAR(a[i], b[i], 1e-13 * std::max(1.0, std::abs(b[i]))) << i;
    }
  }
}

TEST(PagedRows, FollowsTheTable) {
  Tensor<double> pool({2, 2, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  Tensor<int32_t> table({2, 2}, {1, 0, 2, 1});
  Tensor<double> rows = PagedRows(pool, table, /*heads_first=*/false);
  EXPECT_EQ(rows.shape(), (Shape{2, 4, 1, 2}));
  EXPECT_EQ(std::vector<double>(rows.data(), rows.data() + 8),
            (std::vector<double>{4, 5, 6, 7, 0, 1, 2, 3}));
  for (int i = 8; i < 12; ++i) EXPECT_TRUE(std::isnan(rows[i])) << i;
  EXPECT_EQ(std::vector<double>(rows.data() + 12, rows.data() + 16),
            (std::vector<double>{4, 5, 6, 7}));
}

TEST(PagedRows, HeadsMayComeFirst) {
  Tensor<double> pool({1, 2, 3, 1}, {0, 1, 2, 10, 11, 12});
  Tensor<int32_t> table({1, 2}, {0, -1});
  Tensor<double> rows = PagedRows(pool, table, /*heads_first=*/true);
  EXPECT_EQ(rows.shape(), (Shape{1, 6, 2, 1}));
  EXPECT_EQ(std::vector<double>(rows.data(), rows.data() + 6),
            (std::vector<double>{0, 10, 1, 11, 2, 12}));
  for (int i = 6; i < 12; ++i) EXPECT_TRUE(std::isnan(rows[i])) << i;
}

TEST(PagedRows, RefusesOtherShapes) {
  Tensor<int32_t> table({1, 2});
  EXPECT_THROW(PagedRows(Tensor<double>({2, 2}), table, false),
               std::invalid_argument);
  EXPECT_THROW(PagedRows(Tensor<double>({2, 2, 2}), table, true),
               std::invalid_argument);
  EXPECT_THROW(
      PagedRows(Tensor<double>({2, 2, 2}), Tensor<int32_t>({2}), false),
      std::invalid_argument);
}

TEST(AppendRows, RowsEndAtTheLength) {
  Tensor<double> cache({2, 4, 1}, {0, 1, 2, 3, 10, 11, 12, 13});
  Tensor<double> rows({2, 2, 1}, {-1, -2, -3, -4});
  Tensor<int32_t> lengths({2}, {3, 1});
  AppendPlaces places;
  places.lengths = &lengths;
  EXPECT_EQ(AppendRows(rows, cache, places).values(),
            (std::vector<double>{0, -1, -2, 3, -4, 11, 12, 13}));
  lengths = Tensor<int32_t>({2}, {5, 0});
  EXPECT_EQ(AppendRows(rows, cache, places).values(),
            (std::vector<double>{0, 1, 2, -1, 10, 11, 12, 13}));
  Tensor<int32_t> counts({2}, {1, 5});
  places.counts = &counts;
  lengths = Tensor<int32_t>({2}, {2, 4});
  EXPECT_EQ(AppendRows(rows, cache, places).values(),
            (std::vector<double>{0, -2, 2, 3, 10, 11, -3, -4}));
}

TEST(AppendRows, PlacesAreThoseThatPagedRowsReads) {
  for (bool heads_first : {false, true}) {
    Tensor<double> pool(Shape{3, 2, 2, 1});
    for (int i = 0; i < pool.size(); ++i) pool[i] = i;
    Tensor<double> rows({2, 2, 2, 1}, {-1, -2, -3, -4, -5, -6, -7, -8});
    Tensor<int32_t> table({2, 2}, {2, 0, 1, 3}), lengths({2}, {3, 3});
    AppendPlaces places{&table, &lengths, nullptr, heads_first};
    Tensor<double> before = PagedRows(pool, table, heads_first);
    Tensor<double> after =
        PagedRows(AppendRows(rows, pool, places), table, heads_first);
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t s = 0; s < 4; ++s)
        for (int64_t g = 0; g < 2; ++g) {
          double got = after.At(b, s, g, int64_t{0});
          if (b == 1 && s >= 2)
            EXPECT_TRUE(std::isnan(got));  // Page 3 is none of the pool.
          else
            EXPECT_EQ(got, s == 1 || s == 2 ? rows.At(b, s - 1, g, int64_t{0})
                                            : before.At(b, s, g, int64_t{0}));
        }
  }
}

TEST(AppendRows, RefusesOtherShapes) {
  Tensor<int32_t> table({1, 2}), lengths({1}), two({2});
  auto refuses = [&](const Shape& rows, const Shape& cache,
                     const AppendPlaces& places) {
    EXPECT_THROW(
        AppendRows(Tensor<double>(rows), Tensor<double>(cache), places),
        std::invalid_argument);
  };
  refuses({1, 2, 2}, {1, 4, 2}, {});
  refuses({1, 2}, {1, 4}, {nullptr, &lengths});
  refuses({1, 2, 2}, {1, 4, 2}, {nullptr, &lengths, nullptr, true});
  refuses({1, 2, 2, 2}, {1, 4, 2}, {nullptr, &lengths});
  refuses({1, 2, 2}, {1, 4, 3}, {nullptr, &lengths});
  refuses({1, 2, 2}, {2, 4, 2}, {nullptr, &lengths});
  refuses({1, 2, 2}, {1, 4, 2}, {nullptr, &two});
  refuses({1, 2, 2}, {1, 4, 2}, {nullptr, &lengths, &two});
  refuses({2, 2, 2}, {5, 4, 2}, {&table, &two});
}

TEST(MergeAttention, OfAllPartsIsTheWhole) {
  ManyKeys keys;
  AttentionResult whole = keys.Dense();
  for (std::vector<KeyRange> ranges :
       {std::vector<KeyRange>{{0, 7}},
        {{0, 3}, {3, 100}},
        {{5, 2}, {0, 5}},
        {{0, 1}, {1, 1}, {2, 1}, {3, 4}, {7, 1}, {1000, 5}}}) {
    AttentionResult merged = keys.Merge(ranges);
    ExpectNear(merged.output, whole.output);
    ExpectNear(merged.lse, whole.lse);
  }
}

TEST(MergeAttention, LargeLogitsWeighByTheirDifference) {
  ManyKeys keys;
  for (double& x : keys.query.values()) x *= 1e4;
  AttentionResult whole = keys.Dense(), merged = keys.Merge({{0, 4}, {4, 3}});
  for (int64_t i = 0; i < whole.output.size(); ++i) {
    EXPECT_NEAR(merged.output[i], whole.output[i], 1e-8);
  }
  ExpectNear(merged.lse, whole.lse);
}

TEST(MergeAttention, PartsWithoutKeysTakeNoPart) {
  ManyKeys keys;
  AttentionResult some = keys.Dense();
  AttentionResult none{Tensor<double>(some.output.shape(), kNaN),
                       Tensor<double>(some.lse.shape(), -kInf)};
  AttentionResult merged =
      MergeAttention({{none.output, none.lse}, {some.output, some.lse}});
  EXPECT_EQ(merged.output, some.output);
  EXPECT_EQ(merged.lse, some.lse);
  merged = MergeAttention({{none.output, none.lse}, {none.output, none.lse}});
  EXPECT_THAT(merged.output.values(), Each(0.0));
  EXPECT_THAT(merged.lse.values(), Each(-kInf));
}

TEST(MergeAttention, NanConcernsItsRow) {
  ManyKeys keys;
  AttentionResult clean = keys.Merge({{0, 4}, {4, 3}});
  keys.query.At(0, 1, 1, 0) = kNaN;
  AttentionResult merged = keys.Merge({{0, 4}, {4, 3}});
  for (int64_t t = 0; t < 3; ++t) {
    for (int64_t j = 0; j < 2; ++j) {
      bool poisoned = t == 1 && j == 1;
      double lse = merged.lse.At(0, j, t),
             output = merged.output.At(0, t, j, 0);
      EXPECT_EQ(std::isnan(lse), poisoned);
      EXPECT_EQ(std::isnan(output), poisoned);
      if (!poisoned) {
        EXPECT_EQ(lse, clean.lse.At(0, j, t));
        EXPECT_EQ(output, clean.output.At(0, t, j, 0));
      }
    }
  }
}

TEST(MergeAttention, RefusesShapesThatDiffer) {
  Tensor<double> output({1, 3, 2, 2}), lse({1, 2, 3}), wrong({1, 3, 2});
  EXPECT_THROW(MergeAttention({}), std::invalid_argument);
  EXPECT_THROW(MergeAttention({{output, wrong}}), std::invalid_argument);
  EXPECT_THROW(MergeAttention({{output, lse}, {wrong, lse}}),
               std::invalid_argument);
}

TEST(DenseAttention, LengthsAreTheNumberOfKeys) {
  ManyKeys keys;
  for (int32_t length : {-3, 0, 1, 2, 5, 7, 8, 1 << 30}) {
    int64_t present = std::clamp<int64_t>(length, 0, 7);
    DenseAttentionOptions options;
    Tensor<int32_t> lengths({1}, length);
    options.lengths = &lengths;
    AttentionResult given =
        DenseAttention({keys.query, keys.key, keys.value}, options);
    Tensor<double> key({1, present, 1, 2}), value({1, present, 1, 2});
    std::copy_n(keys.key.data(), key.size(), key.data());
    std::copy_n(keys.value.data(), value.size(), value.data());
    AttentionResult expected = DenseAttention({keys.query, key, value});
    EXPECT_EQ(given.output, expected.output) << length;
    EXPECT_EQ(given.lse, expected.lse) << length;
  }
}

TEST(GatherAttention, EntriesBeyondTheLengthAreSkipped) {
  SmallAttention small;
  Tensor<int32_t> lengths({1}, 2);
  GatherAttentionOptions options;
  options.lengths = &lengths;
  AttentionResult given = GatherAttention({small.query, small.key, small.value},
                                          Tensor<int32_t>({1, 1, 3}, {2, 0, 1}),
                                          Tensor<int32_t>({1, 1}, 3), options);
  EXPECT_EQ(given.output, small.Gather({0, 1}, 2).output);
}

//===----------------------------------------------------------------------===//
// Gate
//===----------------------------------------------------------------------===//

TEST(Gate, Activations) {
  Tensor<double> input({1, 1, 1, 3}, {2.0, -3.0, 5.0});
  Tensor<double> logits({1, 1, 1, 3}, {0.0, 1.0, -2.0});
  auto expect = [&](GateActivation activation, auto function) {
    Tensor<double> output = Gate(input, logits, activation);
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(output[i], input[i] * function(logits[i]), 1e-15);
    }
  };
  expect(GateActivation::kSigmoid,
         [](double z) { return 1 / (1 + std::exp(-z)); });
  expect(GateActivation::kTanh,
         [](double z) { return (std::tanh(z) + 1) / 2; });
  expect(GateActivation::kSilu,
         [](double z) { return z / (1 + std::exp(-z)); });
}

TEST(Gate, ExtremeLogitsOpenAndClose) {
  Tensor<double> input({1, 1, 1, 2}, {3.0, 3.0});
  Tensor<double> logits({1, 1, 1, 2}, {1e6, -1e6});
  EXPECT_THAT(Gate(input, logits).values(), ElementsAre(3.0, 0.0));
}

TEST(Gate, PerHeadLogitScalesAHead) {
  std::mt19937 generator(19);
  Tensor<double> input = Random({2, 3, 4, 5}, &generator);
  Tensor<double> logits = Random({2, 3, 4}, &generator);
  Tensor<double> wide({2, 3, 4, 5});
  for (int64_t i = 0; i < wide.size(); ++i) wide[i] = logits[i / 5];
  EXPECT_EQ(Gate(input, logits), Gate(input, wide));
  Tensor<double> odd({2, 3, 5});
  EXPECT_THROW(Gate(input, odd), std::invalid_argument);
}

//===----------------------------------------------------------------------===//
// Rope
//===----------------------------------------------------------------------===//

double HeadDot(const Tensor<double>& a, const Tensor<double>& b) {
  double sum = 0.0;
  for (int64_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Tensor<double> RotateOne(const Tensor<double>& head, int64_t position,
                         const RopeOptions& options) {
  return Rope(head, Tensor<int64_t>({1, 1}, position), options);
}

TEST(Rope, PairsOfBothLayouts) {
  Tensor<double> head({1, 1, 1, 5}, {1.0, 2.0, 3.0, 4.0, 5.0});
  RopeOptions options;
  options.base = 100.0;
  options.rotary_dim = 4;  // f = 1, 0.1; element 4 is left alone.
  double c0 = std::cos(7.0), s0 = std::sin(7.0);
  double c1 = std::cos(0.7), s1 = std::sin(0.7);
  Tensor<double> half = RotateOne(head, 7, options);
  std::vector<double> expected = {1 * c0 - 3 * s0, 2 * c1 - 4 * s1,
                                  3 * c0 + 1 * s0, 4 * c1 + 2 * s1, 5.0};
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(half[i], expected[i], 1e-14);
  options.interleaved = true;
  Tensor<double> pairs = RotateOne(head, 7, options);
  expected = {1 * c0 - 2 * s0, 2 * c0 + 1 * s0, 3 * c1 - 4 * s1,
              4 * c1 + 3 * s1, 5.0};
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(pairs[i], expected[i], 1e-14);
}

TEST(RopePropertyTest, KeepsNormsAndDependsOnDistanceOnly) {
  std::mt19937 generator(23);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    RopeOptions options;
    options.interleaved = round % 2;
    options.scaling.kind = static_cast<RopeScalingKind>(round % 3);
    options.scaling.factor = 4.0;
    options.rotary_dim = 2 * RandomInt(2, 4, &generator);
    Tensor<double> query = Random({1, 1, 1, 8}, &generator);
    Tensor<double> key = Random({1, 1, 1, 8}, &generator);
    int64_t distance = RandomInt(-50, 50, &generator);
    int64_t a = RandomInt(100, 1000, &generator);
    int64_t b = RandomInt(1000, 100000, &generator);
    Tensor<double> q_a = RotateOne(query, a, options);
    Tensor<double> q_b = RotateOne(query, b, options);
    EXPECT_NEAR(HeadDot(q_a, q_a), HeadDot(query, query), 1e-12);
    EXPECT_NEAR(HeadDot(q_a, RotateOne(key, a + distance, options)),
                HeadDot(q_b, RotateOne(key, b + distance, options)), 1e-9);
    EXPECT_EQ(RotateOne(query, 0, options), query);
  }
}

TEST(Rope, NtkStretchesTheBase) {
  RopeOptions options;
  options.scaling = {RopeScalingKind::kNtk, 8.0, 4096, 32.0, 1.0};
  std::vector<double> f = RopeFrequencies(16, options);
  ASSERT_EQ(f.size(), 8u);
  for (int i = 0; i < 8; ++i) {
    double plain = std::exp(-i / 8.0 * std::log(10000.0));
    EXPECT_NEAR(f[i] / plain, std::pow(8.0, -i / 7.0), 1e-12);
  }
  // By design the lowest frequency is divided by exactly the factor.
  EXPECT_NEAR(f[7] * 8.0, std::pow(10000.0, -7.0 / 8.0), 1e-15);
}

// Recomputed from the number of turns of a dimension in the original context:
// a dimension above beta_fast turns is kept, below beta_slow it is stretched.
TEST(Rope, YarnBlendsBetweenTheTurnLimits) {
  RopeOptions options;
  options.scaling = {RopeScalingKind::kYarn, 8.0, 4096, 32.0, 1.0};
  int64_t depth = 128;
  std::vector<double> f = RopeFrequencies(depth, options);
  auto plain = [&](double i) { return std::pow(10000.0, -2.0 * i / depth); };
  auto turns = [&](double i) {
    return 4096 * plain(i) / (2 * std::numbers::pi);
  };
  // The last dimension of at least 32 turns and the first of at most 1.
  int64_t low = 0, high = 0;
  while (turns(low + 1) >= 32.0) ++low;
  while (turns(high) > 1.0) ++high;
  EXPECT_EQ(low, 20);
  EXPECT_EQ(high, 46);
  for (int64_t i = 0; i < depth / 2; ++i) {
    double ratio = f[i] / plain(i);
    if (i <= low) {
      EXPECT_DOUBLE_EQ(ratio, 1.0) << i;
    } else if (i >= high) {
      EXPECT_DOUBLE_EQ(ratio, 1.0 / 8.0) << i;
    } else {
      double stretch = double(i - low) / (high - low);
      EXPECT_NEAR(ratio, 1.0 - stretch + stretch / 8.0, 1e-12) << i;
    }
  }
}

// Both limits may lie outside the head: R = 8 and base 10 put them at the
// dimensions -9.2 and -3.2, or at 39 and 45.
TEST(Rope, YarnLimitsBeyondTheHead) {
  RopeOptions options;
  options.base = 10.0;
  options.scaling = {RopeScalingKind::kYarn, 8.0, 1, 32.0, 1.0};
  std::vector<double> stretched = RopeFrequencies(8, options);
  options.scaling.original_max_position = int64_t{1} << 40;
  std::vector<double> kept = RopeFrequencies(8, options);
  for (int i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(stretched[i], std::pow(10.0, -i / 4.0) / 8.0);
    EXPECT_DOUBLE_EQ(kept[i], std::pow(10.0, -i / 4.0));
  }
}

TEST(Rope, YarnLimitsThatMeetKeepTheirDimension) {
  RopeOptions options;  // R = 8 and base 10000: dimensions -3.0 and -0.8.
  options.scaling = {RopeScalingKind::kYarn, 8.0, 1, 32.0, 1.0};
  std::vector<double> f = RopeFrequencies(8, options);
  EXPECT_DOUBLE_EQ(f[0], 1.0);
  EXPECT_DOUBLE_EQ(f[1], 0.1 / 8.0);
  EXPECT_DOUBLE_EQ(f[3], 0.001 / 8.0);
  options.base = 10.0;  // 3.5 and 9.5, the latter cut to the last dimension.
  options.scaling.original_max_position = 1506;
  EXPECT_DOUBLE_EQ(RopeFrequencies(8, options)[3], std::pow(10.0, -0.75));
}

TEST(Rope, RefusesIllegalOptions) {
  RopeOptions options;
  options.rotary_dim = 3;
  EXPECT_THROW(RopeFrequencies(8, options), std::invalid_argument);
  options.rotary_dim = 10;
  EXPECT_THROW(RopeFrequencies(8, options), std::invalid_argument);
  options.rotary_dim = 2;
  EXPECT_NO_THROW(RopeFrequencies(8, options));
  options.scaling.kind = RopeScalingKind::kNtk;
  EXPECT_THROW(RopeFrequencies(8, options), std::invalid_argument);
  options = {};
  options.base = 1.0;
  EXPECT_THROW(RopeFrequencies(8, options), std::invalid_argument);
}

//===----------------------------------------------------------------------===//
// Linear, Tensor, ParallelFor
//===----------------------------------------------------------------------===//

TEST(LinearPropertyTest, EqualsTheTripleLoop) {
  std::mt19937 generator(29);
  for (int round = 0; round < 30; ++round) {
    int64_t rows = RandomInt(1, 40, &generator);
    int64_t in = RandomInt(1, 37, &generator);
    int64_t out = RandomInt(1, 9, &generator);
    Tensor<double> x = Random({2, rows, in}, &generator);
    Tensor<double> weight = Random({out, in}, &generator);
    Tensor<double> bias = Random({out}, &generator);
    Tensor<double> y = Linear(x, weight, &bias, 2);
    ASSERT_EQ(y.shape(), (Shape{2, rows, out}));
    for (int64_t n = 0; n < 2 * rows; ++n) {
      for (int64_t o = 0; o < out; ++o) {
        double sum = bias[o];
        for (int64_t i = 0; i < in; ++i) sum += x[n * in + i] * weight.At(o, i);
        ASSERT_NEAR(y[n * out + o], sum, 1e-12);
      }
    }
  }
  Tensor<double> x({2, 3}), weight({4, 5});
  EXPECT_THROW(Linear(x, weight), std::invalid_argument);
}

TEST(Tensor, RefusesImpossibleShapes) {
  EXPECT_THROW(Tensor<double>(Shape{-1}), std::invalid_argument);
  EXPECT_THROW(ElementCount({int64_t{1} << 32, int64_t{1} << 32}),
               std::invalid_argument);
  EXPECT_EQ(ElementCount({int64_t{1} << 32, 0, int64_t{1} << 32}), 0);
  EXPECT_THROW(Tensor<double>({2, 2}, std::vector<double>(3)),
               std::invalid_argument);
  Tensor<double> tensor({2, 3});
  EXPECT_THROW(tensor.At(2, 0), std::invalid_argument);
  EXPECT_THROW(tensor.At(0), std::invalid_argument);
  EXPECT_EQ(Tensor<double>(Shape{}).size(), 1);
}

TEST(ParallelFor, CoversTheRangeOnceAndPassesExceptionsOn) {
  for (int threads : {1, 2, 5}) {
    std::vector<int> hits(101);
    ParallelFor(101, threads, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++hits[i];
    });
    EXPECT_THAT(hits, Each(1));
    EXPECT_THROW(ParallelFor(101, threads,
                             [](int64_t begin, int64_t) {
                               if (begin == 64) throw std::runtime_error("x");
                             }),
                 std::runtime_error);
  }
}

}  // namespace
}  // namespace gsa::reference
