//===- GsaUnionSchedule.cpp - schedules that share keys -------------------===//

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Rows of a warpgroup.
static constexpr int64_t kGroupRows = 64;
/// Queries that a word of bits has room for.
static constexpr int64_t kMostQueries = 32;
/// Bytes that the unions of a chunk may take, and of a key: its number, its
/// word and its bits, of which there are as many as in a word.
static constexpr int64_t kUnionBytes = int64_t{512} << 20;
static constexpr int64_t kUnionBytesPerKey = 12;
/// Heads that share keys.
static int64_t headsOfGroup(const AttentionProblem& problem) {
  return problem.heads / std::max<int64_t>(problem.groups, 1);
}

/// The most queries whose heads are the rows of a block.
static int64_t mostQueries(int64_t ratio) {
  return std::min(kGroupRows / std::max<int64_t>(ratio, 1), kMostQueries);
}

/// `other` is the kind that is for those elements.
static std::string findElementMisfit(const AttentionProblem& problem,
                                     StringRef other) {
  return findHalfMisfit("engine wgmma multiplies", problem.element, other);
}

/// Positions for keys of a split union over those of one that is not: those
/// that both halves want have room of their own, for half as many lists.
static constexpr double kSplitRoom = 1.5;
/// Blocks of a split union whose order is found in numbers of 32 bits.
static constexpr int64_t kMostSplitBlocks = 65535;

/// Why `queries` queries with `ratio` heads each are too many rows.
static std::string findRowsRefusal(int64_t queries, int64_t ratio,
                                   StringRef other) {
  if (queries * ratio <= kGroupRows) return "";
  int64_t most = mostQueries(ratio);
  return std::to_string(queries) + " queries x " + std::to_string(ratio) +
         " heads of a group = " + std::to_string(queries * ratio) +
         " rows, at most " + std::to_string(kGroupRows) + "; legal: " +
         (most < 2 ? other.str()
                   : "up to " + std::to_string(most) + " queries");
}

/// Why two groups cannot share `queries` queries with `ratio` heads each: the
/// rows of the second one come behind the 64 of the first one.
static std::string findSplitRefusal(int64_t queries, int64_t ratio) {
  if (queries / 2 * ratio == kGroupRows) return "";
  std::string legal = "groups = 1";
  if (kGroupRows % ratio == 0 && 2 * (kGroupRows / ratio) <= kMostQueries)
    legal = "queries = " + std::to_string(2 * (kGroupRows / ratio)) + ", or " +
            legal;
  return "2 groups of " + std::to_string(queries / 2) + " queries x " +
         std::to_string(ratio) + " heads have " +
         std::to_string(queries / 2 * ratio) + " rows each, expected " +
         std::to_string(kGroupRows) + "; legal: " + legal;
}

/// The kind that is for what cannot share keys.
template <typename Schedule>
static std::string perQueryName(Schedule schedule) {
  return ScheduleKind::of(schedule.getPerQuery()).getName();
}

template <typename Schedule>
static std::string findSharedMisfit(Schedule schedule, Operation* op) {
  std::string reason =
      findElementMisfit(*problemOf(op).attention, perQueryName(schedule));
  return reason.empty()
             ? inPart("per_query", schedule.getPerQuery().findMisfit(op))
             : reason;
}

/// What rules out sharing keys, whatever is done with them.
template <typename Schedule>
static std::string findSharedRefusal(Schedule schedule, Operation* op,
                                     const CudaTarget& target) {
  if (!target.wgmma) return needsWgmma(target);
  AttentionProblem problem = *problemOf(op).attention;
  // What no schedule takes is no fault of a part.
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  if (std::string reason = schedule.getPerQuery().findRefusal(op, target);
      !reason.empty())
    return inPart("per_query", reason);
  if (problem.slots < 1 || problem.keys < 1)
    return "there are no keys to share";
  int64_t ratio = headsOfGroup(problem);
  return schedule.getGroups() > 1
             ? findSplitRefusal(schedule.getQueries(), ratio)
             : findRowsRefusal(schedule.getQueries(), ratio,
                               perQueryName(schedule));
}

