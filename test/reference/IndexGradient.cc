//===- IndexGradient.cc - training of the indexer -------------------------===//
//
// With i over the keys idx of row t, and I[i] = sum_j w[j] act(z[j,i]):
//
//   z[j,i] = scale * <q[b,t,j], k[b, idx[i]]> + bias[j]
//   x[i]   = I[i] / temperature,  log q[i] = x[i] - log(sum_i exp(x[i]))
//   c[j,i] = exp(l[j,i] - lse[b,j,t]),  m[j] = sum_i c[j,i]
//   a[i]   = sum_j c[j,i], or sum_j c[j,i] / m[j] where m[j] is not 0
//   p[i]   = a[i] / sum_i a[i]
//   loss   = sum_i p[i] min(log p[i] - log q[i], clip)
//   dI[i]  = dloss / temperature * (q[i] sum_i u[i] p[i] - u[i] p[i])
//
// u[i] is 0 where clip cuts. Then, with dz[j,i] = dI[i] w[j] act'(z[j,i]), the
// gradients of products.
//
//===----------------------------------------------------------------------===//

#include "test/reference/IndexGradient.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "test/reference/Lengths.h"
#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {
namespace {

double Activate(ScoreActivation activation, double z) {
  if (activation == ScoreActivation::kSigmoid) return Sigmoid(z);
  if (activation == ScoreActivation::kRelu) return z < 0 ? 0.0 : z;
  return z;
}

double Slope(ScoreActivation activation, double z) {
  if (activation == ScoreActivation::kSigmoid) return Sigmoid(z) * Sigmoid(-z);
  if (activation == ScoreActivation::kIdentity) return 1.0;
  if (std::isnan(z)) return z;
  return z > 0 ? 1.0 : 0.0;
}

/// One key of a row: its place in the row's cells, and which key it is.
struct Entry {
  int64_t cell;
  int64_t key;
};

/// A gradient of a score, and the size of what it is the difference of.
struct ScoreGrad {
  double value, size;
};

/// The scores of single rows.
class Indexer {
 public:
  Indexer(const IndexOperands& operands, const IndexGradientOptions& options)
      : operands_(operands), options_(options) {
    CheckIndexOperands(operands, options.scores);
    heads_ = operands.query.dim(2);
    depth_ = operands.query.dim(3);
    scale_ = options.scores.scale.value_or(1.0 / std::sqrt(double(depth_)));
    if (options.rounding) {
      round_ = Rounder(*options.rounding);
      unit_ = options.rounding->UnitRoundoff();
      if (options.factors) factor_unit_ = options.factors->UnitRoundoff();
    }
    if (!options.lists) return;
    RequireRank("indices", options.lists->indices, 3);
    RequireShape("indices", options.lists->indices,
                 {batch(), queries(), options.lists->indices.dim(2)});
    RequireShape("counts", options.lists->counts, {batch(), queries()});
  }

  int64_t batch() const { return operands_.query.dim(0); }
  int64_t queries() const { return operands_.query.dim(1); }
  int64_t keys() const { return operands_.key.dim(1); }
  int64_t heads() const { return heads_; }
  int64_t depth() const { return depth_; }
  int64_t cells() const {
    return options_.lists ? options_.lists->indices.dim(2) : keys();
  }
  double scale() const { return scale_; }
  double unit() const { return unit_; }
  /// The size at which a sum's rounding of a term is that of a factor of it.
  double SizeOfFactor(double factor) const {
    return unit_ > 0 ? factor * factor_unit_ / unit_ : 0.0;
  }
  double Round(double x) const { return round_ ? (*round_)(x) : x; }
  const IndexOperands& operands() const { return operands_; }
  const IndexScoresOptions& options() const { return options_.scores; }

  std::vector<Entry> Entries(int64_t b, int64_t t) const {
    int64_t present = CountKeys(operands_.lengths, b, keys());
    std::vector<Entry> entries;
    if (!options_.lists) {
      int64_t seen = VisibleKeys(options_.scores.mask, t, queries(), present);
      for (int64_t s = 0; s < seen; ++s) entries.push_back({s, s});
      return entries;
    }
    const int32_t* list = options_.lists->indices.Slice(b, t);
    int64_t count =
        std::clamp<int64_t>(options_.lists->counts.Slice(b)[t], 0, cells());
    for (int64_t i = 0; i < count; ++i)
      if (list[i] >= 0 && list[i] < present) entries.push_back({i, list[i]});
    return entries;
  }

