//===- softmax.cuh - online softmax (host) ---------------------*- C++ -*-===//
//
// The maximum is kept of x times the sign of the scale, so that the logits are
// |scale| times it: no other code needs to know the sign.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SOFTMAX_CUH
#define GSA_DEVICE_SOFTMAX_CUH

#include "gsa/device/frag.cuh"

namespace gsa::dev {

inline constexpr float kLog2E = 1.44269504f;

/// exp(scale * (x - maximum)); 0 for x = -inf, NaN for x = +inf or NaN.
inline float softmax_weight(float x, float maximum, float scale) {
  if (x == -INFINITY) return 0.0f;
  if (x == INFINITY) return NAN;
  return exp2f((x - maximum) * (scale * kLog2E));
}

template <int Columns, int OutputColumns, frag_layout Layout>
void softmax_update(frag<float, 16, Columns, Layout>& scores,
                    frag<float, 16, OutputColumns, Layout>& output,
                    rowvec<float, 16>& maximum, rowvec<float, 16>& sum,
                    float scale) {
  float sign = scale < 0.0f ? -1.0f : 1.0f;
  for (int r = 0; r < 16; ++r) {
    float largest = maximum.v[r];
    for (float& x : scores.v[r]) {
      if (x != -INFINITY && x != INFINITY) x *= sign;  // -inf is masked
      if (x > largest) largest = x;
    }
    float factor = softmax_weight(maximum.v[r], largest, scale * sign);
    float total = sum.v[r] * factor;
    for (float& x : scores.v[r]) {
      x = softmax_weight(x, largest, scale * sign);
      total += x;
    }
    for (float& x : output.v[r]) x *= factor;
    maximum.v[r] = largest;
    sum.v[r] = total;
  }
}

template <int Columns, frag_layout Layout>
void softmax_merge(frag<float, 16, Columns, Layout>& output,
                   rowvec<float, 16>& maximum, rowvec<float, 16>& sum,
                   const frag<float, 16, Columns, Layout>& other_output,
                   const rowvec<float, 16>& other_maximum,
                   const rowvec<float, 16>& other_sum, float scale) {
  float size = fabsf(scale);
  for (int r = 0; r < 16; ++r) {
    float m = maximum.v[r], n = other_maximum.v[r];
    float largest = m > n ? m : n;
    float factor = softmax_weight(m, largest, size);
    float other_factor = softmax_weight(n, largest, size);
    sum.v[r] = sum.v[r] * factor + other_sum.v[r] * other_factor;
    for (int c = 0; c < Columns; ++c)
      output.v[r][c] =
          output.v[r][c] * factor + other_output.v[r][c] * other_factor;
    maximum.v[r] = largest;
  }
}

template <int Columns, frag_layout Layout>
void softmax_finish(frag<float, 16, Columns, Layout>& output,
                    rowvec<float, 16>& lse, const rowvec<float, 16>& maximum,
                    const rowvec<float, 16>& sum, float scale) {
  for (int r = 0; r < 16; ++r) {
    float total = sum.v[r], inverse = total == 0.0f ? 0.0f : 1.0f / total;
    for (float& x : output.v[r]) x = total == 0.0f ? 0.0f : x * inverse;
    lse.v[r] =
        total == 0.0f ? -INFINITY : fabsf(scale) * maximum.v[r] + logf(total);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SOFTMAX_CUH
