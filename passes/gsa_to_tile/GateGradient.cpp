//===- GateGradient.cpp - gradients of gates, row sums of attention -------===//
//
// What is for single elements is one elementwise kernel for both gradients of a
// gate, so that what they share is read once. What is for heads is a sum over
// their elements.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaSlopes.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/Sums.h"

using namespace mlir;
using namespace mlir::gsa;
using gsa::detail::ScalarBuilder;

namespace {

/// Ops that stand for a kernel until it is made.
class Stand {
 public:
  Stand(ToTileContext& context) : context(context) {}
  ~Stand() {
    for (Operation* op : llvm::reverse(ops)) context.rewriter().eraseOp(op);
  }

  /// The generic whose sums over the last loop are those of `lhs * rhs`, two
  /// tensors of four dimensions, in `acc`; `result` says which of the others
  /// are the dimensions of its result.
  linalg::GenericOp dots(Value lhs, Value rhs, Type acc,
                         ArrayRef<unsigned> result);
  /// The generic that makes tensors `results` of four dimensions from such, or
  /// from some that lack the last one; its body's values are rounded.
  linalg::GenericOp elements(
      ValueRange operands, ArrayRef<RankedTensorType> results,
      llvm::function_ref<SmallVector<Value>(ScalarBuilder&, ValueRange)> body);

 private:
  Value room(RankedTensorType type) {
    ops.push_back(tensor::EmptyOp::create(context.rewriter(), context.loc(),
                                          type.getShape(),
                                          type.getElementType()));
    return ops.back()->getResult(0);
  }

  ToTileContext& context;
  SmallVector<Operation*> ops;
};

}  // namespace

linalg::GenericOp Stand::dots(Value lhs, Value rhs, Type acc,
                              ArrayRef<unsigned> result) {
  IRRewriter& b = context.rewriter();
  auto type = cast<RankedTensorType>(lhs.getType());
  SmallVector<int64_t> shape;
  for (unsigned dim : result) shape.push_back(type.getDimSize(dim));
  auto resultType = RankedTensorType::get(shape, acc);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<AffineMap> maps = {
      identity, identity,
      AffineMap::getMultiDimMapWithTargets(4, result, b.getContext())};
  SmallVector<utils::IteratorType> loops(3, utils::IteratorType::parallel);
  loops.push_back(utils::IteratorType::reduction);
  auto sums = linalg::GenericOp::create(
      b, context.loc(), TypeRange{resultType}, ValueRange{lhs, rhs},
      ValueRange{room(resultType)}, maps, loops,
      [&](OpBuilder& inner, Location loc, ValueRange x) {
        ScalarBuilder s(inner, loc);
        Value product = s.mul(s.cast(x[0], acc), s.cast(x[1], acc));
        linalg::YieldOp::create(inner, loc, s.add(x[2], product));
      });
  ops.push_back(sums);
  return sums;
}

linalg::GenericOp Stand::elements(
    ValueRange operands, ArrayRef<RankedTensorType> results,
    llvm::function_ref<SmallVector<Value>(ScalarBuilder&, ValueRange)> body) {
  IRRewriter& b = context.rewriter();
  AffineMap identity = b.getMultiDimIdentityMap(4);
  SmallVector<AffineMap> maps;
  SmallVector<Value> rooms;
  for (Value operand : operands)
    maps.push_back(identity.getMajorSubMap(
        cast<RankedTensorType>(operand.getType()).getRank()));
  for (RankedTensorType type : results) {
    maps.push_back(identity);
    rooms.push_back(room(type));
  }
  SmallVector<utils::IteratorType> loops(4, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, context.loc(), ValueRange(rooms).getTypes(), operands, rooms, maps,
      loops, [&](OpBuilder& inner, Location loc, ValueRange x) {
        ScalarBuilder s(inner, loc);
        SmallVector<Value> values = body(s, x);
        for (auto [value, type] : llvm::zip_equal(values, results))
          value = s.cast(value, type.getElementType());
        linalg::YieldOp::create(inner, loc, values);
      });
  ops.push_back(generic);
  return generic;
}