  double Logit(int64_t b, int64_t t, int64_t j, int64_t s) const {
    double z = scale_ * Dot(operands_.query.Slice(b, t, j),
                            operands_.key.Slice(b, s), depth_);
    return Round(operands_.bias ? z + (*operands_.bias)[j] : z);
  }

  double RawWeight(int64_t b, int64_t t, int64_t j) const {
    return operands_.weights ? operands_.weights->Slice(b, t)[j] : 1.0;
  }
  double Weight(int64_t b, int64_t t, int64_t j) const {
    double w = RawWeight(b, t, j);
    return operands_.weights && IsSigmoid() ? Sigmoid(w) : w;
  }
  double WeightSlope(int64_t b, int64_t t, int64_t j) const {
    if (!operands_.weights || !IsSigmoid()) return 1.0;
    double w = RawWeight(b, t, j);
    return Sigmoid(w) * Sigmoid(-w);
  }

  double Score(int64_t b, int64_t t, int64_t s) const {
    double score = 0.0;
    for (int64_t j = 0; j < heads_; ++j)
      score += Weight(b, t, j) *
               Activate(options_.scores.score_activation, Logit(b, t, j, s));
    return Round(score);
  }

 private:
  bool IsSigmoid() const {
    return options_.scores.weight_activation == WeightActivation::kSigmoid;
  }

  const IndexOperands& operands_;
  const IndexGradientOptions& options_;
  int64_t heads_, depth_;
  double scale_;
  std::optional<Rounder> round_;
  double unit_ = 0.0;  ///< Unit roundoff of sums; 0: exact.
  double factor_unit_ = 0.0;
};

/// Sums of terms with the squares of their rounding errors.
class Sums {
 public:
  Sums(Shape shape, double unit)
      : sum_(shape), squares_(std::move(shape)), unit_(unit) {}

  /// `size` is what the term was rounded at.
  void Add(int64_t i, double term, double size) {
    sum_[i] += term;
    squares_[i] += unit_ * size * (unit_ * size);
  }
  /// Each moved by the root of its squares, up or down.
  Tensor<double> Take() && {
    for (int64_t i = 0; unit_ > 0 && i < sum_.size(); ++i)
      sum_[i] += SignOf(static_cast<uint64_t>(i)) * std::sqrt(squares_[i]);
    return std::move(sum_);
  }

 private:
  Tensor<double> sum_, squares_;
  double unit_;
};

/// Gradients from those of the scores of each row.
IndexGradients Gradients(const Indexer& index, int num_threads,
                         const std::function<std::vector<ScoreGrad>(
                             int64_t b, int64_t t,
                             const std::vector<Entry>& entries)>& scores_grad) {
  int64_t batch = index.batch(), queries = index.queries();
  int64_t heads = index.heads(), depth = index.depth();
  ScoreActivation activation = index.options().score_activation;
  const IndexOperands& operands = index.operands();
  Sums query(operands.query.shape(), index.unit());
  Sums key(operands.key.shape(), index.unit());
  Sums weights({batch, queries, heads}, index.unit());
  Sums biases({batch, heads}, index.unit());
  auto row = [&](int64_t b, int64_t t) {
    std::vector<Entry> entries = index.Entries(b, t);
    std::vector<ScoreGrad> gradients = scores_grad(b, t, entries);
    for (int64_t j = 0; j < heads; ++j) {
      int64_t first = ((b * queries + t) * heads + j) * depth;
      double slope = index.WeightSlope(b, t, j);
      double weight = index.Weight(b, t, j);
      const double* q = operands.query.Slice(b, t, j);
      for (size_t i = 0; i < entries.size(); ++i) {
        int64_t s = entries[i].key;
        double z = index.Logit(b, t, j, s);
        auto [dscore, size] = gradients[i];
        double act = Activate(activation, z);
        weights.Add((b * queries + t) * heads + j, dscore * act * slope,
                    size * act * slope);
        double factor = weight * Slope(activation, z);
        double dz = index.Round(dscore * factor), error = size * factor;
        biases.Add(b * heads + j, dz, error);
        error = std::hypot(error, index.SizeOfFactor(dz));
        const double* k = operands.key.Slice(b, s);
        int64_t of_key = (b * index.keys() + s) * depth;
        for (int64_t d = 0; d < depth; ++d) {
          double scale = index.scale();
          query.Add(first + d, scale * dz * k[d], scale * error * k[d]);
          key.Add(of_key + d, scale * dz * q[d], scale * error * q[d]);
        }
      }
    }
  };
  // A batch has keys of its own.
  ParallelFor(
      batch, num_threads,
      [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b)
          for (int64_t t = 0; t < queries; ++t) row(b, t);
      },
      /*piece=*/1);
  Tensor<double> by_batch = std::move(biases).Take(), bias({heads});
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t j = 0; j < heads; ++j) bias[j] += by_batch.Slice(b)[j];
  return {std::move(query).Take(), std::move(key).Take(),
          std::move(weights).Take(), std::move(bias)};
}

