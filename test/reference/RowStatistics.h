//===- RowStatistics.h - variance or entropy of a row -----------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_ROWSTATISTICS_H_
#define GSA_TEST_REFERENCE_ROWSTATISTICS_H_

#include <cstdint>
#include <span>

#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

struct RowStatisticsOptions {
  Statistic statistic = Statistic::kVariance;
  Population population = Population::kVisible;
  int64_t correction = 0;  ///< 0 or 1; subtracted from the divisor.
};

struct RowStatisticsResult {
  Tensor<double> value;     ///< [B, Sq]
  Tensor<int32_t> visible;  ///< [B, Sq], cells greater than -inf
};

/// Whether a score takes part in selection; a NaN does not.
inline bool IsVisible(double score) {
  return score > -std::numeric_limits<double>::infinity();
}

/// Number of visible cells of a row.
int64_t CountVisible(std::span<const double> row);

/// The statistic of one row. The options must be legal.
double RowStatistic(std::span<const double> row,
                    const RowStatisticsOptions& options);

/// The statistic and the visible cells of each row of `scores` [B, Sq, Sk].
/// Throws for a correction other than 0 and 1, and for entropy with another
/// population than kVisible or a correction.
RowStatisticsResult RowStatistics(const Tensor<double>& scores,
                                  const RowStatisticsOptions& options = {});

/// The statistic that the formula of a policy reads.
RowStatisticsOptions StatisticOf(const KPolicy& policy);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_ROWSTATISTICS_H_
