//===- GsaSplitSchedules.cpp - schedules for few queries ------------------===//
//
// One block for 16 queries, or for each row, leaves most of a device without
// work where there is one query. So the keys of a row are split among blocks.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// The most queries of a sequence that split schedules have kernels for.
static constexpr int64_t kFewQueries = 8;
/// Heads that are the rows of a product.
static constexpr int64_t kMostHeads = kTileUnit;
/// Rows of fewer keys, and lists of fewer entries, keep one block busy for less
/// than another kernel costs.
static constexpr int64_t kLeastKeys = 4096, kLeastEntries = 512;
/// Blocks of a cluster that has a sample, and the keys that they sample.
static constexpr int64_t kCluster = 8, kClusterSample = 2048;
/// Blocks of scores that an SM holds at most: a thread then has 80 registers.
static constexpr int64_t kMostScoreBlocks = 3;
/// Rounds of blocks that scores are shared out for, at most.
static constexpr int64_t kMostRounds = 16;
/// Hits that a warp keeps before it appends them.
static constexpr int64_t kStagedCells = 32;
/// Bytes of the scores that a block keeps until its bounds are there: so few
/// that they cost no block of an SM. Longer spans take longer than the bounds
/// do.
static constexpr int64_t kDeferredBytes = 4096;
/// Tiles in whose time a block starts.
static constexpr int64_t kStartTiles = 2;
/// Entries of a part, and the most parts: a merge reads all of them for each
/// element.
static constexpr int64_t kPartEntries = 128, kMostParts = 16;
/// Scores of a row in a thread, at most: its block has 1024 of them. And keys
/// of a block of a cluster that has all of a row.
static constexpr int64_t kMostRowCells = 8, kMostClusterKeys = 512;
/// Stages of a ring.
static constexpr int64_t kMostStages = 8;
/// Blocks of an SM that read while others sum up.
static constexpr int64_t kSmBlocks = 2;

