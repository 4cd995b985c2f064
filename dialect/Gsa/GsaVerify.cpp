//===- GsaVerify.cpp - constraints of the gsa ops -------------------------===//
//
// The labels (C1), (C2), ... are those of the op descriptions and docs/spec.md.
// C1 (shapes) of most ops is checked by type inference, which the verifier of
// the InferTypeOpInterface runs.
//
//===----------------------------------------------------------------------===//

#include <cmath>

#include "dialect/Gsa/GsaShapes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

//===----------------------------------------------------------------------===//
// Checks that several ops share
//===----------------------------------------------------------------------===//

static Type elementTypeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static int64_t dimOf(Value value, int64_t i) {
  return cast<RankedTensorType>(value.getType()).getDimSize(i);
}

/// Every value in `others` has the element type of `first`.
static LogicalResult verifySameElement(
    Operation* op, StringRef label, Value first,
    ArrayRef<std::pair<StringRef, Value>> others) {
  for (auto [name, value] : others)
    if (value && elementTypeOf(value) != elementTypeOf(first))
      return op->emitOpError() << "(" << label << ") expected element type "
                               << elementTypeOf(first) << " for '" << name
                               << "', got " << elementTypeOf(value);
  return success();
}

/// `value` (may be null) has element type T of `first`, or A(T).
static LogicalResult verifyDataOrAcc(Operation* op, StringRef label,
                                     Value first, StringRef name, Value value) {
  if (!value) return success();
  Type data = elementTypeOf(first);
  Type acc = getAccumulatorType(data);
  Type got = elementTypeOf(value);
  if (got == data || got == acc) return success();
  return op->emitOpError() << "(" << label << ") expected element type " << data
                           << " or " << acc << " for '" << name << "', got "
                           << got;
}

static LogicalResult verifyNotEmpty(
    Operation* op, StringRef label,
    ArrayRef<std::pair<StringRef, int64_t>> sizes) {
  for (auto [name, size] : sizes)
    if (size == 0)
      return op->emitOpError() << "(" << label << ") expected " << name
                               << " to be at least 1, got 0";
  return success();
}

static LogicalResult verifyScale(Operation* op, StringRef label,
                                 std::optional<APFloat> scale, StringRef name,
                                 int64_t dim) {
  if (!scale) {
    if (!ShapedType::isDynamic(dim)) return success();
    return op->emitOpError() << "(" << label << ") '" << name
                             << "' must be given when the head size is "
                                "dynamic";
  }
  if (scale->isFinite()) return success();
  return op->emitOpError() << "(" << label << ") '" << name
                           << "' must be finite, got "
                           << scale->convertToDouble();
}

static LogicalResult verifyForced(Operation* op, StringRef label, int64_t sink,
                                  int64_t local) {
  if (sink < 0 || local < 0)
    return op->emitOpError() << "(" << label
                             << ") 'sink' and 'local' must not be negative, "
                                "got "
                             << sink << " and " << local;
  return success();
}

/// C2 to C4 of index_scores, shared by the fused op.
template <typename OpTy>
static LogicalResult verifyIndexer(OpTy op) {
  if (failed(
          verifySameElement(op, "C2", op.getQuery(), {{"key", op.getKey()}})) ||
      failed(verifyDataOrAcc(op, "C2", op.getQuery(), "weights",
                             op.getWeights())) ||
      failed(verifyDataOrAcc(op, "C2", op.getQuery(), "bias", op.getBias())))
    return failure();
  int64_t headSize = dimOf(op.getQuery(), 3);
  if (failed(verifyNotEmpty(
          op, "C3", {{"Hi", dimOf(op.getQuery(), 2)}, {"Di", headSize}})))
    return failure();
  return verifyScale(op, "C4", op.getScale(), "scale", headSize);
}

/// C2 to C4 of the two attention ops.
template <typename OpTy>
static LogicalResult verifyAttention(OpTy op) {
  if (failed(
          verifySameElement(op, "C2", op.getQuery(),
                            {{"key", op.getKey()}, {"value", op.getValue()}})))
    return failure();
  int64_t heads = dimOf(op.getQuery(), 2), groups = dimOf(op.getKey(), 2);
  int64_t headSize = dimOf(op.getQuery(), 3);
  if (failed(verifyNotEmpty(op, "C3",
                            {{"H", heads},
                             {"G", groups},
                             {"D", headSize},
                             {"Dv", dimOf(op.getValue(), 3)}})))
    return failure();
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(groups) &&
      heads % groups != 0)
    return op.emitOpError() << "(C3) expected the number of query heads to be "
                               "a multiple of the number of key heads, got "
                            << heads << " and " << groups;
  return verifyScale(op, "C4", op.getScale(), "scale", headSize);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult IndexScoresOp::verify() { return verifyIndexer(*this); }

LogicalResult RowStatisticsOp::verify() {
  int64_t correction = getCorrection();
  if (correction != 0 && correction != 1)
    return emitOpError() << "(C2) 'correction' must be 0 or 1, got "
                         << correction;
  if (getStatistic() == Statistic::Entropy &&
      (getPopulation() != Population::Visible || correction != 0))
    return emitOpError() << "(C3) statistic 'entropy' needs population "
                            "'visible' and correction 0, got '"
                         << stringifyPopulation(getPopulation()) << "' and "
                         << correction;
  return success();
}

LogicalResult StatMeanOp::verify() { return success(); }

