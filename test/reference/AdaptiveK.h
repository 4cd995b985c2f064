//===- AdaptiveK.h - budget of each row under a policy ----------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_ADAPTIVEK_H_
#define GSA_TEST_REFERENCE_ADAPTIVEK_H_

#include <cstdint>
#include <optional>

#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

struct AdaptiveKResult {
  Tensor<int32_t> k;  ///< [B, Sq], the budget
  /// [B, Sq], the raw budget before clamping and rounding. An implementation
  /// with rounding errors may legally differ from `k` where a slightly
  /// different raw budget would: see Compare.h.
  Tensor<double> raw;
};

/// Throws unless 1 <= base, 1 <= min <= max, all at most 2^30, and the
/// temperature is finite and not negative.
void CheckPolicy(const KPolicy& policy);

/// The policy's formula for one row: `visible` cells with the statistic
/// `statistic`, and the normaliser where the policy has one.
double RawBudget(const KPolicy& policy, int64_t visible, double statistic,
                 double normaliser);

/// The budget that a raw budget stands for: clamped, rounded towards zero,
/// limited to the visible cells and at least 1 if there is one.
int32_t FinalBudget(const KPolicy& policy, int64_t visible, double raw);

/// The budgets of all rows. `visible` and `statistic` are [B, Sq]; `statistic`
/// may be null for the policy fixed only. `normaliser` is present if and only
/// if the policy divides by one.
AdaptiveKResult AdaptiveK(const Tensor<int32_t>& visible,
                          const Tensor<double>* statistic,
                          std::optional<double> normaliser,
                          const KPolicy& policy);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_ADAPTIVEK_H_
