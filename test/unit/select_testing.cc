#include "test/unit/select_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <sstream>

#include "runtime/core/thread_pool.h"
#include "test/unit/reference_testing.h"

namespace gsa::testing {

std::string Problem::ToString() const {
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

// Rounds to what `dtype` can hold, so that both sides see the same numbers.
static Doubles Rounded(Doubles tensor, DType dtype) {
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

static std::string PolicyText(const KPolicy& policy) {
  static const char* const kNames[] = {"fixed", "upstream_variance",
                                       "paper_ema", "entropy", "orth"};
  std::ostringstream text;
  text << "<" << kNames[static_cast<int>(policy.kind)]
       << ", base = " << policy.base;
  if (policy.kind != KPolicyKind::kFixed) {
    text << ", min = " << policy.min << ", max = " << policy.max
         << ", temperature = " << std::scientific << policy.temperature;
  }
  return text.str() + ">";
}

static std::string ActivationText(const reference::SelectOptions& options) {
  static const char* const kScores[] = {"sigmoid", "relu", "identity"};
  static const char* const kWeights[] = {"sigmoid", "identity"};
  static const char* const kMasks[] = {"none", "causal"};
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
    attributes += ", gsa.schedule = " + p.schedule;
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

CompileOptions CpuOptions(int tasks, int vector_bits) {
  CompileOptions options;
  options.num_threads = tasks;
  options.vector_bits = vector_bits;
  options.opt_level = 1;
  return options;
}

CompileOptions HopperOptions(bool thread_sanitizer) {
  CompileOptions options;
  options.target = "emu";
  options.arch = "sm_90a";
  options.opt_level = 0;  // Most of the time goes to its compiler.
  options.thread_sanitizer = thread_sanitizer;
  return options;
}

std::vector<HostTensor> CompileAndRun(const std::string& text,
                                      const std::vector<HostTensor>& inputs,
                                      const CompileOptions& options) {
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

Outputs RunSelect(const Problem& p, const Operands& operands,
                  const CompileOptions& options) {
  std::vector<HostTensor> outputs = CompileAndRun(
      ModuleText(p, false), HostInputs(p, operands, true), options);
  if (outputs.size() != 3) return {};
  return {ToInts(outputs[0]), ToInts(outputs[1]), ToInts(outputs[2])};
}

void ExpectSameSelection(Problem p, const Operands& operands,
                         const std::string& schedule,
                         const std::string& other) {
  SCOPED_TRACE(schedule);
  p.schedule = schedule;
  Outputs got = RunSelect(p, operands, HopperOptions());
  p.schedule = other;
  Outputs expected = RunSelect(p, operands, HopperOptions());
  EXPECT_EQ(got.indices, expected.indices);
  EXPECT_EQ(got.counts, expected.counts);
  EXPECT_EQ(got.status, expected.status);
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

void CheckSelect(const Problem& p, const Operands& operands,
                 const CompileOptions& options, bool exact) {
  SCOPED_TRACE(p.ToString());
  Outputs outputs = RunSelect(p, operands, options);
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

void CheckScores(const Problem& p, const Operands& operands,
                 const CompileOptions& options) {
  SCOPED_TRACE(p.ToString());
  std::vector<HostTensor> outputs = CompileAndRun(
      ModuleText(p, true), HostInputs(p, operands, false), options);
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

void CheckLargeScores(const CompileOptions& options) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  Problem p;
  p.batch = 6;
  p.keys = 100;
  p.depth = 1;
  p.has_weights = p.has_bias = false;
  p.options.scale = 1.0;
  p.options.score_activation = reference::ScoreActivation::kIdentity;
  p.options.mask = reference::Mask::kNone;
  std::mt19937 generator(11);
  Operands operands = MakeOperands(p, &generator);
  const double sizes[] = {kLargest, -kLargest, 1e38, -3e36, 1.7e19, 0.0};
  for (int64_t row = 0; row < p.batch; ++row) {
    operands.query.At(row, 0, 0, 0) = 1;
    for (int64_t key = 0; key < p.keys; ++key)
      operands.key.At(row, key, 0) = static_cast<float>(sizes[row]);
  }
  for (KPolicyKind kind :
       {KPolicyKind::kOrth, KPolicyKind::kUpstreamVariance}) {
    p.options.policy = MakePolicy(kind, 20, 1, 60);
    CheckSelect(p, operands, options, /*exact=*/true);
  }
  // A sum by halves is inf - inf, one in order inf.
  for (int64_t row = 0; row < p.batch; ++row)
    for (int64_t key = 0; key < p.keys; ++key)
      operands.key.At(row, key, 0) *=
          reference::RandomInt(0, 1, &generator) ? 1 : -1;
  p.options.policy = MakePolicy(KPolicyKind::kOrth, 20, 1, 60);
  CheckSelect(p, operands, options, /*exact=*/true);
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

Problem SampleVarianceProblem() {
  Problem p;
  p.queries = 96;
  p.keys = 14;
  p.heads = 2;
  p.depth = 8;
  p.options.mask = reference::Mask::kNone;
  p.options.policy = MakePolicy(KPolicyKind::kUpstreamVariance, 10, 1, 15);
  p.options.normaliser = 0.02;
  return p;
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

}  // namespace gsa::testing
