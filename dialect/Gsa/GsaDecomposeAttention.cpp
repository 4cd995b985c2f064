//===- GsaDecomposeAttention.cpp - meaning of the attention ops -----------===//

#include <limits>

#include "dialect/Gsa/GsaAttentionLists.h"
#include "dialect/Gsa/GsaShapes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static OpFoldResult dim(OpBuilder& b, Location loc, Value tensor, int64_t i) {
  return tensor::getMixedSize(b, loc, tensor, i);
}

/// What the gate multiplies a cell of the output by.
static Value gateOf(AttentionLists& p, ScalarBuilder& s, ArrayRef<Value> cell) {
  auto type = cast<RankedTensorType>(p.form.gate.getType());
  Value logit = s.extract(p.form.gate, cell.take_front(type.getRank()));
  return applyGate(s, p.form.gateActivation, s.cast(logit, p.acc));
}

Value gsa::detail::makeLogits(AttentionLists& p) {
  double scale = p.form.scale();
  SmallVector<OpFoldResult> shape = {
      dim(p.b, p.loc, p.form.query, 0), dim(p.b, p.loc, p.form.query, 1),
      dim(p.b, p.loc, p.form.query, 2), dim(p.b, p.loc, p.form.indices, 2)};
  return generateTensor(
      p.b, p.loc, shape, p.acc, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], slot = cell[3];
        auto none = [&] { return s.constant(p.acc, -kInfinity); };
        auto dot = [&](Value key) {
          Value group = p.group(s, head);
          Value sum = s.forLoop(
              s.index(0), p.headSize, s.constant(p.acc, 0.0),
              [&](Value d, ValueRange carried) -> SmallVector<Value> {
                Value q = s.extract(p.form.query, {batch, t, head, d});
                Value k = s.extract(p.form.key, {batch, key, group, d});
                return {s.add(carried[0],
                              s.mul(s.cast(q, p.acc), s.cast(k, p.acc)))};
              })[0];
          return s.mul(sum, s.constant(p.acc, scale));
        };
        return s.lazySelect(
            p.isListed(s, batch, t, slot), p.acc,
            [&]() -> Value {
              Value key = p.keyAt(s, batch, t, slot);
              return s.lazySelect(
                  p.inRange(s, batch, key), p.acc, [&] { return dot(key); },
                  none);
            },
            none);
      });
}

/// log-sum-exp [B,H,Sq] of the logits; -inf for a row without keys.
static Value makeLse(AttentionLists& p, Value logits) {
  SmallVector<OpFoldResult> shape = {dim(p.b, p.loc, p.form.query, 0),
                                     dim(p.b, p.loc, p.form.query, 2),
                                     dim(p.b, p.loc, p.form.query, 1)};
  return generateTensor(
      p.b, p.loc, shape, p.acc, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], head = cell[1], t = cell[2];
        auto logit = [&](Value slot) {
          return s.extract(logits, {batch, t, head, slot});
        };
        Value lowest = s.constant(p.acc, -kInfinity);
        Value maximum =
            s.forLoop(s.index(0), p.slots, lowest,
                      [&](Value slot, ValueRange best) -> SmallVector<Value> {
                        return {arith::MaximumFOp::create(
                            s.builder(), s.location(), best[0], logit(slot))};
                      })[0];
        // Without a finite maximum, exp(l - max) would be exp(-inf + inf).
        Value empty = s.cmpf(CmpFPredicate::OEQ, maximum, lowest);
        Value shift = s.select(empty, s.constant(p.acc, 0.0), maximum);
        Value sum = s.forLoop(
            s.index(0), p.slots, s.constant(p.acc, 0.0),
            [&](Value slot, ValueRange carried) -> SmallVector<Value> {
              return {s.add(carried[0], s.exp(s.sub(logit(slot), shift)))};
            })[0];
        Value logSum = math::LogOp::create(s.builder(), s.location(), sum);
        return s.select(empty, lowest, s.add(logSum, shift));
      });
}

/// Softmax weights [B,Sq,H,K]; 0 in slots that hold no key.
static Value makeWeights(AttentionLists& p, Value logits, Value lse) {
  return generateTensor(p.b, p.loc, tensor::getMixedSizes(p.b, p.loc, logits),
                        p.acc, [&](ScalarBuilder& s, ValueRange cell) {
                          Value logit = s.extract(logits, cell);
                          Value rowLse =
                              s.extract(lse, {cell[0], cell[2], cell[1]});
                          Value none = s.cmpf(CmpFPredicate::OEQ, logit,
                                              s.constant(p.acc, -kInfinity));
                          return s.select(none, s.constant(p.acc, 0.0),
                                          s.exp(s.sub(logit, rowLse)));
                        });
}

