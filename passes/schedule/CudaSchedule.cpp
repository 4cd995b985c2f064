//===- CudaSchedule.cpp - gsa-cuda-schedule -------------------------------===//
//
// Writes the choice of ScheduleChoice.h into each op, and remarks.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Passes.h"
#include "passes/StaticShapes.h"
#include "passes/TargetOption.h"
#include "passes/gsa_to_tile/MeasureKernels.h"
#include "passes/schedule/ScheduleChoice.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACUDASCHEDULE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static std::string format(double us) {
  return llvm::formatv("{0:f1}", us).str();
}

static void report(Operation* op, const RejectedSchedule& rejected,
                   const ScheduleChoice& choice) {
  auto missed = [&](StringRef name) {
    return remark::missed(
        op->getLoc(), remark::RemarkOpts::name(name).category("gsa.schedule"));
  };
  std::string text = rejected.what + ": " + rejected.reason;
  switch (rejected.why) {
    case RejectedSchedule::NoCandidate:
      missed("NoCandidate") << text;
      return;
    case RejectedSchedule::Illegal:
      missed("TileRejected") << text;
      return;
    case RejectedSchedule::Unfit:
      missed("RecordRejected") << text;
      return;
    case RejectedSchedule::Costlier:
      missed("Costlier") << rejected.what
                         << remark::metric("cost_us", format(rejected.us))
                         << remark::metric("best_us", format(choice.us));
      return;
  }
}

static void report(Operation* op, const ScheduleChoice& choice) {
  for (const RejectedSchedule& rejected : choice.rejected)
    report(op, rejected, choice);
  std::string schedule;
  llvm::raw_string_ostream(schedule) << Attribute(choice.schedule);
  remark::passed(op->getLoc(),
                 remark::RemarkOpts::name("Scheduled").category("gsa.schedule"))
      << (op->getName().getStringRef() + " " + choice.describeSource() + " " +
          schedule)
             .str();
}

static LogicalResult schedule(ScheduledOpInterface op, const CudaTarget& target,
                              const ScheduleDatabases& databases) {
  if (op.getScheduleKinds(Device::Cuda).empty()) return success();
  if (failed(checkStatic(op, "be scheduled"))) return failure();
  FailureOr<ScheduleChoice> choice = chooseSchedule(op, target, databases);
  if (failed(choice)) return failure();
  op->setAttr(kScheduleAttr, choice->schedule);
  report(op, *choice);
  return success();
}

/// Queries of a batch from which on kernels run side by side, and on how many
/// lanes: chunks of queries have buffers for each lane.
static constexpr int64_t kLaneQueries = 512, kLanes = 2;

/// Whether budgets are known only when all rows have been scored once.
static bool waitsForAllRows(FunctionOpInterface function) {
  return function
      ->walk([](SelectOp op) {
        return op.getPolicy().usesStatistic() ? WalkResult::interrupt()
                                              : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Where an op has that many queries its kernels run for longer than the host
/// takes to submit them, and the ends of some leave SMs to others. A step of
/// decoding is a few kernels that wait for each other.
static void chooseLanes(FunctionOpInterface function) {
  if (function.isExternal() || function->hasAttr(kLanesAttr)) return;
  int64_t most = 0;
  function->walk([&](ScheduledOpInterface op) {
    if (op.getScheduleKinds(Device::Cuda).empty()) return;
    auto type = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
    if (type && type.getRank() > 1) most = std::max(most, type.getDimSize(1));
  });
  if (most < kLaneQueries) return;
  if (waitsForAllRows(function)) {
    remark::missed(
        function.getLoc(),
        remark::RemarkOpts::name("LanesRejected").category("gsa.schedule"))
        << "budgets wait for a statistic of all rows: chunks that run ahead of "
           "it would each keep their lists";
    return;
  }
  function->setAttr(kLanesAttr,
                    Builder(function.getContext()).getI64IntegerAttr(kLanes));
  remark::passed(
      function.getLoc(),
      remark::RemarkOpts::name("LanesChosen").category("gsa.schedule"))
      << "kernels that do not depend on each other run side by side"
      << remark::metric("lanes", kLanes) << remark::metric("queries", most);
}

namespace {

struct CudaSchedule : gsa::impl::GsaCudaScheduleBase<CudaSchedule> {
  using GsaCudaScheduleBase::GsaCudaScheduleBase;

  void getDependentDialects(DialectRegistry& registry) const override {
    GsaCudaScheduleBase::getDependentDialects(registry);
    registerKernelMeasure(registry);
  }

  void runOnOperation() override {
    std::optional<CudaTarget> target =
        findTargetOption(getOperation(), getArgument(), arch);
    if (!target) return signalPassFailure();
    std::string error;
    FailureOr<ScheduleDatabases> databases = ScheduleDatabases::load(
        database, shipped, target->arch, &getContext(), error);
    if (failed(databases)) {
      emitError(getOperation()->getLoc())
          << getArgument() << ": database of schedules: " << error;
      return signalPassFailure();
    }
    WalkResult walk = getOperation()->walk([&](ScheduledOpInterface op) {
      return failed(schedule(op, *target, *databases)) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
    });
    if (walk.wasInterrupted()) return signalPassFailure();
    getOperation()->walk(
        [](FunctionOpInterface function) { chooseLanes(function); });
  }
};

}  // namespace
