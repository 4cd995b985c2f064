//===- GsaOnePassSchedule.cpp - when and how to select in one pass --------===//

#include <algorithm>
#include <cmath>

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Standard deviations of the number of candidates between its mean and the
/// budget, and between its mean and the room.
static constexpr double kBelow = 4.0, kAbove = 5.0;
/// Blocks of a pass for each SM: few, since each loads its queries, and of
/// nearly equal work.
static constexpr int64_t kSmBlocks = 2;

/// Rows of fewer times their candidates' room are faster with scores in memory
/// (docs/performance.md).
static constexpr int64_t kLongRow = 4;

/// Whether budgets depend on no more of a row's scores than their variance.
static bool hasMoments(SelectOp op) {
  KPolicyAttr policy = op.getPolicy();
  return !policy.usesStatistic() ||
         policy.getStatistic() == Statistic::Variance;
}

/// The rank in the sample that is the budget and kBelow deviations more: r
/// samples above the bound stand for r * step keys, give or take
/// step * sqrt(r).
int64_t gsa::detail::getListRank(int64_t slots, int64_t step) {
  double ratio = static_cast<double>(slots) / static_cast<double>(step);
  double root = (kBelow + std::sqrt(kBelow * kBelow + 4 * ratio)) / 2;
  return static_cast<int64_t>(std::ceil(root * root));
}

/// The room for the candidates of that rank and kAbove deviations more.
int64_t gsa::detail::getListCapacity(int64_t rank, int64_t step) {
  double room = static_cast<double>(step) *
                (static_cast<double>(rank) +
                 kAbove * std::sqrt(static_cast<double>(rank)));
  return static_cast<int64_t>(
      llvm::alignTo(static_cast<uint64_t>(std::ceil(room)), 256));
}

SmallVector<Attribute> OnePassScheduleAttr::getParts() const {
  return {getScores(), getExact().getScores(), getExact().getTopk()};
}

/// What one pass has no kernel for, whatever the schedule.
static std::string findKernelMisfit(SelectOp op) {
  if (!hasMoments(op))
    return "one pass has no kernel for budgets that depend on entropy; use "
           "#gsa.select_schedule";
  return findHalfMisfit("one pass has kernels for elements of",
                        op.getScheduleProblem().scores->element,
                        "#gsa.select_schedule");
}

/// What no schedule takes, which is no fault of a part.
static std::string findShapeLimit(const ScheduleProblem& problem) {
  std::string limit = findLimit(*problem.scores);
  return limit.empty() ? findLimit(*problem.rows) : limit;
}

std::string OnePassScheduleAttr::findMisfit(Operation* op) const {
  std::string reason = findKernelMisfit(cast<SelectOp>(op));
  if (reason.empty()) reason = inPart("scores", getScores().findMisfit(op));
  return reason.empty() ? inPart("exact", getExact().findMisfit(op)) : reason;
}

std::string OnePassScheduleAttr::findRefusal(Operation* op,
                                             const CudaTarget& target) const {
  ScheduleProblem problem = cast<SelectOp>(op).getScheduleProblem();
  if (std::string limit = findShapeLimit(problem); !limit.empty()) return limit;
  if (int64_t slots = problem.rows->slots; slots > getCapacity())
    return over("slots", slots, getCapacity()) + ", the candidates of a row";
  std::string reason = inPart("scores", getScores().findRefusal(op, target));
  return reason.empty() ? inPart("exact", getExact().findRefusal(op, target))
                        : reason;
}

namespace {

/// What the schedules of an op have in common.
struct Lists {
  int64_t rank = 0, capacity = 0;
  SelectScheduleAttr exact;
};

}  // namespace

/// Finds the lists of candidates for an op, or says why it had better have its
/// scores in memory.
static std::string findLists(SelectOp op, const CudaTarget& target,
                             Lists& lists) {
  ScheduleProblem problem = op.getScheduleProblem();
  if (!target.wgmma) return needsWgmma(target);
  if (std::string reason = findKernelMisfit(op); !reason.empty()) return reason;
  if (std::string limit = findShapeLimit(problem); !limit.empty()) return limit;
  lists.rank = getListRank(problem.rows->slots);
  lists.capacity = getListCapacity(lists.rank);
  if (lists.capacity > kMaxListCapacity)
    return over("candidates of a row", lists.capacity, kMaxListCapacity);
  if (problem.rows->keys < kLongRow * lists.capacity)
    return "keys " + std::to_string(problem.rows->keys) + " < " +
           std::to_string(kLongRow) + " x " + std::to_string(lists.capacity) +
           " candidates: scores in memory are faster";
  std::string reason;
  lists.exact = findFirstLegal<SelectScheduleAttr>(op, target, reason);
  return lists.exact ? "" : inPart("exact", reason);
}

std::string OnePassScheduleAttr::explainNone(Operation* op,
                                             const CudaTarget& target) {
  Lists lists;
  return findLists(cast<SelectOp>(op), target, lists);
}

/// Bytes that the scores of what all rows keep may take.
static constexpr int64_t kKeptBytes = int64_t{1} << 30;

/// Whether all keys would be scored twice, for the mean of a statistic, and
/// there is memory to keep the scores of what was selected until it is known.
static bool hadBetterKeep(SelectOp op) {
  TopKProblem rows = *op.getScheduleProblem().rows;
  return op.getPolicy().usesNormaliser() && !op.getNormaliser() &&
         4 * rows.batch * rows.queries * rows.slots <= kKeptBytes;
}

