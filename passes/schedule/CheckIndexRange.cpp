//===- CheckIndexRange.cpp - gsa-check-index-range ------------------------===//

#include <limits>

#include "dialect/Gsa/GsaGradientOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "passes/Passes.h"
#include "passes/Sizes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACHECKINDEXRANGE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

/// `value` has no more than 2^31 - 1 of `what` in its dimension `dim`.
static LogicalResult checkSize(Operation* op, Value value, int64_t dim,
                               StringRef what) {
  constexpr int64_t kLimit = std::numeric_limits<int32_t>::max();
  FailureOr<int64_t> size = findUpperBound(value, dim);
  if (failed(size) || *size <= kLimit) return success();
  return op->emitOpError() << "has int32 indices and counts, which hold at "
                              "most "
                           << kLimit << " " << what << ", got " << *size;
}

/// Attention over all keys has no list, but may have int32 lengths.
static LogicalResult checkAttention(Operation* op) {
  AttentionForm form = AttentionForm::of(op);
  if (form.isDense() && !form.lengths) return success();
  if (failed(checkSize(op, form.key, 1, "keys"))) return failure();
  return form.isDense() ? success() : checkSize(op, form.indices, 2, "slots");
}

/// The same of what trains the indexer.
static LogicalResult checkIndexer(Operation* op) {
  IndexerForm form = IndexerForm::of(op);
  if (!form.indices && !form.lengths) return success();
  if (failed(checkSize(op, form.key, 1, "keys"))) return failure();
  return form.indices ? checkSize(op, form.indices, 2, "slots") : success();
}

static LogicalResult checkRange(Operation* op) {
  return llvm::TypeSwitch<Operation*, LogicalResult>(op)
      .Case<RowStatisticsOp, TopKOp>([](auto typed) {
        return checkSize(typed, typed.getScores(), 2, "keys");
      })
      .Case([](IndexScoresOp scores) {
        if (!scores.getLengths()) return success();
        return checkSize(scores, scores.getKey(), 1, "keys");
      })
      .Case([](SelectOp select) {
        return checkSize(select, select.getKey(), 1, "keys");
      })
      .Case([](AttentionOp block) {
        return checkSize(block, block.getKey(), 1, "keys");
      })
      .Case<GatherAttentionOp, DenseAttentionOp, PartialAttentionOp>(
          [](auto op) { return checkAttention(op); })
      .Case([](GatherAttentionGradOp gradient) {
        if (failed(checkSize(gradient, gradient.getIndices(), 2, "slots")))
          return failure();
        return checkSize(gradient, gradient.getKey(), 1, "keys");
      })
      .Case([](DenseAttentionGradOp gradient) {
        return checkSize(gradient, gradient.getKey(), 1, "keys");
      })
      .Case<IndexScoresGradOp, IndexKlOp, IndexKlGradOp>(
          [](auto typed) { return checkIndexer(typed); })
      .Default(success());
}

namespace {

struct CheckIndexRange : gsa::impl::GsaCheckIndexRangeBase<CheckIndexRange> {
  using GsaCheckIndexRangeBase::GsaCheckIndexRangeBase;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([](Operation* op) {
      return failed(checkRange(op)) ? WalkResult::interrupt()
                                    : WalkResult::advance();
    });
    if (walk.wasInterrupted()) signalPassFailure();
    markAllAnalysesPreserved();
  }
};

}  // namespace
