//===- GsaDecomposeGradient.cpp - meaning of the gradient ops -------------===//
//
// The gradient of a key is a sum over the rows that list it. Its terms are
// found by inverse lists, which are made once, in the order of the rows: every
// cell of every result is then a sum of its own in an order that nothing else
// decides.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaAttentionLists.h"
#include "dialect/Gsa/GsaElementwise.h"
#include "dialect/Gsa/GsaGradientOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static Value dimValue(OpBuilder& b, Location loc, Value tensor, int64_t i) {
  return getValueOrCreateConstantIndexOp(
      b, loc, tensor::getMixedSize(b, loc, tensor, i));
}

/// The sum over d < `size` of lhs[row.., d] * rhs[row.., d], in `acc`.
static Value dotRows(ScalarBuilder& s, Type acc, Value size, Value lhs,
                     Value rhs, ArrayRef<Value> row) {
  return s.forLoop(s.index(0), size, s.constant(acc, 0.0),
                   [&](Value d, ValueRange carried) -> SmallVector<Value> {
                     SmallVector<Value> at(row);
                     at.push_back(d);
                     Value left = s.cast(s.extract(lhs, at), acc);
                     Value right = s.cast(s.extract(rhs, at), acc);
                     return {s.add(carried[0], s.mul(left, right))};
                   })[0];
}

//===----------------------------------------------------------------------===//
// Row sums
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> AttentionRowSumsOp::decomposeOperation(
    OpBuilder& b) {
  Location loc = getLoc();
  Type acc = getElementTypeOrSelf(getRowSums().getType());
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes))) return failure();
  Value headSize = dimValue(b, loc, getOutput(), 3);
  Value sums = generateTensor(
      b, loc, shapes[0], acc, [&](ScalarBuilder& s, ValueRange cell) {
        Value sum = dotRows(s, acc, headSize, getOutput(), getOutputGrad(),
                            {cell[0], cell[2], cell[1]});
        if (!getLseGrad()) return sum;
        return s.sub(sum, s.extract(getLseGrad(), cell));
      });
  return SmallVector<Value>{sums};
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {

/// For each key the places of the lists that hold it, in the order of the rows
/// and, within a row, of its slots. Place t * K + i is slot i of row t.
struct InverseLists {
  /// [B,Sk], i64: where the places of a key end; they begin where those of the
  /// key before it end.
  Value ends;
  /// [B,Sq,K], i64: the places of all keys, one behind the other; place number
  /// n is at [n / K, n % K].
  Value places;
};

/// One sum over the rows that list a key.
struct SumByKey {
  Value factors;  ///< [B,Sq,H,K] in A(T): what a row gives to each of its keys.
  Value rows;     ///< [B,Sq,H,X]: what they multiply.
  Value like;     ///< A tensor of the result's shape [B,Sk,G,X] and type.
  double scale;   ///< Of the sum.
};

/// The decomposition of the gradient of attention over lists.
class AttentionGradient {
 public:
  AttentionGradient(OpBuilder& b, const AttentionForm& form, Value outputGrad,
                    Value lse, Value rowSums)
      : b(b),
        loc(form.op->getLoc()),
        lists(AttentionLists::of(b, form)),
        outputGrad(outputGrad),
        lse(lse),
        rowSums(rowSums),
        acc(lists.acc) {}

  /// The gradients of query, key and value.
  SmallVector<Value> make();

 private:
  /// What is carried through the entries of all lists.
  using EntryBody = llvm::function_ref<SmallVector<Value>(
      Value batch, Value t, Value slot, Value key, ValueRange carried)>;

  Value makeWeights(Value logits);
  Value makeLogitGrads(Value logits, Value weights);
  Value makeQueryGrad(Value logitGrads);
  Value makeSumByKey(const InverseLists& inverse, const SumByKey& sum);
  Value sumOfPlace(ScalarBuilder& s, const SumByKey& sum, ValueRange cell,
                   Value place, Value start);
  InverseLists invertLists();
  SmallVector<Value> forEntries(ValueRange init, EntryBody body);

  Value isLowest(ScalarBuilder& s, Value x) {
    return s.cmpf(CmpFPredicate::OEQ, x, s.constant(acc, -kInfinity));
  }
  /// Whether a head of a row has no keys.
  Value isEmpty(ScalarBuilder& s, Value batch, Value t, Value head) {
    return isLowest(s, s.extract(lse, {batch, head, t}));
  }
  Value sizeOf(Value tensor, int64_t i) { return dimValue(b, loc, tensor, i); }

  OpBuilder& b;
  Location loc;
  AttentionLists lists;
  Value outputGrad, lse, rowSums;
  Type acc;
};

}  // namespace

