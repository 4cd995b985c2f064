//===- GatherAttention.cpp - attention over lists to a kernel -------------===//
//
// A block handles the heads of one (query, key-value head) pair, as rows of a
// tile, since they read the same keys. Blocks run through the tokens of one
// key-value head before the next head begins, so that its keys stay in the
// second-level cache. The token's index list comes first, so that no gather
// waits for an index.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/GatherAttention.h"

#include <numeric>

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/GroupDense.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/SplitAttention.h"
#include "passes/gsa_to_tile/UnionAttention.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class GatherKernel {
 public:
  GatherKernel(int64_t slots, AttentionScheduleAttr schedule, Location loc,
               AttentionKernel& kernel, const GatherBlock& block)
      : kernel(kernel),
        schedule(schedule),
        shape(kernel.shape),
        block(block),
        entries(slots),
        most(block.firstEntry ? block.entries : kernel.form().clip(slots)),
        segment(std::min<int64_t>(
            most, kListEntries / schedule.getBlockK() * schedule.getBlockK())),
        emitter(kernel.bodyBuilder(), loc, schedule, shape, shape.ratio()),
        s(emitter.s) {}

  void emit() {
    firstHead = named(s.add(s.mul(block.group, shape.ratio()), block.firstRow),
                      "first_head");
    rows = s.min(s.sub(s.index(shape.ratio()), block.firstRow),
                 s.index(schedule.getBlockQ()));
    if (block.heads) rows = s.min(rows, block.heads);
    named(rows, "rows");
    auto emitQueries = [&] {
      emitter.emitQueries(
          s.at(kernel.query, {block.batch, block.token, firstHead, s.index(0)},
               {kernel.queries, s.index(shape.heads), s.index(shape.depth)}),
          s.i64(shape.depth), rows);
    };
    // Lists are the work of the launch before: with parts, whose kernels are
    // brief, queries need not wait for it.
    if (block.results) emitQueries();
    keys = kernel.countKeys(s, block.batch);
    emitPrefetch();
    emitList();
    if (!block.results) {
      emitQueries();
      emitter.emitLogits(kernel.results().viewRows(s, rowsOf(block.batch)));
    }
    if (segment == most) {
      copyList(s.index(0), block.results ? countSlots() : count);
      emitter.emitStart(/*resets=*/block.parts != nullptr);
      if (block.parts) {
        emitParts();
      } else {
        emitTiles(count);
        emitEnd(Value());
      }
    } else {
      emitter.emitStart();
      emitSegments();
      emitEnd(Value());
    }
    if (!block.atEnd) return;
    if (block.cluster > 1)
      ClusterSyncOp::create(s.b, s.loc, block.cluster);
    else
      SyncOp::create(s.b, s.loc, emitter.teams.compute,
                     emitter.teams.computeBarrier());
    block.atEnd(s, emitter.teams, rowsOf(block.batch));
  }

 private:
  void emitPrefetch();
  void emitList();
  Value countSlots();
  void copyList(Value first, Value size);
  void emitTiles(Value size, Value first = {});
  void emitSegments();
  void emitParts();
  void emitEnd(Value part);
  AttentionRows rowsOf(Value batch);

  AttentionKernel& kernel;
  AttentionScheduleAttr schedule;
  const AttentionShape& shape;
  GatherBlock block;
  /// Slots of a list; those that may be read; those that are read at a time.
  int64_t entries, most, segment;
  AttentionEmitter emitter;
  KernelScalars& s;
  Value firstHead, rows, count, list;
  Value keys;  ///< Of the batch.
};

}  // namespace

/// Of keys and values, which are inputs: no launch is waited for.
void GatherKernel::emitPrefetch() {
  if (block.prefetchedKeys == 0) return;
  auto ask = [&](const KernelRows& rows, int64_t columns) {
    Value base = rows.base(s, block.batch, block.group, 0, kernel.keys);
    PrefetchRowsOp::create(s.b, s.loc,
                           rows.view(s, base, block.batch, /*step=*/1, keys),
                           block.prefetched, s.index(columns),
                           block.prefetchedKeys, emitter.teams.block);
  };
  ask(kernel.keyRows, shape.depth);
  ask(kernel.valueRows, shape.valueDepth);
}

/// The number of entries to read, and room for them.
void GatherKernel::emitList() {
  Value counts =
      s.at(kernel.counts, {block.batch, block.token}, {kernel.queries});
  Value listed = s.toIndex(
      LoadOp::create(s.b, s.loc, s.b.getI32Type(), counts, s.index(0)));
  named(listed, "listed");
  Value limit = kernel.rangeSize ? kernel.rangeSize : s.index(entries);
  if (kernel.rangeFirst) listed = s.sub(listed, kernel.rangeFirst);
  if (block.firstEntry) {
    // A count above the slots reads the slots, of which the last part has few.
    listed = s.sub(s.min(listed, limit), block.firstEntry);
    limit = s.index(block.entries);
  }
  count = named(s.min(s.max(listed, s.index(0)), limit), "count");
  int64_t room = llvm::alignTo(std::max<int64_t>(segment, 1), 4);
  list = named(
      SmemAllocOp::create(s.b, s.loc,
                          SmemType::get(s.b.getContext(), {1, room},
                                        s.b.getI32Type(), SmemLayout::Linear),
                          IntegerAttr()),
      "list");
}

