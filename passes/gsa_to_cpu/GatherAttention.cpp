//===- GatherAttention.cpp - attention over lists to vectors --------------===//
//
// For a block of rows: compact the index lists. For each group and row, for
// each tile of heads: logits, softmax, values. Consecutive rows of one group
// are handled together because they tend to select the same keys, which then
// come from the cache.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaShapes.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/gsa_to_cpu/Attention.h"
#include "passes/gsa_to_cpu/AttentionEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::cpu;
using arith::CmpIPredicate;

/// Unroll the loop over D up to this many multiply-adds of one tile.
static constexpr int64_t kMaxUnrolledFma = 256;

namespace {

class GatherLowering : public AttentionLowering {
 public:
  GatherLowering(Operation* op, CpuScheduleAttr schedule,
                 RewriterBase& rewriter);
  void run(RewriterBase& rewriter);

 private:
  /// One row: its place in the block and in the tensors.
  struct Row {
    Value slot, batch, query;
  };

  void allocateScratch();
  void emitItem(Value item);
  void emitCompaction(const Row& row);
  void emitHeads(const Row& row, Value group, Value head, int64_t heads);
  void emitQueryCopy(const Row& row, Value head, int64_t heads);
  void emitLogits(const Row& row, Value group, int64_t heads, Value count);
  SmallVector<Value> emitDots(const Row& row, Value group, int64_t heads,
                              ArrayRef<Value> keys);
  void emitSoftmax(const Row& row, Value head, int64_t heads, Value count);
  void emitValues(const Row& row, Value group, Value head, int64_t heads,
                  Value count);
  void emitValueTile(const Row& row, Value group, Value head, int64_t heads,
                     Value count, int64_t firstVector, int64_t vectors);
  Value keyAt(const Row& row, Value slot);
  Row rowAt(Value slot, Value index);
  RowRef queryRow(int64_t head) {
    return {queries, {task, v.index(head), v.index(0)}};
  }
  RowRef logitRow(Value head) { return {logits, {task, head, v.index(0)}}; }

  double scale;
  int64_t tileHeads, tileKeys, tileCells;
  Size allRows;
  int64_t blockRows, prefetch;
  Size blocks;
  int64_t slots, endSlot;  ///< Of the range; the slot behind it.
  RowVectors depth, valueDepth;
  int64_t slotLanes;  ///< Elements per vector along the slots.
  bool bounded;       ///< Weights are times the unit of their sum.

  // Per task: lists [blockRows, slots], their lengths, a tile's queries in
  // A(T), its logits, what its heads' sums over values are multiplied by.
  Value lists, lengths, queries, logits, inverses;
};

}  // namespace

GatherLowering::GatherLowering(Operation* op, CpuScheduleAttr schedule,
                               RewriterBase& rewriter)
    : AttentionLowering(op, schedule, rewriter),
      allRows(mulSizes(v, batch, rowCount)),
      blocks(0),
      depth(1, 1),
      valueDepth(1, 1) {
  slots = form.clip(shapeOf(form.indices)[2]);
  endSlot = slots == 0 ? 0 : form.first + slots;
  scale = form.scale();
  tileHeads = std::min(schedule.getRows(), heads / groups);
  tileCells = schedule.getRows() * schedule.getVectors();
  // A tile's keys are reduced together, into one vector.
  int64_t widest = 32 / (acc.getIntOrFloatBitWidth() / 8);
  tileKeys = std::min(
      {floorPowerOf2(schedule.getVectors()), widest, schedule.getLanes()});
  depth = rowVectors(shapeOf(form.query)[3], schedule.getLanes(), tileKeys);
  valueDepth = rowVectors(shapeOf(form.value)[3], schedule.getLanes(), 1);
  slotLanes = schedule.getLanes();
  bounded = needsUnit(getElementTypeOrSelf(form.value.getType()));
  // At least one block per task, if there are that many rows.
  blockRows = std::clamp<int64_t>(llvm::divideCeil(allRows.bound, tasks), 1,
                                  schedule.getBlockRows());
  prefetch = schedule.getPrefetch();
  blocks = ceilDivSize(v, allRows, blockRows);
}