/// Why `queries` queries are not few.
static std::string findManyQueries(int64_t queries, StringRef other) {
  if (queries <= kFewQueries) return "";
  return over("queries", queries, kFewQueries) + ": there is work for all " +
         "SMs without splitting keys; use " + other.str();
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

SmallVector<Attribute> SplitSelectScheduleAttr::getParts() const {
  return {getRows()};
}

/// What there is no kernel for, whatever the numbers.
static std::string findSplitMisfit(SelectOp op) {
  if (op.getPolicy().usesNormaliser() && !op.getNormaliser())
    return "split rows have no kernel for a mean over all rows; use "
           "#gsa.select_schedule";
  return "";
}

std::string SplitSelectScheduleAttr::findMisfit(Operation* op) const {
  auto select = cast<SelectOp>(op);
  if (std::string reason = findSplitMisfit(select); !reason.empty())
    return reason;
  if (hasLists() && select.getPolicy().usesStatistic())
    return "lists of candidates have no kernel for budgets that follow a "
           "statistic of all scores; use rank = 0";
  if (getRowCells() > 0 && select.getPolicy().usesStatistic())
    return "rows that are read once have no kernel for budgets that follow a "
           "statistic of all scores; use row_cells = 0";
  std::string reason = findEngineMisfit(
      getEngine(), problemOf(op).scores->element, /*knowsWgmma=*/false);
  return reason.empty() ? inPart("rows", getRows().findMisfit(op)) : reason;
}

/// What no numbers of the schedule change.
static std::string findShapeRefusal(const ScheduleProblem& problem) {
  const ScoreProblem& scores = *problem.scores;
  if (std::string limit = findLimit(scores); !limit.empty()) return limit;
  if (std::string limit = findLimit(*problem.rows); !limit.empty())
    return limit;
  if (std::string reason =
          findManyQueries(scores.queries, "#gsa.select_schedule");
      !reason.empty())
    return reason;
  if (scores.heads > kMostHeads)
    return over("indexer heads", scores.heads, kMostHeads) +
           ", the rows of a product; use #gsa.select_schedule";
  int64_t bytes = scores.batch * scores.queries * scores.keys * 4;
  if (bytes > kChunkBytes)
    return over("scores of all rows", bytes, kChunkBytes, "bytes");
  return "";
}

static std::string noClusters(const CudaTarget& target) {
  return "clusters need sm_90a or later, not " + target.arch.str() +
         "; use cluster = 0";
}

/// Why rows have no cluster of `cluster` blocks.
static std::string findClusterRefusal(const ScoreProblem& scores,
                                      int64_t cluster,
                                      const CudaTarget& target) {
  if (!target.bulkCopy) return noClusters(target);
  if (scores.queries > cluster)
    return over("queries", scores.queries, cluster) +
           ", the blocks of a cluster, each of which has a row";
  return "";
}

/// The same for a sample of every `step`-th key, where a block holds `most`
/// sampled keys.
static std::string findClusterRefusal(const ScoreProblem& scores,
                                      int64_t cluster, int64_t step,
                                      int64_t most, const CudaTarget& target) {
  if (std::string reason = findClusterRefusal(scores, cluster, target);
      !reason.empty())
    return reason;
  auto sampled = static_cast<int64_t>(llvm::divideCeil(scores.keys, step));
  if (sampled > most)
    return over("sampled keys", sampled, most) +
           ", those that a block holds; use a larger sample step";
  return "";
}

std::string SplitSelectScheduleAttr::findRefusal(
    Operation* op, const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  if (getCluster() > 0)
    if (std::string reason =
            hasLists()
                ? findClusterRefusal(*problem.scores, getCluster(), getSample(),
                                     getMostSampled(), target)
                : findClusterRefusal(*problem.scores, getCluster(), target);
        !reason.empty())
      return reason;
  if (hasLists() && problem.rows->slots > getCapacity())
    return over("slots", problem.rows->slots, getCapacity()) +
           ", the candidates of a row";
  if (getRowCells() > 0 && problem.rows->keys > getHeldCells())
    return over("keys", problem.rows->keys, getHeldCells()) +
           ", the scores that the block of a row holds; use row_cells = 0";
  return inPart("rows", getRows().findRefusal(op, target));
}

std::string SplitSelectScheduleAttr::explainNone(Operation* op,
                                                 const CudaTarget&) {
  ScheduleProblem problem = problemOf(op);
  if (std::string reason = findSplitMisfit(cast<SelectOp>(op)); !reason.empty())
    return reason;
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  if (problem.rows->keys < kLeastKeys)
    return "keys " + std::to_string(problem.rows->keys) + " < " +
           std::to_string(kLeastKeys) + ": too few to split";
  return "";
}

/// Blocks of a ring of `stages` tiles that an SM holds, of `warps` warps.
static int64_t countSmBlocks(const ScoreProblem& scores, int64_t blockK,
                             int64_t stages, int64_t warps,
                             const CudaTarget& target) {
  auto rowBytes = static_cast<int64_t>(llvm::alignTo(scores.depth, kTileUnit)) *
                  scores.element.getIntOrFloatBitWidth() / 8;
  // Beside the ring: queries, staged hits, barriers.
  int64_t bytes = (stages * blockK + kTileUnit * scores.queries) * rowBytes +
                  int64_t{4096} * scores.queries + 1024;
  return std::clamp<int64_t>(
      std::min(target.sharedBytesPerSm / bytes, target.warpsPerSm / warps), 1,
      kMostScoreBlocks);
}

/// The span with which rounds of `smBlocks` blocks on each SM are done first;
/// of equal ones the shortest, whose last blocks end at about the same time.
static int64_t spanFor(const ScoreProblem& scores, int64_t blockK,
                       int64_t smBlocks, const CudaTarget& target) {
  auto tiles = static_cast<int64_t>(
      llvm::divideCeil(std::max<int64_t>(scores.keys, 1), blockK));
  int64_t batch = std::max<int64_t>(scores.batch, 1);
  int64_t resident = smBlocks * target.sms, best = tiles;
  auto time = [&](int64_t span) {
    auto blocks = batch * static_cast<int64_t>(llvm::divideCeil(tiles, span));
    return static_cast<int64_t>(llvm::divideCeil(blocks, resident)) *
           (span + kStartTiles);
  };
  for (int64_t rounds = 1; rounds <= kMostRounds; ++rounds) {
    int64_t spans = std::clamp<int64_t>(rounds * resident / batch, 1, tiles);
    auto span = static_cast<int64_t>(llvm::divideCeil(tiles, spans));
    if (time(span) <= time(best)) best = span;
  }
  return best;
}

/// How lists are made, or zeros.
struct SplitLists {
  int64_t sample = 0, rank = 0, capacity = 0, cluster = 0;
};

/// With a cluster, in one kernel, where the device has them and so few samples
/// are enough; with a kernel for the bounds; without lists.
static SmallVector<SplitLists> enumerateLists(Operation* op,
                                              const ScheduleProblem& problem,
                                              const CudaTarget& target) {
  SmallVector<SplitLists> all;
  auto add = [&](int64_t step, int64_t cluster) {
    int64_t rank = getListRank(problem.rows->slots, step);
    int64_t capacity = getListCapacity(rank, step);
    if (capacity <= kMaxListCapacity &&
        problem.rows->keys >= kLongSplitRow * capacity)
      all.push_back({step, rank, capacity, cluster});
  };
  if (!cast<SelectOp>(op).getPolicy().usesStatistic()) {
    using Split = SplitSelectScheduleAttr;
    int64_t most = Split::kWarpSample * Split::kClusterWarps;
    int64_t first = kSampleStep;
    while (problem.rows->keys > kClusterSample * first) first *= 2;
    // Of twice as many keys lists are shorter: rows of fewer keys have them.
    for (int64_t step : {first, std::max(first / 2, kSampleStep)})
      if (findClusterRefusal(*problem.scores, kCluster, step, most, target)
              .empty())
        add(step, kCluster);
    add(kSampleStep, /*cluster=*/0);
  }
  all.emplace_back();
  return all;
}

/// Adds what `schedule` is with rows that are read once: by a cluster that has
/// the scores as well, if each of its blocks has one tile of keys and an SM;
/// then by another kernel, if a thread has few scores.
static void addHeld(SplitSelectScheduleAttr schedule,
                    const ScheduleProblem& problem, const CudaTarget& target,
                    SmallVector<Attribute>& schedules) {
  auto cellsOf = [&](int64_t warps) {
    return static_cast<int64_t>(
        llvm::divideCeil(problem.rows->keys, 32 * warps));
  };
  const ScoreProblem& scores = *problem.scores;
  auto each = static_cast<int64_t>(llvm::divideCeil(scores.keys, kCluster));
  auto keys = static_cast<int64_t>(
      llvm::alignTo(each, 32 * schedule.getClusterWarps()));
  if (keys <= kMostClusterKeys && kCluster * scores.batch <= target.sms &&
      findClusterRefusal(scores, kCluster, target).empty())
    schedules.push_back(
        schedule.withRowCells(cellsOf(schedule.getClusterWarps()))
            .withCluster(kCluster, keys));
  if (int64_t cells = cellsOf(schedule.getRows().getWarps());
      cells <= kMostRowCells)
    schedules.push_back(schedule.withRowCells(cells));
}

SmallVector<Attribute> SplitSelectScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  if (!explainNone(op, target).empty()) return schedules;
  ScheduleProblem problem = problemOf(op);
  const ScoreProblem& scores = *problem.scores;
  MLIRContext* context = op->getContext();
  Engine engine = scores.element.isF32() ? Engine::Fma : Engine::MmaSync;
  for (const SplitLists& lists : enumerateLists(op, problem, target))
    for (Attribute candidate : TopKScheduleAttr::enumerate(op, target)) {
      auto topk = cast<TopKScheduleAttr>(candidate);
      // A row has an SM of its own.
      TopKScheduleAttr rows = topk.withWarps(32).withChunk(1);
      for (auto [blockK, stages, consumers] :
           {std::tuple<int64_t, int64_t, int64_t>{128, 4, 4},
            {64, 3, 2},
            {32, 1, 1}}) {
        int64_t producers = stages > 1 ? 4 : 0;
        int64_t smBlocks = countSmBlocks(scores, blockK, stages,
                                         producers + consumers, target);
        int64_t span = spanFor(scores, blockK, smBlocks, target);
        bool deferred = lists.rank > 0 &&
                        span * blockK * 4 * scores.queries <= kDeferredBytes;
        auto schedule = SplitSelectScheduleAttr::get(
            context, engine, blockK, span, stages, producers, consumers,
            lists.sample, lists.rank, lists.capacity, rows, lists.cluster,
            kStagedCells, smBlocks, deferred);
        if (lists.rank == 0 && !cast<SelectOp>(op).getPolicy().usesStatistic())
          addHeld(schedule, problem, target, schedules);
        schedules.push_back(schedule);
      }
    }
  return schedules;
}

