//===- merge.cuh - attention from parts of a list -*- CUDA -*-===//

#ifndef GSA_DEVICE_MERGE_CUH
#define GSA_DEVICE_MERGE_CUH

#include "gsa/device/math.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/team.cuh"

namespace gsa::dev {

struct no_gate {};
GSA_DEVICE no_gate gate_of() { return {}; }
template <class View>
GSA_DEVICE View gate_of(View view) {
  return view;
}
template <class Gate>
inline constexpr bool is_gate = true;
template <>
inline constexpr bool is_gate<no_gate> = false;

/// What the weights of the parts of a row follow from: the largest lse, and the
/// sum of the others relative to it.
struct merged_sum {
  float maximum, sum;
  /// No part has a key.
  GSA_DEVICE bool empty() const { return maximum == -infinity(); }
  /// Of a part with this lse; 0 of one without keys.
  GSA_DEVICE float weigh(float lse) const {
    return lse == -infinity() ? 0.0f : ptx::ex2((lse - maximum) * log2e);
  }
};

/// Parts whose loads are in flight together.
inline constexpr int merge_batch = 8;

/// The lse of parts `first` and on; that of no part is -inf.
GSA_DEVICE void load_lses(float (&lse)[merge_batch], const float* lses,
                          long long step, int first, int parts) {
#pragma unroll
  for (int j = 0; j < merge_batch; ++j)
    lse[j] = first + j < parts ? lses[(first + j) * step] : -infinity();
}

/// NaN and +inf make the sum NaN.
GSA_DEVICE merged_sum merge_sums(const float* lses, long long step, int parts) {
  merged_sum merged{-infinity(), 0.0f};
  float lse[merge_batch];
#pragma unroll 1
  for (int first = 0; first < parts; first += merge_batch) {
    load_lses(lse, lses, step, first, parts);
#pragma unroll
    for (float x : lse) merged.maximum = ptx::max_nan(merged.maximum, x);
  }
#pragma unroll 1
  for (int first = 0; first < parts; first += merge_batch) {
    load_lses(lse, lses, step, first, parts);
#pragma unroll
    for (float x : lse) merged.sum += merged.weigh(x);
  }
  return merged;
}

/// `Width` neighbouring columns of a row: weights add up to 1 before they
/// multiply, part by part.
template <int Width>
GSA_DEVICE void merge_columns(float (&result)[Width], merged_sum merged,
                              const float* outputs, long long output_step,
                              const float* lses, long long lse_step,
                              int parts) {
  float unit = 1.0f / merged.sum;
  float lse[merge_batch], values[merge_batch][Width];
#pragma unroll
  for (float& x : result) x = 0.0f;
#pragma unroll 1
  for (int first = 0; first < parts; first += merge_batch) {
    load_lses(lse, lses, lse_step, first, parts);
#pragma unroll
    for (int j = 0; j < merge_batch; ++j) {
      const float* from =
          outputs + (first + j < parts ? first + j : first) * output_step;
      if constexpr (Width == 4) {
        float4 x = *reinterpret_cast<const float4*>(from);
        values[j][0] = x.x, values[j][1] = x.y;
        values[j][2] = x.z, values[j][3] = x.w;
      } else {
        values[j][0] = *from;
      }
    }
#pragma unroll
    for (int j = 0; j < merge_batch; ++j) {
      float weight = merged.weigh(lse[j]) * unit;
      // The output of a part without keys may be anything.
      bool takes_part = lse[j] != -infinity();
#pragma unroll
      for (int c = 0; c < Width; ++c)
        result[c] =
            takes_part ? fmaf(weight, values[j][c], result[c]) : result[c];
    }
  }
}

template <class Team, activation Activation, bool PerRow, int Width,
          class Output, class Lse, class Outputs, class Lses, class Gate>
GSA_DEVICE void merge_parts_by(Output output, Lse lse, Outputs outputs,
                               long long output_step, Lses lses,
                               long long lse_step, int parts, int columns,
                               Gate gate) {
  int units = columns / Width;
  for (int i = Team::thread();; i += Team::threads) {
    int row = i / units;
    int column = Width * (i - row * units);
    int number = output.find(row);
    if (!output.holds(number)) return;
    const float* from = lses.row(row);
    merged_sum merged = merge_sums(from, lse_step, parts);
    float result[Width];
    merge_columns(result, merged, outputs.row(row) + column, output_step, from,
                  lse_step, parts);
    auto* to = output.row(number) + column;
#pragma unroll
    for (int c = 0; c < Width; ++c) {
      float x = merged.empty() ? 0.0f : result[c];
      if constexpr (is_gate<Gate>)
        x *= activate_scalar<Activation>(
            to_float(gate.row(row)[PerRow ? 0 : column + c]));
      to[c] = convert_to<typename Output::element>(x);
    }
    if (column == 0)
      *lse.row(row) =
          merged.empty() ? -infinity() : merged.maximum + logf(merged.sum);
  }
}

/// Joins parts of the rows of `output`, gates and rounds them.
template <class Team, activation Activation, bool PerRow, class Output,
          class Lse, class Outputs, class Lses, class Gate>
GSA_DEVICE void merge_parts(Output output, Lse lse, Outputs outputs,
                            long long output_step, Lses lses,
                            long long lse_step, int parts, int columns,
                            Gate gate) {
  auto address = reinterpret_cast<unsigned long long>(outputs.row(0));
  bool whole = columns % 4 == 0 && address % 16 == 0 &&
               (outputs.pitch | output_step) % 4 == 0;
  if (whole)
    merge_parts_by<Team, Activation, PerRow, 4>(output, lse, outputs,
                                                output_step, lses, lse_step,
                                                parts, columns, gate);
  else
    merge_parts_by<Team, Activation, PerRow, 1>(output, lse, outputs,
                                                output_step, lses, lse_step,
                                                parts, columns, gate);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MERGE_CUH