void GatherLowering::allocateScratch() {
  OpBuilder& b = v.builder();
  int64_t padSlots =
      llvm::alignTo(std::max<int64_t>(slots, 1), std::max(slotLanes, tileKeys));
  int64_t list = padded(padSlots);
  lists = allocate(v, {tasks, blockRows, list + prefetch}, b.getI32Type());
  lengths = allocate(v, {tasks, padded(blockRows)}, b.getIndexType());
  queries = allocate(v, {tasks, tileHeads, padded(depth.padded())}, acc);
  logits = allocate(v, {tasks, tileHeads, list}, acc);
  inverses = allocate(v, {tasks, padded(tileHeads)}, acc);
}

GatherLowering::Row GatherLowering::rowAt(Value slot, Value index) {
  if (batch.bound == 1) return {slot, v.index(0), index};
  Value perBatch = toValue(v, rowCount);
  return {slot,
          arith::DivUIOp::create(v.builder(), v.location(), index, perBatch),
          arith::RemUIOp::create(v.builder(), v.location(), index, perBatch)};
}

Value GatherLowering::keyAt(const Row& row, Value slot) {
  return v.toIndex(v.loadScalar(lists, {task, row.slot, slot}));
}

/// Copies the indices of a row's list that are keys, in order, then pads with
/// index 0 to a whole tile, whose key is read but not used, and to what is
/// asked for ahead.
void GatherLowering::emitCompaction(const Row& row) {
  Value count = v.loadScalar(counts, {row.batch, row.query});
  count = arith::MaxSIOp::create(v.builder(), v.location(), count, v.i32(0));
  count = v.min(v.toIndex(count), v.index(endSlot));
  Size counted = minSize(v, allKeys, std::numeric_limits<int32_t>::max());
  Value keyCount = counted.isStatic()
                       ? v.i32(static_cast<int32_t>(counted.bound))
                       : v.toI32(counted.actual);
  if (lengthsOfBatch) {
    Value given = v.loadScalar(lengthsOfBatch, row.batch);
    keyCount = v.min(v.max(given, v.i32(0)), keyCount);
  }
  Value length = v.forLoop(
      v.index(form.first), count, 1, v.index(0),
      [&](Value slot, ValueRange carried) -> SmallVector<Value> {
        Value entry = v.loadScalar(indices, {row.batch, row.query, slot});
        // Stored in any case and overwritten unless valid: no branch.
        v.storeScalar(entry, lists, {task, row.slot, carried[0]});
        Value valid = v.cmpi(CmpIPredicate::ult, entry, keyCount);
        Value one = arith::IndexCastUIOp::create(
            v.builder(), v.location(), v.builder().getIndexType(), valid);
        return {v.add(carried[0], one)};
      })[0];
  v.storeScalar(length, lengths, {task, row.slot});
  Value end = v.times(v.ceilDiv(length, tileKeys), tileKeys);
  v.forLoop(length, v.plus(end, prefetch), 1, [&](Value slot) {
    v.storeScalar(v.i32(0), lists, {task, row.slot, slot});
  });
}

/// The tile's queries in A(T), zero beyond D.
void GatherLowering::emitQueryCopy(const Row& row, Value head, int64_t heads) {
  for (int64_t h = 0; h < heads; ++h) {
    RowRef from{query, {row.batch, row.query, v.plus(head, h), v.index(0)}};
    for (int64_t i = 0; i < depth.count(); ++i) {
      Value offset = v.index(i * depth.lanes);
      v.store(v.load(from, offset, depth.lanes, depth.valid(i), acc),
              queryRow(h), offset, depth.lanes);
    }
  }
}

