// Selection without scores in memory (#gsa.one_pass_schedule), in emulation:
// against the float64 reference and, where both compute the same scores, bit by
// bit against the schedule that has them in memory. Rows whose candidates are
// too few, too many or not finite take another path, so they get tests of their
// own.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "test/unit/reference_testing.h"
#include "test/unit/select_testing.h"

namespace gsa::testing {
namespace {

struct OnePass {
  bool wgmma = false;
  bool paired = false;  // With wgmma, and an even number of heads.
  int sample = 4, rank = 8, capacity = 64, chunk = 96;
  int exact_chunk = 32;
  bool boxes = false;  // With wgmma.
  int pairs = 2;       // Other than 2 where `paired`.
  int sm_blocks = 0, staged = 10, thread_candidates = 16, bins = 1024;
  std::string others;  // Of the kernels beside the pass.
  std::string others_of_exact, others_of_rows;

  std::string Exact() const {
    return "scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, "
           "stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, "
           "bins = 256, capacity = 64, chunk = " +
           std::to_string(exact_chunk) + others_of_rows + ">" + others_of_exact;
  }
  std::string ToString() const {
    std::string scores =
        wgmma ? "<engine = wgmma, block_q = " +
                    std::string(paired ? "32" : "64") +
                    ", block_k = 64, span = 2, stages = 2, producers = 4, "
                    "consumers = 4, pairs = " +
                    std::to_string(pairs) +
                    (boxes ? ", boxes = true>" : ", boxes = false>")
              : "<engine = mma_sync, block_q = 32, block_k = 32, span = 3, "
                "stages = 2, producers = 1, consumers = 2>";
    return "#gsa.one_pass_schedule<scores = " + scores + ", exact = <" +
           Exact() + ">, sample = " + std::to_string(sample) +
           ", rank = " + std::to_string(rank) +
           ", capacity = " + std::to_string(capacity) +
           ", chunk = " + std::to_string(chunk) +
           ", sm_blocks = " + std::to_string(sm_blocks) +
           ", staged = " + std::to_string(staged) +
           ", thread_candidates = " + std::to_string(thread_candidates) +
           ", candidate_bins = " + std::to_string(bins) + others + ">";
  }
};

Problem LongRows(DType dtype = DType::kBF16) {
  Problem p;
  p.batch = 2;
  p.queries = 70;
  p.keys = 333;
  p.heads = 3;
  p.depth = 20;
  p.dtype = dtype;
  p.options.policy = MakePolicy(KPolicyKind::kFixed, 12, 0, 0);
  p.schedule = OnePass().ToString();
  return p;
}

// Scores that both schedules compute by the same operations.
Problem SameScores() {
  Problem p = LongRows();
  p.options.score_activation = reference::ScoreActivation::kRelu;
  return p;
}

void ExpectSameBits(const Problem& p, const Operands& operands,
                    const OnePass& schedule) {
  ExpectSameSelection(p, operands, schedule.ToString(),
                      "#gsa.select_schedule<" + schedule.Exact() + ">");
}

TEST(EmuOnePassTest, AgreesWithTheReference) {
  std::mt19937 generator(1);
  for (bool wgmma : {false, true}) {
    for (DType dtype : {DType::kBF16, DType::kF16}) {
      Problem p = LongRows(dtype);
      OnePass schedule;
      schedule.wgmma = wgmma;
      p.schedule = schedule.ToString();
      if (dtype == DType::kF16) p.options.mask = reference::Mask::kNone;
      CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
    }
  }
}

// Two heads a fragment: a pair, two of them together, and a third one.
TEST(EmuOnePassTest, PairsOfHeads) {
  std::mt19937 generator(11);
  OnePass schedule;
  schedule.wgmma = schedule.paired = true;
  for (auto [heads, keys] :
       {std::pair<int64_t, int64_t>{2, 333}, {4, 200}, {6, 65}, {10, 130}}) {
    Problem p = LongRows(heads == 4 ? DType::kF16 : DType::kBF16);
    p.heads = heads;
    p.keys = keys;
    p.depth = heads == 2 ? 150 : 20;
    p.has_bias = heads != 4;
    p.has_weights = heads != 6;
    p.schedule = schedule.ToString();
    Operands operands = MakeOperands(p, &generator);
    CheckSelect(p, operands, HopperOptions());
    p.options.policy = MakePolicy(KPolicyKind::kUpstreamVariance, 12, 4, 30);
    CheckSelect(p, operands, HopperOptions());
    p = SameScores();
    p.heads = heads;
    p.options.sink = 3;
    p.options.local = 7;
    ExpectSameBits(p, MakeOperands(p, &generator), schedule);
  }
}

// What a schedule says beside shapes: spans that the host makes, keys in boxes,
// pairs under way together, hits and candidates that are held, bins, steps of
// warps.
TEST(EmuOnePassTest, OtherNumbers) {
  std::mt19937 generator(12);
  OnePass schedule;
  schedule.wgmma = schedule.paired = schedule.boxes = true;
  schedule.sm_blocks = 1;
  schedule.staged = 4;
  schedule.thread_candidates = 2;
  schedule.bins = 256;
  schedule.others = ", sample_blocks = 2, least_span = 1, bound_warps = 24";
  schedule.others_of_exact = ", flagged_spans = 3";
  schedule.others_of_rows = ", sm_warps = 16, step = 64, kept_step = 32";
  int number = 0;
  for (auto [batch, queries, keys, depth, pairs] :
       {std::tuple<int64_t, int64_t, int64_t, int64_t, int>{1, 1300, 1300, 64,
                                                            1},
        {2, 70, 640, 64, 2},
        {1, 40, 333, 128, 3},
        {1, 90, 30, 64, 4},
        {2, 70, 512, 64, 2}}) {
    Problem p = LongRows(number % 2 == 0 ? DType::kBF16 : DType::kF16);
    p.batch = batch;
    p.queries = queries;
    p.keys = keys;
    p.depth = depth;
    p.heads = 6;
    if (number == 2) p.options.mask = reference::Mask::kNone;
    schedule.pairs = pairs;
    schedule.chunk = number == 0 ? 1000 : 96;
    schedule.sm_blocks = (number + 1) % 3;
    p.schedule = schedule.ToString();
    SCOPED_TRACE(p.schedule);
    CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
    p.options.policy = MakePolicy(KPolicyKind::kUpstreamVariance, 12, 4, 30);
    CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
    ++number;
  }
}

TEST(EmuOnePassTest, OddShapes) {
  std::mt19937 generator(2);
  for (auto [queries, keys, slots] :
       {std::tuple<int64_t, int64_t, int64_t>{1, 500, 30},
        {90, 30, 12},
        {333, 333, 12},
        {5, 0, 12},
        {0, 5, 12},
        {40, 65, 64},
        {3, 257, 1}}) {
    Problem p = LongRows();
    p.batch = 1;
    p.queries = queries;
    p.keys = keys;
    p.options.policy.base = slots;
    p.has_bias = keys % 2 == 0;
    p.has_weights = keys % 3 != 0;
    CheckSelect(p, MakeOperands(p, &generator), HopperOptions());
  }
}

// Budgets by variances, which the pass takes from moments. Without a normaliser
// upstream_variance has a round of its own for their mean.
TEST(EmuOnePassTest, BudgetsOfRows) {
  std::mt19937 generator(10);
  for (bool wgmma : {false, true}) {
    for (KPolicyKind kind : {KPolicyKind::kUpstreamVariance,
                             KPolicyKind::kPaperEma, KPolicyKind::kOrth}) {
      Problem p = LongRows();
      OnePass schedule;
      schedule.wgmma = wgmma;
      schedule.rank = 12;
      p.schedule = schedule.ToString();
      p.options.policy = MakePolicy(kind, 12, 4, 30);
      if (kind == KPolicyKind::kPaperEma) p.options.normaliser = 0.05;
      if (wgmma) p.options.mask = reference::Mask::kNone;
      Operands operands = MakeOperands(p, &generator);
      operands.query.At(0, 30, 1, 2) = kNaN;
      operands.key.At(1, 200, 0) = kNaN;
      CheckSelect(p, operands, HopperOptions());
    }
  }
}

// Rows that are selected for the largest budget and trimmed to their own.
TEST(EmuOnePassTest, TrimmedRows) {
  std::mt19937 generator(12);
  for (bool wgmma : {false, true}) {
    Problem p = LongRows();
    OnePass schedule;
    schedule.wgmma = wgmma;
    schedule.rank = 12;
    p.options.policy = MakePolicy(KPolicyKind::kUpstreamVariance, 12, 4, 30);
    Operands operands = MakeOperands(p, &generator);
    operands.query.At(0, 30, 1, 2) = kNaN;
    operands.key.At(1, 200, 0) = kNaN;
    for (auto [sink, local] :
         {std::pair<int64_t, int64_t>{0, 0}, {3, 7}, {20, 15}, {50, 0}}) {
      p.options.sink = sink;
      p.options.local = local;
      // With the smaller room some rows have too many candidates.
      for (int capacity : {64, 48}) {
        schedule.capacity = capacity;
        schedule.others = ", keep = true";
        std::string kept = schedule.ToString();
        schedule.others.clear();
        SCOPED_TRACE(kept);
        ExpectSameSelection(p, operands, kept, schedule.ToString());
        p.schedule = kept;
        if (sink == 3) CheckSelect(p, operands, HopperOptions());
      }
    }
  }
}

TEST(EmuOnePassTest, SameBitsAsScoresInMemory) {
  std::mt19937 generator(3);
  Problem p = SameScores();
  Operands operands = MakeOperands(p, &generator);
  ExpectSameBits(p, operands, {});
  p.options.sink = 3;
  p.options.local = 7;
  ExpectSameBits(p, operands, {});
  p.options.sink = 50;  // More forced cells than slots.
  ExpectSameBits(p, operands, {});
}

TEST(EmuOnePassTest, Ties) {
  std::mt19937 generator(4);
  Problem p = SameScores();
  Operands operands = MakeOperands(p, &generator);
  // A few values of scores: the threshold is one of many equal ones.
  for (double& x : operands.query.values()) x = x > 0.5;
  for (double& x : operands.key.values()) x = x > 1.5;
  for (double& x : operands.weights.values()) x = 0;
  ExpectSameBits(p, operands, {});
  p.options.local = 5;
  ExpectSameBits(p, operands, {});
  for (double& x : operands.key.values()) x = 0;
  ExpectSameBits(p, operands, {});
}

TEST(EmuOnePassTest, ScoresThatAreNotFinite) {
  std::mt19937 generator(5);
  Problem p = LongRows();
  Operands operands = MakeOperands(p, &generator);
  operands.query.At(0, 30, 1, 2) = kNaN;
  operands.weights.At(0, 31, 1) = kNaN;
  operands.query.At(0, 40, 0, 0) = kInfinity;
  operands.key.At(1, 200, 0) = kNaN;
  operands.key.At(1, 300, 3) = -kInfinity;
  operands.key.At(1, 332, 3) = kNaN;
  CheckSelect(p, operands, HopperOptions());
  p = SameScores();
  p.options.score_activation = reference::ScoreActivation::kIdentity;
  p.options.weight_activation = reference::WeightActivation::kIdentity;
  p.options.local = 4;
  ExpectSameBits(p, operands, {});
  // Sums of scores overflow.
  p.options.scale = 1e38;
  ExpectSameBits(p, operands, {});
}

// One head and one column: the score of a key is the key.
Problem GivenScores(int64_t keys) {
  Problem p;
  p.keys = keys;
  p.heads = p.depth = 1;
  p.dtype = DType::kBF16;
  p.has_weights = p.has_bias = false;
  p.options.policy = MakePolicy(KPolicyKind::kFixed, 12, 0, 0);
  p.options.scale = 1;
  p.options.score_activation = reference::ScoreActivation::kIdentity;
  return p;
}

// As many scores above the bound as a list has room for, one less and one more;
// as many as slots, one less and one more.
TEST(EmuOnePassTest, LimitsOfLists) {
  std::mt19937 generator(6);
  OnePass schedule;
  Problem p = GivenScores(400);
  Operands operands = MakeOperands(p, &generator);
  operands.query[0] = 1;
  const int slots = 12;
  for (int high : {slots - 1, slots, slots + 1, schedule.capacity - 1,
                   schedule.capacity, schedule.capacity + 1}) {
    std::vector<int> sampled, others;
    for (int key = 0; key < p.keys; ++key)
      (key % schedule.sample == 0 ? sampled : others).push_back(key);
    std::shuffle(sampled.begin(), sampled.end(), generator);
    std::shuffle(others.begin(), others.end(), generator);
    for (double& x : operands.key.values())
      x = reference::RandomInt(0, 16, &generator) / 16.0;
    // The bound lies between the two kinds of scores.
    auto raise = [&](int key) {
      operands.key[key] = 128 + reference::RandomInt(0, 127, &generator);
    };
    for (int i = 0; i < schedule.rank; ++i) raise(sampled[i]);
    for (int i = 0; i < high - schedule.rank; ++i) raise(others[i]);
    SCOPED_TRACE(high);
    p.schedule = schedule.ToString();
    CheckSelect(p, operands, HopperOptions(), /*exact=*/true);
    ExpectSameBits(p, operands, schedule);
  }
}

// Keys with the period of the sample: it says nothing of the others.
TEST(EmuOnePassTest, PeriodicKeys) {
  std::mt19937 generator(7);
  for (bool sampled_are_high : {false, true}) {
    Problem p = SameScores();
    OnePass schedule;
    Operands operands = MakeOperands(p, &generator);
    for (int64_t b = 0; b < p.batch; ++b)
      for (int64_t key = 0; key < p.keys; ++key)
        for (int64_t d = 0; d < p.depth; ++d)
          if ((key % schedule.sample == 0) != sampled_are_high)
            operands.key.At(b, key, d) *= 0x1p-6;
    ExpectSameBits(p, operands, schedule);
    // Few keys are sampled and high: fewer candidates than slots.
    p.options.policy.base = 60;
    ExpectSameBits(p, operands, schedule);
  }
}

TEST(EmuOnePassTest, NoBitDependsOnTheChunk) {
  std::mt19937 generator(8);
  Problem p = LongRows();
  Operands operands = MakeOperands(p, &generator);
  Outputs whole = RunSelect(p, operands, HopperOptions());
  for (auto [chunk, exact] : {std::pair<int, int>{1, 1}, {33, 64}, {70, 1}}) {
    OnePass schedule;
    schedule.chunk = chunk;
    schedule.exact_chunk = exact;
    p.schedule = schedule.ToString();
    Outputs parts = RunSelect(p, operands, HopperOptions());
    EXPECT_EQ(whole.indices, parts.indices) << chunk;
    EXPECT_EQ(whole.counts, parts.counts) << chunk;
  }
}

TEST(EmuOnePassTest, NoDataRace) {
  std::mt19937 generator(9);
  Problem p = SameScores();
  p.batch = 1;
  p.options.local = 2;
  Operands operands = MakeOperands(p, &generator);
  operands.query.At(0, 3, 1, 2) = kNaN;
  for (bool wgmma : {false, true}) {
    OnePass schedule;
    schedule.wgmma = wgmma;
    p.schedule = schedule.ToString();
    CheckSelect(p, operands, HopperOptions(true));
  }
  OnePass paired;
  paired.wgmma = paired.paired = true;
  p.heads = 4;
  p.schedule = paired.ToString();
  CheckSelect(p, MakeOperands(p, &generator), HopperOptions(true));
}

}  // namespace
}  // namespace gsa::testing
