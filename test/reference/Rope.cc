//===- Rope.cc - rotary position embedding --------------------------------===//
//
// Pairs (x1, x2) of the first R elements of a head turn by the angle
// a = position * f[i], f[i] = base^(-2 i / R):
//
//   (x1, x2) -> (x1 cos a - x2 sin a, x2 cos a + x1 sin a)
//
//   ntk   base <- base * factor^(R / (R - 2))
//   yarn  (arXiv 2309.00071) with the dimension that makes `turns` turns in
//         the original context, dim(turns) =
//           R ln(original / (turns 2 pi)) / (2 ln base),
//         low  = max(floor(dim(beta_fast)), 0),
//         high = min(ceil(dim(beta_slow)), R / 2 - 1):
//         f[i] stays below low, is divided by factor above high and is blended
//         linearly between. low = high keeps that frequency.
//
//===----------------------------------------------------------------------===//

#include "test/reference/Rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gsa::reference {
namespace {

void CheckOptions(int64_t head_dim, int64_t rotated,
                  const RopeOptions& options) {
  Require(rotated % 2 == 0 && 2 <= rotated && rotated <= head_dim,
          "rotary_dim is " + std::to_string(rotated) +
              ", expected an even number from 2 to " +
              std::to_string(head_dim));
  Require(std::isfinite(options.base) && options.base > 1,
          "rotary base is " + std::to_string(options.base) +
              ", expected a finite number above 1");
  const RopeScaling& scaling = options.scaling;
  if (scaling.kind == RopeScalingKind::kNone) return;
  Require(scaling.kind != RopeScalingKind::kNtk || rotated >= 4,
          "ntk scaling needs a rotary_dim of at least 4");
  Require(std::isfinite(scaling.factor) && scaling.factor >= 1,
          "rotary factor is " + std::to_string(scaling.factor) +
              ", expected a finite number of at least 1");
  Require(scaling.original_max_position >= 1,
          "original_max_position is not positive");
  Require(scaling.beta_fast > scaling.beta_slow && scaling.beta_slow > 0,
          "expected beta_fast > beta_slow > 0");
}

/// 0 where frequency i keeps its value, 1 where it is divided by the factor.
double YarnStretch(int64_t i, int64_t rotated, double base,
                   const RopeScaling& scaling) {
  auto dimension_of = [&](double turns) {
    double original = static_cast<double>(scaling.original_max_position);
    double per_turn = original / (turns * 2.0 * std::numbers::pi);
    return rotated * std::log(per_turn) / (2.0 * std::log(base));
  };
  double low = std::max(std::floor(dimension_of(scaling.beta_fast)), 0.0);
  int64_t last = rotated / 2 - 1;
  double high = std::min(std::ceil(dimension_of(scaling.beta_slow)),
                         static_cast<double>(last));
  double dimension = static_cast<double>(i);
  if (dimension < low) return 0.0;
  if (dimension > high) return 1.0;
  if (low == high) return 0.0;
  return (dimension - low) / (high - low);
}

}  // namespace

std::vector<double> RopeFrequencies(int64_t head_dim,
                                    const RopeOptions& options) {
  int64_t rotated = options.rotary_dim.value_or(head_dim);
  CheckOptions(head_dim, rotated, options);
  const RopeScaling& scaling = options.scaling;
  double size = static_cast<double>(rotated);
  double base = options.base;
  if (scaling.kind == RopeScalingKind::kNtk) {
    base *= std::pow(scaling.factor, size / (size - 2.0));
  }
  std::vector<double> frequencies(rotated / 2);
  for (int64_t i = 0; i < rotated / 2; ++i) {
    double frequency = std::pow(base, -2.0 * i / size);
    if (scaling.kind == RopeScalingKind::kYarn) {
      double stretch = YarnStretch(i, rotated, base, scaling);
      frequency =
          (1.0 - stretch) * frequency + stretch * (frequency / scaling.factor);
    }
    frequencies[i] = frequency;
  }
  return frequencies;
}

Tensor<double> Rope(const Tensor<double>& input,
                    const Tensor<int64_t>& positions,
                    const RopeOptions& options) {
  RequireRank("rope input", input, 4);
  RequireShape("positions", positions, {input.dim(0), input.dim(1)});
  int64_t heads = input.dim(2), depth = input.dim(3);
  std::vector<double> frequencies = RopeFrequencies(depth, options);
  int64_t half = static_cast<int64_t>(frequencies.size());
  Tensor<double> output = input;
  for (int64_t row = 0; row < positions.size(); ++row) {
    double position = static_cast<double>(positions[row]);
    for (int64_t i = 0; i < half; ++i) {
      double cosine = std::cos(position * frequencies[i]);
      double sine = std::sin(position * frequencies[i]);
      int64_t first = options.interleaved ? 2 * i : i;
      int64_t second = options.interleaved ? 2 * i + 1 : i + half;
      for (int64_t j = 0; j < heads; ++j) {
        const double* x = input.data() + (row * heads + j) * depth;
        double* y = output.data() + (row * heads + j) * depth;
        y[first] = x[first] * cosine - x[second] * sine;
        y[second] = x[second] * cosine + x[first] * sine;
      }
    }
  }
  return output;
}

}  // namespace gsa::reference