/// p, the softmax weights [B,Sq,H,K]: 0 in slots that hold no key.
Value AttentionGradient::makeWeights(Value logits) {
  return generateTensor(
      b, loc, tensor::getMixedSizes(b, loc, logits), acc,
      [&](ScalarBuilder& s, ValueRange cell) {
        Value logit = s.extract(logits, cell);
        Value rowLse = s.extract(lse, {cell[0], cell[2], cell[1]});
        Value noLogit = isLowest(s, logit), noKeys = isLowest(s, rowLse);
        Value none = arith::OrIOp::create(s.b, s.loc, noLogit, noKeys);
        return s.select(none, s.constant(acc, 0.0),
                        s.exp(s.sub(logit, rowLse)));
      });
}

/// dl, the gradients of logits [B,Sq,H,K]: 0 in slots that hold no key.
Value AttentionGradient::makeLogitGrads(Value logits, Value weights) {
  Value valueSize = sizeOf(outputGrad, 3);
  return generateTensor(
      b, loc, tensor::getMixedSizes(b, loc, logits), acc,
      [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], slot = cell[3];
        auto ofLogit = [&]() -> Value {
          Value key = lists.keyAt(s, batch, t, slot);
          Value group = lists.group(s, head);
          Value dp = s.forLoop(
              s.index(0), valueSize, s.constant(acc, 0.0),
              [&](Value d, ValueRange carried) -> SmallVector<Value> {
                Value grad = s.extract(outputGrad, {batch, t, head, d});
                Value v = s.extract(lists.form.value, {batch, key, group, d});
                return {s.add(carried[0],
                              s.mul(s.cast(grad, acc), s.cast(v, acc)))};
              })[0];
          Value rowSum = s.extract(rowSums, {batch, head, t});
          return s.mul(s.extract(weights, cell), s.sub(dp, rowSum));
        };
        Value noLogit = isLowest(s, s.extract(logits, cell));
        Value noKeys = isEmpty(s, batch, t, head);
        Value none = arith::OrIOp::create(s.b, s.loc, noLogit, noKeys);
        return s.lazySelect(
            none, acc, [&] { return s.constant(acc, 0.0); }, ofLogit);
      });
}

Value AttentionGradient::makeQueryGrad(Value logitGrads) {
  Value query = lists.form.query;
  Type data = getElementTypeOrSelf(query.getType());
  return generateTensor(
      b, loc, tensor::getMixedSizes(b, loc, query), data,
      [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], d = cell[3];
        auto sumOfKeys = [&]() -> Value {
          Value group = lists.group(s, head);
          Value sum = s.forLoop(
              lists.begin(s), lists.end(s, batch, t), s.constant(acc, 0.0),
              [&](Value slot, ValueRange carried) -> SmallVector<Value> {
                Value key = lists.keyAt(s, batch, t, slot);
                auto add = [&]() -> Value {
                  Value dl = s.extract(logitGrads, {batch, t, head, slot});
                  Value k = s.extract(lists.form.key, {batch, key, group, d});
                  return s.add(carried[0], s.mul(dl, s.cast(k, acc)));
                };
                return {s.lazySelect(lists.inRange(s, batch, key), acc, add,
                                     [&]() -> Value { return carried[0]; })};
              })[0];
          return s.mul(sum, s.constant(acc, lists.form.scale()));
        };
        Value sum = s.lazySelect(
            isEmpty(s, batch, t, head), acc,
            [&] { return s.constant(acc, 0.0); }, sumOfKeys);
        return s.cast(sum, data);
      });
}

