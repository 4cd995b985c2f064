//===- Types.h - choices that the operators share ---------------*- C++ -*-===//
//
// The enums and the structured attributes of the gsa dialect, written again:
// the reference must not share a line with what it checks.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_TYPES_H_
#define GSA_TEST_REFERENCE_TYPES_H_

#include <algorithm>
#include <cstdint>

namespace gsa::reference {

/// Activation of one indexer head's scaled dot product.
enum class ScoreActivation { kSigmoid, kRelu, kIdentity };
/// Activation of the indexer's head weights.
enum class WeightActivation { kSigmoid, kIdentity };
/// Activation of a gate: sigmoid, (tanh + 1) / 2, or x * sigmoid(x).
enum class GateActivation { kSigmoid, kTanh, kSilu };
/// Which keys a query may see. kCausal is bottom-right aligned.
enum class Mask { kNone, kCausal };
/// What is measured of a row of scores.
enum class Statistic { kVariance, kEntropy };
/// Over which cells a statistic is taken.
enum class Population { kVisible, kZeroFilled };
/// Order of the selected indices of a row.
enum class IndexOrder { kIndex, kScore };

/// Number of keys that query `t` of `queries` sees among `keys`. Visible keys
/// are always a prefix: s <= t + keys - queries for the causal mask.
inline int64_t VisibleKeys(Mask mask, int64_t t, int64_t queries,
                           int64_t keys) {
  if (mask == Mask::kNone) return keys;
  return std::clamp<int64_t>(t + 1 + keys - queries, 0, keys);
}

enum class KPolicyKind {
  kFixed,
  kUpstreamVariance,
  kPaperEma,
  kEntropy,
  kOrth
};

/// How many keys a row keeps; the formulas are in AdaptiveK.cc.
struct KPolicy {
  KPolicyKind kind = KPolicyKind::kFixed;
  int64_t base = 1;
  int64_t min = 1;
  int64_t max = int64_t{1} << 30;
  double temperature = 1.0;

  static KPolicy Fixed(int64_t base) {
    KPolicy policy;
    policy.base = base;
    return policy;
  }

  /// Number of index slots of a row: enough for every budget.
  int64_t Slots() const {
    if (kind == KPolicyKind::kFixed) return base;
    if (kind == KPolicyKind::kUpstreamVariance) {
      return std::max(min, std::min(max, base * 3 / 2));
    }
    return max;
  }
  bool UsesStatistic() const { return kind != KPolicyKind::kFixed; }
  /// Whether the statistic is divided by a number that all rows share.
  bool UsesNormaliser() const {
    return kind == KPolicyKind::kUpstreamVariance ||
           kind == KPolicyKind::kPaperEma;
  }
};

enum class RopeScalingKind { kNone, kNtk, kYarn };

/// Stretching of rotary frequencies; the formulas are in Rope.cc.
struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::kNone;
  double factor = 1.0;
  int64_t original_max_position = 4096;
  double beta_fast = 32.0;
  double beta_slow = 1.0;
};

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_TYPES_H_
