//===- Report.cpp - a run against the float64 reference -------------------===//

#include "tools/reference-interpreter/Report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "test/reference/Parallel.h"

using namespace mlir;
using namespace mlir::gsa;
using reference::Tensor;
using reference::Verdict;

/// Whether anything that `value` is computed from is in a float type narrower
/// than f64. Functions that are called count as such.
static bool dependsOnNarrowFloats(Value value) {
  auto isNarrow = [](Type type) {
    auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
    return element && element.getWidth() < 64;
  };
  SmallVector<Value> pending{value};
  DenseSet<Value> seen;
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (!seen.insert(next).second) continue;
    if (isNarrow(next.getType())) return true;
    Operation* op = next.getDefiningOp();
    if (!op) continue;
    if (isa<func::CallOp>(op)) return true;
    bool narrowInside = false;
    op->walk([&](Operation* nested) {
      for (Value operand : nested->getOperands()) pending.push_back(operand);
      narrowInside |= llvm::any_of(nested->getResultTypes(), isNarrow);
    });
    if (narrowInside) return true;
  }
  return false;
}

double mlir::gsa::accumulationTolerance(Value value) {
  return dependsOnNarrowFloats(value) ? 2e-5 : 1e-9;
}

double mlir::gsa::accumulationMargin(Operation* selection) {
  SmallVector<Value> operands(selection->getOperands());
  if (auto attention = dyn_cast<AttentionOp>(selection))
    operands = {attention.getIndexQuery(), attention.getIndexKey()};
  return llvm::any_of(operands, dependsOnNarrowFloats) ? 1e-5 : 1e-9;
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

namespace {

class Comparator {
 public:
  Comparator(func::FuncOp function, ArrayRef<RuntimeValue> tested,
             const ComparisonOptions& options)
      : function(function),
        tested(tested),
        options(options),
        collector({options.numThreads, options.massRows}) {}

  FailureOr<ComparisonReport> run(ArrayRef<RuntimeValue> inputs);

 private:
  LogicalResult checkTested();
  void onSelection(const SelectionEvent& event, Selection& selection);
  void onAttention(const AttentionEvent& event);
  void onGate(const GateEvent& event);
  /// Judges the tested rows: one verdict each.
  std::vector<reference::RowVerdict> judgeRows(const SelectionEvent& event,
                                               const Selection& tested,
                                               const Selection& selection,
                                               SelectionComparison& comparison);
  std::vector<std::vector<int32_t>> findAlternatives(
      const SelectionEvent& event, const Selection& selection);
  /// Judges the tested rows and writes the legal ones to `selection`.
  void judge(const SelectionEvent& event, const Selection& tested,
             Selection& selection, SelectionComparison& comparison);
  ResultComparison compareResult(unsigned i, const Evaluations& expected);
  void compareFloats(unsigned i, const Evaluations& expected,
                     ResultComparison& comparison);

  /// The result of the function that returns `value`, or nullopt.
  std::optional<unsigned> findResult(Value value);
  std::string nameOf(unsigned i);

  func::FuncOp function;
  ArrayRef<RuntimeValue> tested;
  const ComparisonOptions& options;
  ComparisonReport report;
  StatisticsCollector collector;
  /// Results that belong to a judged selection.
  DenseMap<unsigned, unsigned> selectionOfResult;
  /// Rows whose selection differs legally and was not replayed; [B, Sq].
  reference::Shape rowShape;
  std::vector<bool> rowsApart;
};

std::optional<unsigned> Comparator::findResult(Value value) {
  Operation* terminator = function.getBody().front().getTerminator();
  for (OpOperand& operand : terminator->getOpOperands())
    if (skipCasts(operand.get()) == value) return operand.getOperandNumber();
  return std::nullopt;
}

std::string Comparator::nameOf(unsigned i) {
  if (auto name = function.getResultAttrOfType<StringAttr>(i, kNameAttr))
    return name.str();
  return "result " + std::to_string(i);
}

LogicalResult Comparator::checkTested() {
  if (tested.empty()) return success();
  if (tested.size() != function.getNumResults())
    return function.emitOpError("has ")
           << function.getNumResults() << " results, got " << tested.size()
           << " tested ones";
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    std::string mismatch = describeMismatch(tested[i], type);
    if (!mismatch.empty())
      return function.emitOpError("tested result '")
             << nameOf(i) << "' " << mismatch;
  }
  return success();
}

/// Rows of the same sequence on each side from which a budget's error is taken:
/// that of a single row may be small by luck.
constexpr int64_t kBudgetWindow = 8;

/// The raw budgets of the rounded evaluation, and what rounding moved that of
/// each row, in keys: the largest of the rows around. Empty if there is no need
/// for them.
struct BudgetErrors {
  Tensor<double> rounded;
  std::vector<double> errors;
};

BudgetErrors budgetErrors(const SelectionEvent& event, int64_t queries) {
  if (!event.roundedRaw || !event.raw) return {};
  const Tensor<double>& exact = *event.raw;
  BudgetErrors result{event.roundedRaw(), std::vector<double>(exact.size())};
  for (int64_t row = 0; row < exact.size(); ++row) {
    int64_t first = row / queries * queries, last = first + queries;
    for (int64_t i = std::max(first, row - kBudgetWindow);
         i < std::min(last, row + kBudgetWindow + 1); ++i) {
      double error = std::abs(result.rounded[i] - exact[i]);
      if (std::isfinite(error))
        result.errors[row] = std::max(result.errors[row], error);
    }
  }
  return result;
}

/// What may be exchanged in a row: the margin of `options`, or that of sums
/// and of rounded operands.
double rowMargin(const SelectionEvent& event, int64_t row,
                 std::span<const double> scores,
                 const ComparisonOptions& options) {
  double scale = 1.0;
  for (double score : scores)
    if (std::isfinite(score)) scale = std::max(scale, std::abs(score));
  if (options.scoreMargin > 0) return options.scoreMargin * scale;
  double margin = accumulationMargin(event.op) * scale;
  if (!event.roundedScores) return margin;
  std::vector<double> rounded;
  event.roundedScores(row, &rounded);
  double error = 0.0;
  for (size_t s = 0; s < scores.size(); ++s) {
    double distance = std::abs(rounded[s] - scores[s]);
    if (std::isfinite(distance)) error = std::max(error, distance);
  }
  // Twice the error, for a key and for the threshold.
  return margin + 4 * error;
}

/// What a right row may differ by.
reference::SelectionTolerance rowTolerance(const SelectionEvent& event,
                                           int64_t row,
                                           const reference::RowReference& known,
                                           const BudgetErrors& budgets,
                                           const ComparisonOptions& options) {
  reference::SelectionTolerance tolerance;
  tolerance.score_margin = rowMargin(event, row, known.scores, options);
  if (budgets.errors.empty()) return tolerance;
  tolerance.budget_rounding = 2 * budgets.errors[row];
  double rounded = budgets.rounded[row];
  if (!std::isfinite(rounded) || !std::isfinite(known.raw))
    tolerance.rounded_raw = rounded;
  return tolerance;
}

std::vector<reference::RowVerdict> Comparator::judgeRows(
    const SelectionEvent& event, const Selection& tested,
    const Selection& selection, SelectionComparison& comparison) {
  int64_t rows = selection.counts.size(), slots = selection.indices.dim(2);
  BudgetErrors budgets = budgetErrors(event, selection.counts.dim(1));
  std::vector<reference::RowVerdict> verdicts(rows);
  std::vector<reference::SelectionTolerance> tolerances(rows);
  reference::ParallelFor(
      rows, options.numThreads, [&](int64_t begin, int64_t end) {
        std::vector<double> scores;
        for (int64_t row = begin; row < end; ++row) {
          const int32_t* list = tested.indices.data() + row * slots;
          if (tested.counts[row] == selection.counts[row] &&
              std::equal(list, list + slots,
                         selection.indices.data() + row * slots))
            continue;
          reference::RowReference known = event.rowReference(row, &scores);
          tolerances[row] = rowTolerance(event, row, known, budgets, options);
          verdicts[row] =
              reference::CompareRow(known, {list, static_cast<size_t>(slots)},
                                    tested.counts[row], tolerances[row]);
        }
      });
  for (const reference::SelectionTolerance& tolerance : tolerances) {
    comparison.scoreMargin =
        std::max(comparison.scoreMargin, tolerance.score_margin);
    comparison.budgetRounding =
        std::max(comparison.budgetRounding, tolerance.budget_rounding);
  }
  return verdicts;
}

/// Of a selection that is not returned, nobody knows which of several right
/// lists a run made: the rounded evaluation takes another one than the exact.
std::vector<std::vector<int32_t>> Comparator::findAlternatives(
    const SelectionEvent& event, const Selection& selection) {
  int64_t rows = selection.counts.size();
  BudgetErrors budgets = budgetErrors(event, selection.counts.dim(1));
  std::vector<std::vector<int32_t>> alternatives(rows);
  reference::ParallelFor(
      rows, options.numThreads, [&](int64_t begin, int64_t end) {
        std::vector<double> scores;
        for (int64_t row = begin; row < end; ++row) {
          reference::RowReference known = event.rowReference(row, &scores);
          if (auto list = reference::OtherLegalList(
                  known, rowTolerance(event, row, known, budgets, options)))
            alternatives[row] = std::move(*list);
        }
      });
  bool any = llvm::any_of(alternatives,
                          [](const auto& list) { return !list.empty(); });
  return any ? alternatives : std::vector<std::vector<int32_t>>();
}

void Comparator::judge(const SelectionEvent& event, const Selection& tested,
                       Selection& selection, SelectionComparison& comparison) {
  int64_t rows = selection.counts.size(), slots = selection.indices.dim(2);
  std::vector<reference::RowVerdict> verdicts =
      judgeRows(event, tested, selection, comparison);

  constexpr size_t kMaxErrors = 8;
  reference::SelectionReport& summary = comparison.verdicts;
  int64_t queries = selection.counts.dim(1);
  rowShape = selection.counts.shape();
  rowsApart.resize(rows);
  for (int64_t row = 0; row < rows; ++row) {
    const reference::RowVerdict& verdict = verdicts[row];
    ++summary.rows;
    summary.identical += verdict.verdict == Verdict::kIdentical;
    summary.legal += verdict.verdict == Verdict::kLegal;
    summary.wrong += verdict.verdict == Verdict::kWrong;
    summary.count_differences += verdict.count_difference != 0;
    summary.max_score_gap = std::max(summary.max_score_gap, verdict.score_gap);
    comparison.maxCountDifference = std::max<int64_t>(
        comparison.maxCountDifference, std::abs(verdict.count_difference));
    if (verdict.verdict == Verdict::kWrong &&
        summary.errors.size() < kMaxErrors)
      summary.errors.push_back("batch " + std::to_string(row / queries) +
                               " query " + std::to_string(row % queries) +
                               ": " + verdict.message);
    if (verdict.verdict != Verdict::kLegal) continue;
    if (!options.replaySelections) {
      rowsApart[row] = true;
      continue;
    }
    comparison.replayed = true;
    selection.counts[row] = tested.counts[row];
    std::copy_n(tested.indices.data() + row * slots, slots,
                selection.indices.data() + row * slots);
  }
}

void Comparator::onSelection(const SelectionEvent& event,
                             Selection& selection) {
  unsigned id = report.selections.size();
  SelectionComparison& comparison = report.selections.emplace_back();
  comparison.name = event.op->getName().getStringRef().str();
  comparison.scoreMargin = options.scoreMargin > 0
                               ? options.scoreMargin
                               : accumulationMargin(event.op);
  // Values of other functions are not found among this one's results.
  std::optional<unsigned> indices = findResult(event.indices);
  std::optional<unsigned> counts = findResult(event.counts);
  if (indices) comparison.name = nameOf(*indices);
  if (indices && counts && !tested.empty() &&
      tested[*indices].shape() == selection.indices.shape() &&
      tested[*counts].shape() == selection.counts.shape()) {
    comparison.judged = true;
    selectionOfResult[*indices] = selectionOfResult[*counts] = id;
    Selection made{tested[*indices].ints(), tested[*counts].ints()};
    judge(event, made, selection, comparison);
    selection.pinned = true;
  } else if (!tested.empty()) {
    selection.alternatives = findAlternatives(event, selection);
  }
  collector.addSelection(comparison.name, event.indices, comparison.judged,
                         TensorRows<int32_t>::of(selection.indices),
                         TensorRows<int32_t>::of(selection.counts));
}

void Comparator::onAttention(const AttentionEvent& event) {
  AttentionSource source;
  source.op = event.op;
  source.indices = event.indices;
  source.query = TensorRows<double>::of(event.query);
  source.key = TensorRows<double>::of(event.key);
  if (event.usedIndices) {
    source.lists = TensorRows<int32_t>::of(*event.usedIndices);
    source.counts = TensorRows<int32_t>::of(*event.usedCounts);
  }
  source.scale = event.scale;
  source.mask = maskOf(event.op);
  collector.addAttention(source);
}

void Comparator::onGate(const GateEvent& event) {
  GateLogits source;
  source.activation = event.activation;
  source.logits = TensorRows<double>::of(event.logits);
  if (isa<GateOp>(event.op)) {
    findGateRole(event.op, &source);
  } else {
    auto block = dyn_cast<AttentionOp>(event.op);
    source.op = source.attention = event.op;
    source.logitsValue = event.logitsValue;
    source.role = block && event.logitsValue == block.getValueGate()
                      ? GateLogits::Role::Value
                      : GateLogits::Role::Output;
  }
  collector.addGate(source);
}

/// The row (b, t), as b * Sq + t, of flat element `i` of a result: the result
/// is [B, Sq, ...] or, like a log-sum-exp, [B, H, Sq]. -1 if it has no rows.
int64_t rowOf(const reference::Shape& shape, const reference::Shape& rows,
              int64_t i) {
  if (rows.empty() || shape.size() < 2 || shape[0] != rows[0]) return -1;
  if (shape[1] == rows[1]) {
    int64_t inner = 1;
    for (size_t axis = 2; axis < shape.size(); ++axis) inner *= shape[axis];
    return i / inner;
  }
  if (shape.size() != 3 || shape[2] != rows[1]) return -1;
  return i / (shape[1] * shape[2]) * shape[2] + i % shape[2];
}

void Comparator::compareFloats(unsigned i, const Evaluations& expected,
                               ResultComparison& comparison) {
  const Tensor<double>& exact = expected.exact[i].floats();
  // Each error sees the other's rows as if they were right.
  Tensor<double> together = tested[i].floats(), apart = exact;
  comparison.kind = ResultComparison::Kind::Float;
  comparison.rowsApart = llvm::count(rowsApart, true);
  if (rowOf(exact.shape(), rowShape, 0) < 0) comparison.rowsApart = 0;
  for (int64_t k = 0; comparison.rowsApart > 0 && k < exact.size(); ++k) {
    if (!rowsApart[rowOf(exact.shape(), rowShape, k)]) continue;
    apart[k] = together[k];
    together[k] = exact[k];
  }
  if (comparison.rowsApart > 0)
    comparison.errorApart = reference::CompareTensors(apart, exact);

  Operation* terminator = function.getBody().front().getTerminator();
  reference::CriterionOptions criterion;
  criterion.type = formatOf(function.getResultTypes()[i]);
  criterion.accumulation = accumulationTolerance(terminator->getOperand(i));
  criterion.by_row = !expected.selectionsDiffer;
  comparison.criterion = reference::CompareWithin(
      together, exact, expected.rounded[i].floats(), criterion);
  comparison.error = comparison.criterion.error;
  comparison.limit = comparison.criterion.limit;
  if (options.tolerance == 0) return;
  comparison.limit = options.tolerance * comparison.error.max_reference;
  comparison.criterion.row_share = 0.0;
}

ResultComparison Comparator::compareResult(unsigned i,
                                           const Evaluations& evaluations) {
  const RuntimeValue& expected = evaluations.exact[i];
  ResultComparison comparison;
  comparison.name = nameOf(i);
  llvm::raw_string_ostream(comparison.type) << function.getResultTypes()[i];
  comparison.elements = expected.size();
  if (expected.isFloat()) {
    compareFloats(i, evaluations, comparison);
    return comparison;
  }
  comparison.kind = selectionOfResult.contains(i)
                        ? ResultComparison::Kind::Selection
                        : ResultComparison::Kind::Integer;
  for (int64_t k = 0; k < comparison.elements; ++k)
    comparison.differing += tested[i].integerAt(k) != expected.integerAt(k);
  return comparison;
}

FailureOr<ComparisonReport> Comparator::run(ArrayRef<RuntimeValue> inputs) {
  auto start = std::chrono::steady_clock::now();
  if (function.isExternal()) return function.emitOpError("has no body");
  if (failed(checkTested())) return failure();
  InterpreterOptions interpreter;
  interpreter.numThreads = options.numThreads;
  interpreter.progress = options.progress;
  interpreter.onSelection = [&](const SelectionEvent& event,
                                Selection& selection) {
    onSelection(event, selection);
  };
  interpreter.onAttention = [&](const AttentionEvent& event) {
    onAttention(event);
  };
  interpreter.onGate = [&](const GateEvent& event) { onGate(event); };
  FailureOr<Evaluations> expected =
      interpretRounded(function, inputs, interpreter);
  if (failed(expected)) return failure();
  for (unsigned i = 0; i < tested.size(); ++i) {
    if (tested[i].shape() != expected->exact[i].shape())
      return function.emitOpError("tested result '")
             << nameOf(i) << "' has shape "
             << reference::ShapeToString(tested[i].shape()) << ", expected "
             << reference::ShapeToString(expected->exact[i].shape());
    report.results.push_back(compareResult(i, *expected));
  }
  report.statistics = collector.finish();
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return std::move(report);
}

}  // namespace

