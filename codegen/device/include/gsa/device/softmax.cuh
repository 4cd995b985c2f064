//===- softmax.cuh - online softmax over rows -*- CUDA -*-===//
//
// The state of a row after some of its scores x (logits are s x, 0 < s <=
// 2^127; a lowering changes the scores for other scales):
//
//   maximum m   the largest score; -inf: none yet
//   sum l       sum of exp(s (x - m))
//   output      sum of exp(s (x - m)) v, times unit(l) if `Bounded`
//
// exp(s (x - m)) is ex2(fma(x, c, -p)) with c = s log2 e and the pivot
// p = fl(m c), as long as the rounding of p is small: below 2^14 the weight of
// the maximum is within 0.07 % of 1, which cancels where the output is divided
// by the sum. Rows beyond have their scores shifted first, x - m, which is
// exact at the maximum whatever its size, and p = 0. Both are one form:
//
//   weight = ex2(fma(x - shift, c, -pivot)), relative to shift c + pivot
//
// Bounded: a sum of weights times values may exceed the largest value, and the
// largest number, where the quotient does not. unit(l) is a power of two of at
// most 1 / (2 l), so it keeps such sums below the largest value and changes no
// other bit. f16 needs none: its values are far below the largest float, and
// its weights have no room for it.
//
// A logit of -inf weighs nothing, be it masked or a product; a row of nothing
// else keeps l = 0. NaN and +inf make l NaN; NaN never becomes the maximum.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SOFTMAX_CUH
#define GSA_DEVICE_SOFTMAX_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/mma.cuh"
#include "gsa/device/ptx/math.cuh"

namespace gsa::dev {

/// Pivots from here on shift the scores instead.
inline constexpr float softmax_pivot_limit = 16384.0f;

/// What the weights of a row are relative to.
struct softmax_base {
  float shift, pivot;
};

/// The base of a row with this maximum; pivot -inf if no logit weighs anything,
/// NaN if one is +inf.
GSA_DEVICE softmax_base softmax_base_of(float maximum, float scale) {
  float logit = maximum * scale, pivot = maximum * (scale * log2e);
  if (fabsf(logit) == infinity())
    return {0.0f, logit > 0.0f ? quiet_nan() : logit};
  return fabsf(pivot) < softmax_pivot_limit ? softmax_base{0.0f, pivot}
                                            : softmax_base{maximum, 0.0f};
}

/// Logarithm (base 2) of the factor that makes weights relative to `to`. Where
/// both bases are of one kind, equal ones give exactly 0.
GSA_DEVICE float softmax_change(softmax_base from, softmax_base to, float c) {
  return fmaf(from.shift - to.shift, c, from.pivot - to.pivot);
}

/// What is subtracted: from a row of logits -inf, nothing.
GSA_DEVICE softmax_base softmax_subtrahend(softmax_base base) {
  if (base.pivot == -infinity()) base.pivot = 0.0f;
  return base;
}

/// The exponent of a sum, of which two bits are left out: in steps of 2^4.
GSA_DEVICE unsigned softmax_exponent(float sum) {
  return __float_as_uint(sum) & 0x7e000000u;
}
/// unit(sum), 2^-2 for sums in [1/8, 2), 2^-6 below 32, ...: between 1 / (32
/// sum) and 1 / (2 sum).
GSA_DEVICE float softmax_unit(float sum) {
  return __uint_as_float(0x7c800000u - softmax_exponent(sum));
}
/// 1 / unit(sum).
GSA_DEVICE float softmax_per_unit(float sum) {
  return __uint_as_float(0x02800000u + softmax_exponent(sum));
}
/// unit(to) / unit(from); finite also where nothing was summed so far, whose
/// factor is 0.
GSA_DEVICE float softmax_unit_change(float from, float to) {
  return softmax_unit(to) * softmax_per_unit(from);
}

/// One step. `scores` become exp(s (x - m')); as weights of values they go
/// through softmax_weights if Bounded, through convert if not.
template <bool Bounded, int R, int C, int D, frag_layout L>
GSA_DEVICE void softmax_update(frag<float, R, C, L>& scores,
                               frag<float, R, D, L>& output,
                               rowvec<float, R>& maximum, rowvec<float, R>& sum,
                               float scale) {
  float c = scale * log2e;
  float most[2], pivot[2], change[2];
  // The largest |pivot|; infinite also in the first step of a row.
  float extent = 0.0f;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    most[h] = maximum.x[h];
#pragma unroll
    for (int j = 0; j < C / 8; ++j) {
      most[h] = fmaxf(most[h], scores.x[j][2 * h]);
      most[h] = fmaxf(most[h], scores.x[j][2 * h + 1]);
    }
    most[h] = quad_max(most[h]);
    float earlier = maximum.x[h] * c;
    pivot[h] = most[h] * c;
    change[h] = earlier - pivot[h];
    extent = fmaxf(extent, fmaxf(fabsf(earlier), fabsf(pivot[h])));
  }
  if (extent >= softmax_pivot_limit) {
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      softmax_base base = softmax_subtrahend(softmax_base_of(most[h], scale));
      change[h] = softmax_change(softmax_base_of(maximum.x[h], scale), base, c);
      pivot[h] = base.pivot;
#pragma unroll
      for (int j = 0; j < C / 8; ++j) {
        scores.x[j][2 * h] -= base.shift;
        scores.x[j][2 * h + 1] -= base.shift;
      }
    }
  }
  float factor[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    factor[h] = ptx::ex2(change[h]);
    float part = 0.0f;
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i) {
        scores.x[j][i] = ptx::ex2(fmaf(scores.x[j][i], c, -pivot[h]));
        part += scores.x[j][i];
      }
    float total = fmaf(sum.x[h], factor[h], quad_sum(part));
    if constexpr (Bounded) factor[h] *= softmax_unit_change(sum.x[h], total);
    sum.x[h] = total;
    maximum.x[h] = most[h];
  }
  // Most steps find no new maximum in any of the warp's rows, and keep the
  // unit.
  if (!__any_sync(0xffffffffu, factor[0] != 1.0f || factor[1] != 1.0f)) return;
