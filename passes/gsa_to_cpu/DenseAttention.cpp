//===- DenseAttention.cpp - attention over all keys to vectors ------------===//
//
// First, keys and values are packed in A(T): keys transposed into panels of a
// few vectors of keys, so that vectors run along the keys, values padded to
// whole vectors. Then blocks of query rows (tokens times the heads of one
// group) stream over blocks of keys: logits of the block, running maximum and
// sum, values. Every row sees the same blocks in the same order wherever it
// lies in its block of rows. Keys of a range are counted from its first one.
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
using arith::CmpFPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

namespace {

class DenseLowering : public AttentionLowering {
 public:
  DenseLowering(Operation* op, CpuScheduleAttr schedule,
                RewriterBase& rewriter);
  void run(RewriterBase& rewriter);

 private:
  /// A block of rows: its group of one batch, its first token and its number
  /// of rows.
  struct Block {
    Value batch, group, token, rows;
    Value length;  ///< Keys of the batch, those before the range included.
  };
  /// A block of keys within what a block of rows sees.
  struct Keys {
    Value first, width;  ///< Width: a multiple of the panel's.
  };

  void allocateScratch();
  void emitPacking(Value item);
  void emitBlock(Value item);
  void emitStart(const Block& block);
  void emitLogits(const Block& block, const Keys& keys);
  void emitLogitTile(const Block& block, const Keys& keys, Value row,
                     Value column);
  void emitSoftmax(const Block& block, const Keys& keys);
  void emitValues(const Block& block, const Keys& keys);
  void emitValueTile(const Block& block, const Keys& keys, Value row,
                     int64_t firstVector, int64_t vectors);
  void emitEnd(const Block& block);

  /// Number of keys of the range that token `t` of the block's batch sees.
  Value visible(const Block& block, Value t);
  /// Number of keys of the block `keys` that row `row` of `block` sees.
  Value visibleInBlock(const Block& block, const Keys& keys, Value row);
  Value tokenOf(const Block& block, Value row);
  Value headOf(const Block& block, Value row);
  Value clampIndex(Value x, Value low, Value high);
  Value divide(Value x, const Size& by);
  Value remainder(Value x, const Size& by);
  Size clipKeys();
  Value shift(Value x, const Size& keys);
  RowRef rowOf(Value scratch, Value row) {
    return {scratch, {task, row, v.index(0)}};
  }

  double scale;
  bool causal;
  bool bounded;  ///< Sums over values are times the unit of the total.
  int64_t lanes, tileRows, tileVectors, valueRows, valueVectors;
  int64_t ratio;
  Size keyCount;  ///< Of the range.
  int64_t panelKeys, blockKeys, blockTokens, scratchRows;
  Size panels, blocks;
  RowVectors depth, valueDepth;

  /// [B, G, panels, D, panelKeys] and [B, G, Sk, padded Dv].
  Value packedKeys, packedValues;
  // Per task and row: query, logits, sums over values; maximum, sum and the
  // factor of earlier sums.
  Value rowQueries, logits, sums, maxima, totals, factors;
};

}  // namespace

DenseLowering::DenseLowering(Operation* op, CpuScheduleAttr schedule,
                             RewriterBase& rewriter)
    : AttentionLowering(op, schedule, rewriter),
      causal(form.mask == Mask::Causal),
      bounded(needsUnit(getElementTypeOrSelf(form.value.getType()))),
      lanes(schedule.getLanes()),
      keyCount(clipKeys()),
      panels(0),
      blocks(0),
      depth(1, 1),
      valueDepth(1, 1) {
  ratio = heads / groups;
  scale = form.scale();
  depth = rowVectors(shapeOf(form.query)[3], lanes, 1);
  valueDepth = rowVectors(shapeOf(form.value)[3], lanes, 1);
  tileVectors = schedule.getVectors();
  panelKeys = tileVectors * lanes;
  panels = ceilDivSize(v, keyCount, panelKeys);
  blockKeys =
      std::max<int64_t>(1, schedule.getBlockKeys() / panelKeys) * panelKeys;
  blockTokens = std::clamp<int64_t>(schedule.getBlockRows() / ratio, 1,
                                    std::max<int64_t>(rowCount.bound, 1));
  blocks = ceilDivSize(v, rowCount, blockTokens);
  int64_t rows = blockTokens * ratio;
  tileRows = std::min(schedule.getRows(), rows);
  valueVectors = schedule.getValueVectors();
  valueRows = std::clamp<int64_t>(
      tileRows * tileVectors / std::min(valueVectors, valueDepth.count()), 1,
      tileRows);
  scratchRows = static_cast<int64_t>(
      std::max(llvm::alignTo(rows, tileRows), llvm::alignTo(rows, valueRows)));
}

