//===- CheckLanes.cpp - no step runs before what it depends on ------------===//
//
// gsa-check-lanes: what gsa-assign-lanes and gsa-plan-workspace decided, found
// anew from the memory that steps take in the end.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/PipelineAttrs.h"
#include "passes/StepGraph.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACHECKLANES
#include "passes/cuda/CudaHostPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Numbers, lanes and waits by themselves.
static LogicalResult checkNumbers(func::FuncOp entry, ArrayRef<HostStep> steps,
                                  int64_t lanes) {
  for (Operation& op : entry.getBody().front())
    if (isHostStep(&op) && !op.hasAttr(kStepAttr))
      return op.emitError("expected '") << kStepAttr << "', since the function "
                                        << "has " << lanes << " lanes";
  for (auto [i, step] : llvm::enumerate(steps)) {
    if (step.order.getNumber() != static_cast<int64_t>(i))
      return step.op->emitError("expected step ")
             << i << ", got " << step.order.getNumber();
    if (step.order.getLane() >= lanes)
      return step.op->emitError("expected a lane below ")
             << lanes << ", got " << step.order.getLane();
    for (int64_t wait : step.order.getWaits())
      if (steps[wait].order.getLane() == step.order.getLane())
        return step.op->emitError("waits for step ")
               << wait << " of its own lane, expected steps of others";
  }
  return success();
}

static LogicalResult checkOrder(ArrayRef<HostStep> steps) {
  StepOrder order(steps);
  for (size_t b = 0; b < steps.size(); ++b)
    for (size_t a = 0; a < b; ++a) {
      if (order.isBefore(a, b)) continue;
      const StepAccess* access = findConflict(steps[a], steps[b]);
      if (!access) continue;
      InFlightDiagnostic error =
          steps[b].op->emitError("step ")
          << b << " on lane " << steps[b].order.getLane()
          << " does not wait for step " << a << " on lane "
          << steps[a].order.getLane() << ", and both take bytes from "
          << access->begin << " on of one buffer, which "
          << (access->writes ? "this" : "that") << " step writes";
      error.attachNote(steps[a].op->getLoc()) << "step " << a << " is here";
      return error;
    }
  return success();
}

namespace {

struct CheckLanes : gsa::impl::GsaCheckLanesBase<CheckLanes> {
  void runOnOperation() override {
    func::FuncOp entry = findEntry(getOperation());
    if (!entry) return signalPassFailure();
    auto lanes = entry->getAttrOfType<IntegerAttr>(kLanesAttr);
    if (!lanes || lanes.getInt() < 2) return;
    SmallVector<HostStep> steps = collectSteps(entry);
    if (failed(checkNumbers(entry, steps, lanes.getInt())) ||
        failed(checkOrder(steps)))
      return signalPassFailure();
  }
};

}  // namespace
