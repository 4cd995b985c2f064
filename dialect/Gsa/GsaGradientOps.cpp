//===- GsaGradientOps.cpp - gradients, and what trains --------------------===//
//
// Generated definitions, schedules, and the shapes of the one op whose second
// result has a rank that its operands decide.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "dialect/Gsa/GsaShapes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

#define GET_OP_CLASSES
#include "dialect/Gsa/GsaGradientOps.cpp.inc"

bool gsa::isGradient(Operation* op) {
  return isa<AttentionRowSumsOp, GatherAttentionGradOp, DenseAttentionGradOp,
             GateGradOp, IndexScoresGradOp, IndexKlGradOp>(op);
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

/// What all three ops call alike.
template <typename OpTy>
static IndexerForm makeIndexerForm(OpTy op) {
  IndexerForm form;
  form.op = op;
  form.indices = op.getIndices();
  form.counts = op.getCounts();
  form.lengths = op.getLengths();
  form.scoreActivation = op.getScoreActivation();
  form.weightActivation = op.getWeightActivation();
  form.mask = op.getMask().value_or(Mask::None);
  return form;
}

template <typename OpTy>
static IndexerForm makeLossForm(OpTy op) {
  IndexerForm form = makeIndexerForm(op);
  form.query = op.getIndexQuery();
  form.key = op.getIndexKey();
  form.weights = op.getIndexWeights();
  form.bias = op.getIndexBias();
  form.scaleGiven = op.getIndexScale();
  return form;
}

IndexerForm IndexerForm::of(Operation* op) {
  if (auto loss = dyn_cast<IndexKlOp>(op)) return makeLossForm(loss);
  if (auto gradient = dyn_cast<IndexKlGradOp>(op))
    return makeLossForm(gradient);
  auto scores = cast<IndexScoresGradOp>(op);
  IndexerForm form = makeIndexerForm(scores);
  form.query = scores.getQuery();
  form.key = scores.getKey();
  form.weights = scores.getWeights();
  form.bias = scores.getBias();
  form.scaleGiven = scores.getScale();
  return form;
}

static double scaleOf(const std::optional<APFloat>& given, Value query) {
  return getScaleOrDefault(
      given, cast<RankedTensorType>(query.getType()).getDimSize(3));
}

double IndexerForm::scale() const { return scaleOf(scaleGiven, query); }

template <typename OpTy>
static IndexTarget makeTarget(OpTy op) {
  IndexTarget target;
  target.query = op.getQuery();
  target.key = op.getKey();
  target.lse = op.getLse();
  target.scaleGiven = op.getSoftmaxScale();
  target.meanHeads = op.getMeanHeads();
  target.temperature = op.getTemperature().convertToDouble();
  if (op.getClip()) target.clip = op.getClip()->convertToDouble();
  return target;
}

IndexTarget IndexTarget::of(Operation* op) {
  if (auto loss = dyn_cast<IndexKlOp>(op)) return makeTarget(loss);
  return makeTarget(cast<IndexKlGradOp>(op));
}

double IndexTarget::scale() const { return scaleOf(scaleGiven, query); }

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

/// Of ops that have no kernels on a GPU.
static SmallVector<ScheduleKind> kindsFor(Operation* op, Device device) {
  if (device != Device::Cpu) return {};
  return {ScheduleKind::get<CpuScheduleAttr>(op->getContext())};
}

SmallVector<ScheduleKind> GatherAttentionGradOp::getScheduleKinds(
    Device device) {
  if (device == Device::Cpu) return kindsFor(*this, device);
  return {ScheduleKind::get<GatherGradScheduleAttr>(getContext()),
          ScheduleKind::get<UnionGradScheduleAttr>(getContext())};
}

SmallVector<ScheduleKind> DenseAttentionGradOp::getScheduleKinds(
    Device device) {
  return kindsFor(*this, device);
}

ScheduleProblem GatherAttentionGradOp::getScheduleProblem() {
  AttentionProblem problem =
      attentionProblemOf(getQuery(), getKey(), getValue());
  problem.isDense = false;
  problem.slots = getIndices().getType().getDimSize(2);
  return {.attention = problem, .scores = {}, .rows = {}};
}

ScheduleProblem DenseAttentionGradOp::getScheduleProblem() {
  return {.attention = attentionProblemOf(getQuery(), getKey(), getValue()),
          .scores = {},
          .rows = {}};
}

static ScheduleProblem makeScoreProblem(Operation* op) {
  IndexerForm form = IndexerForm::of(op);
  return {.attention = {},
          .scores = scoreProblemOf(form.query, form.key),
          .rows = {}};
}

static SmallVector<ScheduleKind> trainingKinds(Operation* op, Device device) {
  if (device == Device::Cpu) return kindsFor(op, device);
  return {ScheduleKind::get<TrainingScheduleAttr>(op->getContext())};
}

SmallVector<ScheduleKind> IndexScoresGradOp::getScheduleKinds(Device device) {
  return trainingKinds(*this, device);
}
SmallVector<ScheduleKind> IndexKlOp::getScheduleKinds(Device device) {
  return trainingKinds(*this, device);
}
SmallVector<ScheduleKind> IndexKlGradOp::getScheduleKinds(Device device) {
  return trainingKinds(*this, device);
}

ScheduleProblem IndexScoresGradOp::getScheduleProblem() {
  return makeScoreProblem(*this);
}
ScheduleProblem IndexKlOp::getScheduleProblem() {
  return makeScoreProblem(*this);
}
ScheduleProblem IndexKlGradOp::getScheduleProblem() {
  return makeScoreProblem(*this);
}

//===----------------------------------------------------------------------===//
// Shapes of gsa.gate_grad
//===----------------------------------------------------------------------===//

/// The dimensions of logits: those of the input, or all but the last one.
static StringRef namesOfLogits(Value logits) {
  return cast<RankedTensorType>(logits.getType()).getRank() == 3 ? "B S H"
                                                                 : "B S H D";
}

LogicalResult GateGradOp::inferReturnTypes(MLIRContext* context,
                                           std::optional<Location> location,
                                           Adaptor adaptor,
                                           SmallVectorImpl<Type>& types) {
  DimBindings dims;
  if (failed(bindAdaptor<GateGradOp>(context, location, adaptor, dims, {})))
    return failure();
  auto elementOf = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getElementType();
  };
  types.push_back(RankedTensorType::get(dims.getShape(kResultDims[0]),
                                        elementOf(adaptor.getInput())));
  types.push_back(
      RankedTensorType::get(dims.getShape(namesOfLogits(adaptor.getLogits())),
                            elementOf(adaptor.getLogits())));
  return success();
}

bool GateGradOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) {
  return areCompatibleTypes(l, r, kResultDims);
}

LogicalResult GateGradOp::reifyResultShapes(
    OpBuilder& builder, ReifiedRankedShapedTypeDims& shapes) {
  DimBindings dims;
  if (failed(bindOperands<GateGradOp>(*this, dims, {}, nullptr)))
    return failure();
  shapes.push_back(dims.reify(kResultDims[0], builder, getLoc()));
  shapes.push_back(dims.reify(namesOfLogits(getLogits()), builder, getLoc()));
  return success();
}

Speculation::Speculatability GateGradOp::getSpeculatability() {
  return getSpeculatabilityOf(*this);
}
