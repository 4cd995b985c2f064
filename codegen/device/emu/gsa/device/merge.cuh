//===- merge.cuh - attention from parts of a list (host) -------*- C++ -*-===//

#ifndef GSA_DEVICE_MERGE_CUH
#define GSA_DEVICE_MERGE_CUH

#include "gsa/device/math.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/team.cuh"

namespace gsa::dev {

struct no_gate {};
inline no_gate gate_of() { return {}; }
template <class View>
View gate_of(View view) {
  return view;
}

template <class Gate>
inline constexpr bool is_gate = true;
template <>
inline constexpr bool is_gate<no_gate> = false;

/// exp of it relative to the largest; 0 of a part without keys.
inline float merge_weight(float lse, float maximum) {
  return lse == -INFINITY ? 0.0f
                          : exp2f((lse - maximum) * 1.44269504088896341f);
}

/// Element `column` of a row. The order of operations is that of the device.
inline float merge_column(const float* outputs, long long output_step,
                          const float* lses, long long lse_step, int parts,
                          float maximum, float sum) {
  if (maximum == -INFINITY) return 0.0f;
  float unit = 1.0f / sum, result = 0.0f;
  for (int i = 0; i < parts; ++i) {
    float lse = lses[i * lse_step];
    if (lse == -INFINITY) continue;
    emu::checkGlobal("merge_parts", outputs + i * output_step, sizeof(float),
                     false);
    result = fmaf(merge_weight(lse, maximum) * unit, outputs[i * output_step],
                  result);
  }
  return result;
}

/// Rows of one warp after another.
template <class Team, activation Activation, bool PerRow, class Output,
          class Lse, class Outputs, class Lses, class Gate>
void merge_parts(Output output, Lse lse, Outputs outputs, long long output_step,
                 Lses lses, long long lse_step, int parts, int columns,
                 Gate gate) {
  using element = typename Output::element;
  check_team<Team>("merge_parts");
  for (int r = warp_rank<Team>(); output.holds(r); r += Team::count) {
    const float* from = lses.row(r);
    float maximum = -INFINITY, sum = 0.0f;
    for (int i = 0; i < parts; ++i) {
      emu::checkGlobal("merge_parts", from + i * lse_step, sizeof(float),
                       false);
      float x = from[i * lse_step];
      maximum = x != x || x > maximum ? x : maximum;
      if (maximum != maximum) break;
    }
    for (int i = 0; i < parts; ++i)
      sum += merge_weight(from[i * lse_step], maximum);
    emu::checkGlobal("merge_parts", output.row(r), columns * sizeof(element),
                     true);
    for (int c = 0; c < columns; ++c) {
      float x = merge_column(outputs.row(r) + c, output_step, from, lse_step,
                             parts, maximum, sum);
      if constexpr (is_gate<Gate>) {
        const auto* logit = gate.row(r) + (PerRow ? 0 : c);
        emu::checkGlobal("merge_parts", logit, sizeof(*logit), false);
        x *= activate_scalar<Activation>(to_float(*logit));
      }
      output.row(r)[c] = convert_to<element>(x);
    }
    emu::checkGlobal("merge_parts", lse.row(r), sizeof(float), true);
    *lse.row(r) = maximum == -INFINITY ? -INFINITY : maximum + logf(sum);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MERGE_CUH
