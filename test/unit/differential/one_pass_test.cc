//===- one_pass_test.cc - selection without scores in memory --------------===//
//
// On a GPU and in its emulation, with mma.sync and wgmma: what is selected from
// lists of candidates agrees with the float64 reference, whatever the keys are,
// and is the same in every run, in every batch and for every chunk.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "test/unit/differential/DeviceCase.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/differential/Session.h"
#include "test/unit/differential/Summary.h"
#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

/// Target and engine.
using Setting = std::tuple<const char*, const char*>;

class OnePass : public ::testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(target());
    if (!usable.ok()) GTEST_SKIP() << usable;
    auto plan = Compile(LongRows(64), WriteModule(LongRows(64)));
    if (plan.ok()) return;
    std::string reason = plan.status().ToString();
    if (reason.find("engine wgmma needs sm_90a") == std::string::npos)
      throw std::runtime_error(reason);
    GTEST_SKIP() << reason;
  }

  static const char* target() { return std::get<0>(GetParam()); }
  static bool emulated() { return std::strcmp(target(), "emu") == 0; }

  /// `keys` keys, all of them for 20 of 45 candidates.
  static Spec LongRows(int64_t keys) {
    const char* engine = std::get<1>(GetParam());
    // Boxes, and blocks that share out the scores.
    bool boxed = std::strcmp(engine, "boxed_wgmma") == 0;
    // The queries of two heads at a time, or of one, come with the keys.
    bool tiled = std::strncmp(engine, "tiled_", 6) == 0;
    bool paired = boxed || std::strcmp(engine, "paired_wgmma") == 0 ||
                  std::strcmp(engine, "tiled_wgmma") == 0;
    bool wgmma = paired || std::strcmp(engine, "wgmma") == 0;
    Spec spec =
        BlockSpec(DType::kBF16, reference::KPolicy::Fixed(20), 2, keys, keys);
    spec.family = Family::kSelect;
    spec.target = target();
    if (emulated()) spec.arch = EmulationScale().arch;
    spec.weights_dtype = spec.bias_dtype = DType::kF32;
    spec.di = 64;
    if (paired) spec.hi = 4;
    spec.schedules.scores = ScoreTiles{"mma_sync", 2, 32, 2, 2, 1};
    spec.schedules.topk = TopKTiles{2, 256, 64, 64};
    OnePassTiles tiles;
    tiles.scores = wgmma ? ScoreTiles{"wgmma", 4, 64, 2, 2, 4}
                         : ScoreTiles{"mma_sync", 4, 32, 3, 3, 2};
    if (paired) tiles.scores.warp_queries = 8;
    if (tiled) {
      spec.hi = paired ? 6 : 3;
      spec.schedules.scores->head_tile = 1;
      tiles.scores.head_tile = paired ? 2 : 1;
    }
    if (boxed) {
      // Behind the keys of a batch a box has those of the next one.
      spec.b = 1;
      tiles.scores.boxes = true;
      tiles.sm_blocks = 1;
      tiles.staged = 4;
    }
    tiles.sample = 4;
    tiles.rank = 9;
    tiles.capacity = 64;
    tiles.chunk = 100;
    spec.schedules.one_pass = tiles;
    return spec;
  }

  static Tensors RunSpec(const Spec& spec, const Tensors& inputs) {
    auto plan = Compile(spec, WriteModule(spec));
    if (!plan.ok()) throw std::runtime_error(plan.status().ToString());
    auto outputs = RunOnce(spec.target, *plan, inputs);
    if (!outputs.ok()) throw std::runtime_error(outputs.status().ToString());
    return *std::move(outputs);
  }
};