FailureOr<ComparisonReport> mlir::gsa::compareToReference(
    func::FuncOp function, ArrayRef<RuntimeValue> inputs,
    ArrayRef<RuntimeValue> tested, const ComparisonOptions& options) {
  return Comparator(function, tested, options).run(inputs);
}

bool ResultComparison::passed() const {
  switch (kind) {
    case Kind::Float:
      return error.mismatches == 0 && error.max_abs <= limit &&
             criterion.row_share <= 1.0;
    case Kind::Integer:
      return differing == 0;
    case Kind::Selection:
      return true;  // Judged as a SelectionComparison.
  }
  llvm_unreachable("unknown kind");
}

bool ResultComparison::isNothingFinite() const {
  return kind == Kind::Float && elements > 0 && criterion.finite == 0;
}

std::vector<std::string> ComparisonReport::resultsWithNothingFinite() const {
  std::vector<std::string> names;
  for (const ResultComparison& result : results)
    if (result.isNothingFinite()) names.push_back(result.name);
  return names;
}

bool ComparisonReport::passed() const {
  return llvm::all_of(
             results,
             [](const ResultComparison& result) { return result.passed(); }) &&
         llvm::all_of(selections, [](const SelectionComparison& selection) {
           return selection.verdicts.Ok();
         });
}
