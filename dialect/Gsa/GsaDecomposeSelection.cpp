//===- GsaDecomposeSelection.cpp - meaning of the selection ops -----------===//
//
// Written to be read: every cell of a result is a scalar loop over what it
// depends on. Speed is the business of the lowering passes.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaShapes.h"
#include "dialect/Gsa/GsaSlopes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A cell is visible iff its score exceeds -inf; the comparison is ordered, so
/// NaN is not visible.
static Value isVisibleScore(ScalarBuilder& s, Value score) {
  return s.cmpf(CmpFPredicate::OGT, score,
                s.constant(score.getType(), -kInfinity));
}

FailureOr<SmallVector<Value>> IndexScoresOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  auto queryType = cast<RankedTensorType>(getQuery().getType());
  Type acc = getAccumulatorType(queryType.getElementType());
  double scale = getScaleOrDefault(getScale(), queryType.getDimSize(3));
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes))) return failure();
  Value queries = dimValue(b, loc, getQuery(), 1);
  Value keys = dimValue(b, loc, getKey(), 1);
  Value heads = dimValue(b, loc, getQuery(), 2);
  Value headSize = dimValue(b, loc, getQuery(), 3);

  Value scores = generateTensor(
      b, loc, shapes[0], acc, [&](ScalarBuilder& s, ValueRange cell) {
        Value batch = cell[0], t = cell[1], key = cell[2];
        auto dot = [&](Value head) {
          return s.forLoop(
              s.index(0), headSize, s.constant(acc, 0.0),
              [&](Value d, ValueRange sum) -> SmallVector<Value> {
                Value q = s.extract(getQuery(), {batch, t, head, d});
                Value k = s.extract(getKey(), {batch, key, d});
                return {s.add(sum[0], s.mul(s.cast(q, acc), s.cast(k, acc)))};
              })[0];
        };
        auto score = [&] {
          return s.forLoop(
              s.index(0), heads, s.constant(acc, 0.0),
              [&](Value head, ValueRange sum) -> SmallVector<Value> {
                Value z = s.mul(dot(head), s.constant(acc, scale));
                if (getBias())
                  z = s.add(z, s.cast(s.extract(getBias(), head), acc));
                Value term = applyScoreActivation(s, getScoreActivation(), z);
                if (getWeights()) {
                  Value w =
                      s.cast(s.extract(getWeights(), {batch, t, head}), acc);
                  w = applyWeightActivation(s, getWeightActivation(), w);
                  term = s.mul(w, term);
                }
                return {s.add(sum[0], term)};
              })[0];
        };
        Value present = countKeys(s, getLengths(), batch, keys);
        Value visible = isVisible(s, getMask(), t, key, queries, present);
        // Under a causal mask the last query sees `present` keys.
        if (getLengths() && getMask() == Mask::None)
          visible = s.cmpi(CmpIPredicate::slt, key, present);
        return s.lazySelect(visible, acc, score,
                            [&] { return s.constant(acc, -kInfinity); });
      });
  return SmallVector<Value>{scores};
}

//===----------------------------------------------------------------------===//
// Row statistics
//===----------------------------------------------------------------------===//

/// sum over the visible cells of a row of `term(x)`, in `type`.
static Value sumVisible(ScalarBuilder& s, Value scores, ValueRange row,
                        Value keys, Type type,
                        llvm::function_ref<Value(Value)> term) {
  return s.forLoop(s.index(0), keys, s.constant(type, 0.0),
                   [&](Value key, ValueRange sum) -> SmallVector<Value> {
                     Value x = s.extract(scores, {row[0], row[1], key});
                     Value next = s.add(sum[0], term(x));
                     return {s.select(isVisibleScore(s, x), next, sum[0])};
                   })[0];
}

/// Two passes (mean, then centred squares): the one-pass formula cancels when
/// the variance is small beside the mean, which is GSA's usual case. Sums are
/// in f64: in f32, the order in which large scores are added would decide
/// between a variance of 0, inf and NaN.
static Value rowVariance(ScalarBuilder& s, RowStatisticsOp op, ValueRange row,
                         Value keys, Value visible, Type acc) {
  Type f64 = s.builder().getF64Type();
  Value scores = op.getScores();
  Value sum = sumVisible(s, scores, row, keys, f64,
                         [&](Value x) { return s.cast(x, f64); });
  bool zeroFilled = op.getPopulation() == Population::ZeroFilled;
  Value visibleCount = s.toFloat(visible, f64);
  Value count = zeroFilled ? s.toFloat(keys, f64) : visibleCount;
  Value mean = s.div(sum, count);
  Value squares = sumVisible(s, scores, row, keys, f64, [&](Value x) {
    Value centred = s.sub(s.cast(x, f64), mean);
    return s.mul(centred, centred);
  });
  if (zeroFilled)  // Each cell that counts as 0 adds mean^2.
    squares =
        s.add(squares, s.mul(s.sub(count, visibleCount), s.mul(mean, mean)));
  Value divisor =
      s.sub(count, s.constant(f64, static_cast<double>(op.getCorrection())));
  Value enough = s.cmpf(CmpFPredicate::OGE, divisor, s.constant(f64, 1.0));
  Value value = s.select(enough, s.div(squares, divisor), s.constant(f64, 0.0));
  return s.cast(value, acc);
}

