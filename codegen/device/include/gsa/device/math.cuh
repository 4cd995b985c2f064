//===- math.cuh - elementwise functions and masks -*- CUDA -*-===//

#ifndef GSA_DEVICE_MATH_CUH
#define GSA_DEVICE_MATH_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/math.cuh"
#include "gsa/device/ptx/predicated.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

inline constexpr float log2e = 1.44269504088896341f;

/// 1 / (1 + 2^(-x log2 e)). Absolute error below 3e-7: of the derivative times
/// the relative error of ex2 (2^-22, and |x| 2^-23 for its argument), of the
/// sum and of rcp (2^-23). Exact 0 and 1 at the infinities; NaN stays NaN.
GSA_DEVICE float sigmoid(float x) {
  return ptx::rcp(1.0f + ptx::ex2(-x * log2e));
}

/// identity; sigmoid; tanh: (tanh x + 1) / 2, which is sigmoid(2 x); silu:
/// x sigmoid(x), NaN at -inf as in IEEE arithmetic; relu; fast_tanh: tanh x
/// by one instruction. NaN stays NaN.
template <activation Activation>
GSA_DEVICE float activate_scalar(float x) {
  if constexpr (Activation == activation::sigmoid) return sigmoid(x);
  if constexpr (Activation == activation::tanh) return sigmoid(2.0f * x);
  if constexpr (Activation == activation::silu) return x * sigmoid(x);
  if constexpr (Activation == activation::relu) return ptx::max_nan(x, 0.0f);
  if constexpr (Activation == activation::fast_tanh) return ptx::tanh(x);
  return x;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

template <class T, int R, int C, frag_layout L>
GSA_DEVICE void fill(frag<T, R, C, L>& target, float value) {
  for_elements(target, [=](T& x, int, int) { x = convert_to<T>(value); });
}

/// A left operand, packed or not.
template <class T, int C>
GSA_DEVICE void fill(frag<T, 16, C, lhs>& target, float value) {
#pragma unroll
  for (auto& block : target.x)
#pragma unroll
    for (auto& x : block)
      if constexpr (is_half<T>)
        x = pack<T>(value, value);
      else
        x = convert_to<T>(value);
}

template <class T, int R>
GSA_DEVICE void fill_rows(rowvec<T, R>& target, float value) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) target.x[h] = convert_to<T>(value);
}

/// The first and the last 8 rows.
template <class T>
GSA_DEVICE void fill_halves(rowvec<T, 16>& target, float first, float last) {
  target.x[0] = convert_to<T>(first);
  target.x[1] = convert_to<T>(last);
}

/// `frag = frag * scale + offset`, one rounding.
template <int R, int C, frag_layout L>
GSA_DEVICE void affine(frag<float, R, C, L>& frag, float scale, float offset) {
  for_elements(frag, [=](float& x, int, int) { x = fmaf(x, scale, offset); });
}

/// `frag[r, c] = frag[r, c] * scale + offsets[r]`, one rounding.
template <int R, int C, frag_layout L>
GSA_DEVICE void affine_rows(frag<float, R, C, L>& frag, float scale,
                            const rowvec<float, R>& offsets) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < R / 4; ++i)
      frag.x[j][i] = fmaf(frag.x[j][i], scale, offsets.x[i >> 1]);
}

template <activation Activation, int R, int C, frag_layout L>
GSA_DEVICE void activate(frag<float, R, C, L>& frag) {
  for_elements(frag,
               [](float& x, int, int) { x = activate_scalar<Activation>(x); });
}

template <activation Activation, int R>
GSA_DEVICE void activate_rows(rowvec<float, R>& rows) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h)
    rows.x[h] = activate_scalar<Activation>(rows.x[h]);
}

