//===- split_union_test.cc - attention over unions that are split ---------===//
//
// On a GPU and in its emulation: whatever the two halves of a block's queries
// want, apart and together, attention agrees with the float64 reference, and is
// the same in every run.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "test/unit/differential/DeviceCase.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/differential/Session.h"
#include "test/unit/differential/Summary.h"
#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

constexpr int64_t kQueries = 70, kKeys = 300, kSlots = 45;

/// What the lists of a tile are like.
enum class Lists {
  kRandom,      ///< Some keys of both halves, some of either; odd counts.
  kFirstHalf,   ///< The other half has none.
  kSecondHalf,  ///< The first half has none.
  kSame,        ///< All queries want the same keys.
  kApart,       ///< No key is wanted by both halves.
  kLopsided,    ///< One key in the first half, full lists in the other.
  kLate,        ///< Every other query wants none of the first tiles' keys.
  kNone,
};
const char* NameOf(Lists lists) {
  const char* names[] = {"random", "first half", "second half", "same",
                         "apart",  "lopsided",   "late",        "none"};
  return names[static_cast<int>(lists)];
}
constexpr Lists kAllLists[] = {
    Lists::kRandom, Lists::kFirstHalf, Lists::kSecondHalf, Lists::kSame,
    Lists::kApart,  Lists::kLopsided,  Lists::kLate,       Lists::kNone};

struct Shape {
  const char* name;
  DType dtype;
  int64_t heads, groups, depth, block_k, stages;
};
// Shapes that a Spec is made of; one with two blocks of keys in flight, and one
// with more blocks than a ring has stages.
constexpr Shape kShapesOfSplits[] = {
    {"FourHeads", DType::kBF16, 8, 2, 64, 64, 2},
    {"EightHeads", DType::kF16, 8, 1, 48, 32, 3},
    {"Wide", DType::kBF16, 4, 1, 128, 128, 1},
};

/// Target and shape.
using Setting = std::tuple<const char*, Shape>;

class SplitUnions : public ::testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(target());
    if (!usable.ok()) GTEST_SKIP() << usable;
    if (!HasWgmma(target()) && !emulated()) GTEST_SKIP() << "needs wgmma";
  }

  static const char* target() { return std::get<0>(GetParam()); }
  static bool emulated() { return std::strcmp(target(), "emu") == 0; }

  static Spec SpecOfShape() {
    const Shape& shape = std::get<1>(GetParam());
    Spec spec;
    spec.family = Family::kGather;
    spec.dtype = spec.gate_dtype = shape.dtype;
    spec.b = 2;
    spec.sq = kQueries;
    spec.sk = kKeys;
    spec.h = shape.heads;
    spec.g = shape.groups;
    spec.d = spec.dv = shape.depth;
    spec.topk.slots = kSlots;
    spec.target = target();
    if (emulated()) spec.arch = EmulationScale().arch;
    UnionTiles tiles;
    int64_t half = 64 * shape.groups / shape.heads;
    tiles.queries = 2 * half;
    tiles.groups = 2;
    tiles.block_k = shape.block_k;
    tiles.key_stages = tiles.value_stages = shape.stages;
    tiles.chunk = 2 * tiles.queries;
    tiles.per_query = AttentionTiles{"mma_sync", 16, 32, 2, 4, 2};
    spec.schedules.attention = tiles.per_query;
    spec.schedules.shared = tiles;
    return spec;
  }

  /// Lists that ascend.
  static void SetLists(const Spec& spec, Lists lists, uint64_t seed,
                       Tensors& inputs) {
    absl::Span<int32_t> indices = inputs.at("indices").values<int32_t>();
    absl::Span<int32_t> counts = inputs.at("counts").values<int32_t>();
    int64_t tile = spec.schedules.shared->queries;
    for (int64_t row = 0; row < spec.b * spec.sq; ++row) {
      bool second = row % spec.sq % tile >= tile / 2;
      uint64_t of = lists == Lists::kSame ? 0 : row;
      Rng rng(seed * 1000 + of, "lists");
      std::vector<int32_t> keys;
      for (int32_t key = 0; key < kKeys; ++key) {
        bool allowed = lists != Lists::kApart || (key % 2 == 1) == second;
        allowed &= lists != Lists::kLate || row % 2 == 1 || key >= 200;
        // Keys of a window are shared, others rarely.
        if (allowed && rng.Chance(key / 40 == 3 ? 0.9 : 0.06))
          keys.push_back(key);
      }
      auto count = static_cast<int32_t>(std::min<int64_t>(keys.size(), kSlots));
      if (lists == Lists::kRandom) count = rng.Chance(0.2) ? 0 : count - 1;
      if (lists == Lists::kNone) count = 0;
      if (lists == (second ? Lists::kFirstHalf : Lists::kSecondHalf)) count = 0;
      if (lists == Lists::kLopsided && !second) count = 1;
      count = std::max(count, 0);
      counts[row] = count;
      for (int64_t i = 0; i < kSlots; ++i)
        indices[row * kSlots + i] = i < count ? keys[i] : -1;
    }
  }
};

