//===- SplitAttention.cpp - attention of few queries ----------------------===//
//
// Blocks share the list of a query: each handles a part of its entries, by the
// emission of attention over whole lists, and writes output and lse of its
// part. gsa.merge_attention then joins the parts, by its definition: one
// kernel, in which each element of the output reads the parts in the order of
// the list.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/SplitAttention.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gsa_to_tile/GatherAttention.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Part i of `tensor`, [parts, ...], without that dimension.
static Value takePart(ToTileContext& context, Value tensor, int64_t i) {
  IRRewriter& b = context.rewriter();
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : type.getShape()) sizes.push_back(b.getIndexAttr(size));
  offsets[0] = b.getIndexAttr(i);
  sizes[0] = b.getIndexAttr(1);
  auto part = RankedTensorType::get(type.getShape().drop_front(),
                                    type.getElementType());
  return tensor::ExtractSliceOp::create(b, context.loc(), part, tensor, offsets,
                                        sizes, strides);
}

/// Replaces the op by the merge of parts in two buffers.
static LogicalResult mergeParts(GatherAttentionOp op, Value outputs,
                                Value logSums, int64_t parts,
                                ToTileContext& context) {
  IRRewriter& b = context.rewriter();
  Value outputTensor = context.toTensor(outputs);
  Value logSumTensor = context.toTensor(logSums);
  SmallVector<Value> outputParts, logSumParts;
  for (int64_t i = 0; i < parts; ++i) {
    outputParts.push_back(takePart(context, outputTensor, i));
    logSumParts.push_back(takePart(context, logSumTensor, i));
  }
  Type element =
      cast<RankedTensorType>(op.getOutput().getType()).getElementType();
  auto merge = MergeAttentionOp::create(
      b, op.getLoc(), op->getResultTypes(), outputParts, logSumParts,
      op.getGate(), TypeAttr::get(element), op.getGateActivation());
  b.replaceOp(op, merge);
  context.begin(merge);
  if (failed(tile::lowerMergeAttention(merge, context))) return failure();
  for (Value part : llvm::concat<Value>(outputParts, logSumParts))
    if (part.use_empty()) b.eraseOp(part.getDefiningOp());
  return success();
}

LogicalResult gsa::lowerSplitAttention(GatherAttentionOp op,
                                       ToTileContext& context) {
  FailureOr<SplitAttentionScheduleAttr> split =
      getSchedule<SplitAttentionScheduleAttr>(op, context.target());
  if (failed(split)) return failure();
  AttentionScheduleAttr schedule = split->getPart();
  AttentionOperands operands(op, context);
  int64_t entries = split->getEntries();
  int64_t parts =
      std::max<int64_t>(llvm::divideCeil(operands.slots(), entries), 1);
  // The kernel's results are those of parts: of A(T), and not gated.
  const AttentionShape& shape = operands.shape;
  Type f32 = context.rewriter().getF32Type();
  int64_t batches = operands.batches(), queries = operands.queries();
  operands.gate = Value();
  for (Value buffer : {operands.output, operands.lse})
    context.rewriter().eraseOp(buffer.getDefiningOp());
  operands.output = context.makeBuffer(
      {parts, batches, queries, shape.heads, shape.valueDepth}, f32);
  operands.lse =
      context.makeBuffer({parts, batches, shape.heads, queries}, f32);
  AttentionKernel kernel(operands, schedule, KernelTeams(schedule).warps(),
                         "split_gather_attention");
  Value batchSize = kernel.builder().size(batches, "batches");
  KernelScalars s(kernel.bodyBuilder(), op.getLoc());
  int64_t rowBlocks = countRowBlocks(shape, schedule);
  GatherBlock block;
  block.token = named(s.blockId(0), "token");
  Value y = s.blockId(1);
  block.resultBatch = named(s.blockId(2), "part_of_batch");
  Value part = named(s.divIndex(block.resultBatch, batchSize), "part");
  block.batch = named(s.remIndex(block.resultBatch, batchSize), "batch");
  block.group = named(s.div(y, rowBlocks), "group");
  block.firstRow =
      named(s.mul(s.rem(y, rowBlocks), schedule.getBlockQ()), "first_row");
  block.firstEntry = named(s.mul(part, entries), "first_entry");
  block.entries = std::min(entries, std::max<int64_t>(operands.slots(), 1));
  emitGather(operands.slots(), schedule, op.getLoc(), kernel, block);
  if (failed(
          kernel.launch({queries, shape.groups * rowBlocks, batches * parts})))
    return failure();
  return mergeParts(op, operands.output, operands.lse, parts, context);
}
