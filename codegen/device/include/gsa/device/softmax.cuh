//===- softmax.cuh - online softmax over rows -*- CUDA -*-===//
//
// The state of a row after some of its scores x (logits are s x):
//
//   maximum m   the score whose s x is largest; -inf: none yet
//   sum l       sum of exp(s (x - m))
//   output      sum of exp(s (x - m)) v
//
// exp(s (x - m)) is computed as ex2(fma(x, c, -fl(m c))) with c = s log2 e, and
// the factor between two maxima as ex2(fl(m c) - fl(m' c)), so that the
// rounding of m c cancels over the steps.
//
// A score of -inf is a masked one, also for s <= 0; a row of nothing else keeps
// m = -inf, l = 0. NaN and an s x of +inf make l NaN; NaN never becomes the
// maximum.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SOFTMAX_CUH
#define GSA_DEVICE_SOFTMAX_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/ptx/math.cuh"

namespace gsa::dev {

/// A maximum times c; -inf if there is none.
GSA_DEVICE float softmax_logit(float maximum, float c) {
  return maximum == -infinity() ? maximum : maximum * c;
}

/// What to subtract from logits: a maximum of -inf subtracts nothing (so that
/// masked ones become 0, not NaN), one of +inf makes the row NaN.
GSA_DEVICE float softmax_pivot(float logit) {
  return logit == -infinity()  ? 0.0f
         : logit == infinity() ? quiet_nan()
                               : logit;
}

/// The one of two scores with the larger logit; -inf is no score.
GSA_DEVICE float softmax_max(float x, float y, float c) {
  if (c > 0.0f) return fmaxf(x, y);
  if (x == -infinity()) return y;
  if (y == -infinity()) return x;
  return c < 0.0f ? fminf(x, y) : fmaxf(x, y);
}

/// exp(s (x - m)) with the pivot of m.
GSA_DEVICE float softmax_exp(float x, float c, float pivot) {
  if (c > 0.0f) return ptx::ex2(fmaf(x, c, -pivot));
  return x == -infinity() ? 0.0f : ptx::ex2(fmaf(x, c, -pivot));
}

/// One step. `scores` become exp(s (x - m')).
template <int R, int C, int D, frag_layout L>
GSA_DEVICE void softmax_update(frag<float, R, C, L>& scores,
                               frag<float, R, D, L>& output,
                               rowvec<float, R>& maximum, rowvec<float, R>& sum,
                               float scale) {
  float c = scale * log2e;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float most = maximum.x[h];
#pragma unroll
    for (int j = 0; j < C / 8; ++j) {
      most = softmax_max(most, scores.x[j][2 * h], c);
      most = softmax_max(most, scores.x[j][2 * h + 1], c);
    }
    most = softmax_max(most, __shfl_xor_sync(0xffffffffu, most, 1), c);
    most = softmax_max(most, __shfl_xor_sync(0xffffffffu, most, 2), c);
    float pivot = softmax_pivot(softmax_logit(most, c));
    float factor = ptx::ex2(softmax_logit(maximum.x[h], c) - pivot);
    float part = 0.0f;
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i) {
        scores.x[j][i] = softmax_exp(scores.x[j][i], c, pivot);
        part += scores.x[j][i];
      }
    sum.x[h] = fmaf(sum.x[h], factor, quad_sum(part));
    maximum.x[h] = most;
#pragma unroll
    for (int j = 0; j < D / 8; ++j) {
      output.x[j][2 * h] *= factor;
      output.x[j][2 * h + 1] *= factor;
    }
  }
}

/// Adds the state of another part of the scores to this one.
template <int R, int D, frag_layout L>
GSA_DEVICE void softmax_merge(frag<float, R, D, L>& output,
                              rowvec<float, R>& maximum, rowvec<float, R>& sum,
                              const frag<float, R, D, L>& other_output,
                              const rowvec<float, R>& other_maximum,
                              const rowvec<float, R>& other_sum, float scale) {
  float c = scale * log2e;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float most = softmax_max(maximum.x[h], other_maximum.x[h], c);
    float pivot = softmax_pivot(softmax_logit(most, c));
    float mine = ptx::ex2(softmax_logit(maximum.x[h], c) - pivot);
    float theirs = ptx::ex2(softmax_logit(other_maximum.x[h], c) - pivot);
    sum.x[h] = fmaf(sum.x[h], mine, other_sum.x[h] * theirs);
    maximum.x[h] = most;
#pragma unroll
    for (int j = 0; j < D / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i)
        output.x[j][i] =
            fmaf(output.x[j][i], mine, other_output.x[j][i] * theirs);
  }
}

/// `output /= sum` (by rcp, 1 ulp), `lse = scale * maximum + log(sum)`. An
/// empty row (sum 0) gives 0 and -inf, a NaN sum NaN and NaN.
template <int R, int D, frag_layout L>
GSA_DEVICE void softmax_finish(frag<float, R, D, L>& output,
                               rowvec<float, R>& lse,
                               const rowvec<float, R>& maximum,
                               const rowvec<float, R>& sum, float scale) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    bool empty = sum.x[h] == 0.0f;
    float inverse = ptx::rcp(sum.x[h]);
#pragma unroll
    for (int j = 0; j < D / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i)
        output.x[j][i] = empty ? 0.0f : output.x[j][i] * inverse;
    float value = fmaf(scale, maximum.x[h], logf(sum.x[h]));
    lse.x[h] = empty ? -infinity() : value;
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SOFTMAX_CUH
