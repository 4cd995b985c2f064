//===- Report.h - a run against the float64 reference ---------------------===//
//
// Interprets a function, compares the results of a tested run with it and
// measures the selections that were made.
//
// How far a right result may be from float64 depends on the element types of
// everything that it is computed from. It is measured: a second evaluation of
// the same ops rounds each result to its type, and test/reference/Criterion.h
// holds the tested errors to twice the errors of that one.
//
// A tested run may legally select other keys than the reference where scores
// nearly tie, and everything after that differs. So a selection that a function
// returns is judged where it is made, and rows that are legal are replayed: the
// rest of the interpretation uses the tested rows, and the outputs of all rows
// can be compared closely.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_REPORT_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_REPORT_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "llvm/Support/JSON.h"
#include "test/reference/Compare.h"
#include "test/reference/Criterion.h"
#include "tools/reference-interpreter/Interpreter.h"
#include "tools/reference-interpreter/Statistics.h"

namespace mlir::gsa {

struct ComparisonOptions {
  int numThreads = 1;
  /// Largest error of a float result relative to its largest |reference|, in
  /// the place of what the types allow; 0 takes that.
  double tolerance = 0.0;
  /// Keys whose scores differ by at most this may be exchanged, for rows whose
  /// scores are at most 1 (in proportion for larger ones), in the place of what
  /// the types allow; 0 takes that: accumulationMargin, and four times the
  /// largest error of the row's scores in the rounded evaluation.
  double scoreMargin = 0.0;
  /// Use legal rows of the tested selection from there on. Without it, rows
  /// whose selection differs are reported apart and do not count.
  bool replaySelections = true;
  /// As in StatisticsOptions.
  int64_t massRows = 64;
  /// As in InterpreterOptions.
  std::function<void(int64_t done, int64_t total)> progress;
};

/// What the order of sums may change in `value`, as a share of its largest
/// element: 1e-9 if everything that it is computed from is in f64, else 2e-5.
double accumulationTolerance(Value value);

/// The same for the scores that `selection`, a gsa.select, gsa.topk or
/// gsa.attention, compares: 1e-9 or 1e-5 of scores around 1.
double accumulationMargin(Operation* selection);

/// One result of the function.
struct ResultComparison {
  enum class Kind {
    Float,
    Integer,   ///< Must be equal.
    Selection  ///< Indices or counts of a judged selection.
  };
  std::string name;  ///< gsa.name, or "result 3"
  std::string type;  ///< As declared
  Kind kind = Kind::Float;
  reference::TensorError error;  ///< Of floats
  /// Limit of error.max_abs, and what the rows were held to (no rows if
  /// ComparisonOptions::tolerance was given).
  double limit = 0.0;
  reference::CriterionResult criterion;
  int64_t elements = 0;
  int64_t differing = 0;  ///< Elements of an integer result
  /// Rows (b, t) left out of `error` because their selection differs legally
  /// and was not replayed, and the error of those.
  int64_t rowsApart = 0;
  reference::TensorError errorApart;

  bool passed() const;
  /// Whether it is a float result without an element that is finite in the run
  /// and in the reference: then its error of 0 says nothing.
  bool isNothingFinite() const;
};

/// One selection, in the order of execution.
struct SelectionComparison {
  std::string name;  ///< Name of the result with the indices, or of the op
  /// Whether the function returns indices and counts, so that the tested ones
  /// are known. Otherwise `verdicts` is empty.
  bool judged = false;
  bool replayed = false;
  double scoreMargin = 0.0;  ///< The largest that was applied
  /// The largest number of keys that narrow types may have moved a budget.
  double budgetRounding = 0.0;
  reference::SelectionReport verdicts;
  int64_t maxCountDifference = 0;  ///< max |k - reference k| over rows
};

struct ComparisonReport {
  std::vector<ResultComparison> results;  ///< Empty without tested results
  std::vector<SelectionComparison> selections;
  Statistics statistics;
  double seconds = 0.0;  ///< Of the interpretation and the measurements

  /// Every result is within its limit and no selected row is wrong.
  bool passed() const;
  /// Names of the results that are ResultComparison::isNothingFinite.
  std::vector<std::string> resultsWithNothingFinite() const;
  /// A few lines for people.
  std::string comparisonText() const;
  /// The same as an object; numbers that are not finite are null.
  llvm::json::Value comparisonJson() const;
};

/// Interprets `function` on `inputs` and compares `tested`, the results of
/// another implementation in order, with the outcome. `tested` may be empty:
/// then only statistics are measured. Fails with a diagnostic if the function
/// cannot be interpreted or a tested result does not fit its declared type.
FailureOr<ComparisonReport> compareToReference(
    func::FuncOp function, ArrayRef<RuntimeValue> inputs,
    ArrayRef<RuntimeValue> tested, const ComparisonOptions& options = {});

}  // namespace mlir::gsa

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_REPORT_H
