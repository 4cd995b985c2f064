//===- RowSelect.cpp - exact top-k of one row -----------------------------===//

#include <limits>

#include "passes/gsa_to_cpu/RowSelection.h"

using namespace mlir;
using namespace mlir::gsa;
using arith::CmpIPredicate;
using vector::CombiningKind;

void RowSelection::select(const RowScan& scan, Value k, Value indices,
                          Value batch, Value t) {
  Value numForced = hasForcedKeys() ? markForced(scan) : e.i32(0);
  Threshold threshold = findThreshold(scan, k, numForced);
  writeIndices(compact(scan.limit, threshold), indices, batch, t);
}

//===----------------------------------------------------------------------===//
// Forced keys
//===----------------------------------------------------------------------===//

/// Forces the visible cells of [begin, end); returns how many were not forced
/// before.
Value RowSelection::forceRange(Value begin, Value end) {
  Value none = e.integer(keyType, keyNone);
  Value forced = e.integer(keyType, keyForced);
  return e.forLoop(
      begin, end, 1, {e.i32(0)},
      [&](Value s, ValueRange count) -> SmallVector<Value> {
        Value key = e.load(keyRow, {s});
        Value isVisible = e.cmpi(CmpIPredicate::ne, key, none);
        Value isNew =
            e.andMask(isVisible, e.cmpi(CmpIPredicate::ne, key, forced));
        e.store(e.select(isVisible, forced, none), keyRow, {s});
        return {e.select(isNew, e.add(count[0], e.i32(1)), count[0])};
      })[0];
}

/// The first `sink` cells, and the last `local` ones that end at the row's
/// last visible cell.
Value RowSelection::markForced(const RowScan& scan) {
  Value count = e.i32(0);
  if (sink > 0) {
    // Keys are only defined up to the end of the row's last vector, so hidden
    // cells must not be looked at.
    Value end = e.min(e.index(sink), scan.limit);
    count = e.add(count, forceRange(e.index(0), end));
  }
  if (local > 0) {
    Value end = e.add(e.toIndex(scan.lastSeen), e.index(1));
    Value begin = e.max(e.sub(end, e.index(local)), e.index(0));
    count = e.add(count, forceRange(begin, end));
  }
  return count;
}

//===----------------------------------------------------------------------===//
// Threshold
//===----------------------------------------------------------------------===//

/// Number of cells whose key is at least `key`, as i32.
Value RowSelection::countAtLeast(Value limit, Value key) {
  Type i32 = e.builder().getI32Type();
  Value bound = e.splat(key);
  Value total = e.forLoop(
      e.index(0), limit, e.lanes(), {e.splatInt(i32, 0)},
      [&](Value s, ValueRange count) -> SmallVector<Value> {
        Value hit =
            e.cmpi(CmpIPredicate::sge, e.loadVector(keyRow, {s}), bound);
        return {e.add(count[0],
                      e.select(hit, e.splatInt(i32, 1), e.splatInt(i32, 0)))};
      })[0];
  return e.reduce(CombiningKind::ADD, total);
}

/// Bisection. Invariant: at least k keys are >= low; `above` < k keys are
/// > high. Ends with low = high, the k-th largest key, or at a `low` that
/// exactly k keys reach.
RowSelection::Threshold RowSelection::findThreshold(const RowScan& scan,
                                                    Value k, Value numForced) {
  Type i32 = e.builder().getI32Type();
  Value limit = scan.limit;
  auto bisect = [&]() -> SmallVector<Value> {
    Value allForced = e.cmpi(CmpIPredicate::sge, numForced, k);
    Value forced = e.integer(keyType, keyForced);
    Value noMiss =
        arith::ConstantIntOp::create(e.builder(), e.location(), 0, 1);
    SmallVector<Value> init = {e.select(allForced, forced, scan.low),
                               e.select(allForced, forced, scan.high),
                               e.select(allForced, e.i32(0), numForced),
                               noMiss};
    SmallVector<Value> found = e.whileLoop(
        init,
        [&](ValueRange c) {
          return e.select(c[3], noMiss, e.cmpi(CmpIPredicate::slt, c[0], c[1]));
        },
        [&](ValueRange c) -> SmallVector<Value> {
          // The upper middle, by unsigned arithmetic: the difference may not
          // fit in a signed integer.
          Value half =
              arith::ShRUIOp::create(e.builder(), e.location(),
                                     e.sub(c[1], c[0]), e.integer(keyType, 1));
          Value middle = e.sub(c[1], half);
          Value count = countAtLeast(limit, middle);
          Value enough = e.cmpi(CmpIPredicate::sge, count, k);
          Value below = e.sub(middle, e.integer(keyType, 1));
          return {e.select(enough, middle, c[0]), e.select(enough, c[1], below),
                  e.select(enough, c[2], count),
                  e.cmpi(CmpIPredicate::eq, count, k)};
        });
    Value cut = e.ifElse(
        found[3], {i32},
        [&]() -> SmallVector<Value> { return {e.toI32(limit)}; },
        [&]() -> SmallVector<Value> {
          return {findCut(limit, found[0], e.sub(k, found[2]))};
        })[0];
    return {found[0], cut};
  };
  // Nothing to choose if all visible cells fit.
  Value tooMany = e.cmpi(CmpIPredicate::sgt, scan.visible, k);
  SmallVector<Value> result =
      e.ifElse(tooMany, {keyType, i32}, bisect, [&]() -> SmallVector<Value> {
        return {e.integer(keyType, keyNone), e.i32(0)};
      });
  return {result[0], result[1]};
}

