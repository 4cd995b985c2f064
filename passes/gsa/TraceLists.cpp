//===- TraceLists.cpp - gsa-trace-lists -----------------------------------===//

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSATRACELISTS
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static int64_t sizeOf(Value tensor, int64_t dim) {
  return cast<RankedTensorType>(tensor.getType()).getDimSize(dim);
}

/// The selection that makes the lists of `op`, over the keys that it attends
/// to; null if there is none.
static SelectOp findSelection(GatherAttentionOp op) {
  auto select = op.getIndices().getDefiningOp<SelectOp>();
  if (!select || op.getIndices() != select.getIndices() ||
      op.getCounts() != select.getCounts() || op.getLengths() ||
      select.getLengths())
    return nullptr;
  int64_t keys = sizeOf(op.getKey(), 1), queries = sizeOf(op.getQuery(), 1);
  bool isStatic =
      !ShapedType::isDynamic(keys) && !ShapedType::isDynamic(queries);
  return isStatic && sizeOf(select.getKey(), 1) == keys &&
                 sizeOf(select.getQuery(), 1) == queries
             ? select
             : nullptr;
}

namespace {

struct TraceLists : gsa::impl::GsaTraceListsBase<TraceLists> {
  using GsaTraceListsBase::GsaTraceListsBase;

  void runOnOperation() override {
    getOperation()->walk([](GatherAttentionOp op) {
      SelectOp select = findSelection(op);
      if (!select) return;
      op->setAttr(kListsAttr, ListsAttr::get(op.getContext(), select.getMask(),
                                             select.getPolicy().getLeast()));
      remark::passed(
          op.getLoc(),
          remark::RemarkOpts::name("TracedLists").category("gsa.schedule"))
          << "rows that take every visible key, whose attention is dense "
             "unless a score is not finite"
          << remark::metric("rows", countShortRows(select))
          << remark::metric("of", sizeOf(op.getQuery(), 1));
    });
  }
};

}  // namespace
