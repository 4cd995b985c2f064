//===- device_cases_test.cc - random kernels against the reference --------===//
//
// Each test takes one recipe (see DeviceCase.h), compiles its shapes and runs
// each of them on several inputs, one of them again with NaN in all that the
// run may not read: in inputs, the workspace, and outputs. The emulation runs
// under ThreadSanitizer; on a GPU each recipe also repeats one run, which must
// give the same bits.
//
// A failure names the seed and the workload. To repeat it, or to look at seeds
// that are not among the recipes below, set GSA_SEEDS to "first" or
// "first:count":
//
//   GSA_SEEDS=17 device_differential_test --gtest_filter=EmuChosen.*
//   GSA_SEEDS=1000:500 device_differential_test --gtest_filter=CudaChosen.*
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "test/unit/differential/Check.h"
#include "test/unit/differential/DeviceCase.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Poison.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/differential/Session.h"
#include "test/unit/differential/Summary.h"

namespace gsa::differential {
namespace {

struct Amount {
  int recipes;
  int shapes;    ///< Of each recipe, kShapes at most.
  int runs;      ///< Of each module, on different inputs.
  int repeats;   ///< Of one run of each recipe.
  int poisoned;  ///< Shapes of which a run is repeated among NaN.
};
constexpr Amount kEmulation = {kNumFamilies, 2, 2, 0, 1};
// 5445 cases, with those of CudaSplits.
constexpr Amount kCuda = {kCudaRecipes, kShapes, 9, 20, kShapes};
constexpr Amount kCudaSmall = {kNumFamilies, 3, 1, 0, 1};

class DeviceCases : public ::testing::TestWithParam<int> {
 protected:
  static void SkipUnlessUsable(const DeviceScale& scale) {
    absl::Status usable = TargetIsUsable(scale.target);
    if (!usable.ok()) GTEST_SKIP() << usable;
  }

  static void RunRecipe(int recipe, const DeviceScale& scale,
                        const Amount& amount) {
    for (int shape = 0; shape < amount.shapes; ++shape) {
      RunSeed(recipe * kShapes + shape, scale, amount, shape);
    }
  }

  /// The reference throws for operands that do not fit: a mistake of this test.
  static void RunSeed(uint64_t seed, const DeviceScale& scale,
                      const Amount& amount, int shape) {
    RunSpec(DeviceSpec(seed, scale), amount, shape);
  }
  /// `shape` is which one of its recipe the spec is.
  static void RunSpec(const Spec& spec, const Amount& amount, int shape) {
    try {
      RunSpecOrThrow(spec, amount, shape);
    } catch (const std::exception& error) {
      ADD_FAILURE() << spec.ToString() << ": " << error.what();
    }
  }

 private:
  static void RunSpecOrThrow(Spec spec, const Amount& amount, int shape) {
    const int runs = amount.runs;
    if (!HasWgmma(spec.target)) {
      spec.schedules.shared.reset();
      spec.schedules.dense.reset();
    }
    Module module = WriteModule(spec);
    SCOPED_TRACE(spec.ToString());
    absl::StatusOr<std::shared_ptr<const Plan>> plan = Compile(spec, module);
    ASSERT_TRUE(plan.ok()) << plan.status() << "\n" << module.text;
    Summary::Get().AddModule();
    Rng rng(spec.seed, "runs");
    for (int run = 0; run < runs; ++run) {
      Workload workload = DeviceWorkload(spec, rng);
      SCOPED_TRACE(WorkloadName(workload));
      Tensors inputs =
          MakeInputs(spec, module.inputs, workload, spec.seed * runs + run);
      auto session = Session::Create(spec.target, *plan, inputs);
      ASSERT_TRUE(session.ok()) << session.status();
      absl::StatusOr<Tensors> outputs = (*session)->Run(0xA5);
      ASSERT_TRUE(outputs.ok()) << outputs.status() << "\n" << module.text;
      Findings findings = Check(spec, workload, inputs, *outputs);
      EXPECT_TRUE(findings.errors.empty()) << findings.ToString() << "\n"
                                           << module.text;
      Summary::Get().AddCase(spec, findings);
      Summary::Get().AddFigure("random cases", 1);
      Summary::Get().AddSchedules(module.text, 1);
      if (run > 0) continue;
      Repeat(**session, *outputs, shape == 0 ? amount.repeats : 0);
      if (shape < amount.poisoned) RunAmongNan(spec, *plan, inputs, *outputs);
    }
  }

