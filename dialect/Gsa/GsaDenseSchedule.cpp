//===- GsaDenseSchedule.cpp - dense attention by warpgroups ---------------===//

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Rows of a warp, which are done again together.
static constexpr int64_t kWarpRows = 16;
/// Rows of a warpgroup.
static constexpr int64_t kGroupRows = 64;
/// Rows and positions are 32-bit numbers.
static constexpr int64_t kMostRows = std::numeric_limits<int32_t>::max();

/// Keys over those of a list up to which it is faster to multiply all of them
/// and to hide those of no list than to find the union of neighbouring lists
/// (docs/performance.md).
static constexpr int64_t kMostMasked = 5;
/// The most keys whose bits, for a list of each warp, are in shared memory.
static constexpr int64_t kMostMaskedKeys = 65536;

static std::string findElementMisfit(const AttentionProblem& problem) {
  return findHalfMisfit("engine wgmma multiplies", problem.element,
                        "#gsa.attention_schedule");
}

/// What the kernel has no tiles for, whatever the schedule.
static std::string findShapeRefusal(const AttentionProblem& problem) {
  // What no schedule takes is no fault of a part.
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  // A tensor map has rows.
  if (problem.keys < 1) return "there are no keys";
  // A panel of one head beside that of another would be of both.
  for (int64_t depth : {problem.depth, problem.valueDepth})
    if (depth % kPanelColumns != 0)
      return "head size " + std::to_string(depth) + " is no multiple of " +
             std::to_string(kPanelColumns);
  return "";
}

SmallVector<Attribute> DenseScheduleAttr::getParts() const {
  return {getPerRow()};
}

/// Why lists of keys are no tiles of neighbouring ones.
static std::string findListsRefusal(Operation* op) {
  if (isa<DenseAttentionOp>(op) || op->hasAttr(kListsAttr)) return "";
  return "keys of a list are no tiles; expected lists of a gsa.select, which "
         "gsa-trace-lists finds";
}

std::string DenseScheduleAttr::findMisfit(Operation* op) const {
  if (getMasked() && isa<DenseAttentionOp>(op))
    return "masked is for gather_attention: dense attention has no lists";
  std::string reason = findElementMisfit(*problemOf(op).attention);
  return reason.empty() ? inPart("per_row", getPerRow().findMisfit(op))
                        : reason;
}

std::string DenseScheduleAttr::findRefusal(Operation* op,
                                           const CudaTarget& target) const {
  if (!target.wgmma) return needsWgmma(target);
  if (std::string reason = findListsRefusal(op); !reason.empty()) return reason;
  AttentionProblem problem = *problemOf(op).attention;
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  if (std::string reason = getPerRow().findRefusal(op, target); !reason.empty())
    return inPart("per_row", reason);
  if (getMasked() && problem.keys > kMostMaskedKeys)
    return over("keys of masked tiles", problem.keys, kMostMaskedKeys);
  if (problem.groups > kGridLimit)
    return over("groups of heads", problem.groups, kGridLimit);
  if (problem.batch * problem.keys > kMostRows)
    return over("keys of all batches", problem.batch * problem.keys, kMostRows);
  int64_t warps =
      problem.batch * problem.heads * getConsumers() *
      static_cast<int64_t>(llvm::divideCeil(problem.queries, getBlockQ()));
  if (warps > kMostRows) return over("warps of all blocks", warps, kMostRows);
  return "";
}

/// The schedule of what is done again: 16 rows at a time, if it can be.
static AttentionScheduleAttr findPerRow(Operation* op,
                                        const CudaTarget& target) {
  for (Attribute candidate : AttentionScheduleAttr::enumerate(op, target)) {
    auto schedule = cast<AttentionScheduleAttr>(candidate);
    if (schedule.getBlockQ() == kWarpRows &&
        cast<ScheduleAttrInterface>(candidate)
            .findIllegality(op, target)
            .isLegal())
      return schedule;
  }
  return {};
}