/// Calls `body` for each entry of a list whose key exists, batches, rows and
/// slots in order.
SmallVector<Value> AttentionGradient::forEntries(ValueRange init,
                                                 EntryBody body) {
  ScalarBuilder s(b, loc);
  Value batches = sizeOf(lists.form.query, 0);
  Value queries = sizeOf(lists.form.query, 1);
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
InverseLists AttentionGradient::invertLists() {
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
      forEntries(none,
                 [&](Value batch, Value, Value, Value key,
                     ValueRange carried) -> SmallVector<Value> {
                   Value count = s.extract(carried[0], {batch, key});
                   return {insert(s.add(count, one), carried[0], {batch, key})};
                 })[0];
  Value starts =
      s.forLoop(s.index(0), sizeOf(lists.form.key, 0), counts,
                [&](Value batch, ValueRange outer) -> SmallVector<Value> {
                  return {s.forLoop(
                      s.index(0), lists.keys, {outer[0], zero},
                      [&](Value key, ValueRange carried) -> SmallVector<Value> {
                        Value count = s.extract(carried[0], {batch, key});
                        return {insert(carried[1], carried[0], {batch, key}),
                                s.add(carried[1], count)};
                      })[0]};
                })[0];
  Value places =
      emptyTensor(b, loc, sizes(lists.form.indices, 3), b.getI64Type());
  SmallVector<Value> filled =
      forEntries({starts, places},
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

/// `start` and the terms of the heads of one place, one after the other.
Value AttentionGradient::sumOfPlace(ScalarBuilder& s, const SumByKey& sum,
                                    ValueRange cell, Value place, Value start) {
  Value batch = cell[0], group = cell[2], d = cell[3];
  Value t = s.divIndex(place, lists.slots),
        slot = s.remIndex(place, lists.slots);
  Value firstHead = s.mul(group, lists.groupSize);
  return s.forLoop(s.index(0), lists.groupSize, start,
                   [&](Value i, ValueRange carried) -> SmallVector<Value> {
                     Value head = s.add(firstHead, i);
                     auto add = [&]() -> Value {
                       Value factor =
                           s.extract(sum.factors, {batch, t, head, slot});
                       Value x = s.extract(sum.rows, {batch, t, head, d});
                       return s.add(carried[0], s.mul(factor, s.cast(x, acc)));
                     };
                     return {s.lazySelect(
                         isEmpty(s, batch, t, head), acc,
                         [&]() -> Value { return carried[0]; }, add)};
                   })[0];
}

Value AttentionGradient::makeSumByKey(const InverseLists& inverse,
                                      const SumByKey& sum) {
  Type data = getElementTypeOrSelf(sum.like.getType());
  return generateTensor(
      b, loc, tensor::getMixedSizes(b, loc, sum.like), data,
      [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], key = cell[1];
        Value first = s.cmpi(CmpIPredicate::eq, key, s.index(0));
        Value begin = s.lazySelect(
            first, s.b.getIndexType(), [&] { return s.index(0); },
            [&] {
              Value before = s.sub(key, s.index(1));
              return s.toIndex(s.extract(inverse.ends, {batch, before}));
            });
        Value end = s.toIndex(s.extract(inverse.ends, {batch, key}));
        Value total =
            s.forLoop(begin, end, s.constant(acc, 0.0),
                      [&](Value n, ValueRange carried) -> SmallVector<Value> {
                        Value place = s.toIndex(s.extract(
                            inverse.places, {batch, s.divIndex(n, lists.slots),
                                             s.remIndex(n, lists.slots)}));
                        return {sumOfPlace(s, sum, cell, place, carried[0])};
                      })[0];
        return s.cast(s.mul(total, s.constant(acc, sum.scale)), data);
      });
}

SmallVector<Value> AttentionGradient::make() {
  Value logits = makeLogits(lists);
  Value weights = makeWeights(logits);
  Value logitGrads = makeLogitGrads(logits, weights);
  InverseLists inverse = invertLists();
  const AttentionForm& form = lists.form;
  return {
      makeQueryGrad(logitGrads),
      makeSumByKey(inverse, {logitGrads, form.query, form.key, form.scale()}),
      makeSumByKey(inverse, {weights, outputGrad, form.value, 1.0})};
}

FailureOr<SmallVector<Value>> GatherAttentionGradOp::decomposeOperation(
    OpBuilder& b) {
  AttentionForm form = makeAttentionForm(*this);
  form.indices = getIndices();
  form.counts = getCounts();
  return AttentionGradient(b, form, getOutputGrad(), getLse(), getRowSums())
      .make();
}

FailureOr<SmallVector<Value>> DenseAttentionGradOp::decomposeOperation(
    OpBuilder& b) {
  AttentionForm form = makeAttentionForm(*this);
  form.mask = getMask();
  VisibleKeys keys = listVisibleKeys(b, form);
  auto gather = GatherAttentionGradOp::create(
      b, getLoc(), getResultTypes(), getQuery(), getKey(), getValue(),
      keys.indices, keys.counts, getOutputGrad(), getLse(), getRowSums(),
      /*lengths=*/Value(), getScaleAttr());
  return SmallVector<Value>(gather.getResults());
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

/// act'(z), without 1 - s(z), which rounds to 0 where z is large.
static Value gateSlope(ScalarBuilder& s, GateActivation activation, Value z) {
  auto constant = [&](double x) { return s.constant(z.getType(), x); };
  switch (activation) {
    case GateActivation::Sigmoid:
      return s.mul(s.sigmoid(z), s.sigmoid(s.neg(z)));
    case GateActivation::Tanh: {
      Value twice = s.mul(constant(2.0), z);
      Value product = s.mul(s.sigmoid(twice), s.sigmoid(s.neg(twice)));
      return s.mul(constant(2.0), product);
    }
    case GateActivation::Silu: {
      Value rest = s.mul(z, s.sigmoid(s.neg(z)));
      return s.mul(s.sigmoid(z), s.add(constant(1.0), rest));
    }
  }
  llvm_unreachable("unknown gate activation");
}

FailureOr<SmallVector<Value>> GateGradOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  auto logitType = cast<RankedTensorType>(getLogits().getType());
  Type data = getElementTypeOrSelf(getInput().getType());
  Type logitData = logitType.getElementType();
  Type acc = getAccumulatorType(data);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  AffineMap logitMap = identity.getMajorSubMap(logitType.getRank());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, getInput());
  Value inputGrad = elementwise(
      b, loc, {getOutputGrad(), getLogits()}, {identity, logitMap},
      emptyTensor(b, loc, sizes, data), [&](ScalarBuilder& s, ValueRange x) {
        Value gate = applyGate(s, getActivation(), s.cast(x[1], acc));
        return s.cast(s.mul(s.cast(x[0], acc), gate), data);
      });
  if (logitType.getRank() == 4) {
    Value logitsGrad = elementwise(
        b, loc, {getOutputGrad(), getInput(), getLogits()},
        {identity, identity, identity}, emptyTensor(b, loc, sizes, logitData),
        [&](ScalarBuilder& s, ValueRange x) {
          Value product = s.mul(s.cast(x[0], acc), s.cast(x[1], acc));
          Value slope = gateSlope(s, getActivation(), s.cast(x[2], acc));
          return s.cast(s.mul(product, slope), logitData);
        });
    return SmallVector<Value>{inputGrad, logitsGrad};
  }
  Value headSize = dimValue(b, loc, getInput(), 3);
  Value logitsGrad = generateTensor(
      b, loc, ArrayRef(sizes).drop_back(), logitData,
      [&](ScalarBuilder& s, ValueRange head) {
        Value sum = dotRows(s, acc, headSize, getOutputGrad(), getInput(),
                            {head[0], head[1], head[2]});
        Value slope = gateSlope(s, getActivation(),
                                s.cast(s.extract(getLogits(), head), acc));
        return s.cast(s.mul(sum, slope), logitData);
      });
  return SmallVector<Value>{inputGrad, logitsGrad};
}