/// The two distributions of a row.
struct Distributions {
  std::vector<double> p, log_q;
};

class Divergence {
 public:
  Divergence(const Indexer& index, const TargetOperands& target,
             const IndexKlOptions& options)
      : index_(index), target_(target), options_(options) {
    RequireRank("query", target.query, 4);
    RequireRank("key", target.key, 4);
    const Shape& q = target.query.shape();
    int64_t groups = target.key.dim(2);
    Require(q[0] == index.batch() && q[1] == index.queries(),
            "attention has other rows than the indexer");
    Require(q[2] >= 1 && groups >= 1 && q[2] % groups == 0 && q[3] >= 1,
            "attention has no heads, or no multiple of the key heads");
    RequireShape("key", target.key, {q[0], index.keys(), groups, q[3]});
    RequireShape("lse", target.lse, {q[0], q[2], q[1]});
    scale_ = options.softmax_scale.value_or(1.0 / std::sqrt(double(q[3])));
  }

  Distributions Of(int64_t b, int64_t t,
                   const std::vector<Entry>& entries) const {
    Distributions result{Target(b, t, entries), Scores(b, t, entries)};
    return result;
  }

  bool IsCut(double ratio) const {
    return options_.clip && ratio > *options_.clip;
  }

 private:
  std::vector<double> Target(int64_t b, int64_t t,
                             const std::vector<Entry>& entries) const {
    int64_t heads = target_.query.dim(2);
    int64_t repeat = heads / target_.key.dim(2), depth = target_.query.dim(3);
    bool is_mean = options_.target == KlTarget::kMean;
    size_t count = entries.size();
    // l - lse, and the largest of each head.
    std::vector<double> x(heads * count, -kInfinity), most(heads, -kInfinity);
    for (int64_t j = 0; j < heads; ++j) {
      double lse = target_.lse.Slice(b, j)[t];
      if (lse == -kInfinity) continue;
      for (size_t i = 0; i < count; ++i) {
        double logit =
            scale_ * Dot(target_.query.Slice(b, t, j),
                         target_.key.Slice(b, entries[i].key, j / repeat),
                         depth);
        x[j * count + i] = index_.Round(logit) - lse;
        most[j] = std::fmax(most[j], x[j * count + i]);
      }
    }
    // Divided by one number, which p does not see: lse may be that of attention
    // over other keys, and exp(l - lse) overflow or vanish.
    double shift = -kInfinity;
    for (double largest : most) shift = std::fmax(shift, largest);
    std::vector<double> a(count), c(count);
    for (int64_t j = 0; j < heads; ++j) {
      double mass = 0.0;
      for (size_t i = 0; i < count; ++i) {
        double l = x[j * count + i];
        c[i] =
            l == -kInfinity ? 0.0 : std::exp(l - (is_mean ? most[j] : shift));
        mass += c[i];
      }
      if (is_mean && mass == 0) continue;
      for (size_t i = 0; i < count; ++i) a[i] += is_mean ? c[i] / mass : c[i];
    }
    double total = 0.0;
    for (double x : a) total += x;
    if (total == 0) return a;
    for (double& x : a) x = index_.Round(x / total);
    return a;
  }

