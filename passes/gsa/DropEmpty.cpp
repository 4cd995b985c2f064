//===- DropEmpty.cpp - gsa-drop-empty -------------------------------------===//

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSADROPEMPTY
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static bool hasNoElements(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getNumElements() == 0;
}

namespace {

struct DropEmpty : gsa::impl::GsaDropEmptyBase<DropEmpty> {
  using GsaDropEmptyBase::GsaDropEmptyBase;

  void runOnOperation() override {
    // Uses are replaced, not ops: what is dead then is the cleanup's, which
    // knows what has side effects.
    getOperation()->walk([](Operation* op) {
      if (isa<tensor::EmptyOp>(op)) return;
      bool any = false;
      for (OpResult result : op->getResults()) {
        if (!hasNoElements(result) || result.use_empty()) continue;
        OpBuilder b(op);
        auto type = cast<RankedTensorType>(result.getType());
        result.replaceAllUsesWith(
            tensor::EmptyOp::create(b, op->getLoc(), type.getShape(),
                                    type.getElementType(), type.getEncoding()));
        any = true;
      }
      if (!any) return;
      remark::passed(
          op->getLoc(),
          remark::RemarkOpts::name("DroppedEmpty").category("gsa.fold"))
          << op->getName().getStringRef().str();
    });
  }
};

}  // namespace
