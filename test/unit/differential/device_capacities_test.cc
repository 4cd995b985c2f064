//===- device_capacities_test.cc - buffers that are just full -------------===//
//
// On a GPU and in its emulation: what a kernel keeps in shared memory, in
// registers, in a list or in a chunk of the workspace has room for so much. One
// less, exactly that and one more agree with the float64 reference. (Random
// cases meet such sizes as well, see DeviceCase.h; here each buffer has a
// name.)
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cstring>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "test/unit/differential/Check.h"
#include "test/unit/differential/DeviceCase.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Runner.h"
#include "test/unit/differential/Session.h"
#include "test/unit/differential/Summary.h"
#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

constexpr int64_t kBudget = 20;

/// `budget` of `keys` keys, all of them visible to each of `queries` queries.
Spec Selection(int64_t queries, int64_t keys, int64_t budget = kBudget) {
  Spec spec = BlockSpec(DType::kBF16, reference::KPolicy::Fixed(budget), 1,
                        queries, keys);
  spec.family = Family::kSelect;
  spec.weights_dtype = spec.bias_dtype = DType::kF32;
  spec.select.mask = reference::Mask::kNone;
  spec.schedules.scores = ScoreTiles{"mma_sync", 1, 32, 2, 1, 0};
  spec.schedules.topk = TopKTiles{2, 256, 32, 64};
  return spec;
}

/// Attention over lists with `slots` entries.
Spec Lists(int64_t queries, int64_t keys, int64_t slots) {
  Spec spec;
  spec.family = Family::kGather;
  spec.dtype = spec.gate_dtype = DType::kBF16;
  spec.sq = queries;
  spec.sk = keys;
  spec.h = 4;
  spec.g = 1;
  spec.d = spec.dv = 64;
  spec.topk.slots = slots;
  spec.schedules.attention = AttentionTiles{"mma_sync", 16, 32, 2, 4, 2};
  return spec;
}

Spec Unions(int64_t queries, int64_t keys, int64_t slots) {
  Spec spec = Lists(queries, keys, slots);
  UnionTiles tiles;
  tiles.queries = 16;
  tiles.key_stages = tiles.value_stages = 2;
  tiles.chunk = 32;
  tiles.per_query = *spec.schedules.attention;
  spec.schedules.shared = tiles;
  return spec;
}

Spec OnePassOf(int64_t keys, int64_t capacity) {
  Spec spec = Selection(16, keys);
  OnePassTiles tiles;
  tiles.scores = ScoreTiles{"mma_sync", 1, 32, 2, 1, 0};
  tiles.rank = 6;
  tiles.capacity = capacity;
  tiles.staged = 4;
  spec.schedules.one_pass = tiles;
  return spec;
}

Spec SplitSelection(int64_t keys, int64_t capacity) {
  Spec spec = Selection(3, keys);
  spec.lengths = true;
  SplitSelectTiles tiles;
  tiles.engine = "mma_sync";
  tiles.span = 2;
  tiles.rows = *spec.schedules.topk;
  if (capacity > 0) {
    tiles.sample = 4;
    tiles.rank = 6;
    tiles.capacity = capacity;
  }
  spec.schedules.split_select = tiles;
  return spec;
}

Spec ShortRows(int64_t keys) {
  Spec spec = Selection(8, keys);
  spec.schedules.short_rows = ShortRowsTiles{4, 1};
  return spec;
}

Spec DenseTile(int64_t tokens) {
  Spec spec = Lists(tokens, tokens, 0);
  spec.family = Family::kDense;
  DenseTiles tiles;
  tiles.block_k = 64;
  tiles.key_stages = tiles.value_stages = 2;
  tiles.per_row = *spec.schedules.attention;
  spec.schedules.dense = tiles;
  return spec;
}

/// What holds `capacity`, and the module that puts so much into it.
struct Buffer {
  const char* name;
  int64_t capacity;
  Spec (*make)(int64_t size);
  Workload workload = Workload::kNormal;
  bool emulated = true;  ///< False: takes too long there.
};

