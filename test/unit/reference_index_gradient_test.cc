//===- reference_index_gradient_test.cc - the indexer's loss --------------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "test/reference/DenseAttention.h"
#include "test/reference/IndexGradient.h"
#include "test/reference/Math.h"
#include "test/unit/differences_testing.h"

namespace gsa::reference {
namespace {

struct Sizes {
  int64_t batch, queries, keys, heads, depth, slots;
};

// One of everything; more slots than keys, so that keys are listed twice; more
// queries than keys, so that rows see none; no slots; no keys.
constexpr Sizes kSizes[] = {{1, 1, 1, 1, 1, 1},
                            {2, 3, 5, 4, 3, 4},
                            {1, 4, 3, 2, 5, 6},
                            {1, 3, 4, 2, 2, 0},
                            {1, 2, 0, 2, 3, 2}};

/// The indexer, the attention that it learns, and lists.
struct Case {
  Case(const Sizes& z, std::mt19937* generator)
      : query(Random({z.batch, z.queries, z.heads, z.depth}, generator)),
        key(Random({z.batch, z.keys, z.depth}, generator)),
        weights(Random({z.batch, z.queries, z.heads}, generator)),
        bias(Random({z.heads}, generator)),
        q(Random({z.batch, z.queries, 4, 3}, generator)),
        k(Random({z.batch, z.keys, 2, 3}, generator)),
        indices({z.batch, z.queries, z.slots}),
        counts({z.batch, z.queries}),
        lengths({z.batch}) {
    for (int32_t& s : indices.values()) s = RandomInt(-1, z.keys, generator);
    for (int32_t& n : counts.values())
      n = RandomInt(-1, z.slots + 1, generator);
    for (int32_t& n : lengths.values())
      n = RandomInt(-1, z.keys + 1, generator);
    Attend();
  }

  /// The log-sum-exp of attention over all keys, whatever the loss is over.
  void Attend() {
    DenseAttentionOptions options;
    options.mask = Mask::kNone;
    lse = DenseAttention({q, k, k}, options).lse;
  }

  IndexOperands operands(bool has_lengths) const {
    return {query, key, has_weights ? &weights : nullptr,
            has_weights ? &bias : nullptr, has_lengths ? &lengths : nullptr};
  }
  TargetOperands target() const { return {q, k, lse}; }
  IndexLists lists() const { return {indices, counts}; }

  void ExpectAll(const IndexGradients& gradients,
                 const std::function<double()>& loss) {
    ExpectDifferences("query", &query, gradients.query, loss);
    ExpectDifferences("key", &key, gradients.key, loss);
    if (!has_weights) return;
    ExpectDifferences("weights", &weights, gradients.weights, loss);
    ExpectDifferences("bias", &bias, gradients.bias, loss);
  }

