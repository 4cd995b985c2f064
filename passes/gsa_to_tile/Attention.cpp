//===- Attention.cpp - kernel and launch of an attention op ---------------===//

#include "passes/gsa_to_tile/Attention.h"

#include "passes/gsa/FuseEpilogue.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static Activation toActivation(GateActivation activation) {
  switch (activation) {
    case GateActivation::Sigmoid:
      return Activation::Sigmoid;
    case GateActivation::Tanh:
      return Activation::Tanh;
    case GateActivation::Silu:
      return Activation::Silu;
  }
  llvm_unreachable("unknown activation");
}

static AttentionShape makeShape(Operation* op) {
  RankedTensorType query = tensorType(op->getOperand(0));
  RankedTensorType value = tensorType(op->getOperand(2));
  std::optional<APFloat> scale = isa<GatherAttentionOp>(op)
                                     ? cast<GatherAttentionOp>(op).getScale()
                                     : cast<DenseAttentionOp>(op).getScale();
  return {
      query.getElementType(), query.getDimSize(2),
      value.getDimSize(2),    query.getDimSize(3),
      value.getDimSize(3),    getScaleOrDefault(scale, query.getDimSize(3))};
}

AttentionKernel::AttentionKernel(Operation* op, AttentionScheduleAttr schedule,
                                 StringRef name, ToTileContext& context)
    : shape(makeShape(op)),
      op(op),
      gateOp(getFusedGate(op)),
      context(context),
      kernel(context, op->getLoc(), name, KernelTeams(schedule).warps()) {
  kernel.setSchedule(schedule);
  // The gate's logits may be defined after the attention op.
  if (gateOp) context.begin(gateOp);
  auto read = [&](int64_t i, StringRef name) {
    return kernel.read(context.toBuffer(op->getOperand(i)), name);
  };
  query = read(0, "query");
  key = read(1, "key");
  value = read(2, "value");
  if (isa<GatherAttentionOp>(op)) {
    indices = read(3, "indices");
    counts = read(4, "counts");
  }
  if (gateOp) {
    gate = kernel.read(context.toBuffer(gateOp.getLogits()), "gate");
    gatePerRow = tensorType(gateOp.getLogits()).getRank() == 3;
    gateActivation = toActivation(gateOp.getActivation());
  }
  for (Value result : op->getResults())
    results.push_back(context.makeBuffer(tensorType(result)));
  output = kernel.write(results[0], "output");
  lse = kernel.write(results[1], "lse");
  queries = kernel.size(tensorType(op->getOperand(0)).getDimSize(1), "queries");
  keys = kernel.size(tensorType(op->getOperand(1)).getDimSize(1), "keys");
}

AttentionTarget AttentionKernel::makeTarget(KernelScalars& s, Value batch,
                                            Value query, Value head,
                                            int64_t headStep, Value lsePitch,
                                            Value rows) {
  Value zero = s.index(0), heads = s.index(shape.heads);
  Value depth = s.index(shape.valueDepth);
  AttentionTarget target;
  target.output = s.stridedRows(
      s.at(output, {batch, query, head, zero}, {queries, heads, depth}),
      s.i64(headStep * shape.valueDepth), rows);
  target.lse = s.stridedRows(s.at(lse, {batch, head, query}, {heads, queries}),
                             lsePitch, rows);
  if (!gate) return target;
  SmallVector<Value> indices = {batch, query, head};
  SmallVector<Value> sizes = {queries, heads};
  if (!gatePerRow) {
    indices.push_back(zero);
    sizes.push_back(depth);
  }
  int64_t pitch = headStep * (gatePerRow ? 1 : shape.valueDepth);
  target.gate = {s.stridedRows(s.at(gate, indices, sizes), s.i64(pitch), rows),
                 gateActivation, gatePerRow};
  return target;
}

LogicalResult AttentionKernel::launch(ArrayRef<int64_t> grid) {
  for (int64_t size : grid.drop_front())
    if (size > kGridLimit)
      return op->emitOpError()
             << "expected at most " << kGridLimit
             << " blocks along a dimension of the grid, got " << size;
  // Without queries there is nothing to write, and no grid of no blocks.
  if (!llvm::is_contained(grid, 0)) kernel.launch(grid);
  if (!gateOp) {
    context.replace(op, results);
    return success();
  }
  IRRewriter& rewriter = context.rewriter();
  rewriter.replaceAllUsesWith(op->getResult(1), context.toTensor(results[1]));
  context.replace(gateOp, {results[0]});
  rewriter.eraseOp(op);
  return success();
}
