//===- CudaSchedule.cpp - gsa-cuda-schedule -------------------------------===//
//
// Writes the choice of ScheduleChoice.h into each op, and remarks.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"
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
        database, shipped, *target, &getContext(), error);
    if (failed(databases)) {
      emitError(getOperation()->getLoc())
          << getArgument() << ": database of schedules: " << error;
      return signalPassFailure();
    }
    WalkResult walk = getOperation()->walk([&](ScheduledOpInterface op) {
      return failed(schedule(op, *target, *databases)) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
    });
    if (walk.wasInterrupted()) signalPassFailure();
  }
};

}  // namespace
