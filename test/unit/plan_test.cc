// -----------------------------------------------------------------------------
// File: plan_test.cc
// -----------------------------------------------------------------------------
//
// gsa::Plan: what it says about itself and which runs it refuses. Values are
// the concern of the tests of each lowering.

#include "runtime/plan.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/tensor.h"

namespace gsa {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const char kGate[] = R"mlir(
func.func @main(%x: tensor<?x?x2x3xf32> {gsa.name = "x"},
                %logits: tensor<?x?x2x3xf32> {gsa.name = "logits"})
    -> (tensor<?x?x2x3xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %logits
      : (tensor<?x?x2x3xf32>, tensor<?x?x2x3xf32>) -> tensor<?x?x2x3xf32>
  return %y : tensor<?x?x2x3xf32>
}
)mlir";

CompileOptions GateOptions(int64_t tokens) {
  CompileOptions options;
  options.shapes["x"] = {1, tokens, 2, 3};
  options.shapes["logits"] = {1, tokens, 2, 3};
  return options;
}

std::shared_ptr<const Plan> CompileGate(int64_t tokens) {
  auto plan = Plan::Compile(kGate, "gate.mlir", GateOptions(tokens));
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : nullptr;
}

// The tensors of one run of a plan, zeros.
struct Tensors {
  explicit Tensors(const Plan& plan) {
    for (const TensorSpec& spec : plan.inputs()) Add(spec, &inputs);
    for (const TensorSpec& spec : plan.outputs()) Add(spec, &outputs);
    auto made =
        HostTensor::Create("workspace", DType::kU8, {plan.workspace_bytes()});
    EXPECT_TRUE(made.ok()) << made.status();
    scratch = *std::move(made);
  }

  static void Add(const TensorSpec& spec, std::vector<HostTensor>* list) {
    auto made = HostTensor::Create(spec.name, spec.dtype, spec.shape);
    EXPECT_TRUE(made.ok()) << made.status();
    list->push_back(*std::move(made));
  }

  std::vector<TensorView> InputViews() const {
    std::vector<TensorView> views;
    for (const HostTensor& tensor : inputs) views.push_back(tensor.view());
    return views;
  }

  std::vector<MutableTensorView> OutputViews() {
    std::vector<MutableTensorView> views;
    for (HostTensor& tensor : outputs) {
      views.push_back({tensor.dtype(), tensor.shape(), tensor.raw_data()});
    }
    return views;
  }

  absl::Span<char> Workspace() {
    return absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                          scratch.byte_size());
  }

  std::vector<HostTensor> inputs, outputs;
  HostTensor scratch;
};

// Runs a plan of one tensor<3xf32> to another on 1, 2, 3.
void ExpectMultiplesOf(float factor, const Plan& plan) {
  Tensors tensors(plan);
  for (int i = 0; i < 3; ++i) tensors.inputs[0].values<float>()[i] = i + 1;
  ASSERT_TRUE(plan.Run(tensors.InputViews(), tensors.OutputViews(),
                       tensors.Workspace(), {})
                  .ok());
  EXPECT_THAT(tensors.outputs[0].values<float>(),
              ElementsAre(factor, 2 * factor, 3 * factor));
}

std::string Message(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(PlanTest, DescribesItself) {
  auto plan = CompileGate(5);
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->inputs().size(), 2u);
  EXPECT_EQ(plan->inputs()[1].ToString(), "logits: f32[1, 5, 2, 3]");
  ASSERT_EQ(plan->outputs().size(), 1u);
  EXPECT_EQ(plan->outputs()[0].ToString(), "y: f32[1, 5, 2, 3]");
  EXPECT_EQ(plan->num_threads(), 1);
  EXPECT_THAT(plan->target_description(), HasSubstr("1 thread"));
  EXPECT_GE(plan->zone_names().size(), 1u);
}

