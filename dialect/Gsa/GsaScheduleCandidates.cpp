//===- GsaScheduleCandidates.cpp - which schedules are worth trying -------===//
//
// The lists that gsa-cuda-schedule goes through, in an order that was measured
// (docs/performance.md), and the schedules one step away from another.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// The most cells that a schedule can have kept.
static constexpr int64_t kMaxCapacity = 16384;
/// Warps that fill rings, where there are any.
static constexpr int64_t kProducers = 4;

static Engine engineFor(Type element) {
  return element.isF32() ? Engine::Fma : Engine::MmaSync;
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// The schedule of an op of which another one is a part.
using Complete = llvm::function_ref<Attribute(Attribute)>;

/// Whether an SM holds two blocks of the kernel that follows `part`.
static bool holdsTwo(Operation* op, Attribute part, const CudaTarget& target,
                     Complete complete) {
  auto schedule = cast<ScheduleAttrInterface>(complete(part));
  if (!schedule.findOpMisfit(op).empty() ||
      !schedule.findRefusal(op, target).empty())
    return false;
  const KernelFootprint* kernel = schedule.getFootprint(op, target).find(part);
  return kernel && target.holdsTwo(kernel->sharedBytes);
}

/// Of rings of the largest tiles those of which an SM holds two blocks come
/// first, then other rings; blocks that copy and compute in turn come last.
template <typename Schedule>
static SmallVector<Schedule> preferTwoBlocks(ArrayRef<Schedule> schedules,
                                             Operation* op,
                                             const CudaTarget& target,
                                             Complete complete) {
  SmallVector<Schedule> twice, once, plain;
  // With fewer stages a block of the same tile takes less: where an SM holds
  // two with more of them, the op is not lowered to see that.
  int64_t stagesOfTwo = 0;
  for (Schedule schedule : schedules) {
    Schedule first = schedules.front();
    bool isLargest = schedule.getBlockQ() == first.getBlockQ() &&
                     schedule.getBlockK() == first.getBlockK();
    if (schedule.getStages() == 1) {
      plain.push_back(schedule);
    } else if (isLargest && (schedule.getStages() <= stagesOfTwo ||
                             holdsTwo(op, schedule, target, complete))) {
      stagesOfTwo = std::max(stagesOfTwo, schedule.getStages());
      twice.push_back(schedule);
    } else {
      once.push_back(schedule);
    }
  }
  llvm::append_range(twice, once);
  llvm::append_range(twice, plain);
  return twice;
}

template <typename Schedule>
static SmallVector<Attribute> toAttributes(ArrayRef<Schedule> schedules) {
  return SmallVector<Attribute>(schedules.begin(), schedules.end());
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static SmallVector<AttentionScheduleAttr> listAttention(
    Operation* op, const CudaTarget& target) {
  AttentionProblem problem = *problemOf(op).attention;
  SmallVector<AttentionScheduleAttr> schedules;
  Engine engine = engineFor(problem.element);
  int64_t listed = problem.listed();
  bool isWide = std::max(problem.depth, problem.valueDepth) > 128;
  // A block of dense attention takes several queries of a group of heads.
  int64_t rows = problem.heads / std::max<int64_t>(problem.groups, 1) *
                 (problem.isDense ? std::max<int64_t>(problem.queries, 1) : 1);
  auto add = [&](int64_t blockQ, int64_t blockK, int64_t stages,
                 int64_t consumers) {
    if (blockQ > kTileUnit && blockQ / 2 >= rows) return;
    // No larger tile and no more stages than there are keys.
    if (blockK > kTileUnit && blockK / 2 >= listed) return;
    if (stages > 1 && (stages - 1) * blockK >= listed) return;
    // Wide heads leave no registers for the states of other warps.
    int64_t rowWarps = blockQ / kTileUnit;
    int64_t split = isWide ? 1 : consumers / rowWarps;
    while (blockK % (kTileUnit * split) != 0) split /= 2;
    int64_t producers = stages > 1 ? 4 : 0;
    schedules.push_back(
        AttentionScheduleAttr::get(op->getContext(), engine, blockQ, blockK,
                                   stages, producers, rowWarps * split));
  };
  // Gathering waits for memory: small tiles let more blocks share an SM, which
  // is worth more there than longer products. Tiles of 64 keys have a whole
  // warpgroup of consumers; where registers move to it, an SM holds two blocks
  // of those as well, which is better still (docs/performance.md).
  SmallVector<int64_t> keyTiles = {64, 32, 16};
  bool movesRegisters = target.wgmma && engine == Engine::MmaSync && !isWide;
  if (!problem.isDense && !movesRegisters) keyTiles = {32, 64, 16};
  // Beside the output of wide heads there is room for few logits.
  if (isWide) keyTiles = {32, 16};
  for (int64_t blockQ : {64, 32, 16}) {
    if (!problem.isDense && blockQ > kTileUnit && rows <= kTileUnit) continue;
    for (int64_t blockK : keyTiles)
      for (int64_t stages : {3, 2, 1}) add(blockQ, blockK, stages, 4);
  }
  return preferTwoBlocks<AttentionScheduleAttr>(schedules, op, target,
                                                [](Attribute a) { return a; });
}

SmallVector<Attribute> AttentionScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  return toAttributes<AttentionScheduleAttr>(listAttention(op, target));
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// How many heads' queries come at a time where those of all of them, 16 rows
/// of each, do not fit beside as many keys; 0 where they do. So many that there
/// is room for three stages.
static int64_t findHeadTile(const ScoreProblem& problem,
                            const CudaTarget& target) {
  int64_t tile = kTileUnit * pad(problem.depth) * bytesOf(problem.element);
  int64_t limit = target.sharedBytesPerBlock;
  if ((problem.heads + 1) * tile <= limit) return 0;
  for (int64_t heads : {8, 4, 2})
    if (problem.heads % heads == 0 && 3 * (heads + 1) * tile <= limit)
      return heads;
  return 1;
}

static SmallVector<ScoreScheduleAttr> listScores(Operation* op,
                                                 const ScoreProblem& problem,
                                                 const CudaTarget& target,
                                                 Complete complete) {
  SmallVector<ScoreScheduleAttr> schedules;
  Engine engine = engineFor(problem.element);
  // ptxas computes the heads' products side by side, and spills if they are
  // many and wide.
  int64_t headTile = findHeadTile(problem, target);
  int64_t heads = headTile > 0 ? headTile : problem.heads;
  int64_t widest = heads > 8 ? 16 : heads > 4 || problem.depth > 128 ? 32 : 64;
  auto add = [&](int64_t blockQ, int64_t blockK, int64_t stages) {
    if (engine == Engine::MmaSync && blockK > widest) return;
    if (blockQ > kTileUnit && blockQ / 2 >= problem.queries) return;
    if (blockK > kTileUnit && blockK / 2 >= problem.keys) return;
    // Of a tile there are as many steps as groups of heads.
    if (headTile == 0 && stages > 1 && (stages - 1) * blockK >= problem.keys)
      return;
    int64_t tiles =
        std::max<int64_t>(1, llvm::divideCeil(problem.keys, blockK));
    int64_t rowBlocks =
        problem.batch * llvm::divideCeil(problem.queries, blockQ);
    // Queries are loaded once for a span: long ones, but a block for each SM
    // first; and no more spans than a grid has.
    int64_t span = std::min<int64_t>(16, tiles);
    while (span > 1 &&
           rowBlocks * int64_t(llvm::divideCeil(tiles, span)) < 2 * target.sms)
      span /= 2;
    span = std::max<int64_t>(span, llvm::divideCeil(tiles, kGridLimit));
    if (headTile > 0 && stages == 1) return;
    schedules.push_back(
        ScoreScheduleAttr::get(op->getContext(), engine, blockQ, blockK, span,
                               stages, stages > 1 ? 4 : 0, blockQ / kTileUnit,
                               kDefaultPairs, /*boxes=*/false)
            .withHeadTile(headTile));
  };
  for (int64_t blockQ : {64, 32, 16})
    for (int64_t blockK : {64, 32, 16})
      for (int64_t stages : {3, 2, 1}) add(blockQ, blockK, stages);
  return preferTwoBlocks<ScoreScheduleAttr>(schedules, op, target, complete);
}

SmallVector<Attribute> ScoreScheduleAttr::enumerate(Operation* op,
                                                    const CudaTarget& target) {
  return toAttributes<ScoreScheduleAttr>(
      listScores(op, *problemOf(op).scores, target,
                 [](Attribute schedule) { return schedule; }));
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static SmallVector<TopKScheduleAttr> listRows(Operation* op) {
  TopKProblem problem = *problemOf(op).rows;
  SmallVector<TopKScheduleAttr> schedules;
  int64_t keys = std::max<int64_t>(problem.keys, 1);
  int64_t warps = std::clamp<int64_t>(
      llvm::PowerOf2Ceil(llvm::divideCeil(keys, 256)), 1, 8);
  int64_t chunk = std::clamp<int64_t>(kChunkBytes / (4 * keys), 1,
                                      std::max<int64_t>(problem.queries, 1));
  // Whole blocks of the score kernel, where there are several.
  if (chunk > 64 && chunk < problem.queries) chunk -= chunk % 64;
  int64_t limit = llvm::PowerOf2Ceil(keys);
  // Room for the slots and a crowded bin, then for a small bin. Where not even
  // the slots fit, room for more cells would only keep blocks from an SM.
  int64_t roomy = 4096, tight = 4096;
  if (problem.slots < kMaxCapacity) {
    int64_t slots = std::max<int64_t>(problem.slots, 1);
    roomy =
        std::clamp<int64_t>(llvm::PowerOf2Ceil(2 * slots), roomy, kMaxCapacity);
    tight = std::clamp(slots + slots / 8, tight, kMaxCapacity);
  }
  for (auto [bins, capacity] : {std::pair<int64_t, int64_t>{2048, roomy},
                                {2048, tight},
                                {1024, 2048},
                                {512, 512},
                                {256, 32}})
    schedules.push_back(TopKScheduleAttr::get(
        op->getContext(), warps, std::clamp<int64_t>(limit, 256, bins),
        std::clamp<int64_t>(limit, 32, capacity), chunk));
  return schedules;
}

SmallVector<Attribute> TopKScheduleAttr::enumerate(Operation* op,
                                                   const CudaTarget&) {
  return toAttributes<TopKScheduleAttr>(listRows(op));
}

SmallVector<Attribute> SelectScheduleAttr::enumerate(Operation* op,
                                                     const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  SmallVector<TopKScheduleAttr> rows = listRows(op);
  auto join = [&](Attribute scores, TopKScheduleAttr topk) {
    return SelectScheduleAttr::get(op->getContext(),
                                   cast<ScoreScheduleAttr>(scores), topk);
  };
  // A launch of the score kernel takes one chunk of the queries, of the same
  // size whatever the kernel of rows.
  ScoreProblem problem = *problemOf(op).scores;
  problem.queries = std::min(problem.queries, rows.front().getChunk());
  SmallVector<ScoreScheduleAttr> scores =
      listScores(op, problem, target,
                 [&](Attribute part) { return join(part, rows.front()); });
  for (TopKScheduleAttr topk : rows)
    for (ScoreScheduleAttr part : scores) schedules.push_back(join(part, topk));
  return schedules;
}

//===----------------------------------------------------------------------===//
// One step away
//===----------------------------------------------------------------------===//

/// With a ring there are warps that fill it, without none.
static int64_t producersFor(int64_t stages, int64_t producers) {
  if (stages == 1) return 0;
  return producers > 0 ? producers : kProducers;
}

SmallVector<Attribute> AttentionScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t blockQ, int64_t blockK, int64_t stages,
                 int64_t consumers, int64_t more = 0) {
    addStep(steps, *this, getEngine(), blockQ, blockK, stages,
            producersFor(stages, getProducers()), consumers, getFoundRows(),
            getSmBlocks() + more);
  };
  int64_t q = getBlockQ(), k = getBlockK(), s = getStages(), c = getConsumers();
  // Rows in other tiles: as many warps for each of them as before.
  add(2 * q, k, s, 2 * c);
  add(q / 2, k, s, c / 2);
  add(q, 2 * k, s, c);
  add(q, k / 2, s, c);
  add(q, k, s + 1, c);
  add(q, k, s - 1, c);
  // Keys split among more or fewer warps.
  add(q, k, s, 2 * c);
  add(q, k, s, c / 2);
  // More blocks of fewer registers.
  add(q, k, s, c, 1);
  add(q, k, s, c, -1);
  return steps;
}

SmallVector<Attribute> ScoreScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  // Warps keep their queries, 8 or 16, where the engine has both.
  auto add = [&](Engine engine, int64_t blockQ, int64_t blockK, int64_t span,
                 int64_t stages) {
    bool isWgmma = engine == Engine::Wgmma;
    int64_t producers = producersFor(stages, getProducers());
    addStep(steps, *this, engine, blockQ, blockK, span, stages, producers,
            blockQ / (isWgmma ? getWarpQueries() : kTileUnit),
            isWgmma ? getPairs() : kDefaultPairs,
            isWgmma && producers > 0 && getBoxes(), getKeptHeads(),
            getHeadTile());
  };
  Engine e = getEngine();
  int64_t q = getBlockQ(), k = getBlockK(), n = getSpan(), s = getStages();
  add(e, 2 * q, k, n, s);
  add(e, q / 2, k, n, s);
  add(e, q, 2 * k, n, s);
  add(e, q, k / 2, n, s);
  add(e, q, k, 2 * n, s);
  add(e, q, k, n / 2, s);
  add(e, q, k, n, s + 1);
  add(e, q, k, n, s - 1);
  if (e != Engine::Fma)
    add(e == Engine::Wgmma ? Engine::MmaSync : Engine::Wgmma, q, k, n, s);
  return steps;
}