static Value makeOutput(AttentionLists& p, Value weights) {
  ReifiedRankedShapedTypeDims shapes;
  auto shaped = cast<ReifyRankedShapedTypeOpInterface>(p.form.op);
  if (failed(shaped.reifyResultShapes(p.b, shapes))) return Value();
  Type data = cast<RankedTensorType>(p.form.op->getResult(0).getType())
                  .getElementType();
  return generateTensor(
      p.b, p.loc, shapes[0], data, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], d = cell[3];
        Value group = p.group(s, head);
        Value sum = s.forLoop(
            p.begin(s), p.end(s, batch, t), s.constant(p.acc, 0.0),
            [&](Value slot, ValueRange carried) -> SmallVector<Value> {
              Value key = p.keyAt(s, batch, t, slot);
              Value next = s.lazySelect(
                  p.inRange(s, batch, key), p.acc,
                  [&]() -> Value {
                    Value w = s.extract(weights, {batch, t, head, slot});
                    Value v = s.extract(p.form.value, {batch, key, group, d});
                    return s.add(carried[0], s.mul(w, s.cast(v, p.acc)));
                  },
                  [&]() -> Value { return carried[0]; });
              return {next};
            })[0];
        if (p.form.gate) sum = s.mul(sum, gateOf(p, s, {batch, t, head, d}));
        return s.cast(sum, data);
      });
}

AttentionLists AttentionLists::of(OpBuilder& b, const AttentionForm& form) {
  Location loc = form.op->getLoc();
  auto queryType = cast<RankedTensorType>(form.query.getType());
  Value heads = dimValue(b, loc, form.query, 2);
  Value groups = dimValue(b, loc, form.key, 2);
  Value ratio = arith::DivUIOp::create(b, loc, heads, groups);
  return {form,
          b,
          loc,
          getAccumulatorType(queryType.getElementType()),
          dimValue(b, loc, form.key, 1),
          dimValue(b, loc, form.query, 3),
          ratio,
          dimValue(b, loc, form.indices, 2)};
}

/// Attention over lists, or over a range of them.
static FailureOr<SmallVector<Value>> attendToLists(OpBuilder& b,
                                                   const AttentionForm& form) {
  AttentionLists parts = AttentionLists::of(b, form);
  Value logits = makeLogits(parts);
  Value lse = makeLse(parts, logits);
  Value output = makeOutput(parts, makeWeights(parts, logits, lse));
  if (!output) return failure();
  return SmallVector<Value>{output, lse};
}

FailureOr<SmallVector<Value>> GatherAttentionOp::decomposeOperation(
    OpBuilder& b) {
  return attendToLists(b, AttentionForm::of(*this));
}

VisibleKeys gsa::detail::listVisibleKeys(OpBuilder& b,
                                         const AttentionForm& form) {
  Location loc = form.op->getLoc();
  Value queries = dimValue(b, loc, form.query, 1);
  Value all = dimValue(b, loc, form.key, 1);
  OpFoldResult batchSize = dim(b, loc, form.query, 0);
  OpFoldResult rows = dim(b, loc, form.query, 1);
  Value indices = generateTensor(
      b, loc, {batchSize, rows, dim(b, loc, form.key, 1)}, b.getI32Type(),
      [&](ScalarBuilder& s, ValueRange cell) { return s.toI32(cell[2]); });
  Value counts = generateTensor(
      b, loc, {batchSize, rows}, b.getI32Type(),
      [&](ScalarBuilder& s, ValueRange row) -> Value {
        Value keys = countKeys(s, form.lengths, row[0], all);
        if (form.mask == Mask::None) return s.toI32(keys);
        Value end = s.sub(s.add(s.add(row[1], s.index(1)), keys), queries);
        return s.toI32(s.min(s.max(end, s.index(0)), keys));
      });
  return {indices, counts};
}

FailureOr<SmallVector<Value>> DenseAttentionOp::decomposeOperation(
    OpBuilder& b) {
  VisibleKeys keys = listVisibleKeys(b, AttentionForm::of(*this));
  auto gather = GatherAttentionOp::create(
      b, getLoc(), getResultTypes(), getQuery(), getKey(), getValue(),
      keys.indices, keys.counts, getGate(), /*lengths=*/Value(), getScaleAttr(),
      getGateActivationAttr());
  return SmallVector<Value>(gather.getResults());
}

FailureOr<SmallVector<Value>> PartialAttentionOp::decomposeOperation(
    OpBuilder& b) {
  AttentionForm form = AttentionForm::of(*this);
  if (!form.isDense()) return attendToLists(b, form);
  VisibleKeys keys = listVisibleKeys(b, form);
  auto listed = PartialAttentionOp::create(
      b, getLoc(), getResultTypes(), getQuery(), getKey(), getValue(),
      keys.indices, keys.counts, /*lengths=*/Value(), getFirstAttr(),
      getSizeAttr(), getScaleAttr(), /*mask=*/MaskAttr());
  return SmallVector<Value>(listed.getResults());
}
