//===- frag.cuh - tiles and row vectors in registers -*- CUDA -*-===//
//
// A fragment has 16 rows; one of layout acc that is no operand of a product may
// have the first 8 of them alone. With g = lane / 4 and t = lane mod 4 (PTX
// ISA, fragments of mma.m16n8k16):
//
//   acc     x[j][0..3] are (g, 8j + 2t), (g, 8j + 2t + 1),
//           (g + 8, 8j + 2t), (g + 8, 8j + 2t + 1)
//   lhs     16-bit elements: x[j] is the left operand of
//           m16n8k16 for columns 16j to 16j + 15. For float as acc: only
//           load_lhs, convert and the products look inside.
//
// A row vector holds the values of the rows of a lane, g and (of 16) g + 8, in
// each of the four lanes of a row.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_FRAG_CUH
#define GSA_DEVICE_FRAG_CUH

#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

/// Neighbouring columns of a lane, in memory.
template <class T>
struct alignas(2 * sizeof(T)) pair {
  T x, y;
};

template <class T, int Rows, int Columns, frag_layout Layout>
struct frag {
  static_assert(Rows == 16 || (Rows == 8 && Layout == acc),
                "a fragment has 16 rows, or 8 of layout acc");
  static_assert(Columns >= 8 && Columns % 8 == 0,
                "columns of a fragment are a multiple of 8");
  using element = T;
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  static constexpr int blocks = Columns / 8;
  T x[blocks][Rows / 4];
};

/// Left operand with packed 16-bit elements.
template <class T, int Rows, int Columns>
struct packed_lhs {
  static_assert(Rows == 16 && Columns >= 16 && Columns % 16 == 0,
                "a left operand has 16 rows and a multiple of 16 columns");
  using element = T;
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  static constexpr int blocks = Columns / 16;
  unsigned x[blocks][4];
};
template <int Rows, int Columns>
struct frag<bf16, Rows, Columns, lhs> : packed_lhs<bf16, Rows, Columns> {};
template <int Rows, int Columns>
struct frag<f16, Rows, Columns, lhs> : packed_lhs<f16, Rows, Columns> {};

template <class T, int Rows>
struct rowvec {
  static_assert(Rows == 16 || Rows == 8, "a row vector has 16 or 8 rows");
  using element = T;
  static constexpr int rows = Rows;
  T x[Rows / 8];
};

/// Contents are undefined to the caller; zeros cost nothing where they are
/// overwritten, and keep a mistake the same in every run.
template <class Frag>
GSA_DEVICE Frag frag_alloc() {
  return Frag{};
}
template <class Rows>
GSA_DEVICE Rows rowvec_alloc() {
  return Rows{};
}

/// Row of element i (0 to 3) of a block, or of element i / 2 of a row vector.
GSA_DEVICE int frag_row(int i) { return (lane() >> 2) + 8 * (i >> 1); }

/// Column of element i of block j.
GSA_DEVICE int frag_column(int j, int i) {
  return 8 * j + 2 * (lane() & 3) + (i & 1);
}

/// Calls `f(element, row, column)` for the elements of this lane.
template <class T, int Rows, int Columns, frag_layout Layout, class F>
GSA_DEVICE void for_elements(frag<T, Rows, Columns, Layout>& frag, F f) {
  static_assert(Layout != lhs, "elements of a left operand are not visited");
#pragma unroll
  for (int j = 0; j < Columns / 8; ++j)
#pragma unroll
    for (int i = 0; i < Rows / 4; ++i)
      f(frag.x[j][i], frag_row(i), frag_column(j, i));
}

/// Maximum and sum over the four lanes that hold a row. The maximum ignores
/// NaN.
GSA_DEVICE float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}
GSA_DEVICE float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_FRAG_CUH
