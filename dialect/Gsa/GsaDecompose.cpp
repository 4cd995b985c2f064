//===- GsaDecompose.cpp - aggregates, gates, merges, rotary embedding -----===//
//
// What the ops mean, in terms of smaller ops. AttentionOp::decomposeOperation
// is the definition of Gated Sparse Attention.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaElementwise.h"
#include "dialect/Gsa/GsaShapes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

FailureOr<SmallVector<Value>> AttentionOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  Value value = getValue();
  if (getValueGate())
    value = GateOp::create(b, loc, value.getType(), value, getValueGate(),
                           getGateActivation());
  auto rotate = [&](Value x, Value positions) -> Value {
    return RopeOp::create(b, loc, x.getType(), x, positions, getRopeBaseAttr(),
                          getRotaryDimAttr(), getRopeInterleavedAttr(),
                          getRopeScalingAttr());
  };
  Value query = rotate(getQuery(), getPositions());
  Value key = rotate(getKey(), getKeyPositions());
  auto select = SelectOp::create(
      b, loc,
      TypeRange{getIndices().getType(), getCounts().getType(),
                getStatus().getType()},
      getIndexQuery(), getIndexKey(), getIndexWeights(), getIndexBias(),
      getNormaliser(), getLengths(), getPolicyAttr(), getIndexScaleAttr(),
      getScoreActivationAttr(), getWeightActivationAttr(), getMaskAttr(),
      getSinkAttr(), getLocalAttr(), getAssumeFiniteAttr());
  auto attention = GatherAttentionOp::create(
      b, loc, TypeRange{getOutput().getType(), getLse().getType()}, query, key,
      value, select.getIndices(), select.getCounts(), /*gate=*/Value(),
      getLengths(), getSoftmaxScaleAttr(),
      GateActivationAttr::get(b.getContext(), GateActivation::Sigmoid));
  Value output = attention.getOutput();
  if (getOutputGate())
    output = GateOp::create(b, loc, output.getType(), output, getOutputGate(),
                            getGateActivation());
  return SmallVector<Value>{output, attention.getLse(), select.getIndices(),
                            select.getCounts(), select.getStatus()};
}

FailureOr<SmallVector<Value>> SelectOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  KPolicyAttr policy = getPolicy();
  auto countsType = cast<RankedTensorType>(getCounts().getType());
  auto queryType = cast<RankedTensorType>(getQuery().getType());
  auto keyType = cast<RankedTensorType>(getKey().getType());
  Type acc = getAccumulatorType(queryType.getElementType());
  auto scoresType = RankedTensorType::get(
      {queryType.getDimSize(0), queryType.getDimSize(1), keyType.getDimSize(1)},
      acc);
  auto rowType = RankedTensorType::get(
      {queryType.getDimSize(0), queryType.getDimSize(1)}, acc);
  auto rowIndexType = rowType.clone(b.getI32Type());

  Value scores = IndexScoresOp::create(
      b, loc, scoresType, getQuery(), getKey(), getWeights(), getBias(),
      getLengths(), getScaleAttr(), getScoreActivationAttr(),
      getWeightActivationAttr(), getMaskAttr());
  auto statistics = RowStatisticsOp::create(
      b, loc, TypeRange{rowType, rowIndexType}, scores, policy.getStatistic(),
      policy.getPopulation(), policy.getCorrection());
  Value statistic = policy.usesStatistic() ? statistics.getValue() : Value();
  Value normaliser = getNormaliser();
  if (policy.usesNormaliser() && !normaliser)
    normaliser =
        StatMeanOp::create(b, loc, RankedTensorType::get({}, acc), statistic);
  Value budget =
      AdaptiveKOp::create(b, loc, rowIndexType, statistics.getVisible(),
                          statistic, normaliser, policy);
  auto top = TopKOp::create(
      b, loc,
      TypeRange{getIndices().getType(), countsType, getStatus().getType()},
      scores, budget, b.getI64IntegerAttr(policy.getSlots()), getSinkAttr(),
      getLocalAttr(), IndexOrderAttr::get(b.getContext(), IndexOrder::Index));
  return SmallVector<Value>{top.getIndices(), top.getCounts(), top.getStatus()};
}

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

Value gsa::detail::elementwise(
    OpBuilder& b, Location loc, ValueRange inputs, ArrayRef<AffineMap> maps,
    Value init, llvm::function_ref<Value(ScalarBuilder&, ValueRange)> body) {
  int64_t rank = cast<RankedTensorType>(init.getType()).getRank();
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, init.getType(), inputs, init, allMaps, iterators,
      [&](OpBuilder& inner, Location innerLoc, ValueRange arguments) {
        ScalarBuilder scalar(inner, innerLoc);
        linalg::YieldOp::create(inner, innerLoc,
                                body(scalar, arguments.drop_back()));
      });
  return generic.getResult(0);
}

