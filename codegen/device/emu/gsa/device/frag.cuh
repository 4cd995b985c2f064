//===- frag.cuh - fragments and row vectors (host) -------------*- C++ -*-===//

#ifndef GSA_DEVICE_FRAG_CUH
#define GSA_DEVICE_FRAG_CUH

#include "gsa/device/global.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/emu/flight.h"

namespace gsa::dev {

/// A tile of one warp. The layout over lanes is not modelled.
template <class T, int Rows, int Columns, frag_layout Layout>
struct frag {
  static_assert(Rows == 16 || (Rows == 8 && Layout == acc),
                "a fragment has 16 rows, or 8 of layout acc");
  static_assert(Columns >= 8 && Columns % 8 == 0,
                "columns of a fragment are a multiple of 8");
  using element = T;
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  T v[Rows][Columns];

  ~frag() { emu::flight.leave(this); }
};

template <class T, int Rows>
struct rowvec {
  using element = T;
  static constexpr int rows = Rows;
  T v[Rows];
};

/// Contents undefined: NaN.
template <class Frag>
Frag frag_alloc() {
  Frag frag;
  emu::poison(frag.v, sizeof(frag.v));
  return frag;
}
template <class Rows>
Rows rowvec_alloc() {
  Rows rows;
  emu::poison(rows.v, sizeof(rows.v));
  return rows;
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

template <class T, int Columns, int TileRows, int TileColumns,
          smem_layout Layout>
void load_lhs(frag<T, 16, Columns, lhs>& target,
              smem<T, TileRows, TileColumns, Layout> source, int row) {
  for (int r = 0; r < 16; ++r)
    memcpy(target.v[r], source.address("load_lhs", row + r, 0, Columns),
           Columns * sizeof(T));
}

template <class T, int Columns, int TileRows, int TileColumns,
          smem_layout Layout>
void load_lhs_transposed(frag<T, 16, Columns, lhs>& target,
                         smem<T, TileRows, TileColumns, Layout> source, int row,
                         int column) {
  if (sizeof(T) == 2 && column % 8 != 0)
    emu::fail("load_lhs_transposed", "column %d is no multiple of 8", column);
  for (int k = 0; k < Columns; ++k)
    for (int m = 0; m < 16; ++m)
      target.v[m][k] = source.get("load_lhs_transposed", row + k, column + m);
}

template <int Held = 16, class T, int Columns, frag_layout FragLayout, class S,
          int TileRows, int TileColumns, smem_layout Layout>
void put_frag(smem<T, TileRows, TileColumns, Layout> target, int row,
              const frag<S, 16, Columns, FragLayout>& source) {
  for (int r = 0; r < Held; ++r) {
    T values[Columns];
    for (int c = 0; c < Columns; ++c) values[c] = convert_to<T>(source.v[r][c]);
    memcpy(target.address("put_frag", row + r, 0, Columns), values,
           sizeof(values));
  }
}

template <int Held = 16, class T, int Columns, frag_layout FragLayout, class S,
          int TileRows, int TileColumns, smem_layout Layout>
void take_frag(frag<T, 16, Columns, FragLayout>& target,
               smem<S, TileRows, TileColumns, Layout> source, int row) {
  for (int r = 0; r < 16; ++r) {
    S values[Columns] = {};
    if (r < Held)
      memcpy(values, source.address("take_frag", row + r, 0, Columns),
             sizeof(values));
    for (int c = 0; c < Columns; ++c) target.v[r][c] = convert_to<T>(values[c]);
  }
}

template <class T, class S, int Rows, int TileRows, int TileColumns,
          smem_layout Layout>
void put_rowvec(smem<T, TileRows, TileColumns, Layout> target, int row,
                const rowvec<S, Rows>& source) {
  for (int r = 0; r < Rows; ++r)
    target.set("put_rowvec", row, r, convert_to<T>(source.v[r]));
}

template <class T, class S, int Rows, int TileRows, int TileColumns,
          smem_layout Layout>
void take_rowvec(rowvec<T, Rows>& target,
                 smem<S, TileRows, TileColumns, Layout> source, int row) {
  for (int r = 0; r < Rows; ++r)
    target.v[r] = convert_to<T>(source.get("take_rowvec", row, r));
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

template <class View, class S, int Rows, int Columns, frag_layout Layout>
void store_rows(View view, int first,
                const frag<S, Rows, Columns, Layout>& source, int columns) {
  using T = typename View::element;
  columns = columns < Columns ? columns : Columns;
  for (int r = 0; r < Rows; ++r) {
    int number = view.find("store_rows", first + r);
    if (!view.holds(number) || columns <= 0) continue;
    T* target = view.row(number);
    emu::checkGlobal("store_rows", target, columns * sizeof(T), true);
    for (int c = 0; c < columns; ++c) target[c] = convert_to<T>(source.v[r][c]);
  }
}

template <class View, int Rows, int Columns>
void accumulate_rows(View view, int first,
                     const frag<float, Rows, Columns, acc>& source,
                     int columns) {
  columns = columns < Columns ? columns : Columns;
  for (int r = 0; r < Rows; ++r) {
    int number = view.find("accumulate_rows", first + r);
    if (!view.holds(number) || columns <= 0) continue;
    float* target = view.row(number);
    emu::checkGlobal("accumulate_rows", target, columns * sizeof(float), true);
    for (int c = 0; c < columns; ++c)
      add_atomically(target + c, source.v[r][c]);
  }
}

template <int VectorBytes, class View, class S, int TileRows, int TileColumns,
          smem_layout Layout>
void store_tile(View view, int first,
                smem<S, TileRows, TileColumns, Layout> source, int row,
                int rows, int columns) {
  using T = typename View::element;
  if (columns * static_cast<int>(sizeof(T)) % VectorBytes != 0)
    emu::fail("store_tile", "%d columns are no whole vectors of %d bytes",
              columns, VectorBytes);
  for (int r = 0; r < 16 && r < rows; ++r) {
    int number = view.find("store_tile", first + r);
    if (!view.holds(number) || columns <= 0) continue;
    T* target = view.row(number);
    emu::checkGlobal("store_tile", target, columns * sizeof(T), true);
    if (reinterpret_cast<unsigned long long>(target) % VectorBytes != 0)
      emu::fail("store_tile", "a row does not begin at a multiple of %d bytes",
                VectorBytes);
    for (int c = 0; c < columns; ++c)
      target[c] = convert_to<T>(source.get("store_tile", row + r, c));
  }
}

template <class T, int Rows, class View>
void load_rowvec(rowvec<T, Rows>& target, View view, int first) {
  for (int r = 0; r < Rows; ++r) {
    int number = view.find("load_rowvec", first + r);
    target.v[r] = T{};
    if (!view.holds(number)) continue;
    emu::checkGlobal("load_rowvec", view.row(number), sizeof(*view.base),
                     false);
    target.v[r] = convert_to<T>(*view.row(number));
  }
}

template <class View, class S, int Rows>
void store_rowvec(View view, int first, const rowvec<S, Rows>& source) {
  using T = typename View::element;
  for (int r = 0; r < Rows; ++r) {
    int number = view.find("store_rowvec", first + r);
    if (!view.holds(number)) continue;
    emu::checkGlobal("store_rowvec", view.row(number), sizeof(T), true);
    *view.row(number) = convert_to<T>(source.v[r]);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_FRAG_CUH
