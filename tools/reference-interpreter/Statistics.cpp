//===- Statistics.cpp - what selections, attention and gates did ----------===//

#include "tools/reference-interpreter/Statistics.h"

#include <algorithm>
#include <exception>
#include <numeric>

#include "llvm/ADT/STLExtras.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::gsa;
using reference::Tensor;

//===----------------------------------------------------------------------===//
// Who made what
//===----------------------------------------------------------------------===//

Value mlir::gsa::skipCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

static reference::Mask convert(Mask mask) {
  return mask == Mask::Causal ? reference::Mask::kCausal
                              : reference::Mask::kNone;
}

reference::GateActivation mlir::gsa::toReference(GateActivation activation) {
  switch (activation) {
    case GateActivation::Sigmoid:
      return reference::GateActivation::kSigmoid;
    case GateActivation::Tanh:
      return reference::GateActivation::kTanh;
    case GateActivation::Silu:
      return reference::GateActivation::kSilu;
  }
  llvm_unreachable("unknown activation");
}

reference::Mask mlir::gsa::maskOf(Operation* op) {
  if (auto attention = dyn_cast_or_null<AttentionOp>(op))
    return convert(attention.getMask());
  if (auto select = dyn_cast_or_null<SelectOp>(op))
    return convert(select.getMask());
  if (auto dense = dyn_cast_or_null<DenseAttentionOp>(op))
    return convert(dense.getMask());
  if (auto gather = dyn_cast_or_null<GatherAttentionOp>(op))
    return maskOf(skipCasts(gather.getIndices()).getDefiningOp());
  if (auto topk = dyn_cast_or_null<TopKOp>(op))
    if (auto scores = topk.getScores().getDefiningOp<IndexScoresOp>())
      return convert(scores.getMask());
  return reference::Mask::kCausal;
}

void mlir::gsa::findGateRole(Operation* op, GateLogits* source) {
  auto gate = cast<GateOp>(op);
  source->op = op;
  source->logitsValue = gate.getLogits();
  for (Operation* user : gate.getResult().getUsers()) {
    auto gather = dyn_cast<GatherAttentionOp>(user);
    auto dense = dyn_cast<DenseAttentionOp>(user);
    if (!(gather && gather.getValue() == gate.getResult()) &&
        !(dense && dense.getValue() == gate.getResult()))
      continue;
    source->role = GateLogits::Role::Value;
    source->attention = user;
    return;
  }
  Operation* producer = skipCasts(gate->getOperand(0)).getDefiningOp();
  if (!isa_and_nonnull<GatherAttentionOp, DenseAttentionOp>(producer)) return;
  source->role = GateLogits::Role::Output;
  source->attention = producer;
}