FailureOr<SmallVector<Value>> GateOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  auto type = cast<RankedTensorType>(getInput().getType());
  auto logitType = cast<RankedTensorType>(getLogits().getType());
  Type data = type.getElementType();
  Type acc = getAccumulatorType(data);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  AffineMap logitMap = identity.getMajorSubMap(logitType.getRank());
  Value init =
      emptyTensor(b, loc, tensor::getMixedSizes(b, loc, getInput()), data);
  Value result = elementwise(
      b, loc, {getInput(), getLogits()}, {identity, logitMap}, init,
      [&](ScalarBuilder& s, ValueRange x) {
        Value gate = applyGate(s, getActivation(), s.cast(x[1], acc));
        return s.cast(s.mul(s.cast(x[0], acc), gate), data);
      });
  return SmallVector<Value>{result};
}

namespace {
/// The parts of a row by their log-sum-exps.
struct RowParts {
  /// exp(lse[i] - shift) of each part, exactly 0 of one without keys, and
  /// whether it is one; NaN and +inf make all others NaN.
  SmallVector<Value> weights, absent;
  Value sum;          ///< Of the weights.
  Value shift, none;  ///< The largest lse, or 0 if no part has keys.
};
}  // namespace

static RowParts weighParts(ScalarBuilder& s, ValueRange lses) {
  Type acc = lses.front().getType();
  Value lowest = s.constant(acc, -std::numeric_limits<double>::infinity());
  Value zero = s.constant(acc, 0.0), maximum = lses.front();
  for (Value lse : lses.drop_front())
    maximum = arith::MaximumFOp::create(s.b, s.loc, maximum, lse);
  RowParts parts;
  // Without a finite maximum, exp(l - max) would be exp(-inf + inf).
  parts.none = s.cmpf(arith::CmpFPredicate::OEQ, maximum, lowest);
  parts.shift = s.select(parts.none, zero, maximum);
  for (Value lse : lses) {
    Value absent = s.cmpf(arith::CmpFPredicate::OEQ, lse, lowest);
    Value weight = s.select(absent, zero, s.exp(s.sub(lse, parts.shift)));
    parts.absent.push_back(absent);
    parts.weights.push_back(weight);
    parts.sum = parts.sum ? s.add(parts.sum, weight) : weight;
  }
  return parts;
}

/// The mean of outputs with these weights, which add up to 1 before they
/// multiply; 0 if no part has keys.
static Value mergeOutputs(ScalarBuilder& s, ValueRange lses,
                          ValueRange outputs) {
  RowParts parts = weighParts(s, lses);
  Type acc = parts.sum.getType();
  Value zero = s.constant(acc, 0.0), one = s.constant(acc, 1.0);
  Value inverse = s.select(parts.none, zero, s.div(one, parts.sum));
  Value mean;
  for (auto [weight, absent, output] :
       llvm::zip_equal(parts.weights, parts.absent, outputs)) {
    Value term = s.mul(s.mul(weight, inverse), output);
    term = s.select(absent, zero, term);
    mean = mean ? s.add(mean, term) : term;
  }
  return mean;
}

static Value mergeLses(ScalarBuilder& s, ValueRange lses) {
  RowParts parts = weighParts(s, lses);
  Value logSum = math::LogOp::create(s.b, s.loc, parts.sum);
  Value lowest =
      s.constant(parts.sum.getType(), -std::numeric_limits<double>::infinity());
  return s.select(parts.none, lowest, s.add(logSum, parts.shift));
}

FailureOr<SmallVector<Value>> MergeAttentionOp::decomposeOperation(
    OpBuilder& b) {
  Location loc = getLoc();
  size_t parts = getOutputs().size();
  Value firstOutput = getOutputs().front(), firstLse = getLses().front();
  Type acc = getElementTypeOrSelf(firstLse.getType());
  Type data = getElementTypeOrSelf(getOutput().getType());
  auto d = [&](unsigned i) { return b.getAffineDimExpr(i); };
  AffineMap cell = b.getMultiDimIdentityMap(4);
  AffineMap row = AffineMap::get(4, 0, {d(0), d(2), d(1)}, b.getContext());
  SmallVector<Value> inputs(getLses());
  SmallVector<AffineMap> maps(parts, row);
  llvm::append_range(inputs, getOutputs());
  maps.append(parts, cell);
  if (getGate()) {
    inputs.push_back(getGate());
    maps.push_back(cell.getMajorSubMap(
        cast<RankedTensorType>(getGate().getType()).getRank()));
  }
  Value output = elementwise(
      b, loc, inputs, maps,
      emptyTensor(b, loc, tensor::getMixedSizes(b, loc, firstOutput), data),
      [&](ScalarBuilder& s, ValueRange x) {
        Value sum = mergeOutputs(s, x.take_front(parts), x.slice(parts, parts));
        if (getGate())
          sum = s.mul(sum,
                      applyGate(s, getGateActivation(), s.cast(x.back(), acc)));
        return s.cast(sum, data);
      });
  SmallVector<AffineMap> same(parts, b.getMultiDimIdentityMap(3));
  Value lse = elementwise(
      b, loc, getLses(), same,
      emptyTensor(b, loc, tensor::getMixedSizes(b, loc, firstLse), acc),
      [&](ScalarBuilder& s, ValueRange x) { return mergeLses(s, x); });
  return SmallVector<Value>{output, lse};
}