#pragma unroll
  for (int j = 0; j < D / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) output.x[j][i] *= factor[i >> 1];
}

/// Scores whose weight is more than 2^this raise the base of softmax_step.
inline constexpr float softmax_slack = 8.0f;

/// A step for an output that is in flight. A row's sum is that of its quad's
/// lanes. Bases are raised for all rows of a warp together, which happens in
/// few steps; the maximum of a quad is not known in the others.
template <int R, int C, frag_layout L>
GSA_DEVICE void softmax_step(frag<float, R, C, L>& scores,
                             rowvec<float, R>& factor, rowvec<float, R>& base,
                             rowvec<float, R>& sum, float scale) {
  float c = scale * log2e;
  // Finite, so that a base of -inf is raised.
  float slack = fminf(softmax_slack / c, __int_as_float(0x7f7fffff));
  float most[2];
  bool raises = false;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float even = scores.x[0][2 * h], odd = scores.x[0][2 * h + 1];
#pragma unroll
    for (int j = 1; j < C / 8; ++j) {
      even = fmaxf(even, scores.x[j][2 * h]);
      odd = fmaxf(odd, scores.x[j][2 * h + 1]);
    }
    most[h] = fmaxf(even, odd);
    raises |= most[h] > base.x[h] + slack;
    factor.x[h] = 1.0f;
  }
  if (__any_sync(0xffffffffu, raises)) {
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      float next = fmaxf(base.x[h], quad_max(most[h]));
      // A row without a key so far has nothing to change.
      if (next != -infinity()) factor.x[h] = ptx::ex2((base.x[h] - next) * c);
      base.x[h] = next;
      sum.x[h] *= factor.x[h];
    }
  }
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float pivot = base.x[h] == -infinity() ? 0.0f : base.x[h] * c;
    float even = 0.0f, odd = 0.0f;
#pragma unroll
    for (int j = 0; j < C / 8; ++j) {
      float& x = scores.x[j][2 * h];
      float& y = scores.x[j][2 * h + 1];
      x = ptx::ex2(fmaf(x, c, -pivot));
      y = ptx::ex2(fmaf(y, c, -pivot));
      even += x;
      odd += y;
    }
    sum.x[h] += even + odd;
  }
}

template <int R>
GSA_DEVICE void softmax_close(rowvec<float, R>& sum) {
  sum.x[0] = quad_sum(sum.x[0]);
  sum.x[1] = quad_sum(sum.x[1]);
}