/// The index behind the `quota`-th cell whose key equals `key` (i32), so that
/// ties keep the smallest indices. There are at least `quota` >= 1 of them.
Value RowSelection::findCut(Value limit, Value key, Value quota) {
  Type i32 = e.builder().getI32Type();
  Value bound = e.splat(key);
  auto countEqual = [&](Value s) {
    Value equal = e.cmpi(CmpIPredicate::eq, e.loadVector(keyRow, {s}), bound);
    return e.reduce(CombiningKind::ADD,
                    e.select(equal, e.splatInt(i32, 1), e.splatInt(i32, 0)));
  };
  // Whole vectors, while the last wanted cell is not in them. It exists, so
  // the row's end is never passed.
  SmallVector<Value> found = e.whileLoop(
      {e.index(0), quota, countEqual(e.index(0))},
      [&](ValueRange c) { return e.cmpi(CmpIPredicate::slt, c[2], c[1]); },
      [&](ValueRange c) -> SmallVector<Value> {
        Value next = e.add(c[0], e.index(e.lanes()));
        return {next, e.sub(c[1], c[2]), countEqual(next)};
      });
  return e.forLoop(e.index(0), e.index(e.lanes()), 1, {found[1], e.i32(0)},
                   [&](Value lane, ValueRange c) -> SmallVector<Value> {
                     Value s = e.add(found[0], lane);
                     Value isOpen = e.cmpi(CmpIPredicate::sgt, c[0], e.i32(0));
                     Value equal =
                         e.cmpi(CmpIPredicate::eq, e.load(keyRow, {s}), key);
                     Value taken = e.andMask(isOpen, equal);
                     Value behind = e.add(e.toI32(s), e.i32(1));
                     return {e.select(taken, e.sub(c[0], e.i32(1)), c[0]),
                             e.select(isOpen, behind, c[1])};
                   })[1];
}

//===----------------------------------------------------------------------===//
// Compaction
//===----------------------------------------------------------------------===//

/// The lanes of `mask` as the bits of an i64.
static Value maskBits(LoopEmitter& e, Value mask) {
  OpBuilder& b = e.builder();
  Location loc = e.location();
  Type bitsType = b.getIntegerType(e.lanes());
  Value bits =
      vector::BitCastOp::create(b, loc, VectorType::get({1}, bitsType), mask);
  bits = vector::ExtractOp::create(b, loc, bits, ArrayRef<int64_t>{0});
  if (e.lanes() == 64) return bits;
  return arith::ExtUIOp::create(b, loc, b.getI64Type(), bits);
}

/// Stores the indices s + lane of all lanes one after the other; the position
/// advances only behind a chosen one, so that the next store overwrites the
/// others. Returns the position behind the last chosen index.
static Value appendLanes(LoopEmitter& e, Value bits, Value s, Value position,
                         Value row) {
  OpBuilder& b = e.builder();
  Location loc = e.location();
  Value one = e.integer(b.getI64Type(), 1);
  for (int64_t lane = 0; lane < e.lanes(); ++lane) {
    e.store(e.toI32(e.add(s, e.index(lane))), row, {position});
    Value shift = e.integer(b.getI64Type(), lane);
    Value bit = e.andMask(arith::ShRUIOp::create(b, loc, bits, shift), one);
    position = e.add(position, e.toIndex(bit));
  }
  return position;
}

/// Writes the chosen indices, ascending, to the front of the task's buffer and
/// returns their number. Vectors without a chosen lane are skipped; the others
/// take stores without branches, as no good guess exists which lanes are
/// chosen. (Compressing stores are microcoded on some CPUs, and LLVM 22 stores
/// a compressed vector that is wider than a register to a misaligned slot.)
Value RowSelection::compact(Value limit, const Threshold& threshold) {
  Value bound = e.splat(threshold.key), cut = e.splat(threshold.cut);
  auto chosenLanes = [&](Value s) {
    Value key = e.loadVector(keyRow, {s});
    Value index = e.add(e.iota(), e.splat(e.toI32(s)));
    Value above = e.cmpi(CmpIPredicate::sgt, key, bound);
    Value tied = e.andMask(e.cmpi(CmpIPredicate::eq, key, bound),
                           e.cmpi(CmpIPredicate::slt, index, cut));
    return maskBits(e, e.orMask(above, tied));
  };
  auto body = [&](Value s, ValueRange count) -> SmallVector<Value> {
    Value bits = chosenLanes(s);
    Value any =
        e.cmpi(CmpIPredicate::ne, bits, e.integer(e.builder().getI64Type(), 0));
    return e.ifElse(
        any, {e.builder().getIndexType()},
        [&]() -> SmallVector<Value> {
          return {appendLanes(e, bits, s, count[0], indexRow)};
        },
        [&]() -> SmallVector<Value> { return {count[0]}; });
  };
  return e.forLoop(e.index(0), limit, e.lanes(), {e.index(0)}, body)[0];
}

/// Copies the chosen indices to the result, and -1 to the slots behind them.
void RowSelection::writeIndices(Value count, Value indices, Value batch,
                                Value t) {
  Type i32 = e.builder().getI32Type();
  Value end = e.index(slots);
  e.forLoop(count, end, e.lanes(), [&](Value i) {
    e.storeVector(e.splatInt(i32, -1), indexRow, {i});
  });
  int64_t whole = slots / e.lanes() * e.lanes();
  e.forLoop(e.index(0), e.index(whole), e.lanes(), [&](Value i) {
    e.storeVector(e.loadVector(indexRow, {i}), indices, {batch, t, i});
  });
  e.forLoop(e.index(whole), end, 1, [&](Value i) {
    e.store(e.load(indexRow, {i}), indices, {batch, t, i});
  });
}
