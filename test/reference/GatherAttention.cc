//===- GatherAttention.cc - attention over lists of keys ------------------===//
//
// With r = H / G and i over the listed keys idx:
//
//   l[i]       = scale * <q[b,t,j], k[b, idx[i], j / r]>
//   lse[b,j,t] = log(sum_i exp(l[i]))
//   out[b,t,j] = sum_i exp(l[i] - lse) * v[b, idx[i], j / r]
//
// A row without keys, or with logits of -inf only, gives out = 0 and lse =
// -inf. A logit of NaN or +inf makes out and lse NaN.
//
//===----------------------------------------------------------------------===//

#include "test/reference/GatherAttention.h"

#include <algorithm>
#include <cmath>

#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {
namespace {

/// One head of one query: writes `output` [Dv] (zero on entry), returns lse.
/// `key` and `value` point to the KV head's first row; rows are `key_stride`
/// and `value_stride` elements apart.
double AttendHead(const double* query, const double* key, int64_t key_stride,
                  int64_t depth, const double* value, int64_t value_stride,
                  int64_t value_depth, const std::vector<int32_t>& list,
                  double scale, std::vector<double>* logits, double* output) {
  if (list.empty()) return -kInfinity;
  double max = -kInfinity;
  logits->resize(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    (*logits)[i] = scale * Dot(query, key + list[i] * key_stride, depth);
    max = std::max(max, (*logits)[i]);
  }
  // Keys whose logits are -inf have no weight; if there is no other key (and
  // no NaN, which std::max passes over), the row is like one without keys.
  bool nan = std::any_of(logits->begin(), logits->end(),
                         [](double logit) { return std::isnan(logit); });
  if (max == -kInfinity && !nan) return -kInfinity;
  // A logit of +inf becomes NaN here and takes the row with it.
  double shift = max == -kInfinity ? 0.0 : max;
  double sum = 0.0;
  for (double& logit : *logits) {
    logit = std::exp(logit - shift);
    sum += logit;
  }
  for (size_t i = 0; i < list.size(); ++i) {
    AddScaled((*logits)[i] / sum, value + list[i] * value_stride, output,
              value_depth);
  }
  return shift + std::log(sum);
}

}  // namespace

void CheckAttentionOperands(const AttentionOperands& operands,
                            std::optional<double> scale) {
  RequireRank("query", operands.query, 4);
  RequireRank("key", operands.key, 4);
  RequireRank("value", operands.value, 4);
  const Shape& q = operands.query.shape();
  const Shape& k = operands.key.shape();
  RequireShape("key", operands.key, {q[0], k[1], k[2], q[3]});
  RequireShape("value", operands.value,
               {q[0], k[1], k[2], operands.value.dim(3)});
  Require(q[2] >= 1 && k[2] >= 1 && q[2] % k[2] == 0,
          std::to_string(q[2]) + " query heads for " + std::to_string(k[2]) +
              " key heads, expected a multiple");
  Require(q[3] >= 1 && operands.value.dim(3) >= 1,
          "heads need at least one element");
  Require(!scale || std::isfinite(*scale), "scale is not finite");
}

AttentionResult AttendToLists(const AttentionOperands& operands,
                              const GatherAttentionOptions& options,
                              const KeyList& keys_of) {
  CheckAttentionOperands(operands, options.scale);
  const Tensor<double>& query = operands.query;
  const Tensor<double>& key = operands.key;
  const Tensor<double>& value = operands.value;
  int64_t batch = query.dim(0), queries = query.dim(1), heads = query.dim(2);
  int64_t depth = query.dim(3), keys = key.dim(1), groups = key.dim(2);
  int64_t value_depth = value.dim(3), repeat = heads / groups;
  double scale = options.scale.value_or(1.0 / std::sqrt(double(depth)));

  AttentionResult result{Tensor<double>({batch, queries, heads, value_depth}),
                         Tensor<double>({batch, heads, queries})};
  ParallelFor(
      batch * queries, options.num_threads, [&](int64_t begin, int64_t end) {
        std::vector<double> logits;
        for (int64_t row = begin; row < end; ++row) {
          int64_t b = row / queries, t = row % queries;
          std::vector<int32_t> list = keys_of(b, t);
          std::erase_if(list, [&](int32_t s) { return s < 0 || s >= keys; });
          for (int64_t j = 0; j < heads; ++j) {
            int64_t g = j / repeat;
            // Without keys there is no address to begin from.
            const double* first_key = keys ? key.Slice(b, 0, g) : nullptr;
            const double* first_value = keys ? value.Slice(b, 0, g) : nullptr;
            result.lse.Slice(b, j)[t] = AttendHead(
                query.Slice(b, t, j), first_key, groups * depth, depth,
                first_value, groups * value_depth, value_depth, list, scale,
                &logits, result.output.Slice(b, t, j));
          }
        }
      });
  return result;
}

AttentionResult GatherAttention(const AttentionOperands& operands,
                                const Tensor<int32_t>& indices,
                                const Tensor<int32_t>& counts,
                                const GatherAttentionOptions& options) {
  CheckAttentionOperands(operands, options.scale);
  int64_t batch = operands.query.dim(0), queries = operands.query.dim(1);
  RequireRank("indices", indices, 3);
  int64_t slots = indices.dim(2);
  RequireShape("indices", indices, {batch, queries, slots});
  RequireShape("counts", counts, {batch, queries});
  return AttendToLists(operands, options, [&](int64_t b, int64_t t) {
    const int32_t* list = indices.Slice(b, t);
    int64_t count = std::clamp<int64_t>(counts.Slice(b)[t], 0, slots);
    return std::vector<int32_t>(list, list + count);
  });
}

}  // namespace gsa::reference