  Tensor<double> query, key, weights, bias, q, k, lse;
  Tensor<int32_t> indices, counts, lengths;
  bool has_weights = true;
};

IndexScoresOptions Scores(int choice) {
  IndexScoresOptions options;
  if (choice == 1) {
    options.score_activation = ScoreActivation::kRelu;
    options.weight_activation = WeightActivation::kIdentity;
    options.mask = Mask::kNone;
  } else if (choice == 2) {
    options.score_activation = ScoreActivation::kIdentity;
    options.scale = -0.6;
  }
  return options;
}

TEST(IndexGradient, OfAllScoresIsThatOfDifferences) {
  std::mt19937 generator(1);
  for (const Sizes& sizes : kSizes) {
    for (int choice : {0, 1, 2}) {
      for (bool has_lengths : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << "Sq " << sizes.queries << " Sk " << sizes.keys
                     << " choice " << choice << " lengths " << has_lengths);
        Case c(sizes, &generator);
        c.has_weights = choice != 2;
        IndexOperands operands = c.operands(has_lengths);
        IndexGradientOptions options{Scores(choice)};
        Tensor<double> grad =
            Random({sizes.batch, sizes.queries, sizes.keys}, &generator);
        c.ExpectAll(IndexScoresGradient(operands, grad, options), [&] {
          return Inner(IndexScores(operands, options.scores), grad);
        });
      }
    }
  }
}

TEST(IndexGradient, OfListedScoresIsThatOfDifferences) {
  std::mt19937 generator(2);
  for (const Sizes& sizes : kSizes) {
    for (int choice : {0, 1, 2}) {
      SCOPED_TRACE(testing::Message() << "Sk " << sizes.keys << " K "
                                      << sizes.slots << " choice " << choice);
      Case c(sizes, &generator);
      IndexLists lists = c.lists();
      IndexGradientOptions options{Scores(choice), &lists};
      Tensor<double> grad =
          Random({sizes.batch, sizes.queries, sizes.slots}, &generator);
      IndexOperands operands = c.operands(true);
      auto loss = [&] {
        IndexScoresOptions all = options.scores;
        all.mask = Mask::kNone;
        Tensor<double> scores = IndexScores(c.operands(false), all);
        double sum = 0.0;
        for (int64_t b = 0; b < sizes.batch; ++b) {
          int64_t limit = std::clamp<int64_t>(c.lengths[b], 0, sizes.keys);
          for (int64_t t = 0; t < sizes.queries; ++t) {
            int64_t count =
                std::min<int64_t>(c.counts.Slice(b)[t], sizes.slots);
            for (int64_t i = 0; i < count; ++i) {
              int32_t s = c.indices.Slice(b, t)[i];
              if (s < 0 || s >= limit) continue;
              sum += grad.Slice(b, t)[i] * scores.Slice(b, t)[s];
            }
          }
        }
        return sum;
      };
      c.ExpectAll(IndexScoresGradient(operands, grad, options), loss);
    }
  }
}

TEST(IndexKl, GradientIsThatOfDifferences) {
  std::mt19937 generator(3);
  for (const Sizes& sizes : kSizes) {
    for (bool is_listed : {false, true}) {
      for (KlTarget target : {KlTarget::kSum, KlTarget::kMean}) {
        for (int choice : {0, 1, 2}) {
          SCOPED_TRACE(testing::Message()
                       << "Sk " << sizes.keys << " K " << sizes.slots
                       << " listed " << is_listed << " target "
                       << static_cast<int>(target) << " choice " << choice);
          Case c(sizes, &generator);
          IndexLists lists = c.lists();
          IndexKlOptions options;
          options.index = {Scores(choice), is_listed ? &lists : nullptr};
          options.target = target;
          options.temperature = choice == 1 ? 2.5 : 0.25;
          if (choice == 2) options.clip = 0.5;
          if (choice == 1) options.softmax_scale = 0.8;
          IndexOperands operands = c.operands(choice == 1);
          Tensor<double> grad =
              Random({sizes.batch, sizes.queries}, &generator);
          c.ExpectAll(
              IndexKlGradient(operands, c.target(), grad, options), [&] {
                return Inner(IndexKl(operands, c.target(), options), grad);
              });
        }
      }
    }
  }
}

TEST(IndexKl, IsZeroWhereTheIndexerIsAttention) {
  // One head of each, of one size, without activations: the scores are the
  // logits. A row that sees no key has no loss either.
  std::mt19937 generator(4);
  Tensor<double> query = Random({1, 4, 1, 3}, &generator);
  Tensor<double> key = Random({1, 3, 3}, &generator);
  Tensor<double> key4({1, 3, 1, 3});
  std::copy_n(key.data(), key.size(), key4.data());
  DenseAttentionOptions attention;
  Tensor<double> lse = DenseAttention({query, key4, key4}, attention).lse;
  ASSERT_EQ(lse[0], -kInfinity);
  IndexKlOptions options;
  options.index.scores.score_activation = ScoreActivation::kIdentity;
  Tensor<double> loss = IndexKl({query, key}, {query, key4, lse}, options);
  for (double x : loss.values()) EXPECT_NEAR(x, 0.0, 1e-15);
  // With another temperature it is no longer so, and never negative.
  options.temperature = 0.5;
  loss = IndexKl({query, key}, {query, key4, lse}, options);
  EXPECT_EQ(loss[0], 0.0);
  EXPECT_NEAR(loss[1], 0.0, 1e-15);
  for (int64_t t : {2, 3}) EXPECT_GT(loss[t], 1e-4);
}

TEST(IndexKl, TargetsAreOneWithTheLseOfTheSupport) {
  std::mt19937 generator(5);
  Case c({2, 3, 5, 2, 3, 4}, &generator);
  IndexKlOptions sum, mean;
  sum.index.scores.mask = mean.index.scores.mask = Mask::kNone;
  mean.target = KlTarget::kMean;
  Tensor<double> one = IndexKl(c.operands(false), c.target(), sum);
  Tensor<double> other = IndexKl(c.operands(false), c.target(), mean);
  for (int64_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], other[i], 1e-13);
  // Over fewer keys heads count by what they have there.
  IndexLists lists = c.lists();
  c.indices = Tensor<int32_t>({2, 3, 4}, 0);
  for (int64_t i = 0; i < c.indices.size(); ++i)
    c.indices[i] = static_cast<int32_t>(i % 3);
  c.counts = Tensor<int32_t>({2, 3}, 3);
  sum.index.lists = mean.index.lists = &lists;
  one = IndexKl(c.operands(false), c.target(), sum);
  other = IndexKl(c.operands(false), c.target(), mean);
  EXPECT_GT(std::abs(one[0] - other[0]), 1e-5);
}

