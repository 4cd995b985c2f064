//===- EvaluateGsa.cpp - gsa ops by the float64 reference -----------------===//
//
// Translates attributes to the options of test/reference and calls it. The
// block gsa.attention is evaluated step by step, not through its
// decomposition, so that the decomposition can be checked against it.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cmath>
#include <deque>

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "test/reference/AdaptiveK.h"
#include "test/reference/AppendRows.h"
#include "test/reference/DenseAttention.h"
#include "test/reference/Gate.h"
#include "test/reference/GatherAttention.h"
#include "test/reference/IndexScores.h"
#include "test/reference/Math.h"
#include "test/reference/MergeAttention.h"
#include "test/reference/PagedRows.h"
#include "test/reference/Rope.h"
#include "test/reference/RowStatistics.h"
#include "test/reference/Select.h"
#include "test/reference/StatMean.h"
#include "test/reference/TopK.h"
#include "tools/reference-interpreter/Evaluate.h"
#include "tools/reference-interpreter/Statistics.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;
using reference::Tensor;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static std::optional<double> toDouble(const std::optional<APFloat>& value) {
  if (!value) return std::nullopt;
  return value->convertToDouble();
}

reference::ScoreActivation mlir::gsa::detail::toReference(
    ScoreActivation activation) {
  switch (activation) {
    case ScoreActivation::Sigmoid:
      return reference::ScoreActivation::kSigmoid;
    case ScoreActivation::Relu:
      return reference::ScoreActivation::kRelu;
    case ScoreActivation::Identity:
      return reference::ScoreActivation::kIdentity;
  }
  llvm_unreachable("unknown activation");
}

reference::WeightActivation mlir::gsa::detail::toReference(
    WeightActivation activation) {
  return activation == WeightActivation::Sigmoid
             ? reference::WeightActivation::kSigmoid
             : reference::WeightActivation::kIdentity;
}

static reference::Mask convert(Mask mask) {
  return mask == Mask::Causal ? reference::Mask::kCausal
                              : reference::Mask::kNone;
}

static reference::KPolicy convert(KPolicyAttr policy) {
  reference::KPolicy result;
  switch (policy.getKind()) {
    case KPolicyKind::Fixed:
      result.kind = reference::KPolicyKind::kFixed;
      break;
    case KPolicyKind::UpstreamVariance:
      result.kind = reference::KPolicyKind::kUpstreamVariance;
      break;
    case KPolicyKind::PaperEma:
      result.kind = reference::KPolicyKind::kPaperEma;
      break;
    case KPolicyKind::Entropy:
      result.kind = reference::KPolicyKind::kEntropy;
      break;
    case KPolicyKind::Orth:
      result.kind = reference::KPolicyKind::kOrth;
      break;
  }
  result.base = policy.getBase();
  result.min = policy.getMin();
  result.max = policy.getMax();
  result.temperature = policy.getTemperature().convertToDouble();
  return result;
}

