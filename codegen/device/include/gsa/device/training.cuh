//===- training.cuh - what trains the indexer -*- CUDA -*-===//
//
// The heads of a query are the rows of a fragment, the entries of its list are
// its columns.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_TRAINING_CUH
#define GSA_DEVICE_TRAINING_CUH

#include "gsa/device/math.cuh"
#include "gsa/device/scores.cuh"

namespace gsa::dev {

/// x[h] of column 32 i + lane, for the heads from `Head` on.
template <int Heads, int Head = 0, int C, frag_layout L, int R, int K,
          smem_layout S>
GSA_DEVICE void log_weights(float (&x)[Heads],
                            const frag<float, 16, C, L>& products, int i,
                            smem<float, R, K, S> lse, int row, float scale) {
  float logit = row_of_lanes<Head>(products, i) * scale;
  float base = lse.at(row, Head);
  bool none = logit == -infinity() || base == -infinity();
  x[Head] = none ? -infinity() : logit - base;
  if constexpr (Head + 1 < Heads)
    log_weights<Heads, Head + 1>(x, products, i, lse, row, scale);
}

/// `sums = log(exp(sums) + sum over h of exp(x[h]))` for each column of a lane.
template <int Heads, int Count, int C, frag_layout L, int R, int K,
          smem_layout S>
GSA_DEVICE void log_sum_columns(lanes<float, Count>& sums,
                                const frag<float, 16, C, L>& products,
                                smem<float, R, K, S> lse, int row,
                                float scale) {
  static_assert(C == 32 * Count, "a number for each column of a lane");
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    float x[Heads];
    log_weights<Heads>(x, products, i, lse, row, scale);
    // NaN is dropped here, and comes back as a term.
    float most = sums.v[i];
#pragma unroll
    for (float each : x) most = fmaxf(most, each);
    float base = most == -infinity() ? 0.0f : most;
    float sum = ptx::ex2((sums.v[i] - base) * log2e);
#pragma unroll
    for (float each : x) sum += ptx::ex2((each - base) * log2e);
    sums.v[i] = base + logf(sum);
  }
}

/// s(x) s(-x) = e / (1 + e)^2 with e = exp(-|x|).
GSA_DEVICE float sigmoid_slope(float x) {
  float e = ptx::ex2(-fabsf(x) * log2e), inverse = ptx::rcp(1.0f + e);
  return e * inverse * inverse;
}

template <activation Activation>
GSA_DEVICE float slope_scalar(float x) {
  if constexpr (Activation == activation::sigmoid) return sigmoid_slope(x);
  if constexpr (Activation == activation::relu)
    return x > 0.0f ? 1.0f : x != x ? x : 0.0f;
  return 1.0f;
}

/// `target[r, c] = act'(source[r, c])`.
template <activation Activation, int R, int C, frag_layout L>
GSA_DEVICE void slope(frag<float, R, C, L>& target,
                      const frag<float, R, C, L>& source) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < R / 4; ++i)
      target.x[j][i] = slope_scalar<Activation>(source.x[j][i]);
}

/// `frag[r, c] *= cells[first + c]` where row first + c of the view exists, 0
/// elsewhere.
template <int R, int C, frag_layout L, class View>
GSA_DEVICE void weigh_columns(frag<float, R, C, L>& frag, const float* cells,
                              View view, int first) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      int position = first + frag_column(j, c);
      bool exists = view.holds(view.find(position));
      float weight = ptx::load_if<0>(exists, cells + position, 0.0f);
#pragma unroll
      for (int h = 0; h < R / 8; ++h)
        frag.x[j][2 * h + c] = exists ? frag.x[j][2 * h + c] * weight : 0.0f;
    }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_TRAINING_CUH
