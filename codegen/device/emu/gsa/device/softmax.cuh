//===- softmax.cuh - online softmax (host) ---------------------*- C++ -*-===//
//
// The state of a row after some of its scores x (logits are s x, 0 < s <=
// 2^127):
//
//   maximum m   the largest score; -inf: none yet
//   sum l       sum of exp(s (x - m))
//   output      sum of exp(s (x - m)) v, times unit(l) if `Bounded`
//
// The same steps and the same special cases as on the device, whose header says
// why: pivots from 2^14 on shift the scores instead; a logit of -inf weighs
// nothing; NaN never becomes the maximum. Sums are in order of the columns.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SOFTMAX_CUH
#define GSA_DEVICE_SOFTMAX_CUH

#include <cstring>

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"

namespace gsa::dev {

inline constexpr float softmax_pivot_limit = 16384.0f;

/// What the weights of a row are relative to: shift c + pivot.
struct softmax_base {
  float shift, pivot;
};

/// The base of a row with this maximum; pivot -inf if no logit weighs anything,
/// NaN if one is +inf.
inline softmax_base softmax_base_of(float maximum, float scale) {
  float logit = maximum * scale, pivot = maximum * (scale * log2e);
  if (logit == -INFINITY) return {0.0f, -INFINITY};
  if (logit == INFINITY) return {0.0f, NAN};
  if (fabsf(pivot) < softmax_pivot_limit) return {0.0f, pivot};
  return {maximum, 0.0f};
}

/// Logarithm (base 2) of the factor that makes weights relative to `to`.
inline float softmax_change(softmax_base from, softmax_base to, float c) {
  return fmaf(from.shift - to.shift, c, from.pivot - to.pivot);
}

/// What is subtracted: from a row of logits -inf, nothing.
inline softmax_base softmax_subtrahend(softmax_base base) {
  if (base.pivot == -INFINITY) base.pivot = 0.0f;
  return base;
}

/// unit(sum): 2^-2 for sums in [1/8, 2), 2^-6 below 32, ...
inline float softmax_unit(float sum) {
  unsigned bits;
  memcpy(&bits, &sum, sizeof(bits));
  bits = 0x7c800000u - (bits & 0x7e000000u);
  memcpy(&sum, &bits, sizeof(sum));
  return sum;
}

/// s log2(e); what a lowering must not ask for is a misuse.
inline float softmax_factor(const char* function, float scale) {
  if (!(scale > 0.0f && scale <= 0x1p127f))
    emu::fail(function, "scale %g is not in (0, 2^127]", scale);
  return scale * log2e;
}

template <bool Bounded, int Columns, int OutputColumns, frag_layout Layout>
void softmax_update(frag<float, 16, Columns, Layout>& scores,
                    frag<float, 16, OutputColumns, Layout>& output,
                    rowvec<float, 16>& maximum, rowvec<float, 16>& sum,
                    float scale) {
  float c = softmax_factor("softmax_update", scale);
  for (int r = 0; r < 16; ++r) {
    float most = maximum.v[r];
    for (float x : scores.v[r]) most = fmaxf(most, x);
    softmax_base base = softmax_subtrahend(softmax_base_of(most, scale));
    float factor =
        exp2f(softmax_change(softmax_base_of(maximum.v[r], scale), base, c));
    float part = 0.0f;
    for (float& x : scores.v[r]) {
      x = exp2f(fmaf(x - base.shift, c, -base.pivot));
      part += x;
    }
    float total = fmaf(sum.v[r], factor, part);
    if (Bounded) factor *= softmax_unit(total) / softmax_unit(sum.v[r]);
    sum.v[r] = total;
    maximum.v[r] = most;
    for (float& x : output.v[r]) x *= factor;
  }
}

/// Sums are complete here after each step.
template <int Columns, frag_layout Layout>
void softmax_step(frag<float, 16, Columns, Layout>& scores,
                  rowvec<float, 16>& factor, rowvec<float, 16>& base,
                  rowvec<float, 16>& sum, float scale) {
  float c = softmax_factor("softmax_step", scale);
  float slack = 8.0f / c < 3.402823466e38f ? 8.0f / c : 3.402823466e38f;
  bool raises = false;
  float most[16];
  for (int r = 0; r < 16; ++r) {
    most[r] = -INFINITY;
    for (float x : scores.v[r]) most[r] = fmaxf(most[r], x);
    raises |= most[r] > base.v[r] + slack;
  }
  for (int r = 0; r < 16; ++r) {
    factor.v[r] = 1.0f;
    float next = raises ? fmaxf(base.v[r], most[r]) : base.v[r];
    if (raises && next != -INFINITY)
      factor.v[r] = exp2f((base.v[r] - next) * c);
    base.v[r] = next;
    sum.v[r] *= factor.v[r];
    float pivot = next == -INFINITY ? 0.0f : next * c;
    for (float& x : scores.v[r]) {
      x = exp2f(fmaf(x, c, -pivot));
      sum.v[r] += x;
    }
  }
}

inline void softmax_close(rowvec<float, 16>&) {}

template <int Columns, frag_layout Layout>
void scale_rows(frag<float, 16, Columns, Layout>& frag,
                const rowvec<float, 16>& factor) {
  for (int r = 0; r < 16; ++r)
    for (float& x : frag.v[r]) x *= factor.v[r];
}

/// Scores of a bounded step as left operand of the product with values: rounded
/// to T, times unit(sum).
template <class T, int Columns, frag_layout To, frag_layout From>
void softmax_weights(frag<T, 16, Columns, To>& target,
                     const frag<float, 16, Columns, From>& scores,
                     const rowvec<float, 16>& sum) {
  for (int r = 0; r < 16; ++r)
    for (int i = 0; i < Columns; ++i) {
      float rounded = to_float(convert_to<T>(scores.v[r][i]));
      target.v[r][i] = convert_to<T>(rounded * softmax_unit(sum.v[r]));
    }
}

template <bool Bounded, int Columns, frag_layout Layout>
void softmax_merge(frag<float, 16, Columns, Layout>& output,
                   rowvec<float, 16>& maximum, rowvec<float, 16>& sum,
                   const frag<float, 16, Columns, Layout>& other_output,
                   const rowvec<float, 16>& other_maximum,
                   const rowvec<float, 16>& other_sum, float scale) {
  float c = softmax_factor("softmax_merge", scale);
  for (int r = 0; r < 16; ++r) {
    softmax_base before = softmax_base_of(maximum.v[r], scale);
    softmax_base other = softmax_base_of(other_maximum.v[r], scale);
    maximum.v[r] = fmaxf(maximum.v[r], other_maximum.v[r]);
    softmax_base base =
        softmax_subtrahend(softmax_base_of(maximum.v[r], scale));
    float mine = exp2f(softmax_change(before, base, c));
    float theirs = exp2f(softmax_change(other, base, c));
    float total = fmaf(sum.v[r], mine, other_sum.v[r] * theirs);
    if (Bounded) {
      mine *= softmax_unit(total) / softmax_unit(sum.v[r]);
      theirs *= softmax_unit(total) / softmax_unit(other_sum.v[r]);
    }
    sum.v[r] = total;
    for (int i = 0; i < Columns; ++i)
      output.v[r][i] =
          fmaf(output.v[r][i], mine, other_output.v[r][i] * theirs);
  }
}

template <bool Bounded, int Columns, frag_layout Layout>
void softmax_finish(frag<float, 16, Columns, Layout>& output,
                    rowvec<float, 16>& lse, const rowvec<float, 16>& maximum,
                    const rowvec<float, 16>& sum, float scale) {
  for (int r = 0; r < 16; ++r) {
    bool empty = sum.v[r] == 0.0f;
    float inverse = 1.0f / sum.v[r];
    if (Bounded) inverse /= softmax_unit(sum.v[r]);
    for (float& x : output.v[r]) x = empty ? 0.0f : x * inverse;
    float value = fmaf(scale, maximum.v[r], logf(sum.v[r]));
    lse.v[r] = empty ? -INFINITY : value;
  }
}

template <int Columns, frag_layout Layout>
void softmax_grad(frag<float, 16, Columns, Layout>& weights,
                  frag<float, 16, Columns, Layout>& grads,
                  const rowvec<float, 16>& lse,
                  const rowvec<float, 16>& row_sums, float scale, int rows) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c) {
      float& x = weights.v[r][c];
      float& d = grads.v[r][c];
      bool drops = r >= rows || lse.v[r] == -INFINITY || x == -INFINITY;
      x = drops ? 0.0f : exp2f(fmaf(x, scale, -lse.v[r]) * log2e);
      d = drops ? 0.0f : x * (d - row_sums.v[r]);
    }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SOFTMAX_CUH
