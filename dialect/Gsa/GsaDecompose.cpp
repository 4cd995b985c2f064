//===- GsaDecompose.cpp - aggregates, gates and rotary embedding ----------===//
//
// What the ops mean, in terms of smaller ops. AttentionOp::decomposeOperation
// is the definition of Gated Sparse Attention.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaShapes.h"

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
      getNormaliser(), getPolicyAttr(), getIndexScaleAttr(),
      getScoreActivationAttr(), getWeightActivationAttr(), getMaskAttr(),
      getSinkAttr(), getLocalAttr(), getAssumeFiniteAttr());
  auto attention = GatherAttentionOp::create(
      b, loc, TypeRange{getOutput().getType(), getLse().getType()}, query, key,
      value, select.getIndices(), select.getCounts(), getSoftmaxScaleAttr());
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
      getScaleAttr(), getScoreActivationAttr(), getWeightActivationAttr(),
      getMaskAttr());
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

/// A generic whose dimensions are all parallel: one map per input, identity
/// for the single result; `body` gets the inputs' elements.
static Value elementwise(
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