namespace {

/// What a step changes.
struct Numbers {
  int64_t blockK, span, stages, sample, rank, capacity;
  TopKScheduleAttr rows;
  int64_t cluster, smBlocks;
  bool deferred;
  int64_t candidateBins, sampleBlocks, boundWarps, rowCells;
};

}  // namespace

SmallVector<Attribute> SplitSelectScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  const Numbers own = {getBlockK(),     getSpan(),          getStages(),
                       getSample(),     getRank(),          getCapacity(),
                       getRows(),       getCluster(),       getSmBlocks(),
                       getDeferred(),   getCandidateBins(), getSampleBlocks(),
                       getBoundWarps(), getRowCells()};
  auto add = [&](const Numbers& n) {
    addStep(steps, *this, getEngine(), n.blockK, n.span, n.stages,
            n.stages == 1        ? 0
            : getProducers() > 0 ? getProducers()
                                 : 4,
            getConsumers(), n.sample, n.rank, n.capacity, n.rows, n.cluster,
            getStaged(), n.smBlocks, n.deferred, getThreadCandidates(),
            n.candidateBins, n.sampleBlocks, n.boundWarps, getClusterKeys(),
            getClusterWarps(), getClusterSmBlocks(), n.rowCells);
  };
  StepBuilder<Numbers> builder(own, add);
  builder.scale(&Numbers::blockK);
  builder.scale(&Numbers::span);
  builder.shift(&Numbers::stages, 1);
  builder.shift(&Numbers::smBlocks, 1);
  if (hasLists()) {
    // As many keys stand for the bound as before.
    builder.change([](Numbers& n) {
      n.sample *= 2;
      n.rank = llvm::divideCeil(n.rank, 2);
    });
    builder.change([](Numbers& n) {
      n.sample /= 2;
      n.rank *= 2;
    });
    builder.shift(&Numbers::capacity, 256);
    builder.change(
        [](Numbers& n) { n.cluster = n.cluster > 0 ? 0 : kCluster; });
    builder.change([](Numbers& n) {
      n.sample = n.rank = n.capacity = n.cluster = 0;
      n.deferred = false;
    });
    builder.change([](Numbers& n) { n.deferred = !n.deferred; });
    builder.scale(&Numbers::candidateBins);
    if (own.cluster == 0) {
      builder.scale(&Numbers::sampleBlocks);
      builder.shift(&Numbers::boundWarps, 8);
    }
  }
  if (own.rowCells > 0) {
    // The same scores by half the warps, or not at once.
    builder.change([](Numbers& n) {
      n.rowCells *= 2;
      n.rows = n.rows.withWarps(std::max<int64_t>(n.rows.getWarps() / 2, 1));
    });
    builder.change([](Numbers& n) { n.rowCells = n.cluster = 0; });
    builder.change([](Numbers& n) { n.cluster = 0; });
    builder.scale(&Numbers::candidateBins);
  }
  for (Attribute rows : own.rows.getSteps())
    builder.change([&](Numbers& n) { n.rows = cast<TopKScheduleAttr>(rows); });
  return steps;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

