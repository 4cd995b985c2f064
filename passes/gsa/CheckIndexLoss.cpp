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

namespace {

/// How many keys a row of a selection keeps, if it sees as many, and how many
/// of them are there whatever their scores are.
struct Kept {
  int64_t least = 0;
  std::optional<int64_t> most;
  int64_t forced = 0;
};

}  // namespace

template <typename OpTy>
static int64_t countForced(OpTy op) {
  return static_cast<int64_t>(op.getSink() + op.getLocal());
}

template <typename OpTy>
static Kept keptBy(OpTy op) {
  return {op.getPolicy().getLeast(), op.getPolicy().getSlots(),
          countForced(op)};
}

/// Nothing is known of lists that are made otherwise.
static Kept findKept(Value lists) {
  while (auto cast = lists.getDefiningOp<tensor::CastOp>())
    lists = cast.getSource();
  if (auto select = lists.getDefiningOp<SelectOp>()) return keptBy(select);
  if (auto block = lists.getDefiningOp<AttentionOp>()) return keptBy(block);
  auto topk = lists.getDefiningOp<TopKOp>();
  if (!topk) return {};
  int64_t slots = static_cast<int64_t>(topk.getSlots());
  Kept kept{0, slots, countForced(topk)};
  if (auto budget = topk.getK().getDefiningOp<AdaptiveKOp>())
    kept.least = std::min(budget.getPolicy().getLeast(), slots);
  return kept;
}

static LogicalResult check(Operation* op, Value lists, Value indexKey) {
  if (!lists) return success();
  Kept kept = findKept(lists);
  constexpr const char* kExpected =
      ", or the loss over all visible keys, with a 'mask' in place of "
      "'indices'";
  auto emitForced = [&] {
    return op->emitOpError()
           << "trains nothing: which keys its lists hold does not depend on "
              "the scores, as 'sink' and 'local' of its selection force ";
  };
  if (kept.most && kept.forced >= *kept.most)
    return emitForced() << kept.forced << " keys into a budget of at most "
                        << *kept.most
                        << "; expected a larger budget, or fewer forced keys"
                        << kExpected;
  FailureOr<int64_t> keys = findUpperBound(indexKey, 1);
  if (failed(keys) || *keys == 0) return success();
  if (kept.forced >= *keys)
    return emitForced() << "all of the " << *keys
                        << " keys; expected fewer forced keys" << kExpected;
  if (kept.least < *keys) return success();
  return op->emitOpError()
         << "trains nothing: its lists hold every visible key whatever the "
            "scores, as the budget of its selection, at least "
         << kept.least << ", covers all of the " << *keys
         << " keys; expected a smaller budget" << kExpected;
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
