// gsa.select and gsa.index_scores, compiled for the CPU, against the float64
// reference: odd shapes, all policies, ties, NaN, forced keys, all element
// types; and what must not change a single bit: the number of tasks, other
// batch elements, later tokens.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "test/unit/select_testing.h"

namespace gsa::testing {
namespace {

class RandomSelectTest : public ::testing::TestWithParam<int> {};

TEST_P(RandomSelectTest, AgreesWithTheReference) {
  std::mt19937 generator(GetParam());
  constexpr int kBits[] = {512, 256, 128};
  for (int i = 0; i < 6; ++i) {
    Problem p = RandomProblem(&generator);
    Operands operands = MakeOperands(p, &generator);
    CheckSelect(p, operands, CpuOptions(1 + i % 3, kBits[i % 3]));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSelectTest, ::testing::Range(0, 10));

TEST(LowerSelectTest, ManyKeys) {
  std::mt19937 generator(1);
  for (KPolicyKind kind : {KPolicyKind::kFixed, KPolicyKind::kUpstreamVariance,
                           KPolicyKind::kEntropy, KPolicyKind::kOrth}) {
    Problem p;
    p.queries = 19;
    p.keys = 1500;
    p.heads = 4;
    p.depth = 64;
    p.options.policy = MakePolicy(kind, 200, 50, 400);
    CheckSelect(p, MakeOperands(p, &generator), CpuOptions(2));
  }
}

TEST(LowerSelectTest, EmptyRowsAndEmptyTensors) {
  std::mt19937 generator(2);
  for (auto [queries, keys] :
       {std::pair<int64_t, int64_t>{9, 3}, {1, 1}, {5, 0}, {0, 5}, {33, 1}}) {
    Problem p;
    p.batch = 2;
    p.queries = queries;
    p.keys = keys;
    p.heads = 2;
    p.options.sink = p.options.local = 1;
    for (KPolicyKind kind :
         {KPolicyKind::kFixed, KPolicyKind::kUpstreamVariance,
          KPolicyKind::kEntropy}) {
      p.options.policy = MakePolicy(kind, 4, 2, 6);
      CheckSelect(p, MakeOperands(p, &generator), CpuOptions(2));
    }
  }
}

// Queries of zeros: every score of a row is equal, so the first keys win.
TEST(LowerSelectTest, EqualScoresKeepTheSmallestIndices) {
  std::mt19937 generator(3);
  Problem p;
  p.batch = 2;
  p.queries = 37;
  p.keys = 77;
  p.heads = 3;
  p.depth = 8;
  for (auto activation :
       {reference::ScoreActivation::kSigmoid, reference::ScoreActivation::kRelu,
        reference::ScoreActivation::kIdentity}) {
    for (int64_t base : {1, 15, 16, 17, 50}) {
      p.options.score_activation = activation;
      p.options.policy = MakePolicy(KPolicyKind::kFixed, base, 1, 1);
      Operands operands = MakeOperands(p, &generator);
      std::fill(operands.query.values().begin(), operands.query.values().end(),
                0.0);
      CheckSelect(p, operands, CpuOptions(2), /*exact=*/true);
    }
  }
}

// Small integers make every score exact, with many ties at many values; ReLU
// turns half of them into zeros, some of them -0.
TEST(LowerSelectTest, ExactScoresWithManyTies) {
  std::mt19937 generator(4);
  for (int64_t seed = 0; seed < 6; ++seed) {
    Problem p;
    p.queries = 30;
    p.keys = 130;
    p.heads = 2;
    p.depth = 3;
    p.has_weights = false;
    p.dtype = seed % 2 ? DType::kBF16 : DType::kF32;
    p.options.scale = 1.0;
    p.options.score_activation = seed < 3
                                     ? reference::ScoreActivation::kRelu
                                     : reference::ScoreActivation::kIdentity;
    p.options.policy = MakePolicy(KPolicyKind::kFixed, 7 + 9 * seed, 1, 1);
    p.options.sink = seed;
    p.options.local = 2 * seed;
    Operands operands = MakeOperands(p, &generator);
    for (Doubles* tensor : {&operands.query, &operands.key, &operands.bias})
      for (double& value : tensor->values()) value = std::round(value);
    CheckSelect(p, operands, CpuOptions(2, seed % 2 ? 256 : 512),
                /*exact=*/true);
  }
}

TEST(LowerSelectTest, ForcedKeysBeyondTheBudget) {
  std::mt19937 generator(5);
  Problem p;
  p.queries = 20;
  p.keys = 50;
  p.heads = 2;
  for (auto [sink, local] : {std::pair<int64_t, int64_t>{30, 30},
                             {0, 1000},
                             {1000, 0},
                             {3, 3},
                             {8, 0}}) {
    p.options.sink = sink;
    p.options.local = local;
    p.options.policy = MakePolicy(KPolicyKind::kFixed, 8, 1, 1);
    CheckSelect(p, MakeOperands(p, &generator), CpuOptions(1));
  }
}

// A NaN key or query: those cells are left out and counted, no other row
// changes. Infinite scores are visible and come first; -inf is not visible.
TEST(LowerSelectTest, NanAndInfinity) {
  std::mt19937 generator(6);
  for (KPolicyKind kind : {KPolicyKind::kFixed, KPolicyKind::kEntropy,
                           KPolicyKind::kUpstreamVariance}) {
    Problem p;
    p.batch = 2;
    p.queries = p.keys = 40;
    p.heads = 2;
    p.options.policy = MakePolicy(kind, 6, 2, 9);
    p.options.local = 2;
    Operands operands = MakeOperands(p, &generator);
    Outputs clean = RunSelect(p, operands, CpuOptions(1));
    operands.query.At(0, 30, 1, 2) = kNaN;
    operands.key.At(1, 17, 0) = kNaN;
    CheckSelect(p, operands, CpuOptions(2));
    if (p.options.policy.UsesNormaliser()) continue;  // Rows are coupled.
    Outputs dirty = RunSelect(p, operands, CpuOptions(1));
    for (int64_t t = 0; t < 40; ++t) {
      if (t == 30) continue;
      EXPECT_EQ(clean.counts.At(0, t), dirty.counts.At(0, t));
      for (int64_t i = 0; i < p.options.policy.Slots(); ++i)
        EXPECT_EQ(clean.indices.At(0, t, i), dirty.indices.At(0, t, i));
    }
  }
  Problem p;
  p.queries = 3;
  p.keys = 40;
  p.has_weights = p.has_bias = false;
  p.options.score_activation = reference::ScoreActivation::kIdentity;
  p.options.mask = reference::Mask::kNone;
  p.options.policy = MakePolicy(KPolicyKind::kFixed, 38, 1, 1);
  Operands operands = MakeOperands(p, &generator);
  for (double& value : operands.query.values()) value = 1.0;
  operands.key.At(0, 35, 0) = kInfinity;
  operands.key.At(0, 36, 0) = -kInfinity;
  operands.key.At(0, 37, 0) = kNaN;
  CheckSelect(p, operands, CpuOptions(1));
  p.options.policy = MakePolicy(KPolicyKind::kFixed, 1, 1, 1);
  CheckSelect(p, operands, CpuOptions(1));
}

// The variance of upstream_variance is that of a sample, over N - 1. Where it
// is divided by the mean of variances nothing shows which one it is; where the
// normaliser is given, budgets do.
TEST(LowerSelectTest, TheVarianceOfASample) {
  std::mt19937 generator(9);
  const Problem p = SampleVarianceProblem();
  const Operands operands = MakeOperands(p, &generator);
  CheckSelect(p, operands, CpuOptions(1));
  CompileOptions definitions = CpuOptions(1);
  definitions.reference = true;
  CheckSelect(p, operands, definitions);
}

TEST(LowerSelectTest, LargeScores) {
  CheckLargeScores(CpuOptions(2));
  CheckLargeScores(CpuOptions(1, 128));
  CompileOptions definitions = CpuOptions(1);
  definitions.reference = true;
  CheckLargeScores(definitions);
}

TEST(LowerSelectTest, ExplicitSchedules) {
  std::mt19937 generator(7);
  for (const char* schedule :
       {"tasks = 1, lanes = 1, rows = 1, vectors = 1",
        "tasks = 3, lanes = 4, rows = 5, vectors = 3",
        "tasks = 5, lanes = 64, rows = 2, vectors = 1",
        "tasks = 2, lanes = 8, rows = 1, vectors = 7",
        "tasks = 64, lanes = 2, rows = 7, vectors = 2"}) {
    Problem p;
    p.batch = 2;
    p.queries = 23;
    p.keys = 61;
    p.heads = 2;
    p.depth = 5;
    p.schedule = std::string("#gsa.cpu_schedule<") + schedule + ">";
    p.options.policy = MakePolicy(KPolicyKind::kUpstreamVariance, 10, 3, 14);
    CheckSelect(p, MakeOperands(p, &generator), CpuOptions(2));
  }
}

//===----------------------------------------------------------------------===//
// What must not change a bit
//===----------------------------------------------------------------------===//

Problem InvarianceProblem(KPolicyKind kind) {
  Problem p;
  p.batch = 2;
  p.queries = p.keys = 53;
  p.heads = 3;
  p.depth = 16;
  p.options.policy = MakePolicy(kind, 12, 4, 30);
  if (kind == KPolicyKind::kPaperEma) p.options.normaliser = 0.01;
  return p;
}

TEST(LowerSelectInvarianceTest, Tasks) {
  std::mt19937 generator(8);
  for (KPolicyKind kind :
       {KPolicyKind::kUpstreamVariance, KPolicyKind::kEntropy}) {
    Problem p = InvarianceProblem(kind);
    Operands operands = MakeOperands(p, &generator);
    Outputs one = RunSelect(p, operands, CpuOptions(1));
    for (int tasks : {2, 3, 16}) {
      Outputs many = RunSelect(p, operands, CpuOptions(tasks));
      EXPECT_EQ(one.indices, many.indices) << tasks;
      EXPECT_EQ(one.counts, many.counts) << tasks;
    }
  }
}

// Element 1 of a batch alone gives what it gives beside element 0.
TEST(LowerSelectInvarianceTest, OtherBatchElements) {
  std::mt19937 generator(9);
  Problem p = InvarianceProblem(KPolicyKind::kPaperEma);
  Operands operands = MakeOperands(p, &generator);
  Outputs both = RunSelect(p, operands, CpuOptions(1));
  auto second = [](const Doubles& tensor) {
    reference::Shape shape = tensor.shape();
    shape[0] = 1;
    auto half = tensor.values().begin() + tensor.size() / 2;
    return Doubles(shape, std::vector<double>(half, tensor.values().end()));
  };
  Problem alone = p;
  alone.batch = 1;
  Outputs single = RunSelect(alone,
                             {second(operands.query), second(operands.key),
                              second(operands.weights), operands.bias},
                             CpuOptions(1));
  for (int64_t t = 0; t < p.queries; ++t) {
    EXPECT_EQ(both.counts.At(1, t), single.counts.At(0, t));
    for (int64_t i = 0; i < p.options.policy.Slots(); ++i)
      EXPECT_EQ(both.indices.At(1, t, i), single.indices.At(0, t, i));
  }
}

// A change of the tokens from 31 on leaves the rows before 31 as they are.
TEST(LowerSelectInvarianceTest, LaterTokens) {
  constexpr int64_t kKept = 31;
  std::mt19937 generator(10);
  for (KPolicyKind kind : {KPolicyKind::kFixed, KPolicyKind::kPaperEma,
                           KPolicyKind::kEntropy, KPolicyKind::kOrth}) {
    Problem p = InvarianceProblem(kind);
    Operands operands = MakeOperands(p, &generator);
    Outputs before = RunSelect(p, operands, CpuOptions(1));
    for (int64_t b = 0; b < p.batch; ++b) {
      for (int64_t t = kKept; t < p.queries; ++t) {
        for (int64_t d = 0; d < p.depth; ++d) {
          operands.key.At(b, t, d) = 1e20;
          operands.query.At(b, t, 0, d) = kNaN;
        }
      }
    }
    Outputs after = RunSelect(p, operands, CpuOptions(1));
    for (int64_t b = 0; b < p.batch; ++b) {
      for (int64_t t = 0; t < kKept; ++t) {
        EXPECT_EQ(before.counts.At(b, t), after.counts.At(b, t));
        for (int64_t i = 0; i < p.options.policy.Slots(); ++i)
          EXPECT_EQ(before.indices.At(b, t, i), after.indices.At(b, t, i));
      }
    }
  }
}

// The last queries alone, against all keys, as when a prompt is processed in
// chunks or token by token. Few queries take another order of loops.
TEST(LowerSelectInvarianceTest, QueriesInChunks) {
  std::mt19937 generator(12);
  for (KPolicyKind kind : {KPolicyKind::kFixed, KPolicyKind::kPaperEma}) {
    Problem p = InvarianceProblem(kind);
    p.batch = 1;
    Operands operands = MakeOperands(p, &generator);
    Outputs whole = RunSelect(p, operands, CpuOptions(2));
    for (int64_t chunk : {1, 4, 20}) {
      auto last = [&](const Doubles& tensor) {
        reference::Shape shape = tensor.shape();
        int64_t row = tensor.size() / shape[1];
        shape[1] = chunk;
        return Doubles(shape,
                       std::vector<double>(tensor.values().end() - chunk * row,
                                           tensor.values().end()));
      };
      Problem part = p;
      part.queries = chunk;
      Outputs outputs = RunSelect(part,
                                  {last(operands.query), operands.key,
                                   last(operands.weights), operands.bias},
                                  CpuOptions(3));
      for (int64_t i = 0; i < chunk; ++i) {
        int64_t t = p.queries - chunk + i;
        EXPECT_EQ(whole.counts.At(0, t), outputs.counts.At(0, i));
        for (int64_t slot = 0; slot < p.options.policy.Slots(); ++slot)
          EXPECT_EQ(whole.indices.At(0, t, slot),
                    outputs.indices.At(0, i, slot));
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// gsa.index_scores
//===----------------------------------------------------------------------===//

TEST(LowerIndexScoresTest, AgreesWithTheReference) {
  std::mt19937 generator(11);
  constexpr int kBits[] = {512, 256, 128};
  for (int i = 0; i < 12; ++i) {
    Problem p = RandomProblem(&generator);
    Operands operands = MakeOperands(p, &generator);
    if (i % 4 == 0) operands.key[0] = kNaN;
    CheckScores(p, operands, CpuOptions(1 + i % 3, kBits[i % 3]));
  }
}

}  // namespace
}  // namespace gsa::testing
