//===- GsaDecomposeAttention.cpp - meaning of the attention ops -----------===//

#include <limits>

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaShapes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static OpFoldResult dim(OpBuilder& b, Location loc, Value tensor, int64_t i) {
  return tensor::getMixedSize(b, loc, tensor, i);
}

static Value dimValue(OpBuilder& b, Location loc, Value tensor, int64_t i) {
  return getValueOrCreateConstantIndexOp(b, loc, dim(b, loc, tensor, i));
}

namespace {
/// Values that all steps of a gather_attention decomposition use.
struct GatherParts {
  GatherAttentionOp op;
  OpBuilder& b;
  Location loc;
  Type acc;
  /// Sk, D, r = H / G and K as index values.
  Value keys, headSize, groupSize, slots;

  /// Row's key at `slot`, as an index value.
  Value keyAt(ScalarBuilder& s, Value batch, Value t, Value slot) {
    return s.toIndex(s.extract(op.getIndices(), {batch, t, slot}));
  }

  /// Row's number of listed keys. A count beyond the list is cut to its
  /// length; a negative one lists nothing.
  Value count(ScalarBuilder& s, Value batch, Value t) {
    Value count = s.toIndex(s.extract(op.getCounts(), {batch, t}));
    return arith::MinSIOp::create(s.builder(), s.location(), count, slots);
  }

  Value group(ScalarBuilder& s, Value head) {
    return arith::DivUIOp::create(s.builder(), s.location(), head, groupSize);
  }

  /// Whether `key` (index value) lies in [0, Sk): as unsigned, negative
  /// indices are huge.
  Value inRange(ScalarBuilder& s, Value key) {
    return s.cmpi(CmpIPredicate::ult, key, keys);
  }
};
}  // namespace

/// Logits [B,Sq,H,K]; -inf in slots that hold no key.
static Value makeLogits(GatherParts& p) {
  auto queryType = cast<RankedTensorType>(p.op.getQuery().getType());
  double scale = getScaleOrDefault(p.op.getScale(), queryType.getDimSize(3));
  SmallVector<OpFoldResult> shape = {dim(p.b, p.loc, p.op.getQuery(), 0),
                                     dim(p.b, p.loc, p.op.getQuery(), 1),
                                     dim(p.b, p.loc, p.op.getQuery(), 2),
                                     dim(p.b, p.loc, p.op.getIndices(), 2)};
  return generateTensor(
      p.b, p.loc, shape, p.acc, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], slot = cell[3];
        auto none = [&] { return s.constant(p.acc, -kInfinity); };
        auto dot = [&](Value key) {
          Value group = p.group(s, head);
          Value sum = s.forLoop(
              s.index(0), p.headSize, s.constant(p.acc, 0.0),
              [&](Value d, ValueRange carried) -> SmallVector<Value> {
                Value q = s.extract(p.op.getQuery(), {batch, t, head, d});
                Value k = s.extract(p.op.getKey(), {batch, key, group, d});
                return {s.add(carried[0],
                              s.mul(s.cast(q, p.acc), s.cast(k, p.acc)))};
              })[0];
          return s.mul(sum, s.constant(p.acc, scale));
        };
        Value listed = s.cmpi(CmpIPredicate::slt, slot, p.count(s, batch, t));
        return s.lazySelect(
            listed, p.acc,
            [&]() -> Value {
              Value key = p.keyAt(s, batch, t, slot);
              return s.lazySelect(
                  p.inRange(s, key), p.acc, [&] { return dot(key); }, none);
            },
            none);
      });
}

/// log-sum-exp [B,H,Sq] of the logits; -inf for a row without keys.
static Value makeLse(GatherParts& p, Value logits) {
  SmallVector<OpFoldResult> shape = {dim(p.b, p.loc, p.op.getQuery(), 0),
                                     dim(p.b, p.loc, p.op.getQuery(), 2),
                                     dim(p.b, p.loc, p.op.getQuery(), 1)};
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
static Value makeWeights(GatherParts& p, Value logits, Value lse) {
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

static Value makeOutput(GatherParts& p, Value weights) {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(p.op.reifyResultShapes(p.b, shapes))) return Value();
  Type data =
      cast<RankedTensorType>(p.op.getQuery().getType()).getElementType();
  return generateTensor(
      p.b, p.loc, shapes[0], data, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], head = cell[2], d = cell[3];
        Value group = p.group(s, head);
        Value sum = s.forLoop(
            s.index(0), p.count(s, batch, t), s.constant(p.acc, 0.0),
            [&](Value slot, ValueRange carried) -> SmallVector<Value> {
              Value key = p.keyAt(s, batch, t, slot);
              Value next = s.lazySelect(
                  p.inRange(s, key), p.acc,
                  [&]() -> Value {
                    Value w = s.extract(weights, {batch, t, head, slot});
                    Value v =
                        s.extract(p.op.getValue(), {batch, key, group, d});
                    return s.add(carried[0], s.mul(w, s.cast(v, p.acc)));
                  },
                  [&]() -> Value { return carried[0]; });
              return {next};
            })[0];
        return s.cast(sum, data);
      });
}

FailureOr<SmallVector<Value>> GatherAttentionOp::decomposeOperation(
    OpBuilder& b) {
  Location loc = getLoc();
  auto queryType = cast<RankedTensorType>(getQuery().getType());
  Value heads = dimValue(b, loc, getQuery(), 2);
  Value groups = dimValue(b, loc, getKey(), 2);
  Value ratio = arith::DivUIOp::create(b, loc, heads, groups);
  GatherParts parts{*this,
                    b,
                    loc,
                    getAccumulatorType(queryType.getElementType()),
                    dimValue(b, loc, getKey(), 1),
                    dimValue(b, loc, getQuery(), 3),
                    ratio,
                    dimValue(b, loc, getIndices(), 2)};
  Value logits = makeLogits(parts);
  Value lse = makeLse(parts, logits);
  Value output = makeOutput(parts, makeWeights(parts, logits, lse));
  if (!output) return failure();
  return SmallVector<Value>{output, lse};
}

FailureOr<SmallVector<Value>> DenseAttentionOp::decomposeOperation(
    OpBuilder& b) {
  Location loc = getLoc();
  Value queries = dimValue(b, loc, getQuery(), 1);
  Value keys = dimValue(b, loc, getKey(), 1);
  OpFoldResult batchSize = dim(b, loc, getQuery(), 0);
  OpFoldResult rows = dim(b, loc, getQuery(), 1);
  // The visible keys of a row are a prefix: list all keys, count the visible.
  Value indices = generateTensor(
      b, loc, {batchSize, rows, dim(b, loc, getKey(), 1)}, b.getI32Type(),
      [&](ScalarBuilder& s, ValueRange cell) { return s.toI32(cell[2]); });
  Value counts = generateTensor(
      b, loc, {batchSize, rows}, b.getI32Type(),
      [&](ScalarBuilder& s, ValueRange row) -> Value {
        if (getMask() == Mask::None) return s.toI32(keys);
        Value end = s.sub(s.add(s.add(row[1], s.index(1)), keys), queries);
        Value none = s.index(0);
        end = arith::MaxSIOp::create(s.builder(), s.location(), end, none);
        end = arith::MinSIOp::create(s.builder(), s.location(), end, keys);
        return s.toI32(end);
      });
  auto gather =
      GatherAttentionOp::create(b, loc, getResultTypes(), getQuery(), getKey(),
                                getValue(), indices, counts, getScaleAttr());
  return SmallVector<Value>(gather.getResults());
}