TEST_P(SplitUnions, AgreeWithTheReference) {
  Spec spec = SpecOfShape();
  SCOPED_TRACE(spec.ToString());
  Module module = WriteModule(spec);
  auto plan = Compile(spec, module);
  ASSERT_TRUE(plan.ok()) << plan.status() << "\n" << module.text;
  uint64_t seed = 0;
  for (Lists lists : kAllLists) {
    for (Workload workload :
         {Workload::kNormal, Workload::kNan, Workload::kInfinity}) {
      bool ordinary = workload == Workload::kNormal;
      if (!ordinary && lists != Lists::kRandom && lists != Lists::kApart)
        continue;
      SCOPED_TRACE(std::string(NameOf(lists)) + ", " + WorkloadName(workload));
      Tensors inputs = MakeInputs(spec, module.inputs, workload, ++seed);
      SetLists(spec, lists, seed, inputs);
      auto session = Session::Create(spec.target, *plan, inputs);
      ASSERT_TRUE(session.ok()) << session.status();
      absl::StatusOr<Tensors> outputs = (*session)->Run(0xA5);
      ASSERT_TRUE(outputs.ok()) << outputs.status();
      Findings findings = Check(spec, workload, inputs, *outputs);
      EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
      Summary::Get().AddCase(spec, findings);
      absl::StatusOr<Tensors> again = (*session)->Run(0x17);
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ(FirstDifference(*outputs, *again), "");
    }
  }
}

// Lists that do not ascend are done by query, and others of their tile as well.
TEST_P(SplitUnions, ListsThatDoNotAscend) {
  Spec spec = SpecOfShape();
  Module module = WriteModule(spec);
  auto plan = Compile(spec, module);
  ASSERT_TRUE(plan.ok()) << plan.status() << "\n" << module.text;
  Tensors inputs = MakeInputs(spec, module.inputs, Workload::kNormal, 5);
  SetLists(spec, Lists::kRandom, 5, inputs);
  absl::Span<int32_t> indices = inputs.at("indices").values<int32_t>();
  inputs.at("counts").values<int32_t>()[3] = 2;
  indices[3 * kSlots] = 7;
  indices[3 * kSlots + 1] = 6;
  // And of another tile one that has a key twice.
  const int64_t row = 3 + spec.schedules.shared->queries;
  ASSERT_LT(row, kQueries);
  inputs.at("counts").values<int32_t>()[row] = 3;
  for (int64_t slot : {0, 1, 2})
    indices[row * kSlots + slot] = slot < 2 ? 7 : 9;
  auto outputs = RunOnce(spec.target, *plan, inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  Findings findings = Check(spec, Workload::kNormal, inputs, *outputs);
  EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
}

std::string NameOfSetting(const ::testing::TestParamInfo<Setting>& info) {
  auto [target, shape] = info.param;
  return std::string(std::strcmp(target, "emu") == 0 ? "Emu" : "Cuda") + "_" +
         shape.name;
}

INSTANTIATE_TEST_SUITE_P(
    Targets, SplitUnions,
    ::testing::Combine(::testing::Values("emu", "cuda:0"),
                       ::testing::ValuesIn(kShapesOfSplits)),
    NameOfSetting);
// For compute-sanitizer.
INSTANTIATE_TEST_SUITE_P(
    CudaSmall, SplitUnions,
    ::testing::Combine(::testing::Values("cuda:0"),
                       ::testing::Values(kShapesOfSplits[0])),
    NameOfSetting);

}  // namespace
}  // namespace gsa::differential
