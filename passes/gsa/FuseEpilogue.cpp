//===- FuseEpilogue.cpp - gsa-fuse-epilogue -------------------------------===//

#include "passes/gsa/FuseEpilogue.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAFUSEEPILOGUE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static bool isAttention(Operation* op) {
  return isa_and_nonnull<GatherAttentionOp, DenseAttentionOp>(op);
}

GateOp gsa::getFusedGate(Operation* attention) {
  if (!isAttention(attention)) return nullptr;
  Value output = attention->getResult(0);
  if (!output.hasOneUse()) return nullptr;
  auto gate = dyn_cast<GateOp>(*output.user_begin());
  bool isFused = gate && gate.getInput() == output &&
                 gate->hasAttr(kFusedGateAttr) &&
                 gate->getBlock() == attention->getBlock();
  return isFused ? gate : nullptr;
}

/// Whether the attention op may move down to the gate, past the definition of
/// the gate's logits: nothing between the two may read its lse.
static bool mayMoveTo(Operation* attention, GateOp gate) {
  return llvm::all_of(attention->getUsers(), [&](Operation* user) {
    Operation* ancestor = gate->getBlock()->findAncestorOpInBlock(*user);
    return ancestor && !ancestor->isBeforeInBlock(gate);
  });
}

/// Why the gate cannot be part of the op that makes its input; empty if it can.
static StringRef findObstacle(GateOp gate) {
  Operation* attention = gate.getInput().getDefiningOp();
  if (!isAttention(attention) || gate.getInput() != attention->getResult(0))
    return "the input is not the output of an attention op";
  if (!gate.getInput().hasOneUse())
    return "the output of attention has another user";
  if (gate.getLogits() == gate.getInput())
    return "the output of attention is its own gate";
  if (attention->getBlock() != gate->getBlock())
    return "attention is in another block";
  if (!mayMoveTo(attention, gate)) return "lse is read before the gate";
  return "";
}

namespace {

struct FuseEpilogue : gsa::impl::GsaFuseEpilogueBase<FuseEpilogue> {
  void runOnOperation() override {
    getOperation()->walk([&](GateOp gate) {
      if (gate->hasAttr(kFusedGateAttr)) return;
      StringRef obstacle = findObstacle(gate);
      if (!obstacle.empty()) {
        remark::missed(
            gate.getLoc(),
            remark::RemarkOpts::name("NotFused").category("gsa.fuse"))
            << obstacle;
        return;
      }
      // The logits may come after attention; it needs them now.
      Operation* attention = gate.getInput().getDefiningOp();
      attention->moveBefore(gate);
      gate->setAttr(kFusedGateAttr, UnitAttr::get(&getContext()));
      remark::passed(
          gate.getLoc(),
          remark::RemarkOpts::name("FusedEpilogue").category("gsa.fuse"))
          << attention->getName().getStringRef();
    });
  }
};

}  // namespace