/// Finds what is done again how, or says why the op had better be done by rows.
static std::string findPerRow(Operation* op, const CudaTarget& target,
                              AttentionScheduleAttr& perRow) {
  AttentionProblem problem = *problemOf(op).attention;
  if (std::string reason = findListsRefusal(op); !reason.empty()) return reason;
  if (auto lists = op->getAttrOfType<ListsAttr>(kListsAttr))
    if (problem.keys > kMostMasked * lists.getLeast())
      return "keys " + std::to_string(problem.keys) + " > " +
             std::to_string(kMostMasked) + " x " +
             std::to_string(lists.getLeast()) +
             " that a row selects: most products would be of others";
  if (!target.wgmma) return needsWgmma(target);
  if (std::string reason = findElementMisfit(problem); !reason.empty())
    return reason;
  if (std::string reason = findShapeRefusal(problem); !reason.empty())
    return reason;
  if (problem.queries < kGroupRows)
    return "queries " + std::to_string(problem.queries) + " < " +
           std::to_string(kGroupRows) +
           ": most rows of a block would be nobody's";
  perRow = findPerRow(op, target);
  return perRow ? "" : "per_row: no legal schedule of 16 rows";
}

std::string DenseScheduleAttr::explainNone(Operation* op,
                                           const CudaTarget& target) {
  AttentionScheduleAttr perRow;
  return findPerRow(op, target, perRow);
}

/// Two warpgroups that take turns have the wider tiles of keys, three have more
/// rows for each key that is copied (docs/performance.md). Which is better
/// depends on how their blocks fill the device, and so the cheaper one is
/// first.
SmallVector<Attribute> DenseScheduleAttr::enumerate(Operation* op,
                                                    const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  AttentionScheduleAttr perRow;
  if (!findPerRow(op, target, perRow).empty()) return schedules;
  AttentionProblem problem = *problemOf(op).attention;
  auto lists = op->getAttrOfType<ListsAttr>(kListsAttr);
  bool masked = lists && lists.getLeast() < problem.keys;
  auto add = [&](int64_t blockQ, int64_t blockK, GroupOrder order) {
    if (masked) blockK = llvm::alignDown(blockK, 32);
    schedules.push_back(DenseScheduleAttr::get(
        op->getContext(), Engine::Wgmma, blockQ, blockK, /*key_stages=*/2,
        /*value_stages=*/2, order, perRow, masked));
  };
  int64_t width = std::max(problem.depth, problem.valueDepth);
  if (width <= 64) {
    add(192, 112, GroupOrder::Free);
    add(128, 128, GroupOrder::PingPong);
  } else if (width <= 128) {
    add(192, 80, GroupOrder::Free);
    add(128, 128, GroupOrder::PingPong);
  } else {
    // Beside the output of wide heads there is room for few scores.
    add(128, width <= 192 ? 112 : 80, GroupOrder::PingPong);
  }
  llvm::stable_sort(schedules, [&](Attribute a, Attribute b) {
    return cast<ScheduleAttrInterface>(a).estimateCost(op, target) <
           cast<ScheduleAttrInterface>(b).estimateCost(op, target);
  });
  return schedules;
}

SmallVector<Attribute> DenseScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t blockQ, int64_t blockK, int64_t keyStages,
                 int64_t valueStages, GroupOrder order,
                 AttentionScheduleAttr perRow) {
    addStep(steps, *this, getEngine(), blockQ, blockK, keyStages, valueStages,
            order, perRow, getMasked(), getStringWarps(), getStringEntries(),
            getShortWarps(), getAgainSmBlocks());
  };
  auto addStrings = [&](int64_t warps, int64_t entries) {
    addStep(steps, *this, getEngine(), getBlockQ(), getBlockK(), getKeyStages(),
            getValueStages(), getOrder(), getPerRow(), getMasked(), warps,
            entries, getShortWarps(), getAgainSmBlocks());
  };
  int64_t q = getBlockQ(), k = getBlockK(), s = getKeyStages(),
          v = getValueStages();
  GroupOrder o = getOrder();
  AttentionScheduleAttr p = getPerRow();
  add(q + 64, k, s, v, o, p);
  add(q - 64, k, s, v, q == 128 ? GroupOrder::Free : o, p);
  add(q, k + 16, s, v, o, p);
  add(q, k - 16, s, v, o, p);
  add(q, k, s + 1, v, o, p);
  add(q, k, s - 1, v, o, p);
  add(q, k, s, v + 1, o, p);
  add(q, k, s, v - 1, o, p);
  add(q, k, s, v,
      o == GroupOrder::Free ? GroupOrder::PingPong : GroupOrder::Free, p);
  for (Attribute perRow : p.getSteps())
    add(q, k, s, v, o, cast<AttentionScheduleAttr>(perRow));
  if (getMasked()) {
    addStrings(2 * getStringWarps(), getStringEntries());
    addStrings(getStringWarps() / 2, getStringEntries());
    addStrings(getStringWarps(), 2 * getStringEntries());
    addStrings(getStringWarps(), getStringEntries() / 2);
  }
  return steps;
}