LogicalResult AdaptiveKOp::verify() {
  KPolicyAttr policy = getPolicy();
  StringRef kind = stringifyKPolicyKind(policy.getKind());
  if (policy.usesStatistic() && !getStatistic())
    return emitOpError() << "(C2) policy '" << kind
                         << "' needs the operand 'statistic'";
  if (policy.usesNormaliser() != static_cast<bool>(getNormaliser()))
    return emitOpError() << "(C3) policy '" << kind << "' "
                         << (policy.usesNormaliser() ? "needs" : "takes no")
                         << " operand 'normaliser'";
  if (getStatistic() && getNormaliser())
    return verifySameElement(*this, "C4", getStatistic(),
                             {{"normaliser", getNormaliser()}});
  return success();
}

LogicalResult TopKOp::verify() {
  int64_t slots = getSlots();
  if (slots < 1 || slots > (int64_t{1} << 30))
    return emitOpError() << "(C2) 'slots' must be in [1, 2^30], got " << slots;
  if (failed(verifyForced(*this, "C3", getSink(), getLocal())))
    return failure();
  if (getOrder() == IndexOrder::Score && (getSink() != 0 || getLocal() != 0))
    return emitOpError() << "(C4) order 'score' cannot be combined with "
                            "forced keys, got sink = "
                         << getSink() << " and local = " << getLocal();
  return success();
}

LogicalResult SelectOp::verify() {
  if (failed(verifyIndexer(*this))) return failure();
  KPolicyKind kind = getPolicy().getKind();
  bool mayHave = getPolicy().usesNormaliser();
  bool mustHave = kind == KPolicyKind::PaperEma;
  if ((mustHave && !getNormaliser()) || (!mayHave && getNormaliser()))
    return emitOpError() << "(C5) policy '" << stringifyKPolicyKind(kind)
                         << "' " << (mustHave ? "needs" : "takes no")
                         << " operand 'normaliser'";
  if (getNormaliser() && elementTypeOf(getNormaliser()) !=
                             getAccumulatorType(elementTypeOf(getQuery())))
    return emitOpError() << "(C5) expected element type "
                         << getAccumulatorType(elementTypeOf(getQuery()))
                         << " for 'normaliser', got "
                         << elementTypeOf(getNormaliser());
  return verifyForced(*this, "C6", getSink(), getLocal());
}

LogicalResult GatherAttentionOp::verify() { return verifyAttention(*this); }

LogicalResult DenseAttentionOp::verify() { return verifyAttention(*this); }

LogicalResult GateOp::verify() {
  auto inputShape = cast<RankedTensorType>(getInput().getType()).getShape();
  auto logitShape = cast<RankedTensorType>(getLogits().getType()).getShape();
  for (auto [i, size] : llvm::enumerate(logitShape))
    if (!ShapedType::isDynamic(size) && !ShapedType::isDynamic(inputShape[i]) &&
        size != inputShape[i])
      return emitOpError() << "(C1) expected size " << inputShape[i]
                           << " in dimension " << i << " of 'logits', got "
                           << size;
  return verifyDataOrAcc(*this, "C2", getInput(), "logits", getLogits());
}

LogicalResult RopeOp::verify() {
  int64_t headSize = dimOf(getInput(), 3);
  if (ShapedType::isDynamic(headSize))
    return emitOpError() << "(C2) the head size must be static";
  int64_t rotated = getRotatedSize();
  if (rotated < 2 || rotated > headSize || rotated % 2 != 0)
    return emitOpError() << "(C2) the rotated size must be even and in [2, "
                         << headSize << "], got " << rotated;
  APFloat base = getBase();
  if (!base.isFinite() || base.convertToDouble() <= 1.0)
    return emitOpError() << "(C3) 'base' must be finite and greater than 1, "
                            "got "
                         << base.convertToDouble();
  if (auto scaling = getScaling();
      scaling && scaling->getKind() == RopeScalingKind::Ntk && rotated < 4)
    return emitOpError() << "(C4) scaling 'ntk' needs a rotated size of at "
                            "least 4, got "
                         << rotated;
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(verifySameElement(*this, "C2", getQuery(),
                               {{"key", getKey()}, {"value", getValue()}})))
    return failure();
  // C3: the constraints of the parts are checked by the ops that the
  // decomposition creates; those that would make it impossible to create them
  // are checked here.
  int64_t heads = dimOf(getQuery(), 2), groups = dimOf(getKey(), 2);
  int64_t headSize = dimOf(getQuery(), 3);
  if (failed(verifyNotEmpty(*this, "C3",
                            {{"H", heads},
                             {"G", groups},
                             {"D", headSize},
                             {"Dv", dimOf(getValue(), 3)},
                             {"Hi", dimOf(getIndexQuery(), 2)},
                             {"Di", dimOf(getIndexQuery(), 3)}})))
    return failure();
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(groups) &&
      heads % groups != 0)
    return emitOpError() << "(C3) expected the number of query heads to be a "
                            "multiple of the number of key heads, got "
                         << heads << " and " << groups;
  if (ShapedType::isDynamic(headSize))
    return emitOpError() << "(C3) the head size must be static";
  if (failed(verifyScale(*this, "C3", getSoftmaxScale(), "softmax_scale",
                         headSize)) ||
      failed(verifyScale(*this, "C3", getIndexScale(), "index_scale",
                         dimOf(getIndexQuery(), 3))) ||
      failed(verifySameElement(*this, "C3", getIndexQuery(),
                               {{"index_key", getIndexKey()}})) ||
      failed(verifyDataOrAcc(*this, "C3", getIndexQuery(), "index_weights",
                             getIndexWeights())) ||
      failed(verifyDataOrAcc(*this, "C3", getIndexQuery(), "index_bias",
                             getIndexBias())) ||
      failed(verifyDataOrAcc(*this, "C3", getValue(), "value_gate",
                             getValueGate())) ||
      failed(verifyDataOrAcc(*this, "C3", getQuery(), "output_gate",
                             getOutputGate())))
    return failure();
  return verifyForced(*this, "C3", getSink(), getLocal());
}
