// gsa.select and gsa.index_scores, compiled for the CPU, against the float64
// reference: odd shapes, all policies, ties, NaN, forced keys, all element
// types; and what must not change a single bit: the number of tasks, other
// batch elements, later tokens.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/core/dtype.h"
#include "runtime/core/tensor.h"
#include "runtime/core/thread_pool.h"
#include "runtime/plan.h"
#include "test/reference/Compare.h"
#include "test/reference/IndexScores.h"
#include "test/reference/Select.h"
#include "test/unit/reference_testing.h"

namespace gsa {
namespace {

using reference::KPolicy;
using reference::KPolicyKind;
using Doubles = reference::Tensor<double>;
using Ints = reference::Tensor<int32_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One selection problem. `schedule` is the text of an explicit schedule.
struct Problem {
  int64_t batch = 1, queries = 1, keys = 1, heads = 1, depth = 4;
  DType dtype = DType::kF32;
  reference::SelectOptions options;
  bool has_weights = true, has_bias = true;
  std::string schedule;

  std::string ToString() const {
    std::ostringstream text;
    text << "B" << batch << " Sq" << queries << " Sk" << keys << " Hi" << heads
         << " Di" << depth << " " << DTypeName(dtype) << " policy "
         << static_cast<int>(options.policy.kind) << " base "
         << options.policy.base << " act "
         << static_cast<int>(options.score_activation) << " mask "
         << static_cast<int>(options.mask) << " sink " << options.sink
         << " local " << options.local << " " << schedule;
    return text.str();
  }
};

struct Operands {
  Doubles query, key, weights, bias;
};

struct Outputs {
  Ints indices, counts, status;
};

// Rounds to what `dtype` can hold, so that both sides see the same numbers.
Doubles Rounded(Doubles tensor, DType dtype) {
  for (double& value : tensor.values()) {
    if (dtype == DType::kF16) value = F16ToFloat(F16FromDouble(value));
    if (dtype == DType::kBF16) value = BF16ToFloat(BF16FromDouble(value));
    if (dtype == DType::kF32) value = static_cast<float>(value);
  }
  return tensor;
}

Operands MakeOperands(const Problem& p, std::mt19937* generator) {
  auto random = [&](reference::Shape shape) {
    return Rounded(reference::Random(std::move(shape), generator), p.dtype);
  };
  return {random({p.batch, p.queries, p.heads, p.depth}),
          random({p.batch, p.keys, p.depth}),
          random({p.batch, p.queries, p.heads}), random({p.heads})};
}

std::string TypeText(const reference::Shape& shape, const char* element) {
  std::string text = "tensor<";
  for (int64_t size : shape) text += std::to_string(size) + "x";
  return text + element + ">";
}

std::string PolicyText(const KPolicy& policy) {
  static const char* kNames[] = {"fixed", "upstream_variance", "paper_ema",
                                 "entropy", "orth"};
  std::ostringstream text;
  text << "<" << kNames[static_cast<int>(policy.kind)]
       << ", base = " << policy.base;
  if (policy.kind != KPolicyKind::kFixed) {
    text << ", min = " << policy.min << ", max = " << policy.max
         << ", temperature = " << std::scientific << policy.temperature;
  }
  return text.str() + ">";
}

std::string ActivationText(const reference::SelectOptions& options) {
  static const char* kScores[] = {"sigmoid", "relu", "identity"};
  static const char* kWeights[] = {"sigmoid", "identity"};
  static const char* kMasks[] = {"none", "causal"};
  std::ostringstream text;
  text << "score_activation = #gsa.score_activation<"
       << kScores[static_cast<int>(options.score_activation)]
       << ">, weight_activation = #gsa.weight_activation<"
       << kWeights[static_cast<int>(options.weight_activation)]
       << ">, mask = #gsa.mask<" << kMasks[static_cast<int>(options.mask)]
       << ">";
  if (options.scale) {
    text << ", scale = " << std::scientific << *options.scale << " : f64";
  }
  return text.str();
}

// A module with one gsa.select, or one gsa.index_scores.
std::string ModuleText(const Problem& p, bool scores_only) {
  const char* element = DTypeName(p.dtype);
  const char* acc = p.dtype == DType::kF64 ? "f64" : "f32";
  std::string names = "%q, %k", args, types;
  auto add = [&](const char* name, const std::string& type) {
    args += (args.empty() ? "" : ", ") + std::string(name) + ": " + type;
    types += (types.empty() ? "" : ", ") + type;
  };
  add("%q", TypeText({p.batch, p.queries, p.heads, p.depth}, element));
  add("%k", TypeText({p.batch, p.keys, p.depth}, element));
  if (p.has_weights) {
    add("%w", TypeText({p.batch, p.queries, p.heads}, element));
    names += " weights %w";
  }
  if (p.has_bias) {
    add("%b", TypeText({p.heads}, element));
    names += " bias %b";
  }
  std::string results, attributes = ActivationText(p.options), op;
  if (scores_only) {
    results = TypeText({p.batch, p.queries, p.keys}, acc);
    op = "%r = gsa.index_scores " + names;
  } else {
    if (p.options.normaliser) {
      add("%n", TypeText({}, acc));
      names += " normaliser %n";
    }
    reference::Shape rows = {p.batch, p.queries};
    results = TypeText({p.batch, p.queries, p.options.policy.Slots()}, "i32") +
              ", " + TypeText(rows, "i32") + ", " + TypeText(rows, "i32");
    op = "%r:3 = gsa.select " + names + " policy " +
         PolicyText(p.options.policy);
    attributes += ", sink = " + std::to_string(p.options.sink) +
                  " : i64, local = " + std::to_string(p.options.local) +
                  " : i64";
  }
  if (!p.schedule.empty()) {
    attributes += ", gsa.schedule = #gsa.cpu_schedule<" + p.schedule + ">";
  }
  return "func.func @main(" + args + ") -> (" + results + ") {\n  " + op +
         " {" + attributes + "} : (" + types + ") -> (" + results +
         ")\n  return " + (scores_only ? "%r" : "%r#0, %r#1, %r#2") + " : " +
         results + "\n}\n";
}

HostTensor ToHost(const Doubles& tensor, DType dtype) {
  auto wide =
      HostTensor::FromValues<double>("", tensor.shape(), tensor.values());
  EXPECT_TRUE(wide.ok()) << wide.status();
  auto narrow = wide->ConvertTo(dtype);
  EXPECT_TRUE(narrow.ok()) << narrow.status();
  return std::move(*narrow);
}

// Compiles `text`, runs it on `inputs` and returns its outputs. A run uses a
// pool whose size differs from the number of tasks.
std::vector<HostTensor> CompileAndRun(const std::string& text,
                                      const std::vector<HostTensor>& inputs,
                                      int tasks, int vector_bits) {
  CompileOptions options;
  options.num_threads = tasks;
  options.vector_bits = vector_bits;
  options.opt_level = 1;
  auto plan = Plan::Compile(text, "select.mlir", options);
  if (!plan.ok()) {
    ADD_FAILURE() << plan.status() << "\n" << text;
    return {};
  }
  std::vector<TensorView> views;
  for (const HostTensor& input : inputs) views.push_back(input.view());
  std::vector<HostTensor> outputs;
  std::vector<MutableTensorView> targets;
  for (const TensorSpec& spec : (*plan)->outputs()) {
    outputs.push_back(
        std::move(*HostTensor::Create(spec.name, spec.dtype, spec.shape)));
    std::memset(outputs.back().raw_data(), 0x5A, outputs.back().byte_size());
  }
  for (HostTensor& output : outputs)
    targets.push_back({output.dtype(), output.shape(), output.raw_data()});
  // Garbage in the workspace must not show in any result.
  auto workspace =
      HostTensor::Create("workspace", DType::kU8,
                         {std::max<int64_t>((*plan)->workspace_bytes(), 1)});
  std::memset(workspace->raw_data(), 0xFF, workspace->byte_size());
  auto pool = ThreadPool::Create(2);
  RunOptions run;
  run.pool = pool->get();
  absl::Status status =
      (*plan)->Run(views, absl::MakeSpan(targets),
                   absl::MakeSpan(static_cast<char*>(workspace->raw_data()),
                                  workspace->byte_size()),
                   run);
  EXPECT_TRUE(status.ok()) << status;
  return outputs;
}

std::vector<HostTensor> HostInputs(const Problem& p, const Operands& operands,
                                   bool with_normaliser) {
  std::vector<HostTensor> inputs;
  inputs.push_back(ToHost(operands.query, p.dtype));
  inputs.push_back(ToHost(operands.key, p.dtype));
  if (p.has_weights) inputs.push_back(ToHost(operands.weights, p.dtype));
  if (p.has_bias) inputs.push_back(ToHost(operands.bias, p.dtype));
  if (with_normaliser && p.options.normaliser) {
    inputs.push_back(
        ToHost(Doubles({}, *p.options.normaliser),
               p.dtype == DType::kF64 ? DType::kF64 : DType::kF32));
  }
  return inputs;
}

Ints ToInts(const HostTensor& tensor) {
  auto values = tensor.values<int32_t>();
  return Ints(tensor.shape(),
              std::vector<int32_t>(values.begin(), values.end()));
}

Outputs RunSelect(const Problem& p, const Operands& operands, int tasks = 1,
                  int vector_bits = 0) {
  std::vector<HostTensor> outputs = CompileAndRun(
      ModuleText(p, false), HostInputs(p, operands, true), tasks, vector_bits);
  if (outputs.size() != 3) return {};
  return {ToInts(outputs[0]), ToInts(outputs[1]), ToInts(outputs[2])};
}

reference::IndexOperands ForReference(const Problem& p,
                                      const Operands& operands) {
  return {operands.query, operands.key,
          p.has_weights ? &operands.weights : nullptr,
          p.has_bias ? &operands.bias : nullptr};
}

// Scores are sums of heads of terms of size 1 or so, with a dot product of
// `depth` products inside.
reference::SelectionTolerance Tolerance(const Problem& p) {
  double epsilon = p.dtype == DType::kF64 ? 1e-15 : 6e-8;
  reference::SelectionTolerance tolerance;
  tolerance.score_margin = epsilon * 40 * p.heads * std::sqrt(p.depth);
  return tolerance;
}

void CheckSelect(const Problem& p, const Operands& operands, int tasks,
                 int vector_bits, bool exact = false) {
  SCOPED_TRACE(p.ToString());
  Outputs outputs = RunSelect(p, operands, tasks, vector_bits);
  reference::IndexOperands index = ForReference(p, operands);
  reference::SelectResult expected = reference::Select(index, p.options);
  if (outputs.indices.shape() != expected.indices.shape()) {
    ADD_FAILURE() << "no result, or one of a wrong shape";
    return;
  }
  reference::SelectionTolerance tolerance = Tolerance(p);
  if (exact) tolerance.score_margin = 0;
  reference::SelectionReport report = reference::CompareSelections(
      index, p.options, expected, outputs.indices, outputs.counts, tolerance);
  EXPECT_TRUE(report.Ok()) << report.ToString();
  if (exact) EXPECT_EQ(report.identical, report.rows) << report.ToString();
  EXPECT_EQ(outputs.status, expected.status);
}

KPolicy MakePolicy(KPolicyKind kind, int64_t base, int64_t min, int64_t max) {
  KPolicy policy;
  policy.kind = kind;
  policy.base = base;
  if (kind == KPolicyKind::kFixed) return policy;
  policy.min = min;
  policy.max = max;
  return policy;
}

Problem RandomProblem(std::mt19937* generator) {
  auto pick = [&](int64_t low, int64_t high) {
    return reference::RandomInt(low, high, generator);
  };
  Problem p;
  p.batch = pick(1, 3);
  p.queries = pick(1, 40);
  p.keys = pick(0, 2) == 0 ? p.queries : pick(1, 90);
  p.heads = pick(1, 5);
  p.depth = pick(1, 20);
  constexpr DType kTypes[] = {DType::kF32, DType::kBF16, DType::kF16,
                              DType::kF64};
  p.dtype = kTypes[pick(0, 3)];
  p.has_weights = pick(0, 3) > 0;
  p.has_bias = pick(0, 1) > 0;
  int64_t base = pick(1, 20), min = pick(1, base);
  p.options.policy = MakePolicy(static_cast<KPolicyKind>(pick(0, 4)), base, min,
                                base + pick(0, 30));
  // The normaliser is divided by; keep it away from 0.
  if (p.options.policy.kind == KPolicyKind::kPaperEma ||
      (p.options.policy.UsesNormaliser() && pick(0, 1) == 0))
    p.options.normaliser = 0.0625 * pick(1, 8);
  p.options.score_activation =
      static_cast<reference::ScoreActivation>(pick(0, 2));
  p.options.weight_activation =
      static_cast<reference::WeightActivation>(pick(0, 1));
  p.options.mask =
      pick(0, 3) == 0 ? reference::Mask::kNone : reference::Mask::kCausal;
  if (pick(0, 2) == 0) p.options.sink = pick(0, 6);
  if (pick(0, 2) == 0) p.options.local = pick(0, 12);
  if (pick(0, 3) == 0) p.options.scale = 0.5;
  return p;
}

class RandomSelectTest : public testing::TestWithParam<int> {};

TEST_P(RandomSelectTest, AgreesWithTheReference) {
  std::mt19937 generator(GetParam());
  constexpr int kBits[] = {512, 256, 128};
  for (int i = 0; i < 6; ++i) {
    Problem p = RandomProblem(&generator);
    Operands operands = MakeOperands(p, &generator);
    CheckSelect(p, operands, 1 + i % 3, kBits[i % 3]);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSelectTest, testing::Range(0, 10));

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
    CheckSelect(p, MakeOperands(p, &generator), 2, 0);
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
      CheckSelect(p, MakeOperands(p, &generator), 2, 0);
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
      CheckSelect(p, operands, 2, 0, /*exact=*/true);
    }
  }
}