SmallVector<Attribute> UnionScheduleAttr::getParts() const {
  return {getPerQuery()};
}

std::string UnionScheduleAttr::findMisfit(Operation* op) const {
  return findSharedMisfit(*this, op);
}

std::string UnionScheduleAttr::findRefusal(Operation* op,
                                           const CudaTarget& target) const {
  if (std::string reason = findSharedRefusal(*this, op, target);
      !reason.empty())
    return reason;
  AttentionProblem problem = *problemOf(op).attention;
  int64_t united = std::min(getQueries() * problem.slots, problem.keys);
  if (isSplit() && united * kSplitRoom / getBlockK() > kMostSplitBlocks)
    return "the order of the blocks of a split union of " +
           std::to_string(united) +
           " keys has no room in 32 bits; legal: " + "groups = 1";
  if (problem.groups > kGridLimit)
    return over("groups of heads", problem.groups, kGridLimit);
  if (problem.depth % 8 != 0 || problem.valueDepth % 8 != 0)
    return "rows of keys and values must be whole vectors of 16 bytes";
  return "";
}

namespace {

/// What the schedules of an op have in common.
template <typename PerQuery>
struct Blocks {
  int64_t queries = 0;  ///< Of a block.
  int64_t tiles = 0;    ///< Blocks for the queries of a sequence, of one group.
  PerQuery perQuery;
};

}  // namespace

/// Finds how queries share blocks, or says why they had better not. With blocks
/// of several queries there must be enough of them for all SMs.
template <typename PerQuery>
static std::string findBlocks(Operation* op, const CudaTarget& target,
                              Blocks<PerQuery>& blocks) {
  std::string other = ScheduleKind::get<PerQuery>(op->getContext()).getName();
  AttentionProblem problem = *problemOf(op).attention;
  if (problem.isDense) return "dense attention has no lists of keys";
  if (!target.wgmma) return needsWgmma(target);
  if (std::string reason = findElementMisfit(problem, other); !reason.empty())
    return reason;
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  int64_t ratio = headsOfGroup(problem);
  blocks.queries = mostQueries(ratio);
  if (blocks.queries < 2) return findRowsRefusal(2, ratio, other);
  blocks.tiles =
      std::max<int64_t>(llvm::divideCeil(problem.queries, blocks.queries), 1);
  int64_t count = problem.batch * problem.groups * blocks.tiles;
  if (count < 2 * target.sms)
    return std::to_string(count) + " blocks of " +
           std::to_string(blocks.queries) + " queries < 2 x " +
           std::to_string(target.sms) + " SMs: too few to fill the device";
  std::string reason;
  blocks.perQuery = findFirstLegal<PerQuery>(op, target, reason);
  return blocks.perQuery ? "" : inPart("per_query", reason);
}

/// Unions of `perBlock` queries that are made at a time, of at most `tiles`:
/// the memory for them is that of their worst case, no key shared.
static int64_t countTiles(const AttentionProblem& problem, int64_t perBlock,
                          int64_t tiles, bool isSplit) {
  auto most = static_cast<double>(
      std::max<int64_t>(std::min(perBlock * problem.slots, problem.keys), 1));
  if (isSplit) most *= kSplitRoom;
  return std::clamp<int64_t>(
      static_cast<int64_t>(kUnionBytes / (kUnionBytesPerKey * most)), 1, tiles);
}

std::string UnionScheduleAttr::explainNone(Operation* op,
                                           const CudaTarget& target) {
  Blocks<AttentionScheduleAttr> blocks;
  return findBlocks(op, target, blocks);
}