/// `target[r, c] += weights[r] * source[r, c]`, one rounding.
template <int R, int C, frag_layout L>
GSA_DEVICE void add_scaled(frag<float, R, C, L>& target,
                           const frag<float, R, C, L>& source,
                           const rowvec<float, R>& weights) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < R / 4; ++i)
      target.x[j][i] = fmaf(weights.x[i >> 1], source.x[j][i], target.x[j][i]);
}

/// `target[r, c] += weights[r] * source[r, c] +
///                  weights[r + 8] * source[r + 8, c]`, the first term first.
template <int C, frag_layout L>
GSA_DEVICE void add_row_pairs(frag<float, 8, C, L>& target,
                              const frag<float, 16, C, L>& source,
                              const rowvec<float, 16>& weights) {
#pragma unroll
  for (int h = 0; h < 2; ++h)
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c)
        target.x[j][c] =
            fmaf(weights.x[h], source.x[j][2 * h + c], target.x[j][c]);
}

/// Two neighbouring logits, of which the first `count` exist; the others become
/// 0. With `Pairs` they are read at once.
template <bool Pairs, class T>
GSA_DEVICE pair<T> load_logits(const T* from, int count) {
  pair<T> logits = {};
  if constexpr (Pairs) {
    if (count > 0) logits = *reinterpret_cast<const pair<T>*>(from);
  } else {
    if (count > 0) logits.x = from[0];
    if (count > 1) logits.y = from[1];
  }
  return logits;
}

/// The logits of 128 columns are under way together, those of all rows: they
/// come from far, and nothing else is left for a block to do.
template <activation Activation, bool Pairs, class Pointer, int R, int C,
          frag_layout L>
GSA_DEVICE void gate_columns(frag<float, R, C, L>& frag,
                             const Pointer (&from)[R / 8],
                             const bool (&held)[R / 8], int columns) {
  constexpr int together = C / 8 < 16 ? C / 8 : 16;
#pragma unroll
  for (int begin = 0; begin < C / 8; begin += together) {
    decltype(load_logits<Pairs>(from[0], 0)) logits[R / 8][together];
#pragma unroll
    for (int h = 0; h < R / 8; ++h)
#pragma unroll
      for (int j = 0; j < together; ++j) {
        int column = frag_column(begin + j, 0);
        if (begin + j < C / 8)
          logits[h][j] = load_logits<Pairs>(from[h] + column,
                                            held[h] ? columns - column : 0);
      }
#pragma unroll
    for (int h = 0; h < R / 8; ++h) {
      if (!held[h]) continue;
#pragma unroll
      for (int j = 0; j < together; ++j) {
        if (begin + j >= C / 8) continue;
        int column = frag_column(begin + j, 0);
        float* x = &frag.x[begin + j][2 * h];
        if (column < columns)
          x[0] *= activate_scalar<Activation>(to_float(logits[h][j].x));
        if (column + 1 < columns)
          x[1] *= activate_scalar<Activation>(to_float(logits[h][j].y));
      }
    }
  }
}

/// `frag[r, c] *= act(view[first + r, c])` for rows that exist, c < columns;
/// with `per_row` the logit is `view[first + r, 0]` for the whole row. With
/// `Pairs` rows and `columns` are whole pairs, which lie on multiples of their
/// bytes.
template <activation Activation, bool Pairs = false, int R, int C,
          frag_layout L, class View>
GSA_DEVICE void gate_rows(frag<float, R, C, L>& frag, View view, int first,
                          int columns, bool per_row) {
  bool held[R / 8];
  decltype(view.row(0)) from[R / 8];
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    int number = view.find(first + frag_row(2 * h));
    held[h] = view.holds(number);
    from[h] = view.row(held[h] ? number : 0);
  }
  if (!per_row)
    return gate_columns<Activation, Pairs>(frag, from, held, columns);
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    if (!held[h]) continue;
    float shared = activate_scalar<Activation>(to_float(*from[h]));
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c)
        if (frag_column(j, c) < columns) frag.x[j][2 * h + c] *= shared;
  }
}