SmallVector<Attribute> SplitAttentionScheduleAttr::getParts() const {
  return {getPart()};
}

std::string SplitAttentionScheduleAttr::findMisfit(Operation* op) const {
  return inPart("part", getPart().findMisfit(op));
}

/// What no numbers of the schedule change.
static std::string findShapeRefusal(const AttentionProblem& problem) {
  std::string limit = findLimit(problem);
  return limit.empty()
             ? findManyQueries(problem.queries, "#gsa.attention_schedule")
             : limit;
}

/// Parts of the lists of an op.
static int64_t countParts(const AttentionProblem& problem, int64_t entries) {
  return std::max<int64_t>(llvm::divideCeil(problem.slots, entries), 1);
}

std::string SplitAttentionScheduleAttr::findRefusal(
    Operation* op, const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  int64_t parts = countParts(problem, getEntries());
  if (parts > 4 * kMostParts)
    return over("parts of a list", parts, 4 * kMostParts);
  if (parts * problem.batch > kGridLimit)
    return over("parts of all sequences", parts * problem.batch, kGridLimit);
  int64_t perBlock = std::min(getPerBlock(), parts);
  if (perBlock > 1 && perBlock * getEntries() > kListEntries)
    return over("entries of a block's parts", perBlock * getEntries(),
                kListEntries);
  if (getCluster() > 0) {
    if (!target.bulkCopy) return noClusters(target);
    auto blocks = static_cast<int64_t>(llvm::divideCeil(parts, perBlock));
    if (blocks != getCluster())
      return "blocks of a list: got " + std::to_string(blocks) +
             ", expected the " + std::to_string(getCluster()) +
             " of a cluster; use another per_block, or cluster = 0";
  }
  return inPart("part", getPart().findRefusal(op, target));
}

