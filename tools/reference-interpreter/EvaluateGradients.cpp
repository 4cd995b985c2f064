//===- EvaluateGradients.cpp - gradient ops by the float64 reference ------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "test/reference/AttentionGradient.h"
#include "test/reference/Gate.h"
#include "test/reference/IndexGradient.h"
#include "tools/reference-interpreter/Evaluate.h"
#include "tools/reference-interpreter/Statistics.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using reference::Tensor;

namespace {
/// The operands that both gradients of attention have, by the names of their
/// getters. Operand numbers are those of the records.
template <typename OpTy>
struct GradientOperands {
  GradientOperands(OpTy op, const OpContext& context)
      : attention{floats(context, op.getQueryMutable()),
                  floats(context, op.getKeyMutable()),
                  floats(context, op.getValueMutable())},
        upstream{floats(context, op.getOutputGradMutable()),
                 floats(context, op.getLseMutable()),
                 floats(context, op.getRowSumsMutable())} {
    if (op.getScale()) scale = op.getScale()->convertToDouble();
    if (context.rounds)
      rounding =
          reference::AttentionRounding{formatOf(op.getValue().getType())};
    if (op.getLengths()) lengths = &context.operands.back().ints();
  }

  static const Tensor<double>& floats(const OpContext& context,
                                      OpOperand& operand) {
    return context.operands[operand.getOperandNumber()].floats();
  }

  reference::AttentionOperands attention;
  reference::AttentionUpstream upstream;
  std::optional<double> scale;
  std::optional<reference::AttentionRounding> rounding;
  const Tensor<int32_t>* lengths = nullptr;
};
}  // namespace

static Results toResults(reference::AttentionGradients gradients) {
  return {std::move(gradients.query), std::move(gradients.key),
          std::move(gradients.value)};
}

static Results evaluateGather(GatherAttentionGradOp op,
                              const OpContext& context) {
  GradientOperands operands(op, context);
  auto ints = [&](OpOperand& operand) -> const Tensor<int32_t>& {
    return context.operands[operand.getOperandNumber()].ints();
  };
  return toResults(reference::GatherAttentionGradient(
      operands.attention, ints(op.getIndicesMutable()),
      ints(op.getCountsMutable()), operands.upstream,
      {operands.scale, context.options.numThreads, operands.rounding,
       reference::KeyRange{}, operands.lengths}));
}

static Results evaluateDense(DenseAttentionGradOp op,
                             const OpContext& context) {
  GradientOperands operands(op, context);
  reference::Mask mask = op.getMask() == Mask::Causal ? reference::Mask::kCausal
                                                      : reference::Mask::kNone;
  return toResults(reference::DenseAttentionGradient(
      operands.attention, operands.upstream,
      {operands.scale, mask, context.options.numThreads, operands.rounding,
       reference::KeyRange{}, operands.lengths}));
}

static Results evaluateRowSums(AttentionRowSumsOp op,
                               const OpContext& context) {
  return {reference::AttentionRowSums(
      context.operands[0].floats(), context.operands[1].floats(),
      op.getLseGrad() ? &context.operands[2].floats() : nullptr)};
}

static Results evaluateGate(GateGradOp op, const OpContext& context) {
  reference::GateGradients gradients = reference::GateGradient(
      context.operands[0].floats(), context.operands[1].floats(),
      context.operands[2].floats(), toReference(op.getActivation()));
  return {std::move(gradients.input), std::move(gradients.logits)};
}

//===----------------------------------------------------------------------===//
// The indexer
//===----------------------------------------------------------------------===//

namespace {
/// What the reference takes of an op that trains the indexer; it must stay
/// where it is made, as its parts refer to each other.
struct IndexerOperands {
  explicit IndexerOperands(const OpContext& context);
  IndexerOperands(const IndexerOperands&) = delete;