SmallVector<Attribute> TopKScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t warps, int64_t bins, int64_t capacity, int64_t chunk,
                 int64_t smWarps, int64_t step) {
    addStep(steps, *this, warps, bins, capacity, chunk, smWarps, step,
            getKeptStep());
  };
  int64_t w = getWarps(), b = getBins(), c = getCapacity(), n = getChunk(),
          h = getSmWarps(), s = getStep();
  add(2 * w, b, c, n, h, s);
  add(w / 2, b, c, n, h, s);
  add(w, 2 * b, c, n, h, s);
  add(w, b / 2, c, n, h, s);
  add(w, b, 2 * c, n, h, s);
  add(w, b, c / 2, n, h, s);
  add(w, b, c, 2 * n, h, s);
  add(w, b, c, n / 2, h, s);
  for (int64_t by : {8, -8}) add(w, b, c, n, h + by, s);
  add(w, b, c, n, h, 2 * s);
  add(w, b, c, n, h, s / 2);
  return steps;
}

SmallVector<Attribute> SelectScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](ScoreScheduleAttr scores, TopKScheduleAttr topk,
                 int64_t flaggedSpans) {
    addStep(steps, *this, scores, topk, flaggedSpans);
  };
  int64_t f = getFlaggedSpans();
  for (Attribute scores : getScores().getSteps())
    add(cast<ScoreScheduleAttr>(scores), getTopk(), f);
  for (Attribute topk : getTopk().getSteps())
    add(getScores(), cast<TopKScheduleAttr>(topk), f);
  return steps;
}