// Small integers make every score exact, with many ties at many values; ReLU
// turns half of them into zeros, some of them -0.
TEST(LowerSelectTest, ExactScoresWithManyTies) {
  std::mt19937 generator(4);
  for (int seed = 0; seed < 6; ++seed) {
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
    CheckSelect(p, operands, 2, seed % 2 ? 256 : 512, /*exact=*/true);
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
    CheckSelect(p, MakeOperands(p, &generator), 1, 0);
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
    Outputs clean = RunSelect(p, operands);
    operands.query.At(0, 30, 1, 2) = kNaN;
    operands.key.At(1, 17, 0) = kNaN;
    CheckSelect(p, operands, 2, 0);
    if (p.options.policy.UsesNormaliser()) continue;  // Rows are coupled.
    Outputs dirty = RunSelect(p, operands);
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
  CheckSelect(p, operands, 1, 0);
  p.options.policy = MakePolicy(KPolicyKind::kFixed, 1, 1, 1);
  CheckSelect(p, operands, 1, 0);
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
    p.schedule = schedule;
    p.options.policy = MakePolicy(KPolicyKind::kUpstreamVariance, 10, 3, 14);
    CheckSelect(p, MakeOperands(p, &generator), 2, 0);
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
    Outputs one = RunSelect(p, operands, 1);
    for (int tasks : {2, 3, 16}) {
      Outputs many = RunSelect(p, operands, tasks);
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
  Outputs both = RunSelect(p, operands);
  auto second = [](const Doubles& tensor) {
    reference::Shape shape = tensor.shape();
    shape[0] = 1;
    auto half = tensor.values().begin() + tensor.size() / 2;
    return Doubles(shape, std::vector<double>(half, tensor.values().end()));
  };
  Problem alone = p;
  alone.batch = 1;
  Outputs single =
      RunSelect(alone, {second(operands.query), second(operands.key),
                        second(operands.weights), operands.bias});
  for (int64_t t = 0; t < p.queries; ++t) {
    EXPECT_EQ(both.counts.At(1, t), single.counts.At(0, t));
    for (int64_t i = 0; i < p.options.policy.Slots(); ++i)
      EXPECT_EQ(both.indices.At(1, t, i), single.indices.At(0, t, i));
  }
}

// A change of the tokens from 31 on, and a shorter prompt, leave the rows
// before 31 as they are.
TEST(LowerSelectInvarianceTest, LaterTokens) {
  constexpr int64_t kKept = 31;
  std::mt19937 generator(10);
  for (KPolicyKind kind : {KPolicyKind::kFixed, KPolicyKind::kPaperEma,
                           KPolicyKind::kEntropy, KPolicyKind::kOrth}) {
    Problem p = InvarianceProblem(kind);
    Operands operands = MakeOperands(p, &generator);
    Outputs before = RunSelect(p, operands);
    for (int64_t b = 0; b < p.batch; ++b) {
      for (int64_t t = kKept; t < p.queries; ++t) {
        for (int64_t d = 0; d < p.depth; ++d) {
          operands.key.At(b, t, d) = 1e20;
          operands.query.At(b, t, 0, d) = kNaN;
        }
      }
    }
    Outputs after = RunSelect(p, operands);
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
    Outputs whole = RunSelect(p, operands, 2);
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
                                  3);
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
    SCOPED_TRACE(p.ToString());
    Operands operands = MakeOperands(p, &generator);
    if (i % 4 == 0) operands.key[0] = kNaN;
    std::vector<HostTensor> outputs =
        CompileAndRun(ModuleText(p, true), HostInputs(p, operands, false),
                      1 + i % 3, kBits[i % 3]);
    ASSERT_EQ(outputs.size(), 1u);
    Doubles expected = reference::IndexScores(ForReference(p, operands),
                                              p.options.ScoreOptions());
    Doubles got(expected.shape());
    for (int64_t n = 0; n < got.size(); ++n)
      got[n] = ElementAsDouble(outputs[0].view(), n);
    reference::TensorError error = reference::CompareTensors(got, expected);
    EXPECT_TRUE(error.Within(Tolerance(p).score_margin, 1e-6))
        << error.ToString();
  }
}

}  // namespace
}  // namespace gsa
