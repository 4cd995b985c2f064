//===- math.cuh - elementwise on fragments, masks (host) -------*- C++ -*-===//

#ifndef GSA_DEVICE_MATH_CUH
#define GSA_DEVICE_MATH_CUH

#include "gsa/device/copy.cuh"
#include "gsa/device/frag.cuh"

namespace gsa::dev {

inline constexpr float log2e = 1.44269504088896341f;

inline float sigmoid(float x) { return 1.0f / (1.0f + exp2f(-x * log2e)); }

/// identity; sigmoid; tanh: (tanh x + 1) / 2, which is sigmoid(2 x); silu:
/// x sigmoid(x), NaN at -inf as in IEEE arithmetic; relu; fast_tanh: tanh x
/// with the bits of the host. NaN stays NaN.
template <activation Activation>
float activate_scalar(float x) {
  if (Activation == activation::sigmoid) return sigmoid(x);
  if (Activation == activation::tanh) return sigmoid(2.0f * x);
  if (Activation == activation::silu) return x * sigmoid(x);
  if (Activation == activation::relu) return x < 0.0f ? 0.0f : x;
  if (Activation == activation::fast_tanh) return tanhf(x);
  return x;
}

template <class T, int Rows, int Columns, frag_layout Layout>
void fill(frag<T, Rows, Columns, Layout>& target, float value) {
  for (auto& row : target.v)
    for (T& x : row) x = convert_to<T>(value);
}
template <class T, int Rows>
void fill_rows(rowvec<T, Rows>& target, float value) {
  for (T& x : target.v) x = convert_to<T>(value);
}

template <class T>
void fill_halves(rowvec<T, 16>& target, float first, float last) {
  for (int r = 0; r < 16; ++r)
    target.v[r] = convert_to<T>(r < 8 ? first : last);
}

template <class T, int Rows, int Columns, frag_layout Layout>
void affine(frag<T, Rows, Columns, Layout>& frag, float scale, float offset) {
  for (auto& row : frag.v)
    for (T& x : row) x = convert_to<T>(fmaf(to_float(x), scale, offset));
}
template <int Rows, int Columns, frag_layout Layout>
void affine_rows(frag<float, Rows, Columns, Layout>& frag, float scale,
                 const rowvec<float, Rows>& offsets) {
  for (int r = 0; r < Rows; ++r)
    for (float& x : frag.v[r]) x = fmaf(x, scale, offsets.v[r]);
}

template <activation Activation, class T, int Rows, int Columns,
          frag_layout Layout>
void activate(frag<T, Rows, Columns, Layout>& frag) {
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

template <int Columns, frag_layout Layout>
void add_row_pairs(frag<float, 8, Columns, Layout>& target,
                   const frag<float, 16, Columns, Layout>& source,
                   const rowvec<float, 16>& weights) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c)
      target.v[r % 8][c] =
          fmaf(weights.v[r], source.v[r][c], target.v[r % 8][c]);
}

template <activation Activation, bool Pairs = false, class T, int Columns,
          frag_layout Layout, class View>
void gate_rows(frag<T, 16, Columns, Layout>& frag, View view, int first,
               int columns, bool per_row) {
  columns = columns < Columns ? columns : Columns;
  for (int r = 0; r < 16; ++r) {
    int number = view.find("gate_rows", first + r);
    if (!view.holds(number) || columns <= 0) continue;
    const auto* logits = view.row(number);
    if (Pairs) check_vector("gate_rows", logits, 2 * sizeof(*logits));
    int read = Pairs ? columns + columns % 2 : columns;
    emu::checkGlobal("gate_rows", logits,
                     (per_row ? 1 : read) * sizeof(*logits), false);
    for (int c = 0; c < columns; ++c) {
      float logit = to_float(logits[per_row ? 0 : c]);
      frag.v[r][c] = convert_to<T>(to_float(frag.v[r][c]) *
                                   activate_scalar<Activation>(logit));
    }
  }
}

template <activation Activation, class S, int Rows, int Columns,
          smem_layout Layout, smem_layout GateLayout>
void gate_tile(smem<float, Rows, Columns, Layout> target,
               smem<S, Rows, Columns, GateLayout> gate, int row, int rows) {
  for (int r = row; r < row + 16 && r < row + rows; ++r)
    for (int c = 0; c < Columns; ++c)
      target.set("gate_tile", r, c,
                 target.get("gate_tile", r, c) *
                     activate_scalar<Activation>(
                         to_float(gate.get("gate_tile", r, c))));
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

template <int Rows, int Columns, frag_layout Layout>
void mask_causal(frag<float, Rows, Columns, Layout>& frag, int row, int column,
                 int rows_per_query) {
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c)
      if (column + c > row + r / rows_per_query) frag.v[r][c] = -INFINITY;
}

template <int Columns, frag_layout Layout, class View>
void mask_rows(frag<float, 16, Columns, Layout>& frag, View view, int first) {
  for (int c = 0; c < Columns; ++c)
    if (!view.holds(view.find("mask_rows", first + c)))
      for (auto& row : frag.v) row[c] = -INFINITY;
}

template <int RowsPerBit, int Columns, frag_layout Layout, int WordsRows,
          int WordsColumns, smem_layout WordsLayout>
void mask_words(frag<float, 16, Columns, Layout>& frag,
                smem<int, WordsRows, WordsColumns, WordsLayout> words, int line,
                int column, int row) {
  if (row < 0 || (row + 15) / RowsPerBit > 31)
    emu::fail("mask_words",
              "rows %d to %d of words of 32 bits for %d rows each", row,
              row + 15, RowsPerBit);
  for (int c = 0; c < Columns; ++c) {
    auto word =
        static_cast<uint32_t>(words.get("mask_words", line, column + c));
    for (int r = 0; r < 16; ++r)
      if ((word >> ((row + r) / RowsPerBit) & 1) == 0) frag.v[r][c] = -INFINITY;
  }
}

template <int RowsPerString, int Columns, frag_layout Layout, int BitsRows,
          int BitsColumns, smem_layout BitsLayout>
void mask_bits(frag<float, 16, Columns, Layout>& frag,
               smem<int, BitsRows, BitsColumns, BitsLayout> bits, int line,
               int row) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c) {
      int word = (row + r) / RowsPerString * (Columns / 32) + c / 32;
      auto mine = static_cast<uint32_t>(bits.get("mask_bits", line, word));
      if ((mine >> (c % 32) & 1) == 0) frag.v[r][c] = -INFINITY;
    }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MATH_CUH