void GatherKernel::copyList(Value first, Value size) {
  // Vectors begin where rows of whole vectors and the range do.
  int64_t units = std::gcd(entries, kernel.form().first);
  if (kernel.rangeFirst) first = s.add(first, kernel.rangeFirst);
  if (block.firstEntry) {
    units = std::gcd(entries, block.entries);
    first = s.add(first, block.firstEntry);
  }
  Value from = s.at(kernel.indices, {block.batch, block.token, first},
                    {kernel.queries, s.index(entries)});
  CopyRowsOp::create(s.b, s.loc, list,
                     s.stridedRows(from, s.i64(entries), s.index(1)),
                     s.index(0), size, getVectorBytes(s.b.getI32Type(), units),
                     emitter.teams.block);
}

/// Slots of the block's range, filled or not: who copies them all need not know
/// the count first.
Value GatherKernel::countSlots() {
  if (entries % most == 0) return s.index(std::min(entries, most));
  return named(s.min(s.sub(s.index(entries), block.firstEntry), s.index(most)),
               "slots");
}

/// The stream of `size` entries of the list in shared memory, from `first` on
/// (null: 0).
void GatherKernel::emitTiles(Value size, Value first) {
  Value end = first ? named(s.add(first, size), "end_of_part") : size;
  auto from = [&](const KernelRows& rows) {
    return rows.base(s, block.batch, block.group, 0, kernel.keys);
  };
  auto view = [&](const KernelRows& rows, Value base) {
    return rows.listed(s, base, block.batch, list, end, keys);
  };
  Value tiles = named(s.ceilDiv(size, schedule.getBlockK()), "tiles");
  Value keyBase = from(kernel.keyRows), valueBase = from(kernel.valueRows);
  auto mask = [&] {
    return kernel.keyRows.maskListed(s, keyBase, list, end, keys);
  };
  emitter.emitStream(tiles,
                     {kernel.keyRows, kernel.valueRows, keyBase, valueBase,
                      view, mask, /*areFound=*/true, first},
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

AttentionRows GatherKernel::rowsOf(Value batch) {
  AttentionRows target;
  target.batch = batch;
  target.query = block.token;
  target.head = firstHead;
  target.count = rows;
  target.lsePitch = s.toI64(kernel.queries);
  return target;
}

void GatherKernel::emitEnd(Value part) {
  emitter.emitEnd([&] {
    AttentionResults results =
        block.results ? *block.results : kernel.results();
    return results.viewRows(
        s,
        rowsOf(block.resultBatch ? block.resultBatch(s, part) : block.batch));
  });
}

/// The copies of a part begin while the one before is summed up: warps that
/// fill the ring meet no barrier between parts.
void GatherKernel::emitParts() {
  s.forLoop(s.index(0), block.parts, 1, [&](Value part) {
    named(part, "part_of_block");
    Value first = named(s.mul(part, block.partEntries), "part_begin");
    Value size = s.min(s.sub(count, first), s.index(block.partEntries));
    size = named(s.max(size, s.index(0)), "part_size");
    emitter.emitReset();
    emitTiles(size, first);
    emitEnd(part);
  });
}

void gsa::emitGather(int64_t slots, AttentionScheduleAttr schedule,
                     Location loc, AttentionKernel& kernel,
                     const GatherBlock& block) {
  GatherKernel(slots, schedule, loc, kernel, block).emit();
}

int64_t gsa::countRowBlocks(const AttentionShape& shape,
                            AttentionScheduleAttr schedule) {
  return llvm::divideCeil(shape.ratio(), schedule.getBlockQ());
}

LogicalResult tile::lowerGatherAttention(GatherAttentionOp op,
                                         ToTileContext& context) {
  if (isa_and_nonnull<UnionScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerUnionAttention(op, context);
  if (isa_and_nonnull<SplitAttentionScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerSplitAttention(op, context);
  if (isa_and_nonnull<DenseScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerGroupDense(op, context);
  return lowerAttentionOverLists(op, context);
}

LogicalResult gsa::lowerAttentionOverLists(Operation* op,
                                           ToTileContext& context) {
  FailureOr<AttentionScheduleAttr> schedule =
      getSchedule<AttentionScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  AttentionOperands operands(op, context);
  AttentionKernel kernel(operands, *schedule, KernelTeams(*schedule).warps(),
                         operands.form.isPartial() ? "partial_gather_attention"
                                                   : "gather_attention");
  kernel.boundRegisters(*schedule);
  KernelScalars s(kernel.bodyBuilder(), op->getLoc());
  int64_t rowBlocks = countRowBlocks(kernel.shape, *schedule);
  GatherBlock block;
  block.token = named(s.blockId(0), "token");
  Value y = s.blockId(1);
  block.batch = named(s.blockId(2), "batch");
  block.group = named(s.div(y, rowBlocks), "group");
  block.firstRow =
      named(s.mul(s.rem(y, rowBlocks), schedule->getBlockQ()), "first_row");
  emitGather(operands.slots(), *schedule, op->getLoc(), kernel, block);
  if (failed(kernel.launch({operands.queries(), kernel.shape.groups * rowBlocks,
                            operands.batches()})))
    return failure();
  operands.replace();
  return success();
}
