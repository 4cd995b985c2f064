//===- device_properties_test.cc - what kernels guarantee -----------------===//
//
// On a GPU and in its emulation: rows do not depend on the other sequences of a
// batch, on their order, on padding nor on how rows are cut into chunks, the
// conformance vector comes out in f32, and what has no kernel is refused with a
// reason.
//
//===----------------------------------------------------------------------===//

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "test/unit/differential/DeviceCase.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Poison.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/differential/Session.h"
#include "test/unit/differential/Summary.h"
#include "test/unit/differential/Testing.h"
#include "test/unit/differential/conformance_testing.h"

namespace gsa::differential {
namespace {

using reference::KPolicy;
using reference::KPolicyKind;
using ::testing::HasSubstr;

class OnTarget : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(GetParam());
    if (!usable.ok()) GTEST_SKIP() << usable;
  }

  static bool emulated() { return std::strcmp(GetParam(), "emu") == 0; }

  static Spec OnDevice(Spec spec) {
    spec.target = GetParam();
    if (emulated()) spec.arch = EmulationScale().arch;
    return spec;
  }

  // A failure is thrown.
  static std::shared_ptr<const Plan> PlanOf(const Spec& spec) {
    auto plan = Compile(spec, WriteModule(spec));
    if (!plan.ok()) throw std::runtime_error(plan.status().ToString());
    return *plan;
  }
  static Tensors RunPlan(const std::shared_ptr<const Plan>& plan,
                         const Tensors& inputs) {
    auto outputs = RunOnce(GetParam(), plan, inputs);
    if (!outputs.ok()) throw std::runtime_error(outputs.status().ToString());
    return *std::move(outputs);
  }
  static Tensors RunSpec(const Spec& spec, const Tensors& inputs) {
    return RunPlan(PlanOf(spec), inputs);
  }
};

std::string TargetName(const ::testing::TestParamInfo<const char*>& info) {
  return std::strcmp(info.param, "emu") == 0 ? "Emu" : "Cuda";
}

//===----------------------------------------------------------------------===//
// Batches and chunks
//===----------------------------------------------------------------------===//

/// Sequence `b` of a batch; what has no batch stays.
Tensors Sequence(const Spec& spec, const Tensors& batch, int64_t b) {
  Tensors one;
  for (const auto& [name, tensor] : batch) {
    std::vector<int64_t> shape = tensor.shape();
    bool per_batch = shape.size() >= 2;
    int64_t skipped = 0;
    if (per_batch) {
      EXPECT_EQ(shape[0], spec.b) << name;
      shape[0] = 1;
      skipped = b;
    }
    HostTensor part = HostTensor::Create(name, tensor.dtype(), shape).value();
    std::memcpy(part.raw_data(),
                static_cast<const char*>(tensor.raw_data()) +
                    skipped * part.byte_size(),
                part.byte_size());
    one[name] = std::move(part);
  }
  return one;
}

/// The sequences of a batch in another order.
Tensors Reordered(const Spec& spec, const Tensors& batch,
                  const std::vector<int64_t>& order) {
  Tensors result;
  for (const auto& [name, tensor] : batch) {
    HostTensor moved = tensor.Clone().value();
    size_t bytes = tensor.byte_size() / spec.b;
    for (int64_t b = 0; b < spec.b && tensor.shape().size() >= 2; ++b)
      std::memcpy(
          static_cast<char*>(moved.raw_data()) + b * bytes,
          static_cast<const char*>(tensor.raw_data()) + order[b] * bytes,
          bytes);
    result.emplace(name, std::move(moved));
  }
  return result;
}

/// The same with NaN behind the keys of each sequence, which then has `keys`.
Tensors Padded(const Spec& spec, const Tensors& batch, int64_t keys) {
  Tensors result;
  for (const auto& [name, tensor] : batch) {
    if (name != "index_key" && name != "key" && name != "value") {
      result.emplace(name, tensor.Clone().value());
      continue;
    }
    std::vector<int64_t> shape = tensor.shape();
    shape[1] = keys;
    HostTensor longer = HostTensor::Create(name, tensor.dtype(), shape).value();
    std::memset(longer.raw_data(), kNanByte, longer.byte_size());
    size_t bytes = tensor.byte_size() / spec.b;
    for (int64_t b = 0; b < spec.b; ++b)
      std::memcpy(static_cast<char*>(longer.raw_data()) +
                      b * (longer.byte_size() / spec.b),
                  static_cast<const char*>(tensor.raw_data()) + b * bytes,
                  bytes);
    result.emplace(name, std::move(longer));
  }
  return result;
}

