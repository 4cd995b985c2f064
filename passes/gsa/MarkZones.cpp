//===- MarkZones.cpp - gsa-mark-zones -------------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "passes/FunctionOption.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAMARKZONES
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

/// The zone that `op` belongs to; empty for ops that cost nothing by
/// themselves (constants, reshapes) and stay in whatever zone is running.
static StringRef getZone(Operation* op) {
  return llvm::TypeSwitch<Operation*, StringRef>(op)
      .Case<SelectOp>([](auto) { return "select"; })
      .Case<IndexScoresOp>([](auto) { return "index_scores"; })
      .Case<RowStatisticsOp, StatMeanOp, AdaptiveKOp>(
          [](auto) { return "adaptive_k"; })
      .Case<TopKOp>([](auto) { return "topk"; })
      .Case<GatherAttentionOp>([](auto) { return "sparse_attention"; })
      .Case<DenseAttentionOp>([](auto) { return "dense_attention"; })
      .Case<PartialAttentionOp>([](PartialAttentionOp op) {
        return op.getIndices() ? "sparse_attention" : "dense_attention";
      })
      .Case<MergeAttentionOp>([](auto) { return "merge_attention"; })
      .Case<PagedRowsOp>([](auto) { return "paged_rows"; })
      .Case<AppendRowsOp>([](auto) { return "append_rows"; })
      .Case<GateOp, GateGradOp>([](auto) { return "gates"; })
      .Case<AttentionRowSumsOp, GatherAttentionGradOp, DenseAttentionGradOp>(
          [](auto) { return "attention_gradient"; })
      .Case<IndexKlOp>([](auto) { return "index_loss"; })
      .Case<IndexScoresGradOp, IndexKlGradOp>(
          [](auto) { return "index_gradient"; })
      .Case<RopeOp>([](auto) { return "rope"; })
      .Case<AttentionOp>([](auto) { return "attention_block"; })
      .Case<linalg::FillOp>([](auto) { return ""; })
      .Case<linalg::LinalgOp>([](linalg::LinalgOp op) -> StringRef {
        return linalg::isaContractionOpInterface(op) ? "projections"
                                                     : "elementwise";
      })
      .Default([](Operation* op) -> StringRef {
        // Arithmetic on tensors, without linalg around it.
        bool isElementwise = OpTrait::hasElementwiseMappableTraits(op) &&
                             op->getNumResults() > 0 &&
                             isa<TensorType>(op->getResult(0).getType());
        return isElementwise ? "elementwise" : "";
      });
}

namespace {

struct MarkZones : gsa::impl::GsaMarkZonesBase<MarkZones> {
  using GsaMarkZonesBase::GsaMarkZonesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto function = module.lookupSymbol<func::FuncOp>(entry);
    if (!function || function.isExternal()) {
      (void)refuseFunction(module, "gsa-mark-zones", "entry", entry.getValue());
      return signalPassFailure();
    }
    if (function->hasAttr(kZonesAttr)) return;  // Idempotent.
    func::FuncOp mark = declareMark(module);
    llvm::SetVector<StringRef> zones;
    StringRef running;
    Block& body = function.getBody().front();
    for (Operation& op : llvm::make_early_inc_range(body)) {
      StringRef zone = getZone(&op);
      if (zone.empty() || zone == running) continue;
      zones.insert(zone);
      auto number = llvm::find(zones, zone) - zones.begin();
      callMark(mark, &op, number);
      running = zone;
    }
    if (!zones.empty()) callMark(mark, body.getTerminator(), -1);
    OpBuilder b(&getContext());
    function->setAttr(kZonesAttr, b.getStrArrayAttr(zones.getArrayRef()));
  }

  func::FuncOp declareMark(ModuleOp module) {
    if (auto declared = module.lookupSymbol<func::FuncOp>(kCpuZoneSymbol))
      return declared;
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto mark = func::FuncOp::create(b, module.getLoc(), kCpuZoneSymbol,
                                     b.getFunctionType(b.getI64Type(), {}));
    mark.setPrivate();
    return mark;
  }

  void callMark(func::FuncOp mark, Operation* before, int64_t zone) {
    OpBuilder b(before);
    Value number = arith::ConstantIntOp::create(b, before->getLoc(), zone, 64);
    func::CallOp::create(b, before->getLoc(), mark, number);
  }
};

}  // namespace
