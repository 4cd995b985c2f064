//===- Criterion.cc - is a float result as exact as its types -------------===//

#include "test/reference/Criterion.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "test/reference/Math.h"

namespace gsa::reference {
namespace {

bool SameNonFinite(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : std::isinf(a) && a == b;
}

/// The error of a tested value; nullopt where it is no number or another
/// infinity than it should be. `overflow` is the smallest magnitude that rounds
/// to infinity: what an infinite value may stand for.
std::optional<double> ErrorOf(double tested, double exact, double rounded,
                              double overflow) {
  // The definition's own roundings are right, wherever they lead.
  if (SameNonFinite(tested, exact) || SameNonFinite(tested, rounded))
    return 0.0;
  if (!std::isfinite(exact) || std::isnan(tested)) return std::nullopt;
  if (std::isfinite(tested)) return std::abs(tested - exact);
  if (std::isinf(overflow) || std::signbit(tested) != std::signbit(exact))
    return std::nullopt;
  return std::max(0.0, overflow - std::abs(exact));
}

/// Sums of squares over one row, and its largest |reference|.
struct RowSums {
  double error = 0.0, rounded = 0.0, reference = 0.0, largest = 0.0;
};

double Rms(double sum, int64_t count) {
  return std::sqrt(sum / static_cast<double>(count));
}

/// Counts the elements of a tensor, row by row.
class Judge {
 public:
  Judge(const Tensor<double>& tested, const Tensor<double>& exact,
        const Tensor<double>& rounded, const CriterionOptions& options)
      : tested_(tested),
        exact_(exact),
        rounded_(rounded),
        options_(options),
        overflow_(options.type.OverflowThreshold()) {}

  CriterionResult Run() {
    result_.row_size = CriterionRowSize(exact_.shape());
    std::vector<RowSums> rows;
    for (int64_t begin = 0; begin < exact_.size(); begin += result_.row_size) {
      rows.push_back(
          AddRow(begin, std::min(begin + result_.row_size, exact_.size())));
    }
    double unit = options_.type.UnitRoundoff();
    double largest = result_.error.max_reference;
    double fixed = options_.accumulation * largest +
                   options_.type.Accumulator().SmallestNormal() +
                   options_.type.HalfOfSmallest();
    result_.limit = 2 * result_.rounded_error + unit * largest + fixed;
    JudgeRows(rows, unit, fixed);
    return result_;
  }

 private:
  RowSums AddRow(int64_t begin, int64_t end) {
    RowSums sums;
    for (int64_t i = begin; i < end; ++i) {
      double error = AddTested(i);
      double rounded = 0.0;
      if (std::isfinite(rounded_[i]) && std::isfinite(exact_[i]))
        rounded = std::abs(rounded_[i] - exact_[i]);
      result_.rounded_error = std::max(result_.rounded_error, rounded);
      sums.error += error * error;
      sums.rounded += rounded * rounded;
      // Numbers that the type cannot hold are no scale for others.
      double size = std::abs(exact_[i]);
      if (!std::isfinite(size) || size >= overflow_) continue;
      result_.error.max_reference = std::max(result_.error.max_reference, size);
      sums.reference += size * size;
      sums.largest = std::max(sums.largest, size);
    }
    return sums;
  }

  /// The error of element `i`; 0 for one that is counted as a mismatch.
  double AddTested(int64_t i) {
    bool tested_finite = std::isfinite(tested_[i]);
    bool reference_finite = std::abs(exact_[i]) < overflow_;  // False for NaN
    result_.tested_nonfinite += !tested_finite;
    result_.reference_nonfinite += !reference_finite;
    result_.finite += tested_finite && reference_finite;
    std::optional<double> error =
        ErrorOf(tested_[i], exact_[i], rounded_[i], overflow_);
    TensorError& total = result_.error;
    if (!error) {
      if (total.mismatches++ == 0) total.worst = i;
      return 0.0;
    }
    if (*error > total.max_abs) {
      total.max_abs = *error;
      if (total.mismatches == 0) total.worst = i;
    }
    return *error;
  }

  void JudgeRows(const std::vector<RowSums>& rows, double unit, double fixed) {
    RowSums most;
    for (const RowSums& row : rows) {
      most.rounded = std::max(most.rounded, row.rounded);
      most.reference = std::max(most.reference, row.reference);
      most.largest = std::max(most.largest, row.largest);
    }
    int64_t size = result_.row_size;
    for (size_t i = 0; i < rows.size(); ++i) {
      const RowSums& row = options_.by_row ? rows[i] : most;
      double own = std::min(Rms(row.reference, size),
                            2 * row.largest / std::sqrt(double(size)));
      double limit = 2 * Rms(row.rounded, size) + unit * own + fixed;
      double error = Rms(rows[i].error, size);
      if (error / limit <= result_.row_share) continue;
      result_.row_share = error / limit;
      result_.worst_row = static_cast<int64_t>(i);
      result_.worst_row_error = error;
      result_.worst_row_limit = limit;
    }
  }

  const Tensor<double>& tested_;
  const Tensor<double>& exact_;
  const Tensor<double>& rounded_;
  const CriterionOptions& options_;
  const double overflow_;
  CriterionResult result_;
};

}  // namespace

bool CriterionResult::Ok() const {
  return error.mismatches == 0 && error.max_abs <= limit && row_share <= 1.0;
}

int64_t CriterionRowSize(const Shape& shape) {
  int64_t size = 1;
  for (size_t axis = shape.size(); axis-- > 0 && size < kRowSize;) {
    size *= shape[axis];
  }
  return std::max<int64_t>(size, 1);
}

CriterionResult CompareWithin(const Tensor<double>& tested,
                              const Tensor<double>& exact,
                              const Tensor<double>& rounded,
                              const CriterionOptions& options) {
  RequireShape("tested tensor", tested, exact.shape());
  RequireShape("rounded evaluation", rounded, exact.shape());
  return Judge(tested, exact, rounded, options).Run();
}

}  // namespace gsa::reference