TEST(PlanTest, ReportsPhasesInOrderWithTheirTexts) {
  std::vector<std::string> names, texts;
  CompileOptions options = GateOptions(5);
  options.keep_texts = true;
  options.on_phase = [&](const PhaseInfo& info) {
    names.push_back(absl::StrCat(info.name, ".", info.extension));
    texts.push_back(info.text());
    EXPECT_GE(info.milliseconds, 0);
  };
  auto plan = Plan::Compile(kGate, "gate.mlir", options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(names, ElementsAre("parse.mlir", "specialize.mlir", "gsa.mlir",
                                 "schedule.mlir", "loops.mlir", "llvm.mlir",
                                 "codegen.ll", "assembly.s"));
  EXPECT_THAT(texts[0], HasSubstr("tensor<?x?x2x3xf32>"));
  EXPECT_THAT(texts[1], HasSubstr("tensor<1x5x2x3xf32>"));
  EXPECT_THAT(texts[2], HasSubstr("gsa.gate"));
  EXPECT_THAT(texts[5], HasSubstr("llvm.func"));
  EXPECT_THAT(texts[6], HasSubstr("define "));
  EXPECT_THAT(texts[7], HasSubstr(".text"));
}

TEST(PlanTest, TimesEachZone) {
  auto plan = CompileGate(5);
  ASSERT_NE(plan, nullptr);
  Tensors tensors(*plan);
  std::vector<ZoneTime> times = {{"left over", 1}};
  RunOptions options;
  options.zone_times = &times;
  ASSERT_TRUE(plan->Run(tensors.InputViews(), tensors.OutputViews(),
                        tensors.Workspace(), options)
                  .ok());
  ASSERT_EQ(times.size(), plan->zone_names().size());
  for (size_t i = 0; i < times.size(); ++i) {
    EXPECT_EQ(times[i].name, plan->zone_names()[i]);
    EXPECT_GE(times[i].milliseconds, 0);
  }
}

TEST(PlanTest, InputsAndOutputsWithoutElementsRun) {
  auto plan = CompileGate(0);
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->outputs()[0].ToString(), "y: f32[1, 0, 2, 3]");
  Tensors tensors(*plan);
  EXPECT_TRUE(plan->Run(tensors.InputViews(), tensors.OutputViews(),
                        tensors.Workspace(), {})
                  .ok());
}

TEST(PlanTest, NaNStaysInItsRow) {
  auto plan = CompileGate(5);
  ASSERT_NE(plan, nullptr);
  Tensors tensors(*plan);
  absl::Span<float> x = tensors.inputs[0].values<float>();
  for (float& value : x) value = 2;
  for (int i = 6; i < 12; ++i) x[i] = std::nanf("");
  ASSERT_TRUE(plan->Run(tensors.InputViews(), tensors.OutputViews(),
                        tensors.Workspace(), {})
                  .ok());
  absl::Span<float> y = tensors.outputs[0].values<float>();
  for (size_t i = 0; i < y.size(); ++i) {
    if (i >= 6 && i < 12) {
      EXPECT_TRUE(std::isnan(y[i])) << i;
    } else {
      EXPECT_EQ(y[i], 1) << i;  // 2 * sigmoid(0)
    }
  }
}

TEST(PlanTest, RefusesWrongTensorsBeforeItRuns) {
  auto plan = CompileGate(5);
  ASSERT_NE(plan, nullptr);
  Tensors tensors(*plan);
  auto run = [&](std::vector<TensorView> in,
                 std::vector<MutableTensorView> out) {
    return Message(plan->Run(in, out, tensors.Workspace(), {}));
  };
  auto in = tensors.InputViews();
  auto out = tensors.OutputViews();
  EXPECT_THAT(run({in[0]}, out), HasSubstr("expected 2 inputs and 1 outputs"));

  TensorView bad = in[1];
  bad.dtype = DType::kI32;
  EXPECT_THAT(
      run({in[0], bad}, out),
      AllOf(HasSubstr("input 'logits'"), HasSubstr("expected f32[1, 5, 2, 3]"),
            HasSubstr("got i32[1, 5, 2, 3]")));
  bad = in[1];
  bad.data = static_cast<const char*>(bad.data) + 4;
  EXPECT_THAT(run({in[0], bad}, out),
              AllOf(HasSubstr("input 'logits'"), HasSubstr("64 bytes"),
                    HasSubstr("got 4")));
  bad.data = nullptr;
  EXPECT_THAT(run({in[0], bad}, out),
              AllOf(HasSubstr("input 'logits'"), HasSubstr("null")));

  MutableTensorView alias = out[0];
  alias.data = const_cast<void*>(in[0].data);
  EXPECT_THAT(run(in, {alias}),
              AllOf(HasSubstr("'y'"), HasSubstr("'x'"), HasSubstr("overlap")));
  // Two inputs may be one tensor.
  EXPECT_TRUE(plan->Run({in[0], in[0]}, out, tensors.Workspace(), {}).ok());
}