LogicalResult tile::lowerAttentionRowSums(AttentionRowSumsOp op,
                                          ToTileContext& context) {
  Type acc = getElementTypeOrSelf(op.getRowSums().getType());
  Stand stand(context);
  linalg::GenericOp dots =
      stand.dots(op.getOutput(), op.getOutputGrad(), acc, {0, 2, 1});
  tile::SumEnd lessLseGrad{op.getLseGrad(),
                           [](ScalarBuilder& s, Value sum, Value lseGrad) {
                             return s.sub(sum, lseGrad);
                           }};
  FailureOr<Value> sums = tile::emitSum(
      dots, acc, "row_sums", context, op.getLseGrad() ? &lessLseGrad : nullptr);
  if (failed(sums)) return failure();
  context.replace(op, {*sums});
  return success();
}

/// The sums over the elements of each head, times the slope of its gate.
static FailureOr<Value> lowerHeadLogits(GateGradOp op, ToTileContext& context) {
  Type acc = getAccumulatorType(getElementTypeOrSelf(op.getInput().getType()));
  Stand stand(context);
  linalg::GenericOp dots =
      stand.dots(op.getOutputGrad(), op.getInput(), acc, {0, 1, 2});
  tile::SumEnd timesSlope{
      op.getLogits(), [&](ScalarBuilder& s, Value sum, Value logit) {
        return s.mul(sum, gsa::detail::gateSlope(s, op.getActivation(),
                                                 s.cast(logit, acc)));
      }};
  return tile::emitSum(dots, getElementTypeOrSelf(op.getLogitsGrad().getType()),
                       "gate_grad", context, &timesSlope);
}

/// The gradient of the input, null if nobody reads it, and that of logits of
/// elements.
static FailureOr<SmallVector<Value>> lowerElements(GateGradOp op,
                                                   ToTileContext& context) {
  auto type = cast<RankedTensorType>(op.getInput().getType());
  auto logitType = cast<RankedTensorType>(op.getLogits().getType());
  Type acc = getAccumulatorType(type.getElementType());
  bool ofInput = !op.getInputGrad().use_empty();
  bool ofLogits = logitType.getRank() == 4 && !op.getLogitsGrad().use_empty();
  SmallVector<Value> buffers(2);
  if (!ofInput && !ofLogits) return buffers;
  Stand stand(context);
  SmallVector<RankedTensorType> results;
  if (ofInput) results.push_back(type);
  if (ofLogits) results.push_back(logitType);
  linalg::GenericOp gradients = stand.elements(
      {op.getOutputGrad(), op.getLogits(), op.getInput()}, results,
      [&](ScalarBuilder& s, ValueRange x) {
        Value grad = s.cast(x[0], acc), logit = s.cast(x[1], acc);
        SmallVector<Value> values;
        if (ofInput)
          values.push_back(s.mul(
              grad, gsa::detail::applyGate(s, op.getActivation(), logit)));
        if (ofLogits)
          values.push_back(
              s.mul(s.mul(grad, s.cast(x[2], acc)),
                    gsa::detail::gateSlope(s, op.getActivation(), logit)));
        return values;
      });
  FailureOr<SmallVector<Value>> made =
      tile::emitElementwise(gradients, context);
  if (failed(made)) return failure();
  if (ofInput) buffers[0] = made->front();
  if (ofLogits) buffers[1] = made->back();
  return buffers;
}

LogicalResult tile::lowerGateGrad(GateGradOp op, ToTileContext& context) {
  FailureOr<SmallVector<Value>> buffers = lowerElements(op, context);
  if (failed(buffers)) return failure();
  if (!(*buffers)[1] && !op.getLogitsGrad().use_empty()) {
    FailureOr<Value> logits = lowerHeadLogits(op, context);
    if (failed(logits)) return failure();
    (*buffers)[1] = *logits;
  }
  context.replace(op, *buffers);
  return success();
}