/// Vectors of partial dot products, [heads][keys].
SmallVector<Value> GatherLowering::emitDots(const Row& row, Value group,
                                            int64_t heads,
                                            ArrayRef<Value> keys) {
  int64_t lanes = depth.lanes;
  auto step = [&](Value offset, int64_t valid, MutableArrayRef<Value> sums) {
    SmallVector<Value> left, right;
    for (Value index : keys)
      right.push_back(v.load({key, {row.batch, index, group, v.index(0)}},
                             offset, lanes, valid, acc));
    for (int64_t h = 0; h < heads; ++h)
      left.push_back(v.load(queryRow(h), offset, lanes, lanes, acc));
    v.outerProduct(left, right, sums);
  };
  SmallVector<Value> sums(heads * keys.size(),
                          v.constant(v.vectorType(lanes, acc), 0.0));
  int64_t full = depth.size / lanes;
  if (full * static_cast<int64_t>(sums.size()) <= kMaxUnrolledFma) {
    for (int64_t i = 0; i < full; ++i) step(v.index(i * lanes), lanes, sums);
  } else {
    sums = v.forLoop(v.index(0), v.index(full * lanes), lanes, sums,
                     [&](Value offset, ValueRange carried) {
                       SmallVector<Value> next(carried);
                       step(offset, lanes, next);
                       return next;
                     });
  }
  if (full < depth.count())
    step(v.index(full * lanes), depth.valid(full), sums);
  return sums;
}

/// logits[h][i] for all i < count; the last vector ends in -inf.
void GatherLowering::emitLogits(const Row& row, Value group, int64_t heads,
                                Value count) {
  v.forLoop(v.index(0), count, tileKeys, [&](Value first) {
    SmallVector<Value> tile;
    for (int64_t i = 0; i < tileKeys; ++i) {
      tile.push_back(keyAt(row, v.plus(first, i)));
      Value later = keyAt(row, v.plus(first, i + prefetch));
      v.prefetch({key, {row.batch, later, group, v.index(0)}}, depth.size);
    }
    SmallVector<Value> sums = emitDots(row, group, heads, tile);
    Value factor = v.constant(v.vectorType(tileKeys, acc), scale);
    for (int64_t h = 0; h < heads; ++h) {
      auto begin = sums.begin() + h * tileKeys;
      Value dots = v.reduceEach({begin, begin + tileKeys});
      v.store(v.mul(dots, factor), logitRow(v.index(h)), first, tileKeys);
    }
  });
}

void GatherLowering::emitSoftmax(const Row& row, Value head, int64_t heads,
                                 Value count) {
  v.forLoop(v.index(0), v.index(heads), 1, [&](Value h) {
    RowRef line = logitRow(h);
    Value maximum = maxOfRow(v, line, count, slotLanes);
    Value shift = finiteShift(v, maximum);
    Value sum = expOfRow(v, line, count, slotLanes, shift);
    Value unit;
    if (bounded) {
      unit = unitOfSum(v, sum);
      scaleRow(v, line, count, slotLanes, unit);
    }
    SoftmaxEnd end = endSoftmax(v, shift, sum, unit);
    v.storeScalar(end.inverse, inverses, {task, h});
    v.storeScalar(end.lse, lse, {row.batch, v.add(head, h), row.query});
  });
}

