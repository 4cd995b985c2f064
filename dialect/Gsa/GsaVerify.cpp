//===- GsaVerify.cpp - constraints of the gsa ops -------------------------===//
//
// The labels (C1), (C2), ... are those of the op descriptions and docs/spec.md.
// C1 (shapes) of most ops is checked by type inference, which the trait
// StatedShapes runs after what is here.
//
//===----------------------------------------------------------------------===//

#include <cmath>
#include <limits>

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaLimits.h"
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

/// `scale` is finite in the accumulator type of `data`, in which it is used.
static LogicalResult verifyScale(Operation* op, StringRef label, Value data,
                                 std::optional<APFloat> scale, StringRef name,
                                 int64_t dim) {
  if (!scale) {
    if (!ShapedType::isDynamic(dim)) return success();
    return op->emitOpError() << "(" << label << ") '" << name
                             << "' must be given when the head size is "
                                "dynamic";
  }
  FloatType acc = getAccumulatorType(elementTypeOf(data));
  APFloat rounded = *scale;
  bool losesInfo = false;
  rounded.convert(acc.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
  if (rounded.isFinite()) return success();
  return op->emitOpError() << "(" << label << ") '" << name
                           << "' must be finite in " << acc << ", got "
                           << scale->convertToDouble();
}

static LogicalResult verifyForced(Operation* op, StringRef label, int64_t sink,
                                  int64_t local) {
  auto isLegal = [](int64_t n) { return n >= 0 && n <= (int64_t{1} << 30); };
  if (isLegal(sink) && isLegal(local)) return success();
  return op->emitOpError() << "(" << label
                           << ") 'sink' and 'local' must be in [0, 2^30], got "
                           << sink << " and " << local;
}

/// H is a multiple of G, as far as both are known.
static LogicalResult verifyGroups(Operation* op, StringRef label, int64_t heads,
                                  int64_t groups) {
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(groups) ||
      heads % groups == 0)
    return success();
  return op->emitOpError() << "(" << label
                           << ") expected the number of query heads to be a "
                              "multiple of the number of key heads, got "
                           << heads << " and " << groups;
}

namespace {
/// Labels of the constraints on a rotary embedding, which gsa.rope and
/// gsa.attention number differently.
struct RotaryLabels {
  StringRef size, base, scaling;
};
}  // namespace

/// The constraints of gsa.rope on a head of `headSize` elements of which
/// `rotaryDim` (default: all) are rotated.
static LogicalResult verifyRotary(Operation* op, RotaryLabels labels,
                                  int64_t headSize,
                                  std::optional<int64_t> rotaryDim,
                                  APFloat base, StringRef baseName,
                                  std::optional<RopeScalingAttr> scaling) {
  // The frequencies become a constant of R / 2 numbers.
  if (ShapedType::isDynamic(headSize))
    return op->emitOpError()
           << "(" << labels.size << ") the head size must be static";
  int64_t rotated = rotaryDim.value_or(headSize);
  int64_t limit = std::min(headSize, kMaxRotated);
  if (rotated < 2 || rotated > limit || rotated % 2 != 0)
    return op->emitOpError() << "(" << labels.size
                             << ") the rotated size must be even and in [2, "
                             << limit << "], got " << rotated;
  if (!base.isFinite() || base.convertToDouble() <= 1.0)
    return op->emitOpError() << "(" << labels.base << ") '" << baseName
                             << "' must be finite and greater than 1, got "
                             << base.convertToDouble();
  if (scaling && scaling->getKind() == RopeScalingKind::Ntk && rotated < 4)
    return op->emitOpError() << "(" << labels.scaling
                             << ") scaling 'ntk' needs a rotated size of at "
                                "least 4, got "
                             << rotated;
  return success();
}

/// C5 of select: who needs, may have and may not have a normaliser.
template <typename OpTy>
static LogicalResult verifyNormaliser(OpTy op, StringRef label, Value data) {
  KPolicyAttr policy = op.getPolicy();
  bool mustHave = policy.getKind() == KPolicyKind::PaperEma;
  Value normaliser = op.getNormaliser();
  if (normaliser ? !policy.usesNormaliser() : mustHave)
    return op.emitOpError()
           << "(" << label << ") policy '"
           << stringifyKPolicyKind(policy.getKind()) << "' "
           << (mustHave ? "needs" : "takes no") << " operand 'normaliser'";
  Type acc = getAccumulatorType(elementTypeOf(data));
  if (normaliser && elementTypeOf(normaliser) != acc)
    return op.emitOpError()
           << "(" << label << ") expected element type " << acc
           << " for 'normaliser', got " << elementTypeOf(normaliser);
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
  return verifyScale(op, "C4", op.getQuery(), op.getScale(), "scale", headSize);
}

