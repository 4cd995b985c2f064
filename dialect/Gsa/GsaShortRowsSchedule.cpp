//===- GsaShortRowsSchedule.cpp - selection of rows without a choice ------===//

#include <algorithm>
#include <cmath>

#include "dialect/Gsa/GsaLimits.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Rows of a block.
static constexpr int64_t kRows = 16;
/// Of fewer short rows the scores cost less than three more kernels.
static constexpr int64_t kLeastShortRows = 512;
/// Microseconds of kernels that find that they have nothing to do.
static constexpr double kIdleKernels = 3.0;
/// Scores of a row that a thread holds, and the most warps of a block.
static constexpr int64_t kCells = 16, kMostWarps = 32;
/// Of so many times the keys of a list most rows have a choice.
static constexpr int64_t kMostListed = 8;
/// Rows of more keys have warps of so many scores that few are done at a time:
/// what reads them several times is faster (docs/performance.md).
static constexpr int64_t kKeysReadOnce = 4096;
/// Elements of a batch's keys that positions in a kernel count.
static constexpr int64_t kMostElements = std::numeric_limits<int32_t>::max();

int64_t ShortRowsScheduleAttr::getRowWarps(int64_t keys) const {
  int64_t cells = 32 * std::max<int64_t>(getCells(), 1);
  return std::max<int64_t>(llvm::divideCeil(keys, cells),
                           getExact().getTopk().getWarps());
}

/// Why a row of scores is not read once, if it shall be.
static std::string findCellsMisfit(SelectOp op, int64_t cells) {
  if (cells == 0 || !op.getPolicy().usesStatistic()) return "";
  return "a budget that depends on a row's scores reads them more than once; "
         "legal: cells = 0";
}

SmallVector<Attribute> ShortRowsScheduleAttr::getParts() const {
  return {getExact().getScores(), getExact().getTopk()};
}

/// What there is no kernel for, whatever the schedule.
static std::string findKernelMisfit(SelectOp op) {
  if (op.getPolicy().usesNormaliser() && !op.getNormaliser())
    return "budgets depend on the scores of all rows; use "
           "#gsa.select_schedule";
  if (op.getScale() &&
      std::abs(op.getScale()->convertToDouble()) > kLargestIndexerScale)
    return "a scale above 2^32 makes infinite scores of small numbers; use "
           "#gsa.select_schedule";
  return "";
}

std::string ShortRowsScheduleAttr::findMisfit(Operation* op) const {
  std::string reason = findKernelMisfit(cast<SelectOp>(op));
  if (reason.empty()) reason = findCellsMisfit(cast<SelectOp>(op), getCells());
  return reason.empty() ? inPart("exact", getExact().findMisfit(op)) : reason;
}

/// What the kernel cannot count.
static std::string findSizeRefusal(const ScoreProblem& problem) {
  int64_t elements = problem.keys * problem.depth;
  return elements > kMostElements
             ? over("elements of keys", elements, kMostElements)
             : "";
}

std::string ShortRowsScheduleAttr::findRefusal(Operation* op,
                                               const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  std::string reason = findSizeRefusal(*problem.scores);
  if (reason.empty() && getCells() > 0 &&
      countShortRows(cast<SelectOp>(op)) < problem.rows->queries)
    if (int64_t warps = getRowWarps(problem.rows->keys); warps > kMostWarps)
      reason = over("warps of a row", warps, kMostWarps);
  return reason.empty() ? inPart("exact", getExact().findRefusal(op, target))
                        : reason;
}

/// Of the pairs of queries and visible keys the part that rows without a choice
/// have, which are those with the fewest keys.
static double shareOfShortRows(Operation* op, const TopKProblem& rows,
                               double count) {
  auto queries = static_cast<double>(rows.queries);
  if (count >= queries) return 1;
  double pairs = queries * static_cast<double>(rows.keys) *
                 visibleShare(op, rows.queries, rows.keys);
  double mean = static_cast<double>(rows.slots) - count / 2;
  return std::clamp(count * mean / pairs, 0.0, 1.0);
}