/// The keys of the range, of all that there are.
Size DenseLowering::clipKeys() {
  int64_t bound = form.clip(allKeys.bound);
  if (allKeys.isStatic()) return bound;
  Value rest = v.max(v.plus(allKeys.actual, -form.first), v.index(0));
  return Size(bound, v.min(rest, v.index(bound)));
}

void DenseLowering::allocateScratch() {
  packedKeys = allocate(
      v, {batch.bound, groups, panels.bound, depth.size, panelKeys}, acc);
  packedValues = allocate(
      v, {batch.bound, groups, keyCount.bound, valueDepth.padded()}, acc);
  auto perRow = [&](int64_t size) {
    return allocate(v, {tasks, scratchRows, padded(size)}, acc);
  };
  rowQueries = perRow(depth.padded());
  logits = perRow(blockKeys);
  sums = perRow(valueDepth.padded());
  auto scalars = [&] { return allocate(v, {tasks, padded(scratchRows)}, acc); };
  maxima = scalars();
  totals = scalars();
  factors = scalars();
}

Value DenseLowering::divide(Value x, const Size& by) {
  if (by.bound == 1 && by.isStatic()) return x;
  return arith::DivUIOp::create(v.builder(), v.location(), x, toValue(v, by));
}

Value DenseLowering::remainder(Value x, const Size& by) {
  if (by.bound == 1 && by.isStatic()) return v.index(0);
  return arith::RemUIOp::create(v.builder(), v.location(), x, toValue(v, by));
}

Value DenseLowering::clampIndex(Value x, Value low, Value high) {
  x = arith::MaxSIOp::create(v.builder(), v.location(), x, low);
  return v.min(x, high);
}

Value DenseLowering::tokenOf(const Block& block, Value row) {
  return v.add(block.token, divide(row, ratio));
}

Value DenseLowering::headOf(const Block& block, Value row) {
  return v.add(v.times(block.group, ratio), remainder(row, ratio));
}

/// `x + keys - queries + 1 - first`.
Value DenseLowering::shift(Value x, const Size& keys) {
  if (keys.isStatic() && rowCount.isStatic())
    return v.plus(x, keys.bound - rowCount.bound + 1 - form.first);
  return v.add(x, differenceOf(v, keys, rowCount, 1 - form.first));
}

Value DenseLowering::visible(const Block& block, Value t) {
  if (!causal && !lengthsOfBatch) return toValue(v, keyCount);
  // Bottom-right aligned: the last query sees all keys of its batch.
  Value end;
  if (!lengthsOfBatch)
    end = shift(t, allKeys);
  else if (causal)
    end = shift(v.add(t, block.length), 0);
  else
    end = v.plus(block.length, -form.first);
  return clampIndex(end, v.index(0), toValue(v, keyCount));
}

Value DenseLowering::visibleInBlock(const Block& block, const Keys& keys,
                                    Value row) {
  return clampIndex(v.sub(visible(block, tokenOf(block, row)), keys.first),
                    v.index(0), keys.width);
}

/// One panel of keys, and the values of the same keys.
void DenseLowering::emitPacking(Value item) {
  Value panel = remainder(item, panels);
  Value group = remainder(divide(item, panels), groups);
  Value b = divide(item, mulSizes(v, panels, groups));
  Value first = v.times(panel, panelKeys);
  Value count = v.min(v.index(panelKeys), v.sub(toValue(v, keyCount), first));
  v.forLoop(v.index(0), count, 1, [&](Value i) {
    Value s = v.add(first, i), source = v.plus(s, form.first);
    v.forLoop(v.index(0), v.index(depth.size), 1, [&](Value d) {
      Value x = v.loadScalar(key, {b, source, group, d});
      v.storeScalar(v.cast(x, acc), packedKeys, {b, group, panel, d, i});
    });
    RowRef from{value, {b, source, group, v.index(0)}};
    RowRef to{packedValues, {b, group, s, v.index(0)}};
    for (int64_t n = 0; n < valueDepth.count(); ++n) {
      Value offset = v.index(n * valueDepth.lanes);
      v.store(v.load(from, offset, valueDepth.lanes, valueDepth.valid(n), acc),
              to, offset, valueDepth.lanes);
    }
  });
  // Keys beyond the last are computed with and masked.
  v.forLoop(count, v.index(panelKeys), 1, [&](Value i) {
    v.forLoop(v.index(0), v.index(depth.size), 1, [&](Value d) {
      v.storeScalar(v.constant(acc, 0.0), packedKeys, {b, group, panel, d, i});
    });
  });
}