SmallVector<Attribute> UnionScheduleAttr::enumerate(Operation* op,
                                                    const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  Blocks<AttentionScheduleAttr> blocks;
  if (!findBlocks(op, target, blocks).empty()) return schedules;
  auto [queries, tiles, perQuery] = blocks;
  AttentionProblem problem = *problemOf(op).attention;
  auto add = [&](int64_t groups, int64_t blockK, int64_t stages) {
    int64_t perBlock = groups * queries;
    int64_t chunk = countTiles(problem, perBlock,
                               llvm::divideCeil(tiles, groups), groups > 1);
    schedules.push_back(UnionScheduleAttr::get(
        op->getContext(), Engine::Wgmma, perBlock, groups, blockK, stages,
        stages, /*producers=*/4, /*table=*/16384, chunk * perBlock, perQuery));
  };
  for (int64_t stages : {3, 2}) add(/*groups=*/1, /*blockK=*/64, stages);
  // Two groups take as long as one, and their lists longer
  // (docs/performance.md); they have to be the rows of two warpgroups. Of words
  // that have room for no more queries than one holds there is nothing to
  // split.
  if (2 * queries <= kMostQueries)
    for (auto [blockK, stages] : {std::pair(128, 3), std::pair(96, 3),
                                  std::pair(64, 3), std::pair(64, 2)}) {
      add(/*groups=*/2, blockK, stages);
      // One tells why.
      if (!findSplitRefusal(2 * queries, headsOfGroup(problem)).empty()) break;
    }
  return schedules;
}

namespace {

/// What a step changes.
struct Numbers {
  int64_t queries, groups, blockK, keyStages, valueStages, table, chunk;
  AttentionScheduleAttr perQuery;
  int64_t listWarps, listEntries, listWords, listSmBlocks;
};

}  // namespace

SmallVector<Attribute> UnionScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  const Numbers own = {getQueries(),     getGroups(),      getBlockK(),
                       getKeyStages(),   getValueStages(), getTable(),
                       getChunk(),       getPerQuery(),    getListWarps(),
                       getListEntries(), getListWords(),   getListSmBlocks()};
  auto add = [&](const Numbers& n) {
    addStep(steps, *this, getEngine(), n.queries, n.groups, n.blockK,
            n.keyStages, n.valueStages, getProducers(), n.table, n.chunk,
            n.perQuery, n.listWarps, n.listEntries, n.listWords, n.listSmBlocks,
            getAgainSmBlocks());
  };
  StepBuilder<Numbers> builder(own, add);
  auto twice = [](Numbers& n) {
    n.queries *= 2;
    n.chunk = static_cast<int64_t>(llvm::alignTo(n.chunk, n.queries));
  };
  builder.change(twice);
  if (own.queries % 2 == 0) builder.change([](Numbers& n) { n.queries /= 2; });
  builder.shift(&Numbers::blockK, 32);
  builder.shift(&Numbers::keyStages, 1);
  builder.shift(&Numbers::valueStages, 1);
  builder.scale(&Numbers::table);
  builder.change([](Numbers& n) { n.chunk *= 2; });
  if (own.chunk % (2 * own.queries) == 0)
    builder.change([](Numbers& n) { n.chunk /= 2; });
  // The other number of groups, with as many rows in each.
  builder.change([&](Numbers& n) {
    n.groups = isSplit() ? 1 : 2;
    if (isSplit())
      n.queries /= 2;
    else
      twice(n);
  });
  for (Attribute perQuery : own.perQuery.getSteps())
    builder.change([&](Numbers& n) {
      n.perQuery = cast<AttentionScheduleAttr>(perQuery);
    });
  builder.scale(&Numbers::listWarps);
  builder.scale(&Numbers::listEntries);
  builder.scale(&Numbers::listWords);
  builder.shift(&Numbers::listSmBlocks, 1);
  return steps;
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

SmallVector<Attribute> UnionGradScheduleAttr::getParts() const {
  return {getPerQuery()};
}

std::string UnionGradScheduleAttr::findMisfit(Operation* op) const {
  return findSharedMisfit(*this, op);
}