static Value rowEntropy(ScalarBuilder& s, RowStatisticsOp op, ValueRange row,
                        Value keys, Type acc) {
  Value scores = op.getScores();
  Value maximum =
      s.forLoop(s.index(0), keys, s.constant(acc, -kInfinity),
                [&](Value key, ValueRange best) -> SmallVector<Value> {
                  Value x = s.extract(scores, {row[0], row[1], key});
                  Value larger = s.cmpf(CmpFPredicate::OGT, x, best[0]);
                  return {s.select(larger, x, best[0])};
                })[0];
  Value total = sumVisible(s, scores, row, keys, acc,
                           [&](Value x) { return s.exp(s.sub(x, maximum)); });
  Value entropy = sumVisible(s, scores, row, keys, acc, [&](Value x) {
    Value p = s.div(s.exp(s.sub(x, maximum)), total);
    Value logP = math::LogOp::create(s.builder(), s.location(),
                                     s.add(p, s.constant(acc, 1e-10)));
    return s.neg(s.mul(p, logP));
  });
  return entropy;
}

FailureOr<SmallVector<Value>> RowStatisticsOp::decomposeOperation(
    OpBuilder& b) {
  Location loc = getLoc();
  Type acc = cast<RankedTensorType>(getScores().getType()).getElementType();
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes))) return failure();
  Value keys = dimValue(b, loc, getScores(), 2);
  Value visible = generateTensor(
      b, loc, shapes[1], b.getI32Type(), [&](ScalarBuilder& s, ValueRange row) {
        return s.forLoop(
            s.index(0), keys, s.i32(0),
            [&](Value key, ValueRange count) -> SmallVector<Value> {
              Value x = s.extract(getScores(), {row[0], row[1], key});
              Value more = s.add(count[0], s.i32(1));
              return {s.select(isVisibleScore(s, x), more, count[0])};
            })[0];
      });
  Value value = generateTensor(
      b, loc, shapes[0], acc, [&](ScalarBuilder& s, ValueRange row) {
        if (getStatistic() == Statistic::Entropy)
          return rowEntropy(s, *this, row, keys, acc);
        return rowVariance(s, *this, row, keys, s.extract(visible, row), acc);
      });
  return SmallVector<Value>{value, visible};
}

FailureOr<SmallVector<Value>> StatMeanOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  Type acc = cast<RankedTensorType>(getValues().getType()).getElementType();
  Value batches = dimValue(b, loc, getValues(), 0);
  Value rows = dimValue(b, loc, getValues(), 1);
  Value mean =
      generateTensor(b, loc, {}, acc, [&](ScalarBuilder& s, ValueRange) {
        // In f64: neither 2^24 rows nor large statistics are too much.
        Type f64 = b.getF64Type();
        SmallVector<Value> zero = {s.constant(f64, 0.0), s.constant(f64, 0.0)};
        auto addRow = [&](Value batch, Value t,
                          ValueRange carried) -> SmallVector<Value> {
          Value x = s.extract(getValues(), {batch, t});
          // x - x is 0 for finite x and NaN otherwise.
          Value finite = s.cmpf(CmpFPredicate::ORD, s.sub(x, x), x);
          Value sum = s.add(carried[0], s.cast(x, f64));
          Value count = s.add(carried[1], s.constant(f64, 1.0));
          return {s.select(finite, sum, carried[0]),
                  s.select(finite, count, carried[1])};
        };
        SmallVector<Value> totals = s.forLoop(
            s.index(0), batches, zero, [&](Value batch, ValueRange outer) {
              return s.forLoop(s.index(0), rows, outer,
                               [&](Value t, ValueRange inner) {
                                 return addRow(batch, t, inner);
                               });
            });
        Value any = s.cmpf(CmpFPredicate::OGT, totals[1], zero[0]);
        return s.cast(s.select(any, s.div(totals[0], totals[1]), zero[0]), acc);
      });
  return SmallVector<Value>{mean};
}

//===----------------------------------------------------------------------===//
// Budget
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> AdaptiveKOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes))) return failure();
  Value budgets = generateTensor(
      b, loc, shapes[0], b.getI32Type(), [&](ScalarBuilder& s, ValueRange row) {
        Value visible = s.extract(getVisible(), row);
        Value statistic =
            getStatistic() ? s.extract(getStatistic(), row) : Value();
        Value normaliser =
            getNormaliser() ? s.extract(getNormaliser(), {}) : Value();
        return computeBudget(s, getPolicy(), visible, statistic, normaliser);
      });
  return SmallVector<Value>{budgets};
}

//===----------------------------------------------------------------------===//
// Top-k
//===----------------------------------------------------------------------===//

namespace {
/// The order in which a row's cells are kept, in plain sight.
struct CellOrder {
  TopKOp op;
  ScalarBuilder& s;
  Value batch, row, keys, lastVisible;