/// `target[row + r, c] *= act(gate[row + r, c])`, r < 16 and r < rows, of rows
/// that this warp put there. A lane has 8 neighbours: 16 bytes of 16-bit
/// logits.
template <activation Activation, class S, int R, int C, smem_layout L,
          smem_layout GateL>
GSA_DEVICE void gate_tile(smem<float, R, C, L> target,
                          smem<S, R, C, GateL> gate, int row, int rows) {
  static_assert(C % 8 == 0, "rows are whole groups of 8");
  __syncwarp();
#pragma unroll 1
  for (int i = lane(); i < min(rows, 16) * (C / 8); i += 32) {
    int r = row + i / (C / 8), column = i % (C / 8) * 8;
    auto logits = load_neighbours<8>(gate, r, column);
    auto values = load_neighbours<8>(target, r, column);
#pragma unroll
    for (int c = 0; c < 8; ++c)
      values.x[c] *= activate_scalar<Activation>(to_float(logits.x[c]));
    store_neighbours(target, r, column, values);
  }
  __syncwarp();
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// -inf where column + c > row + r / rows_per_query.
template <int R, int C, frag_layout L>
GSA_DEVICE void mask_causal(frag<float, R, C, L>& frag, int row, int column,
                            int rows_per_query) {
  int last[2] = {row + frag_row(0) / rows_per_query - column,
                 row + frag_row(2) / rows_per_query - column};
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < R / 4; ++i)
      if (frag_column(j, i) > last[i >> 1]) frag.x[j][i] = -infinity();
}

/// -inf in column c unless row first + c exists.
template <int R, int C, frag_layout L, class View>
GSA_DEVICE void mask_rows(frag<float, R, C, L>& frag, View view, int first) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int c = 0; c < 2; ++c)
      if (!view.holds(view.find(first + frag_column(j, c))))
#pragma unroll
        for (int h = 0; h < R / 8; ++h) frag.x[j][2 * h + c] = -infinity();
}

/// -inf in element (r, c) unless bit (row + r) / RowsPerBit of
/// words[line, column + c] is set.
template <int RowsPerBit, int R, int C, frag_layout L, int WordsR, int WordsC,
          smem_layout WordsL>
GSA_DEVICE void mask_words(frag<float, R, C, L>& frag,
                           smem<int, WordsR, WordsC, WordsL> words, int line,
                           int column, int row) {
  unsigned bits[2] = {static_cast<unsigned>(row + frag_row(0)) / RowsPerBit,
                      static_cast<unsigned>(row + frag_row(2)) / RowsPerBit};
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      auto word =
          static_cast<unsigned>(words.at(line, column + frag_column(j, c)));
#pragma unroll
      for (int h = 0; h < R / 8; ++h)
        if ((word >> bits[h] & 1u) == 0) frag.x[j][2 * h + c] = -infinity();
    }
}

/// The same by a string of bits for each row: string s is words s C / 32 and on
/// of the line. A lane's columns are 8 j + c from its first one on, so that a
/// shift by that leaves bits at constant places.
template <int RowsPerString, int R, int C, frag_layout L, int BitsR, int BitsC,
          smem_layout BitsL>
GSA_DEVICE void mask_bits(frag<float, R, C, L>& frag,
                          smem<int, BitsR, BitsC, BitsL> bits, int line,
                          int row) {
  static_assert(C % 32 == 0, "strings are whole words");
  constexpr int words = C / 32;
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    unsigned string =
        static_cast<unsigned>(row + frag_row(2 * h)) / RowsPerString;
#pragma unroll
    for (int w = 0; w < words; ++w) {
      auto mine = static_cast<unsigned>(
                      bits.at(line, static_cast<int>(string) * words + w)) >>
                  frag_column(0, 0);
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c)
          if ((mine & (1u << (8 * j + c))) == 0)
            frag.x[4 * w + j][2 * h + c] = -infinity();
    }
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MATH_CUH
