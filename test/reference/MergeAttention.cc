//===- MergeAttention.cc - attention from its parts -----------------------===//
//
// With i over the parts of a row:
//
//   lse = log(sum_i exp(lse[i]))
//   out = sum_i exp(lse[i] - lse) * out[i]
//
//===----------------------------------------------------------------------===//

#include "test/reference/MergeAttention.h"

#include <algorithm>
#include <cmath>

#include "test/reference/Math.h"

namespace gsa::reference {
namespace {

/// One row of one head: writes `output` [Dv] (zero on entry), returns lse.
/// `rows` are the outputs of parts, `lses` their log-sum-exps.
double MergeRow(const std::vector<const double*>& rows,
                const std::vector<double>& lses, int64_t depth,
                double* output) {
  double max = -kInfinity;
  bool nan = false;
  for (double lse : lses) {
    max = std::max(max, lse);
    nan = nan || std::isnan(lse) || lse == kInfinity;
  }
  if (nan) {
    std::fill(output, output + depth, kNan);
    return kNan;
  }
  if (max == -kInfinity) return -kInfinity;
  double sum = 0.0;
  for (double lse : lses) sum += std::exp(lse - max);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (lses[i] == -kInfinity) continue;
    AddScaled(std::exp(lses[i] - max) / sum, rows[i], output, depth);
  }
  return max + std::log(sum);
}

}  // namespace

AttentionResult MergeAttention(const std::vector<AttentionPart>& parts) {
  Require(!parts.empty(), "there are no parts to merge");
  RequireRank("output", parts.front().output, 4);
  const Shape& shape = parts.front().output.shape();
  for (const AttentionPart& part : parts) {
    RequireShape("output", part.output, shape);
    RequireShape("lse", part.lse, {shape[0], shape[2], shape[1]});
  }
  AttentionResult result{Tensor<double>(shape),
                         Tensor<double>({shape[0], shape[2], shape[1]})};
  std::vector<const double*> rows(parts.size());
  std::vector<double> lses(parts.size());
  for (int64_t b = 0; b < shape[0]; ++b) {
    for (int64_t t = 0; t < shape[1]; ++t) {
      for (int64_t j = 0; j < shape[2]; ++j) {
        for (size_t i = 0; i < parts.size(); ++i) {
          rows[i] = parts[i].output.Slice(b, t, j);
          lses[i] = parts[i].lse.Slice(b, j)[t];
        }
        result.lse.Slice(b, j)[t] =
            MergeRow(rows, lses, shape[3], result.output.Slice(b, t, j));
      }
    }
  }
  return result;
}

}  // namespace gsa::reference
