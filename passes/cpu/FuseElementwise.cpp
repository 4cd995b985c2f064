//===- FuseElementwise.cpp - fuses elementwise linalg ops -----------------===//

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUFUSEELEMENTWISE
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// Consumers with a reduction keep their operands, and so do producers with
/// several uses: fusion would compute them once per consumer.
bool isWorthFusing(OpOperand* operand) {
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!producer || !consumer || !producer->hasOneUse()) return false;
  if (consumer.getNumParallelLoops() != consumer.getNumLoops()) return false;
  remark::passed(
      consumer.getLoc(),
      remark::RemarkOpts::name("fuse-elementwise").category("gsa-cpu"))
      << ("fused " + producer->getName().getStringRef() + " into " +
          consumer->getName().getStringRef())
             .str();
  return true;
}

struct FuseElementwise : impl::GsaCpuFuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, isWorthFusing);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::populateEraseUnnecessaryInputsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

}  // namespace
}  // namespace mlir::gsa
