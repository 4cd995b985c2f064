//===- CpuSchedule.cpp - gsa-cpu-schedule ---------------------------------===//
//
// Writes the choice of CpuScheduleChoice.h into each op, and remarks. The
// choice never depends on the data, and results do not depend on the choice
// beyond the order of sums within a row.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/schedule/CpuScheduleChoice.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACPUSCHEDULE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static void report(Operation* op, const CpuScheduleChoice& choice) {
  auto missed = [&](StringRef name) {
    return remark::missed(
        op->getLoc(), remark::RemarkOpts::name(name).category("gsa.schedule"));
  };
  for (const RejectedSchedule& rejected : choice.rejected) {
    if (rejected.why == RejectedSchedule::Unfit)
      missed("RecordRejected") << rejected.what + ": " + rejected.reason;
    else if (rejected.why == RejectedSchedule::Costlier)
      missed("Costlier") << rejected.what;
    else
      missed("NotScheduled")
          << (op->getName().getStringRef() + ": " + rejected.reason).str();
  }
  CpuScheduleAttr schedule = choice.schedule;
  if (!schedule) return;
  remark::passed(op->getLoc(),
                 remark::RemarkOpts::name("Scheduled").category("gsa.schedule"))
      << (op->getName().getStringRef() + " " + choice.describeSource()).str()
      << remark::metric("tasks", schedule.getTasks())
      << remark::metric("lanes", schedule.getLanes())
      << remark::metric("rows", schedule.getRows())
      << remark::metric("vectors", schedule.getVectors())
      << remark::metric("block_rows", schedule.getBlockRows())
      << remark::metric("block_keys", schedule.getBlockKeys());
}

namespace {

struct CpuSchedule : gsa::impl::GsaCpuScheduleBase<CpuSchedule> {
  using GsaCpuScheduleBase::GsaCpuScheduleBase;

  void runOnOperation() override {
    if (tasks < 1 || tasks > 4096) {
      getOperation()->emitError(
          "gsa-cpu-schedule: expected 'tasks' in "
          "[1, 4096], got ")
          << tasks.getValue();
      return signalPassFailure();
    }
    if (!isVectorWidth(vectorBits)) {
      getOperation()->emitError(
          "gsa-cpu-schedule: expected 'vector-bits' to "
          "be a power of two in [32, 2048], got ")
          << vectorBits.getValue();
      return signalPassFailure();
    }
    CpuTarget target{tasks, vectorBits};
    std::string error;
    FailureOr<ScheduleDatabases> databases = ScheduleDatabases::load(
        database, shipped, target.arch(), &getContext(), error);
    if (failed(databases)) {
      emitError(getOperation()->getLoc())
          << getArgument() << ": database of schedules: " << error;
      return signalPassFailure();
    }
    getOperation()->walk([&](ScheduledOpInterface op) {
      if (op->hasAttr(kScheduleAttr) ||
          op.getScheduleKinds(Device::Cpu).empty())
        return;
      CpuScheduleChoice choice = chooseCpuSchedule(op, target, *databases);
      if (choice.schedule) op->setAttr(kScheduleAttr, choice.schedule);
      report(op, choice);
    });
  }
};

}  // namespace
