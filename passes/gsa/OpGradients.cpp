//===- OpGradients.cpp - gradients of gsa ops, projections, reshapes ------===//

#include "dialect/Gsa/GsaElementwise.h"
#include "dialect/Gsa/GsaGradientOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/gsa/BackwardBuilder.h"
#include "passes/gsa/IndexLoss.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Whether a region of `op` reads an active value of the outside.
static bool capturesActive(Operation* op, const BackwardBuilder& backward) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  return llvm::any_of(captured,
                      [&](Value value) { return backward.isActive(value); });
}

bool gsa::passesGradients(Operation* op, const BackwardBuilder& backward) {
  if (capturesActive(op, backward)) return true;
  if (isa<IndexKlOp>(op)) {
    // What is attended to is the target, a constant.
    IndexerForm form = IndexerForm::of(op);
    return llvm::any_of(
        ArrayRef{form.query, form.key, form.weights, form.bias},
        [&](Value value) { return value && backward.isActive(value); });
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return llvm::any_of(op->getOpOperands(), [&](OpOperand& operand) {
    // What an output held before counts where the body reads it.
    bool isRead =
        !linalgOp || !linalgOp.getMatchingBlockArgument(&operand).use_empty();
    return isRead && backward.isActive(operand.get());
  });
}

//===----------------------------------------------------------------------===//
// gsa ops
//===----------------------------------------------------------------------===//

static LogicalResult addGate(GateOp op, BackwardBuilder& backward) {
  auto gradient = GateGradOp::create(
      backward.builder(), op.getLoc(), op.getInput().getType(),
      op.getLogits().getType(), backward.valueOf(op.getInput()),
      backward.valueOf(op.getLogits()), backward.gradientOf(op.getOutput()),
      op.getActivation());
  backward.add(op.getInput(), gradient.getInputGrad());
  backward.add(op.getLogits(), gradient.getLogitsGrad());
  return success();
}

/// The rotation back.
static LogicalResult addRope(RopeOp op, BackwardBuilder& backward) {
  OpBuilder& b = backward.builder();
  Location loc = op.getLoc();
  Value positions = backward.valueOf(op.getPositions());
  Value init = emptyTensor(b, loc, tensor::getMixedSizes(b, loc, positions),
                           b.getI64Type());
  Value negated = elementwise(
      b, loc, positions, b.getMultiDimIdentityMap(2), init,
      [](ScalarBuilder& s, ValueRange x) { return s.sub(s.i64(0), x[0]); });
  Value gradient = backward.gradientOf(op.getOutput());
  backward.add(op.getInput(),
               RopeOp::create(b, loc, op.getInput().getType(), gradient,
                              negated, op.getBaseAttr(), op.getRotaryDimAttr(),
                              op.getInterleavedAttr(), op.getScalingAttr()));
  return success();
}

/// Row sums of an attention op, from the gradients of its two results.
static Value makeRowSums(const AttentionForm& form, Value outputGrad,
                         BackwardBuilder& backward) {
  OpResult output = form.op->getResult(0), lse = form.op->getResult(1);
  return AttentionRowSumsOp::create(backward.builder(), form.op->getLoc(),
                                    lse.getType(), backward.valueOf(output),
                                    outputGrad, backward.gradientOf(lse));
}

static LogicalResult addAttention(Operation* op, BackwardBuilder& backward) {
  AttentionForm form = AttentionForm::of(op);
  OpBuilder& b = backward.builder();
  Location loc = op->getLoc();
  OpResult output = op->getResult(0);
  Value outputGrad = backward.gradientOf(output);
  if (!outputGrad) {
    SmallVector<OpFoldResult> shape;
    for (int64_t i = 0; i < 4; ++i) shape.push_back(backward.sizeOf(output, i));
    outputGrad = backward.zeros(loc, shape, getElementTypeOrSelf(output));
    if (outputGrad.getType() != output.getType())
      outputGrad = tensor::CastOp::create(b, loc, output.getType(), outputGrad);
  }
  Value sums = makeRowSums(form, outputGrad, backward);
  Value query = backward.valueOf(form.query), key = backward.valueOf(form.key);
  Value value = backward.valueOf(form.value),
        lse = backward.valueOf(op->getResult(1));
  Value lengths = backward.valueOf(form.lengths);
  SmallVector<Value> factors = {form.query, form.key, form.value};
  TypeRange types = ValueRange(factors).getTypes();
  auto scale = op->getAttrOfType<FloatAttr>("scale");
  Operation* gradient = nullptr;
  if (form.isDense())
    gradient = DenseAttentionGradOp::create(
        b, loc, types, query, key, value, outputGrad, lse, sums, lengths, scale,
        MaskAttr::get(b.getContext(), form.mask));
  else
    gradient = GatherAttentionGradOp::create(
        b, loc, types, query, key, value, backward.valueOf(form.indices),
        backward.valueOf(form.counts), outputGrad, lse, sums, lengths, scale);
  for (auto [operand, result] :
       llvm::zip_equal(factors, gradient->getResults()))
    backward.add(operand, result);
  return success();
}

/// Adds the gradients of the indexer's operands, which are the results of
/// `gradient` in this order.
static void addIndexer(ArrayRef<Value> operands, Operation* gradient,
                       BackwardBuilder& backward) {
  for (auto [operand, result] :
       llvm::zip_equal(operands, gradient->getResults()))
    if (operand) backward.add(operand, result);
}

static LogicalResult addIndexScores(IndexScoresOp op,
                                    BackwardBuilder& backward) {
  auto gradient = IndexScoresGradOp::create(
      backward.builder(), op.getLoc(), backward.valueOf(op.getQuery()),
      backward.valueOf(op.getKey()), backward.valueOf(op.getWeights()),
      backward.valueOf(op.getBias()), backward.gradientOf(op.getScores()),
      /*indices=*/Value(),
      /*counts=*/Value(), backward.valueOf(op.getLengths()), op.getScaleAttr(),
      op.getScoreActivationAttr(), op.getWeightActivationAttr(),
      op.getMaskAttr());
  addIndexer({op.getQuery(), op.getKey(), op.getWeights(), op.getBias()},
             gradient, backward);
  return success();
}

static LogicalResult addIndexKl(IndexKlOp op, BackwardBuilder& backward) {
  if (failed(checkIndexLoss(op))) return failure();
  Value lossGrad = backward.gradientOf(op.getLoss());
  auto gradient = IndexKlGradOp::create(
      backward.builder(), op.getLoc(), backward.valueOf(op.getIndexQuery()),
      backward.valueOf(op.getIndexKey()),
      backward.valueOf(op.getIndexWeights()),
      backward.valueOf(op.getIndexBias()), backward.valueOf(op.getQuery()),
      backward.valueOf(op.getKey()), backward.valueOf(op.getLse()), lossGrad,
      backward.valueOf(op.getIndices()), backward.valueOf(op.getCounts()),
      backward.valueOf(op.getLengths()), op.getIndexScaleAttr(),
      op.getSoftmaxScaleAttr(), op.getScoreActivationAttr(),
      op.getWeightActivationAttr(), op.getMeanHeadsAttr(),
      op.getTemperatureAttr(), op.getClipAttr(), op.getMaskAttr());
  addIndexer({op.getIndexQuery(), op.getIndexKey(), op.getIndexWeights(),
              op.getIndexBias()},
             gradient, backward);
  return success();
}

//===----------------------------------------------------------------------===//
// Upstream ops
//===----------------------------------------------------------------------===//

/// Whether a body is a sum of products of its two inputs and of nothing that is
/// made of them, but for their types: what isaContractionOpInterface looks
/// through includes negations and exponentials.
static bool isSumOfProducts(linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op)) return false;
  auto withoutCasts = [](Value value) {
    while (
        isa_and_present<arith::ExtFOp, arith::TruncFOp>(value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    return value;
  };
  auto isOf = [&](Operation* pair, Value first, Value second) {
    Value x = withoutCasts(pair->getOperand(0));
    Value y = withoutCasts(pair->getOperand(1));
    return (x == first && y == second) || (x == second && y == first);
  };
  Block& body = *op.getBlock();
  Value total = withoutCasts(body.getTerminator()->getOperand(0));
  auto sum = total.getDefiningOp<arith::AddFOp>();
  if (!sum) return false;
  for (Value operand : sum->getOperands()) {
    Value term = withoutCasts(operand);
    auto product = term.getDefiningOp<arith::MulFOp>();
    if (product && isOf(product, body.getArgument(0), body.getArgument(1)) &&
        isOf(sum, body.getArgument(2), term))
      return true;
  }
  return false;
}

bool gsa::hasContractionGradients(linalg::LinalgOp op) {
  if (!isSumOfProducts(op)) return false;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (unsigned i : {0u, 1u}) {
    bool sums = false;
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
      bool isOwn = maps[i].isFunctionOfDim(loop);
      bool inOther = maps[1 - i].isFunctionOfDim(loop);
      bool inResult = maps[2].isFunctionOfDim(loop);
      if (isOwn ? !inOther && !inResult : !inOther || !inResult) return false;
      sums |= !isOwn;
    }
    if (!sums) return false;
  }
  return true;
}

