//===- DenseAttention.cpp - attention over all keys to a kernel -----------===//
//
// A block handles `block_q` queries of one head and streams over the keys that
// the last of them sees. Blocks of late queries, which see the most keys under
// a causal mask, start first. Keys of a range are counted from its first one.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/DenseAttention.h"

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/GroupDense.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class DenseKernel {
 public:
  DenseKernel(Location loc, AttentionScheduleAttr schedule,
              AttentionKernel& kernel, const DenseBlock& block)
      : kernel(kernel),
        schedule(schedule),
        shape(kernel.shape),
        causal(kernel.form().mask == Mask::Causal),
        emitter(kernel.bodyBuilder(), loc, schedule, shape,
                schedule.getBlockQ()),
        s(emitter.s),
        batch(block.batch),
        head(block.head),
        firstQuery(block.firstQuery),
        rows(block.rows) {}

  void emit() {
    group = named(s.div(head, shape.ratio()), "group");
    emitter.emitQueries(
        s.at(kernel.query, {batch, firstQuery, head, s.index(0)},
             {kernel.queries, s.index(shape.heads), s.index(shape.depth)}),
        s.i64(shape.heads * shape.depth), rows);
    emitter.emitStart();
    emitTiles();
    emitter.emitEnd([&] { return makeTarget(); });
  }

 private:
  void emitTiles();
  AttentionTarget makeTarget();
  /// The address of the first key's row.
  Value firstOf(const KernelRows& rows) {
    return rows.base(s, batch, group, 0, kernel.keys, kernel.rangeFirst);
  }

  AttentionKernel& kernel;
  AttentionScheduleAttr schedule;
  const AttentionShape& shape;
  bool causal;
  AttentionEmitter emitter;
  KernelScalars& s;
  Value batch, head, firstQuery, rows, group;
};

}  // namespace

void DenseKernel::emitTiles() {
  // The last key that the block's first query sees; negative if none.
  Value last, keys = kernel.countKeys(s, batch), end = keys;
  if (causal) {
    last = named(s.add(firstQuery, s.sub(keys, kernel.queries)), "last_key");
    end = named(s.min(s.max(s.add(last, rows), s.index(0)), keys), "end_key");
  }
  if (kernel.rangeFirst) {
    if (causal) last = named(s.sub(last, kernel.rangeFirst), "last_of_range");
    end = named(s.min(s.max(s.sub(end, kernel.rangeFirst), s.index(0)),
                      kernel.rangeSize),
                "end_of_range");
  }
  // The warps that compute know their rows.
  Value warpLast;
  if (causal)
    warpLast = named(s.add(last, emitter.rowBase()), "last_key_of_warp");
  auto view = [&](const KernelRows& rows, Value base) {
    return rows.view(s, base, batch, /*step=*/1, end);
  };
  Value tiles = named(s.ceilDiv(end, schedule.getBlockK()), "tiles");
  Value keyBase = firstOf(kernel.keyRows);
  Value valueBase = firstOf(kernel.valueRows);
  auto maskView = [&] { return kernel.keyRows.maskView(s, keyBase, end); };
  auto mask = [&](Value scores, Value keys, Value first) {
    if (causal) MaskCausalOp::create(s.b, s.loc, scores, warpLast, first);
    MaskRowsOp::create(s.b, s.loc, scores, keys, first);
  };
  auto multiply = [&](Value output, Value weights, Value values, Value first) {
    if (causal)
      MmaNnCausalOp::create(s.b, s.loc, output, weights, values,
                            emitter.keyBase(), warpLast, first);
    else
      MmaNnOp::create(s.b, s.loc, output, weights, values, emitter.keyBase());
  };
  emitter.emitStream(tiles,
                     {kernel.keyRows, kernel.valueRows, keyBase, valueBase,
                      view, maskView, /*areFound=*/kernel.keyRows.isPaged()},
                     mask, multiply);
}

AttentionTarget DenseKernel::makeTarget() {
  return kernel.makeTarget(s, {batch, firstQuery, head, rows,
                               /*headStep=*/shape.heads, /*perQuery=*/0,
                               /*lsePitch=*/s.i64(1)});
}

void gsa::emitDense(Location loc, AttentionScheduleAttr schedule,
                    AttentionKernel& kernel, const DenseBlock& block) {
  DenseKernel(loc, schedule, kernel, block).emit();
}

LogicalResult tile::lowerDenseAttention(DenseAttentionOp op,
                                        ToTileContext& context) {
  if (isa_and_nonnull<DenseScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerGroupDense(op, context);
  return lowerAttentionOverKeys(op, context);
}

LogicalResult gsa::lowerAttentionOverKeys(Operation* op,
                                          ToTileContext& context) {
  FailureOr<AttentionScheduleAttr> schedule =
      getSchedule<AttentionScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  AttentionOperands operands(op, context);
  AttentionKernel kernel(operands, *schedule, KernelTeams(*schedule).warps(),
                         operands.form.isPartial() ? "partial_dense_attention"
                                                   : "dense_attention");
  kernel.boundRegisters(*schedule);
  Location loc = op->getLoc();
  KernelScalars s(kernel.bodyBuilder(), loc);
  int64_t blockQ = schedule->getBlockQ();
  Value blocks = GridSizeOp::create(s.b, loc, s.b.getIndexType(), 0);
  Value number = s.sub(s.sub(blocks, s.index(1)), s.blockId(0));
  DenseBlock block;
  block.head = named(s.blockId(1), "head");
  block.batch = named(s.blockId(2), "batch");
  block.firstQuery = named(s.mul(number, blockQ), "first_query");
  block.rows = named(
      s.min(s.sub(kernel.queries, block.firstQuery), s.index(blockQ)), "rows");
  emitDense(loc, *schedule, kernel, block);
  int64_t numBlocks = llvm::divideCeil(operands.queries(), blockQ);
  if (failed(
          kernel.launch({numBlocks, kernel.shape.heads, operands.batches()})))
    return failure();
  operands.replace();
  return success();
}