/// Logits of a gate on a tensor of `shape` and element type `data`: their
/// sizes, and their element type, which is T or A(T).
static LogicalResult verifyGate(Operation* op, StringRef shapeLabel,
                                StringRef typeLabel, ArrayRef<int64_t> shape,
                                Type data, StringRef name, Value logits) {
  auto type = cast<RankedTensorType>(logits.getType());
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size) && !ShapedType::isDynamic(shape[i]) &&
        size != shape[i])
      return op->emitOpError()
             << "(" << shapeLabel << ") expected size " << shape[i]
             << " in dimension " << i << " of '" << name << "', got " << size;
  Type got = type.getElementType(), acc = getAccumulatorType(data);
  if (got == data || got == acc) return success();
  return op->emitOpError() << "(" << typeLabel << ") expected element type "
                           << data << " or " << acc << " for '" << name
                           << "', got " << got;
}

/// C5 of the attention ops that may have a gate.
template <typename OpTy>
static LogicalResult verifyOutputGate(OpTy op) {
  if (!op.getGate()) return success();
  SmallVector<int64_t> shape = {
      dimOf(op.getQuery(), 0), dimOf(op.getQuery(), 1), dimOf(op.getQuery(), 2),
      dimOf(op.getValue(), 3)};
  return verifyGate(op, "C5", "C5", shape, elementTypeOf(op.getQuery()), "gate",
                    op.getGate());
}

/// C2 to C4 of the attention ops.
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
  if (failed(verifyGroups(op, "C3", heads, groups))) return failure();
  return verifyScale(op, "C4", op.getQuery(), op.getScale(), "scale", headSize);
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
  if (failed(verifyIndexer(*this)) ||
      failed(verifyNormaliser(*this, "C5", getQuery())))
    return failure();
  return verifyForced(*this, "C6", getSink(), getLocal());
}

LogicalResult GatherAttentionOp::verify() {
  if (failed(verifyAttention(*this))) return failure();
  return verifyOutputGate(*this);
}

LogicalResult DenseAttentionOp::verify() {
  if (failed(verifyAttention(*this))) return failure();
  return verifyOutputGate(*this);
}

LogicalResult PartialAttentionOp::verify() {
  if (failed(verifyAttention(*this))) return failure();
  auto isNumber = [](int64_t n) {
    return n >= 0 && n <= std::numeric_limits<int32_t>::max();
  };
  int64_t first = getFirst(), size = getSize();
  if (!isNumber(first) || !isNumber(size) || size == 0)
    return emitOpError() << "(C5) 'first' must be in [0, 2^31) and 'size' in "
                            "[1, 2^31), got "
                         << first << " and " << size;
  bool isListed = static_cast<bool>(getIndices());
  if (isListed != static_cast<bool>(getCounts()))
    return emitOpError() << "(C6) expected 'indices' and 'counts' together, "
                            "got '"
                         << (isListed ? "indices" : "counts") << "' alone";
  if (isListed == getMask().has_value())
    return emitOpError() << "(C6) attention over "
                         << (isListed ? "lists takes no" : "all keys needs a")
                         << " 'mask'";
  return success();
}

LogicalResult MergeAttentionOp::verify() {
  size_t parts = getOutputs().size();
  if (parts == 0)
    return emitOpError() << "(C2) expected one part at least, got none";
  if (getLses().size() != parts)
    return emitOpError() << "(C2) expected as many lses as outputs, got "
                         << getLses().size() << " and " << parts;
  Type acc = elementTypeOf(getOutputs().front());
  for (auto [name, values] :
       {std::pair<StringRef, OperandRange>{"outputs", getOutputs()},
        {"lses", getLses()}})
    for (Value value : values)
      if (elementTypeOf(value) != acc)
        return emitOpError() << "(C2) expected element type " << acc << " for '"
                             << name << "', got " << elementTypeOf(value);
  Type data = getElementTypeAttr() ? getElementTypeAttr().getValue() : acc;
  bool isKnown = data.isF16() || data.isBF16() || data.isF32() || data.isF64();
  if (!isKnown || getAccumulatorType(data) != acc)
    return emitOpError() << "(C3) expected an 'element_type' that is summed up "
                            "in "
                         << acc << ", got " << data;
  if (!getGate()) return success();
  return verifyGate(*this, "C4", "C4", getOutput().getType().getShape(), data,
                    "gate", getGate());
}

