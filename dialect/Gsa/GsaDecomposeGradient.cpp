//===- GsaDecomposeGradient.cpp - meaning of the gradient ops -------------===//
//
// Every cell of every result is a sum of its own in an order that nothing else
// decides; those of keys are found by inverse lists (GsaInverseLists.cpp).
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaAttentionLists.h"
#include "dialect/Gsa/GsaElementwise.h"
#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaSlopes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

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
  Value makeLogitGrads(Value logits, Value weights);

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

SmallVector<Value> AttentionGradient::make() {
  Value logits = makeLogits(lists);
  Value weights = makeWeightsOfLse(lists, logits, lse);
  Value logitGrads = makeLogitGrads(logits, weights);
  InverseLists inverse = InverseLists::of(lists);
  const AttentionForm& form = lists.form;
  return {makeQueryGrad(lists, logitGrads, lse),
          makeSumByKey(lists, inverse,
                       {logitGrads, form.query, form.key, form.scale()}, lse),
          makeSumByKey(lists, inverse, {weights, outputGrad, form.value, 1.0},
                       lse)};
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
