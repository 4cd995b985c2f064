//===- DenseAttention.cpp - gsa.dense_attention to a kernel ---------------===//
//
// A block handles `block_q` queries of one head and streams over the keys that
// the last of them sees. Blocks of late queries, which see the most keys under
// a causal mask, start first.
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
  DenseKernel(DenseAttentionOp op, AttentionScheduleAttr schedule,
              AttentionKernel& kernel, const DenseBlock& block)
      : kernel(kernel),
        schedule(schedule),
        shape(kernel.shape),
        causal(op.getMask() == Mask::Causal),
        emitter(kernel.bodyBuilder(), op.getLoc(), schedule, shape),
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
  /// The address of the first key's row in `array`.
  Value keyRows(Value array, int64_t depth) {
    return s.at(array, {batch, s.index(0), group, s.index(0)},
                {kernel.keys, s.index(shape.groups), s.index(depth)});
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
  Value last, end = kernel.keys;
  if (causal) {
    last = named(s.add(firstQuery, s.sub(kernel.keys, kernel.queries)),
                 "last_key");
    end = named(s.min(s.max(s.add(last, rows), s.index(0)), kernel.keys),
                "end_key");
  }
  // The warps that compute know their rows.
  Value warpLast;
  if (causal)
    warpLast = named(s.add(last, emitter.rowBase()), "last_key_of_warp");
  auto view = [&](Value base, int64_t pitch) {
    return s.stridedRows(base, s.i64(pitch), end);
  };
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
  Value tiles = named(s.ceilDiv(end, schedule.getBlockK()), "tiles");
  emitter.emitStream(tiles,
                     {keyRows(kernel.key, shape.depth),
                      keyRows(kernel.value, shape.valueDepth), view,
                      /*areListed=*/false},
                     mask, multiply);
}

AttentionTarget DenseKernel::makeTarget() {
  return kernel.makeTarget(s, {batch, firstQuery, head, rows,
                               /*headStep=*/shape.heads, /*perQuery=*/0,
                               /*lsePitch=*/s.i64(1)});
}

void gsa::emitDense(DenseAttentionOp op, AttentionScheduleAttr schedule,
                    AttentionKernel& kernel, const DenseBlock& block) {
  DenseKernel(op, schedule, kernel, block).emit();
}

LogicalResult tile::lowerDenseAttention(DenseAttentionOp op,
                                        ToTileContext& context) {
  if (isa_and_nonnull<DenseScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerGroupDense(op, context);
  FailureOr<AttentionScheduleAttr> schedule =
      getSchedule<AttentionScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  AttentionOperands operands(op, context);
  AttentionKernel kernel(operands, *schedule, KernelTeams(*schedule).warps(),
                         "dense_attention");
  KernelScalars s(kernel.bodyBuilder(), op.getLoc());
  int64_t blockQ = schedule->getBlockQ();
  Value blocks = GridSizeOp::create(s.b, s.loc, s.b.getIndexType(), 0);
  Value number = s.sub(s.sub(blocks, s.index(1)), s.blockId(0));
  DenseBlock block;
  block.head = named(s.blockId(1), "head");
  block.batch = named(s.blockId(2), "batch");
  block.firstQuery = named(s.mul(number, blockQ), "first_query");
  block.rows = named(
      s.min(s.sub(kernel.queries, block.firstQuery), s.index(blockQ)), "rows");
  emitDense(op, *schedule, kernel, block);
  ArrayRef<int64_t> query = op.getQuery().getType().getShape();
  if (failed(kernel.launch(
          {static_cast<int64_t>(llvm::divideCeil(query[1], blockQ)), query[2],
           query[0]})))
    return failure();
  operands.replace();
  return success();
}