  Value score(Value key) {
    return s.extract(op.getScores(), {batch, row, key});
  }

  /// Forced positions come first.
  Value isForced(Value key) {
    Value sink = s.cmpi(CmpIPredicate::slt, key, s.index(op.getSink()));
    Value local = s.cmpi(CmpIPredicate::sgt, s.add(key, s.index(op.getLocal())),
                         lastVisible);
    return arith::OrIOp::create(s.builder(), s.location(), sink, local);
  }

  /// Whether visible cell `u` is kept before visible cell `v`: forced before
  /// free; among forced the smaller index; among free the larger score, then
  /// the smaller index.
  Value precedes(Value u, Value v) {
    Value smaller = s.cmpi(CmpIPredicate::slt, u, v);
    Value larger = s.cmpf(CmpFPredicate::OGT, score(u), score(v));
    Value equal = s.cmpf(CmpFPredicate::OEQ, score(u), score(v));
    Value free = s.select(equal, smaller, larger);
    if (op.getSink() == 0 && op.getLocal() == 0) return free;
    Value forcedU = isForced(u), forcedV = isForced(v);
    Value differ = s.cmpi(CmpIPredicate::ne, forcedU, forcedV);
    return s.select(differ, forcedU, s.select(forcedU, smaller, free));
  }

  /// Number of visible cells that precede `key`.
  Value rank(Value key) {
    return s.forLoop(
        s.index(0), keys, s.i32(0),
        [&](Value u, ValueRange count) -> SmallVector<Value> {
          Value before = arith::AndIOp::create(s.builder(), s.location(),
                                               isVisibleScore(s, score(u)),
                                               precedes(u, key));
          return {s.select(before, s.add(count[0], s.i32(1)), count[0])};
        })[0];
  }
};
}  // namespace

/// Fills one row: (indices, counts, status) -> the same, updated.
static SmallVector<Value> selectRow(TopKOp op, ScalarBuilder& s, Value batch,
                                    Value row, Value keys, ValueRange carried) {
  OpBuilder& b = s.builder();
  Location loc = s.location();
  CellOrder order{op, s, batch, row, keys, Value()};
  // Index of the last visible cell (-1 if none) and the number of NaN.
  Value minusOne = s.index(-1);
  SmallVector<Value> scan =
      s.forLoop(s.index(0), keys, {minusOne, s.i32(0)},
                [&](Value key, ValueRange c) -> SmallVector<Value> {
                  Value x = order.score(key);
                  Value isNan = s.cmpf(CmpFPredicate::UNO, x, x);
                  return {s.select(isVisibleScore(s, x), key, c[0]),
                          s.select(isNan, s.add(c[1], s.i32(1)), c[1])};
                });
  order.lastVisible = scan[0];

  Value budget = s.extract(op.getK(), {batch, row});
  budget = arith::MinSIOp::create(b, loc, budget,
                                  s.i32(static_cast<int32_t>(op.getSlots())));
  SmallVector<Value> kept = s.forLoop(
      s.index(0), keys, {carried[0], s.i32(0)},
      [&](Value key, ValueRange c) -> SmallVector<Value> {
        Value rank = order.rank(key);
        Value chosen =
            arith::AndIOp::create(b, loc, isVisibleScore(s, order.score(key)),
                                  s.cmpi(CmpIPredicate::slt, rank, budget));
        Value slot = op.getOrder() == IndexOrder::Score ? rank : c[1];
        Value updated = s.lazySelect(
            chosen, c[0].getType(),
            [&]() -> Value {
              return tensor::InsertOp::create(
                  b, loc, s.toI32(key), c[0],
                  ValueRange{batch, row, s.toIndex(slot)});
            },
            [&]() -> Value { return c[0]; });
        return {updated, s.select(chosen, s.add(c[1], s.i32(1)), c[1])};
      });
  Value counts = tensor::InsertOp::create(b, loc, kept[1], carried[1],
                                          ValueRange{batch, row});
  Value status = tensor::InsertOp::create(b, loc, scan[1], carried[2],
                                          ValueRange{batch, row});
  return {kept[0], counts, status};
}

FailureOr<SmallVector<Value>> TopKOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes))) return failure();
  ScalarBuilder s(b, loc);
  auto filled = [&](ArrayRef<OpFoldResult> shape, int32_t value) {
    Value empty = emptyTensor(b, loc, shape, b.getI32Type());
    return linalg::FillOp::create(b, loc, s.i32(value), empty).getResult(0);
  };
  SmallVector<Value> init = {filled(shapes[0], -1), filled(shapes[1], 0),
                             filled(shapes[2], 0)};
  Value batches = dimValue(b, loc, getScores(), 0);
  Value rows = dimValue(b, loc, getScores(), 1);
  Value keys = dimValue(b, loc, getScores(), 2);
  return s.forLoop(
      s.index(0), batches, init, [&](Value batch, ValueRange outer) {
        return s.forLoop(s.index(0), rows, outer,
                         [&](Value row, ValueRange inner) {
                           return selectRow(*this, s, batch, row, keys, inner);
                         });
      });
}