TEST_P(OnePass, AgreesWithTheReference) {
  const int64_t keys = emulated() ? 150 : 1500;
  uint64_t seed = 0;
  for (Workload workload :
       {Workload::kNormal, Workload::kAr1, Workload::kAllEqual,
        Workload::kTwoValued, Workload::kIntegers, Workload::kHuge,
        Workload::kNan, Workload::kInfinity}) {
    for (DType dtype : {DType::kBF16, DType::kF16}) {
      // In the emulation each workload has one of the two types.
      ++seed;
      bool wants_f16 = static_cast<int>(workload) % 2 == 1;
      if (emulated() && wants_f16 != (dtype == DType::kF16)) continue;
      Spec spec = LongRows(keys + static_cast<int64_t>(seed % 7));
      spec.dtype = dtype;
      spec.select.sink = seed % 3;
      spec.select.local = seed % 5;
      if (workload == Workload::kIntegers)
        spec.select.score_activation = reference::ScoreActivation::kRelu;
      SCOPED_TRACE(spec.ToString() + ", " + WorkloadName(workload));
      Tensors inputs =
          MakeInputs(spec, WriteModule(spec).inputs, workload, seed);
      Findings findings = Check(spec, workload, inputs, RunSpec(spec, inputs));
      EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
      Summary::Get().AddCase(spec, findings);
    }
  }
}

// For compute-sanitizer: few keys.
class SmallOnePass : public OnePass {};
TEST_P(SmallOnePass, AgreesWithTheReference) {
  for (Workload workload : {Workload::kAr1, Workload::kAllEqual}) {
    Spec spec = LongRows(150);
    SCOPED_TRACE(spec.ToString() + ", " + WorkloadName(workload));
    Tensors inputs = MakeInputs(spec, WriteModule(spec).inputs, workload, 3);
    Findings findings = Check(spec, workload, inputs, RunSpec(spec, inputs));
    EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
    Summary::Get().AddCase(spec, findings);
  }
}

// From moments of the pass, or of a round before it.
TEST_P(OnePass, BudgetsOfRows) {
  uint64_t seed = 40;
  for (reference::KPolicyKind kind :
       {reference::KPolicyKind::kUpstreamVariance,
        reference::KPolicyKind::kPaperEma, reference::KPolicyKind::kOrth}) {
    for (Workload workload :
         {Workload::kNormal, Workload::kHuge, Workload::kNan}) {
      if (emulated() && workload == Workload::kHuge) continue;
      Spec spec = LongRows(emulated() ? 120 : 1200);
      spec.select.policy = {kind, 20, 4, 40, 1.0};
      spec.normaliser = kind == reference::KPolicyKind::kPaperEma;
      SCOPED_TRACE(spec.ToString() + ", " + WorkloadName(workload));
      Tensors inputs =
          MakeInputs(spec, WriteModule(spec).inputs, workload, ++seed);
      Findings findings = Check(spec, workload, inputs, RunSpec(spec, inputs));
      EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
      Summary::Get().AddCase(spec, findings);
    }
  }
}

TEST_P(OnePass, BatchesNoBitDependsOnRunOrChunk) {
  Spec spec = LongRows(emulated() ? 130 : 900);
  Tensors inputs =
      MakeInputs(spec, WriteModule(spec).inputs, Workload::kAr1, 6);
  Tensors expected = RunSpec(spec, inputs);
  for (auto [chunk, exact] : std::vector<std::pair<int64_t, int64_t>>{
           {100, 64}, {100, 64}, {7, 1}, {1000, 500}}) {
    SCOPED_TRACE(chunk);
    spec.schedules.one_pass->chunk = chunk;
    spec.schedules.topk->chunk = exact;
    spec.schedules.one_pass->sm_blocks = chunk % 3;
    EXPECT_EQ(FirstDifference(expected, RunSpec(spec, inputs)), "");
  }
}

std::string NameOf(const ::testing::TestParamInfo<Setting>& info) {
  auto [target, engine] = info.param;
  return std::string(std::strcmp(target, "emu") == 0 ? "Emu" : "Cuda") + "_" +
         engine;
}

constexpr const char* kEngines[] = {"mma_sync",     "wgmma",
                                    "paired_wgmma", "boxed_wgmma",
                                    "tiled_wgmma",  "tiled_mma_sync"};
INSTANTIATE_TEST_SUITE_P(Targets, OnePass,
                         ::testing::Combine(::testing::Values("emu", "cuda:0"),
                                            ::testing::ValuesIn(kEngines)),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(CudaSmall, SmallOnePass,
                         ::testing::Combine(::testing::Values("cuda:0"),
                                            ::testing::ValuesIn(kEngines)),
                         NameOf);

}  // namespace
}  // namespace gsa::differential