/// Queries in A(T); no maximum, no sum.
void DenseLowering::emitStart(const Block& block) {
  v.forLoop(v.index(0), block.rows, 1, [&](Value row) {
    RowRef from{
        query,
        {block.batch, tokenOf(block, row), headOf(block, row), v.index(0)}};
    for (int64_t n = 0; n < depth.count(); ++n) {
      Value offset = v.index(n * depth.lanes);
      v.store(v.load(from, offset, depth.lanes, depth.valid(n), acc),
              rowOf(rowQueries, row), offset, depth.lanes);
    }
    Value zero = v.constant(v.vectorType(valueDepth.lanes, acc), 0.0);
    for (int64_t n = 0; n < valueDepth.count(); ++n)
      v.store(zero, rowOf(sums, row), v.index(n * valueDepth.lanes),
              valueDepth.lanes);
    v.storeScalar(v.constant(acc, -kInfinity), maxima, {task, row});
    v.storeScalar(v.constant(acc, 0.0), totals, {task, row});
  });
}

/// Logits of `tileRows` rows and one panel; `column` is the panel's first key
/// within the block.
void DenseLowering::emitLogitTile(const Block& block, const Keys& keys,
                                  Value row, Value column) {
  Value panel = divide(v.add(keys.first, column), panelKeys);
  SmallVector<Value> dots(tileRows * tileVectors,
                          v.constant(v.vectorType(lanes, acc), 0.0));
  dots = v.forLoop(
      v.index(0), v.index(depth.size), 1, dots,
      [&](Value d, ValueRange carried) -> SmallVector<Value> {
        SmallVector<Value> next(carried), left, right;
        RowRef from{packedKeys,
                    {block.batch, block.group, panel, d, v.index(0)}};
        for (int64_t j = 0; j < tileVectors; ++j)
          right.push_back(v.load(from, v.index(j * lanes), lanes, lanes, acc));
        for (int64_t i = 0; i < tileRows; ++i)
          left.push_back(v.broadcast(
              v.loadScalar(rowQueries, {task, v.plus(row, i), d}), lanes));
        v.outerProduct(left, right, next);
        return next;
      });
  Value factor = v.constant(v.vectorType(lanes, acc), scale);
  for (int64_t i = 0; i < tileRows; ++i)
    for (int64_t j = 0; j < tileVectors; ++j)
      v.store(v.mul(dots[i * tileVectors + j], factor),
              rowOf(logits, v.plus(row, i)), v.plus(column, j * lanes), lanes);
}

void DenseLowering::emitLogits(const Block& block, const Keys& keys) {
  // A panel stays in the first-level cache for all rows.
  v.forLoop(v.index(0), keys.width, panelKeys, [&](Value column) {
    v.forLoop(v.index(0), block.rows, tileRows,
              [&](Value row) { emitLogitTile(block, keys, row, column); });
  });
}

/// Weights relative to the maximum so far; earlier sums are to be multiplied
/// by the row's factor.
void DenseLowering::emitSoftmax(const Block& block, const Keys& keys) {
  v.forLoop(v.index(0), block.rows, 1, [&](Value row) {
    RowRef line = rowOf(logits, row);
    Value count = visibleInBlock(block, keys, row);
    Value before = v.loadScalar(maxima, {task, row});
    Value maximum = v.maxDropNan(maxOfRow(v, line, count, lanes), before);
    Value shift = finiteShift(v, maximum);
    Value sum = expOfRow(v, line, count, lanes, shift);
    // Exactly 1 where nothing changes: a block in which a row sees no key
    // must leave no trace.
    Value same = v.cmpf(CmpFPredicate::OEQ, before, maximum);
    Value factor =
        v.select(same, v.constant(acc, 1.0), v.exp(v.sub(before, shift)));
    Value earlier = v.loadScalar(totals, {task, row});
    Value total = v.add(v.mul(earlier, factor), sum);
    v.storeScalar(total, totals, {task, row});
    v.storeScalar(maximum, maxima, {task, row});
    if (bounded) {
      Value unit = unitOfSum(v, total);
      scaleRow(v, line, count, lanes, unit);
      factor = v.mul(factor, v.div(unit, unitOfSum(v, earlier)));
    }
    v.storeScalar(factor, factors, {task, row});
  });
}

