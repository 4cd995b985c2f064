//===- frag.cuh - fragments and row vectors (host) -------------*- C++ -*-===//

#ifndef GSA_DEVICE_FRAG_CUH
#define GSA_DEVICE_FRAG_CUH

#include "gsa/device/global.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/emu/flight.h"

namespace gsa::dev {

/// A tile of one warp. The layout over lanes is not modelled.
template <class T, int Rows, int Columns, frag_layout Layout>
struct frag {
  static_assert(Rows == 16, "a fragment has 16 rows");
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

template <class T, int Columns, frag_layout FragLayout, class S, int TileRows,
          int TileColumns, smem_layout Layout>
void put_frag(smem<T, TileRows, TileColumns, Layout> target, int row,
              const frag<S, 16, Columns, FragLayout>& source) {
  for (int r = 0; r < 16; ++r) {
    T values[Columns];
    for (int c = 0; c < Columns; ++c) values[c] = convert_to<T>(source.v[r][c]);
    memcpy(target.address("put_frag", row + r, 0, Columns), values,
           sizeof(values));
  }
}

template <class T, int Columns, frag_layout FragLayout, class S, int TileRows,
          int TileColumns, smem_layout Layout>
void take_frag(frag<T, 16, Columns, FragLayout>& target,
               smem<S, TileRows, TileColumns, Layout> source, int row) {
  for (int r = 0; r < 16; ++r) {
    S values[Columns];
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

template <class T, class S, int Columns, frag_layout Layout>
void store_rows(T* target, long long pitch,
                const frag<S, 16, Columns, Layout>& source, int rows,
                int columns) {
  columns = columns < Columns ? columns : Columns;
  for (int r = 0; r < 16 && r < rows && columns > 0; ++r) {
    emu::checkGlobal("store_rows", target + r * pitch, columns * sizeof(T),
                     true);
    for (int c = 0; c < columns; ++c)
      target[r * pitch + c] = convert_to<T>(source.v[r][c]);
  }
}

template <class T, class S, int Rows>
void load_rowvec(rowvec<T, Rows>& target, const S* source, long long pitch,
                 int rows) {
  for (int r = 0; r < Rows; ++r) {
    if (r < rows)
      emu::checkGlobal("load_rowvec", source + r * pitch, sizeof(S), false);
    target.v[r] = r < rows ? convert_to<T>(source[r * pitch]) : T{};
  }
}

template <class T, class S, int Rows>
void store_rowvec(T* target, long long pitch, const rowvec<S, Rows>& source,
                  int rows) {
  for (int r = 0; r < Rows && r < rows; ++r) {
    emu::checkGlobal("store_rowvec", target + r * pitch, sizeof(T), true);
    target[r * pitch] = convert_to<T>(source.v[r]);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_FRAG_CUH
