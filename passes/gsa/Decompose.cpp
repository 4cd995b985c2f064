//===- Decompose.cpp - gsa-decompose --------------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/OpFilter.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSADECOMPOSE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

namespace {

struct Decompose : gsa::impl::GsaDecomposeBase<Decompose> {
  using GsaDecomposeBase::GsaDecomposeBase;

  bool isWanted(Operation* op) {
    if (!isa_and_nonnull<GsaDialect>(op->getDialect())) return false;
    if (aggregatesOnly && !isa<AttentionOp>(op)) return false;
    return OpFilter(ops).accepts(op);
  }

  void runOnOperation() override {
    if (failed(OpFilter(ops).check(getOperation(), "gsa-decompose")))
      return signalPassFailure();
    // Definitions refer to simpler ops only, so this ends.
    while (true) {
      SmallVector<linalg::AggregatedOpInterface> work;
      getOperation()->walk([&](linalg::AggregatedOpInterface op) {
        if (isWanted(op)) work.push_back(op);
      });
      if (work.empty()) return;
      for (linalg::AggregatedOpInterface op : work)
        if (failed(decompose(op))) return signalPassFailure();
    }
  }

  LogicalResult decompose(linalg::AggregatedOpInterface op) {
    IRRewriter rewriter(op);
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values)) return op->emitOpError("has no decomposition here");
    remark::passed(
        op->getLoc(),
        remark::RemarkOpts::name("Decomposed").category("gsa.decompose"))
        << op->getName().getStringRef();
    if (Attribute schedule = op->getAttr(kScheduleAttr))
      remark::missed(
          op->getLoc(),
          remark::RemarkOpts::name("NotScheduled").category("gsa.decompose"))
          << op->getName().getStringRef().str() + " runs by its definition"
          << remark::metric("schedule", schedule);
    // A definition may know more sizes than the op's own types say.
    for (auto [value, result] : llvm::zip_equal(*values, op->getResults()))
      if (value.getType() != result.getType())
        value = tensor::CastOp::create(rewriter, op->getLoc(), result.getType(),
                                       value);
    rewriter.replaceOp(op, *values);
    return success();
  }
};

}  // namespace
