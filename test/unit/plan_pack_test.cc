// -----------------------------------------------------------------------------
// File: plan_pack_test.cc
// -----------------------------------------------------------------------------
//
// From a module through a pack to a plan: what runs is what would have been
// compiled, and what is for another machine is refused.

#include <string>
#include <vector>

#include "cuda/fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/compilations.h"
#include "runtime/core/cuda/nvrtc_api.h"
#include "runtime/core/tensor.h"
#include "runtime/cpu_objects.h"
#include "runtime/load_plan.h"
#include "runtime/pack_plan.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

const char kGate[] = R"mlir(
func.func @main(%x: tensor<?x?x2x3xf32> {gsa.name = "x"},
                %logits: tensor<?x?x2x3xf32> {gsa.name = "logits"})
    -> (tensor<?x?x2x3xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %logits
      : (tensor<?x?x2x3xf32>, tensor<?x?x2x3xf32>) -> tensor<?x?x2x3xf32>
  return %y : tensor<?x?x2x3xf32>
}
)mlir";

CompileOptions OptionsFor(const std::string& target, int64_t tokens) {
  CompileOptions options;
  options.target = target;
  options.shapes["x"] = options.shapes["logits"] = {1, tokens, 2, 3};
  return options;
}

absl::StatusOr<Pack> PackOf(const CompileOptions& options) {
  absl::StatusOr<PackedPlan> plan =
      CompilePackedPlan(kGate, "gate.mlir", options);
  if (!plan.ok()) return plan.status();
  Pack pack;
  pack.producer = "test";
  pack.plans.push_back(*std::move(plan));
  return DecodePack(EncodePack(pack), "p");
}

// What a plan makes of generated numbers.
std::vector<float> Run(const Plan& plan) {
  std::vector<HostTensor> tensors;
  for (const auto* specs : {&plan.inputs(), &plan.outputs()})
    for (const TensorSpec& spec : *specs)
      tensors.push_back(*HostTensor::Create(spec.name, spec.dtype, spec.shape));
  HostTensor scratch =
      *HostTensor::Create("w", DType::kU8, {plan.workspace_bytes()});
  const absl::Span<float> x = tensors[0].values<float>();
  const absl::Span<float> logits = tensors[1].values<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = 0.5f * static_cast<float>(i) - 3;
    logits[i] = 1 - 0.25f * static_cast<float>(i);
  }
  std::vector<TensorView> inputs;
  for (size_t i = 0; i < 2; ++i)
    inputs.push_back({DType::kF32, tensors[i].shape(), tensors[i].raw_data()});
  const std::vector<MutableTensorView> outputs = {
      {DType::kF32, tensors[2].shape(), tensors[2].raw_data()}};
  const absl::Status status =
      plan.Run(inputs, outputs,
               absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                              scratch.byte_size()),
               {});
  EXPECT_TRUE(status.ok()) << status;
  const absl::Span<float> y = tensors[2].values<float>();
  return {y.begin(), y.end()};
}

TEST(PlanPackTest, ThePlanForTheCpuIsTheOneThatIsCompiled) {
  const CompileOptions options = OptionsFor("cpu", 7);
  const auto pack = PackOf(options);
  ASSERT_TRUE(pack.ok()) << pack.status();
  LoadOptions load;
  load.cpu = &LoadPackedCpuPlan;
  const int64_t compiled = Compilations();
  const auto loaded = LoadPlan(*pack, load);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(Compilations(), compiled);
  EXPECT_THAT((*loaded)->target_description(), HasSubstr("of a pack"));
  const auto plan = Plan::Compile(kGate, "gate.mlir", options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(::gsa::Run(**loaded), ::gsa::Run(**plan));
  EXPECT_EQ((*loaded)->zone_names(), (*plan)->zone_names());
}

TEST(PlanPackTest, BoundsAreKept) {
  CompileOptions options;
  options.bounds["x"] = options.bounds["logits"] = {1, 16, 2, 3};
  const auto pack = PackOf(options);
  ASSERT_TRUE(pack.ok()) << pack.status();
  LoadOptions load;
  load.cpu = &LoadPackedCpuPlan;
  const auto loaded = LoadPlan(*pack, load);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE((*loaded)->is_bounded());
}

TEST(PlanPackTest, OtherCodeIsRefused) {
  auto pack = PackOf(OptionsFor("cpu", 7));
  ASSERT_TRUE(pack.ok()) << pack.status();
  LoadOptions load;
  load.cpu = &LoadPackedCpuPlan;
  CpuProgram program;
  ASSERT_TRUE(DecodeCpuProgram(pack->plans[0].code, &program));
  program.object.cpu = "z80";
  pack->plans[0].code = EncodeCpuProgram(program);
  const absl::Status other = LoadPlan(*pack, load).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(other)) << other;
  EXPECT_THAT(std::string(other.message()), HasSubstr("for z80"));
  pack->plans[0].code = "garbage";
  EXPECT_TRUE(absl::IsInvalidArgument(LoadPlan(*pack, load).status()));
}

TEST(PlanPackTest, RefusesWhatCannotBePacked) {
  EXPECT_TRUE(absl::IsUnimplemented(PackOf(OptionsFor("emu", 7)).status()));
  EXPECT_TRUE(absl::IsUnimplemented(PackOf(OptionsFor("auto", 7)).status()));
  CompileOptions options = OptionsFor("cuda", 7);
  options.arch = "sm_12";
  EXPECT_TRUE(absl::IsUnimplemented(PackOf(options).status()));
}

// Compiled without a GPU, loaded without a compiler.
TEST(PlanPackTest, APlanForAGpuHasItsCode) {
  CompileOptions options = OptionsFor("cuda", 7);
  options.arch = "sm_90a";
  options.toolkit = getToolkitSearchFromEnvironment();
  if (!NvrtcApi::Load(options.toolkit).ok()) GTEST_SKIP() << "no NVRTC";
  auto pack = PackOf(options);
  ASSERT_TRUE(pack.ok()) << pack.status();
  DeviceProgram& program = pack->plans[0].program;
  ASSERT_FALSE(program.kernels.empty());
  FakeDriver fake;
  for (const ProgramStep& step : program.steps) {
    const auto* launch = std::get_if<LaunchStep>(&step);
    if (launch == nullptr) continue;
    KernelSource& kernel = program.kernels[launch->kernel];
    EXPECT_EQ(kernel.text, "");
    EXPECT_EQ(kernel.image.substr(1, 3), "ELF");
    // This driver reads an image as text.
    kernel.image = "code of " + kernel.symbol;
    for (const KernelArg& arg : launch->args)
      fake.kernels[kernel.symbol].parameter_bytes.push_back(
          static_cast<size_t>(ParameterBytes(arg)));
  }
  const DriverApi driver(fake.Table());
  LoadOptions load;
  load.target = "cuda";
  load.driver = &driver;
  const int64_t compiled = Compilations();
  const auto plan = LoadPlan(*pack, load);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Compilations(), compiled);
  EXPECT_EQ((*plan)->outputs()[0].ToString(), "y: f32[1, 7, 2, 3]");
}

}  // namespace
}  // namespace gsa
