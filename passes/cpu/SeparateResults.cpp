//===- SeparateResults.cpp - one buffer per returned tensor ---------------===//
//
// gsa-cpu-separate-results. The caller passes one buffer for each result; two
// results that are one value need a copy. Upstream's
// buffer-results-to-out-params moves an allocation into the first and then
// reads it, freed, for the second.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaAttrNames.h"
#include "llvm/ADT/DenseSet.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUSEPARATERESULTS
#include "passes/cpu/CpuPasses.h.inc"

namespace {

struct SeparateResults : impl::GsaCpuSeparateResultsBase<SeparateResults> {
  void runOnOperation() override {
    getOperation().walk([](func::ReturnOp op) {
      OpBuilder builder(op);
      auto function = op->getParentOfType<func::FuncOp>();
      auto updates = [&](OpOperand& operand) {
        return bool(
            function.getResultAttr(operand.getOperandNumber(), kUpdatesAttr));
      };
      // A result in the memory of an argument is no copy of another one.
      llvm::SmallDenseSet<Value> seen, kept;
      for (OpOperand& operand : op->getOpOperands())
        if (updates(operand)) kept.insert(operand.get());
      for (OpOperand& operand : op->getOpOperands()) {
        auto type = dyn_cast<RankedTensorType>(operand.get().getType());
        bool isFirst = updates(operand) || !kept.contains(operand.get());
        if (!type || (isFirst && seen.insert(operand.get()).second)) continue;
        // An allocation that is never merged with another one.
        operand.set(bufferization::AllocTensorOp::create(
            builder, op.getLoc(), type, /*dynamicSizes=*/ValueRange(),
            /*copy=*/operand.get()));
      }
    });
  }
};

}  // namespace
}  // namespace mlir::gsa
