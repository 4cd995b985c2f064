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

#include "test/reference/Lengths.h"
#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {
namespace {

/// What the heads of a call have in common, and the buffers of one thread.
struct HeadLoop {
  int64_t depth, key_stride;          ///< Elements of a key, between two keys
  int64_t value_depth, value_stride;  ///< The same of values
  double scale;
  std::optional<Rounder> round_logit;
  /// Unit roundoff and half of the smallest number of the type that weights
  /// may be rounded to; 0: they are not.
  double weight_unit = 0.0, weight_tiny = 0.0;
  std::vector<double> logits, squares;
};

/// Moves `output`, the sum of weights times values over `sum`, by what the
/// rounding of weights may do to it. `weights` are at most 1 before division.
void MoveByWeightRounding(const std::vector<double>& weights, double sum,
                          const double* value, const std::vector<int32_t>& list,
                          uint64_t position, HeadLoop* loop, double* output) {
  loop->squares.assign(loop->value_depth, 0.0);
  for (size_t i = 0; i < list.size(); ++i) {
    double error =
        std::max(loop->weight_unit * weights[i], loop->weight_tiny) / sum;
    const double* row = value + list[i] * loop->value_stride;
    for (int64_t d = 0; d < loop->value_depth; ++d)
      loop->squares[d] += error * row[d] * (error * row[d]);
  }
  for (int64_t d = 0; d < loop->value_depth; ++d)
    output[d] += SignOf(position + d) * std::sqrt(loop->squares[d]);
}

/// One head of one query: writes `output` [Dv] (zero on entry), returns lse.
/// `key` and `value` point to the KV head's first row; `position` is the flat
/// index of output[0].
double AttendHead(const double* query, const double* key, const double* value,
                  const std::vector<int32_t>& list, uint64_t position,
                  HeadLoop* loop, double* output) {
  if (list.empty()) return -kInfinity;
  double max = -kInfinity;
  std::vector<double>* logits = &loop->logits;
  logits->resize(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    (*logits)[i] =
        loop->scale * Dot(query, key + list[i] * loop->key_stride, loop->depth);
    if (loop->round_logit) (*logits)[i] = (*loop->round_logit)((*logits)[i]);
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
    AddScaled((*logits)[i] / sum, value + list[i] * loop->value_stride, output,
              loop->value_depth);
  }
  if (loop->weight_unit > 0)
    MoveByWeightRounding(*logits, sum, value, list, position, loop, output);
  return shift + std::log(sum);
}

HeadLoop MakeHeadLoop(const AttentionOperands& operands,
                      const GatherAttentionOptions& options) {
  HeadLoop loop;
  int64_t groups = operands.key.dim(2);
  loop.depth = operands.query.dim(3);
  loop.key_stride = groups * loop.depth;
  loop.value_depth = operands.value.dim(3);
  loop.value_stride = groups * loop.value_depth;
  loop.scale = options.scale.value_or(1.0 / std::sqrt(double(loop.depth)));
  if (!options.rounding) return loop;
  const FloatFormat& type = options.rounding->type;
  loop.round_logit.emplace(type.Accumulator());
  if (type.precision < FloatFormat::F32().precision) {
    loop.weight_unit = type.UnitRoundoff();
    loop.weight_tiny = type.HalfOfSmallest();
  }
  return loop;
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
  int64_t keys = key.dim(1), repeat = heads / key.dim(2);
  int64_t value_depth = value.dim(3);
  AttentionResult result{Tensor<double>({batch, queries, heads, value_depth}),
                         Tensor<double>({batch, heads, queries})};
  ParallelFor(
      batch * queries, options.num_threads, [&](int64_t begin, int64_t end) {
        HeadLoop loop = MakeHeadLoop(operands, options);
        for (int64_t row = begin; row < end; ++row) {
          int64_t b = row / queries, t = row % queries;
          std::vector<int32_t> list = keys_of(b, t);
          std::erase_if(list, [&](int32_t s) { return s < 0 || s >= keys; });
          for (int64_t j = 0; j < heads; ++j) {
            int64_t g = j / repeat;
            // Without keys there is no address to begin from.
            const double* first_key = keys ? key.Slice(b, 0, g) : nullptr;
            const double* first_value = keys ? value.Slice(b, 0, g) : nullptr;
            double* output = result.output.Slice(b, t, j);
            result.lse.Slice(b, j)[t] = AttendHead(
                query.Slice(b, t, j), first_key, first_value, list,
                static_cast<uint64_t>((row * heads + j) * value_depth), &loop,
                output);
          }
        }
      });
  return result;
}

KeyList ListedKeys(const AttentionOperands& operands,
                   const Tensor<int32_t>& indices,
                   const Tensor<int32_t>& counts,
                   const GatherAttentionOptions& options) {
  CheckAttentionOperands(operands, options.scale);
  int64_t batch = operands.query.dim(0), queries = operands.query.dim(1);
  RequireRank("indices", indices, 3);
  int64_t slots = indices.dim(2), all = operands.key.dim(1);
  RequireShape("indices", indices, {batch, queries, slots});
  RequireShape("counts", counts, {batch, queries});
  if (options.lengths) RequireShape("lengths", *options.lengths, {batch});
  return [&indices, &counts, lengths = options.lengths, range = options.range,
          slots, all](int64_t b, int64_t t) {
    const int32_t* list = indices.Slice(b, t);
    int64_t count = std::clamp<int64_t>(counts.Slice(b)[t], 0, slots);
    std::vector<int32_t> kept(list + range.begin(count),
                              list + range.end(count));
    int64_t keys = CountKeys(lengths, b, all);
    std::erase_if(kept, [&](int32_t s) { return s < 0 || s >= keys; });
    return kept;
  };
}

AttentionResult GatherAttention(const AttentionOperands& operands,
                                const Tensor<int32_t>& indices,
                                const Tensor<int32_t>& counts,
                                const GatherAttentionOptions& options) {
  return AttendToLists(operands, options,
                       ListedKeys(operands, indices, counts, options));
}

}  // namespace gsa::reference