TEST(IndexKl, OfTheLseOnlyDifferencesCount) {
  // That of attention over other keys may be far from the logits of these.
  std::mt19937 generator(9);
  Case c({2, 3, 5, 2, 3, 4}, &generator);
  Tensor<double> grad = Random({2, 3}, &generator);
  for (KlTarget target : {KlTarget::kSum, KlTarget::kMean}) {
    IndexKlOptions options;
    options.target = target;
    c.Attend();
    Tensor<double> loss = IndexKl(c.operands(false), c.target(), options);
    IndexGradients gradients =
        IndexKlGradient(c.operands(false), c.target(), grad, options);
    for (double far : {3000.0, -6000.0}) {
      for (double& x : c.lse.values()) x += far;
      Tensor<double> same = IndexKl(c.operands(false), c.target(), options);
      IndexGradients others =
          IndexKlGradient(c.operands(false), c.target(), grad, options);
      for (int64_t i = 0; i < loss.size(); ++i)
        EXPECT_NEAR(same[i], loss[i], 1e-11);
      for (int64_t i = 0; i < gradients.key.size(); ++i)
        EXPECT_NEAR(others.key[i], gradients.key[i], 1e-11);
    }
  }
}

TEST(IndexKl, ClipBoundsTheLoss) {
  std::mt19937 generator(6);
  Case c({1, 3, 5, 2, 3, 4}, &generator);
  IndexKlOptions options;
  options.index.scores = Scores(2);
  options.temperature = 0.01;
  Tensor<double> free = IndexKl(c.operands(false), c.target(), options);
  options.clip = 2.0;
  Tensor<double> cut = IndexKl(c.operands(false), c.target(), options);
  EXPECT_GT(*std::max_element(free.values().begin(), free.values().end()), 2.0);
  for (int64_t i = 0; i < cut.size(); ++i)
    EXPECT_LE(cut[i], std::min(free[i], 2.0) + 1e-14);
}

TEST(IndexKl, NanTouchesOnlyWhatDependsOnIt) {
  std::mt19937 generator(7);
  Case c({1, 3, 6, 2, 3, 2}, &generator);
  // Row 0 lists keys 0 and 1, row 1 keys 2 and 3, row 2 key 4 and none.
  c.indices = Tensor<int32_t>({1, 3, 2}, {0, 1, 2, 3, 4, -1});
  c.counts = Tensor<int32_t>({1, 3}, 2);
  c.query.At(0, 1, 0, 0) = kNan;
  IndexLists lists = c.lists();
  IndexKlOptions options;
  options.index.lists = &lists;
  Tensor<double> loss = IndexKl(c.operands(false), c.target(), options);
  for (int64_t t : {0, 1, 2}) EXPECT_EQ(std::isnan(loss[t]), t == 1) << t;
  IndexGradients gradients = IndexKlGradient(
      c.operands(false), c.target(), Tensor<double>({1, 3}, 1.0), options);
  for (int64_t t : {0, 1, 2})
    EXPECT_EQ(std::isnan(gradients.query.At(0, t, 0, 0)), t == 1) << t;
  for (int64_t s = 0; s < 6; ++s)
    EXPECT_EQ(std::isnan(gradients.key.At(0, s, 0)), s == 2 || s == 3) << s;
}

TEST(IndexKl, ThreadsDoNotChangeABit) {
  std::mt19937 generator(8);
  Case c({3, 7, 6, 3, 4, 5}, &generator);
  IndexKlOptions options;
  Tensor<double> grad = Random({3, 7}, &generator);
  Tensor<double> loss = IndexKl(c.operands(true), c.target(), options);
  IndexGradients one =
      IndexKlGradient(c.operands(true), c.target(), grad, options);
  options.index.scores.num_threads = 4;
  IndexGradients other =
      IndexKlGradient(c.operands(true), c.target(), grad, options);
  EXPECT_EQ(loss, IndexKl(c.operands(true), c.target(), options));
  EXPECT_EQ(one.query, other.query);
  EXPECT_EQ(one.key, other.key);
  EXPECT_EQ(one.weights, other.weights);
  EXPECT_EQ(one.bias, other.bias);
}

}  // namespace
}  // namespace gsa::reference
