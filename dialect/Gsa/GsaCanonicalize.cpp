//===- GsaCanonicalize.cpp - rewrites that always hold --------------------===//

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mlir::gsa;

/// The value of every element if `value` is a constant splat of floats.
static std::optional<APFloat> getSplat(Value value) {
  DenseFPElementsAttr attr;
  if (!value || !matchPattern(value, m_Constant(&attr)) || !attr.isSplat())
    return std::nullopt;
  return attr.getSplatValue<APFloat>();
}

static int64_t dimOf(Value value, int64_t i) {
  return cast<RankedTensorType>(value.getType()).getDimSize(i);
}

namespace {

/// A single query sees every key under the bottom-right causal mask, also where
/// there are fewer than room is for.
template <typename OpTy>
struct DropMaskOfSingleQuery : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter& rewriter) const override {
    if (op.getMask() != Mask::Causal || dimOf(op.getQuery(), 1) != 1)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setMask(Mask::None); });
    return success();
  }
};

/// A bias of zeros is no bias.
template <typename OpTy>
struct DropZeroBias : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter& rewriter) const override {
    std::optional<APFloat> bias = getSplat(op.getBias());
    if (!bias || !bias->isZero()) return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getBiasMutable().clear(); });
    return success();
  }
};

/// A fixed budget reads no statistic.
struct DropUnusedStatistic : OpRewritePattern<AdaptiveKOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AdaptiveKOp op,
                                PatternRewriter& rewriter) const override {
    if (op.getPolicy().usesStatistic() || !op.getStatistic()) return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getStatisticMutable().clear(); });
    return success();
  }
};

/// A gate of constant logits is a constant factor: sigmoid(0) = 0.5 and so on
/// for every activation at 0; sigmoid and tanh gates saturate at infinity.
struct FoldConstantGate : OpRewritePattern<GateOp> {
  using OpRewritePattern::OpRewritePattern;

  static std::optional<double> getFactor(GateActivation activation,
                                         const APFloat& logit) {
    bool isSilu = activation == GateActivation::Silu;
    if (logit.isZero()) return isSilu ? 0.0 : 0.5;
    if (logit.isInfinity() && !isSilu && !logit.isNegative()) return 1.0;
    return std::nullopt;
  }

  LogicalResult matchAndRewrite(GateOp op,
                                PatternRewriter& rewriter) const override {
    std::optional<APFloat> logit = getSplat(op.getLogits());
    if (!logit || op.getInput().getType() != op.getType()) return failure();
    std::optional<double> factor = getFactor(op.getActivation(), *logit);
    if (!factor) return failure();
    if (*factor == 1.0) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    // x * 0 is kept as a product: it is NaN where x is.
    auto type = cast<RankedTensorType>(op.getType());
    Location loc = op.getLoc();
    Value scalar = arith::ConstantOp::create(
        rewriter, loc, rewriter.getFloatAttr(type.getElementType(), *factor));
    SmallVector<Value> dynamicSizes;
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (type.isDynamicDim(i))
        dynamicSizes.push_back(
            tensor::DimOp::create(rewriter, loc, op.getInput(), i));
    Value splat = tensor::SplatOp::create(rewriter, loc, scalar,
                                          type.getShape(), dynamicSizes);
    rewriter.replaceOpWithNewOp<arith::MulFOp>(op, op.getInput(), splat);
    return success();
  }
};

/// Attention over a selection that certainly holds every visible key is dense
/// attention. Needs `assume_finite`: selection leaves NaN keys out and dense
/// attention does not. An op with a schedule is meant to run as it is.
struct DenseWhenBudgetCoversAllKeys : OpRewritePattern<GatherAttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatherAttentionOp op,
                                PatternRewriter& rewriter) const override {
    if (op->hasAttr(kScheduleAttr)) return failure();
    auto select = op.getIndices().getDefiningOp<SelectOp>();
    if (!select || op.getIndices() != select.getIndices() ||
        op.getCounts() != select.getCounts() || !select.getAssumeFinite())
      return failure();
    int64_t keys = dimOf(op.getKey(), 1);
    int64_t least = select.getPolicy().getLeast();
    // The budget is counted in the keys that selection saw, and so is the mask.
    if (ShapedType::isDynamic(keys) || dimOf(select.getKey(), 1) != keys ||
        least < keys ||
        (op.getLengths() && op.getLengths() != select.getLengths()))
      return failure();
    remark::passed(
        op.getLoc(),
        remark::RemarkOpts::name("DenseAttention").category("gsa.fold"))
        << "the selection holds every visible key";
    rewriter.replaceOpWithNewOp<DenseAttentionOp>(
        op, op->getResultTypes(), op.getQuery(), op.getKey(), op.getValue(),
        op.getGate(), select.getLengths(), op.getScaleAttr(),
        select.getMaskAttr(), op.getGateActivationAttr());
    return success();
  }
};

}  // namespace

void IndexScoresOp::getCanonicalizationPatterns(RewritePatternSet& patterns,
                                                MLIRContext* context) {
  patterns
      .add<DropMaskOfSingleQuery<IndexScoresOp>, DropZeroBias<IndexScoresOp>>(
          context);
}

void AdaptiveKOp::getCanonicalizationPatterns(RewritePatternSet& patterns,
                                              MLIRContext* context) {
  patterns.add<DropUnusedStatistic>(context);
}

void SelectOp::getCanonicalizationPatterns(RewritePatternSet& patterns,
                                           MLIRContext* context) {
  patterns.add<DropMaskOfSingleQuery<SelectOp>, DropZeroBias<SelectOp>>(
      context);
}

void GatherAttentionOp::getCanonicalizationPatterns(RewritePatternSet& patterns,
                                                    MLIRContext* context) {
  patterns.add<DenseWhenBudgetCoversAllKeys>(context);
}

void DenseAttentionOp::getCanonicalizationPatterns(RewritePatternSet& patterns,
                                                   MLIRContext* context) {
  patterns.add<DropMaskOfSingleQuery<DenseAttentionOp>>(context);
}

void PartialAttentionOp::getCanonicalizationPatterns(
    RewritePatternSet& patterns, MLIRContext* context) {
  patterns.add<DropMaskOfSingleQuery<PartialAttentionOp>>(context);
}

void GateOp::getCanonicalizationPatterns(RewritePatternSet& patterns,
                                         MLIRContext* context) {
  patterns.add<FoldConstantGate>(context);
}