std::string UnionGradScheduleAttr::findRefusal(Operation* op,
                                               const CudaTarget& target) const {
  if (std::string reason = findSharedRefusal(*this, op, target);
      !reason.empty())
    return reason;
  AttentionProblem problem = *problemOf(op).attention;
  if (problem.groups > kGridLimit)
    return over("groups of heads", problem.groups, kGridLimit);
  if (problem.depth % 8 != 0 || problem.valueDepth % 8 != 0)
    return "rows of keys and values must be whole vectors of 16 bytes";
  if (getGroups() > 1 && problem.depth != problem.valueDepth)
    return "2 groups make the sums of keys and of values alike, heads of " +
           std::to_string(problem.depth) + " and values of " +
           std::to_string(problem.valueDepth) + " differ; legal: groups = 1";
  int64_t pieces = llvm::divideCeil(problem.keys, getTable());
  if (getKeyChunks() > pieces)
    return over("key_chunks", getKeyChunks(), pieces) + " pieces of " +
           std::to_string(getTable()) + " keys (table)";
  return "";
}

std::string UnionGradScheduleAttr::explainNone(Operation* op,
                                               const CudaTarget& target) {
  Blocks<GatherGradScheduleAttr> blocks;
  return findBlocks(op, target, blocks);
}

SmallVector<Attribute> UnionGradScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  Blocks<GatherGradScheduleAttr> blocks;
  if (!findBlocks(op, target, blocks).empty()) return schedules;
  auto [queries, tiles, perQuery] = blocks;
  AttentionProblem problem = *problemOf(op).attention;
  auto add = [&](int64_t groups, int64_t keyStages, int64_t valueStages) {
    int64_t perBlock = groups * queries;
    int64_t chunk =
        countTiles(problem, perBlock, llvm::divideCeil(tiles, groups), false);
    schedules.push_back(get(op->getContext(), Engine::Wgmma, perBlock, groups,
                            keyStages, valueStages, /*producers=*/4,
                            /*table=*/16384, chunk * perBlock, perQuery));
  };
  // Two groups reduce what one alone would reduce twice. Keys are held longer
  // than values, so that a second stage is theirs where there is room for one:
  // 3 to 4 % less time (docs/performance.md). Of equal costs the first one
  // counts.
  if (2 * queries <= kMostQueries && problem.depth == problem.valueDepth &&
      findSplitRefusal(2 * queries, headsOfGroup(problem)).empty()) {
    add(/*groups=*/2, 2, 1);
    add(/*groups=*/2, 1, 1);
  }
  for (int64_t stages : {2, 1}) add(/*groups=*/1, stages, stages);
  return schedules;
}

SmallVector<Attribute> UnionGradScheduleAttr::getSteps() const {
  struct GradNumbers {
    int64_t queries, groups, keyStages, valueStages, table, chunk, keyChunks;
    GatherGradScheduleAttr perQuery;
  };
  SmallVector<Attribute> steps;
  const GradNumbers own = {getQueries(),     getGroups(),  getKeyStages(),
                           getValueStages(), getTable(),   getChunk(),
                           getKeyChunks(),   getPerQuery()};
  auto add = [&](const GradNumbers& n) {
    addStep(steps, *this, getEngine(), n.queries, n.groups, n.keyStages,
            n.valueStages, getProducers(), n.table, n.chunk, n.perQuery,
            getListWarps(), getListEntries(), getListWords(), getListSmBlocks(),
            getAgainSmBlocks(), n.keyChunks);
  };
  StepBuilder<GradNumbers> builder(own, add);
  builder.change([&](GradNumbers& n) {
    n.groups = getGroups() > 1 ? 1 : 2;
    n.queries = getGroups() > 1 ? n.queries / 2 : n.queries * 2;
    n.chunk = static_cast<int64_t>(llvm::alignTo(n.chunk, n.queries));
  });
  builder.shift(&GradNumbers::keyStages, 1);
  builder.shift(&GradNumbers::valueStages, 1);
  builder.scale(&GradNumbers::table);
  builder.scale(&GradNumbers::keyChunks);
  builder.change([](GradNumbers& n) { n.chunk *= 2; });
  if (own.chunk % (2 * own.queries) == 0)
    builder.change([](GradNumbers& n) { n.chunk /= 2; });
  for (Attribute perQuery : own.perQuery.getSteps())
    builder.change([&](GradNumbers& n) {
      n.perQuery = cast<GatherGradScheduleAttr>(perQuery);
    });
  return steps;
}
