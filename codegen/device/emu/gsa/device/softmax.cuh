//===- softmax.cuh - online softmax (host) ---------------------*- C++ -*-===//
//
// The state of a row after some of its scores x (logits are s x, s > 0):
//
//   maximum m   the largest score; -inf: none yet
//   sum l       sum of exp(s (x - m))
//   output      sum of exp(s (x - m)) v
//
// The same steps and the same special cases as on the device: a score of -inf
// weighs nothing; NaN never becomes the maximum. Sums are in order of the
// columns.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SOFTMAX_CUH
#define GSA_DEVICE_SOFTMAX_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"

namespace gsa::dev {

/// A maximum times c; -inf if there is none.
inline float softmax_logit(float maximum, float c) {
  return maximum == -INFINITY ? maximum : maximum * c;
}

/// What to subtract from logits: a maximum of -inf subtracts nothing, one of
/// +inf makes the row NaN.
inline float softmax_pivot(float logit) {
  return logit == -INFINITY ? 0.0f : logit == INFINITY ? NAN : logit;
}

/// s log2(e); what a lowering must not ask for is a misuse.
inline float softmax_factor(const char* function, float scale) {
  if (!(scale > 0.0f)) emu::fail(function, "scale %g is not positive", scale);
  return scale * log2e;
}

template <int Columns, int OutputColumns, frag_layout Layout>
void softmax_update(frag<float, 16, Columns, Layout>& scores,
                    frag<float, 16, OutputColumns, Layout>& output,
                    rowvec<float, 16>& maximum, rowvec<float, 16>& sum,
                    float scale) {
  float c = softmax_factor("softmax_update", scale);
  for (int r = 0; r < 16; ++r) {
    float most = maximum.v[r];
    for (float x : scores.v[r]) most = fmaxf(most, x);
    float pivot = softmax_pivot(softmax_logit(most, c));
    float factor = exp2f(softmax_logit(maximum.v[r], c) - pivot);
    float part = 0.0f;
    for (float& x : scores.v[r]) {
      x = exp2f(fmaf(x, c, -pivot));
      part += x;
    }
    sum.v[r] = fmaf(sum.v[r], factor, part);
    maximum.v[r] = most;
    for (float& x : output.v[r]) x *= factor;
  }
}

template <int Columns, frag_layout Layout>
void softmax_merge(frag<float, 16, Columns, Layout>& output,
                   rowvec<float, 16>& maximum, rowvec<float, 16>& sum,
                   const frag<float, 16, Columns, Layout>& other_output,
                   const rowvec<float, 16>& other_maximum,
                   const rowvec<float, 16>& other_sum, float scale) {
  float c = softmax_factor("softmax_merge", scale);
  for (int r = 0; r < 16; ++r) {
    float most = fmaxf(maximum.v[r], other_maximum.v[r]);
    float pivot = softmax_pivot(softmax_logit(most, c));
    float mine = exp2f(softmax_logit(maximum.v[r], c) - pivot);
    float theirs = exp2f(softmax_logit(other_maximum.v[r], c) - pivot);
    sum.v[r] = fmaf(sum.v[r], mine, other_sum.v[r] * theirs);
    maximum.v[r] = most;
    for (int i = 0; i < Columns; ++i)
      output.v[r][i] =
          fmaf(output.v[r][i], mine, other_output.v[r][i] * theirs);
  }
}

template <int Columns, frag_layout Layout>
void softmax_finish(frag<float, 16, Columns, Layout>& output,
                    rowvec<float, 16>& lse, const rowvec<float, 16>& maximum,
                    const rowvec<float, 16>& sum, float scale) {
  for (int r = 0; r < 16; ++r) {
    bool empty = sum.v[r] == 0.0f;
    float inverse = 1.0f / sum.v[r];
    for (float& x : output.v[r]) x = empty ? 0.0f : x * inverse;
    float value = fmaf(scale, maximum.v[r], logf(sum.v[r]));
    lse.v[r] = empty ? -INFINITY : value;
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SOFTMAX_CUH
