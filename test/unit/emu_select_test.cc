// Selection as the kernels of the GPU do it, in emulation, against the float64
// reference: what rows of scores may hold, the limits of every buffer of the
// top-k kernel, all policies, and that no bit depends on the chunk of queries.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "test/reference/RowStatistics.h"
#include "test/reference/TopK.h"
#include "test/unit/reference_testing.h"
#include "test/unit/select_testing.h"

namespace gsa::testing {
namespace {

CompileOptions EmuOptions(bool thread_sanitizer = false) {
  CompileOptions options;
  options.target = "emu";
  options.opt_level = 0;
  options.thread_sanitizer = thread_sanitizer;
  return options;
}

constexpr int kCapacity = 64;

std::string TopKSchedule(int warps = 3, int bins = 256,
                         int capacity = kCapacity) {
  return "#gsa.topk_schedule<warps = " + std::to_string(warps) +
         ", bins = " + std::to_string(bins) +
         ", capacity = " + std::to_string(capacity) + ", chunk = 4>";
}

//===----------------------------------------------------------------------===//
// Rows of scores
//===----------------------------------------------------------------------===//

// A row of `n` scores that only the largest of `outliers` linear bins tells
// apart: `crowd` of them lie next to 1 and one far above.
std::vector<double> CrowdedRow(int64_t n, int64_t crowd,
                               std::mt19937* generator) {
  std::vector<double> row(n, -kInfinity);
  for (int64_t i = 0; i < std::min(crowd, n); ++i)
    row[i] = 1.0 + 1.2e-7 * reference::RandomInt(0, 40, generator);
  if (crowd < n) row[crowd] = 1e6;
  std::shuffle(row.begin(), row.end(), *generator);
  return row;
}

double RandomScore(int kind, int64_t i, int64_t n, std::mt19937* generator) {
  double u = std::uniform_real_distribution<double>(0, 4)(*generator);
  double g = std::normal_distribution<double>()(*generator);
  switch (kind) {
    case 1:
      return 1.5;
    case 2:
      return std::floor(3 * u);
    case 3:
      return u < 1 ? -kInfinity : u;
    case 4:
      return u < 1 ? kNaN : u;
    case 5:
      return u < 2 ? 0.0 : -0.0;
    case 6:
      return u < 1 ? kInfinity : g;
    case 7:
      return 1e38 * g;
    case 8:
      return 1e-42 * g;
    case 9:
      return -kInfinity;
    case 10:
      return i < n / 2 ? g : -kInfinity;
    case 11:
      return kNaN;
    default:
      return u;
  }
}

// One row of each kind, and rows whose crowded bin and the cell above it hold
// as many cells as the kernel has room for, one less, and some more.
Doubles OddScores(int64_t n, std::mt19937* generator) {
  std::vector<double> values;
  int64_t rows = 0;
  for (int kind = 0; kind < 12; ++kind, ++rows)
    for (int64_t i = 0; i < n; ++i)
      values.push_back(static_cast<float>(RandomScore(kind, i, n, generator)));
  for (int64_t crowd :
       {kCapacity - 2, kCapacity - 1, kCapacity, kCapacity + 1}) {
    for (double x : CrowdedRow(n, crowd, generator))
      values.push_back(static_cast<float>(x));
    ++rows;
  }
  return Doubles({1, rows, n}, std::move(values));
}

Ints OddBudgets(int64_t rows, int64_t slots, int64_t n,
                std::mt19937* generator) {
  const int64_t choices[] = {-3,    0,         1,     slots / 2, slots - 1,
                             slots, slots + 5, n - 1, n,         n + 1};
  std::vector<int32_t> budgets(rows);
  for (int32_t& k : budgets)
    k = static_cast<int32_t>(choices[reference::RandomInt(0, 9, generator)]);
  return Ints({1, rows}, std::move(budgets));
}

std::string TopKText(int64_t rows, int64_t n,
                     const reference::TopKOptions& options,
                     const std::string& schedule) {
  std::string scores = TypeText({1, rows, n}, "f32");
  std::string row = TypeText({1, rows}, "i32");
  std::string results =
      TypeText({1, rows, options.slots}, "i32") + ", " + row + ", " + row;
  bool by_score = options.order == reference::IndexOrder::kScore;
  return "func.func @main(%s: " + scores + ", %k: " + row + ") -> (" + results +
         ") {\n  %r:3 = gsa.topk %s, %k slots " +
         std::to_string(options.slots) +
         " {sink = " + std::to_string(options.sink) +
         " : i64, local = " + std::to_string(options.local) +
         " : i64, order = #gsa.index_order<" + (by_score ? "score" : "index") +
         ">, gsa.schedule = " + schedule + "} : (" + scores + ", " + row +
         ") -> (" + results + ")\n  return %r#0, %r#1, %r#2 : " + results +
         "\n}\n";
}

HostTensor IntsToHost(const Ints& tensor) {
  auto host =
      HostTensor::FromValues<int32_t>("", tensor.shape(), tensor.values());
  EXPECT_TRUE(host.ok()) << host.status();
  return std::move(*host);
}

void CheckTopK(const Doubles& scores, const Ints& k,
               const reference::TopKOptions& options,
               const std::string& schedule, bool thread_sanitizer = false) {
  int64_t rows = scores.shape()[1], n = scores.shape()[2];
  SCOPED_TRACE("n " + std::to_string(n) + " slots " +
               std::to_string(options.slots) + " " + schedule);
  std::vector<HostTensor> inputs;
  inputs.push_back(ToHost(scores, DType::kF32));
  inputs.push_back(IntsToHost(k));
  std::vector<HostTensor> outputs =
      CompileAndRun(TopKText(rows, n, options, schedule), inputs,
                    EmuOptions(thread_sanitizer));
  ASSERT_EQ(outputs.size(), 3u);
  reference::TopKResult expected = reference::TopK(scores, k, options);
  EXPECT_EQ(ToInts(outputs[0]), expected.indices);
  EXPECT_EQ(ToInts(outputs[1]), expected.counts);
  EXPECT_EQ(ToInts(outputs[2]), expected.status);
}

void CheckTopK(int64_t n, const reference::TopKOptions& options,
               std::mt19937* generator, bool thread_sanitizer = false) {
  Doubles scores = OddScores(n, generator);
  Ints k = OddBudgets(scores.shape()[1], options.slots, n, generator);
  CheckTopK(scores, k, options, TopKSchedule(), thread_sanitizer);
}

// Rows of `n` scores for budgets of 20 cells: as many to keep as there is room
// for, one more, all equal, the best ones in the first and in the last part,
// and the cells of one bin all over the row, with ties.
Doubles RowsAtTheLimit(int64_t n, int64_t capacity, std::mt19937* generator) {
  std::vector<double> values = CrowdedRow(n, capacity - 1, generator);
  auto append = [&](auto score) {
    for (int64_t i = 0; i < n; ++i)
      values.push_back(static_cast<float>(score(i)));
  };
  std::vector<double> over = CrowdedRow(n, capacity, generator);
  for (double& x : values) x = static_cast<float>(x);
  auto uniform = [&] {
    return std::uniform_real_distribution<double>(0, 1)(*generator);
  };
  append([&](int64_t i) { return over[i]; });
  append([](int64_t) { return 1.5; });
  append([&](int64_t i) { return uniform() + (i < 25 ? 5 : 0); });
  append([&](int64_t i) { return uniform() + (i >= n - 25 ? 5 : 0); });
  append([&](int64_t) { return std::floor(40 * uniform()); });
  return Doubles({1, 6, n}, std::move(values));
}

// Nothing depends on how a row is shared out and where its cells are kept.
TEST(EmuTopKTest, AnySchedule) {
  std::mt19937 generator(11);
  struct Parts {
    int warps, bins, capacity;
  };
  for (Parts parts : {Parts{1, 256, 32}, Parts{2, 512, 33}, Parts{5, 256, 100},
                      Parts{8, 2048, 2048}, Parts{32, 1024, 4096}}) {
    reference::TopKOptions options;
    options.slots = 24;
    std::string schedule =
        TopKSchedule(parts.warps, parts.bins, parts.capacity);
    // Less than a step, whole steps, an odd and an even number of them.
    int64_t round = int64_t{256} * parts.warps;
    for (int64_t n : {int64_t{40}, round, 2 * round + 1, 3 * round + 77}) {
      Doubles scores = RowsAtTheLimit(n, parts.capacity, &generator);
      CheckTopK(scores, Ints({1, 6}, std::vector<int32_t>(6, 20)), options,
                schedule);
    }
    options.sink = 3;
    options.local = 9;
    Doubles scores = RowsAtTheLimit(2 * round, parts.capacity, &generator);
    CheckTopK(scores, Ints({1, 6}, {20, 20, 11, 12, 24, 13}), options,
              schedule);
  }
}

TEST(EmuTopKTest, OddRows) {
  std::mt19937 generator(1);
  reference::TopKOptions options;
  options.slots = 16;
  for (int64_t n : {1, 31, 33, 257, 1025, 3000})
    CheckTopK(n, options, &generator);
  options.slots = 700;
  CheckTopK(1500, options, &generator);
}

TEST(EmuTopKTest, ForcedKeys) {
  std::mt19937 generator(2);
  reference::TopKOptions options;
  options.slots = 20;
  options.sink = 3;
  options.local = 30;
  for (int64_t n : {33, 700}) CheckTopK(n, options, &generator);
  options.sink = 500;
  CheckTopK(700, options, &generator);
}

TEST(EmuTopKTest, ByScore) {
  std::mt19937 generator(3);
  reference::TopKOptions options;
  options.order = reference::IndexOrder::kScore;
  for (int64_t slots : {1, 100}) {
    options.slots = slots;
    CheckTopK(700, options, &generator);
  }
}

TEST(EmuTopKTest, NoDataRace) {
  std::mt19937 generator(4);
  reference::TopKOptions options;
  options.slots = 16;
  options.local = 2;
  // Several steps of all warps.
  for (int64_t n : {600, 4000})
    CheckTopK(n, options, &generator, /*thread_sanitizer=*/true);
}

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

void CheckStatistics(int64_t n, const reference::RowStatisticsOptions& options,
                     std::mt19937* generator) {
  static const char* const kStatistics[] = {"variance", "entropy"};
  static const char* const kPopulations[] = {"visible", "zero_filled"};
  Doubles scores = OddScores(n, generator);
  // Infinities have no variance.
  for (double& x : scores.values())
    if (x == kInfinity || std::abs(x) > 1e30) x = x < 0 ? -kInfinity : 2.0;
  int64_t rows = scores.shape()[1];
  std::string type = TypeText(scores.shape(), "f32");
  std::string results =
      TypeText({1, rows}, "f32") + ", " + TypeText({1, rows}, "i32");
  std::string text =
      "func.func @main(%s: " + type + ") -> (" + results +
      ") {\n  %r:2 = gsa.row_statistics %s {statistic = #gsa.statistic<" +
      kStatistics[static_cast<int>(options.statistic)] +
      ">, population = #gsa.population<" +
      kPopulations[static_cast<int>(options.population)] +
      ">, correction = " + std::to_string(options.correction) +
      " : i64, gsa.schedule = " + TopKSchedule() + "} : (" + type + ") -> (" +
      results + ")\n  return %r#0, %r#1 : " + results + "\n}\n";
  std::vector<HostTensor> inputs;
  inputs.push_back(ToHost(scores, DType::kF32));
  std::vector<HostTensor> outputs = CompileAndRun(text, inputs, EmuOptions());
  ASSERT_EQ(outputs.size(), 2u);
  reference::RowStatisticsResult expected =
      reference::RowStatistics(scores, options);
  EXPECT_EQ(ToInts(outputs[1]), expected.visible);
  for (int64_t row = 0; row < rows; ++row) {
    double want = expected.value[row];
    EXPECT_NEAR(ElementAsDouble(outputs[0].view(), row), want,
                2e-6 * std::abs(want) + 2e-6)
        << "n " << n << " row " << row;
  }
}

TEST(EmuRowStatisticsTest, AgreeWithTheReference) {
  std::mt19937 generator(5);
  reference::RowStatisticsOptions options;
  for (int64_t n : {1, 33, 900}) CheckStatistics(n, options, &generator);
  options.population = reference::Population::kZeroFilled;
  options.correction = 1;
  for (int64_t n : {1, 900}) CheckStatistics(n, options, &generator);
  options = {};
  options.statistic = reference::Statistic::kEntropy;
  for (int64_t n : {1, 900}) CheckStatistics(n, options, &generator);
}

//===----------------------------------------------------------------------===//
// Scores and whole selections
//===----------------------------------------------------------------------===//

std::string SelectSchedule(DType dtype, int64_t chunk) {
  bool is_float = dtype == DType::kF32;
  return std::string("#gsa.select_schedule<scores = <engine = ") +
         (is_float ? "fma" : "mma_sync") +
         ", block_q = 32, block_k = 32, span = 2, stages = " +
         (is_float ? "1, producers = 0" : "2, producers = 1") +
         ", consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, "
         "chunk = " +
         std::to_string(chunk) + ">>";
}

Problem EmuProblem(DType dtype, KPolicyKind kind) {
  Problem p;
  p.batch = 2;
  p.queries = 45;
  p.keys = 77;
  p.heads = 3;
  p.depth = 20;
  p.dtype = dtype;
  p.options.policy = MakePolicy(kind, 12, 4, 30);
  if (kind == KPolicyKind::kPaperEma) p.options.normaliser = 0.01;
  p.schedule = SelectSchedule(dtype, 16);
  return p;
}

class EmuSelectTest : public ::testing::TestWithParam<KPolicyKind> {};

TEST_P(EmuSelectTest, AgreesWithTheReference) {
  std::mt19937 generator(6);
  for (DType dtype : {DType::kBF16, DType::kF32}) {
    Problem p = EmuProblem(dtype, GetParam());
    p.options.sink = dtype == DType::kF32 ? 2 : 0;
    p.options.local = dtype == DType::kF32 ? 3 : 0;
    Operands operands = MakeOperands(p, &generator);
    operands.query.At(0, 30, 1, 2) = kNaN;
    operands.key.At(1, 17, 0) = kNaN;
    CheckSelect(p, operands, EmuOptions());
  }
}

std::string NameOf(const ::testing::TestParamInfo<KPolicyKind>& info) {
  constexpr const char* kNames[] = {"fixed", "upstream_variance", "paper_ema",
                                    "entropy", "orth"};
  return kNames[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Policies, EmuSelectTest,
                         ::testing::Values(KPolicyKind::kFixed,
                                           KPolicyKind::kUpstreamVariance,
                                           KPolicyKind::kPaperEma,
                                           KPolicyKind::kEntropy,
                                           KPolicyKind::kOrth),
                         NameOf);

TEST(EmuLargeSelectTest, LargeScores) { CheckLargeScores(EmuOptions()); }

// See LowerSelectTest.
TEST(EmuSampleVarianceTest, TheVarianceOfASample) {
  std::mt19937 generator(9);
  Problem p = SampleVarianceProblem();
  p.schedule = SelectSchedule(p.dtype, 16);
  CheckSelect(p, MakeOperands(p, &generator), EmuOptions());
}

TEST(EmuSelectChunkTest, NoBitDependsOnTheChunk) {
  std::mt19937 generator(7);
  Problem p = EmuProblem(DType::kBF16, KPolicyKind::kUpstreamVariance);
  Operands operands = MakeOperands(p, &generator);
  Outputs whole = RunSelect(p, operands, EmuOptions());
  for (int64_t chunk : {1, 7, 45, 64}) {
    p.schedule = SelectSchedule(p.dtype, chunk);
    Outputs parts = RunSelect(p, operands, EmuOptions());
    EXPECT_EQ(whole.indices, parts.indices) << chunk;
    EXPECT_EQ(whole.counts, parts.counts) << chunk;
  }
}

TEST(EmuSelectChunkTest, EmptyRowsAndEmptyTensors) {
  std::mt19937 generator(8);
  for (auto [queries, keys] :
       {std::pair<int64_t, int64_t>{40, 3}, {5, 0}, {0, 5}}) {
    Problem p = EmuProblem(DType::kF32, KPolicyKind::kUpstreamVariance);
    p.queries = queries;
    p.keys = keys;
    CheckSelect(p, MakeOperands(p, &generator), EmuOptions());
  }
}

TEST(EmuSelectChunkTest, NoDataRace) {
  std::mt19937 generator(9);
  Problem p = EmuProblem(DType::kBF16, KPolicyKind::kEntropy);
  p.batch = 1;
  CheckSelect(p, MakeOperands(p, &generator), EmuOptions(true));
}

TEST(EmuIndexScoresTest, AgreesWithTheReference) {
  std::mt19937 generator(10);
  for (DType dtype : {DType::kF16, DType::kF32}) {
    Problem p = EmuProblem(dtype, KPolicyKind::kFixed);
    p.heads = dtype == DType::kF32 ? 2 : 9;
    p.depth = dtype == DType::kF32 ? 70 : 33;
    p.has_weights = dtype != DType::kF32;
    p.options.score_activation = reference::ScoreActivation::kRelu;
    Operands operands = MakeOperands(p, &generator);
    operands.key[0] = kNaN;
    std::string schedule = SelectSchedule(dtype, 16);
    size_t begin = schedule.find('<', schedule.find("scores"));
    p.schedule = "#gsa.score_schedule" +
                 schedule.substr(begin, schedule.find('>') + 1 - begin);
    CheckScores(p, operands, EmuOptions());
  }
}

}  // namespace
}  // namespace gsa::testing
