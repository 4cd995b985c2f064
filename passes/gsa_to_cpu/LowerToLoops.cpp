//===- LowerToLoops.cpp - gsa-lower-to-loops ------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaReadAttr.h"
#include "dialect/Gsa/GsaShapes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"
#include "passes/OpFilter.h"
#include "passes/Passes.h"
#include "passes/Sizes.h"
#include "passes/gsa_to_cpu/Attention.h"
#include "passes/gsa_to_cpu/AttentionGradient.h"
#include "passes/gsa_to_cpu/IndexGradient.h"
#include "passes/gsa_to_cpu/Lowerings.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSALOWERTOLOOPS
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

namespace {

struct LowerToLoops : gsa::impl::GsaLowerToLoopsBase<LowerToLoops> {
  using GsaLowerToLoopsBase::GsaLowerToLoopsBase;

  /// Only ops that have a lowering; others are left to gsa-decompose.
  static bool isSupported(Operation* op) {
    return isa<DenseAttentionOp, GatherAttentionOp, IndexScoresOp,
               PartialAttentionOp, SelectOp, GatherAttentionGradOp,
               DenseAttentionGradOp, IndexScoresGradOp, IndexKlOp,
               IndexKlGradOp>(op);
  }

  LogicalResult lower(Operation* op, CpuScheduleAttr schedule,
                      IRRewriter& rewriter) {
    if (auto scores = dyn_cast<IndexScoresOp>(op))
      return lowerIndexScores(scores, schedule, rewriter);
    if (isAttention(op))
      return AttentionForm::of(op).isDense()
                 ? cpu::lowerDenseAttention(op, schedule, rewriter)
                 : cpu::lowerGatherAttention(op, schedule, rewriter);
    if (isa<GatherAttentionGradOp, DenseAttentionGradOp>(op))
      return cpu::lowerAttentionGradient(op, schedule, rewriter);
    if (isa<IndexScoresGradOp, IndexKlOp, IndexKlGradOp>(op))
      return cpu::lowerIndexGradient(op, schedule, rewriter);
    if (auto select = dyn_cast<SelectOp>(op))
      return lowerSelect(select, schedule, rewriter);
    return op->emitOpError("has no lowering to loops");
  }

  /// Sizes that vectors, tiles and tables are made for; only the numbers of
  /// sequences, queries and keys may differ from run to run.
  static LogicalResult checkFixed(Operation* op) {
    for (const gsa::detail::NamedValue& named :
         gsa::detail::getNamedValues(op)) {
      auto type = cast<RankedTensorType>(named.value.getType());
      for (auto [i, name] : llvm::enumerate(named.names))
        if (type.isDynamicDim(i) && name != "B" && name != "Sq" && name != "Sk")
          return op->emitOpError()
                 << "cannot be lowered to loops: expected a static size for "
                 << name << ", got dimension " << i << " of " << type;
    }
    return success();
  }

  bool isWanted(Operation* op) {
    if (!isSupported(op) || !op->hasAttr(kScheduleAttr)) return false;
    return OpFilter(ops).accepts(op);
  }

  void runOnOperation() override {
    if (failed(OpFilter(ops).check(getOperation(), "gsa-lower-to-loops")))
      return signalPassFailure();
    SmallVector<Operation*> work;
    getOperation()->walk([&](Operation* op) {
      if (isWanted(op)) work.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation* op : work) {
      auto schedule = op->getAttrOfType<CpuScheduleAttr>(kScheduleAttr);
      if (!schedule) {
        op->emitOpError() << "expected a #gsa.cpu_schedule as '"
                          << kScheduleAttr << "', got "
                          << op->getAttr(kScheduleAttr);
        return signalPassFailure();
      }
      // Buffers have a planned size.
      if (failed(checkBounded(op, "be lowered to loops")) ||
          failed(checkFixed(op)))
        return signalPassFailure();
      std::string name = op->getName().getStringRef().str();
      Location loc = op->getLoc();
      if (failed(lower(op, schedule, rewriter))) return signalPassFailure();
      remark::passed(
          loc,
          remark::RemarkOpts::name("LoweredToLoops").category("gsa.schedule"))
          << name;
    }
    keepReadsApart();
  }

  /// Numbers the reads of each tensor behind the first one.
  void keepReadsApart() {
    llvm::DenseMap<Value, int64_t> reads;
    Builder b(&getContext());
    getOperation()->walk([&](bufferization::ToBufferOp op) {
      int64_t number = reads[op.getTensor()]++;
      if (number > 0) op->setAttr(kReadAttr, b.getI64IntegerAttr(number));
    });
  }
};

}  // namespace
