//===- ReportText.cpp - a comparison as text and as JSON ------------------===//

#include <cmath>

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include "tools/reference-interpreter/Report.h"

using namespace mlir;
using namespace mlir::gsa;
using llvm::json::Array;
using llvm::json::Object;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string number(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g", value);
  return text;
}

/// The limit of error.Relative().
static double limitOf(const ResultComparison& result) {
  return result.error.max_reference == 0
             ? result.limit
             : result.limit / result.error.max_reference;
}

/// Where a result that failed is farthest from the reference.
static void printWorst(llvm::raw_ostream& os, const ResultComparison& result) {
  os << ", first at element " << result.error.worst;
  const reference::CriterionResult& criterion = result.criterion;
  if (criterion.row_share <= 1.0) return;
  os << "; row " << criterion.worst_row << " of " << criterion.row_size
     << " elements has an rms error of " << number(criterion.worst_row_error)
     << ", expected at most " << number(criterion.worst_row_limit);
}

static void printError(llvm::raw_ostream& os, const ResultComparison& result) {
  os << "max error " << number(result.error.max_abs) << ", "
     << number(result.error.Relative()) << " of max |reference| "
     << number(result.error.max_reference) << " (limit "
     << number(limitOf(result)) << ")";
  if (result.criterion.row_share > 0)
    os << ", rows within " << number(100 * result.criterion.row_share)
       << " % of their limits";
}

static void printResult(llvm::raw_ostream& os, const ResultComparison& result) {
  os << "  " << result.name << " " << result.type << ": ";
  if (result.kind == ResultComparison::Kind::Float) {
    const reference::CriterionResult& criterion = result.criterion;
    if (result.isNothingFinite())
      os << "nothing finite to compare";
    else
      printError(os, result);
    if (criterion.tested_nonfinite || criterion.reference_nonfinite)
      os << "; of " << result.elements << " elements "
         << criterion.tested_nonfinite << " are NaN or infinite in the run and "
         << criterion.reference_nonfinite << " in the reference";
    if (result.error.mismatches)
      os << ", " << result.error.mismatches
         << " infinities or NaN at other places";
    if (result.rowsApart)
      os << "; apart from " << result.rowsApart
         << " rows with another selection, max error "
         << number(result.errorApart.max_abs);
    if (!result.passed()) printWorst(os, result);
  } else {
    os << result.differing << " of " << result.elements << " elements differ";
  }
  os << (result.passed() ? "" : "  FAILED") << "\n";
}

static void printVerdicts(llvm::raw_ostream& os,
                          const SelectionComparison& selection) {
  const reference::SelectionReport& verdicts = selection.verdicts;
  os << "  selection " << selection.name << ": " << verdicts.rows << " rows, "
     << verdicts.identical << " identical, " << verdicts.legal
     << " legal (scores within " << number(verdicts.max_score_gap)
     << ", margin " << number(selection.scoreMargin) << "), " << verdicts.wrong
     << " wrong; k differs in " << verdicts.count_differences
     << " rows by at most " << selection.maxCountDifference
     << (selection.replayed ? "; legal rows replayed" : "")
     << (verdicts.Ok() ? "" : "  FAILED") << "\n";
  for (const std::string& error : verdicts.errors)
    os << "    " << error << "\n";
}

std::string ComparisonReport::comparisonText() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (results.empty()) return text;
  os << "Comparison with the float64 reference: "
     << (passed() ? "passed" : "FAILED");
  if (std::vector<std::string> names = resultsWithNothingFinite();
      !names.empty())
    os << ", but nothing finite was compared of " << llvm::join(names, ", ");
  os << "\n";
  for (const ResultComparison& result : results) printResult(os, result);
  for (const SelectionComparison& selection : selections)
    if (selection.judged) printVerdicts(os, selection);
  return text;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// JSON has no infinities and no NaN.
static llvm::json::Value finiteOrNull(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

static Object toJson(const reference::TensorError& error) {
  return Object{{"max_abs_error", finiteOrNull(error.max_abs)},
                {"relative_error", finiteOrNull(error.Relative())},
                {"max_reference", finiteOrNull(error.max_reference)},
                {"mismatched_nonfinite", error.mismatches},
                {"worst_element", error.worst}};
}

static Object toJson(const ResultComparison& result) {
  Object json{{"name", result.name},
              {"type", result.type},
              {"passed", result.passed()},
              {"elements", result.elements}};
  if (result.kind != ResultComparison::Kind::Float) {
    json["differing"] = result.differing;
    return json;
  }
  json["tolerance"] = finiteOrNull(limitOf(result));
  json["share_of_row_limit"] = finiteOrNull(result.criterion.row_share);
  json["rounded_error"] = finiteOrNull(result.criterion.rounded_error);
  json["nonfinite"] =
      Object{{"run", result.criterion.tested_nonfinite},
             {"reference", result.criterion.reference_nonfinite}};
  json["finite_in_both"] = result.criterion.finite;
  Object error = toJson(result.error);
  // An error of 0 would read as one that was measured.
  if (result.isNothingFinite())
    error["max_abs_error"] = error["relative_error"] = nullptr;
  json["error"] = std::move(error);
  json["rows_apart"] = result.rowsApart;
  if (result.rowsApart) json["error_apart"] = toJson(result.errorApart);
  return json;
}

static Object verdictsToJson(const SelectionComparison& selection) {
  const reference::SelectionReport& verdicts = selection.verdicts;
  return Object{{"name", selection.name},
                {"passed", verdicts.Ok()},
                {"rows", verdicts.rows},
                {"identical", verdicts.identical},
                {"legal", verdicts.legal},
                {"wrong", verdicts.wrong},
                {"replayed", selection.replayed},
                {"score_margin", selection.scoreMargin},
                {"budget_rounding", selection.budgetRounding},
                {"max_score_gap", finiteOrNull(verdicts.max_score_gap)},
                {"k_differences", verdicts.count_differences},
                {"max_k_difference", selection.maxCountDifference},
                {"errors", Array(verdicts.errors)}};
}

llvm::json::Value ComparisonReport::comparisonJson() const {
  Array resultArray, selectionArray;
  for (const ResultComparison& result : results)
    resultArray.push_back(toJson(result));
  for (const SelectionComparison& selection : selections)
    if (selection.judged) selectionArray.push_back(verdictsToJson(selection));
  return Object{{"passed", passed()},
                {"nothing_finite", Array(resultsWithNothingFinite())},
                {"seconds", seconds},
                {"results", std::move(resultArray)},
                {"selections", std::move(selectionArray)}};
}
