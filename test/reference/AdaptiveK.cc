//===- AdaptiveK.cc - budget of each row under a policy -------------------===//
//
// With n visible cells, the statistic v and the normaliser vbar:
//
//   fixed              base
//   upstream_variance  base * (0.5 + 1 / (1 + temperature * v / (vbar + 1e-8)))
//   paper_ema          base * v / (vbar + 1e-8)
//   entropy            base * (0.5 + temperature * v / (log(n + 1) + 1e-8))
//   orth               base * (1 + temperature * softplus(v))
//
// The raw budget is clamped to [min, max] (not for fixed), rounded towards
// zero, limited to n, and is at least 1 if n >= 1. A NaN becomes min.
//
//===----------------------------------------------------------------------===//

#include "test/reference/AdaptiveK.h"

#include <algorithm>
#include <cmath>

#include "test/reference/Math.h"

namespace gsa::reference {

void CheckPolicy(const KPolicy& policy) {
  constexpr int64_t kLimit = int64_t{1} << 30;
  Require(
      1 <= policy.base && policy.base <= kLimit,
      "policy base is " + std::to_string(policy.base) + ", expected 1 to 2^30");
  Require(1 <= policy.min && policy.min <= policy.max && policy.max <= kLimit,
          "policy bounds are " + std::to_string(policy.min) + " and " +
              std::to_string(policy.max) +
              ", expected 1 <= min <= max <= 2^30");
  Require(std::isfinite(policy.temperature) && policy.temperature >= 0,
          "policy temperature is " + std::to_string(policy.temperature) +
              ", expected a finite number that is not negative");
}

double RawBudget(const KPolicy& policy, int64_t visible, double statistic,
                 double normaliser) {
  double base = static_cast<double>(policy.base);
  double ratio = statistic / (normaliser + 1e-8);
  switch (policy.kind) {
    case KPolicyKind::kFixed:
      break;
    case KPolicyKind::kUpstreamVariance:
      return base * (0.5 + 1.0 / (1.0 + policy.temperature * ratio));
    case KPolicyKind::kPaperEma:
      return base * ratio;
    case KPolicyKind::kEntropy: {
      double most = std::log(static_cast<double>(visible) + 1.0);
      return base * (0.5 + policy.temperature * statistic / (most + 1e-8));
    }
    case KPolicyKind::kOrth:
      return base * (1.0 + policy.temperature * Softplus(statistic));
  }
  return base;
}

int32_t FinalBudget(const KPolicy& policy, int64_t visible, double raw) {
  if (policy.kind != KPolicyKind::kFixed) {
    double min = static_cast<double>(policy.min);
    double max = static_cast<double>(policy.max);
    raw = std::isnan(raw) ? min : std::clamp(raw, min, max);
  }
  int64_t k = static_cast<int64_t>(raw);  // Truncates; clamped, so it fits.
  if (visible >= 1) k = std::max<int64_t>(k, 1);
  return static_cast<int32_t>(std::min(k, visible));
}

AdaptiveKResult AdaptiveK(const Tensor<int32_t>& visible,
                          const Tensor<double>* statistic,
                          std::optional<double> normaliser,
                          const KPolicy& policy) {
  CheckPolicy(policy);
  RequireRank("visible", visible, 2);
  Require(statistic || !policy.UsesStatistic(), "the policy needs a statistic");
  if (statistic) RequireShape("statistic", *statistic, visible.shape());
  Require(normaliser.has_value() == policy.UsesNormaliser(),
          normaliser ? "the policy takes no normaliser"
                     : "the policy needs a normaliser");
  AdaptiveKResult result{Tensor<int32_t>(visible.shape()),
                         Tensor<double>(visible.shape())};
  for (int64_t i = 0; i < visible.size(); ++i) {
    double value = statistic ? (*statistic)[i] : 0.0;
    result.raw[i] =
        RawBudget(policy, visible[i], value, normaliser.value_or(0.0));
    result.k[i] = FinalBudget(policy, visible[i], result.raw[i]);
  }
  return result;
}

}  // namespace gsa::reference
