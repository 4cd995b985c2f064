//===- IndexScores.cc - scores of the gated indexer -----------------------===//
//
//   I[b,t,s] = sum_j wact(w[b,t,j]) *
//                    act(scale * <q[b,t,j], k[b,s]> + bias[j])
//
// and -inf where the mask hides key s from query t. A NaN operand makes the
// cells that read it NaN and no others. Each step of the formula is infinite
// beyond the range of the accumulator type.
//
//===----------------------------------------------------------------------===//

#include "test/reference/IndexScores.h"

#include <cmath>

#include "test/reference/Lengths.h"
#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {
namespace {

double Activate(ScoreActivation activation, double x) {
  switch (activation) {
    case ScoreActivation::kSigmoid:
      return Sigmoid(x);
    case ScoreActivation::kRelu:
      return x < 0 ? 0.0 : x;  // The comparison is false for NaN: it stays.
    case ScoreActivation::kIdentity:
      break;
  }
  return x;
}

}  // namespace

void CheckIndexOperands(const IndexOperands& operands,
                        const IndexScoresOptions& options) {
  RequireRank("index query", operands.query, 4);
  const Shape& q = operands.query.shape();
  Require(q[2] >= 1 && q[3] >= 1,
          "index query has shape " + ShapeToString(q) +
              ", expected at least one head of at least one element");
  RequireRank("index key", operands.key, 3);
  RequireShape("index key", operands.key, {q[0], operands.key.dim(1), q[3]});
  if (operands.weights) {
    RequireShape("index weights", *operands.weights, {q[0], q[1], q[2]});
  }
  if (operands.bias) RequireShape("index bias", *operands.bias, {q[2]});
  if (operands.lengths) RequireShape("lengths", *operands.lengths, {q[0]});
  Require(!options.scale || std::isfinite(*options.scale),
          "index scale is not finite");
}

void ScoreRow(const IndexOperands& operands, const IndexScoresOptions& options,
              int64_t b, int64_t t, std::vector<double>* row) {
  const Tensor<double>& query = operands.query;
  int64_t heads = query.dim(2), depth = query.dim(3);
  int64_t keys = operands.key.dim(1);
  int64_t seen = VisibleKeys(options.mask, t, query.dim(1),
                             CountKeys(operands.lengths, b, keys));
  double scale = options.scale.value_or(1.0 / std::sqrt(double(depth)));
  const Range held(options.range);

  row->assign(keys, -kInfinity);
  std::fill(row->begin(), row->begin() + seen, 0.0);
  for (int64_t j = 0; j < heads; ++j) {
    double weight = 1.0;
    if (operands.weights) {
      weight = operands.weights->Slice(b, t)[j];
      if (options.weight_activation == WeightActivation::kSigmoid) {
        weight = Sigmoid(weight);
      }
    }
    double bias = operands.bias ? (*operands.bias)[j] : 0.0;
    const double* q = query.Slice(b, t, j);
    const double* k = operands.key.Slice(b);
    for (int64_t s = 0; s < seen; ++s) {
      double dot = held(Dot(q, k + s * depth, depth));
      double logit = held(held(scale * dot) + bias);
      double term = held(weight * Activate(options.score_activation, logit));
      (*row)[s] = held((*row)[s] + term);
    }
  }
}

Tensor<double> IndexScores(const IndexOperands& operands,
                           const IndexScoresOptions& options) {
  CheckIndexOperands(operands, options);
  int64_t batch = operands.query.dim(0), queries = operands.query.dim(1);
  Tensor<double> scores({batch, queries, operands.key.dim(1)});
  ParallelFor(batch * queries, options.num_threads,
              [&](int64_t begin, int64_t end) {
                std::vector<double> row;
                for (int64_t i = begin; i < end; ++i) {
                  int64_t b = i / queries, t = i % queries;
                  ScoreRow(operands, options, b, t, &row);
                  std::copy(row.begin(), row.end(), scores.Slice(b, t));
                }
              });
  return scores;
}

}  // namespace gsa::reference
