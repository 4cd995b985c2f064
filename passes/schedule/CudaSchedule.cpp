//===- CudaSchedule.cpp - gsa-cuda-schedule -------------------------------===//
//
// Takes the first legal candidate of ScheduleLegality.h. The choice depends on
// the sizes of the op and on the architecture alone.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/schedule/ScheduleLegality.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACUDASCHEDULE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static std::string toText(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

static void reject(Operation* op, Attribute schedule, StringRef reason) {
  remark::missed(
      op->getLoc(),
      remark::RemarkOpts::name("TileRejected").category("gsa.schedule"))
      << (toText(schedule) + ": " + reason).str();
}

/// The first legal candidate, or none with an error at `op`.
template <typename Schedule, typename Problem>
static Schedule choose(Operation* op, const Problem& problem,
                       const CudaTarget& target) {
  std::string last = "no candidate";
  for (Schedule schedule : enumerate(op->getContext(), problem, target)) {
    last = findIllegality(problem, schedule, target);
    if (last.empty()) return schedule;
    reject(op, schedule, last);
  }
  op->emitOpError() << "has no legal schedule on " << target.arch << ": "
                    << last;
  return Schedule();
}

/// Checks a schedule that the op has.
template <typename Schedule, typename Problem>
static LogicalResult check(Operation* op, Schedule schedule,
                           const Problem& problem, const CudaTarget& target) {
  std::string reason = findIllegality(problem, schedule, target);
  if (reason.empty()) return success();
  return op->emitOpError() << "has an illegal schedule: " << reason;
}

template <typename Schedule>
static LogicalResult expectKind(Operation* op, Attribute attribute,
                                StringRef name) {
  if (isa<Schedule>(attribute)) return success();
  return op->emitOpError() << "expected a #gsa." << name << " as '"
                           << kScheduleAttr << "', got " << attribute;
}

/// Ops with sizes that are not known have no schedule.
static LogicalResult checkStatic(Operation* op) {
  for (Type type : op->getOperandTypes())
    if (auto shaped = dyn_cast<ShapedType>(type);
        shaped && !shaped.hasStaticShape())
      return op->emitOpError()
             << "cannot be scheduled: expected static shapes, got " << type;
  return success();
}

namespace {

struct CudaSchedule : gsa::impl::GsaCudaScheduleBase<CudaSchedule> {
  using GsaCudaScheduleBase::GsaCudaScheduleBase;

  void runOnOperation() override {
    std::optional<CudaTarget> target = findCudaTarget(arch);
    if (!target) {
      getOperation()->emitError("gsa-cuda-schedule: unknown architecture '")
          << arch << "'";
      return signalPassFailure();
    }
    WalkResult walk = getOperation()->walk([&](Operation* op) {
      if (!isa<SelectOp, IndexScoresOp, TopKOp, RowStatisticsOp,
               GatherAttentionOp, DenseAttentionOp>(op))
        return WalkResult::advance();
      if (failed(checkStatic(op)) || failed(schedule(op, *target)))
        return WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (walk.wasInterrupted()) signalPassFailure();
  }

  LogicalResult schedule(Operation* op, const CudaTarget& target) {
    Attribute given = op->getAttr(kScheduleAttr);
    if (isa<GatherAttentionOp>(op) && !isa_and_nonnull<AttentionScheduleAttr>(given))
      return scheduleGather(op, given, target);
    if (isa<GatherAttentionOp, DenseAttentionOp>(op))
      return scheduleOne<AttentionScheduleAttr>(
          op, given, "attention_schedule", getAttentionProblem(op), target);
    if (isa<IndexScoresOp>(op))
      return scheduleOne<ScoreScheduleAttr>(op, given, "score_schedule",
                                            getScoreProblem(op), target);
    if (isa<SelectOp>(op)) return scheduleSelect(op, given, target);
    return scheduleOne<TopKScheduleAttr>(op, given, "topk_schedule",
                                         getTopKProblem(op), target);
  }

  template <typename Schedule, typename Problem>
  LogicalResult scheduleOne(Operation* op, Attribute given, StringRef name,
                            const Problem& problem, const CudaTarget& target) {
    if (given) {
      if (failed(expectKind<Schedule>(op, given, name))) return failure();
      if (failed(check(op, cast<Schedule>(given), problem, target)))
        return failure();
      return accept(op, given, "given");
    }
    auto schedule = choose<Schedule>(op, problem, target);
    if (!schedule) return failure();
    return accept(op, schedule, "heuristic");
  }

  /// By unions of neighbouring queries' keys where there is a legal schedule,
  /// by query otherwise.
  LogicalResult scheduleGather(Operation* op, Attribute given,
                               const CudaTarget& target) {
    AttentionProblem problem = getAttentionProblem(op);
    if (given) {
      if (failed(expectKind<UnionScheduleAttr>(op, given, "attention_schedule "
                                               "or #gsa.union_schedule")) ||
          failed(check(op, cast<UnionScheduleAttr>(given), problem, target)))
        return failure();
      return accept(op, given, "given");
    }
    auto perQuery = choose<AttentionScheduleAttr>(op, problem, target);
    if (!perQuery) return failure();
    for (UnionScheduleAttr schedule :
         enumerateUnions(op->getContext(), problem, perQuery, target)) {
      std::string reason = findIllegality(problem, schedule, target);
      if (reason.empty()) return accept(op, schedule, "heuristic");
      reject(op, schedule, reason);
    }
    return accept(op, perQuery, "heuristic");
  }

  LogicalResult scheduleSelect(Operation* op, Attribute given,
                               const CudaTarget& target) {
    ScoreProblem scores = getScoreProblem(op);
    TopKProblem top = getTopKProblem(op);
    if (given) {
      if (failed(expectKind<SelectScheduleAttr>(op, given, "select_schedule")))
        return failure();
      auto schedule = cast<SelectScheduleAttr>(given);
      if (failed(check(op, schedule.getScores(), scores, target)) ||
          failed(check(op, schedule.getTopk(), top, target)))
        return failure();
      return accept(op, given, "given");
    }
    auto rows = choose<TopKScheduleAttr>(op, top, target);
    if (!rows) return failure();
    // A launch of the score kernel takes one chunk of the queries.
    scores.queries = std::min(scores.queries, rows.getChunk());
    auto products = choose<ScoreScheduleAttr>(op, scores, target);
    if (!products) return failure();
    return accept(op, SelectScheduleAttr::get(op->getContext(), products, rows),
                  "heuristic");
  }

  LogicalResult accept(Operation* op, Attribute schedule, StringRef source) {
    op->setAttr(kScheduleAttr, schedule);
    remark::passed(
        op->getLoc(),
        remark::RemarkOpts::name("Scheduled").category("gsa.schedule"))
        << (op->getName().getStringRef() + " " + source + " " +
            toText(schedule))
               .str();
    return success();
  }
};

}  // namespace