/// The same with `chunk` queries at a time, whose scores are kept.
static OnePassScheduleAttr keepScores(OnePassScheduleAttr s, int64_t chunk) {
  return OnePassScheduleAttr::get(
      s.getContext(), s.getScores(), s.getExact(), s.getSample(), s.getRank(),
      s.getCapacity(), chunk, s.getSmBlocks(), s.getStaged(),
      s.getThreadCandidates(), s.getCandidateBins(), s.getSampleBlocks(),
      s.getLeastSpan(), s.getBoundWarps(), /*keep=*/true);
}

/// Around the first legal schedule for rows whose candidates do not suffice.
SmallVector<Attribute> OnePassScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  Lists lists;
  if (!findLists(cast<SelectOp>(op), target, lists).empty()) return schedules;
  auto [rank, capacity, exact] = lists;
  ScheduleProblem problem = problemOf(op);
  int64_t keys = problem.rows->keys;
  int64_t sampled = llvm::divideCeil(keys, kSampleStep);
  int64_t chunk =
      std::min(kListBytes / (8 * capacity), kChunkBytes / (4 * sampled));
  bool keeps = hadBetterKeep(cast<SelectOp>(op));
  // Two heads a fragment are faster, if they are even.
  int64_t queries = problem.scores->heads % 2 == 0 ? 8 : kTileUnit;
  // Two heads at a time leave room for two stages beside what is staged.
  int64_t headTile =
      exact.getScores().getHeadTile() > 0 ? kTileUnit / queries : 0;
  for (int64_t consumers : {16, 8, 4})
    for (int64_t stages : {4, 3, 2}) {
      int64_t blockQ = consumers * queries;
      if (consumers > 4 && blockQ / 2 >= problem.scores->queries) continue;
      int64_t rows = std::max(chunk / blockQ * blockQ, blockQ);
      rows = std::clamp<int64_t>(rows, 1,
                                 std::max<int64_t>(problem.scores->queries, 1));
      for (bool boxes : {true, false}) {
        if (headTile > 0 && boxes) continue;
        auto scores = ScoreScheduleAttr::get(
                          op->getContext(), Engine::Wgmma, blockQ,
                          /*block_k=*/kPanelColumns, /*span=*/64, stages,
                          /*producers=*/4, consumers, kDefaultPairs, boxes)
                          .withHeadTile(headTile);
        if (!scores.findRefusal(op, target).empty()) continue;
        auto schedule = OnePassScheduleAttr::get(op->getContext(), scores,
                                                 exact, kSampleStep, rank,
                                                 capacity, rows, kSmBlocks);
        // With a block of queries less at a time: what is kept is there beside
        // the lists of candidates.
        if (keeps)
          schedules.push_back(keepScores(
              schedule,
              rows > blockQ && rows % blockQ == 0 ? rows - blockQ : rows));
        schedules.push_back(schedule);
        break;
      }
    }
  return schedules;
}

SmallVector<Attribute> OnePassScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](ScoreScheduleAttr scores, SelectScheduleAttr exact,
                 int64_t sample, int64_t rank, int64_t capacity,
                 int64_t chunk) {
    addStep(steps, *this, scores, exact, sample, rank, capacity, chunk,
            getSmBlocks(), getStaged(), getThreadCandidates(),
            getCandidateBins(), getSampleBlocks(), getLeastSpan(),
            getBoundWarps(), getKeep());
  };
  auto addRest = [&](int64_t smBlocks, int64_t staged, int64_t bins,
                     int64_t sampleBlocks, int64_t boundWarps) {
    addStep(steps, *this, getScores(), getExact(), getSample(), getRank(),
            getCapacity(), getChunk(), smBlocks, staged, getThreadCandidates(),
            bins, sampleBlocks, getLeastSpan(), boundWarps, getKeep());
  };
  ScoreScheduleAttr s = getScores();
  SelectScheduleAttr e = getExact();
  int64_t m = getSample(), r = getRank(), c = getCapacity(), n = getChunk();
  for (Attribute scores : s.getSteps())
    add(cast<ScoreScheduleAttr>(scores), e, m, r, c, n);
  for (Attribute exact : e.getSteps())
    add(s, cast<SelectScheduleAttr>(exact), m, r, c, n);
  // As many keys stand for the bound as before.
  add(s, e, 2 * m, llvm::divideCeil(r, 2), c, n);
  add(s, e, m / 2, 2 * r, c, n);
  add(s, e, m, r, c + 256, n);
  add(s, e, m, r, c - 256, n);
  add(s, e, m, r, c, 2 * n);
  add(s, e, m, r, c, n / 2);
  int64_t b = getSmBlocks(), h = getStaged(), bins = getCandidateBins(),
          more = getSampleBlocks(), w = getBoundWarps();
  for (int64_t by : {1, -1}) addRest(b + by, h, bins, more, w);
  for (int64_t by : {4, -4}) addRest(b, h + by, bins, more, w);
  addRest(b, h, 2 * bins, more, w);
  addRest(b, h, bins / 2, more, w);
  addRest(b, h, bins, 2 * more, w);
  addRest(b, h, bins, more / 2, w);
  for (int64_t by : {8, -8}) addRest(b, h, bins, more, w + by);
  return steps;
}
