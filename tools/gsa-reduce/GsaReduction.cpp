//===- GsaReduction.cpp - smaller gsa modules -----------------------------===//

#include "tools/gsa-reduce/GsaReduction.h"

#include <functional>

#include "dialect/Gsa/GsaDialect.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Reducer/ReductionPatternInterface.h"

using namespace mlir;
using namespace mlir::gsa;

/// Makes one change to an op, or none and fails.
using Simplification = std::function<LogicalResult(Operation*, RewriterBase&)>;

/// Replaces an op by its first operand.
template <typename OpTy>
static LogicalResult forwardInput(Operation* op, RewriterBase& rewriter) {
  auto typed = dyn_cast<OpTy>(op);
  if (!typed || typed.getInput().getType() != typed.getOutput().getType())
    return failure();
  rewriter.replaceOp(op, typed.getInput());
  return success();
}

static LogicalResult clearOperand(Operation* op, RewriterBase& rewriter,
                                  MutableOperandRange operand) {
  if (operand.empty()) return failure();
  rewriter.modifyOpInPlace(op, [&] { operand.clear(); });
  return success();
}

static LogicalResult dropWeights(Operation* op, RewriterBase& rewriter) {
  if (auto scores = dyn_cast<IndexScoresOp>(op))
    return clearOperand(op, rewriter, scores.getWeightsMutable());
  if (auto select = dyn_cast<SelectOp>(op))
    return clearOperand(op, rewriter, select.getWeightsMutable());
  if (auto attention = dyn_cast<AttentionOp>(op))
    return clearOperand(op, rewriter, attention.getIndexWeightsMutable());
  return failure();
}

static LogicalResult dropBias(Operation* op, RewriterBase& rewriter) {
  if (auto scores = dyn_cast<IndexScoresOp>(op))
    return clearOperand(op, rewriter, scores.getBiasMutable());
  if (auto select = dyn_cast<SelectOp>(op))
    return clearOperand(op, rewriter, select.getBiasMutable());
  if (auto attention = dyn_cast<AttentionOp>(op))
    return clearOperand(op, rewriter, attention.getIndexBiasMutable());
  return failure();
}

static LogicalResult dropValueGate(Operation* op, RewriterBase& rewriter) {
  auto attention = dyn_cast<AttentionOp>(op);
  if (!attention) return failure();
  return clearOperand(op, rewriter, attention.getValueGateMutable());
}

static LogicalResult dropOutputGate(Operation* op, RewriterBase& rewriter) {
  if (auto attention = dyn_cast<AttentionOp>(op))
    return clearOperand(op, rewriter, attention.getOutputGateMutable());
  if (auto gather = dyn_cast<GatherAttentionOp>(op))
    return clearOperand(op, rewriter, gather.getGateMutable());
  if (auto dense = dyn_cast<DenseAttentionOp>(op))
    return clearOperand(op, rewriter, dense.getGateMutable());
  if (auto merge = dyn_cast<MergeAttentionOp>(op))
    return clearOperand(op, rewriter, merge.getGateMutable());
  return failure();
}

static LogicalResult dropLengths(Operation* op, RewriterBase& rewriter) {
  auto drop = [&](auto typed) {
    return clearOperand(op, rewriter, typed.getLengthsMutable());
  };
  if (auto scores = dyn_cast<IndexScoresOp>(op)) return drop(scores);
  if (auto select = dyn_cast<SelectOp>(op)) return drop(select);
  if (auto attention = dyn_cast<AttentionOp>(op)) return drop(attention);
  if (auto gather = dyn_cast<GatherAttentionOp>(op)) return drop(gather);
  if (auto dense = dyn_cast<DenseAttentionOp>(op)) return drop(dense);
  if (auto partial = dyn_cast<PartialAttentionOp>(op)) return drop(partial);
  return failure();
}

/// `fixed` with the slots of `policy`, so that result types stay.
static KPolicyAttr fixedPolicy(KPolicyAttr policy) {
  return KPolicyAttr::get(policy.getContext(), KPolicyKind::Fixed,
                          policy.getSlots(), /*min=*/1, /*max=*/1 << 30,
                          /*temperature=*/llvm::APFloat(1.0));
}

