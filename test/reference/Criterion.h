//===- Criterion.h - is a float result as exact as its types ----*- C++ -*-===//
//
// A tested result has rounding errors of every type that its operands passed
// through, in amounts that no formula of the result's own type tells. They are
// measured instead: the reference evaluates the same module twice, once exactly
// and once with results rounded to their types, and a tested error may be twice
// the error of the rounded evaluation plus what rounding the result itself and
// the order of sums may add.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_CRITERION_H_
#define GSA_TEST_REFERENCE_CRITERION_H_

#include <cstdint>

#include "test/reference/Compare.h"
#include "test/reference/Rounding.h"
#include "test/reference/Tensor.h"

namespace gsa::reference {

struct CriterionOptions {
  /// Element type of the result.
  FloatFormat type;
  /// What the order of sums may change, as a share of max |reference|.
  double accumulation = 0.0;
  /// Whether errors belong to rows: false if the two evaluations may have
  /// selected other keys in some rows, so that an error says nothing about the
  /// same row of the tested result. Then the largest row counts for all.
  bool by_row = true;
};

/// What CompareWithin found. With e the tested error, r that of the rounded
/// evaluation, u the unit roundoff of the type and f = accumulation *
/// max |reference| + the smallest normal number of the accumulator type + half
/// of the smallest number of the type, a result passes if nothing that is not
/// finite is at another place and
///
///   max |e| <= 2 max |r| + u max |reference| + f      over the tensor,
///   rms e   <= 2 rms r   + g                 + f      over each row.
///
/// A row is what the last dimension spans, or as many of the last dimensions
/// as it takes to hold kRowSize elements: the mean over so many errors is no
/// small one by luck, unless few elements make up the row. So g is what
/// rounding four of its largest elements may add, 2 u max |reference| /
/// sqrt(elements), but no more than rounding all of them may, u rms reference.
struct CriterionResult {
  TensorError error;  ///< Of the tested result
  /// Elements that are NaN or infinite: of the tested result, and of the
  /// reference as the type can hold it. Such elements have no error to compare,
  /// only a place.
  int64_t tested_nonfinite = 0, reference_nonfinite = 0;
  int64_t finite = 0;          ///< Elements that are finite in both
  double rounded_error = 0.0;  ///< max |r|
  double limit = 0.0;          ///< Of error.max_abs
  /// The largest quotient of the two sides over the rows, its row (a number of
  /// rows of `row_size` elements) and the rms error there.
  double row_share = 0.0;
  int64_t worst_row = -1;
  int64_t row_size = 0;
  double worst_row_error = 0.0, worst_row_limit = 0.0;

  bool Ok() const;
};

inline constexpr int64_t kRowSize = 64;

/// Elements of a row for CriterionResult.
int64_t CriterionRowSize(const Shape& shape);

/// Judges `tested` by the exact and the rounded evaluation. The reference is
/// `exact` as the type can hold it: beyond the largest number it is infinite,
/// and a finite tested number may miss the overflow by the limit, too. A value
/// that is not finite must be that of the exact evaluation or that of the
/// rounded one. Throws if the shapes differ.
CriterionResult CompareWithin(const Tensor<double>& tested,
                              const Tensor<double>& exact,
                              const Tensor<double>& rounded,
                              const CriterionOptions& options);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_CRITERION_H_
