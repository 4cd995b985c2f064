//===- DenseAttention.cpp - gsa.dense_attention to a kernel ---------------===//
//
// A block handles `block_q` queries of one head and streams over the keys that
// the last of them sees. Blocks of late queries, which see the most keys under
// a causal mask, start first.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/Attention.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class DenseKernel {
 public:
  DenseKernel(DenseAttentionOp op, AttentionScheduleAttr schedule,
              AttentionKernel& kernel)
      : kernel(kernel),
        schedule(schedule),
        shape(kernel.shape),
        causal(op.getMask() == Mask::Causal),
        emitter(kernel.bodyBuilder(), op.getLoc(), schedule, shape),
        s(emitter.s) {}

  void emit() {
    emitPosition();
    emitter.emitQueries(
        {s.at(kernel.query, {batch, firstQuery, head, s.index(0)},
              {kernel.queries, s.index(shape.heads), s.index(shape.depth)}),
         s.i64(shape.heads * shape.depth)},
        rows);
    emitter.emitStart();
    emitTiles();
    emitter.emitEnd([&] { return makeTarget(); });
  }

 private:
  void emitPosition();
  void emitTiles();
  AttentionTarget makeTarget();
  /// The address of the rows of key `first` in `array`.
  Value keyRows(Value array, Value first, int64_t depth) {
    return s.at(array, {batch, first, group, s.index(0)},
                {kernel.keys, s.index(shape.groups), s.index(depth)});
  }

  AttentionKernel& kernel;
  AttentionScheduleAttr schedule;
  const AttentionShape& shape;
  bool causal;
  AttentionEmitter emitter;
  KernelScalars& s;
  Value firstQuery, head, group, batch, rows;
};

}  // namespace

void DenseKernel::emitPosition() {
  Value blocks = GridSizeOp::create(s.b, s.loc, s.b.getIndexType(), 0);
  Value block = s.sub(s.sub(blocks, s.index(1)), s.blockId(0));
  head = named(s.blockId(1), "head");
  batch = named(s.blockId(2), "batch");
  firstQuery = named(s.mul(block, schedule.getBlockQ()), "first_query");
  group = named(s.div(head, shape.ratio()), "group");
  rows = named(
      s.min(s.sub(kernel.queries, firstQuery), s.index(schedule.getBlockQ())),
      "rows");
}

void DenseKernel::emitTiles() {
  // The last key that the block's first query sees; negative if none.
  Value last, end = kernel.keys;
  if (causal) {
    last = named(s.add(firstQuery, s.sub(kernel.keys, kernel.queries)),
                 "last_key");
    end = named(s.min(s.max(s.add(last, rows), s.index(0)), kernel.keys),
                "end_key");
  }
  int64_t blockK = schedule.getBlockK();
  Value tiles = named(s.ceilDiv(end, blockK), "tiles");
  scf::ForOp loop = s.forLoop(s.index(0), tiles, 1, [&](Value i) {
    Value first = named(s.mul(i, blockK), "first_key");
    Value count = named(s.sub(end, first), "keys_left");
    Value column = named(s.add(first, emitter.keyBase()), "column");
    Value warpLast =
        causal ? named(s.add(last, emitter.rowBase()), "last_key_of_warp")
               : Value();
    auto copy = [&](Value target, Value base, int64_t pitch, int64_t columns) {
      CopyRowsOp::create(s.b, s.loc, target, base, s.i64(pitch),
                         s.min(count, s.index(blockK)), s.index(columns),
                         emitter.keyVectorBytes(), emitter.team());
    };
    auto mask = [&](Value scores) {
      if (causal) MaskCausalOp::create(s.b, s.loc, scores, warpLast, column);
      MaskColumnsOp::create(s.b, s.loc, scores, column, kernel.keys);
    };
    auto multiply = [&](Value output, Value weights, Value values) {
      if (causal)
        MmaNnCausalOp::create(s.b, s.loc, output, weights, values,
                              emitter.keyBase(), warpLast, column);
      else
        MmaNnOp::create(s.b, s.loc, output, weights, values, emitter.keyBase());
    };
    emitter.emitTile(keyRows(kernel.key, first, shape.depth),
                     keyRows(kernel.value, first, shape.valueDepth), copy, mask,
                     multiply);
  });
  loop->setAttr(kMainLoopAttr, s.b.getUnitAttr());
}

AttentionTarget DenseKernel::makeTarget() {
  Value query = named(s.add(firstQuery, emitter.rowBase()), "query_of_warp");
  AttentionTarget target =
      kernel.makeTarget(s, batch, query, head, /*headStep=*/shape.heads);
  target.lse.pitch = s.i64(1);
  target.rows = s.sub(rows, emitter.rowBase());
  return target;
}

LogicalResult tile::lowerDenseAttention(DenseAttentionOp op,
                                        ToTileContext& context) {
  FailureOr<AttentionScheduleAttr> schedule = getAttentionSchedule(op);
  if (failed(schedule)) return failure();
  AttentionKernel kernel(op, *schedule, "dense_attention", context);
  DenseKernel(op, *schedule, kernel).emit();
  ArrayRef<int64_t> query = op.getQuery().getType().getShape();
  int64_t blocks = llvm::divideCeil(query[1], schedule->getBlockQ());
  return kernel.launch({blocks, query[2], query[0]});
}