TEST(PlanTest, CompileErrorsNameWhatIsWrong) {
  auto message = [](const std::string& text, const CompileOptions& options) {
    return Message(Plan::Compile(text, "m.mlir", options).status());
  };
  EXPECT_THAT(message("not mlir", {}), HasSubstr("m.mlir:1:1"));
  EXPECT_THAT(message("module {}", {}),
              HasSubstr("the module has no public function with a body"));
  EXPECT_THAT(
      message("func.func @a() { return } func.func @b() { return }", {}),
      HasSubstr("a, b"));
  CompileOptions options;
  options.entry = "c";
  EXPECT_THAT(message("func.func @a() { return }", options),
              HasSubstr("no public function 'c', the module has: a"));
  for (const char* name : {"gsa_cpu_zone", "gsa_cpu_parallel", "gsa_cpu_x"}) {
    EXPECT_THAT(message(absl::StrCat("func.func @", name, "() { return }"), {}),
                AllOf(HasSubstr(name), HasSubstr("the compiler's own")));
  }
  EXPECT_THAT(message("func.func @a(%x: tensor<*xf32>) { return }", {}),
              AllOf(HasSubstr("'arg0'"), HasSubstr("tensor<*xf32>")));
  EXPECT_THAT(message("func.func @a(%x: tensor<2xf32> {gsa.name = \"n\"},\n"
                      "            %y: tensor<2xf32> {gsa.name = \"n\"}) {\n"
                      "  return }",
                      {}),
              HasSubstr("'n' is used twice"));
  options = GateOptions(5);
  options.num_threads = 0;
  EXPECT_THAT(message(kGate, options),
              HasSubstr("number of threads: expected 1 to 1024, got 0 "
                        "(AvailableCpus() is one per CPU)"));
  options = GateOptions(5);
  options.shapes["logits"] = {1, 6, 2, 3};
  EXPECT_THAT(message(kGate, options), HasSubstr("specialize"));
  options.shapes["logits"] = {1, -5, 2, 3};
  EXPECT_THAT(message(kGate, options), HasSubstr("[1, -5, 2, 3]"));
}

TEST(PlanTest, OneOfSeveralPublicFunctionsIsTheEntry) {
  const std::string text =
      "func.func @same(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
      "  return %x : tensor<3xf32> }\n"
      "func.func @sum(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
      "  %y = call @same(%x) : (tensor<3xf32>) -> tensor<3xf32>\n"
      "  %z = arith.addf %x, %y : tensor<3xf32>\n"
      "  return %z : tensor<3xf32> }";
  for (const auto& [entry, factor] : {std::pair("same", 1.0f), {"sum", 2.0f}}) {
    CompileOptions options;
    options.entry = entry;
    auto plan = Plan::Compile(text, "m.mlir", options);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ExpectMultiplesOf(factor, **plan);
  }
}

TEST(PlanTest, StopsAfterEachPhaseOfATarget) {
  for (const char* target : {"cpu", "emu", "cuda"}) {
    CompileOptions options = GateOptions(5);
    options.target = target;
    if (options.target != "cpu") options.arch = "sm_80";
    options.keep_texts = true;
    std::string last;
    options.on_phase = [&](const PhaseInfo& info) { last = info.name; };
    for (const std::string& name : PhaseNames(*ParseTarget(target))) {
      if (name == "code") continue;  // needs NVRTC
      options.stop_after = name;
      absl::Status status = CompileToPhase(kGate, "gate.mlir", options);
      EXPECT_TRUE(status.ok()) << target << " " << name << ": " << status;
      if (name == "codegen") continue;  // gives both texts at once
      if (name == "program") continue;  // kernels follow
      EXPECT_EQ(last, name) << target;
    }
  }
}

TEST(PlanTest, ParsingNeedsNeitherShapesNorADevice) {
  CompileOptions options;
  options.target = "cuda";
  options.stop_after = "parse";
  EXPECT_EQ(CompileToPhase(kGate, "gate.mlir", options), absl::OkStatus());
}

TEST(PlanTest, UnknownPhasesAreRefusedBeforeAnyRuns) {
  CompileOptions options = GateOptions(5);
  options.stop_after = "scedule";
  options.on_phase = [](const PhaseInfo&) { ADD_FAILURE(); };
  EXPECT_THAT(
      Message(CompileToPhase(kGate, "gate.mlir", options)),
      AllOf(HasSubstr("target cpu has no phase 'scedule'; it has: parse, "
                      "specialize, gsa, schedule, loops, llvm, codegen"),
            HasSubstr("did you mean 'schedule'?")));
}

TEST(PlanTest, PrivateFunctionsAreNoEntries) {
  auto plan = Plan::Compile(
      "func.func private @half(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
      "  return %x : tensor<3xf32> }\n"
      "func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
      "  %y = call @half(%x) : (tensor<3xf32>) -> tensor<3xf32>\n"
      "  return %y : tensor<3xf32> }",
      "m.mlir", {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ExpectMultiplesOf(1, **plan);
}

}  // namespace
}  // namespace gsa
