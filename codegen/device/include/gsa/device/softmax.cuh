//===- softmax.cuh - online softmax over rows -*- CUDA -*-===//
//
// The state of a row after some of its scores x (logits are s x, s > 0; a
// lowering negates the scores for other signs):
//
//   maximum m   the largest score; -inf: none yet
//   sum l       sum of exp(s (x - m))
//   output      sum of exp(s (x - m)) v
//
// exp(s (x - m)) is computed as ex2(fma(x, c, -fl(m c))) with c = s log2 e, and
// the factor between two maxima as ex2(fl(m c) - fl(m' c)), so that the
// rounding of m c cancels over the steps.
//
// A score of -inf weighs nothing, be it masked or a product; a row of nothing
// else keeps m = -inf, l = 0. NaN and +inf make l NaN; NaN never becomes the
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

/// One step. `scores` become exp(s (x - m')).
template <int R, int C, int D, frag_layout L>
GSA_DEVICE void softmax_update(frag<float, R, C, L>& scores,
                               frag<float, R, D, L>& output,
                               rowvec<float, R>& maximum, rowvec<float, R>& sum,
                               float scale) {
  float c = scale * log2e;
  float factor[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float most = maximum.x[h];
#pragma unroll
    for (int j = 0; j < C / 8; ++j) {
      most = fmaxf(most, scores.x[j][2 * h]);
      most = fmaxf(most, scores.x[j][2 * h + 1]);
    }
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
    float pivot = softmax_pivot(softmax_logit(most, c));
    factor[h] = ptx::ex2(softmax_logit(maximum.x[h], c) - pivot);
    float part = 0.0f;
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i) {
        scores.x[j][i] = ptx::ex2(fmaf(scores.x[j][i], c, -pivot));
        part += scores.x[j][i];
      }
    sum.x[h] = fmaf(sum.x[h], factor[h], quad_sum(part));
    maximum.x[h] = most;
  }
  // Most steps find no new maximum in any of the warp's rows.
  if (!__any_sync(0xffffffffu, factor[0] != 1.0f || factor[1] != 1.0f)) return;
#pragma unroll
  for (int j = 0; j < D / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) output.x[j][i] *= factor[i >> 1];
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
    float most = fmaxf(maximum.x[h], other_maximum.x[h]);
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
