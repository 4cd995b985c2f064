//===- RowStatistics.cc - variance or entropy of a row --------------------===//
//
//   variance  sum (x - mean)^2 / (n - correction)
//             kVisible:    over the n visible cells
//             kZeroFilled: over all Sk cells, those not visible being 0
//             a divisor below 1 gives 0
//   entropy   -sum p log(p + 1e-10), p = softmax over the visible cells;
//             0 for an empty row
//
//===----------------------------------------------------------------------===//

#include "test/reference/RowStatistics.h"

#include <algorithm>
#include <cmath>

#include "test/reference/Math.h"

namespace gsa::reference {
namespace {

double Variance(std::span<const double> row,
                const RowStatisticsOptions& options) {
  int64_t visible = CountVisible(row);
  bool zero_filled = options.population == Population::kZeroFilled;
  int64_t n = zero_filled ? static_cast<int64_t>(row.size()) : visible;
  if (n - options.correction < 1) return 0.0;
  double sum = 0.0;
  for (double x : row) {
    if (IsVisible(x)) sum += x;
  }
  double mean = sum / n;
  double squares = 0.0;
  for (double x : row) {
    if (IsVisible(x)) squares += (x - mean) * (x - mean);
  }
  if (zero_filled) squares += (n - visible) * mean * mean;
  return squares / (n - options.correction);
}

double Entropy(std::span<const double> row) {
  double max = -kInfinity;
  for (double x : row) max = std::max(max, IsVisible(x) ? x : max);
  double sum = 0.0;
  for (double x : row) {
    if (IsVisible(x)) sum += std::exp(x - max);
  }
  double entropy = 0.0;
  for (double x : row) {
    if (!IsVisible(x)) continue;
    double p = std::exp(x - max) / sum;
    entropy -= p * std::log(p + 1e-10);
  }
  return entropy;
}

}  // namespace

int64_t CountVisible(std::span<const double> row) {
  return std::count_if(row.begin(), row.end(), IsVisible);
}

double RowStatistic(std::span<const double> row,
                    const RowStatisticsOptions& options) {
  if (options.statistic == Statistic::kEntropy) return Entropy(row);
  return Variance(row, options);
}

RowStatisticsResult RowStatistics(const Tensor<double>& scores,
                                  const RowStatisticsOptions& options) {
  RequireRank("scores", scores, 3);
  Require(options.correction == 0 || options.correction == 1,
          "correction is " + std::to_string(options.correction) +
              ", expected 0 or 1");
  Require(options.statistic != Statistic::kEntropy ||
              (options.population == Population::kVisible &&
               options.correction == 0),
          "entropy is defined for visible cells without correction");
  int64_t batch = scores.dim(0), queries = scores.dim(1), keys = scores.dim(2);
  RowStatisticsResult result{Tensor<double>({batch, queries}),
                             Tensor<int32_t>({batch, queries})};
  for (int64_t i = 0; i < batch * queries; ++i) {
    std::span<const double> row(scores.data() + i * keys, keys);
    result.value[i] = RowStatistic(row, options);
    result.visible[i] = static_cast<int32_t>(CountVisible(row));
  }
  return result;
}

RowStatisticsOptions StatisticOf(const KPolicy& policy) {
  switch (policy.kind) {
    case KPolicyKind::kUpstreamVariance:
      return {Statistic::kVariance, Population::kZeroFilled, 1};
    case KPolicyKind::kEntropy:
      return {Statistic::kEntropy, Population::kVisible, 0};
    case KPolicyKind::kFixed:
    case KPolicyKind::kPaperEma:
    case KPolicyKind::kOrth:
      break;
  }
  return {Statistic::kVariance, Population::kVisible, 0};
}

}  // namespace gsa::reference
