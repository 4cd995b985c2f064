//===- Case.cc - a random module, described -------------------------------===//

#include "test/unit/differential/Case.h"

#include <algorithm>
#include <sstream>

namespace gsa::differential {

using reference::GateActivation;
using reference::IndexOrder;
using reference::KPolicy;
using reference::KPolicyKind;
using reference::Mask;
using reference::Population;
using reference::RopeScalingKind;
using reference::ScoreActivation;
using reference::Statistic;
using reference::WeightActivation;

const char* FamilyName(Family family) {
  static constexpr const char* kNames[] = {
      "select",  "select_gather", "block",        "gather",    "dense",
      "fusable", "unfused",       "index_scores", "row_stats", "stat_mean",
      "budget",  "topk",          "gate",         "rope"};
  return kNames[static_cast<int>(family)];
}

namespace {

/// The combinations that the optimised lowerings replace come most often.
Family RandomFamily(Rng& rng) {
  int64_t roll = rng.Int(0, 99);
  if (roll < 24) return Family::kSelect;
  if (roll < 37) return Family::kSelectGather;
  if (roll < 48) return Family::kBlock;
  if (roll < 62) return Family::kGather;
  if (roll < 71) return Family::kDense;
  if (roll < 75) return Family::kFusable;
  if (roll < 80) return Family::kUnfused;
  if (roll < 86) return Family::kIndexScores;
  if (roll < 89) return Family::kRowStatistics;
  if (roll < 90) return Family::kStatMean;
  if (roll < 92) return Family::kAdaptiveK;
  if (roll < 95) return Family::kTopK;
  if (roll < 97) return Family::kGate;
  return Family::kRope;
}

DType RandomDType(Rng& rng) {
  int64_t roll = rng.Int(0, 99);
  if (roll < 40) return DType::kF32;
  if (roll < 70) return DType::kBF16;
  return roll < 84 ? DType::kF16 : DType::kF64;
}

int64_t RandomLength(Rng& rng) {
  if (rng.Chance(0.3)) return rng.Pick<int64_t>({1, 17, 33, 65, 127});
  return rng.Int(1, 70);
}

void RandomSizes(Rng& rng, Spec& spec) {
  spec.b = rng.Int(1, 3);
  spec.sk = RandomLength(rng);
  spec.sq = rng.Chance(0.35)  ? spec.sk
            : rng.Chance(0.1) ? 1
                              : RandomLength(rng);
  int64_t ratio = rng.Pick<int64_t>({1, 2, 4, 8, 12});
  spec.g = ratio > 4 ? rng.Int(1, 2) : rng.Int(1, 3);
  spec.h = ratio * spec.g;
  spec.d = rng.Pick<int64_t>({2, 32, 64, 96, 128, 256});
  if (rng.Chance(0.1)) spec.d = rng.Int(1, 40) * 2 + 1;
  spec.dv = rng.Chance(0.75) ? spec.d : rng.Pick<int64_t>({1, 8, 16, 48, 80});
  spec.di = rng.Pick<int64_t>({4, 32, 64, 128});
  if (rng.Chance(0.1)) spec.di = rng.Int(1, 40);
  spec.hi = rng.Pick<int64_t>({1, 2, 3, 4, 8});
  if (spec.family == Family::kBlock && spec.d % 2 != 0) ++spec.d;
  if (spec.family == Family::kRope) spec.d += spec.d % 2;
  // Keeps the float64 reference below some 10^7 multiplications.
  auto work = [&] {
    int64_t row = spec.h * (spec.d + spec.dv) + spec.hi * spec.di + spec.sk;
    return spec.b * spec.sq * spec.sk * row;
  };
  while (work() > 12'000'000) {
    if (spec.g > 1) {
      spec.h /= spec.g;
      spec.g = 1;
    } else if (spec.b > 1) {
      --spec.b;
    } else {
      spec.sq = (spec.sq + 1) / 2;
    }
  }
}

std::optional<double> RandomScale(Rng& rng) {
  if (rng.Chance(0.6)) return std::nullopt;
  return rng.Pick<double>({1.0, 0.25, 0.1234567, -0.5, 0.0});
}

KPolicy RandomPolicy(Rng& rng, int64_t sk) {
  KPolicy policy;
  policy.kind = rng.Pick(
      {KPolicyKind::kFixed, KPolicyKind::kFixed, KPolicyKind::kUpstreamVariance,
       KPolicyKind::kUpstreamVariance, KPolicyKind::kPaperEma,
       KPolicyKind::kEntropy, KPolicyKind::kOrth});
  policy.base = rng.Chance(0.2) ? rng.Int(1, 3) : rng.Int(1, sk + 8);
  if (policy.kind == KPolicyKind::kFixed) return policy;
  policy.min = rng.Int(1, policy.base);
  policy.max = std::max(policy.min, rng.Int(1, 2 * policy.base + 4));
  policy.temperature = rng.Pick<double>({0.0, 0.5, 1.0, 1.0, 2.5});
  return policy;
}

void RandomIndexer(Rng& rng, Spec& spec, int64_t keys) {
  DType acc = spec.acc();
  spec.weights = rng.Chance(0.7);
  spec.bias = rng.Chance(0.6);
  spec.weights_dtype = rng.Chance(0.7) ? spec.dtype : acc;
  spec.bias_dtype = rng.Chance(0.7) ? spec.dtype : acc;
  spec.select.policy = RandomPolicy(rng, keys);
  spec.select.scale = RandomScale(rng);
  spec.select.score_activation =
      rng.Pick({ScoreActivation::kSigmoid, ScoreActivation::kSigmoid,
                ScoreActivation::kRelu, ScoreActivation::kIdentity});
  spec.select.weight_activation = rng.Chance(0.7) ? WeightActivation::kSigmoid
                                                  : WeightActivation::kIdentity;
  spec.select.mask = rng.Chance(0.75) ? Mask::kCausal : Mask::kNone;
  if (rng.Chance(0.3)) spec.select.sink = rng.Int(0, 5);
  if (rng.Chance(0.3)) spec.select.local = rng.Int(0, 5);
  spec.normaliser =
      spec.select.policy.kind == KPolicyKind::kPaperEma ||
      (spec.select.policy.kind == KPolicyKind::kUpstreamVariance &&
       rng.Chance(0.5));
}

void RandomRope(Rng& rng, Spec& spec) {
  spec.rope.base = rng.Pick<double>({10000.0, 10000.0, 500000.0, 2.0});
  if (rng.Chance(0.3)) spec.rope.rotary_dim = 2 * rng.Int(1, spec.d / 2);
  spec.rope.interleaved = rng.Chance(0.3);
  int64_t rotated = spec.rope.rotary_dim.value_or(spec.d);
  if (rng.Chance(0.2) && rotated >= 4) {
    spec.rope.scaling.kind = RopeScalingKind::kNtk;
    spec.rope.scaling.factor = rng.Pick<double>({1.0, 4.0, 8.5});
  } else if (rng.Chance(0.25)) {
    spec.rope.scaling.kind = RopeScalingKind::kYarn;
    spec.rope.scaling.factor = rng.Pick<double>({1.0, 4.0, 16.0});
    spec.rope.scaling.original_max_position =
        rng.Pick<int64_t>({16, 4096, 32768});
    spec.rope.scaling.beta_fast = rng.Pick<double>({32.0, 16.0});
    spec.rope.scaling.beta_slow = rng.Pick<double>({1.0, 0.5});
  }
}

void RandomSingles(Rng& rng, Spec& spec, int64_t keys) {
  if (spec.family == Family::kRowStatistics) {
    spec.statistics.statistic =
        rng.Chance(0.3) ? Statistic::kEntropy : Statistic::kVariance;
    if (spec.statistics.statistic == Statistic::kVariance) {
      spec.statistics.population =
          rng.Pick({Population::kVisible, Population::kZeroFilled});
      spec.statistics.correction = rng.Int(0, 1);
    }
  }
  spec.topk.slots = rng.Int(1, keys + 6);
  if (rng.Chance(0.3)) {
    spec.topk.order = IndexOrder::kScore;
  } else if (rng.Chance(0.5)) {
    spec.topk.sink = rng.Int(0, 5);
    spec.topk.local = rng.Int(0, 5);
  }
}

void RandomGates(Rng& rng, Spec& spec) {
  spec.value_gate = rng.Chance(0.6);
  spec.output_gate = rng.Chance(0.6);
  spec.gate_per_head = rng.Chance(0.4);
  spec.gate_dtype = rng.Chance(0.6) ? spec.dtype : spec.acc();
  spec.gate_activation = rng.Pick(
      {GateActivation::kSigmoid, GateActivation::kTanh, GateActivation::kSilu});
}

}  // namespace

void RandomOptions(Rng& rng, Spec& spec, int64_t keys) {
  RandomIndexer(rng, spec, keys);
  RandomRope(rng, spec);
  RandomSingles(rng, spec, keys);
  RandomGates(rng, spec);
  spec.softmax_scale = RandomScale(rng);
  if (spec.family == Family::kAdaptiveK) {
    spec.normaliser = spec.select.policy.UsesNormaliser();
  }
}

Spec RandomSpec(uint64_t seed) {
  Rng rng(seed);
  Spec spec;
  spec.seed = seed;
  spec.family = RandomFamily(rng);
  spec.dtype = RandomDType(rng);
  RandomSizes(rng, spec);
  spec.dynamic = rng.Chance(0.25);
  RandomOptions(rng, spec, spec.sk);
  spec.threads = static_cast<int>(rng.Int(1, 3));
  spec.vector_bits = rng.Pick<int>({0, 128, 256, 512});
  spec.opt_level = rng.Chance(0.15) ? 3 : 1;
  spec.reference = rng.Chance(0.2);
  return spec;
}

std::string Spec::ToString() const {
  std::ostringstream os;
  os << "seed " << seed << ": " << FamilyName(family) << " " << DTypeName(dtype)
     << " B=" << b << " Sq=" << sq << " Sk=" << sk;
  if (has_attention() || family == Family::kGate || family == Family::kRope) {
    os << " H=" << h << " G=" << g << " D=" << d << " Dv=" << dv;
  }
  if (has_indexer()) {
    os << " Hi=" << hi << " Di=" << di
       << " act=" << static_cast<int>(select.score_activation)
       << (weights ? " weights" : "") << (bias ? " bias" : "")
       << " policy=" << static_cast<int>(select.policy.kind) << "("
       << select.policy.base << "," << select.policy.min << ","
       << select.policy.max << "," << select.policy.temperature << ")"
       << (normaliser ? " normaliser" : "") << " sink=" << select.sink
       << " local=" << select.local;
    if (select.scale) os << " scale=" << *select.scale;
    if (select.mask == Mask::kNone) os << " unmasked";
  }
  os << (dynamic ? " dynamic" : "");
  if (on_device()) {
    os << " " << target << " " << arch << (schedules.shared ? " union" : "")
       << (schedules.dense ? " groups" : "");
  } else {
    os << " threads=" << threads << " bits=" << vector_bits << " O" << opt_level
       << (reference ? " reference" : "");
  }
  return os.str();
}

}  // namespace gsa::differential