  static void RunAmongNan(const Spec& spec, std::shared_ptr<const Plan> plan,
                          const Tensors& inputs, const Tensors& expected) {
    Tensors poisoned = Poisoned(spec, inputs, expected);
    auto session = Session::Create(spec.target, std::move(plan), poisoned);
    ASSERT_TRUE(session.ok()) << session.status();
    absl::StatusOr<Tensors> outputs = (*session)->Run(kNanByte, kNanByte);
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_EQ(FirstDifference(expected, *outputs), "") << "among NaN";
    Summary::Get().AddFigure("poisoned runs", 1);
  }

  /// From other garbage each time.
  static void Repeat(Session& session, const Tensors& expected, int times) {
    for (int i = 0; i < times; ++i) {
      absl::StatusOr<Tensors> outputs =
          session.Run(static_cast<uint8_t>(17 * i));
      ASSERT_TRUE(outputs.ok()) << outputs.status();
      EXPECT_EQ(FirstDifference(expected, *outputs), "") << "run " << i + 2;
    }
    Summary::Get().AddRepeats(times);
  }
};

std::string RecipeName(int recipe, const DeviceScale& scale) {
  Spec spec = DeviceSpec(static_cast<uint64_t>(recipe) * kShapes, scale);
  return std::to_string(recipe) + "_" + FamilyName(spec.family) + "_" +
         DTypeName(spec.dtype);
}

class EmuCases : public DeviceCases {};
TEST_P(EmuCases, AgreeWithTheReference) {
  SkipUnlessUsable(EmulationScale());
  if (IsSkipped()) return;
  RunRecipe(GetParam(), EmulationScale(), kEmulation);
}
INSTANTIATE_TEST_SUITE_P(Recipes, EmuCases,
                         ::testing::Range(0, kEmulation.recipes),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, EmulationScale());
                         });

// Recipes whose queries share keys: of a selection, which ascend, and lists of
// which some do not.
class EmuUnions : public DeviceCases {};
TEST_P(EmuUnions, AgreeWithTheReference) {
  SkipUnlessUsable(EmulationScale());
  if (IsSkipped()) return;
  Spec spec =
      DeviceSpec(static_cast<uint64_t>(GetParam()) * kShapes, EmulationScale());
  ASSERT_TRUE(spec.schedules.shared) << spec.ToString();
  RunRecipe(GetParam(), EmulationScale(), kEmulation);
}
INSTANTIATE_TEST_SUITE_P(Recipes, EmuUnions,
                         ::testing::Values(kNumFamilies + 1, kNumFamilies + 3,
                                           2 * kNumFamilies + 3),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, EmulationScale());
                         });

// Recipes of dense attention by warpgroups.
class EmuGroups : public DeviceCases {};
TEST_P(EmuGroups, AgreeWithTheReference) {
  SkipUnlessUsable(EmulationScale());
  if (IsSkipped()) return;
  Spec spec =
      DeviceSpec(static_cast<uint64_t>(GetParam()) * kShapes, EmulationScale());
  ASSERT_TRUE(spec.schedules.dense) << spec.ToString();
  RunRecipe(GetParam(), EmulationScale(), kEmulation);
}
INSTANTIATE_TEST_SUITE_P(Recipes, EmuGroups,
                         ::testing::Values(kNumFamilies + 4,
                                           3 * kNumFamilies + 4),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, EmulationScale());
                         });

// Recipes with every operand that they can have: gates, lengths, and attention
// merged from parts.
class EmuExtras : public DeviceCases {};
TEST_P(EmuExtras, AgreeWithTheReference) {
  SkipUnlessUsable(EmulationScale());
  if (IsSkipped()) return;
  // One for each number of parts.
  for (int shape = 0; shape < 4; ++shape) {
    Spec spec = DeviceSpec(static_cast<uint64_t>(GetParam()) * kShapes + shape,
                           EmulationScale());
    spec.lengths = true;
    spec.fused_gate = spec.has_plain_attention();
    if (spec.family == Family::kGather || spec.family == Family::kDense) {
      spec.parts = shape % 4;
    }
    // Which take no lengths.
    spec.schedules.shared.reset();
    spec.schedules.one_pass.reset();
    spec.schedules.short_rows.reset();
    spec.schedules.dense.reset();
    RunSpec(spec, kEmulation, shape);
  }
}
INSTANTIATE_TEST_SUITE_P(Recipes, EmuExtras,
                         ::testing::Values(0, 2, 3, 4, 7, kNumFamilies + 1,
                                           kNumFamilies + 3, kNumFamilies + 4),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, EmulationScale());
                         });

