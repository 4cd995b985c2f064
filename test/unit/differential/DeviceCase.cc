//===- DeviceCase.cc - random modules for GPUs ----------------------------===//

#include "test/unit/differential/DeviceCase.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace gsa::differential {

DeviceScale EmulationScale() {
  DeviceScale scale;
  scale.target = "emu";
  scale.arch = "sm_90a";
  scale.work = 400'000;
  scale.longest = 130;
  scale.all_sizes = false;
  return scale;
}

DeviceScale CudaScale() {
  DeviceScale scale;
  scale.target = "cuda:0";
  scale.work = 12'000'000;
  scale.longest = 2100;
  return scale;
}

namespace {

/// Keys for which budgets are made.
constexpr int64_t kTypicalKeys = 48;
/// Entries of a list that attention keeps in shared memory at once.
constexpr int64_t kListEntries = 8192;
/// Cells that a warp reads at once.
constexpr int64_t kStepCells = 256;

void HeadSizes(Rng& rng, Spec& spec, bool all) {
  int64_t ratio = all ? rng.Pick<int64_t>({1, 2, 4, 8, 12, 16, 17, 33})
                      : rng.Pick<int64_t>({1, 2, 4, 8});
  spec.g = ratio > 4 ? 1 : rng.Int(1, 2);
  spec.h = ratio * spec.g;
  spec.d = all ? rng.Pick<int64_t>({2, 16, 32, 64, 96, 128, 128, 256})
               : rng.Pick<int64_t>({16, 32, 64});
  if (rng.Chance(0.15)) spec.d = rng.Int(1, 40) * 2 + 1;
  spec.dv = rng.Chance(0.7) ? spec.d : rng.Pick<int64_t>({1, 8, 16, 48, 80});
  spec.di = all ? rng.Pick<int64_t>({4, 32, 64, 128, 256})
                : rng.Pick<int64_t>({16, 32, 64});
  if (rng.Chance(0.15)) spec.di = rng.Int(1, 40);
  // More than 8 heads leave the registers.
  spec.hi = all ? rng.Pick<int64_t>({1, 2, 3, 4, 8, 9, 16})
                : rng.Pick<int64_t>({1, 2, 4, 9});
  // Queries of all indexer heads stay in shared memory.
  int64_t bytes = static_cast<int64_t>(DTypeSize(spec.dtype));
  while (spec.hi > 1 && 16 * spec.hi * (spec.di + 16) * bytes > 72 * 1024) {
    spec.hi /= 2;
  }
  if (spec.family == Family::kBlock || spec.family == Family::kRope) {
    spec.d += spec.d % 2;
  }
}

/// Bytes of shared memory that keys and values of a ring and the queries need.
int64_t AttentionBytes(const Spec& spec, const AttentionTiles& tiles) {
  int64_t depth = (spec.d + 15) / 16 * 16 + (spec.dv + 15) / 16 * 16;
  int64_t rows = tiles.block_q + tiles.stages * tiles.block_k;
  return rows * depth * static_cast<int64_t>(DTypeSize(spec.dtype));
}

const char* EngineOf(DType dtype) {
  return dtype == DType::kF32 ? "fma" : "mma_sync";
}

AttentionTiles RandomAttentionTiles(Rng& rng, const Spec& spec) {
  AttentionTiles tiles;
  tiles.engine = EngineOf(spec.dtype);
  tiles.block_q = rng.Pick<int64_t>({16, 16, 32});
  int64_t split = rng.Pick<int64_t>({1, 1, 2});
  tiles.consumers = tiles.block_q / 16 * split;
  tiles.block_k = rng.Pick<int64_t>({32, 64, 96});
  tiles.producers = rng.Pick<int64_t>({0, 1, 2, 4});
  tiles.stages = tiles.producers == 0 ? 1 : rng.Int(1, 3);
  while (AttentionBytes(spec, tiles) > 72 * 1024) {
    if (tiles.stages > 1) {
      --tiles.stages;
    } else {
      tiles.block_k = 32;
      tiles.block_q = 16;
      tiles.consumers = split;
      break;
    }
  }
  return tiles;
}

/// Keys that queries share, where the sizes of heads allow it.
std::optional<UnionTiles> RandomUnionTiles(Rng& rng, const Spec& spec) {
  int64_t ratio = spec.h / spec.g;
  bool shares =
      spec.family == Family::kSelectGather || spec.family == Family::kGather;
  if (!shares || spec.dtype == DType::kF32 || ratio > 32 || spec.d % 8 != 0 ||
      spec.dv % 8 != 0) {
    return std::nullopt;
  }
  UnionTiles tiles;
  tiles.per_query = RandomAttentionTiles(rng, spec);
  int64_t most = std::min<int64_t>(64 / ratio, 32);
  tiles.queries = rng.Chance(0.5) ? most : rng.Int(2, most);
  tiles.block_k = rng.Pick<int64_t>({32, 64, 64});
  tiles.key_stages = rng.Int(1, 3);
  tiles.value_stages = rng.Int(1, 3);
  if (spec.d + spec.dv > 256) tiles.key_stages = tiles.value_stages = 1;
  tiles.producers = rng.Pick<int64_t>({4, 4, 8});
  int64_t chunk = rng.Pick<int64_t>({1, 2, 7, 1000});
  // Two warpgroups, where the heads of half the queries fill one. Keys of both
  // kinds and of either alone come by themselves: lists differ.
  if (64 % ratio == 0 && ratio >= 4 && rng.Chance(0.5)) {
    tiles.groups = 2;
    tiles.queries = 2 * (64 / ratio);
    if (spec.d + spec.dv <= 256) {
      tiles.block_k = rng.Pick<int64_t>({32, 64, 128});
      // Rings of tiles beside 128 rows of queries.
      int64_t most = tiles.block_k == 128 && spec.d + spec.dv > 128 ? 2 : 3;
      tiles.key_stages = std::min(tiles.key_stages, most);
      tiles.value_stages = std::min(tiles.value_stages, most);
    }
  }
  tiles.chunk = tiles.queries * chunk;
  return tiles;
}

/// Dense attention by warpgroups, of heads as wide as its panels.
void RandomDense(Rng& rng, Spec& spec, bool all) {
  if (spec.family != Family::kDense || spec.dtype == DType::kF32 ||
      (all && rng.Chance(0.3))) {
    return;
  }
  spec.d = rng.Pick<int64_t>({64, 64, 128});
  spec.dv = rng.Chance(0.8) ? spec.d : 192 - spec.d;
  DenseTiles tiles;
  tiles.per_row = RandomAttentionTiles(rng, spec);
  tiles.block_q = rng.Pick<int64_t>({64, 128, 128, 192});
  tiles.block_k = rng.Pick<int64_t>({16, 48, 64, 80});
  if (all && tiles.block_q < 192 && rng.Chance(0.4)) tiles.block_k = 128;
  tiles.key_stages = rng.Int(1, 3);
  tiles.value_stages = rng.Int(1, 3);
  if (tiles.block_k == 128 && spec.d + spec.dv > 192) {
    tiles.key_stages = tiles.value_stages = 2;
  }
  if (tiles.block_q > 64 && rng.Chance(0.6)) tiles.order = "ping_pong";
  spec.schedules.dense = tiles;
}

ScoreTiles RandomScoreTiles(Rng& rng, const Spec& spec) {
  ScoreTiles tiles;
  tiles.engine = EngineOf(spec.dtype);
  tiles.consumers = rng.Pick<int64_t>({1, 1, 2});
  tiles.block_k = rng.Pick<int64_t>({16, 32, 64});
  tiles.span = rng.Int(1, 3);
  tiles.producers = rng.Pick<int64_t>({0, 1, 2});
  tiles.stages = tiles.producers == 0 ? 1 : rng.Int(1, 3);
  return tiles;
}

TopKTiles RandomTopKTiles(Rng& rng) {
  TopKTiles tiles;
  tiles.warps = rng.Pick<int64_t>({1, 2, 4});
  tiles.bins = rng.Pick<int64_t>({256, 256, 1024});
  tiles.capacity = rng.Pick<int64_t>({32, 32, 64});
  tiles.chunk = rng.Pick<int64_t>({1, 5, 16, 64});
  return tiles;
}

/// For 16-bit selections whose budgets do not depend on entropy. The lists
/// have room for the budget and not much more, so that some rows take all of
/// their scores.
void RandomOnePass(Rng& rng, Spec& spec) {
  bool selects =
      spec.family == Family::kSelect || spec.family == Family::kSelectGather;
  if (!selects || spec.dtype == DType::kF32 || !spec.schedules.scores ||
      spec.select.policy.kind == reference::KPolicyKind::kEntropy ||
      rng.Chance(0.4)) {
    return;
  }
  OnePassTiles tiles;
  tiles.scores = RandomScoreTiles(rng, spec);
  tiles.sample = rng.Pick<int64_t>({2, 3, 4, 16});
  int64_t slots = spec.select.policy.Slots();
  tiles.rank = slots / tiles.sample + rng.Int(1, 6);
  tiles.capacity = std::max<int64_t>({32, slots, tiles.rank * tiles.sample}) +
                   rng.Pick<int64_t>({0, 7, 64});
  tiles.chunk = rng.Pick<int64_t>({1, 16, 40, 64});
  spec.schedules.one_pass = tiles;
}

/// For selections that no other row decides on; half of those that do not go by
/// candidates.
void RandomShortRows(Rng& rng, Spec& spec) {
  bool selects =
      spec.family == Family::kSelect || spec.family == Family::kSelectGather;
  const reference::KPolicy& policy = spec.select.policy;
  bool coupled = policy.UsesNormaliser() && !spec.normaliser;
  if (!selects || coupled || !spec.schedules.scores ||
      spec.schedules.one_pass || rng.Chance(0.5)) {
    return;
  }
  ShortRowsTiles tiles;
  tiles.rows = rng.Pick<int64_t>({1, 7, 16, 32});
  // 32 warps hold the longest row.
  tiles.cells = policy.UsesStatistic() ? 0 : rng.Pick<int64_t>({0, 3, 8, 16});
  spec.schedules.short_rows = tiles;
}

/// Which of a family's ops may carry a schedule; what the compiler makes of
/// aggregates and of chains that it fuses is its own choice.
void RandomSchedules(Rng& rng, Spec& spec, bool all) {
  AttentionTiles attention = RandomAttentionTiles(rng, spec);
  ScoreTiles scores = RandomScoreTiles(rng, spec);
  TopKTiles topk = RandomTopKTiles(rng);
  bool own = !all || rng.Chance(0.7);
  bool aggregate =
      spec.family == Family::kBlock || spec.family == Family::kFusable;
  if (!own || aggregate) return;
  spec.schedules.attention = attention;
  spec.schedules.scores = scores;
  spec.schedules.topk = topk;
}

Spec Recipe(uint64_t recipe, const DeviceScale& scale) {
  Rng rng(recipe, scale.all_sizes ? "recipe" : "small recipe");
  Spec spec;
  spec.family = static_cast<Family>(recipe % kNumFamilies);
  constexpr DType kDTypes[] = {DType::kF32, DType::kBF16, DType::kF16};
  spec.dtype = kDTypes[(recipe % kNumFamilies + recipe / kNumFamilies) % 3];
  spec.target = scale.target;
  spec.arch = scale.arch;
  spec.opt_level = 0;
  HeadSizes(rng, spec, scale.all_sizes);
  RandomOptions(rng, spec, kTypicalKeys);
  RandomSchedules(rng, spec, scale.all_sizes);
  // Choices of its own: the others stay what they are.
  Rng one_pass(recipe, "one pass");
  RandomOnePass(one_pass, spec);
  Rng short_rows(recipe, "short rows");
  RandomShortRows(short_rows, spec);
  if (spec.family == Family::kGather && rng.Chance(0.5)) {
    spec.topk.slots = rng.Pick<int64_t>({31, 32, 33, 64, 65, 96, 97});
    bool segments = scale.all_sizes && spec.h * (spec.d + spec.dv) <= 512;
    if (segments) spec.topk.slots = kListEntries + rng.Int(-1, 2);
  }
  Rng shared(recipe, scale.all_sizes ? "union" : "small union");
  if (spec.schedules.attention && shared.Chance(scale.all_sizes ? 0.7 : 1.0)) {
    spec.schedules.shared = RandomUnionTiles(shared, spec);
  }
  Rng dense(recipe, "dense");
  RandomDense(dense, spec, scale.all_sizes);
  Rng extras(recipe, "extras");
  RandomExtras(extras, spec);
  // Those know no lengths, and no ranges.
  if (spec.schedules.shared || spec.schedules.one_pass ||
      spec.schedules.short_rows || spec.schedules.dense) {
    spec.lengths = false;
    spec.parts = 0;
  }
  return spec;
}

/// Lengths at which something is exactly full, and one more.
int64_t KeyLength(Rng& rng, const Spec& spec, int64_t longest) {
  std::vector<int64_t> full = {1, 16, 32, 64, 128, kStepCells};
  if (spec.schedules.attention) {
    full.push_back(spec.schedules.attention->block_k);
    full.push_back(3 * spec.schedules.attention->block_k);
  }
  if (spec.schedules.scores) {
    const ScoreTiles& tiles = *spec.schedules.scores;
    full.push_back(tiles.block_k * tiles.span);
    full.push_back(2 * tiles.block_k * tiles.span);
  }
  if (spec.schedules.topk) {
    // With two outliers the others share a bin, see Workload::kOneBin.
    full.push_back(spec.schedules.topk->capacity);
    full.push_back(spec.schedules.topk->capacity + 2);
    full.push_back(spec.schedules.topk->warps * kStepCells);
  }
  if (rng.Chance(0.3)) return rng.Int(1, std::min<int64_t>(longest, 90));
  if (rng.Chance(0.05)) return longest;
  int64_t length = full[rng.Int(0, static_cast<int64_t>(full.size()) - 1)];
  return std::clamp<int64_t>(length + rng.Pick<int64_t>({-1, 0, 0, 1, 1}), 1,
                             longest);
}

int64_t QueryLength(Rng& rng, const Spec& spec) {
  if (rng.Chance(0.3)) return spec.sk;
  if (rng.Chance(0.1)) return 1;
  int64_t full = rng.Pick<int64_t>({16, 32, 64});
  if (spec.schedules.topk && rng.Chance(0.5)) {
    full = spec.schedules.topk->chunk * rng.Int(1, 2);
  } else if (spec.schedules.scores && rng.Chance(0.5)) {
    full = spec.schedules.scores->block_q();
  }
  return std::max<int64_t>(1, full + rng.Int(-1, 1));
}

/// Multiplications of the reference.
int64_t Work(const Spec& spec) {
  int64_t attention = 0, keys = spec.sk;
  if (spec.has_attention()) attention = spec.h * (spec.d + spec.dv);
  if (spec.family == Family::kGather) keys = spec.topk.slots;
  int64_t indexer = spec.has_indexer() ? spec.hi * spec.di : 0;
  return spec.b * spec.sq * keys * (attention + indexer + 8);
}

}  // namespace