  const RuntimeValue* find(Value value) const {
    for (OpOperand& operand : context.op->getOpOperands())
      if (value && operand.get() == value)
        return &context.operands[operand.getOperandNumber()];
    return nullptr;
  }
  const Tensor<double>& floats(Value value) const {
    return find(value)->floats();
  }

  const OpContext& context;
  IndexerForm form;
  std::optional<reference::IndexLists> lists;
  std::optional<reference::IndexOperands> index;
  reference::IndexKlOptions options;
};
}  // namespace

IndexerOperands::IndexerOperands(const OpContext& context)
    : context(context), form(IndexerForm::of(context.op)) {
  auto optional = [&](Value value) {
    const RuntimeValue* found = find(value);
    return found ? &found->floats() : nullptr;
  };
  auto ints = [&](Value value) -> const Tensor<int32_t>* {
    const RuntimeValue* found = find(value);
    return found ? &found->ints() : nullptr;
  };
  index.emplace(reference::IndexOperands{
      floats(form.query), floats(form.key), optional(form.weights),
      optional(form.bias), ints(form.lengths)});
  if (form.indices)
    lists.emplace(
        reference::IndexLists{*ints(form.indices), *ints(form.counts)});
  reference::IndexScoresOptions& scores = options.index.scores;
  if (form.scaleGiven) scores.scale = form.scaleGiven->convertToDouble();
  scores.score_activation = toReference(form.scoreActivation);
  scores.weight_activation = toReference(form.weightActivation);
  scores.mask = form.mask == Mask::Causal ? reference::Mask::kCausal
                                          : reference::Mask::kNone;
  scores.num_threads = context.options.numThreads;
  if (lists) options.index.lists = &*lists;
  if (context.rounds) {
    reference::FloatFormat type = formatOf(form.query.getType());
    options.index.rounding = type.Accumulator();
    options.index.factors = type;
  }
  if (isa<IndexScoresGradOp>(context.op)) return;
  IndexTarget target = IndexTarget::of(context.op);
  if (target.scaleGiven)
    options.softmax_scale = target.scaleGiven->convertToDouble();
  options.target =
      target.meanHeads ? reference::KlTarget::kMean : reference::KlTarget::kSum;
  options.temperature = target.temperature;
  options.clip = target.clip;
}

static Results toResults(reference::IndexGradients gradients) {
  return {std::move(gradients.query), std::move(gradients.key),
          std::move(gradients.weights), std::move(gradients.bias)};
}

static Results evaluateIndexGradient(const OpContext& context) {
  IndexerOperands operands(context);
  if (auto scores = dyn_cast<IndexScoresGradOp>(context.op))
    return toResults(reference::IndexScoresGradient(
        *operands.index, operands.floats(scores.getScoresGrad()),
        operands.options.index));
  IndexTarget form = IndexTarget::of(context.op);
  reference::TargetOperands target{operands.floats(form.query),
                                   operands.floats(form.key),
                                   operands.floats(form.lse)};
  if (isa<IndexKlOp>(context.op))
    return {reference::IndexKl(*operands.index, target, operands.options)};
  Value lossGrad = cast<IndexKlGradOp>(context.op).getLossGrad();
  return toResults(reference::IndexKlGradient(
      *operands.index, target, operands.floats(lossGrad), operands.options));
}

std::optional<Results> mlir::gsa::detail::evaluateGradientOp(
    const OpContext& context) {
  using Result = std::optional<Results>;
  return llvm::TypeSwitch<Operation*, Result>(context.op)
      .Case([&](AttentionRowSumsOp op) { return evaluateRowSums(op, context); })
      .Case(
          [&](GatherAttentionGradOp op) { return evaluateGather(op, context); })
      .Case([&](DenseAttentionGradOp op) { return evaluateDense(op, context); })
      .Case([&](GateGradOp op) { return evaluateGate(op, context); })
      .Case<IndexScoresGradOp, IndexKlOp, IndexKlGradOp>(
          [&](auto) { return evaluateIndexGradient(context); })
      .Default([](Operation*) { return std::nullopt; });
}
