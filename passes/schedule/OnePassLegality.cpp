//===- OnePassLegality.cpp - when and how to select in one pass -----------===//

#include <algorithm>
#include <cmath>

#include "llvm/Support/MathExtras.h"
#include "passes/schedule/ScheduleLegality.h"

using namespace mlir;
using namespace mlir::gsa;

/// Every so many-th key is a sample of a row: a sixteenth of the work of a
/// pass.
static constexpr int64_t kSample = 16;
/// Standard deviations of the number of candidates between its mean and the
/// budget, and between its mean and the room. A row beyond them, 3 of 100000
/// and fewer, is selected from all of its scores.
static constexpr double kBelow = 4.0, kAbove = 5.0;
/// Rows of fewer times their candidates' room are as fast with scores in
/// memory.
static constexpr int64_t kLongRow = 4;
/// The most candidates that a schedule can have room for.
static constexpr int64_t kMaxListCapacity = 16384;
/// Small tiles of the kernel that selects candidates.
static constexpr int64_t kOtherBytes = 1024;

static bool isHalf(Type element) { return element.isF16() || element.isBF16(); }

OnePassProblem gsa::getOnePassProblem(SelectOp op) {
  OnePassProblem problem;
  problem.scores = getScoreProblem(op);
  problem.top = getTopKProblem(op);
  KPolicyAttr policy = op.getPolicy();
  problem.hasMoments =
      !policy.usesStatistic() || policy.getStatistic() == Statistic::Variance;
  problem.forced = std::min<int64_t>(
      static_cast<int64_t>(op.getSink() + op.getLocal()), problem.top.keys);
  return problem;
}

/// The rank in the sample that is the budget and kBelow deviations more: r
/// samples above the bound stand for r * kSample keys, give or take
/// kSample * sqrt(r).
static int64_t getRank(int64_t slots) {
  double ratio = static_cast<double>(slots) / kSample;
  double root = (kBelow + std::sqrt(kBelow * kBelow + 4 * ratio)) / 2;
  return static_cast<int64_t>(std::ceil(root * root));
}

static int64_t getCapacity(int64_t rank) {
  double room = kSample * (rank + kAbove * std::sqrt(rank));
  return llvm::alignTo(static_cast<int64_t>(std::ceil(room)), 256);
}

int64_t gsa::getSharedBytes(const OnePassProblem& problem,
                            OnePassScheduleAttr schedule) {
  int64_t words = llvm::PowerOf2Ceil(
      std::max<int64_t>(llvm::divideCeil(problem.top.keys, 32), 256));
  return 8 * words + 8 * (schedule.getCapacity() + problem.forced) + 4 * 256 +
         kOtherBytes;
}

static std::string over(StringRef what, int64_t got, int64_t limit,
                        StringRef unit = "") {
  return (what + " " + Twine(got) + " > " + Twine(limit) + unit).str();
}

std::string gsa::findIllegality(const OnePassProblem& problem,
                                OnePassScheduleAttr schedule,
                                const CudaTarget& target) {
  if (!problem.hasMoments)
    return "one pass has no kernel for budgets that depend on entropy";
  if (!isHalf(problem.scores.element))
    return "one pass has kernels for elements of f16 and bf16";
  if (problem.top.slots > schedule.getCapacity())
    return over("slots", problem.top.slots, schedule.getCapacity(),
                ", the candidates of a row");
  int64_t shared = getSharedBytes(problem, schedule);
  if (shared > target.sharedBytesPerBlock)
    return over("shared memory of candidates", shared,
                target.sharedBytesPerBlock, (" bytes on " + target.arch).str());
  SelectScheduleAttr exact = schedule.getExact();
  for (ScoreScheduleAttr scores : {schedule.getScores(), exact.getScores()})
    if (std::string reason = findIllegality(problem.scores, scores, target);
        !reason.empty())
      return reason;
  return findIllegality(problem.top, exact.getTopk(), target);
}

std::string gsa::findOnePassLimit(const OnePassProblem& problem,
                                  const CudaTarget& target) {
  if (!target.wgmma) return "one pass is for architectures with wgmma";
  if (!problem.hasMoments) return "budgets depend on the entropy of scores";
  if (!isHalf(problem.scores.element)) return "wgmma multiplies f16 and bf16";
  int64_t capacity = getCapacity(getRank(problem.top.slots));
  if (capacity > kMaxListCapacity)
    return over("candidates of a row", capacity, kMaxListCapacity);
  if (problem.top.keys < kLongRow * capacity)
    return "rows of " + std::to_string(problem.top.keys) +
           " keys are short for " + std::to_string(capacity) +
           " candidates; expected " + std::to_string(kLongRow * capacity) +
           " or more";
  return "";
}

SmallVector<OnePassScheduleAttr> gsa::enumerate(MLIRContext* context,
                                                const OnePassProblem& problem,
                                                SelectScheduleAttr exact,
                                                const CudaTarget& target) {
  (void)target;
  SmallVector<OnePassScheduleAttr> schedules;
  int64_t rank = getRank(problem.top.slots);
  int64_t capacity = getCapacity(rank);
  int64_t keys = std::max<int64_t>(problem.top.keys, 1);
  int64_t sampled = llvm::divideCeil(keys, kSample);
  int64_t chunk =
      std::min(kListBytes / (8 * capacity), kChunkBytes / (4 * sampled));
  for (int64_t blockQ : {256, 128, 64})
    for (int64_t stages : {4, 3, 2}) {
      if (blockQ > 64 && blockQ / 2 >= problem.scores.queries) continue;
      int64_t rows = std::max(chunk / blockQ * blockQ, blockQ);
      rows = std::clamp<int64_t>(rows, 1,
                                 std::max<int64_t>(problem.scores.queries, 1));
      auto scores = ScoreScheduleAttr::get(
          context, Engine::Wgmma, blockQ, /*block_k=*/kPanelColumns,
          /*span=*/32, stages, /*producers=*/4, blockQ / kTileUnit);
      schedules.push_back(OnePassScheduleAttr::get(
          context, scores, exact, kSample, rank, capacity, rows));
    }
  return schedules;
}