template <int R, int C, frag_layout L>
GSA_DEVICE void scale_rows(frag<float, R, C, L>& frag,
                           const rowvec<float, R>& factor) {
  bool changes = factor.x[0] != 1.0f || factor.x[1] != 1.0f;
  if (!__any_sync(0xffffffffu, changes)) return;
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) frag.x[j][i] *= factor.x[i >> 1];
}

/// Scores of a bounded step as left operand of the product with values: rounded
/// to T, times unit(sum).
template <int C, int R>
GSA_DEVICE void softmax_weights(frag<bf16, 16, C, lhs>& target,
                                const frag<float, 16, C, acc>& scores,
                                const rowvec<float, R>& sum) {
  convert(target, scores);
  unsigned unit[2] = {
      pack<bf16>(softmax_unit(sum.x[0]), softmax_unit(sum.x[0])),
      pack<bf16>(softmax_unit(sum.x[1]), softmax_unit(sum.x[1]))};
#pragma unroll
  for (int j = 0; j < C / 16; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      target.x[j][i] = ptx::mul_bf16x2(target.x[j][i], unit[i & 1]);
}
template <int C, int R>
GSA_DEVICE void softmax_weights(frag<float, 16, C, lhs>& target,
                                const frag<float, 16, C, acc>& scores,
                                const rowvec<float, R>& sum) {
  float unit[2] = {softmax_unit(sum.x[0]), softmax_unit(sum.x[1])};
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) target.x[j][i] = scores.x[j][i] * unit[i >> 1];
}

/// Adds the state of another part of the scores to this one.
template <bool Bounded, int R, int D, frag_layout L>
GSA_DEVICE void softmax_merge(frag<float, R, D, L>& output,
                              rowvec<float, R>& maximum, rowvec<float, R>& sum,
                              const frag<float, R, D, L>& other_output,
                              const rowvec<float, R>& other_maximum,
                              const rowvec<float, R>& other_sum, float scale) {
  float c = scale * log2e;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    softmax_base before = softmax_base_of(maximum.x[h], scale);
    softmax_base other = softmax_base_of(other_maximum.x[h], scale);
    maximum.x[h] = fmaxf(maximum.x[h], other_maximum.x[h]);
    softmax_base base =
        softmax_subtrahend(softmax_base_of(maximum.x[h], scale));
    float mine = ptx::ex2(softmax_change(before, base, c));
    float theirs = ptx::ex2(softmax_change(other, base, c));
    float total = fmaf(sum.x[h], mine, other_sum.x[h] * theirs);
    if constexpr (Bounded) {
      mine *= softmax_unit_change(sum.x[h], total);
      theirs *= softmax_unit_change(other_sum.x[h], total);
    }
    sum.x[h] = total;
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
template <bool Bounded, int R, int D, frag_layout L>
GSA_DEVICE void softmax_finish(frag<float, R, D, L>& output,
                               rowvec<float, R>& lse,
                               const rowvec<float, R>& maximum,
                               const rowvec<float, R>& sum, float scale) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    bool empty = sum.x[h] == 0.0f;
    float inverse = ptx::rcp(sum.x[h]);
    if constexpr (Bounded) inverse *= softmax_per_unit(sum.x[h]);
#pragma unroll
    for (int j = 0; j < D / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i)
        output.x[j][i] = empty ? 0.0f : output.x[j][i] * inverse;
    float value = fmaf(scale, maximum.x[h], logf(sum.x[h]));
    lse.x[h] = empty ? -infinity() : value;
  }
}

/// Of a softmax that is done: `weights`, scores x, become p = exp(s x - lse),
/// and `grads`, the gradients d of the weights, p (d - row_sum). Both are 0
/// where x or lse is -inf, and in rows from `rows` on.
template <int R, int C, frag_layout L>
GSA_DEVICE void softmax_grad(frag<float, R, C, L>& weights,
                             frag<float, R, C, L>& grads,
                             const rowvec<float, R>& lse,
                             const rowvec<float, R>& row_sums, float scale,
                             int rows) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    bool none = frag_row(2 * h) >= rows || lse.x[h] == -infinity();
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int i = 2 * h; i < 2 * h + 2; ++i) {
        float x = weights.x[j][i];
        bool drops = none || x == -infinity();
        float p = ptx::ex2(fmaf(x, scale, -lse.x[h]) * log2e);
        weights.x[j][i] = drops ? 0.0f : p;
        grads.x[j][i] = drops ? 0.0f : p * (grads.x[j][i] - row_sums.x[h]);
      }
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SOFTMAX_CUH
