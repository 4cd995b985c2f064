//===- math.cuh - elementwise on fragments, masks (host) -------*- C++ -*-===//

#ifndef GSA_DEVICE_MATH_CUH
#define GSA_DEVICE_MATH_CUH

#include "gsa/device/copy.cuh"
#include "gsa/device/frag.cuh"

namespace gsa::dev {

inline constexpr float log2e = 1.44269504088896341f;

inline float sigmoid(float x) { return 1.0f / (1.0f + exp2f(-x * log2e)); }

/// identity; sigmoid; tanh: (tanh x + 1) / 2, which is sigmoid(2 x); silu:
/// x sigmoid(x), NaN at -inf as in IEEE arithmetic; relu. NaN stays NaN.
template <activation Activation>
float activate_scalar(float x) {
  if (Activation == activation::sigmoid) return sigmoid(x);
  if (Activation == activation::tanh) return sigmoid(2.0f * x);
  if (Activation == activation::silu) return x * sigmoid(x);
  if (Activation == activation::relu) return x < 0.0f ? 0.0f : x;
  return x;
}

template <class T, int Columns, frag_layout Layout>
void fill(frag<T, 16, Columns, Layout>& target, float value) {
  for (auto& row : target.v)
    for (T& x : row) x = convert_to<T>(value);
}
template <class T, int Rows>
void fill_rows(rowvec<T, Rows>& target, float value) {
  for (T& x : target.v) x = convert_to<T>(value);
}

template <class T, int Columns, frag_layout Layout>
void affine(frag<T, 16, Columns, Layout>& frag, float scale, float offset) {
  for (auto& row : frag.v)
    for (T& x : row) x = convert_to<T>(fmaf(to_float(x), scale, offset));
}

template <activation Activation, class T, int Columns, frag_layout Layout>
void activate(frag<T, 16, Columns, Layout>& frag) {
  for (auto& row : frag.v)
    for (T& x : row)
      x = convert_to<T>(activate_scalar<Activation>(to_float(x)));
}
template <activation Activation, class T, int Rows>
void activate_rows(rowvec<T, Rows>& rows) {
  for (T& x : rows.v)
    x = convert_to<T>(activate_scalar<Activation>(to_float(x)));
}

template <class T, class W, int Columns, frag_layout Layout>
void add_scaled(frag<T, 16, Columns, Layout>& target,
                const frag<T, 16, Columns, Layout>& source,
                const rowvec<W, 16>& weights) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c)
      target.v[r][c] =
          convert_to<T>(fmaf(to_float(weights.v[r]), to_float(source.v[r][c]),
                             to_float(target.v[r][c])));
}

template <activation Activation, class T, class L, int Columns,
          frag_layout Layout>
void gate_rows(frag<T, 16, Columns, Layout>& frag, const L* logits,
               long long pitch, int rows, int columns, bool per_row) {
  columns = columns < Columns ? columns : Columns;
  for (int r = 0; r < 16 && r < rows && columns > 0; ++r) {
    emu::checkGlobal("gate_rows", logits + r * pitch,
                     (per_row ? 1 : columns) * sizeof(L), false);
    for (int c = 0; c < columns; ++c) {
      float logit = to_float(logits[r * pitch + (per_row ? 0 : c)]);
      frag.v[r][c] = convert_to<T>(to_float(frag.v[r][c]) *
                                   activate_scalar<Activation>(logit));
    }
  }
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

template <int Columns, frag_layout Layout>
void mask_columns(frag<float, 16, Columns, Layout>& frag, int first, int end) {
  for (auto& row : frag.v)
    for (int c = 0; c < Columns; ++c)
      if (first + c >= end) row[c] = -INFINITY;
}

template <int Columns, frag_layout Layout>
void mask_causal(frag<float, 16, Columns, Layout>& frag, int row, int column,
                 int rows_per_query) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c)
      if (column + c > row + r / rows_per_query) frag.v[r][c] = -INFINITY;
}

template <int Columns, frag_layout Layout, int ListRows, int ListColumns,
          smem_layout ListLayout>
void mask_list(frag<float, 16, Columns, Layout>& frag,
               smem<int, ListRows, ListColumns, ListLayout> list, int begin,
               int end, int limit) {
  for (int c = 0; c < Columns; ++c) {
    int entry = begin + c < end ? list_entry("mask_list", list, begin + c) : -1;
    if (entry >= 0 && entry < limit) continue;
    for (auto& row : frag.v) row[c] = -INFINITY;
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MATH_CUH