// Few queries whose keys are split among blocks.
class DeviceSplits : public DeviceCases {
 protected:
  static void RunSplits(int recipe, const DeviceScale& scale,
                        const Amount& amount) {
    for (int shape = 0; shape < amount.shapes; ++shape) {
      RunSpec(WithFewQueries(DeviceSpec(
                  static_cast<uint64_t>(recipe) * kShapes + shape, scale)),
              amount, shape);
    }
  }
};
class EmuSplits : public DeviceSplits {};
TEST_P(EmuSplits, AgreeWithTheReference) {
  SkipUnlessUsable(EmulationScale());
  if (IsSkipped()) return;
  RunSplits(GetParam(), EmulationScale(), kEmulation);
}
INSTANTIATE_TEST_SUITE_P(Recipes, EmuSplits,
                         ::testing::Values(1, kNumFamilies + 3,
                                           2 * kNumFamilies),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, EmulationScale());
                         });
class CudaSplits : public DeviceSplits {};
TEST_P(CudaSplits, AgreeWithTheReference) {
  SkipUnlessUsable(CudaScale());
  if (IsSkipped()) return;
  RunSplits(GetParam(), CudaScale(), kCuda);
}
INSTANTIATE_TEST_SUITE_P(Recipes, CudaSplits,
                         ::testing::Values(0, 1, 3, kNumFamilies,
                                           kNumFamilies + 1, kNumFamilies + 3,
                                           2 * kNumFamilies,
                                           2 * kNumFamilies + 1,
                                           2 * kNumFamilies + 3),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, CudaScale());
                         });

class CudaCases : public DeviceCases {};
TEST_P(CudaCases, AgreeWithTheReference) {
  SkipUnlessUsable(CudaScale());
  if (IsSkipped()) return;
  RunRecipe(GetParam(), CudaScale(), kCuda);
}
INSTANTIATE_TEST_SUITE_P(Recipes, CudaCases, ::testing::Range(0, kCuda.recipes),
                         [](const ::testing::TestParamInfo<int>& info) {
                           return RecipeName(info.param, CudaScale());
                         });

// For compute-sanitizer: the modules of the emulation.
DeviceScale SmallScale() {
  DeviceScale scale = EmulationScale();
  scale.target = CudaScale().target;
  scale.arch = CudaScale().arch;
  return scale;
}
class CudaSmall : public DeviceCases {};
TEST_P(CudaSmall, AgreeWithTheReference) {
  DeviceScale scale = SmallScale();
  SkipUnlessUsable(scale);
  if (IsSkipped()) return;
  RunRecipe(GetParam(), scale, kCudaSmall);
}
std::string SmallRecipeName(const ::testing::TestParamInfo<int>& info) {
  return RecipeName(info.param, EmulationScale());
}
INSTANTIATE_TEST_SUITE_P(Recipes, CudaSmall,
                         ::testing::Range(0, kCudaSmall.recipes),
                         SmallRecipeName);
// Families of schedules that few recipes have: unions, warpgroups, short rows.
INSTANTIATE_TEST_SUITE_P(Schedules, CudaSmall,
                         ::testing::Values(kNumFamilies + 1, kNumFamilies + 3,
                                           2 * kNumFamilies + 3,
                                           kNumFamilies + 4,
                                           3 * kNumFamilies + 4, kNumFamilies),
                         SmallRecipeName);
class CudaSmallSplits : public DeviceSplits {};
TEST_P(CudaSmallSplits, AgreeWithTheReference) {
  DeviceScale scale = SmallScale();
  SkipUnlessUsable(scale);
  if (IsSkipped()) return;
  RunSplits(GetParam(), scale, kCudaSmall);
}
INSTANTIATE_TEST_SUITE_P(Recipes, CudaSmallSplits,
                         ::testing::Values(1, kNumFamilies + 3,
                                           2 * kNumFamilies),
                         SmallRecipeName);

class ChosenDeviceCases : public DeviceCases {
 protected:
  static void RunChosen(const DeviceScale& scale, const Amount& amount) {
    const char* text = std::getenv("GSA_SEEDS");
    if (text == nullptr) GTEST_SKIP() << "GSA_SEEDS names no seeds";
    char* rest = nullptr;
    uint64_t first = std::strtoull(text, &rest, 10);
    uint64_t count = *rest == ':' ? std::strtoull(rest + 1, nullptr, 10) : 1;
    for (uint64_t seed = first; seed < first + count; ++seed) {
      RunSeed(seed, scale, amount, 0);
    }
  }
};
// What a filter of the recipes does not choose.
class EmuChosen : public ChosenDeviceCases {};
TEST_P(EmuChosen, AgreeWithTheReference) {
  RunChosen(EmulationScale(), kEmulation);
}
INSTANTIATE_TEST_SUITE_P(Seeds, EmuChosen, ::testing::Values(0));
class CudaChosen : public ChosenDeviceCases {};
TEST_P(CudaChosen, AgreeWithTheReference) { RunChosen(CudaScale(), kCuda); }
INSTANTIATE_TEST_SUITE_P(Seeds, CudaChosen, ::testing::Values(0));

}  // namespace
}  // namespace gsa::differential
