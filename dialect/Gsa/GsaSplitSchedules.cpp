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
/// Entries of a part, and the most parts: a merge reads all of them for each
/// element.
static constexpr int64_t kPartEntries = 128, kMostParts = 16;
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

std::string SplitSelectScheduleAttr::findRefusal(
    Operation* op, const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  if (hasLists() && problem.rows->slots > getCapacity())
    return over("slots", problem.rows->slots, getCapacity()) +
           ", the candidates of a row";
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

/// Spans of up to 64 tiles, of which blocks load queries once. Shorter ones,
/// down to 8, where a device has less than 8 rounds of blocks, of which the
/// last one is short; and as short as it takes to give nearly each SM a block.
static int64_t spanFor(const ScoreProblem& scores, int64_t blockK,
                       const CudaTarget& target) {
  int64_t tiles = llvm::divideCeil(scores.keys, blockK);
  int64_t span = 64;
  auto blocks = [&] {
    return scores.batch * static_cast<int64_t>(llvm::divideCeil(tiles, span));
  };
  while ((span > 8 && blocks() < 8 * target.sms) ||
         (span > 1 && 8 * blocks() < 7 * target.sms))
    span /= 2;
  return span;
}

SmallVector<Attribute> SplitSelectScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  if (!explainNone(op, target).empty()) return schedules;
  ScheduleProblem problem = problemOf(op);
  MLIRContext* context = op->getContext();
  Engine engine =
      problem.scores->element.isF32() ? Engine::Fma : Engine::MmaSync;
  int64_t rank = getListRank(problem.rows->slots);
  int64_t capacity = getListCapacity(rank);
  bool isLong = !cast<SelectOp>(op).getPolicy().usesStatistic() &&
                capacity <= kMaxListCapacity &&
                problem.rows->keys >= kLongRow * capacity;
  for (bool lists : {true, false}) {
    if (lists && !isLong) continue;
    for (Attribute candidate : TopKScheduleAttr::enumerate(op, target)) {
      auto topk = cast<TopKScheduleAttr>(candidate);
      // A row has an SM of its own.
      auto rows = TopKScheduleAttr::get(context, /*warps=*/32, topk.getBins(),
                                        topk.getCapacity(), /*chunk=*/1);
      for (auto [blockK, stages, consumers] :
           {std::tuple<int64_t, int64_t, int64_t>{128, 4, 4},
            {64, 3, 2},
            {32, 1, 1}})
        schedules.push_back(SplitSelectScheduleAttr::get(
            context, engine, blockK, spanFor(*problem.scores, blockK, target),
            stages, stages > 1 ? 4 : 0, consumers, lists ? kSampleStep : 0,
            lists ? rank : 0, lists ? capacity : 0, rows));
    }
  }
  return schedules;
}

SmallVector<Attribute> SplitSelectScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t blockK, int64_t span, int64_t stages, int64_t sample,
                 int64_t rank, int64_t capacity, TopKScheduleAttr rows) {
    addStep(steps, *this, getEngine(), blockK, span, stages,
            stages == 1          ? 0
            : getProducers() > 0 ? getProducers()
                                 : 4,
            getConsumers(), sample, rank, capacity, rows);
  };
  int64_t k = getBlockK(), n = getSpan(), s = getStages(), m = getSample(),
          r = getRank(), c = getCapacity();
  TopKScheduleAttr t = getRows();
  add(2 * k, n, s, m, r, c, t);
  add(k / 2, n, s, m, r, c, t);
  add(k, 2 * n, s, m, r, c, t);
  add(k, n / 2, s, m, r, c, t);
  add(k, n, s + 1, m, r, c, t);
  add(k, n, s - 1, m, r, c, t);
  if (hasLists()) {
    // As many keys stand for the bound as before.
    add(k, n, s, 2 * m, llvm::divideCeil(r, 2), c, t);
    add(k, n, s, m / 2, 2 * r, c, t);
    add(k, n, s, m, r, c + 256, t);
    add(k, n, s, m, r, c - 256, t);
    add(k, n, s, 0, 0, 0, t);
  }
  for (Attribute rows : t.getSteps())
    add(k, n, s, m, r, c, cast<TopKScheduleAttr>(rows));
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

/// As few blocks as nearly fill the device, two to an SM: a block that has
/// several parts reads on while it sums up, and one that has all of a list
/// merges them. No bit depends on it.
static int64_t perBlockFor(const AttentionProblem& problem, int64_t entries,
                           int64_t blockQ, const CudaTarget& target) {
  int64_t parts = countParts(problem, entries);
  int64_t ratio = problem.heads / problem.groups;
  int64_t lists = problem.batch * problem.queries * problem.groups *
                  static_cast<int64_t>(llvm::divideCeil(ratio, blockQ));
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
    schedules.push_back(SplitAttentionScheduleAttr::get(
        op->getContext(), entries,
        perBlockFor(problem, entries, part.getBlockQ(), target), part));
  }
  return schedules;
}

SmallVector<Attribute> SplitAttentionScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  int64_t entries = getEntries(), perBlock = getPerBlock();
  addStep(steps, *this, 2 * entries, perBlock, getPart());
  addStep(steps, *this, entries / 2, perBlock, getPart());
  addStep(steps, *this, entries, 2 * perBlock, getPart());
  addStep(steps, *this, entries, perBlock / 2, getPart());
  for (Attribute part : getPart().getSteps())
    addStep(steps, *this, entries, perBlock, cast<AttentionScheduleAttr>(part));
  return steps;
}