using Batches = OnTarget;

TEST_P(Batches, RowsAreThoseOfTheSequenceAlone) {
  std::vector<DType> dtypes = {DType::kF32, DType::kBF16, DType::kF16};
  int64_t compared = 0;
  for (size_t i = 0; i < Policies().size(); ++i) {
    KPolicy policy = Policies()[i];
    // In the emulation one policy, which reads a statistic, is enough.
    if (emulated() && policy.kind != KPolicyKind::kEntropy) continue;
    Spec spec =
        OnDevice(BlockSpec(dtypes[i % dtypes.size()], policy, 3, 21, 37));
    spec.normaliser = policy.UsesNormaliser();
    SCOPED_TRACE(spec.ToString());
    Tensors inputs =
        MakeInputs(spec, WriteModule(spec).inputs, Workload::kAr1, 5);
    auto plan = PlanOf(spec);
    Tensors together = RunPlan(plan, inputs);
    Spec alone = spec;
    alone.b = 1;
    auto plan_of_one = PlanOf(alone);
    for (int64_t b = 0; b < spec.b; ++b) {
      Tensors outputs = RunPlan(plan_of_one, Sequence(spec, inputs, b));
      EXPECT_EQ(FirstDifference(Sequence(spec, together, b), outputs), "")
          << "sequence " << b;
      ++compared;
    }
    const std::vector<int64_t> order = {2, 0, 1};
    EXPECT_EQ(FirstDifference(Reordered(spec, together, order),
                              RunPlan(plan, Reordered(spec, inputs, order))),
              "");
    Summary::Get().AddFigure("sequences in another order", spec.b);
  }
  Summary::Get().AddRepeats(compared);
  Summary::Get().AddFigure("sequences alone", compared);
}

// Sequences of different lengths in a cache that ends with the longest, and in
// one that has room for more.
TEST_P(Batches, RowsDoNotDependOnPadding) {
  for (DType dtype : {DType::kBF16, DType::kF32}) {
    for (KPolicy policy : {Policies()[0], Policies()[3]}) {
      if (emulated() &&
          (dtype == DType::kF32) != (policy.kind == KPolicyKind::kFixed))
        continue;
      Spec spec = OnDevice(BlockSpec(dtype, policy, 3, 5, 37));
      spec.family = Family::kSelectGather;
      spec.normaliser = false;
      spec.lengths = true;
      const char* engine = dtype == DType::kF32 ? "fma" : "mma_sync";
      spec.schedules.scores = ScoreTiles{engine, 1, 32, 2, 1, 0};
      spec.schedules.topk = TopKTiles{2, 256, 32, 64};
      spec.schedules.attention = AttentionTiles{engine, 16, 32, 2, 2, 1};
      SCOPED_TRACE(spec.ToString());
      Tensors inputs =
          MakeInputs(spec, WriteModule(spec).inputs, Workload::kAr1, 7);
      absl::Span<int32_t> lengths = inputs.at("lengths").values<int32_t>();
      lengths[0] = 12, lengths[1] = 37, lengths[2] = 25;
      Spec padded = spec;
      padded.sk = 70;
      EXPECT_EQ(
          FirstDifference(RunSpec(spec, inputs),
                          RunSpec(padded, Padded(spec, inputs, padded.sk))),
          "");
      Summary::Get().AddFigure("sequences beside padding", spec.b);
    }
  }
}