LogicalResult GateOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  return verifyGate(*this, "C1", "C2", type.getShape(), type.getElementType(),
                    "logits", getLogits());
}

LogicalResult RopeOp::verify() {
  return verifyRotary(*this, {"C2", "C3", "C4"}, dimOf(getInput(), 3),
                      getRotaryDim(), getBase(), "base", getScaling());
}

/// The constraints that the ops of the decomposition would report, checked
/// here so that they are reported at the aggregate.
static LogicalResult verifyAttentionParts(AttentionOp op) {
  Value query = op.getQuery(), indexQuery = op.getIndexQuery();
  int64_t headSize = dimOf(query, 3), indexSize = dimOf(indexQuery, 3);
  if (failed(verifyNotEmpty(op, "C3",
                            {{"H", dimOf(query, 2)},
                             {"G", dimOf(op.getKey(), 2)},
                             {"D", headSize},
                             {"Dv", dimOf(op.getValue(), 3)},
                             {"Hi", dimOf(indexQuery, 2)},
                             {"Di", indexSize}})) ||
      failed(verifyGroups(op, "C3", dimOf(query, 2), dimOf(op.getKey(), 2))) ||
      failed(verifyRotary(op, {"C3", "C3", "C3"}, headSize, op.getRotaryDim(),
                          op.getRopeBase(), "rope_base",
                          op.getRopeScaling())) ||
      failed(verifyScale(op, "C3", query, op.getSoftmaxScale(), "softmax_scale",
                         headSize)) ||
      failed(verifyScale(op, "C3", indexQuery, op.getIndexScale(),
                         "index_scale", indexSize)))
    return failure();
  return verifyForced(op, "C3", op.getSink(), op.getLocal());
}

LogicalResult AttentionOp::verify() {
  if (failed(verifySameElement(*this, "C2", getQuery(),
                               {{"key", getKey()}, {"value", getValue()}})) ||
      failed(verifyAttentionParts(*this)) ||
      failed(verifyNormaliser(*this, "C3", getIndexQuery())))
    return failure();
  Value indexQuery = getIndexQuery();
  return success(
      succeeded(verifySameElement(*this, "C3", indexQuery,
                                  {{"index_key", getIndexKey()}})) &&
      succeeded(verifyDataOrAcc(*this, "C3", indexQuery, "index_weights",
                                getIndexWeights())) &&
      succeeded(verifyDataOrAcc(*this, "C3", indexQuery, "index_bias",
                                getIndexBias())) &&
      succeeded(verifyDataOrAcc(*this, "C3", getValue(), "value_gate",
                                getValueGate())) &&
      succeeded(verifyDataOrAcc(*this, "C3", getQuery(), "output_gate",
                                getOutputGate())));
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

/// Every value in `others` that there is has the type A(T) of `data`.
static LogicalResult verifyAcc(Operation* op, StringRef label, Value data,
                               ArrayRef<std::pair<StringRef, Value>> others) {
  Type acc = getAccumulatorType(elementTypeOf(data));
  for (auto [name, value] : others)
    if (value && elementTypeOf(value) != acc)
      return op->emitOpError()
             << "(" << label << ") expected element type " << acc << " for '"
             << name << "', got " << elementTypeOf(value);
  return success();
}

/// C2 to C5 of the gradients of attention.
template <typename OpTy>
static LogicalResult verifyAttentionGradient(OpTy op) {
  if (failed(verifyAttention(op)) ||
      failed(verifySameElement(op, "C2", op.getQuery(),
                               {{"output_grad", op.getOutputGrad()}})))
    return failure();
  return verifyAcc(op, "C5", op.getQuery(),
                   {{"lse", op.getLse()}, {"row_sums", op.getRowSums()}});
}

LogicalResult AttentionRowSumsOp::verify() {
  if (failed(verifySameElement(*this, "C2", getOutput(),
                               {{"output_grad", getOutputGrad()}})))
    return failure();
  return verifyAcc(*this, "C3", getOutput(), {{"lse_grad", getLseGrad()}});
}

LogicalResult GatherAttentionGradOp::verify() {
  return verifyAttentionGradient(*this);
}

LogicalResult DenseAttentionGradOp::verify() {
  return verifyAttentionGradient(*this);
}

LogicalResult GateGradOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  if (failed(verifyGate(*this, "C1", "C2", type.getShape(),
                        type.getElementType(), "logits", getLogits())))
    return failure();
  return verifySameElement(*this, "C2", getInput(),
                           {{"output_grad", getOutputGrad()}});
}

