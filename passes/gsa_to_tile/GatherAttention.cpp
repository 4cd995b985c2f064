//===- GatherAttention.cpp - gsa.gather_attention to a kernel -------------===//
//
// A block handles the heads of one (query, key-value head) pair, as rows of a
// tile, since they read the same keys. Blocks run through the tokens of one
// key-value head before the next head begins, so that its keys stay in the
// second-level cache. The token's index list comes first, so that no gather
// waits for an index.
//
//===----------------------------------------------------------------------===//

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/Attention.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class GatherKernel {
 public:
  GatherKernel(GatherAttentionOp op, AttentionScheduleAttr schedule,
               AttentionKernel& kernel)
      : kernel(kernel),
        schedule(schedule),
        shape(kernel.shape),
        entries(op.getIndices().getType().getDimSize(2)),
        segment(std::min<int64_t>(entries, kListEntries / schedule.getBlockK() *
                                               schedule.getBlockK())),
        emitter(kernel.bodyBuilder(), op.getLoc(), schedule, shape),
        s(emitter.s) {}

  void emit() {
    emitPosition();
    emitList();
    Value head = kernel.query;
    emitter.emitQueries(
        s.at(head, {batch, token, firstHead, s.index(0)},
             {kernel.queries, s.index(shape.heads), s.index(shape.depth)}),
        s.i64(shape.depth), rows);
    if (segment == entries) {
      copyList(s.index(0), count);
      emitter.emitStart();
      emitTiles(count);
    } else {
      emitter.emitStart();
      emitSegments();
    }
    emitter.emitEnd([&] { return makeTarget(); });
  }

 private:
  void emitPosition();
  void emitList();
  void copyList(Value first, Value size);
  void emitTiles(Value size);
  void emitSegments();
  AttentionTarget makeTarget();

  AttentionKernel& kernel;
  AttentionScheduleAttr schedule;
  const AttentionShape& shape;
  int64_t entries, segment;
  AttentionEmitter emitter;
  KernelScalars& s;
  Value token, group, batch, firstHead, rows, count, list;
};

}  // namespace

void GatherKernel::emitPosition() {
  token = named(s.blockId(0), "token");
  Value y = s.blockId(1);
  batch = named(s.blockId(2), "batch");
  int64_t ratio = shape.ratio(), blockQ = schedule.getBlockQ();
  int64_t rowBlocks = llvm::divideCeil(ratio, blockQ);
  group = named(s.div(y, rowBlocks), "group");
  Value firstRow = named(s.mul(s.rem(y, rowBlocks), blockQ), "first_row");
  firstHead = named(s.add(s.mul(group, ratio), firstRow), "first_head");
  rows = named(s.min(s.sub(s.index(ratio), firstRow), s.index(blockQ)), "rows");
}

/// The number of entries to read, and room for them.
void GatherKernel::emitList() {
  Value counts = s.at(kernel.counts, {batch, token}, {kernel.queries});
  Value listed = s.toIndex(
      LoadOp::create(s.b, s.loc, s.b.getI32Type(), counts, s.index(0)));
  named(listed, "listed");
  count = named(s.min(s.max(listed, s.index(0)), s.index(entries)), "count");
  int64_t room = llvm::alignTo(std::max<int64_t>(segment, 1), 4);
  list = named(
      SmemAllocOp::create(s.b, s.loc,
                          SmemType::get(s.b.getContext(), {1, room},
                                        s.b.getI32Type(), SmemLayout::Linear),
                          IntegerAttr()),
      "list");
}

void GatherKernel::copyList(Value first, Value size) {
  Value from = s.at(kernel.indices, {batch, token, first},
                    {kernel.queries, s.index(entries)});
  CopyRowsOp::create(
      s.b, s.loc, list, s.stridedRows(from, s.i64(entries), s.index(1)),
      s.index(0), size, getVectorBytes(s.b.getI32Type(), entries),
      emitter.teams.block);
}

/// The stream of the first `size` entries of the list in shared memory.
void GatherKernel::emitTiles(Value size) {
  Value zero = s.index(0);
  auto from = [&](Value array, int64_t depth) {
    return s.at(array, {batch, zero, group, zero},
                {kernel.keys, s.index(shape.groups), s.index(depth)});
  };
  auto view = [&](Value base, int64_t pitch) -> Value {
    return ListedRowsOp::create(s.b, s.loc,
                                RowsType::get(s.b.getContext(), shape.element,
                                              RowKind::Listed, RowAccess::Read),
                                base, s.i64(pitch), list, size, kernel.keys);
  };
  Value tiles = named(s.ceilDiv(size, schedule.getBlockK()), "tiles");
  emitter.emitStream(
      tiles,
      {from(kernel.key, shape.depth), from(kernel.value, shape.valueDepth),
       view, /*areListed=*/true},
      [&](Value scores, Value listed, Value first) {
        MaskRowsOp::create(s.b, s.loc, scores, listed, first);
      });
}

/// A list that does not fit: one segment after another, each behind a barrier
/// of all that read the one before.
void GatherKernel::emitSegments() {
  s.forLoop(s.index(0), named(s.ceilDiv(count, segment), "segments"), 1,
            [&](Value i) {
              Value first = named(s.mul(i, segment), "segment_begin");
              Value size = named(s.min(s.sub(count, first), s.index(segment)),
                                 "segment_size");
              SyncOp::create(s.b, s.loc, emitter.teams.block);
              copyList(first, size);
              CopyWaitOp::create(s.b, s.loc, emitter.teams.block);
              emitTiles(size);
            });
}

AttentionTarget GatherKernel::makeTarget() {
  return kernel.makeTarget(s, batch, token, firstHead, /*headStep=*/1,
                           s.toI64(kernel.queries), rows);
}

LogicalResult tile::lowerGatherAttention(GatherAttentionOp op,
                                         ToTileContext& context) {
  FailureOr<AttentionScheduleAttr> schedule =
      getSchedule<AttentionScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  AttentionKernel kernel(op, *schedule, "gather_attention", context);
  GatherKernel(op, *schedule, kernel).emit();
  ArrayRef<int64_t> query = op.getQuery().getType().getShape();
  int64_t rowBlocks =
      llvm::divideCeil(kernel.shape.ratio(), schedule->getBlockQ());
  return kernel.launch({query[1], kernel.shape.groups * rowBlocks, query[0]});
}