/// Of the exact schedule the part of the rows that have a choice; of the others
/// the lists. The numbers that scores are made of come from a cache.
double ShortRowsScheduleAttr::estimateCost(Operation* op,
                                           const CudaTarget& target) const {
  TopKProblem rows = *problemOf(op).rows;
  auto count = static_cast<double>(countShortRows(cast<SelectOp>(op)));
  double bytes = static_cast<double>(rows.batch) * count * 4.0 *
                 static_cast<double>(rows.slots);
  return (1.0 - shareOfShortRows(op, rows, count)) *
             getExact().estimateCost(op, target) +
         bytes / (target.rates.memoryGbs * 1e3) + kIdleKernels;
}

/// Finds the schedule of rows with a choice, or says why all rows had better
/// have their scores.
static std::string findExact(SelectOp op, const CudaTarget& target,
                             SelectScheduleAttr& exact) {
  if (std::string reason = findKernelMisfit(op); !reason.empty()) return reason;
  ScheduleProblem problem = op.getScheduleProblem();
  if (std::string reason = findSizeRefusal(*problem.scores); !reason.empty())
    return reason;
  const TopKProblem& all = *problem.rows;
  if (all.keys > kMostListed * std::max<int64_t>(all.slots, 1))
    return "keys " + std::to_string(all.keys) + " > " +
           std::to_string(kMostListed) + " x " + std::to_string(all.slots) +
           " slots: few rows have no choice";
  int64_t rows = all.batch * countShortRows(op);
  if (rows < kLeastShortRows)
    return "rows without a choice " + std::to_string(rows) + " < " +
           std::to_string(kLeastShortRows) + ": their scores cost less";
  std::string reason;
  exact = findFirstLegal<SelectScheduleAttr>(op, target, reason);
  return exact ? "" : inPart("exact", reason);
}

std::string ShortRowsScheduleAttr::explainNone(Operation* op,
                                               const CudaTarget& target) {
  SelectScheduleAttr exact;
  return findExact(cast<SelectOp>(op), target, exact);
}

SmallVector<Attribute> ShortRowsScheduleAttr::enumerate(
    Operation* op, const CudaTarget& target) {
  SelectScheduleAttr exact;
  if (!findExact(cast<SelectOp>(op), target, exact).empty()) return {};
  SmallVector<Attribute> schedules;
  bool once = problemOf(op).rows->keys <= kKeysReadOnce;
  for (int64_t cells : {once ? kCells : 0, once ? 0 : kCells})
    if (findCellsMisfit(cast<SelectOp>(op), cells).empty())
      schedules.push_back(
          ShortRowsScheduleAttr::get(op->getContext(), kRows, cells, exact));
  return schedules;
}

SmallVector<Attribute> ShortRowsScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t rows, int64_t cells, SelectScheduleAttr exact,
                 int64_t vectors, int64_t smWarps, int64_t rowSmWarps) {
    addStep(steps, *this, rows, cells, exact, vectors, smWarps, rowSmWarps);
  };
  int64_t r = getRows(), c = getCells(), v = getVectors(), w = getSmWarps(),
          h = getRowSmWarps();
  SelectScheduleAttr e = getExact();
  add(2 * r, c, e, v, w, h);
  add(r / 2, c, e, v, w, h);
  add(r, 2 * c, e, v, w, h);
  add(r, c / 2, e, v, w, h);
  for (Attribute exact : e.getSteps())
    add(r, c, cast<SelectScheduleAttr>(exact), v, w, h);
  add(r, c, e, 2 * v, w, h);
  add(r, c, e, v / 2, w, h);
  for (int64_t by : {8, -8}) {
    add(r, c, e, v, w + by, h);
    add(r, c, e, v, w, h + by);
  }
  return steps;
}