FailureOr<SmallVector<Value>> RopeOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  auto type = cast<RankedTensorType>(getInput().getType());
  // Nothing to turn, and a slice of no elements has no legal offset.
  if (llvm::is_contained(type.getShape(), 0))
    return SmallVector<Value>{getInput()};
  Type data = type.getElementType();
  Type acc = getAccumulatorType(data);
  int64_t pairs = getRotatedSize() / 2;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, getInput());

  // One angle per token and pair, in f64, shared by the heads.
  SmallVector<double> frequencies = getFrequencies();
  Value table = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(RankedTensorType::get({pairs}, b.getF64Type()),
                             ArrayRef<double>(frequencies)));
  SmallVector<OpFoldResult> angleShape = {sizes[0], sizes[1],
                                          b.getIndexAttr(pairs)};
  auto d = [&](unsigned i) { return b.getAffineDimExpr(i); };
  AffineMap tokenMap = AffineMap::get(3, 0, {d(0), d(1)}, b.getContext());
  AffineMap pairMap = AffineMap::get(3, 0, {d(2)}, b.getContext());
  auto makeTable = [&](bool isCosine) {
    return elementwise(
        b, loc, {getPositions(), table}, {tokenMap, pairMap},
        emptyTensor(b, loc, angleShape, acc),
        [&](ScalarBuilder& s, ValueRange x) -> Value {
          Value angle = s.mul(s.toFloat(x[0], b.getF64Type()), x[1]);
          Value turned =
              isCosine ? math::CosOp::create(s.builder(), s.location(), angle)
                             .getResult()
                       : math::SinOp::create(s.builder(), s.location(), angle)
                             .getResult();
          return s.cast(turned, acc);
        });
  };
  Value cosine = makeTable(true), sine = makeTable(false);

  // (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin) on strided halves.
  int64_t stride = getInterleaved() ? 2 : 1;
  int64_t second = getInterleaved() ? 1 : pairs;
  SmallVector<OpFoldResult> halfShape = {sizes[0], sizes[1], sizes[2],
                                         b.getIndexAttr(pairs)};
  SmallVector<OpFoldResult> strides(4, b.getIndexAttr(1));
  strides[3] = b.getIndexAttr(stride);
  auto offsets = [&](int64_t first) {
    SmallVector<OpFoldResult> result(4, b.getIndexAttr(0));
    result[3] = b.getIndexAttr(first);
    return result;
  };
  auto half = [&](int64_t first) -> Value {
    return tensor::ExtractSliceOp::create(b, loc, getInput(), offsets(first),
                                          halfShape, strides);
  };
  Value x1 = half(0), x2 = half(second);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  AffineMap angleMap = AffineMap::get(4, 0, {d(0), d(1), d(3)}, b.getContext());
  auto turn = [&](Value straight, Value crossed, bool subtract) {
    return elementwise(b, loc, {straight, crossed, cosine, sine},
                       {identity, identity, angleMap, angleMap},
                       emptyTensor(b, loc, halfShape, data),
                       [&](ScalarBuilder& s, ValueRange x) {
                         Value kept = s.mul(s.cast(x[0], acc), x[2]);
                         Value mixed = s.mul(s.cast(x[1], acc), x[3]);
                         return s.cast(
                             subtract ? s.sub(kept, mixed) : s.add(kept, mixed),
                             data);
                       });
  };
  Value y1 = turn(x1, x2, true), y2 = turn(x2, x1, false);
  Value result = getInput();
  if (2 * pairs == type.getDimSize(3))
    result = emptyTensor(b, loc, sizes, data);
  result = tensor::InsertSliceOp::create(b, loc, y1, result, offsets(0),
                                         halfShape, strides);
  result = tensor::InsertSliceOp::create(b, loc, y2, result, offsets(second),
                                         halfShape, strides);
  return SmallVector<Value>{result};
}
