//===- Bounds.h - how far a right result may be from float64 ----*- C++ -*-===//
//
// First-order bounds of rounding errors, from the operands of a case and from
// what is known about the arithmetic that computed it. u is the unit roundoff
// of accumulation.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_BOUNDS_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_BOUNDS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/core/dtype.h"
#include "test/reference/GatherAttention.h"
#include "test/reference/IndexScores.h"
#include "test/reference/RowStatistics.h"
#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::differential {

/// What bounds depend on.
struct Arithmetic {
  double unit = 0;     ///< u of sums and products.
  double tiny = 0;     ///< Results below may be lost in a sum.
  double normal = 0;   ///< Results of special functions below may become 0.
  double sigmoid = 0;  ///< Absolute error of a sigmoid beyond some u.
  /// Rounding of the softmax weights before they multiply values: relative,
  /// and absolute where they are below the normal numbers of their type.
  double weight = 0, weight_tiny = 0;
};

/// Accumulation in f32 or f64 with a good library for special functions. The
/// reference rounds as well, hence u is doubled for f64.
Arithmetic HostArithmetic(DType acc);

/// Kernels for f32, f16 or bf16 operands. Tensor cores cut sums off instead of
/// rounding them; exponentials and reciprocals are approximations within 2^-22
/// that flush denormal numbers, which keeps a sigmoid within 5e-7 (the
/// specified limit for a score is 1e-6 per head); softmax weights are rounded
/// to the type of the values. With `fast_tanh` the sigmoids of scores are made
/// of tanh.approx, of which 4e-6 has been measured.
Arithmetic DeviceArithmetic(DType dtype, bool fast_tanh = false);

/// Half a unit in the last place of a rounded result, relative to it: 2^-11
/// for f16, 2^-8 for bf16.
double RoundingUnit(DType dtype);

/// The smallest positive number of a type, as an absolute error.
double SmallestNumber(DType dtype);

/// Bound of the error of each score of row (b, t); 0 where the score is not
/// finite. Dot product: (Di + 2) u sum |q k|, the worst case of any order of
/// additions. Activation: its change over the resulting interval, since all
/// of them are monotone, and 8 u of its value.
std::vector<double> ScoreErrors(const reference::IndexOperands& operands,
                                const reference::IndexScoresOptions& options,
                                int64_t b, int64_t t,
                                const Arithmetic& arithmetic);

/// Bound of the error of RowStatistic(row) when each score is off by at most
/// `score_error`. Variance: a shift d of each centred score moves the mean of
/// their squares by at most 2 sqrt(v) d + d^2 (Cauchy-Schwarz).
double StatisticError(std::span<const double> row,
                      const reference::RowStatisticsOptions& options,
                      double score_error, const Arithmetic& arithmetic);

/// The counts that a row may have.
struct CountInterval {
  int64_t low, high;
};

/// A row's statistic and normaliser with the bounds of their errors.
struct BudgetInputs {
  int64_t visible = 0;
  double statistic = 0, statistic_error = 0;
  double normaliser = 0, normaliser_error = 0;
};

/// Budgets are monotone in both inputs, so the corners of their intervals give
/// the ends; the formula itself adds 32 u.
CountInterval AcceptedBudgets(const reference::KPolicy& policy,
                              const BudgetInputs& inputs,
                              const Arithmetic& arithmetic);

/// Bounds of the two results of attention, each for the whole tensor.
struct AttentionTolerance {
  double output = 0;  ///< Without the rounding of the output.
  double lse = 0;
};

/// A dot product of D random terms errs by about sqrt(D) u sum |q k|; with
/// |q| |k| for the sum, a logit errs by dl = (sqrt(D) / 2 + 3) u |scale| max
/// |q| max |k|, an output by 2 dl max |v| and by the rounding of K terms.
/// `list_length` bounds K. Tokens that are not finite do not count.
AttentionTolerance AttentionErrors(const reference::AttentionOperands& operands,
                                   std::optional<double> scale,
                                   int64_t list_length,
                                   const Arithmetic& arithmetic);

/// max |x| over the finite elements; 0 without any.
double MaxAbs(const reference::Tensor<double>& values);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_BOUNDS_H_
