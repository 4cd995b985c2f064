//===- Definition.cpp - linalg ops, and gsa ops by their definitions ------===//

#include "passes/gsa_to_tile/Contraction.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/Sums.h"

using namespace mlir;
using namespace mlir::gsa;

LogicalResult tile::lowerLinalg(linalg::LinalgOp op, ToTileContext& context) {
  if (isElementwise(op)) return lowerElementwise(op, context);
  if (isContraction(op)) return lowerContraction(op, context);
  if (isSum(op)) return lowerSum(op, context);
  return op.emitOpError()
         << "has no lowering to gsa_tile: expected an op without a reduction, "
            "a batch of matrix products, one result that is a sum of floats, "
            "or an op of the gsa dialect";
}

LogicalResult tile::lowerByDefinition(linalg::AggregatedOpInterface op,
                                      ToTileContext& context) {
  Operation* before = op->getPrevNode();
  Block* block = op->getBlock();
  IRRewriter& rewriter = context.rewriter();
  FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
  if (failed(values)) return op->emitOpError("has no decomposition here");
  Operation* first = before ? before->getNextNode() : &block->front();
  SmallVector<linalg::LinalgOp> parts;
  for (Operation* part = first; part != op; part = part->getNextNode())
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(part))
      parts.push_back(linalgOp);
  for (auto [value, result] : llvm::zip_equal(*values, op->getResults()))
    rewriter.replaceAllUsesWith(result, value);
  rewriter.eraseOp(op);
  for (linalg::LinalgOp part : parts) {
    context.begin(part);
    if (failed(lowerLinalg(part, context))) return failure();
  }
  return success();
}

LogicalResult tile::lowerAdaptiveK(AdaptiveKOp op, ToTileContext& context) {
  return lowerByDefinition(
      cast<linalg::AggregatedOpInterface>(op.getOperation()), context);
}

LogicalResult tile::lowerMergeAttention(MergeAttentionOp op,
                                        ToTileContext& context) {
  return lowerByDefinition(
      cast<linalg::AggregatedOpInterface>(op.getOperation()), context);
}

LogicalResult tile::lowerGate(GateOp op, ToTileContext& context) {
  return lowerByDefinition(
      cast<linalg::AggregatedOpInterface>(op.getOperation()), context);
}