Spec DeviceSpec(uint64_t seed, const DeviceScale& scale) {
  Spec spec = Recipe(seed / kShapes, scale);
  spec.seed = seed;
  Rng rng(seed, "shape");
  spec.dynamic = rng.Chance(0.25);
  spec.b = rng.Int(1, 3);
  spec.sk = KeyLength(rng, spec, scale.longest);
  spec.sq = QueryLength(rng, spec);
  if (spec.family == Family::kTopK) spec.topk.slots = rng.Int(1, spec.sk + 6);
  while (Work(spec) > scale.work && spec.b * spec.sq > 1) {
    if (spec.b > 1) {
      --spec.b;
    } else {
      spec.sq = (spec.sq + 1) / 2;
    }
  }
  return spec;
}

Spec WithFewQueries(Spec spec) {
  Rng rng(spec.seed, "split");
  spec.sq = rng.Int(1, 8);
  spec.lengths = true;
  spec.parts = 0;
  spec.fused_gate = spec.has_plain_attention();
  spec.schedules.shared.reset();
  spec.schedules.one_pass.reset();
  spec.schedules.short_rows.reset();
  if (!spec.schedules.scores)
    spec.schedules.scores = RandomScoreTiles(rng, spec);
  if (!spec.schedules.topk) spec.schedules.topk = RandomTopKTiles(rng);
  SplitSelectTiles select;
  select.engine = EngineOf(spec.dtype);
  select.consumers = rng.Pick<int64_t>({1, 2, 2});
  select.block_k = 32 * select.consumers * rng.Pick<int64_t>({1, 1, 2});
  select.span = rng.Int(1, 3);
  select.producers = rng.Pick<int64_t>({0, 1, 2});
  select.stages = select.producers == 0 ? 1 : rng.Int(1, 3);
  select.rows = RandomTopKTiles(rng);
  if (!spec.select.policy.UsesStatistic() && rng.Chance(0.7)) {
    select.sample = rng.Pick<int64_t>({2, 3, 4});
    int64_t slots = spec.select.policy.Slots();
    select.rank = slots / select.sample + rng.Int(1, 6);
    select.capacity =
        std::max<int64_t>({32, slots, select.rank * select.sample}) +
        rng.Pick<int64_t>({0, 7, 64});
    while (512 * select.rows.warps < select.capacity) select.rows.warps *= 2;
    select.deferred = rng.Chance(0.5);
  }
  bool has_mean =
      spec.select.policy.UsesNormaliser() && !spec.select.normaliser;
  if (!has_mean) spec.schedules.split_select = select;
  SplitAttentionTiles attention;
  attention.part = RandomAttentionTiles(rng, spec);
  // Parts of which some are empty, or one that is the whole.
  attention.entries = attention.part.block_k * rng.Pick<int64_t>({1, 1, 2, 5});
  // The most parts that a list may have.
  int64_t most = std::max(spec.topk.slots, spec.select.policy.Slots());
  while (64 * attention.entries < most) attention.entries *= 2;
  // One part, some, and all of a list in a block.
  attention.per_block = rng.Pick<int64_t>({1, 2, 3, 64});
  while (attention.per_block * attention.entries > 8192)
    attention.per_block /= 2;
  spec.schedules.split_attention = attention;
  return spec;
}

Workload DeviceWorkload(const Spec& spec, Rng& rng) {
  if (rng.Chance(0.2)) return Workload::kOneBin;
  return RandomWorkload(spec, rng);
}

}  // namespace gsa::differential
