//===- GsaInverseLists.cpp - parts of the definitions of gradients --------===//
//
// The gradient of a key is a sum over the rows that list it. Its terms are
// found by inverse lists, which are made once, in the order of the rows: every
// cell of every result is then a sum of its own in an order that nothing else
// decides.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaAttentionLists.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static Value isLowest(ScalarBuilder& s, Value x) {
  return s.cmpf(CmpFPredicate::OEQ, x, s.constant(x.getType(), -kInfinity));
}

/// `make()`, or `otherwise` for a head of a row whose `lse` is -inf.
static Value unlessEmpty(ScalarBuilder& s, Value lse, ArrayRef<Value> head,
                         Value otherwise, llvm::function_ref<Value()> make) {
  if (!lse) return make();
  Value isEmpty = isLowest(s, s.extract(lse, head));
  return s.lazySelect(
      isEmpty, otherwise.getType(), [&]() -> Value { return otherwise; }, make);
}

//===----------------------------------------------------------------------===//
// Weights and queries
//===----------------------------------------------------------------------===//

Value gsa::detail::makeWeightsOfLse(AttentionLists& lists, Value logits,
                                    Value lse) {
  Type acc = lists.acc;
  return generateTensor(
      lists.b, lists.loc, tensor::getMixedSizes(lists.b, lists.loc, logits),
      acc, [&](ScalarBuilder& s, ValueRange cell) {
        Value logit = s.extract(logits, cell);
        Value rowLse = s.extract(lse, {cell[0], cell[2], cell[1]});
        Value noLogit = isLowest(s, logit), noKeys = isLowest(s, rowLse);
        Value none = arith::OrIOp::create(s.b, s.loc, noLogit, noKeys);
        return s.select(none, s.constant(acc, 0.0),
                        s.exp(s.sub(logit, rowLse)));
      });
}

Value gsa::detail::makeQueryGrad(AttentionLists& lists, Value factors,
                                 Value lse) {
  Value query = lists.form.query;
  Type acc = lists.acc, data = getElementTypeOrSelf(query.getType());
  return generateTensor(
      lists.b, lists.loc, tensor::getMixedSizes(lists.b, lists.loc, query),
      data, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], d = cell[3];
        auto sumOfKeys = [&]() -> Value {
          Value group = lists.group(s, head);
          Value sum = s.forLoop(
              lists.begin(s), lists.end(s, batch, t), s.constant(acc, 0.0),
              [&](Value slot, ValueRange carried) -> SmallVector<Value> {
                Value key = lists.keyAt(s, batch, t, slot);
                auto add = [&]() -> Value {
                  Value factor = s.extract(factors, {batch, t, head, slot});
                  Value k = s.extract(lists.form.key, {batch, key, group, d});
                  return s.add(carried[0], s.mul(factor, s.cast(k, acc)));
                };
                return {s.lazySelect(lists.inRange(s, batch, key), acc, add,
                                     [&]() -> Value { return carried[0]; })};
              })[0];
          return s.mul(sum, s.constant(acc, lists.form.scale()));
        };
        Value sum = unlessEmpty(s, lse, {batch, head, t}, s.constant(acc, 0.0),
                                sumOfKeys);
        return s.cast(sum, data);
      });
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// What is carried through the entries of all lists.
using EntryBody = llvm::function_ref<SmallVector<Value>(
    Value batch, Value t, Value slot, Value key, ValueRange carried)>;

/// Calls `body` for each entry of a list whose key exists, batches, rows and
/// slots in order.
static SmallVector<Value> forEntries(AttentionLists& lists, ValueRange init,
                                     EntryBody body) {
  OpBuilder& b = lists.b;
  Location loc = lists.loc;
  ScalarBuilder s(b, loc);
  Value batches = dimValue(lists.b, lists.loc, lists.form.query, 0);
  Value queries = dimValue(lists.b, lists.loc, lists.form.query, 1);
  auto ofSlot = [&](Value batch, Value t, Value slot, ValueRange carried) {
    Value key = lists.keyAt(s, batch, t, slot);
    auto branch =
        scf::IfOp::create(b, loc, TypeRange(carried),
                          lists.inRange(s, batch, key), /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loc, body(batch, t, slot, key, carried));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, carried);
    return SmallVector<Value>(branch.getResults());
  };
  auto ofRow = [&](Value batch, Value t, ValueRange carried) {
    return s.forLoop(lists.begin(s), lists.end(s, batch, t), carried,
                     [&](Value slot, ValueRange inner) {
                       return ofSlot(batch, t, slot, inner);
                     });
  };
  return s.forLoop(
      s.index(0), batches, init, [&](Value batch, ValueRange outer) {
        return s.forLoop(
            s.index(0), queries, outer,
            [&](Value t, ValueRange inner) { return ofRow(batch, t, inner); });
      });
}