//===----------------------------------------------------------------------===//
// Training of the indexer
//===----------------------------------------------------------------------===//

/// Lists, or a mask.
template <typename OpTy>
static LogicalResult verifySupport(OpTy op, StringRef label) {
  bool isListed = static_cast<bool>(op.getIndices());
  if (isListed != static_cast<bool>(op.getCounts()))
    return op.emitOpError()
           << "(" << label
           << ") expected 'indices' and 'counts' together, got '"
           << (isListed ? "indices" : "counts") << "' alone";
  if (isListed == op.getMask().has_value())
    return op.emitOpError()
           << "(" << label << ") a gradient or a loss over "
           << (isListed ? "lists takes no" : "all keys needs a") << " 'mask'";
  return success();
}

LogicalResult IndexScoresGradOp::verify() {
  if (failed(verifyIndexer(*this)) ||
      failed(verifyAcc(*this, "C2", getQuery(),
                       {{"scores_grad", getScoresGrad()}})) ||
      failed(verifySupport(*this, "C5")))
    return failure();
  int64_t cells = getIndices() ? dimOf(getIndices(), 2) : dimOf(getKey(), 1);
  int64_t shape[] = {dimOf(getQuery(), 0), dimOf(getQuery(), 1), cells};
  for (auto [i, size] : llvm::enumerate(shape)) {
    int64_t got = dimOf(getScoresGrad(), static_cast<int64_t>(i));
    if (ShapedType::isDynamic(size) || ShapedType::isDynamic(got) ||
        got == size)
      continue;
    return emitOpError() << "(C1) expected size " << size << " in dimension "
                         << i << " of 'scores_grad', got " << got;
  }
  return success();
}

/// C6 of the indexer's loss: `value` divides, or cuts, numbers of A(T).
static LogicalResult verifyPositive(Operation* op, Value data,
                                    std::optional<APFloat> value,
                                    StringRef name) {
  if (!value) return success();
  FloatType acc = getAccumulatorType(elementTypeOf(data));
  APFloat rounded = *value;
  bool losesInfo = false;
  rounded.convert(acc.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
  if (rounded.isFinite() && !rounded.isZero() && !rounded.isNegative())
    return success();
  return op->emitOpError() << "(C6) expected '" << name
                           << "' to be positive and finite in " << acc
                           << ", got " << value->convertToDouble();
}

/// C2 to C7 of the indexer's loss and its gradient.
template <typename OpTy>
static LogicalResult verifyIndexLoss(OpTy op) {
  Value indexQuery = op.getIndexQuery(), query = op.getQuery();
  if (failed(verifySameElement(op, "C2", indexQuery,
                               {{"index_key", op.getIndexKey()}})) ||
      failed(verifyDataOrAcc(op, "C2", indexQuery, "index_weights",
                             op.getIndexWeights())) ||
      failed(verifyDataOrAcc(op, "C2", indexQuery, "index_bias",
                             op.getIndexBias())) ||
      failed(verifySameElement(op, "C3", query, {{"key", op.getKey()}})) ||
      failed(verifyAcc(op, "C3", query, {{"lse", op.getLse()}})) ||
      failed(verifyAcc(op, "C3", indexQuery, {{"lse", op.getLse()}})))
    return failure();
  int64_t heads = dimOf(query, 2), groups = dimOf(op.getKey(), 2);
  int64_t headSize = dimOf(query, 3), indexSize = dimOf(indexQuery, 3);
  if (failed(verifyNotEmpty(op, "C4",
                            {{"Hi", dimOf(indexQuery, 2)},
                             {"Di", indexSize},
                             {"H", heads},
                             {"G", groups},
                             {"D", headSize}})) ||
      failed(verifyGroups(op, "C4", heads, groups)) ||
      failed(verifyScale(op, "C5", indexQuery, op.getIndexScale(),
                         "index_scale", indexSize)) ||
      failed(verifyScale(op, "C5", query, op.getSoftmaxScale(), "softmax_scale",
                         headSize)) ||
      failed(
          verifyPositive(op, indexQuery, op.getTemperature(), "temperature")) ||
      failed(verifyPositive(op, indexQuery, op.getClip(), "clip")))
    return failure();
  return verifySupport(op, "C7");
}

LogicalResult IndexKlOp::verify() { return verifyIndexLoss(*this); }

LogicalResult IndexKlGradOp::verify() {
  if (failed(verifyIndexLoss(*this))) return failure();
  return verifyAcc(*this, "C2", getIndexQuery(),
                   {{"loss_grad", getLossGrad()}});
}