/// Rotary options of gsa.rope and gsa.attention, whose getters differ in name.
static reference::RopeOptions makeRope(const APFloat& base,
                                       std::optional<int64_t> rotaryDim,
                                       bool interleaved,
                                       std::optional<RopeScalingAttr> scaling) {
  reference::RopeOptions options;
  options.base = base.convertToDouble();
  options.rotary_dim = rotaryDim;
  options.interleaved = interleaved;
  if (!scaling) return options;
  reference::RopeScaling& result = options.scaling;
  result.kind = scaling->getKind() == RopeScalingKind::Ntk
                    ? reference::RopeScalingKind::kNtk
                    : reference::RopeScalingKind::kYarn;
  result.factor = scaling->getFactor().convertToDouble();
  result.original_max_position = scaling->getOriginalMaxPosition();
  result.beta_fast = scaling->getBetaFast().convertToDouble();
  result.beta_slow = scaling->getBetaSlow().convertToDouble();
  return options;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

namespace {
/// Values of the operands of an op, by the SSA values that its getters return.
class Operands {
 public:
  explicit Operands(const OpContext& context)
      : Operands(context.op, context.operands) {}
  Operands(Operation* op, ArrayRef<RuntimeValue> values)
      : op(op), values(values) {}

  const RuntimeValue& get(Value value) const {
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (operand == value) return values[i];
    throw std::invalid_argument("reads a value that is no operand");
  }
  const Tensor<double>& floats(Value value) const {
    return get(value).floats();
  }
  /// The same as far as their types hold them: selection compares numbers that
  /// may all be infinite there and different in float64.
  const Tensor<double>& held(Value value) {
    const Tensor<double>& exact = floats(value);
    reference::Range range(formatOf(value.getType()));
    if (!range.Changes(exact)) return exact;
    Tensor<double>& copy = copies.emplace_back(exact);
    for (double& element : copy.values()) element = range(element);
    return copy;
  }
  const Tensor<double>* optionalHeld(Value value) {
    return value ? &held(value) : nullptr;
  }
  const Tensor<int32_t>* optionalInts(Value value) const {
    return value ? &get(value).ints() : nullptr;
  }
  std::optional<double> scalarHeld(Value value) {
    if (!value) return std::nullopt;
    return held(value).At();
  }

 private:
  Operation* op;
  ArrayRef<RuntimeValue> values;
  std::deque<Tensor<double>> copies;  ///< Whose addresses stay
};
}  // namespace

/// What the rounded evaluation rounds inside of attention over elements of
/// `type`; nothing in the exact one.
static std::optional<reference::AttentionRounding> attentionRounding(
    const OpContext& context, Type type) {
  if (!context.rounds) return std::nullopt;
  return reference::AttentionRounding{formatOf(type)};
}

/// `tensor` as a result of `type` inside of an op's definition.
static Tensor<double> roundInside(const OpContext& context, Type type,
                                  Tensor<double> tensor) {
  if (context.rounds) reference::Rounder{formatOf(type)}(&tensor);
  return tensor;
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// The parts of SelectOptions that gsa.select and gsa.attention name alike.
template <typename Op>
static reference::SelectOptions makeSelect(Op op, Value indexQuery,
                                           const OpContext& context,
                                           Operands& operands) {
  reference::SelectOptions options;
  options.policy = convert(op.getPolicy());
  options.score_activation = toReference(op.getScoreActivation());
  options.weight_activation = toReference(op.getWeightActivation());
  options.mask = convert(op.getMask());
  options.sink = op.getSink();
  options.local = op.getLocal();
  options.normaliser = operands.scalarHeld(op.getNormaliser());
  options.num_threads = context.options.numThreads;
  options.range = formatOf(indexQuery.getType()).Accumulator();
  return options;
}

/// Whether two tensors differ by more than binary32 rounds, which the margins
/// of CompareRow allow anyway.
static bool differ(const Tensor<double>* exact, const Tensor<double>* rounded) {
  if (!exact || exact == rounded) return false;
  double largest = 0.0, error = 0.0;
  for (int64_t i = 0; i < exact->size(); ++i) {
    double x = (*exact)[i], y = (*rounded)[i];
    if (!std::isfinite(x) || !std::isfinite(y)) {
      if (x != y && !(std::isnan(x) && std::isnan(y))) return true;
      continue;
    }
    largest = std::max(largest, std::abs(x));
    error = std::max(error, std::abs(x - y));
  }
  return error > 0x1p-20 * largest;
}

static bool differ(const reference::IndexOperands& exact,
                   const reference::IndexOperands& rounded) {
  return differ(&exact.query, &rounded.query) ||
         differ(&exact.key, &rounded.key) ||
         differ(exact.weights, rounded.weights) ||
         differ(exact.bias, rounded.bias);
}

/// Puts the lists of `alternatives` into a selection.
static void takeAlternatives(
    const std::vector<std::vector<int32_t>>& alternatives,
    Tensor<int32_t>* indices, Tensor<int32_t>* counts) {
  int64_t slots = indices->dim(2);
  for (size_t row = 0; row < alternatives.size(); ++row) {
    const std::vector<int32_t>& list = alternatives[row];
    if (list.empty()) continue;
    int32_t* to = indices->data() + static_cast<int64_t>(row) * slots;
    std::fill(to, to + slots, -1);
    std::copy(list.begin(), list.end(), to);
    (*counts)[static_cast<int64_t>(row)] = static_cast<int32_t>(list.size());
  }
}

/// Lets the caller of the interpreter replace rows of a selection, and
/// remembers the outcome for the rounded evaluation.
static void offer(const OpContext& context, const SelectionEvent& event,
                  Tensor<int32_t>* indices, Tensor<int32_t>* counts,
                  const Tensor<int32_t>& status) {
  Selection selection{std::move(*indices), std::move(*counts)};
  if (context.options.onSelection)
    context.options.onSelection(event, selection);
  *indices = selection.indices;
  *counts = selection.counts;
  bool shared = selection.pinned || (!event.roundedScores && !event.roundedRaw);
  context.memo = {std::move(selection), status, shared};
}

/// The operands of a selection in the two evaluations.
struct IndexEvaluations {
  reference::IndexOperands exact, rounded;
};

/// Selects, and lets the caller of the interpreter replace rows.
static reference::SelectResult select(const OpContext& context,
                                      const IndexEvaluations& index,
                                      const reference::SelectOptions& options,
                                      Value indices, Value counts) {
  if (context.rounds) {
    reference::SelectResult result;
    if (context.memo.shared) {
      result.indices = context.memo.used.indices;
      result.counts = context.memo.used.counts;
      result.status = context.memo.status;
    } else {
      result = reference::Select(index.rounded, options);
    }
    takeAlternatives(context.memo.used.alternatives, &result.indices,
                     &result.counts);
    return result;
  }
  reference::SelectResult result = reference::Select(index.exact, options);
  SelectionEvent event;
  event.op = context.op;
  event.indices = indices;
  event.counts = counts;
  int64_t queries = index.exact.query.dim(1);
  event.raw = &result.raw;
  event.rowReference = [&](int64_t row, std::vector<double>* scores) {
    reference::ScoreRow(index.exact, options.ScoreOptions(), row / queries,
                        row % queries, scores);
    return reference::RowReference{
        *scores,      options.policy, result.raw[row], options.policy.Slots(),
        options.sink, options.local,  options.range};
  };
  if (differ(index.exact, index.rounded)) {
    event.roundedScores = [&](int64_t row, std::vector<double>* scores) {
      reference::ScoreRow(index.rounded, options.ScoreOptions(), row / queries,
                          row % queries, scores);
    };
    event.roundedRaw = [&] {
      return reference::Select(index.rounded, options).raw;
    };
  }
  offer(context, event, &result.indices, &result.counts, result.status);
  return result;
}

static Results evaluateSelect(SelectOp op, const OpContext& context) {
  Operands operands(context), rounded(op, context.rounded);
  reference::SelectOptions options =
      makeSelect(op, op.getQuery(), context, operands);
  options.scale = toDouble(op.getScale());
  auto index = [&](Operands& values) {
    return reference::IndexOperands{
        values.held(op.getQuery()), values.held(op.getKey()),
        values.optionalHeld(op.getWeights()), values.optionalHeld(op.getBias()),
        values.optionalInts(op.getLengths())};
  };
  reference::SelectResult result =
      select(context, {index(operands), index(rounded)}, options,
             op.getIndices(), op.getCounts());
  return {std::move(result.indices), std::move(result.counts),
          std::move(result.status)};
}

static Results evaluateIndexScores(IndexScoresOp op, const OpContext& context) {
  Operands operands(context);
  reference::IndexScoresOptions options;
  options.scale = toDouble(op.getScale());
  options.score_activation = toReference(op.getScoreActivation());
  options.weight_activation = toReference(op.getWeightActivation());
  options.mask = convert(op.getMask());
  options.num_threads = context.options.numThreads;
  options.range = formatOf(op.getQuery().getType()).Accumulator();
  return {reference::IndexScores(
      {operands.held(op.getQuery()), operands.held(op.getKey()),
       operands.optionalHeld(op.getWeights()),
       operands.optionalHeld(op.getBias()),
       operands.optionalInts(op.getLengths())},
      options)};
}

static Results evaluateRowStatistics(RowStatisticsOp op,
                                     const OpContext& context) {
  reference::RowStatisticsOptions options;
  options.statistic = op.getStatistic() == Statistic::Entropy
                          ? reference::Statistic::kEntropy
                          : reference::Statistic::kVariance;
  options.population = op.getPopulation() == Population::ZeroFilled
                           ? reference::Population::kZeroFilled
                           : reference::Population::kVisible;
  options.correction = op.getCorrection();
  Operands operands(context);
  reference::RowStatisticsResult result =
      reference::RowStatistics(operands.held(op.getScores()), options);
  return {std::move(result.value), std::move(result.visible)};
}

static Results evaluateAdaptiveK(AdaptiveKOp op, const OpContext& context) {
  Operands operands(context);
  reference::KPolicy policy = convert(op.getPolicy());
  reference::AdaptiveKResult result =
      reference::AdaptiveK(operands.get(op.getVisible()).ints(),
                           operands.optionalHeld(op.getStatistic()),
                           operands.scalarHeld(op.getNormaliser()), policy);
  context.budgets[op.getK()] = {policy, std::move(result.raw)};
  return {std::move(result.k)};
}

/// Row `row` of scores [B, Sq, Sk].
static void copyRow(const Tensor<double>& all, int64_t row,
                    std::vector<double>* scores) {
  int64_t keys = all.dim(2);
  scores->assign(all.data() + row * keys, all.data() + (row + 1) * keys);
}

/// What is known about a row of a gsa.topk. A budget without a record is fixed;
/// one that selects nothing is told by a row that sees nothing.
static reference::RowReference topKRow(TopKOp op, const OpContext& context,
                                       const Tensor<double>& allScores,
                                       int64_t row,
                                       std::vector<double>* scores) {
  copyRow(allScores, row, scores);
  reference::RowReference result;
  result.type = formatOf(op.getScores().getType());
  result.slots = op.getSlots();
  result.sink = op.getSink();
  result.local = op.getLocal();
  auto record = context.budgets.find(op.getK());
  if (record != context.budgets.end()) {
    result.policy = record->second.policy;
    result.raw = record->second.raw[row];
  } else {
    int64_t budget = context.operands[1].ints()[row];
    if (budget < 1)
      std::fill(scores->begin(), scores->end(), -reference::kInfinity);
    result.policy = reference::KPolicy::Fixed(std::max<int64_t>(budget, 1));
    result.raw = static_cast<double>(budget);
  }
  result.scores = *scores;
  return result;
}

/// Offers the selection of a gsa.topk to the caller of the interpreter.
static void offerTopK(TopKOp op, const OpContext& context,
                      const Tensor<double>& scores,
                      reference::TopKResult& result) {
  SelectionEvent event;
  event.op = op;
  event.indices = op.getIndices();
  event.counts = op.getCounts();
  event.rowReference = [&](int64_t row, std::vector<double>* rowScores) {
    return topKRow(op, context, scores, row, rowScores);
  };
  auto record = context.budgets.find(op.getK());
  auto rounded = context.roundedBudgets.find(op.getK());
  if (record != context.budgets.end()) event.raw = &record->second.raw;
  bool scoresDiffer = differ(&scores, &context.rounded[0].floats());
  if (scoresDiffer)
    event.roundedScores = [&](int64_t row, std::vector<double>* rowScores) {
      copyRow(context.rounded[0].floats(), row, rowScores);
    };
  if (event.raw && rounded != context.roundedBudgets.end() &&
      (scoresDiffer || differ(event.raw, &rounded->second.raw)))
    event.roundedRaw = [&] { return rounded->second.raw; };
  offer(context, event, &result.indices, &result.counts, result.status);
}

static Results evaluateTopK(TopKOp op, const OpContext& context) {
  reference::TopKOptions options;
  options.slots = op.getSlots();
  options.sink = op.getSink();
  options.local = op.getLocal();
  options.order = op.getOrder() == IndexOrder::Score
                      ? reference::IndexOrder::kScore
                      : reference::IndexOrder::kIndex;
  // An order by score has no judge: such lists are compared entry by entry.
  bool isJudged = options.order == reference::IndexOrder::kIndex;
  Operands operands(context);
  const Tensor<double>& scores = operands.held(op.getScores());
  reference::TopKResult result;
  if (context.rounds && isJudged && context.memo.shared) {
    result.indices = context.memo.used.indices;
    result.counts = context.memo.used.counts;
    result.status = context.memo.status;
  } else {
    result = reference::TopK(scores, operands.get(op.getK()).ints(), options);
  }
  if (context.rounds)
    takeAlternatives(context.memo.used.alternatives, &result.indices,
                     &result.counts);
  if (isJudged && !context.rounds) offerTopK(op, context, scores, result);
  return {std::move(result.indices), std::move(result.counts),
          std::move(result.status)};
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Tells the caller of the interpreter of the gate with these logits, if there
/// is one.
static void reportGate(const OpContext& context, Value logits,
                       reference::GateActivation activation) {
  if (!logits || !context.options.onGate || context.rounds) return;
  context.options.onGate(
      {context.op, logits, Operands(context).floats(logits), activation});
}

/// The output times the gate, if there is one, before it is rounded.
static Tensor<double> applyGate(const OpContext& context, Value logits,
                                GateActivation activation,
                                Tensor<double> output) {
  if (!logits) return output;
  reportGate(context, logits, toReference(activation));
  return reference::Gate(output, Operands(context).floats(logits),
                         toReference(activation));
}

/// Any attention op but the block.
static Results evaluateAttentionForm(const OpContext& context) {
  Operands operands(context);
  AttentionForm form = AttentionForm::of(context.op);
  const Tensor<double>& query = operands.floats(form.query);
  const Tensor<double>& key = operands.floats(form.key);
  reference::AttentionOperands tensors{query, key, operands.floats(form.value)};
  std::optional<double> scale = toDouble(form.scaleGiven);
  std::optional<reference::AttentionRounding> rounding =
      attentionRounding(context, form.value.getType());
  reference::KeyRange range{form.first, form.size};
  const Tensor<int32_t>* indices = operands.optionalInts(form.indices);
  const Tensor<int32_t>* counts = operands.optionalInts(form.counts);
  const Tensor<int32_t>* lengths = operands.optionalInts(form.lengths);
  int threads = context.options.numThreads;
  reference::AttentionResult result =
      form.isDense() ? reference::DenseAttention(
                           tensors, {scale, convert(form.mask), threads,
                                     rounding, range, lengths})
                     : reference::GatherAttention(
                           tensors, *indices, *counts,
                           {scale, threads, rounding, range, lengths});
  // What is not over all of Sk keys has no share of their mass.
  if (context.options.onAttention && !context.rounds && !form.isPartial() &&
      !form.lengths)
    context.options.onAttention(
        {context.op, form.indices, query, key, indices, counts, scale});
  return {applyGate(context, form.gate, form.gateActivation,
                    std::move(result.output)),
          std::move(result.lse)};
}

static Results evaluateMerge(MergeAttentionOp op, const OpContext& context) {
  std::vector<reference::AttentionPart> parts;
  size_t count = op.getOutputs().size();
  for (size_t i = 0; i < count; ++i)
    parts.push_back(
        {context.operands[i].floats(), context.operands[count + i].floats()});
  reference::AttentionResult result = reference::MergeAttention(parts);
  return {applyGate(context, op.getGate(), op.getGateActivation(),
                    std::move(result.output)),
          std::move(result.lse)};
}

/// The rotated queries and keys and the gated values of a block.
struct BlockTensors {
  Tensor<double> query, key, value;
};

static BlockTensors prepareBlock(AttentionOp op, const OpContext& context,
                                 reference::GateActivation activation) {
  Operands operands(context);
  reference::RopeOptions rope =
      makeRope(op.getRopeBase(), op.getRotaryDim(), op.getRopeInterleaved(),
               op.getRopeScaling());
  Type type = op.getQuery().getType();
  BlockTensors tensors;
  tensors.query = roundInside(
      context, type,
      reference::Rope(operands.floats(op.getQuery()),
                      operands.get(op.getPositions()).longs(), rope));
  tensors.key = roundInside(
      context, type,
      reference::Rope(operands.floats(op.getKey()),
                      operands.get(op.getKeyPositions()).longs(), rope));
  tensors.value = operands.floats(op.getValue());
  if (op.getValueGate())
    tensors.value = roundInside(
        context, type,
        reference::Gate(tensors.value, operands.floats(op.getValueGate()),
                        activation));
  return tensors;
}

static Results evaluateAttention(AttentionOp op, const OpContext& context) {
  Operands operands(context), rounded(op, context.rounded);
  reference::GateActivation activation = toReference(op.getGateActivation());
  auto [query, key, value] = prepareBlock(op, context, activation);

  reference::SelectOptions options =
      makeSelect(op, op.getIndexQuery(), context, operands);
  options.scale = toDouble(op.getIndexScale());
  auto index = [&](Operands& values) {
    return reference::IndexOperands{values.held(op.getIndexQuery()),
                                    values.held(op.getIndexKey()),
                                    values.optionalHeld(op.getIndexWeights()),
                                    values.optionalHeld(op.getIndexBias()),
                                    values.optionalInts(op.getLengths())};
  };
  reference::SelectResult selection =
      select(context, {index(operands), index(rounded)}, options,
             op.getIndices(), op.getCounts());

  std::optional<double> scale = toDouble(op.getSoftmaxScale());
  reference::AttentionResult result = reference::GatherAttention(
      {query, key, value}, selection.indices, selection.counts,
      {scale, context.options.numThreads,
       attentionRounding(context, op.getValue().getType()),
       reference::KeyRange{}, operands.optionalInts(op.getLengths())});
  if (context.options.onAttention && !context.rounds && !op.getLengths())
    context.options.onAttention({op, op.getIndices(), query, key,
                                 &selection.indices, &selection.counts, scale});
  reportGate(context, op.getValueGate(), activation);
  reportGate(context, op.getOutputGate(), activation);
  if (op.getOutputGate())
    result.output = reference::Gate(
        roundInside(context, op.getQuery().getType(), std::move(result.output)),
        operands.floats(op.getOutputGate()), activation);
  return {std::move(result.output), std::move(result.lse),
          std::move(selection.indices), std::move(selection.counts),
          std::move(selection.status)};
}

static Results evaluateRope(RopeOp op, const OpContext& context) {
  return {reference::Rope(context.operands[0].floats(),
                          context.operands[1].longs(),
                          makeRope(op.getBase(), op.getRotaryDim(),
                                   op.getInterleaved(), op.getScaling()))};
}

static Results evaluateGate(GateOp op, const OpContext& context) {
  reference::GateActivation activation = toReference(op.getActivation());
  reportGate(context, op.getLogits(), activation);
  return {reference::Gate(context.operands[0].floats(),
                          context.operands[1].floats(), activation)};
}

static Results evaluatePagedRows(PagedRowsOp op, const OpContext& context) {
  return {reference::PagedRows(context.operands[0].floats(),
                               context.operands[1].ints(), op.getHeadsFirst())};
}

static Results evaluateAppendRows(AppendRowsOp op, const OpContext& context) {
  Operands operands(context);
  reference::AppendPlaces places;
  places.table = operands.optionalInts(op.getTable());
  places.lengths = operands.optionalInts(op.getLengths());
  places.counts = operands.optionalInts(op.getCounts());
  places.heads_first = op.getHeadsFirst();
  return {reference::AppendRows(context.operands[0].floats(),
                                context.operands[1].floats(), places)};
}

static Results evaluateStatMean(StatMeanOp op, const OpContext& context) {
  Operands operands(context);
  return {
      Tensor<double>({}, reference::StatMean(operands.held(op.getValues())))};
}

std::optional<Results> mlir::gsa::detail::evaluateGsaOp(
    const OpContext& context) {
  using Result = std::optional<Results>;
  return llvm::TypeSwitch<Operation*, Result>(context.op)
      .Case([&](IndexScoresOp op) { return evaluateIndexScores(op, context); })
      .Case([&](RowStatisticsOp op) {
        return evaluateRowStatistics(op, context);
      })
      .Case([&](StatMeanOp op) { return evaluateStatMean(op, context); })
      .Case([&](AdaptiveKOp op) { return evaluateAdaptiveK(op, context); })
      .Case([&](TopKOp op) { return evaluateTopK(op, context); })
      .Case([&](SelectOp op) { return evaluateSelect(op, context); })
      .Case<GatherAttentionOp, DenseAttentionOp, PartialAttentionOp>(
          [&](auto) { return evaluateAttentionForm(context); })
      .Case([&](MergeAttentionOp op) { return evaluateMerge(op, context); })
      .Case([&](GateOp op) { return evaluateGate(op, context); })
      .Case([&](PagedRowsOp op) { return evaluatePagedRows(op, context); })
      .Case([&](AppendRowsOp op) { return evaluateAppendRows(op, context); })
      .Case([&](RopeOp op) { return evaluateRope(op, context); })
      .Case([&](AttentionOp op) { return evaluateAttention(op, context); })
      .Default([&](Operation*) { return evaluateGradientOp(context); });
}