void DenseLowering::emitValueTile(const Block& block, const Keys& keys,
                                  Value row, int64_t firstVector,
                                  int64_t vectors) {
  int64_t width = valueDepth.lanes;
  auto offset = [&](int64_t j) { return v.index((firstVector + j) * width); };
  SmallVector<Value> cells;
  for (int64_t i = 0; i < valueRows; ++i) {
    Value at = v.plus(row, i);
    Value factor = v.broadcast(v.loadScalar(factors, {task, at}), width);
    for (int64_t j = 0; j < vectors; ++j)
      cells.push_back(
          v.mul(v.load(rowOf(sums, at), offset(j), width, width, acc), factor));
  }
  auto accumulate = [&](Value from, Value to, int64_t firstRow, int64_t rows,
                        ValueRange init) {
    return v.forLoop(
        from, to, 1, init,
        [&](Value s, ValueRange carried) -> SmallVector<Value> {
          SmallVector<Value> next(carried), left, right;
          RowRef source{
              packedValues,
              {block.batch, block.group, v.add(keys.first, s), v.index(0)}};
          for (int64_t j = 0; j < vectors; ++j)
            right.push_back(v.load(source, offset(j), width, width, acc));
          for (int64_t i = 0; i < rows; ++i)
            left.push_back(v.broadcast(
                v.loadScalar(logits, {task, v.plus(row, firstRow + i), s}),
                width));
          v.outerProduct(left, right, next);
          return next;
        });
  };
  // The first row sees the fewest keys. A weight of 0 would not do for the
  // others' keys: 0 times an infinite or NaN value is NaN.
  Value common = visibleInBlock(block, keys, row);
  cells = accumulate(v.index(0), common, 0, valueRows, cells);
  bool uneven = causal && ratio % valueRows != 0;
  for (int64_t i = 0; i < valueRows; ++i) {
    auto begin = cells.begin() + i * vectors;
    SmallVector<Value> own(begin, begin + vectors);
    Value at = v.plus(row, i);
    if (uneven && i > 0)
      own = accumulate(common, visibleInBlock(block, keys, at), i, 1, own);
    for (int64_t j = 0; j < vectors; ++j)
      v.store(own[j], rowOf(sums, at), offset(j), width);
  }
}

void DenseLowering::emitValues(const Block& block, const Keys& keys) {
  int64_t total = valueDepth.count();
  v.forLoop(v.index(0), block.rows, valueRows, [&](Value row) {
    for (int64_t first = 0; first < total; first += valueVectors)
      emitValueTile(block, keys, row, first,
                    std::min(valueVectors, total - first));
  });
}

void DenseLowering::emitEnd(const Block& block) {
  v.forLoop(v.index(0), block.rows, 1, [&](Value row) {
    Value shift = finiteShift(v, v.loadScalar(maxima, {task, row}));
    Value total = v.loadScalar(totals, {task, row});
    SoftmaxEnd end =
        endSoftmax(v, shift, total, bounded ? unitOfSum(v, total) : Value());
    Value t = tokenOf(block, row), head = headOf(block, row);
    v.storeScalar(end.lse, lse, {block.batch, head, t});
    Value inverse = v.broadcast(end.inverse, valueDepth.lanes);
    RowRef to{output, {block.batch, t, head, v.index(0)}};
    for (int64_t n = 0; n < valueDepth.count(); ++n) {
      Value offset = v.index(n * valueDepth.lanes);
      Value sum = v.load(rowOf(sums, row), offset, valueDepth.lanes,
                         valueDepth.lanes, acc);
      Value x = applyOutputGate(v, form, gate, {block.batch, t, head}, offset,
                                valueDepth.valid(n), v.mul(sum, inverse));
      v.store(x, to, offset, valueDepth.valid(n));
    }
  });
}

void DenseLowering::emitBlock(Value item) {
  Block block;
  block.token = v.times(remainder(item, blocks), blockTokens);
  block.group = remainder(divide(item, blocks), groups);
  block.batch = divide(item, mulSizes(v, blocks, groups));
  Value tokens =
      v.min(v.index(blockTokens), v.sub(toValue(v, rowCount), block.token));
  block.rows = v.times(tokens, ratio);
  block.length = loadKeyCount(v, lengthsOfBatch, block.batch, allKeys);
  emitStart(block);
  Value end = visible(block, v.plus(v.add(block.token, tokens), -1));
  v.forLoop(v.index(0), end, blockKeys, [&](Value first) {
    Value width = v.min(v.index(blockKeys), v.sub(end, first));
    Keys keys{first, v.times(v.ceilDiv(width, panelKeys), panelKeys)};
    emitLogits(block, keys);
    emitSoftmax(block, keys);
    emitValues(block, keys);
  });
  emitEnd(block);
}

void DenseLowering::run(RewriterBase& rewriter) {
  lower(rewriter, [&] {
    allocateScratch();
    Size perGroup = mulSizes(v, batch, groups);
    if (panels.bound > 0)
      forItems(mulSizes(v, perGroup, panels),
               [&](Value item) { emitPacking(item); });
    forItems(mulSizes(v, perGroup, blocks),
             [&](Value item) { emitBlock(item); });
  });
}

LogicalResult cpu::lowerDenseAttention(Operation* op, CpuScheduleAttr schedule,
                                       RewriterBase& rewriter) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  DenseLowering(op, schedule, rewriter).run(rewriter);
  return success();
}