std::string SplitAttentionScheduleAttr::explainNone(Operation* op,
                                                    const CudaTarget& target) {
  AttentionProblem problem = *problemOf(op).attention;
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  if (problem.slots < kLeastEntries)
    return "slots " + std::to_string(problem.slots) + " < " +
           std::to_string(kLeastEntries) + ": too few to split";
  std::string reason;
  return findFirstLegal<AttentionScheduleAttr>(op, target, reason)
             ? ""
             : inPart("part", reason);
}

/// Lists of an op, once for the heads of a block.
static int64_t countLists(const AttentionProblem& problem, int64_t blockQ) {
  int64_t ratio = problem.heads / problem.groups;
  return problem.batch * problem.queries * problem.groups *
         static_cast<int64_t>(llvm::divideCeil(ratio, blockQ));
}

/// As few blocks as nearly fill the device, two to an SM: a block that has
/// several parts reads on while it sums up, and one that has all of a list
/// merges them. No bit depends on it.
static int64_t perBlockFor(const AttentionProblem& problem, int64_t entries,
                           int64_t blockQ, const CudaTarget& target) {
  int64_t parts = countParts(problem, entries);
  int64_t lists = countLists(problem, blockQ);
  auto fills = [&](int64_t perBlock) {
    auto blocks =
        lists * static_cast<int64_t>(llvm::divideCeil(parts, perBlock));
    return 8 * blocks >= 7 * kSmBlocks * target.sms;
  };
  int64_t perBlock = 1;
  while (perBlock < parts && 2 * perBlock * entries <= kListEntries &&
         fills(2 * perBlock))
    perBlock *= 2;
  return perBlock;
}

/// How many parts the blocks of a list have, how many blocks a cluster has that
/// merges them (0: none does), and the stages of their rings.
struct ListBlocks {
  int64_t perBlock, cluster, stages;
};

/// Whether every device with clusters has room for one of `blocks` blocks.
static bool isCluster(int64_t blocks) {
  return llvm::is_contained({2, 4, 8}, blocks);
}

