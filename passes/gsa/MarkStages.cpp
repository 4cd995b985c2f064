//===- MarkStages.cpp - gsa-mark-stages -----------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "passes/Passes.h"
#include "passes/gsa/FuseEpilogue.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAMARKSTAGES
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

/// The stage that `op` belongs to; empty for ops that cost nothing by
/// themselves (constants, reshapes) and stay in whatever stage is running.
static StringRef getStage(Operation* op) {
  return llvm::TypeSwitch<Operation*, StringRef>(op)
      .Case<SelectOp>([](auto) { return "select"; })
      .Case<IndexScoresOp>([](auto) { return "index_scores"; })
      .Case<RowStatisticsOp, StatMeanOp, AdaptiveKOp>(
          [](auto) { return "adaptive_k"; })
      .Case<TopKOp>([](auto) { return "topk"; })
      .Case<GatherAttentionOp>([](auto) { return "sparse_attention"; })
      .Case<DenseAttentionOp>([](auto) { return "dense_attention"; })
      .Case<GateOp>([](GateOp op) -> StringRef {
        // A fused gate is part of its producer's kernel.
        if (op->hasAttr(kFusedGateAttr))
          return getStage(op.getInput().getDefiningOp());
        return "gates";
      })
      .Case<RopeOp>([](auto) { return "rope"; })
      .Case<AttentionOp>([](auto) { return "attention_block"; })
      .Case<linalg::FillOp>([](auto) { return ""; })
      .Case<linalg::LinalgOp>([](linalg::LinalgOp op) -> StringRef {
        return linalg::isaContractionOpInterface(op) ? "projections"
                                                     : "elementwise";
      })
      .Default([](auto) { return ""; });
}

namespace {

struct MarkStages : gsa::impl::GsaMarkStagesBase<MarkStages> {
  using GsaMarkStagesBase::GsaMarkStagesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto function = module.lookupSymbol<func::FuncOp>(entry);
    if (!function || function.isExternal()) {
      module.emitError("gsa-mark-stages: no function '")
          << entry << "' with a body in the module";
      return signalPassFailure();
    }
    if (function->hasAttr(kMarkedStagesAttr)) return;  // Idempotent.
    func::FuncOp mark = declareMark(module);
    llvm::SetVector<StringRef> stages;
    StringRef running;
    Block& body = function.getBody().front();
    for (Operation& op : llvm::make_early_inc_range(body)) {
      StringRef stage = getStage(&op);
      if (stage.empty() || stage == running) continue;
      stages.insert(stage);
      auto number = llvm::find(stages, stage) - stages.begin();
      callMark(mark, &op, number);
      running = stage;
    }
    if (!stages.empty()) callMark(mark, body.getTerminator(), -1);
    OpBuilder b(&getContext());
    function->setAttr(kMarkedStagesAttr,
                      b.getStrArrayAttr(stages.getArrayRef()));
  }

  func::FuncOp declareMark(ModuleOp module) {
    if (auto declared = module.lookupSymbol<func::FuncOp>(kCpuStageSymbol))
      return declared;
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto mark = func::FuncOp::create(b, module.getLoc(), kCpuStageSymbol,
                                     b.getFunctionType(b.getI64Type(), {}));
    mark.setPrivate();
    return mark;
  }

  void callMark(func::FuncOp mark, Operation* before, int64_t stage) {
    OpBuilder b(before);
    Value number = arith::ConstantIntOp::create(b, before->getLoc(), stage, 64);
    func::CallOp::create(b, before->getLoc(), mark, number);
  }
};

}  // namespace
