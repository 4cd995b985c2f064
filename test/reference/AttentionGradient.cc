//===- AttentionGradient.cc - gradients of attention ----------------------===//
//
// With r = H / G and i over the listed keys idx of row t:
//
//   l[i]  = scale * <q[b,t,j], k[b, idx[i], j / r]>
//   p[i]  = exp(l[i] - lse[b,j,t])
//   dp[i] = <output_grad[b,t,j], v[b, idx[i], j / r]>
//   dl[i] = p[i] * (dp[i] - row_sums[b,j,t])
//   dq[b,t,j]          += scale * dl[i] * k[b, idx[i], j / r]
//   dk[b,idx[i],j / r] += scale * dl[i] * q[b,t,j]
//   dv[b,idx[i],j / r] += p[i] * output_grad[b,t,j]
//
// p[i] and dl[i] are 0 where l[i] is -inf.
//
//===----------------------------------------------------------------------===//

#include "test/reference/AttentionGradient.h"

#include <cmath>

#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {
namespace {

/// A sum of products and the sum of their magnitudes.
struct SumAndSize {
  double sum = 0.0, size = 0.0;
};

SumAndSize DotAndSize(const double* a, const double* b, int64_t n) {
  SumAndSize result{Dot(a, b, n)};
  for (int64_t i = 0; i < n; ++i) result.size += std::abs(a[i] * b[i]);
  return result;
}

/// The gradients of one head of one query.
class HeadGradient {
 public:
  HeadGradient(const AttentionOperands& operands,
               const AttentionUpstream& upstream,
               const GatherAttentionOptions& options,
               AttentionGradients* gradients, AttentionGradients* squares)
      : operands_(operands),
        upstream_(upstream),
        gradients_(gradients),
        squares_(squares) {
    depth_ = operands.query.dim(3);
    value_depth_ = operands.value.dim(3);
    repeat_ = operands.query.dim(2) / operands.key.dim(2);
    scale_ = options.scale.value_or(1.0 / std::sqrt(double(depth_)));
    if (!options.rounding) return;
    FloatFormat accumulator = options.rounding->type.Accumulator();
    round_ = Rounder(accumulator);
    unit_ = accumulator.UnitRoundoff();
  }

  void Run(int64_t b, int64_t t, int64_t j, const std::vector<int32_t>& list) {
    double lse = upstream_.lse.Slice(b, j)[t];
    if (lse == -kInfinity) return;
    int64_t g = j / repeat_;
    double row_sum = upstream_.row_sums.Slice(b, j)[t];
    const double* q = operands_.query.Slice(b, t, j);
    const double* output_grad = upstream_.output_grad.Slice(b, t, j);
    for (size_t i = 0; i < list.size(); ++i) {
      int32_t s = list[i];
      const double* k = operands_.key.Slice(b, s, g);
      double logit = scale_ * Dot(q, k, depth_);
      if (round_) logit = (*round_)(logit);
      double p = 0.0, dl = 0.0;
      if (logit != -kInfinity) {
        p = std::exp(logit - lse);
        SumAndSize dp = DotAndSize(output_grad, operands_.value.Slice(b, s, g),
                                   value_depth_);
        dl = p * (dp.sum - row_sum);
        if (unit_ > 0) {
          double error = scale_ * p * unit_ * dp.size;
          AddSquares(error, k, squares_->query.Slice(b, t, j));
          AddSquares(error, q, squares_->key.Slice(b, s, g));
        }
      }
      AddScaled(scale_ * dl, k, gradients_->query.Slice(b, t, j), depth_);
      AddScaled(scale_ * dl, q, gradients_->key.Slice(b, s, g), depth_);
      AddScaled(p, output_grad, gradients_->value.Slice(b, s, g), value_depth_);
    }
  }

 private:
  void AddSquares(double error, const double* x, double* squares) const {
    for (int64_t d = 0; d < depth_; ++d)
      squares[d] += error * x[d] * (error * x[d]);
  }

