//===- Bounds.cc - how far a right result may be from float64 -------------===//

#include "test/unit/differential/Bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "test/reference/AdaptiveK.h"
#include "test/reference/Math.h"

namespace gsa::differential {

using reference::IndexOperands;
using reference::IndexScoresOptions;
using reference::IsVisible;
using reference::KPolicy;
using reference::RowStatisticsOptions;
using reference::ScoreActivation;
using Reals = reference::Tensor<double>;

Arithmetic HostArithmetic(DType acc) {
  bool wide = acc == DType::kF64;
  Arithmetic host;
  host.unit = wide ? 0x1p-52 : 0x1p-24;
  host.tiny = SmallestNumber(acc);
  host.normal = wide ? 0x1p-1022 : 0x1p-126;
  return host;
}

Arithmetic DeviceArithmetic(DType dtype, bool fast_tanh) {
  Arithmetic device;
  device.unit = dtype == DType::kF32 ? 0x1p-23 : 0x1p-22;
  device.tiny = device.normal = 0x1p-126;
  device.sigmoid = fast_tanh ? 5e-6 : 5e-7;
  if (dtype != DType::kF32) {
    device.weight = RoundingUnit(dtype);
    device.weight_tiny = SmallestNumber(dtype);
  }
  return device;
}

double RoundingUnit(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return 0x1p-11;
    case DType::kBF16:
      return 0x1p-8;
    case DType::kF32:
      return 0x1p-24;
    default:
      return 0x1p-53;
  }
}

double SmallestNumber(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return 0x1p-24;
    case DType::kBF16:
      return 0x1p-133;
    case DType::kF32:
      return 0x1p-149;
    default:
      return 0x1p-1074;
  }
}

namespace {

double Activate(ScoreActivation activation, double x) {
  if (activation == ScoreActivation::kSigmoid) return reference::Sigmoid(x);
  return activation == ScoreActivation::kRelu && x < 0 ? 0.0 : x;
}

/// Adds one head's share of the error of each score.
void AddHeadErrors(const IndexOperands& operands,
                   const IndexScoresOptions& options, int64_t b, int64_t t,
                   int64_t head, const Arithmetic& arithmetic,
                   std::vector<double>* errors) {
  double u = arithmetic.unit, tiny = arithmetic.tiny;
  double weight_error = 0, value_error = 0;
  int64_t depth = operands.query.dim(3), heads = operands.query.dim(2);
  double scale = options.scale.value_or(1.0 / std::sqrt(double(depth)));
  double weight = 1.0;
  if (operands.weights) {
    weight = operands.weights->Slice(b, t)[head];
    if (options.weight_activation == reference::WeightActivation::kSigmoid) {
      weight = reference::Sigmoid(weight);
      weight_error = arithmetic.sigmoid;
    }
  }
  if (options.score_activation == ScoreActivation::kSigmoid) {
    value_error = arithmetic.sigmoid;
  }
  double bias = operands.bias ? (*operands.bias)[head] : 0.0;
  const double* q = operands.query.Slice(b, t, head);
  const double* k = operands.key.Slice(b);
  for (size_t s = 0; s < errors->size(); ++s, k += depth) {
    double sum = 0, size = 0;
    for (int64_t i = 0; i < depth; ++i) {
      sum += q[i] * k[i];
      size += std::abs(q[i] * k[i]);
    }
    double logit = scale * sum + bias;
    double slack = u * ((depth + 2) * std::abs(scale) * size +
                        2 * (std::abs(logit) + std::abs(bias))) +
                   (depth + 4) * tiny * std::max(1.0, std::abs(scale));
    double value = Activate(options.score_activation, logit);
    double moved =
        std::max(Activate(options.score_activation, logit + slack) - value,
                 value - Activate(options.score_activation, logit - slack));
    // An infinite product stays infinite, and its activation is a constant.
    if (std::isinf(logit)) moved = 0;
    (*errors)[s] += std::abs(weight) * moved +
                    (18 + heads) * u * std::abs(weight * value) + 2 * tiny +
                    (arithmetic.normal + weight_error) * std::abs(value) +
                    (arithmetic.normal + value_error) * std::abs(weight);
  }
}

}  // namespace

std::vector<double> ScoreErrors(const IndexOperands& operands,
                                const IndexScoresOptions& options, int64_t b,
                                int64_t t, const Arithmetic& arithmetic) {
  int64_t queries = operands.query.dim(1), keys = operands.key.dim(1);
  int64_t seen = reference::VisibleKeys(options.mask, t, queries, keys);
  std::vector<double> errors(seen, 0.0);
  for (int64_t head = 0; head < operands.query.dim(2); ++head) {
    AddHeadErrors(operands, options, b, t, head, arithmetic, &errors);
  }
  for (double& error : errors) {
    if (!std::isfinite(error)) error = 0.0;
  }
  errors.resize(keys, 0.0);
  return errors;
}

