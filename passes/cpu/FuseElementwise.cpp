//===- FuseElementwise.cpp - fuses elementwise linalg ops -----------------===//

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUFUSEELEMENTWISE
#include "passes/cpu/CpuPasses.h.inc"

namespace {

/// Whether repeating the producer's body costs no more than reading its result.
bool isCheap(linalg::LinalgOp producer) {
  int64_t ops = 0;
  for (Operation& op : producer.getBlock()->without_terminator()) {
    if (op.getNumRegions() != 0 || isa<math::MathDialect>(op.getDialect()))
      return false;
    if (!op.hasTrait<OpTrait::ConstantLike>()) ++ops;
  }
  return ops <= 2;
}

/// Consumers with a reduction keep their operands, and so do producers with
/// several uses: fusion would compute them once per consumer. So it would for
/// a producer that is broadcast (one angle for all heads) unless it is cheap.
bool isWorthFusing(OpOperand* operand) {
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!producer || !consumer || !producer->hasOneUse()) return false;
  if (consumer.getNumParallelLoops() != consumer.getNumLoops()) return false;
  if (!consumer.getMatchingIndexingMap(operand).isPermutation() &&
      !isCheap(producer))
    return false;
  remark::passed(
      consumer.getLoc(),
      remark::RemarkOpts::name("FusedElementwise").category("gsa.fuse"))
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
