//===- GsaGradientOps.cpp - gradients of attention and gates --------------===//
//
// Generated definitions, schedules, and the shapes of the one op whose second
// result has a rank that its operands decide.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"

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
             GateGradOp>(op);
}

//===----------------------------------------------------------------------===//
// Schedules: on a CPU; no GPU has kernels for them
//===----------------------------------------------------------------------===//

static SmallVector<ScheduleKind> kindsFor(Operation* op, Device device) {
  if (device != Device::Cpu) return {};
  return {ScheduleKind::get<CpuScheduleAttr>(op->getContext())};
}

/// Without the slots of lists, which `OpTy` may not have.
template <typename OpTy>
static AttentionProblem makeProblem(OpTy op) {
  RankedTensorType query = op.getQuery().getType();
  RankedTensorType key = op.getKey().getType();
  AttentionProblem problem;
  problem.element = query.getElementType();
  problem.isDense = true;
  problem.batch = query.getDimSize(0);
  problem.queries = query.getDimSize(1);
  problem.keys = key.getDimSize(1);
  problem.heads = query.getDimSize(2);
  problem.groups = key.getDimSize(2);
  problem.depth = query.getDimSize(3);
  problem.valueDepth = op.getValue().getType().getDimSize(3);
  return problem;
}

SmallVector<ScheduleKind> GatherAttentionGradOp::getScheduleKinds(
    Device device) {
  return kindsFor(*this, device);
}

SmallVector<ScheduleKind> DenseAttentionGradOp::getScheduleKinds(
    Device device) {
  return kindsFor(*this, device);
}

ScheduleProblem GatherAttentionGradOp::getScheduleProblem() {
  AttentionProblem problem = makeProblem(*this);
  problem.isDense = false;
  problem.slots = getIndices().getType().getDimSize(2);
  return {.attention = problem, .scores = {}, .rows = {}};
}

ScheduleProblem DenseAttentionGradOp::getScheduleProblem() {
  return {.attention = makeProblem(*this), .scores = {}, .rows = {}};
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
  auto emitError = [&]() -> InFlightDiagnostic {
    return mlir::emitError(location.value_or(UnknownLoc::get(context)),
                           Twine("'") + getOperationName() + "' op ");
  };
  DimBindings dims;
  if (failed(bindOperands<GateGradOp>(adaptor, dims, {}, emitError)))
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

/// Operands with dynamic sizes may disagree at run time.
Speculation::Speculatability GateGradOp::getSpeculatability() {
  bool isStatic = llvm::all_of(getOperandTypes(), [](Type type) {
    return cast<RankedTensorType>(type).hasStaticShape();
  });
  return isStatic ? Speculation::Speculatable : Speculation::NotSpeculatable;
}
