//===- CheckIndexLoss.cpp - gsa-check-index-loss --------------------------===//

#include "passes/Sizes.h"
#include "passes/gsa/GradientPasses.h"
#include "passes/gsa/IndexLoss.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACHECKINDEXLOSS
#include "passes/gsa/GradientPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

/// The keys that a row of a selection keeps at least, if it sees as many; 0 if
/// `lists` are made otherwise.
static int64_t findLeast(Value lists) {
  while (auto cast = lists.getDefiningOp<tensor::CastOp>())
    lists = cast.getSource();
  if (auto select = lists.getDefiningOp<SelectOp>())
    return select.getPolicy().getLeast();
  if (auto block = lists.getDefiningOp<AttentionOp>())
    return block.getPolicy().getLeast();
  auto topk = lists.getDefiningOp<TopKOp>();
  if (!topk) return 0;
  auto budget = topk.getK().getDefiningOp<AdaptiveKOp>();
  if (!budget) return 0;
  return std::min<int64_t>(budget.getPolicy().getLeast(), topk.getSlots());
}

static LogicalResult check(Operation* op, Value lists, Value indexKey) {
  if (!lists) return success();
  int64_t least = findLeast(lists);
  FailureOr<int64_t> keys = findUpperBound(indexKey, 1);
  if (failed(keys) || *keys == 0 || least < *keys) return success();
  return op->emitOpError()
         << "trains nothing: its lists hold every visible key whatever the "
            "scores, as the budget of its selection, at least "
         << least << ", covers all of the " << *keys
         << " keys; expected a smaller budget, or the loss over all visible "
            "keys, with a 'mask' in place of 'indices'";
}

LogicalResult gsa::checkIndexLoss(IndexKlOp op) {
  return check(op, op.getIndices(), op.getIndexKey());
}
LogicalResult gsa::checkIndexLoss(IndexKlGradOp op) {
  return check(op, op.getIndices(), op.getIndexKey());
}

namespace {

struct CheckIndexLoss : gsa::impl::GsaCheckIndexLossBase<CheckIndexLoss> {
  using GsaCheckIndexLossBase::GsaCheckIndexLossBase;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([](Operation* op) {
      LogicalResult result = success();
      if (auto loss = dyn_cast<IndexKlOp>(op)) result = checkIndexLoss(loss);
      if (auto loss = dyn_cast<IndexKlGradOp>(op))
        result = checkIndexLoss(loss);
      return failed(result) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted()) signalPassFailure();
    markAllAnalysesPreserved();
  }
};

}  // namespace