/// The gsa.name of a value that is an argument or a result of the function.
static std::string boundaryName(Value value) {
  if (!value) return "";
  if (auto argument = dyn_cast<BlockArgument>(skipCasts(value))) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    if (!function) return "";
    auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      "gsa.name");
    return name ? name.str() : "";
  }
  for (OpOperand& use : value.getUses()) {
    auto ret = dyn_cast<func::ReturnOp>(use.getOwner());
    auto function =
        ret ? dyn_cast<func::FuncOp>(ret->getParentOp()) : func::FuncOp();
    if (!function) continue;
    auto name = function.getResultAttrOfType<StringAttr>(use.getOperandNumber(),
                                                         "gsa.name");
    if (name) return name.str();
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Collector
//===----------------------------------------------------------------------===//

static std::vector<int64_t> allRows(int64_t count) {
  std::vector<int64_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

template <typename T>
Tensor<T> TensorRows<T>::readAll() const {
  reference::Require(shape.size() >= 2, "a tensor has no rows");
  return read(allRows(shape[1]));
}

namespace {
/// Rows of one sequence that a queue of blocks of kBlock rows covers.
constexpr int64_t kBlock = 64;
}  // namespace

/// The first rows of blocks of kBlock rows such that their lists hold at most
/// `limit` indices; nullopt if all rows do.
static std::optional<std::vector<int64_t>> sampleBlocks(
    const reference::Shape& shape, int64_t limit) {
  int64_t batch = shape[0], rows = shape[1], slots = shape[2];
  if (rows <= kBlock || batch * rows * slots <= limit) return std::nullopt;
  int64_t count = std::max<int64_t>(
      1, limit / std::max<int64_t>(batch * slots, 1) / kBlock);
  std::vector<int64_t> blocks =
      reference::SampledRows(rows / kBlock, std::max<int64_t>(count, 1));
  for (int64_t& block : blocks) block *= kBlock;
  return blocks;
}

/// `tensor` [B, blocks * kBlock, ...] with each block as a sequence of its own.
template <typename T>
static Tensor<T> splitBlocks(Tensor<T> tensor) {
  reference::Shape shape = tensor.shape();
  shape[0] *= shape[1] / kBlock;
  shape[1] = kBlock;
  return Tensor<T>(shape, std::move(tensor.values()));
}

void StatisticsCollector::addSelection(std::string name, Value indices,
                                       bool ofRun,
                                       const TensorRows<int32_t>& lists,
                                       const TensorRows<int32_t>& counts) {
  nameOfSelection[indices] = name;
  SelectionEntry entry;
  entry.name = name;
  entry.ofRun = ofRun;
  try {
    std::optional<std::vector<int64_t>> blocks =
        sampleBlocks(lists.shape, options.indexLimit);
    if (!blocks) {
      entry.statistics =
          reference::MeasureSelection(lists.readAll(), counts.readAll());
      entry.sharedRows = entry.statistics.rows;
    } else {
      std::vector<int64_t> rows;
      for (int64_t block : *blocks)
        for (int64_t i = 0; i < kBlock; ++i) rows.push_back(block + i);
      entry.statistics = reference::MeasureSelection(
          splitBlocks(lists.read(rows)), splitBlocks(counts.read(rows)));
      entry.sharedRows = entry.statistics.rows;
      // Budgets are those of all rows.
      Tensor<int32_t> all = counts.readAll();
      auto [low, high] =
          std::minmax_element(all.values().begin(), all.values().end());
      entry.statistics.rows = all.size();
      entry.statistics.min_k = *low;
      entry.statistics.max_k = *high;
      entry.statistics.mean_k =
          std::accumulate(all.values().begin(), all.values().end(), 0.0) /
          static_cast<double>(all.size());
    }
    statistics.selections.push_back(std::move(entry));
  } catch (const std::exception& error) {
    addMissing("selection " + name, error.what());
  }
}

void StatisticsCollector::addAttention(const AttentionSource& source) {
  if (options.massRows < 1) return;
  Pending pending;
  pending.op = source.op;
  pending.isDense = !source.indices;
  auto selection = nameOfSelection.find(
      source.indices ? skipCasts(source.indices) : Value());
  if (source.indices && selection != nameOfSelection.end())
    pending.name = selection->second;
  if (pending.name.empty())
    pending.name = boundaryName(source.op->getResult(0));
  if (pending.name.empty())
    pending.name = source.op->getName().getStringRef().str();
  try {
    reference::Require(source.query.shape.size() == 4, "queries have no rows");
    pending.queries = source.query.shape[1];
    pending.rows = reference::SampledRows(pending.queries, options.massRows);
    pending.query = source.query.read(pending.rows);
    pending.key = source.key.readAll();
    if (!pending.isDense) {
      pending.lists = source.lists.read(pending.rows);
      pending.counts = source.counts.read(pending.rows);
    }
    pending.options.scale = source.scale;
    pending.options.mask = source.mask;
    pending.options.num_threads = options.numThreads;
    attentions.push_back(std::move(pending));
  } catch (const std::exception& error) {
    addMissing("attention mass of " + pending.name, error.what());
  }
}

void StatisticsCollector::addGate(const GateLogits& source) {
  GateEntry entry;
  entry.name = boundaryName(source.logitsValue);
  if (entry.name.empty())
    entry.name = source.role == GateLogits::Role::Value    ? "value_gate"
                 : source.role == GateLogits::Role::Output ? "output_gate"
                                                           : "gate";
  try {
    reference::Require(source.logits.shape.size() >= 3,
                       "its logits have no heads");
    int64_t size = source.logits.shape[1];
    std::vector<int64_t> tokens =
        reference::SampledRows(size, options.gateTokens);
    entry.statistics =
        reference::MeasureGate(source.logits.read(tokens), source.activation);
    entry.tokens = source.logits.shape[0] * static_cast<int64_t>(tokens.size());
    statistics.gates.push_back(std::move(entry));
    if (!source.attention || options.massRows < 1) return;
    // Of values every token counts, of outputs those of the measured queries.
    bool isValue = source.role == GateLogits::Role::Value;
    std::vector<int64_t> needed =
        isValue ? allRows(size)
                : reference::SampledRows(size, options.massRows);
    (isValue ? valueGates : outputGates)[source.attention] =
        reference::GateMeans(source.logits.read(needed), source.activation);
  } catch (const std::exception& error) {
    addMissing("gate " + entry.name, error.what());
  }
}

void StatisticsCollector::addMissing(std::string what, std::string why) {
  statistics.missing.push_back(what + ": " + why);
}

void StatisticsCollector::measure(const Pending& pending) {
  reference::MassOperands operands{pending.query, pending.key, pending.rows,
                                   pending.queries};
  if (!pending.isDense) {
    operands.indices = &pending.lists;
    operands.counts = &pending.counts;
  }
  auto value = valueGates.find(pending.op);
  auto output = outputGates.find(pending.op);
  if (value != valueGates.end()) operands.value_gate = &value->second;
  if (output != outputGates.end()) operands.output_gate = &output->second;
  try {
    statistics.attentions.push_back(
        {pending.name, pending.isDense,
         reference::MeasureAttentionMass(operands, pending.options)});
  } catch (const std::exception& error) {
    addMissing("attention mass of " + pending.name, error.what());
  }
}

Statistics StatisticsCollector::finish() {
  for (const Pending& pending : attentions) measure(pending);
  attentions.clear();
  return std::move(statistics);
}
