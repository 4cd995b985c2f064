//===- FuseSelection.cpp - gsa-fuse-selection -----------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAFUSESELECTION
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

namespace {

/// The ops of one selection, found upwards from its top-k.
struct SelectionChain {
  IndexScoresOp scores;
  RowStatisticsOp statistics;
  StatMeanOp mean;  ///< Null if the normaliser comes from outside.
  AdaptiveKOp budget;
  TopKOp top;
};

}  // namespace

/// The batch mean of the chain's own statistic, which is part of gsa.select
/// for upstream_variance; null if the normaliser comes from elsewhere.
static StatMeanOp findOwnMean(SelectionChain& chain) {
  if (chain.budget.getPolicy().getKind() != KPolicyKind::UpstreamVariance)
    return nullptr;
  auto mean = chain.budget.getNormaliser().getDefiningOp<StatMeanOp>();
  bool isOwn = mean && mean->hasOneUse() &&
               mean.getValues() == chain.statistics.getValue();
  return isOwn ? mean : nullptr;
}

/// Finds the chain that ends in `top`; on failure `reason` says what is
/// different from the definition of gsa.select.
static LogicalResult matchChain(TopKOp top, SelectionChain& chain,
                                StringRef& reason) {
  auto fail = [&](StringRef why) {
    reason = why;
    return failure();
  };
  chain.top = top;
  chain.scores = top.getScores().getDefiningOp<IndexScoresOp>();
  if (!chain.scores) return fail("the scores come from no gsa.index_scores");
  chain.budget = top.getK().getDefiningOp<AdaptiveKOp>();
  if (!chain.budget) return fail("the budget comes from no gsa.adaptive_k");
  chain.statistics = chain.budget.getVisible().getDefiningOp<RowStatisticsOp>();
  if (!chain.statistics ||
      chain.statistics.getScores() != chain.scores.getScores())
    return fail("visible keys are not counted on the same scores");
  for (Operation* user : chain.scores->getUsers())
    if (user != chain.statistics && user != top)
      return fail("the scores have another user");
  KPolicyAttr policy = chain.budget.getPolicy();
  chain.mean = findOwnMean(chain);
  // A budget or statistics that someone else reads would keep the scores
  // alive.
  if (!chain.budget->hasOneUse()) return fail("the budget has another user");
  for (Operation* user : chain.statistics->getUsers())
    if (user != chain.budget && user != chain.mean)
      return fail("the statistics have another user");
  if (top.getOrder() != IndexOrder::Index) return fail("the order is by score");
  if (static_cast<int64_t>(top.getSlots()) != policy.getSlots())
    return fail("the number of slots is not the policy's");
  // A schedule that somebody wrote is of one kernel; the whole has others.
  if (chain.scores->hasAttr(kScheduleAttr))
    return fail("gsa.index_scores has a schedule of its own");
  if (chain.statistics->hasAttr(kScheduleAttr))
    return fail("gsa.row_statistics has a schedule of its own");
  if (top->hasAttr(kScheduleAttr))
    return fail("gsa.topk has a schedule of its own");
  if (!policy.usesStatistic()) return success();
  if (chain.budget.getStatistic() != chain.statistics.getValue() ||
      chain.statistics.getStatistic() != policy.getStatistic() ||
      chain.statistics.getPopulation() != policy.getPopulation() ||
      static_cast<int64_t>(chain.statistics.getCorrection()) !=
          policy.getCorrection())
    return fail("the statistic is not the one that the policy defines");
  return success();
}

static void fuse(const SelectionChain& chain, IRRewriter& rewriter) {
  IndexScoresOp scores = chain.scores;
  TopKOp top = chain.top;
  AdaptiveKOp budget = chain.budget;
  StatMeanOp mean = chain.mean;
  Value normaliser = mean ? Value() : budget.getNormaliser();
  rewriter.setInsertionPoint(top);
  auto select = SelectOp::create(
      rewriter, top.getLoc(), top->getResultTypes(), scores.getQuery(),
      scores.getKey(), scores.getWeights(), scores.getBias(), normaliser,
      scores.getLengths(), budget.getPolicyAttr(), scores.getScaleAttr(),
      scores.getScoreActivationAttr(), scores.getWeightActivationAttr(),
      scores.getMaskAttr(), top.getSinkAttr(), top.getLocalAttr(),
      /*assume_finite=*/UnitAttr());
  remark::passed(
      select.getLoc(),
      remark::RemarkOpts::name("FusedSelection").category("gsa.fuse"))
      << stringifyKPolicyKind(budget.getPolicy().getKind());
  rewriter.replaceOp(top, select);
  // Whatever nobody else reads goes with the chain.
  RowStatisticsOp statistics = chain.statistics;
  for (Operation* op :
       {budget.getOperation(), mean ? mean.getOperation() : nullptr,
        statistics.getOperation(), scores.getOperation()})
    if (op && op->use_empty()) rewriter.eraseOp(op);
}

namespace {

struct FuseSelection : gsa::impl::GsaFuseSelectionBase<FuseSelection> {
  void runOnOperation() override {
    SmallVector<TopKOp> tops;
    getOperation()->walk([&](TopKOp top) { tops.push_back(top); });
    IRRewriter rewriter(&getContext());
    for (TopKOp top : tops) {
      SelectionChain chain;
      StringRef reason;
      if (failed(matchChain(top, chain, reason))) {
        remark::missed(
            top.getLoc(),
            remark::RemarkOpts::name("NotFused").category("gsa.fuse"))
            << reason;
        continue;
      }
      fuse(chain, rewriter);
    }
  }
};

}  // namespace