/// The gradient of each factor is the contraction of the result's gradient with
/// the other one.
static LogicalResult addContraction(linalg::LinalgOp op,
                                    BackwardBuilder& backward) {
  OpBuilder& b = backward.builder();
  Location loc = op.getLoc();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  Value gradient = backward.gradientOf(op->getResult(0));
  OpOperand* init = op.getDpsInitOperand(0);
  auto elementOf = [](Value value) { return getElementTypeOrSelf(value); };
  for (unsigned i : {0u, 1u}) {
    Value factor = op->getOperand(i), other = op->getOperand(1 - i);
    if (!backward.isActive(factor)) continue;
    Value given = backward.valueOf(other);
    SmallVector<OpFoldResult> shape;
    for (AffineExpr loop : maps[i].getResults()) {
      if (auto at = maps[2].getResultPosition(loop))
        shape.push_back(tensor::getMixedSize(b, loc, gradient, *at));
      else
        shape.push_back(tensor::getMixedSize(
            b, loc, given, *maps[1 - i].getResultPosition(loop)));
    }
    Type data = elementOf(factor);
    bool isUniform = elementOf(gradient) == data && elementOf(other) == data;
    Type sum = isUniform ? data : Type(getAccumulatorType(data));
    auto product = linalg::ContractOp::create(
        b, loc, ValueRange{gradient, given}, backward.zeros(loc, shape, sum),
        b.getAffineMapArrayAttr({maps[2], maps[1 - i], maps[i]}));
    backward.add(factor, backward.cast(loc, product->getResult(0), data));
  }
  backward.add(init->get(), gradient);
  return success();
}

