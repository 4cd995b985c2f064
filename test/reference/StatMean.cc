//===- StatMean.cc - mean of the finite statistics ------------------------===//
//
// The normaliser of the policy upstream_variance. A statistic that is not
// finite is left out: one bad row must not change another row's budget beyond
// its own absence.
//
//===----------------------------------------------------------------------===//

#include "test/reference/StatMean.h"

#include <cmath>

namespace gsa::reference {

double StatMean(const Tensor<double>& values) {
  RequireRank("statistics", values, 2);
  double sum = 0.0;
  int64_t count = 0;
  for (double value : values.values()) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? 0.0 : sum / count;
}

}  // namespace gsa::reference