static LogicalResult fixPolicy(Operation* op, RewriterBase& rewriter) {
  auto fix = [&](auto typed) -> LogicalResult {
    if (typed.getPolicy().getKind() == KPolicyKind::Fixed) return failure();
    rewriter.modifyOpInPlace(op, [&] {
      typed.setPolicyAttr(fixedPolicy(typed.getPolicy()));
      typed.getNormaliserMutable().clear();
      if constexpr (std::is_same_v<decltype(typed), AdaptiveKOp>)
        typed.getStatisticMutable().clear();
    });
    return success();
  };
  if (auto budget = dyn_cast<AdaptiveKOp>(op)) return fix(budget);
  if (auto select = dyn_cast<SelectOp>(op)) return fix(select);
  if (auto attention = dyn_cast<AttentionOp>(op)) return fix(attention);
  return failure();
}

/// Gives attribute `name` its default, or removes it if it has none.
static LogicalResult resetAttribute(Operation* op, RewriterBase& rewriter,
                                    StringAttr name) {
  // An op of which nothing but the operands is said has the defaults.
  Operation* plain = Operation::create(
      op->getLoc(), op->getName(), op->getResultTypes(), op->getOperands(),
      NamedAttrList(), /*properties=*/nullptr, /*successors=*/{},
      /*numRegions=*/0);
  Attribute value = plain->getAttr(name);
  plain->destroy();
  if (value == op->getAttr(name)) return failure();
  rewriter.modifyOpInPlace(op, [&] {
    if (value)
      op->setAttr(name, value);
    else
      op->removeAttr(name);
  });
  return success();
}

/// Everything that may be tried on `op`, the largest steps first.
static SmallVector<Simplification> getSimplifications(Operation* op) {
  SmallVector<Simplification> list = {
      forwardInput<GateOp>, forwardInput<RopeOp>, dropValueGate, dropOutputGate,
      dropLengths,          dropWeights,          dropBias,      fixPolicy};
  for (NamedAttribute attribute : op->getAttrs()) {
    StringAttr name = attribute.getName();
    if (name == "operandSegmentSizes" || name == "policy") continue;
    list.push_back([name](Operation* op, RewriterBase& rewriter) {
      return resetAttribute(op, rewriter, name);
    });
  }
  return list;
}

namespace {

/// Simplifies an op step by step. A step is taken only if the module without it
/// passes the verifier and the test, so that the one thing that must stay does
/// not keep the others.
struct SimplifyGsaOp : RewritePattern {
  SimplifyGsaOp(MLIRContext* context, const Tester& tester)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context),
        tester(tester) {}

  LogicalResult matchAndRewrite(Operation* op,
                                PatternRewriter& rewriter) const override {
    auto module = op->getParentOfType<ModuleOp>();
    if (!module || !isa_and_nonnull<GsaDialect>(op->getDialect()))
      return failure();
    for (const Simplification& simplify : getSimplifications(op))
      if (staysInteresting(module, op, simplify)) return simplify(op, rewriter);
    return failure();
  }

  /// Tries on a copy: a pattern that fails must leave its op as it was.
  bool staysInteresting(ModuleOp module, Operation* op,
                        const Simplification& simplify) const {
    IRMapping mapping;
    OwningOpRef<ModuleOp> copy = cast<ModuleOp>(module->clone(mapping));
    Operation* twin = mapping.lookupOrNull(op);
    IRRewriter rewriter(op->getContext());
    rewriter.setInsertionPoint(twin);
    if (failed(simplify(twin, rewriter))) return false;
    {
      ScopedDiagnosticHandler quiet(op->getContext(),
                                    [](Diagnostic&) { return success(); });
      if (failed(verify(*copy))) return false;
    }
    return tester.isInteresting(*copy).first == Tester::Interestingness::True;
  }

  const Tester& tester;
};

struct GsaReductions : DialectReductionPatternInterface {
  explicit GsaReductions(Dialect* dialect)
      : DialectReductionPatternInterface(dialect) {}

  /// None: every step asks the test.
  void populateReductionPatterns(RewritePatternSet&) const override {}

  void populateReductionPatternsWithTester(RewritePatternSet& patterns,
                                           Tester& tester) const override {
    patterns.add<SimplifyGsaOp>(patterns.getContext(), tester);
  }
};

}  // namespace

void gsa::registerGsaReductions(DialectRegistry& registry) {
  registry.addExtension(+[](MLIRContext*, GsaDialect* dialect) {
    dialect->addInterfaces<GsaReductions>();
  });
}
