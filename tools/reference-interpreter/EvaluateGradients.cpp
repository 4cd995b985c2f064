//===- EvaluateGradients.cpp - gradient ops by the float64 reference ------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "test/reference/AttentionGradient.h"
#include "test/reference/Gate.h"
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

std::optional<Results> mlir::gsa::detail::evaluateGradientOp(
    const OpContext& context) {
  using Result = std::optional<Results>;
  return llvm::TypeSwitch<Operation*, Result>(context.op)
      .Case([&](AttentionRowSumsOp op) { return evaluateRowSums(op, context); })
      .Case(
          [&](GatherAttentionGradOp op) { return evaluateGather(op, context); })
      .Case([&](DenseAttentionGradOp op) { return evaluateDense(op, context); })
      .Case([&](GateGradOp op) { return evaluateGate(op, context); })
      .Default([](Operation*) { return std::nullopt; });
}