void GatherLowering::emitValueTile(const Row& row, Value group, Value head,
                                   int64_t heads, Value count,
                                   int64_t firstVector, int64_t vectors) {
  int64_t lanes = valueDepth.lanes;
  auto offset = [&](int64_t i) { return v.index((firstVector + i) * lanes); };
  SmallVector<Value> sums(heads * vectors,
                          v.constant(v.vectorType(lanes, acc), 0.0));
  sums = v.forLoop(
      v.index(0), count, 1, sums,
      [&](Value slot, ValueRange carried) -> SmallVector<Value> {
        SmallVector<Value> next(carried), weights, values;
        RowRef from{value, {row.batch, keyAt(row, slot), group, v.index(0)}};
        Value later = keyAt(row, v.plus(slot, prefetch));
        v.prefetch(
            {value, {row.batch, later, group, v.index(firstVector * lanes)}},
            std::min(vectors * lanes, valueDepth.size - firstVector * lanes));
        for (int64_t h = 0; h < heads; ++h)
          weights.push_back(v.broadcast(
              v.loadScalar(logits, {task, v.index(h), slot}), lanes));
        for (int64_t i = 0; i < vectors; ++i)
          values.push_back(v.load(from, offset(i), lanes,
                                  valueDepth.valid(firstVector + i), acc));
        v.outerProduct(weights, values, next);
        return next;
      });
  for (int64_t h = 0; h < heads; ++h) {
    Value inverse =
        v.broadcast(v.loadScalar(inverses, {task, v.index(h)}), lanes);
    SmallVector<Value> at = {row.batch, row.query, v.plus(head, h)};
    RowRef to{output, {at[0], at[1], at[2], v.index(0)}};
    for (int64_t i = 0; i < vectors; ++i) {
      int64_t valid = valueDepth.valid(firstVector + i);
      Value x = v.mul(sums[h * vectors + i], inverse);
      v.store(applyOutputGate(v, form, gate, at, offset(i), valid, x), to,
              offset(i), valid);
    }
  }
}

void GatherLowering::emitValues(const Row& row, Value group, Value head,
                                int64_t heads, Value count) {
  int64_t total = valueDepth.count();
  int64_t tile = std::clamp<int64_t>(tileCells / heads, 1, total);
  for (int64_t first = 0; first < total; first += tile)
    emitValueTile(row, group, head, heads, count, first,
                  std::min(tile, total - first));
}

void GatherLowering::emitHeads(const Row& row, Value group, Value head,
                               int64_t heads) {
  Value count = v.loadScalar(lengths, {task, row.slot});
  emitQueryCopy(row, head, heads);
  emitLogits(row, group, heads, count);
  emitSoftmax(row, head, heads, count);
  emitValues(row, group, head, heads, count);
}

/// One block of rows, or one group of one block.
void GatherLowering::emitItem(Value item) {
  // Splitting by group repeats the compaction, so only where rows are few.
  bool split = blocks.bound < tasks;
  Value block = item, firstGroup = v.index(0), endGroup = v.index(groups);
  if (split) {
    Value perBlock = v.index(groups);
    block = arith::DivUIOp::create(v.builder(), v.location(), item, perBlock);
    firstGroup =
        arith::RemUIOp::create(v.builder(), v.location(), item, perBlock);
    endGroup = v.plus(firstGroup, 1);
  }
  Value firstRow = v.times(block, blockRows);
  Value endSlot =
      v.min(v.index(blockRows), v.sub(toValue(v, allRows), firstRow));
  v.forLoop(v.index(0), endSlot, 1, [&](Value slot) {
    emitCompaction(rowAt(slot, v.add(firstRow, slot)));
  });
  int64_t ratio = heads / groups;
  v.forLoop(firstGroup, endGroup, 1, [&](Value group) {
    v.forLoop(v.index(0), endSlot, 1, [&](Value slot) {
      Row row = rowAt(slot, v.add(firstRow, slot));
      Value base = v.times(group, ratio);
      forTiles(v, ratio, tileHeads, [&](Value first, int64_t size) {
        emitHeads(row, group, v.add(base, first), size);
      });
    });
  });
}

void GatherLowering::run(RewriterBase& rewriter) {
  lower(rewriter, [&] {
    allocateScratch();
    forItems(blocks.bound < tasks ? mulSizes(v, blocks, groups) : blocks,
             [&](Value item) { emitItem(item); });
  });
}

LogicalResult cpu::lowerGatherAttention(Operation* op, CpuScheduleAttr schedule,
                                        RewriterBase& rewriter) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  GatherLowering(op, schedule, rewriter).run(rewriter);
  return success();
}