const Buffer kBuffers[] = {
    // Beside two outliers, which have bins of their own.
    {"ThresholdBin", 32, [](int64_t n) { return Selection(16, n + 2); },
     Workload::kOneBin},
    {"StepOfWarps", 512, [](int64_t n) { return Selection(4, n); }},
    {"SpanOfScores", 64, [](int64_t n) { return Selection(17, n); }},
    {"ChunkOfRows", 64, [](int64_t n) { return Selection(n, 70); }},
    {"Budget", 33, [](int64_t n) { return Selection(5, 33, n); }},
    // The most that is sorted, and what is below.
    {"SortedSlots", 4095,
     [](int64_t n) {
       Spec spec;
       spec.family = Family::kTopK;
       spec.sq = 2;
       spec.sk = 4200;
       spec.topk.order = reference::IndexOrder::kScore;
       spec.topk.slots = n;
       spec.schedules.topk = TopKTiles();
       return spec;
     },
     Workload::kNormal, false},
    // Whatever the bound is, all keys reach it.
    {"Candidates", 64, [](int64_t n) { return OnePassOf(n, 64); },
     Workload::kAllEqual},
    {"StagedHits", 128, [](int64_t n) { return OnePassOf(n, 256); },
     Workload::kAllEqual},
    {"ListOfASplit", 64, [](int64_t n) { return SplitSelection(n, 64); },
     Workload::kAllEqual},
    {"SpanOfASplit", 64, [](int64_t n) { return SplitSelection(n, 0); }},
    // Two warps hold 64 scores.
    {"RowCells", 64, [](int64_t n) { return ShortRows(n); }},
    {"ShortRow", kBudget, [](int64_t n) { return ShortRows(n); }},
    {"ListInSharedMemory", 8192, [](int64_t n) { return Lists(2, 300, n); }},
    {"BlockOfList", 32, [](int64_t n) { return Lists(3, 90, n); }},
    {"EntriesOfAPart", 64,
     [](int64_t n) {
       Spec spec = Lists(2, 150, n);
       spec.lengths = true;
       spec.schedules.split_attention =
           SplitAttentionTiles{64, 1, *spec.schedules.attention};
       return spec;
     }},
    {"UnionTable", 1024, [](int64_t n) { return Unions(16, n, 45); },
     Workload::kNormal, false},
    {"StepOfAList", 256, [](int64_t n) { return Unions(16, 400, n); },
     Workload::kNormal, false},
    {"ChunkOfUnions", 32, [](int64_t n) { return Unions(n, 90, 33); }},
    {"BlockOfKeys", 32,
     [](int64_t n) {
       Spec spec = Lists(n, n, 0);
       spec.family = Family::kDense;
       return spec;
     }},
    {"DenseTile", 64, [](int64_t n) { return DenseTile(n); }},
};

void PrintTo(const Buffer& buffer, std::ostream* out) { *out << buffer.name; }

/// Target and buffer.
using Setting = std::tuple<const char*, Buffer>;

class Capacities : public ::testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    absl::Status usable = TargetIsUsable(target());
    if (!usable.ok()) GTEST_SKIP() << usable;
    const Schedules schedules = buffer().make(buffer().capacity).schedules;
    if ((schedules.shared || schedules.dense) && !HasWgmma(target()))
      GTEST_SKIP() << "needs wgmma";
  }

  static const char* target() { return std::get<0>(GetParam()); }
  static bool emulated() { return std::strcmp(target(), "emu") == 0; }
  static const Buffer& buffer() { return std::get<1>(GetParam()); }

  /// Agrees with the reference.
  static void RunSize(int64_t size) {
    Spec spec = buffer().make(size);
    spec.target = target();
    spec.opt_level = 0;
    if (emulated()) spec.arch = EmulationScale().arch;
    SCOPED_TRACE(spec.ToString());
    Module module = WriteModule(spec);
    auto plan = Compile(spec, module);
    ASSERT_TRUE(plan.ok()) << plan.status() << "\n" << module.text;
    Tensors inputs = MakeInputs(spec, module.inputs, buffer().workload,
                                static_cast<uint64_t>(size));
    auto outputs = RunOnce(spec.target, *plan, inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    Findings findings = Check(spec, buffer().workload, inputs, *outputs);
    EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
    Summary::Get().AddCase(spec, findings);
    Summary::Get().AddSchedules(module.text, 1);
    Summary::Get().AddFigure("sizes at and beside capacities", 1);
  }
};

TEST_P(Capacities, AgreeWithTheReference) {
  for (int64_t more : {-1, 0, 1}) {
    // What is one too many says most where each kernel takes seconds.
    if (emulated() && more < 1) continue;
    RunSize(buffer().capacity + more);
    if (HasFatalFailure()) return;
  }
}

std::vector<Buffer> BuffersOf(bool emulated) {
  std::vector<Buffer> buffers;
  for (const Buffer& buffer : kBuffers)
    if (!emulated || buffer.emulated) buffers.push_back(buffer);
  return buffers;
}
std::string NameOf(const ::testing::TestParamInfo<Setting>& info) {
  auto [target, buffer] = info.param;
  return std::string(std::strcmp(target, "emu") == 0 ? "Emu" : "Cuda") + "_" +
         buffer.name;
}
INSTANTIATE_TEST_SUITE_P(
    Emu, Capacities,
    ::testing::Combine(::testing::Values("emu"),
                       ::testing::ValuesIn(BuffersOf(true))),
    NameOf);
INSTANTIATE_TEST_SUITE_P(
    Cuda, Capacities,
    ::testing::Combine(::testing::Values("cuda:0"),
                       ::testing::ValuesIn(BuffersOf(false))),
    NameOf);

}  // namespace
}  // namespace gsa::differential