  const AttentionOperands& operands_;
  const AttentionUpstream& upstream_;
  AttentionGradients* gradients_;
  AttentionGradients* squares_;  ///< Of the errors of queries and keys.
  int64_t depth_, value_depth_, repeat_;
  double scale_;
  std::optional<Rounder> round_;
  double unit_ = 0.0;  ///< Unit roundoff of sums; 0: exact.
};

/// Moves each element by the root of its square, up or down.
void MoveByRoots(const Tensor<double>& squares, Tensor<double>* gradient) {
  for (int64_t i = 0; i < squares.size(); ++i)
    (*gradient)[i] += SignOf(static_cast<uint64_t>(i)) * std::sqrt(squares[i]);
}

AttentionGradients GradientOverLists(const AttentionOperands& operands,
                                     const AttentionUpstream& upstream,
                                     const GatherAttentionOptions& options,
                                     const KeyList& keys_of) {
  const Shape& q = operands.query.shape();
  RequireShape("output_grad", upstream.output_grad,
               {q[0], q[1], q[2], operands.value.dim(3)});
  RequireShape("lse", upstream.lse, {q[0], q[2], q[1]});
  RequireShape("row_sums", upstream.row_sums, {q[0], q[2], q[1]});
  AttentionGradients gradients{Tensor<double>(q),
                               Tensor<double>(operands.key.shape()),
                               Tensor<double>(operands.value.shape())};
  AttentionGradients squares;
  if (options.rounding) {
    squares.query = Tensor<double>(q);
    squares.key = Tensor<double>(operands.key.shape());
  }
  int64_t groups = operands.key.dim(2), repeat = q[2] / groups;
  // A key head is written by the query heads of its group only.
  ParallelFor(
      q[0] * groups, options.num_threads,
      [&](int64_t begin, int64_t end) {
        HeadGradient head(operands, upstream, options, &gradients, &squares);
        for (int64_t item = begin; item < end; ++item) {
          int64_t b = item / groups, g = item % groups;
          for (int64_t t = 0; t < q[1]; ++t) {
            std::vector<int32_t> list = keys_of(b, t);
            for (int64_t j = g * repeat; j < (g + 1) * repeat; ++j)
              head.Run(b, t, j, list);
          }
        }
      },
      /*piece=*/1);
  MoveByRoots(squares.query, &gradients.query);
  MoveByRoots(squares.key, &gradients.key);
  return gradients;
}

}  // namespace

Tensor<double> AttentionRowSums(const Tensor<double>& output,
                                const Tensor<double>& output_grad,
                                const Tensor<double>* lse_grad) {
  RequireRank("output", output, 4);
  RequireShape("output_grad", output_grad, output.shape());
  int64_t batch = output.dim(0), queries = output.dim(1);
  int64_t heads = output.dim(2), depth = output.dim(3);
  Shape shape = {batch, heads, queries};
  if (lse_grad) RequireShape("lse_grad", *lse_grad, shape);
  Tensor<double> sums(shape);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t t = 0; t < queries; ++t)
      for (int64_t j = 0; j < heads; ++j) {
        double sum =
            Dot(output.Slice(b, t, j), output_grad.Slice(b, t, j), depth);
        sums.Slice(b, j)[t] = lse_grad ? sum - lse_grad->Slice(b, j)[t] : sum;
      }
  return sums;
}

AttentionGradients GatherAttentionGradient(
    const AttentionOperands& operands, const Tensor<int32_t>& indices,
    const Tensor<int32_t>& counts, const AttentionUpstream& upstream,
    const GatherAttentionOptions& options) {
  return GradientOverLists(operands, upstream, options,
                           ListedKeys(operands, indices, counts, options));
}

AttentionGradients DenseAttentionGradient(
    const AttentionOperands& operands, const AttentionUpstream& upstream,
    const DenseAttentionOptions& options) {
  return GradientOverLists(
      operands, upstream,
      {options.scale, options.num_threads, options.rounding},
      VisibleKeyLists(operands, options));
}

}  // namespace gsa::reference