TEST_P(Batches, RowsDoNotDependOnTheChunk) {
  Spec spec = OnDevice(
      BlockSpec(DType::kBF16, {KPolicyKind::kUpstreamVariance, 8, 2, 12, 1.0},
                2, 19, 19));
  spec.family = Family::kSelect;
  spec.normaliser = false;
  spec.schedules.scores = ScoreTiles{"mma_sync", 1, 32, 2, 1, 0};
  Tensors inputs =
      MakeInputs(spec, WriteModule(spec).inputs, Workload::kAr1, 6);
  Tensors expected;
  for (int64_t chunk : {1, 5, 18, 19, 20, 64}) {
    SCOPED_TRACE(chunk);
    spec.schedules.topk = TopKTiles{2, 256, 32, chunk};
    Tensors outputs = RunSpec(spec, inputs);
    if (expected.empty()) {
      expected = std::move(outputs);
      continue;
    }
    EXPECT_EQ(FirstDifference(expected, outputs), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Batches, ::testing::Values("emu", "cuda:0"),
                         TargetName);

//===----------------------------------------------------------------------===//
// The conformance vector
//===----------------------------------------------------------------------===//

class DeviceConformance : public OnTarget {
 protected:
  static Tensors RunLayer(const std::string& text) {
    CompileOptions options = OptionsFor(GetParam());
    LayerProgram program(Replaced(text, "f64", "f32"), 1, 6, options);
    auto outputs = RunOnce(GetParam(), program.plan, program.inputs);
    if (!outputs.ok()) throw std::runtime_error(outputs.status().ToString());
    return *std::move(outputs);
  }
};

TEST_P(DeviceConformance, AdaptiveF32) {
  ExpectAdaptive(RunLayer(ConformanceText()), 1e-6);
}
TEST_P(DeviceConformance, FixedF32) {
  ExpectFixed(RunLayer(WithPolicy("<fixed, base = 3>", 3)), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Targets, DeviceConformance,
                         ::testing::Values("emu", "cuda:0"), TargetName);

//===----------------------------------------------------------------------===//
// What has no kernel
//===----------------------------------------------------------------------===//

std::string CompileError(Spec spec) {
  spec.target = "emu";
  spec.arch = "sm_90a";
  auto plan = Compile(spec, WriteModule(spec));
  EXPECT_FALSE(plan.ok()) << spec.ToString();
  return plan.ok() ? "" : plan.status().ToString();
}

class NoKernel : public ::testing::TestWithParam<Family> {};

TEST_P(NoKernel, ForF64) {
  DeviceScale scale = EmulationScale();
  Spec spec = DeviceSpec(static_cast<uint64_t>(GetParam()) * kShapes, scale);
  ASSERT_EQ(spec.family, GetParam());
  spec.dtype = spec.weights_dtype = spec.bias_dtype = DType::kF64;
  spec.gate_dtype = DType::kF64;
  spec.schedules = {};  // Of 16-bit elements: the module would be refused.
  std::string error = CompileError(spec);
  EXPECT_THAT(error, HasSubstr("UNIMPLEMENTED"));
  EXPECT_THAT(error, HasSubstr("case.mlir:"));
  EXPECT_THAT(error, HasSubstr("no kernel for"));
  EXPECT_THAT(error, HasSubstr("f64"));
}
INSTANTIATE_TEST_SUITE_P(
    Families, NoKernel,
    ::testing::Values(Family::kSelect, Family::kSelectGather, Family::kBlock,
                      Family::kGather, Family::kDense, Family::kFusable,
                      Family::kUnfused, Family::kIndexScores,
                      Family::kRowStatistics, Family::kTopK),
    [](const ::testing::TestParamInfo<Family>& info) {
      return FamilyName(info.param);
    });

/// The modules that a GPU is to run, up to the texts of their kernels.
TEST(DeviceModules, Compile) {
  DeviceScale scale = CudaScale();
  scale.target = "emu";
  scale.arch = "sm_90a";
  int failed = 0;
  for (uint64_t seed = 0; seed < kCudaRecipes * kShapes; ++seed) {
    Spec spec = DeviceSpec(seed, scale);
    Module module = WriteModule(spec);
    CompileOptions options = OptionsFor(spec.target);
    options.arch = spec.arch;
    for (const TensorSpec& input : module.inputs) {
      options.shapes[input.name] = input.shape;
    }
    options.stop_after = "program";
    absl::Status status = CompileToPhase(module.text, "case.mlir", options);
    EXPECT_TRUE(status.ok()) << spec.ToString() << ": " << status;
    if (!status.ok() && ++failed == 20) break;
  }
}

TEST(NoKernelFor, SortsBeyondTheLimit) {
  Spec spec;
  spec.family = Family::kTopK;
  spec.sk = 5000;
  spec.topk.order = reference::IndexOrder::kScore;
  spec.topk.slots = 4097;
  spec.schedules.topk = TopKTiles();
  EXPECT_THAT(CompileError(spec),
              HasSubstr("slots in the order of scores 4097 > 4096"));
}

TEST(NoKernelFor, DeepIndexers) {
  Spec spec;
  spec.family = Family::kIndexScores;
  spec.sq = spec.sk = 8;
  spec.di = 257;
  spec.schedules.scores = ScoreTiles{"fma"};
  EXPECT_THAT(CompileError(spec), HasSubstr("indexer depth 257 > 256"));
}

TEST(NoKernelFor, MoreSharedMemoryThanABlockHas) {
  Spec spec;
  spec.family = Family::kDense;
  spec.sq = spec.sk = 300;
  spec.d = spec.dv = 256;
  spec.schedules.attention = AttentionTiles{"fma", 128, 256, 8, 4, 8};
  EXPECT_THAT(CompileError(spec), HasSubstr("shared memory"));
}

}  // namespace
}  // namespace gsa::differential