static LogicalResult addExpand(tensor::ExpandShapeOp op,
                               BackwardBuilder& backward) {
  backward.add(
      op.getSrc(),
      tensor::CollapseShapeOp::create(
          backward.builder(), op.getLoc(), op.getSrcType(),
          backward.gradientOf(op.getResult()), op.getReassociationIndices()));
  return success();
}

static LogicalResult addCollapse(tensor::CollapseShapeOp op,
                                 BackwardBuilder& backward) {
  OpBuilder& b = backward.builder();
  Location loc = op.getLoc();
  Value gradient = backward.gradientOf(op.getResult());
  RankedTensorType type = op.getSrcType();
  SmallVector<OpFoldResult> shape;
  for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
    bool isOne = group.size() == 1;
    for (int64_t dim : group)
      // A dimension that stays what it is is one of the gradient's.
      shape.push_back(isOne ? tensor::getMixedSize(b, loc, gradient,
                                                   static_cast<int64_t>(i))
                            : backward.sizeOf(op.getSrc(), dim));
  }
  backward.add(op.getSrc(), tensor::ExpandShapeOp::create(
                                b, loc, type, gradient,
                                op.getReassociationIndices(), shape));
  return success();
}

static LogicalResult addCast(tensor::CastOp op, BackwardBuilder& backward) {
  // `add` casts to the source's type.
  backward.add(op.getSource(), backward.gradientOf(op.getDest()));
  return success();
}

/// What to do about an op without a gradient.
static StringRef adviceFor(Operation* op) {
  if (isa<PartialAttentionOp, MergeAttentionOp>(op))
    return "attention in parts is for inference; differentiate "
           "gsa.gather_attention or gsa.dense_attention, which it is a part of";
  if (isa<PagedRowsOp>(op))
    return "pages are a cache, which is for inference; give keys and values as "
           "tensors";
  if (isa<AppendRowsOp>(op))
    return "appending is of a cache, which is for inference; give keys and "
           "values as tensors";
  if (isa<RowStatisticsOp, StatMeanOp>(op))
    return "the statistics of a selection choose budgets, which are integers; "
           "leave results that depend on it out of 'outputs'";
  if (isGradient(op))
    return "gradients of gradients are not known; leave results that depend on "
           "it out of 'outputs'";
  return "known are gsa.gather_attention, gsa.dense_attention, gsa.gate, "
         "gsa.rope, gsa.index_scores, gsa.index_kl, contractions, elementwise "
         "ops and sums of arith, math and "
         "linalg, and tensor.expand_shape, collapse_shape and cast; write it "
         "by "
         "these, or leave results that depend on it out of 'outputs'";
}

LogicalResult gsa::addGradients(Operation* op, BackwardBuilder& backward) {
  for (OpOperand& operand : op->getOpOperands())
    if (backward.isActive(operand.get()) &&
        !isa<RankedTensorType>(operand.get().getType()))
      return op->emitOpError()
             << "has no gradient: operand " << operand.getOperandNumber()
             << " depends on a differentiated argument, expected a ranked "
                "tensor, got "
             << operand.get().getType();
  return llvm::TypeSwitch<Operation*, LogicalResult>(op)
      .Case([&](GateOp gate) { return addGate(gate, backward); })
      .Case([&](RopeOp rope) { return addRope(rope, backward); })
      .Case([&](IndexScoresOp scores) {
        return addIndexScores(scores, backward);
      })
      .Case([&](IndexKlOp loss) { return addIndexKl(loss, backward); })
      .Case<GatherAttentionOp, DenseAttentionOp>(
          [&](auto) { return addAttention(op, backward); })
      .Case([&](tensor::ExpandShapeOp expand) {
        return addExpand(expand, backward);
      })
      .Case([&](tensor::CollapseShapeOp collapse) {
        return addCollapse(collapse, backward);
      })
      .Case([&](tensor::CastOp cast) { return addCast(cast, backward); })
      .Default([&](Operation* other) -> LogicalResult {
        auto linalgOp = dyn_cast<linalg::LinalgOp>(other);
        if (linalgOp && hasContractionGradients(linalgOp))
          return addContraction(linalgOp, backward);
        if (auto generic = dyn_cast<linalg::GenericOp>(other))
          return addGradients(generic, backward);
        return other->emitOpError("has no gradient: ") << adviceFor(other);
      });
}