namespace {

double VarianceError(std::span<const double> row,
                     const RowStatisticsOptions& options, double score_error,
                     double u) {
  int64_t visible = reference::CountVisible(row);
  bool zero_filled = options.population == reference::Population::kZeroFilled;
  double n = static_cast<double>(zero_filled ? row.size() : visible);
  if (n - options.correction < 1) return 0.0;
  double largest = 0;
  for (double x : row) {
    if (IsVisible(x)) largest = std::max(largest, std::abs(x));
  }
  double variance = reference::RowStatistic(row, options);
  double mean_error = score_error + 2 * n * u * largest;
  double shift = score_error + mean_error + 2 * u * largest;
  double bessel = n / (n - options.correction);
  return bessel * (2 * std::sqrt(variance) * shift + shift * shift) +
         (n + 8) * u * variance;
}

double EntropyError(std::span<const double> row, double score_error, double u) {
  double max = -reference::kInfinity, sum = 0, spread = 0;
  for (double x : row) {
    if (IsVisible(x)) max = std::max(max, x);
  }
  int64_t n = reference::CountVisible(row);
  for (double x : row) {
    if (!IsVisible(x)) continue;
    sum += std::exp(x - max);
    // Cells further down have no weight, whatever their rounding.
    spread = std::max(spread, std::min(max - x, 110.0));
  }
  double relative =
      2 * (score_error + u * spread) + static_cast<double>(n + 12) * u;
  double error = 1e-30;
  for (double x : row) {
    if (!IsVisible(x)) continue;
    double p = std::exp(x - max) / sum;
    double log_p = std::abs(std::log(p + 1e-10));
    error += p * relative * (log_p + 1) + (n + 4) * u * p * log_p;
  }
  return error;
}

}  // namespace

double StatisticError(std::span<const double> row,
                      const RowStatisticsOptions& options, double score_error,
                      const Arithmetic& arithmetic) {
  double u = arithmetic.unit;
  double error = options.statistic == reference::Statistic::kEntropy
                     ? EntropyError(row, score_error, u)
                     : VarianceError(row, options, score_error, u);
  return std::isfinite(error) ? error + arithmetic.tiny : 0.0;
}

CountInterval AcceptedBudgets(const KPolicy& policy, const BudgetInputs& inputs,
                              const Arithmetic& arithmetic) {
  auto final_budget = [&](double raw) {
    return std::min<int64_t>(
        reference::FinalBudget(policy, inputs.visible, raw), policy.Slots());
  };
  double exact = reference::RawBudget(policy, inputs.visible, inputs.statistic,
                                      inputs.normaliser);
  if (policy.kind == reference::KPolicyKind::kFixed || std::isnan(exact)) {
    return {final_budget(exact), final_budget(exact)};
  }
  double low = exact, high = exact;
  for (double v : {-inputs.statistic_error, inputs.statistic_error}) {
    for (double n : {-inputs.normaliser_error, inputs.normaliser_error}) {
      double raw = reference::RawBudget(policy, inputs.visible,
                                        std::max(0.0, inputs.statistic + v),
                                        std::max(0.0, inputs.normaliser + n));
      low = std::min(low, raw);
      high = std::max(high, raw);
    }
  }
  double slack = 32 * arithmetic.unit;
  return {final_budget(low - slack * std::abs(low)),
          final_budget(high + slack * std::abs(high))};
}

namespace {

/// The largest Euclidean norm of the rows of the last dimension that are
/// finite.
double MaxNorm(const Reals& values) {
  int64_t depth = values.dim(values.rank() - 1);
  double largest = 0;
  for (int64_t i = 0; i < values.size(); i += depth) {
    double sum = 0;
    for (int64_t j = 0; j < depth; ++j) sum += values[i + j] * values[i + j];
    if (std::isfinite(sum)) largest = std::max(largest, sum);
  }
  return std::sqrt(largest);
}

}  // namespace

AttentionTolerance AttentionErrors(const reference::AttentionOperands& operands,
                                   std::optional<double> scale,
                                   int64_t list_length,
                                   const Arithmetic& arithmetic) {
  double u = arithmetic.unit, depth = operands.query.dim(3);
  double size = std::abs(scale.value_or(1.0 / std::sqrt(depth))) *
                MaxNorm(operands.query) * MaxNorm(operands.key);
  double logit = u * (0.5 * std::sqrt(depth) + 3) * size;
  double terms = std::sqrt(static_cast<double>(list_length)) + 12;
  AttentionTolerance tolerance;
  tolerance.output = (2 * logit + u * terms) * MaxAbs(operands.value);
  // Each of the K terms may lose a denormal number, and is up to 32 times as
  // far below its share of the result: sums of weights l times values are kept
  // times a power of two that is at least 1 / (32 l), so that they cannot
  // overflow.
  double count = static_cast<double>(list_length + 2);
  tolerance.output += 32 * count * arithmetic.tiny;
  tolerance.output += (arithmetic.weight + count * arithmetic.weight_tiny) *
                      MaxAbs(operands.value);
  tolerance.lse = logit + u * (terms + size);
  return tolerance;
}

double MaxAbs(const Reals& values) {
  double largest = 0;
  for (double x : values.values()) {
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
  }
  return largest;
}

}  // namespace gsa::differential
