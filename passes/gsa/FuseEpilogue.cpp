//===- FuseEpilogue.cpp - gsa-fuse-epilogue -------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAFUSEEPILOGUE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

/// Calls `body` with an op that may have a gate; nothing for others.
template <typename Body>
static void withGatable(Operation* op, Body body) {
  if (op)
    llvm::TypeSwitch<Operation*>(op)
        .Case<GatherAttentionOp, DenseAttentionOp, MergeAttentionOp>(body);
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
  bool isAttention = false, hasGate = false;
  withGatable(attention, [&](auto op) {
    isAttention = gate.getInput() == op.getOutput();
    hasGate = static_cast<bool>(op.getGate());
  });
  if (!isAttention) return "the input is not the output of an attention op";
  if (hasGate) return "attention has a gate already";
  if (gate.getLogits() == gate.getInput())
    return "the output of attention is its own gate";
  if (!gate.getInput().hasOneUse())
    return "the output of attention has another user";
  if (attention->getBlock() != gate->getBlock())
    return "attention is in another block";
  if (!mayMoveTo(attention, gate)) return "lse is read before the gate";
  return "";
}

/// Makes the gate an operand of the op that makes its input.
static void fuse(GateOp gate, IRRewriter& rewriter) {
  withGatable(gate.getInput().getDefiningOp(), [&](auto attention) {
    // The logits may come after attention; it needs them now.
    attention->moveBefore(gate);
    rewriter.modifyOpInPlace(attention, [&] {
      attention.getGateMutable().assign(gate.getLogits());
      attention.setGateActivation(gate.getActivation());
    });
    Value output = attention.getOutput();
    rewriter.setInsertionPoint(gate);
    if (output.getType() != gate.getType())
      output = tensor::CastOp::create(rewriter, gate.getLoc(), gate.getType(),
                                      output);
    rewriter.replaceOp(gate, output);
  });
}

namespace {

struct FuseEpilogue : gsa::impl::GsaFuseEpilogueBase<FuseEpilogue> {
  void runOnOperation() override {
    SmallVector<GateOp> gates;
    getOperation()->walk([&](GateOp gate) { gates.push_back(gate); });
    IRRewriter rewriter(&getContext());
    for (GateOp gate : gates) {
      StringRef obstacle = findObstacle(gate);
      if (!obstacle.empty()) {
        remark::missed(
            gate.getLoc(),
            remark::RemarkOpts::name("NotFused").category("gsa.fuse"))
            << obstacle;
        continue;
      }
      remark::passed(
          gate.getLoc(),
          remark::RemarkOpts::name("FusedEpilogue").category("gsa.fuse"))
          << gate.getInput().getDefiningOp()->getName().getStringRef();
      fuse(gate, rewriter);
    }
  }
};

}  // namespace
