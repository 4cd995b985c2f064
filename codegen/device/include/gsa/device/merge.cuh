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
inline constexpr int merge_batch = 16;

/// `Width` neighbouring columns of some parts of a row.
template <int Width>
struct merge_part {
  float lse[merge_batch], weight[merge_batch], x[merge_batch][Width];

  /// Parts `first` and on; the lse of no part is -inf.
  GSA_DEVICE void load_lses(const float* lses, long long step, int first,
                            int parts) {
    const float* from = lses + first * step;
#pragma unroll
    for (int j = 0; j < merge_batch; ++j, from += step) {
      lse[j] = -infinity();
      if (first + j < parts) lse[j] = *from;
    }
  }

  GSA_DEVICE void load_columns(const float* outputs, long long step, int first,
                               int parts) {
    const float* from = outputs + first * step;
#pragma unroll
    for (int j = 0; j < merge_batch; ++j, from += step) {
#pragma unroll
      for (float& value : x[j]) value = 0.0f;
      if (first + j >= parts) continue;
      if constexpr (Width == 4) {
        float4 all = *reinterpret_cast<const float4*>(from);
        x[j][0] = all.x, x[j][1] = all.y, x[j][2] = all.z, x[j][3] = all.w;
      } else {
        x[j][0] = *from;
      }
    }
  }

  /// NaN and +inf make the sum NaN.
  GSA_DEVICE void raise(merged_sum& merged) const {
#pragma unroll
    for (float value : lse)
      merged.maximum = ptx::max_nan(merged.maximum, value);
  }
  GSA_DEVICE void weigh(const merged_sum& merged) {
#pragma unroll
    for (int j = 0; j < merge_batch; ++j) weight[j] = merged.weigh(lse[j]);
  }
  GSA_DEVICE void add_to(merged_sum& merged) {
    weigh(merged);
#pragma unroll
    for (float value : weight) merged.sum += value;
  }

  /// Weights add up to 1 before they multiply, part by part.
  GSA_DEVICE void add_columns(float (&result)[Width], float unit) const {
#pragma unroll
    for (int j = 0; j < merge_batch; ++j) {
      float share = weight[j] * unit;
      // The output of a part without keys may be anything.
      bool takes_part = lse[j] != -infinity();
#pragma unroll
      for (int c = 0; c < Width; ++c)
        result[c] = takes_part ? fmaf(share, x[j][c], result[c]) : result[c];
    }
  }
};

/// `Width` neighbouring columns of a row. All that a row of few parts has is
/// loaded at once: who merges waits for memory once.
template <int Width>
GSA_DEVICE merged_sum merge_columns(float (&result)[Width],
                                    const float* outputs, long long output_step,
                                    const float* lses, long long lse_step,
                                    int parts) {
  merge_part<Width> some, more;
  some.load_lses(lses, lse_step, 0, parts);
  some.load_columns(outputs, output_step, 0, parts);
  merged_sum merged{-infinity(), 0.0f};
  some.raise(merged);
#pragma unroll 1
  for (int first = merge_batch; first < parts; first += merge_batch) {
    more.load_lses(lses, lse_step, first, parts);
    more.raise(merged);
  }
  some.add_to(merged);
#pragma unroll 1
  for (int first = merge_batch; first < parts; first += merge_batch) {
    more.load_lses(lses, lse_step, first, parts);
    more.add_to(merged);
  }
  float unit = 1.0f / merged.sum;
#pragma unroll
  for (float& x : result) x = 0.0f;
  some.add_columns(result, unit);
#pragma unroll 1
  for (int first = merge_batch; first < parts; first += merge_batch) {
    more.load_lses(lses, lse_step, first, parts);
    more.load_columns(outputs, output_step, first, parts);
    more.weigh(merged);
    more.add_columns(result, unit);
  }
  return merged;
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
    float factor[Width];
    if constexpr (is_gate<Gate>) {
#pragma unroll
      for (int c = 0; c < Width; ++c)
        factor[c] = to_float(gate.row(row)[PerRow ? 0 : column + c]);
    }
    float result[Width];
    merged_sum merged =
        merge_columns(result, outputs.row(row) + column, output_step,
                      lses.row(row), lse_step, parts);
    auto* to = output.row(number) + column;
#pragma unroll
    for (int c = 0; c < Width; ++c) {
      float x = merged.empty() ? 0.0f : result[c];
      if constexpr (is_gate<Gate>) x *= activate_scalar<Activation>(factor[c]);
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