/// Counts how often each key is listed, makes the counts the places' first
/// numbers, and lets these move to the ends as the places are written.
InverseLists InverseLists::of(AttentionLists& lists) {
  OpBuilder& b = lists.b;
  Location loc = lists.loc;
  ScalarBuilder s(b, loc);
  auto sizes = [&](Value tensor, unsigned count) {
    SmallVector<OpFoldResult> all = tensor::getMixedSizes(b, loc, tensor);
    all.truncate(count);
    return all;
  };
  auto insert = [&](Value number, Value tensor, ValueRange at) -> Value {
    return tensor::InsertOp::create(b, loc, number, tensor, at);
  };
  Value zero = s.i64(0), one = s.i64(1);
  Value none =
      linalg::FillOp::create(
          b, loc, zero,
          emptyTensor(b, loc, sizes(lists.form.key, 2), b.getI64Type()))
          .getResult(0);
  Value counts =
      forEntries(lists, none,
                 [&](Value batch, Value, Value, Value key,
                     ValueRange carried) -> SmallVector<Value> {
                   Value count = s.extract(carried[0], {batch, key});
                   return {insert(s.add(count, one), carried[0], {batch, key})};
                 })[0];
  Value starts = s.forLoop(
      s.index(0), dimValue(lists.b, lists.loc, lists.form.key, 0), counts,
      [&](Value batch, ValueRange outer) -> SmallVector<Value> {
        return {
            s.forLoop(s.index(0), lists.keys, {outer[0], zero},
                      [&](Value key, ValueRange carried) -> SmallVector<Value> {
                        Value count = s.extract(carried[0], {batch, key});
                        return {insert(carried[1], carried[0], {batch, key}),
                                s.add(carried[1], count)};
                      })[0]};
      })[0];
  Value places =
      emptyTensor(b, loc, sizes(lists.form.indices, 3), b.getI64Type());
  SmallVector<Value> filled =
      forEntries(lists, {starts, places},
                 [&](Value batch, Value t, Value slot, Value key,
                     ValueRange carried) -> SmallVector<Value> {
                   Value number = s.extract(carried[0], {batch, key});
                   Value at = s.toIndex(number);
                   Value place = s.toI64(s.add(s.mul(t, lists.slots), slot));
                   return {insert(s.add(number, one), carried[0], {batch, key}),
                           insert(place, carried[1],
                                  {batch, s.divIndex(at, lists.slots),
                                   s.remIndex(at, lists.slots)})};
                 });
  return {filled[0], filled[1]};
}

namespace {
/// Sums over the rows that list a key.
struct KeySums {
  AttentionLists& lists;
  const InverseLists& inverse;
  const SumByKey& sum;
  Value lse;

  /// `start` and the terms of the heads of one place, one after the other.
  Value sumOfPlace(ScalarBuilder& s, ValueRange cell, Value place, Value start);
  /// All of them for one cell.
  Value sumOfKey(ScalarBuilder& s, ValueRange cell);
};
}  // namespace

Value KeySums::sumOfPlace(ScalarBuilder& s, ValueRange cell, Value place,
                          Value start) {
  Type acc = lists.acc;
  Value batch = cell[0], group = cell[2], d = cell[3];
  Value t = s.divIndex(place, lists.slots),
        slot = s.remIndex(place, lists.slots);
  Value firstHead = s.mul(group, lists.groupSize);
  return s.forLoop(
      s.index(0), lists.groupSize, start,
      [&](Value i, ValueRange carried) -> SmallVector<Value> {
        Value head = s.add(firstHead, i);
        auto add = [&]() -> Value {
          Value factor = s.extract(sum.factors, {batch, t, head, slot});
          Value x = s.extract(sum.rows, {batch, t, head, d});
          return s.add(carried[0], s.mul(factor, s.cast(x, acc)));
        };
        return {unlessEmpty(s, lse, {batch, head, t}, carried[0], add)};
      })[0];
}

Value KeySums::sumOfKey(ScalarBuilder& s, ValueRange cell) {
  Value batch = cell[0], key = cell[1];
  Value first = s.cmpi(CmpIPredicate::eq, key, s.index(0));
  Value begin = s.lazySelect(
      first, s.b.getIndexType(), [&] { return s.index(0); },
      [&] {
        Value before = s.sub(key, s.index(1));
        return s.toIndex(s.extract(inverse.ends, {batch, before}));
      });
  Value end = s.toIndex(s.extract(inverse.ends, {batch, key}));
  return s.forLoop(begin, end, s.constant(lists.acc, 0.0),
                   [&](Value n, ValueRange carried) -> SmallVector<Value> {
                     Value place = s.toIndex(s.extract(
                         inverse.places, {batch, s.divIndex(n, lists.slots),
                                          s.remIndex(n, lists.slots)}));
                     return {sumOfPlace(s, cell, place, carried[0])};
                   })[0];
}

Value gsa::detail::makeSumByKey(AttentionLists& lists,
                                const InverseLists& inverse,
                                const SumByKey& sum, Value lse) {
  Type acc = lists.acc, data = getElementTypeOrSelf(sum.like.getType());
  KeySums sums{lists, inverse, sum, lse};
  return generateTensor(
      lists.b, lists.loc, tensor::getMixedSizes(lists.b, lists.loc, sum.like),
      data, [&](ScalarBuilder& s, ValueRange cell) {
        Value total = sums.sumOfKey(s, cell);
        return s.cast(s.mul(total, s.constant(acc, sum.scale)), data);
      });
}
