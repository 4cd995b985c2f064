//===- training.cuh - what trains the indexer (host) -----------*- C++ -*-===//

#ifndef GSA_DEVICE_TRAINING_CUH
#define GSA_DEVICE_TRAINING_CUH

#include "gsa/device/math.cuh"
#include "gsa/device/scores.cuh"

namespace gsa::dev {

template <int Heads, int Count, int Columns, frag_layout Layout, int Rows,
          int Constants, smem_layout TileLayout>
void log_sum_columns(lanes<float, Count>& sums,
                     const frag<float, 16, Columns, Layout>& products,
                     smem<float, Rows, Constants, TileLayout> lse, int row,
                     float scale) {
  static_assert(Columns == 32 * Count && Heads <= 16);
  for (int c = 0; c < Columns; ++c) {
    float& total = sums.v[c / 32][c % 32];
    float x[Heads], most = total;
    for (int h = 0; h < Heads; ++h) {
      float base = lse.get("log_sum_columns", row, h);
      float logit = products.v[h][c] * scale;
      bool none = logit == -INFINITY || base == -INFINITY;
      x[h] = none ? -INFINITY : logit - base;
      most = fmaxf(most, x[h]);
    }
    float base = most == -INFINITY ? 0.0f : most;
    float sum = exp2f((total - base) * log2e);
    for (float each : x) sum += exp2f((each - base) * log2e);
    total = base + logf(sum);
  }
}

inline float sigmoid_slope(float x) {
  float e = exp2f(-fabsf(x) * log2e), inverse = 1.0f / (1.0f + e);
  return e * inverse * inverse;
}

template <activation Activation>
float slope_scalar(float x) {
  if (Activation == activation::sigmoid) return sigmoid_slope(x);
  if (Activation == activation::relu)
    return x > 0.0f ? 1.0f : x != x ? x : 0.0f;
  return 1.0f;
}

template <activation Activation, int Rows, int Columns, frag_layout Layout>
void slope(frag<float, Rows, Columns, Layout>& target,
           const frag<float, Rows, Columns, Layout>& source) {
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c)
      target.v[r][c] = slope_scalar<Activation>(source.v[r][c]);
}

template <int Rows, int Columns, frag_layout Layout, class View>
void weigh_columns(frag<float, Rows, Columns, Layout>& frag, const float* cells,
                   View view, int first) {
  for (int c = 0; c < Columns; ++c) {
    bool exists = view.holds(view.find("weigh_columns", first + c));
    if (exists) emu::checkGlobal("weigh_columns", cells + first + c, 4, false);
    for (int r = 0; r < Rows; ++r)
      frag.v[r][c] = exists ? frag.v[r][c] * cells[first + c] : 0.0f;
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_TRAINING_CUH
