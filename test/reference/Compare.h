//===- Compare.h - is a tested result right? --------------------*- C++ -*-===//
//
// Rounding errors of a tested implementation move floats a little, and may
// exchange keys of nearly equal scores or shift a budget over an integer.
// These helpers tell such differences, with stated bounds, from errors.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_COMPARE_H_
#define GSA_TEST_REFERENCE_COMPARE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "test/reference/IndexScores.h"
#include "test/reference/Rounding.h"
#include "test/reference/Select.h"
#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

struct TensorError {
  double max_abs = 0.0;        ///< max |tested - reference|, finite elements
  double max_reference = 0.0;  ///< max |reference|, finite elements
  /// Elements of which exactly one is finite, or that are different
  /// infinities, or an infinity and a NaN. Two NaN agree.
  int64_t mismatches = 0;
  int64_t worst = -1;  ///< Flat index of max_abs, or of the first mismatch.

  /// max_abs / max_reference: the error on the scale of the whole tensor. 0
  /// without an error, infinity if only the reference is all zeros.
  double Relative() const;
  /// No mismatch, and max_abs <= absolute + relative * max_reference.
  bool Within(double absolute, double relative) const;
  std::string ToString() const;
};

/// Throws if the shapes differ.
TensorError CompareTensors(const Tensor<double>& tested,
                           const Tensor<double>& reference);

//===----------------------------------------------------------------------===//
// Selections
//===----------------------------------------------------------------------===//

struct SelectionTolerance {
  /// Keys whose scores differ by at most this much may be exchanged. A tested
  /// implementation with errors of at most e in each score needs 2 e: e for
  /// the key and e for the threshold that it is compared with.
  double score_margin = 0.0;
  /// Any raw budget within absolute + relative * |raw| of the reference's is
  /// accepted. The sum is cut to 0.49, so a count is never off by more than 1,
  /// and only where an integer lies inside that distance. The policy fixed has
  /// no tolerance.
  double budget_absolute = 1e-3;
  double budget_relative = 1e-5;
  /// What rounding of the operands to narrow types may move the raw budget, in
  /// keys; comes on top and is not cut.
  double budget_rounding = 0.0;
  /// The raw budget of an evaluation that rounds, if it or the reference's is
  /// not finite, so that they have no distance: its count is accepted, too.
  std::optional<double> rounded_raw = std::nullopt;
  /// The list must be ascending; false accepts any order.
  bool ascending = true;
  /// Entries beyond the count must be -1.
  bool tail = true;
};

enum class Verdict {
  kIdentical,  ///< The reference's keys, no more and no less.
  kLegal,      ///< Another list, within the tolerances.
  kWrong
};

/// What the reference knows about one row.
struct RowReference {
  std::span<const double> scores;  ///< [Sk], see ScoreRow
  KPolicy policy;
  double raw = 0.0;  ///< Raw budget, see AdaptiveKResult
  int64_t slots = 1;
  int64_t sink = 0;
  int64_t local = 0;
  /// The type of the scores: one beyond its range is infinite, and one near its
  /// end may have become so by rounding.
  FloatFormat type = {};
};

struct RowVerdict {
  Verdict verdict = Verdict::kIdentical;
  std::string message;  ///< Why it is wrong or what differs; empty: identical.
  /// The smallest score_margin that accepts the list; 0 unless it has another
  /// set of keys than a selection of the same size by exact scores.
  double score_gap = 0.0;
  int64_t count_difference = 0;  ///< count - reference count
};

/// Judges the list `indices` [K] with `count` of one row. With c = count and
/// n visible keys, a list is legal if
///   - c is the final count of an accepted raw budget,
///   - its entries are different, in range, visible, and ordered as asked,
///   - of the forced keys (sink, local) it holds the first min(c, forced),
///   - with tau the score of the (c - forced)-th best of the other visible
///     keys, every other selected key scores at least tau - score_margin and
///     every other visible key at most tau + score_margin. An infinite score
///     is as far from a finite one as the end of the type's range.
RowVerdict CompareRow(const RowReference& reference,
                      std::span<const int32_t> indices, int32_t count,
                      const SelectionTolerance& tolerance = {});

/// A list that CompareRow accepts beside the reference's: with the count at the
/// other end of the accepted ones, or else with the worst kept key exchanged
/// for the best other one. Ascending; nullopt if the row has no such list.
std::optional<std::vector<int32_t>> OtherLegalList(
    const RowReference& reference, const SelectionTolerance& tolerance);

struct SelectionReport {
  int64_t rows = 0, identical = 0, legal = 0, wrong = 0;
  int64_t count_differences = 0;    ///< Rows with another count
  double max_score_gap = 0.0;       ///< Of legal and wrong rows
  std::vector<std::string> errors;  ///< Of the first 8 wrong rows

  bool Ok() const { return wrong == 0; }
  std::string ToString() const;
};

/// Judges all rows of a tested selection, `indices` [B, Sq, K] and `counts`
/// [B, Sq], against `reference` = Select(operands, options). Scores are only
/// computed again for rows that differ. Throws if the shapes differ.
SelectionReport CompareSelections(const IndexOperands& operands,
                                  const SelectOptions& options,
                                  const SelectResult& reference,
                                  const Tensor<int32_t>& indices,
                                  const Tensor<int32_t>& counts,
                                  const SelectionTolerance& tolerance = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_COMPARE_H_