/// How the blocks of a list may be made, the fastest first: a further kernel
/// merges them, or they are a cluster. That takes more parts a block, to be so
/// few, if all copies of a block are in flight at once: each has an SM then.
/// Clusters leave SMs without blocks: half of all SMs are counted on. On an
/// H200 the kernel that merges, begun while parts are summed up, is faster.
static SmallVector<ListBlocks> blocksFor(const AttentionProblem& problem,
                                         int64_t entries,
                                         AttentionScheduleAttr part,
                                         Operation* op,
                                         const CudaTarget& target) {
  int64_t usual = perBlockFor(problem, entries, part.getBlockQ(), target);
  int64_t parts = countParts(problem, entries), stages = part.getStages();
  SmallVector<ListBlocks> all = {{usual, 0, stages}};
  if (!target.bulkCopy) return all;
  auto blocksOf = [&](int64_t perBlock) {
    return static_cast<int64_t>(llvm::divideCeil(parts, perBlock));
  };
  auto isAlone = [&](int64_t blocks) {
    return isCluster(blocks) &&
           2 * blocks * countLists(problem, part.getBlockQ()) <= target.sms;
  };
  if (isAlone(blocksOf(usual))) {
    all.push_back({usual, blocksOf(usual), stages});
    return all;
  }
  if (stages * part.getBlockK() != entries) return all;
  for (int64_t each = usual + 1; each < parts; ++each) {
    int64_t inFlight = stages * each;
    if (each * entries > kListEntries || inFlight > kMostStages) break;
    if (!isAlone(blocksOf(each)) ||
        !part.withStages(inFlight).findRefusal(op, target).empty())
      continue;
    all.push_back({each, blocksOf(each), inFlight});
    break;
  }
  return all;
}

/// Two warps compute, since each further one is merged with the first at the
/// end of every part, one after the other. As many copy where a block has
/// several parts, so that two blocks have room in the registers of an SM; where
/// it has one, all of its copies begin at once and more warps issue them. How
/// many copy changes no bit.
static AttentionScheduleAttr withFewWarps(AttentionScheduleAttr part,
                                          int64_t perBlock) {
  if (part.getEngine() != Engine::MmaSync || part.getBlockQ() != kTileUnit ||
      part.getProducers() == 0 || part.getConsumers() <= 2 ||
      part.getBlockK() % (2 * kTileUnit) != 0)
    return part;
  return part.withWarps(/*producers=*/perBlock > 1 ? 2 : 4, /*consumers=*/2);
}

/// All tiles of a part are in flight at once, if they fit.
SmallVector<Attribute> SplitAttentionScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  if (!explainNone(op, target).empty()) return schedules;
  AttentionProblem problem = *problemOf(op).attention;
  for (Attribute candidate : AttentionScheduleAttr::enumerate(op, target)) {
    auto part = cast<AttentionScheduleAttr>(candidate);
    int64_t least = std::max<int64_t>(
        kPartEntries, llvm::divideCeil(problem.slots, kMostParts));
    auto entries = static_cast<int64_t>(llvm::alignTo(least, part.getBlockK()));
    if (part.getStages() > 1 &&
        (part.getStages() - 1) * part.getBlockK() >= entries)
      continue;
    for (const ListBlocks& blocks :
         blocksFor(problem, entries, part, op, target)) {
      // As many warps copy as for one part where all copies begin at once.
      int64_t turns = blocks.stages > part.getStages() ? 1 : blocks.perBlock;
      AttentionScheduleAttr staged = part.withStages(blocks.stages);
      for (AttentionScheduleAttr each : {withFewWarps(staged, turns), staged})
        if (auto schedule = SplitAttentionScheduleAttr::get(
                op->getContext(), entries, blocks.perBlock, each,
                blocks.cluster);
            !llvm::is_contained(schedules, schedule))
          schedules.push_back(schedule);
    }
  }
  return schedules;
}

SmallVector<Attribute> SplitAttentionScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t entries, int64_t perBlock, AttentionScheduleAttr part,
                 int64_t cluster, int64_t mergeWarps) {
    addStep(steps, *this, entries, perBlock, part, cluster, mergeWarps,
            getPrefetch());
  };
  int64_t n = getEntries(), b = getPerBlock(), c = getCluster(),
          w = getMergeWarps();
  AttentionScheduleAttr p = getPart();
  add(2 * n, b, p, c / 2, w);
  add(n / 2, b, p, 2 * c, w);
  add(n, 2 * b, p, c / 2, w);
  add(n, b / 2, p, 2 * c, w);
  for (int64_t other : {0, 2, 4, 8, 16}) add(n, b, p, other, w);
  for (Attribute part : p.getSteps())
    add(n, b, cast<AttentionScheduleAttr>(part), c, w);
  if (c == 0) {
    add(n, b, p, c, 2 * w);
    add(n, b, p, c, w / 2);
  }
  addStep(steps, *this, n, b, p, c, w, !getPrefetch());
  return steps;
}