  /// log q.
  std::vector<double> Scores(int64_t b, int64_t t,
                             const std::vector<Entry>& entries) const {
    std::vector<double> x;
    double most = -kInfinity, sum = 0.0;
    for (const Entry& entry : entries) {
      x.push_back(
          index_.Round(index_.Score(b, t, entry.key) / options_.temperature));
      most = std::max(most, x.back());
    }
    for (double score : x) sum += std::exp(score - most);
    double lse = index_.Round(std::log(sum) + most);
    for (double& score : x) score = index_.Round(score - lse);
    return x;
  }

  const Indexer& index_;
  const TargetOperands& target_;
  const IndexKlOptions& options_;
  double scale_;
};

}  // namespace

IndexGradients IndexScoresGradient(const IndexOperands& operands,
                                   const Tensor<double>& scores_grad,
                                   const IndexGradientOptions& options) {
  Indexer index(operands, options);
  RequireShape("scores_grad", scores_grad,
               {index.batch(), index.queries(), index.cells()});
  return Gradients(
      index, options.scores.num_threads,
      [&](int64_t b, int64_t t, const std::vector<Entry>& entries) {
        std::vector<ScoreGrad> row;
        for (const Entry& entry : entries) {
          double gradient = scores_grad.Slice(b, t)[entry.cell];
          row.push_back({gradient, gradient});
        }
        return row;
      });
}

Tensor<double> IndexKl(const IndexOperands& operands,
                       const TargetOperands& target,
                       const IndexKlOptions& options) {
  Indexer index(operands, options.index);
  Divergence divergence(index, target, options);
  int64_t queries = index.queries();
  Sums loss({index.batch(), queries}, index.unit());
  ParallelFor(index.batch() * queries, options.index.scores.num_threads,
              [&](int64_t begin, int64_t end) {
                for (int64_t row = begin; row < end; ++row) {
                  int64_t b = row / queries, t = row % queries;
                  std::vector<Entry> entries = index.Entries(b, t);
                  Distributions d = divergence.Of(b, t, entries);
                  for (size_t i = 0; i < entries.size(); ++i) {
                    if (d.p[i] == 0) continue;
                    double log_p = index.Round(std::log(d.p[i]));
                    double ratio = log_p - d.log_q[i];
                    double size =
                        d.p[i] * (std::abs(log_p) + std::abs(d.log_q[i]) + 1);
                    if (divergence.IsCut(ratio)) ratio = *options.clip;
                    loss.Add(row, d.p[i] * ratio, size);
                  }
                }
              });
  return std::move(loss).Take();
}

IndexGradients IndexKlGradient(const IndexOperands& operands,
                               const TargetOperands& target,
                               const Tensor<double>& loss_grad,
                               const IndexKlOptions& options) {
  Indexer index(operands, options.index);
  Divergence divergence(index, target, options);
  RequireShape("loss_grad", loss_grad, {index.batch(), index.queries()});
  return Gradients(
      index, options.index.scores.num_threads,
      [&](int64_t b, int64_t t, const std::vector<Entry>& entries) {
        Distributions d = divergence.Of(b, t, entries);
        std::vector<double> uncut = d.p;
        double covered = 0.0;
        for (size_t i = 0; i < entries.size(); ++i) {
          double ratio = std::log(d.p[i]) - d.log_q[i];
          if (divergence.IsCut(ratio)) uncut[i] = 0.0;
          covered += uncut[i];
        }
        double factor = loss_grad.Slice(b)[t] / options.temperature;
        std::vector<ScoreGrad> row;
        for (size_t i = 0; i < entries.size(); ++i) {
          double pull = covered * std::exp(d.log_q[i]);
          row.push_back(
              {factor * (pull - uncut[i]), factor * (pull + uncut[i])});
        }
        return row;
      });
}

}  // namespace gsa::reference
