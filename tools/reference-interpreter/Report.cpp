//===- Report.cpp - a run against the float64 reference -------------------===//

#include "tools/reference-interpreter/Report.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "test/reference/Parallel.h"

using namespace mlir;
using namespace mlir::gsa;
using reference::Tensor;
using reference::Verdict;

double mlir::gsa::defaultTolerance(Type elementType) {
  if (elementType.isF64()) return 1e-9;
  if (elementType.isF16()) return 1e-2;
  if (elementType.isBF16()) return 6e-2;
  return 2e-5;
}

double mlir::gsa::defaultScoreMargin(Operation* selection) {
  Type type = getElementTypeOrSelf(selection->getOperand(0).getType());
  bool fromInputs = true;
  if (auto attention = dyn_cast<AttentionOp>(selection)) {
    type = attention.getIndexQuery().getType().getElementType();
    fromInputs = isa<BlockArgument>(attention.getIndexQuery()) &&
                 isa<BlockArgument>(attention.getIndexKey());
  } else {
    fromInputs = llvm::all_of(selection->getOperands(), [](Value operand) {
      return isa<BlockArgument>(operand);
    });
  }
  if (type.isF64()) return 1e-9;
  if (type.isF16() && !fromInputs) return 4e-3;
  if (type.isBF16() && !fromInputs) return 3e-2;
  return 1e-5;
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

namespace {

Value skipCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

/// The mask under which a selection was made; what it cannot know is causal,
/// which shows no key that the selection has not seen.
reference::Mask maskOf(Operation* op) {
  Mask mask = Mask::Causal;
  if (auto attention = dyn_cast<AttentionOp>(op)) mask = attention.getMask();
  if (auto select = dyn_cast<SelectOp>(op)) mask = select.getMask();
  if (auto topk = dyn_cast<TopKOp>(op))
    if (auto scores = topk.getScores().getDefiningOp<IndexScoresOp>())
      mask = scores.getMask();
  return mask == Mask::Causal ? reference::Mask::kCausal
                              : reference::Mask::kNone;
}

class Comparator {
 public:
  Comparator(func::FuncOp function, ArrayRef<RuntimeValue> tested,
             const ComparisonOptions& options)
      : function(function), tested(tested), options(options) {}

  FailureOr<ComparisonReport> run(ArrayRef<RuntimeValue> inputs);

 private:
  LogicalResult checkTested();
  void onSelection(const SelectionEvent& event, Selection& selection);
  void onAttention(const AttentionEvent& event);
  /// Judges the tested rows and writes the legal ones to `selection`.
  void judge(const SelectionEvent& event, const Selection& tested,
             Selection& selection, SelectionComparison& comparison);
  ResultComparison compareResult(unsigned i, const RuntimeValue& expected);
  void compareFloats(unsigned i, const Tensor<double>& expected,
                     ResultComparison& comparison);

  /// The result of the function that returns `value`, or nullopt.
  std::optional<unsigned> findResult(Value value);
  std::string nameOf(unsigned i);

  func::FuncOp function;
  ArrayRef<RuntimeValue> tested;
  const ComparisonOptions& options;
  ComparisonReport report;
  /// Selections by the SSA value of their indices, and their masks.
  DenseMap<Value, unsigned> selectionOfIndices;
  DenseMap<unsigned, reference::Mask> masks;
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

void Comparator::judge(const SelectionEvent& event, const Selection& tested,
                       Selection& selection, SelectionComparison& comparison) {
  int64_t rows = selection.counts.size(), slots = selection.indices.dim(2);
  std::vector<reference::RowVerdict> verdicts(rows);
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
          double scale = 1.0;
          for (double score : known.scores)
            if (std::isfinite(score)) scale = std::max(scale, std::abs(score));
          reference::SelectionTolerance tolerance;
          tolerance.score_margin = comparison.scoreMargin * scale;
          verdicts[row] =
              reference::CompareRow(known, {list, static_cast<size_t>(slots)},
                                    tested.counts[row], tolerance);
        }
      });

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
  selectionOfIndices[event.indices] = id;
  masks[id] = maskOf(event.op);
  comparison.name = event.op->getName().getStringRef().str();
  comparison.scoreMargin = options.scoreMargin > 0
                               ? options.scoreMargin
                               : defaultScoreMargin(event.op);
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
  }
  comparison.statistics =
      reference::MeasureSelection(selection.indices, selection.counts);
}

void Comparator::onAttention(const AttentionEvent& event) {
  auto it = selectionOfIndices.find(skipCasts(event.indices));
  if (it == selectionOfIndices.end() || options.massRows < 1) return;
  SelectionComparison& comparison = report.selections[it->second];
  if (comparison.mass) return;
  reference::AttentionMassOptions massOptions;
  massOptions.scale = event.scale;
  massOptions.mask = masks[it->second];
  massOptions.row_stride =
      std::max<int64_t>(1, event.query.dim(1) / options.massRows);
  massOptions.num_threads = options.numThreads;
  comparison.mass = reference::MeasureAttentionMass(
      event.query, event.key, event.usedIndices, event.usedCounts, massOptions);
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

void Comparator::compareFloats(unsigned i, const Tensor<double>& expected,
                               ResultComparison& comparison) {
  const Tensor<double>& given = tested[i].floats();
  comparison.kind = ResultComparison::Kind::Float;
  Type type = getElementTypeOrSelf(function.getResultTypes()[i]);
  comparison.tolerance =
      options.tolerance > 0 ? options.tolerance : defaultTolerance(type);
  comparison.rowsApart = llvm::count(rowsApart, true);
  if (comparison.rowsApart == 0 || rowOf(expected.shape(), rowShape, 0) < 0) {
    comparison.rowsApart = 0;
    comparison.error = reference::CompareTensors(given, expected);
    return;
  }
  // Each error sees the other's rows as if they were right.
  Tensor<double> together = expected, apart = expected;
  for (int64_t k = 0; k < expected.size(); ++k) {
    bool isApart = rowsApart[rowOf(expected.shape(), rowShape, k)];
    (isApart ? apart : together)[k] = given[k];
  }
  comparison.error = reference::CompareTensors(together, expected);
  comparison.errorApart = reference::CompareTensors(apart, expected);
}

ResultComparison Comparator::compareResult(unsigned i,
                                           const RuntimeValue& expected) {
  ResultComparison comparison;
  comparison.name = nameOf(i);
  llvm::raw_string_ostream(comparison.type) << function.getResultTypes()[i];
  comparison.elements = expected.size();
  if (expected.isFloat()) {
    compareFloats(i, expected.floats(), comparison);
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
  FailureOr<SmallVector<RuntimeValue>> expected =
      interpret(function, inputs, interpreter);
  if (failed(expected)) return failure();
  for (unsigned i = 0; i < tested.size(); ++i) {
    if (tested[i].shape() != (*expected)[i].shape())
      return function.emitOpError("tested result '")
             << nameOf(i) << "' has shape "
             << reference::ShapeToString(tested[i].shape()) << ", expected "
             << reference::ShapeToString((*expected)[i].shape());
    report.results.push_back(compareResult(i, (*expected)[i]));
  }
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
      return error.Within(0.0, tolerance);
    case Kind::Integer:
      return differing == 0;
    case Kind::Selection:
      return true;  // Judged as a SelectionComparison.
  }
  llvm_unreachable("unknown kind");
}

bool ComparisonReport::passed() const {
  return llvm::all_of(
             results,
             [](const ResultComparison& result) { return result.passed(); }) &&
         llvm::all_of(selections, [](const SelectionComparison& selection) {
           return selection.verdicts.Ok();
         });
}
