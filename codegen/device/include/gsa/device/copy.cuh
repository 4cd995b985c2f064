//===- copy.cuh - movement of tiles -*- CUDA -*-===//
//
// Global to shared memory by a team: a thread moves units of `VectorBytes`.
// The units of a row go to neighbouring threads, so that a warp reads whole
// rows, and a thread keeps its column when the team divides into rows.
//
// Nothing outside the stated rows and columns is read: an address is formed
// from an index only after the index was checked.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_COPY_CUH
#define GSA_DEVICE_COPY_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/reduce.cuh"
#include "gsa/device/rows.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Global to shared memory
//===----------------------------------------------------------------------===//

/// Bytes of the unit that starts at byte `first` of a row of `bytes`.
template <int VectorBytes>
GSA_DEVICE int valid_bytes(int first, int bytes) {
  int left = bytes - first;
  return left < 0 ? 0 : left > VectorBytes ? VectorBytes : left;
}

/// Moves one unit, or writes zeros where there is none. `source` is an address
/// of the array in either case.
template <int VectorBytes>
GSA_DEVICE void copy_unit(unsigned char* target, const unsigned char* source,
                          bool exists) {
  if constexpr (VectorBytes >= 4) {
    ptx::cp_async_or_zeros<VectorBytes>(shared_address(target), source, exists);
  } else {
    static_assert(VectorBytes == 2, "units of 16, 8, 4 or 2 bytes");
    *reinterpret_cast<unsigned short*>(target) =
        exists ? *reinterpret_cast<const unsigned short*>(source) : 0;
  }
}

/// Moves the first `valid` bytes of a unit; the rest of it becomes 0.
template <int VectorBytes>
GSA_DEVICE void copy_part(unsigned char* target, const unsigned char* source,
                          int valid) {
  if constexpr (VectorBytes >= 4) {
    ptx::cp_async<VectorBytes>(shared_address(target), source, valid);
  } else if (valid == 1) {
    *reinterpret_cast<unsigned short*>(target) = *source;
  } else {
    copy_unit<VectorBytes>(target, source, valid == VectorBytes);
  }
}

/// Copies rows to a tile, `find(step, row)` of a thread's unit in the tile's
/// row gives the number of the row of the view.
template <class Team, int VectorBytes, class T, int R, int C, smem_layout L,
          class View, class Find, class Behind>
GSA_DEVICE void copy_units(smem<T, R, C, L> target, const View& view,
                           int columns, Find find, Behind behind_batch) {
  using tile = smem<T, R, C, L>;
  constexpr int size = static_cast<int>(sizeof(T));
  static_assert(tile::row_bytes % VectorBytes == 0, "rows are whole vectors");
  static_assert(VectorBytes >= size, "a vector holds an element");
  constexpr int units = tile::row_bytes / VectorBytes;
  constexpr int steps = (R * units + Team::threads - 1) / Team::threads;
  using position = unit_position<Team::threads, units>;
  // Rows are looked up in batches before their copies start: the compiler may
  // not move a load over an asynchronous copy.
  constexpr int batch = steps < 8 ? steps : 8;
  // Each thread then has a unit of the tile in each step of each batch.
  constexpr bool even = R * units % Team::threads == 0 && steps % batch == 0;
  // A thread whose units are whole groups of 8 rows apart keeps its place in
  // the swizzle, which the compiler does not see.
  constexpr int apart = Team::threads / units;
  constexpr bool steady = Team::threads % units == 0 && apart % 8 == 0 &&
                          L == smem_layout::swizzle_128b;
  int thread = Team::thread();
  int bytes = columns * size;
  // Known to the compiler where `columns` is, and then without a branch.
  bool whole = bytes % VectorBytes == 0;
  position start(thread, 0);
  unsigned char* place =
      target.base + target.offset(start.row, start.unit * VectorBytes / size);
#pragma unroll 1
  for (int step = 0; step < steps; step += batch) {
    int rows[batch];
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      position p(thread, step + i);
      rows[i] = even || p.row < R ? find(step + i, p.row) : -1;
    }
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      position p(thread, step + i);
      if (!even && p.row >= R) continue;
      int byte = p.unit * VectorBytes;
      // Known as well, where rows are whole.
      bool inside = byte < bytes, exists = inside && view.holds(rows[i]);
      // The selected numbers have 32 bits; 0 is an address of the array.
      const unsigned char* from = reinterpret_cast<const unsigned char*>(
                                      view.row(exists ? rows[i] : 0)) +
                                  (inside ? byte : 0);
      unsigned char* to = steady
                              ? place + (step + i) * apart * 128
                              : target.base + target.offset(p.row, byte / size);
      if (whole)
        copy_unit<VectorBytes>(to, from, exists);
      else
        copy_part<VectorBytes>(
            to, from, exists ? valid_bytes<VectorBytes>(byte, bytes) : 0);
    }
    behind_batch();
  }
}

/// `target[r, c] = view[first + r, c]` for rows that exist and c < columns, 0
/// in the rest of the tile. Asynchronous unless `VectorBytes` is 2, of which
/// the addresses of rows are multiples.
template <class Team, int VectorBytes, class T, int R, int C, smem_layout L,
          class View>
GSA_DEVICE void copy_rows(smem<T, R, C, L> target, View view, int first,
                          int columns) {
  if constexpr (is_strided<View>)
    copy_units<Team, VectorBytes>(
        target, view.from(first), columns, [](int, int row) { return row; },
        [] {});
  else
    copy_units<Team, VectorBytes>(
        target, view, columns,
        [=](int, int row) { return view.find(first + row); }, [] {});
}

/// The same of rows that were found before. Numbers that are more than a batch
/// go round in their registers, until they are where they were.
template <class Team, int VectorBytes, class T, int R, int C, smem_layout L,
          class View, int Units>
GSA_DEVICE void copy_rows(smem<T, R, C, L> target, View view,
                          found_rows<Team, R, Units>& found, int columns) {
  static_assert(Units * VectorBytes == smem<T, R, C, L>::row_bytes,
                "rows were found for tiles of this shape");
  constexpr int steps = found_rows<Team, R, Units>::steps;
  copy_units<Team, VectorBytes>(
      target, view, columns,
      [&](int step, int) { return found.number[step % 8]; },
      [&] {
        if constexpr (steps > 8) found.rotate();
      });
}

/// Asks for rows of `columns` to be in the second-level cache, of those of
/// `Rows` from `first` on that exist, a line to a thread. A line that a row
/// shares with the one behind it may be asked for twice.
template <class Team, int Rows, class View>
GSA_DEVICE void prefetch_rows(View view, int first, int columns) {
  constexpr int line = 128;
  int bytes = columns * static_cast<int>(sizeof(typename View::element));
  int lines = (bytes + line - 1) / line;
#pragma unroll 1
  for (int i = Team::thread(); i < Rows * lines; i += Team::threads) {
    int number = view.find(first + i / lines);
    if (view.holds(number))
      ptx::prefetch_l2(
          reinterpret_cast<const unsigned char*>(view.row(number)) +
          i % lines * line);
  }
}

//===----------------------------------------------------------------------===//
// Registers to global memory and back
//===----------------------------------------------------------------------===//

/// `view[first + r, c] = T(source[r, c])` for rows that exist, c < columns.
template <class View, class S, int R, int C, frag_layout L>
GSA_DEVICE void store_rows(View view, int first, const frag<S, R, C, L>& source,
                           int columns) {
  using T = typename View::element;
  bool paired = view.paired() && (columns & 1) == 0;
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    int number = view.find(first + frag_row(2 * h));
    if (!view.holds(number)) continue;
    T* to = view.row(number);
    if (paired) {
#pragma unroll
      for (int j = 0; j < C / 8; ++j)
        if (int column = frag_column(j, 0); column < columns)
          *reinterpret_cast<pair<T>*>(to + column) = {
              convert_to<T>(source.x[j][2 * h]),
              convert_to<T>(source.x[j][2 * h + 1])};
    } else {
#pragma unroll
      for (int j = 0; j < C / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c)
          if (int column = frag_column(j, c); column < columns)
            to[column] = convert_to<T>(source.x[j][2 * h + c]);
    }
  }
  __syncwarp();
}

/// `view[first + r, c] += source[r, c]` for rows that exist, c < columns, among
/// the additions of others in any order.
template <class View, int R, int C>
GSA_DEVICE void accumulate_rows(View view, int first,
                                const frag<float, R, C, acc>& source,
                                int columns) {
  bool paired = view.paired() && (columns & 1) == 0;
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    int number = view.find(first + frag_row(2 * h));
    if (!view.holds(number)) continue;
    float* to = view.row(number);
    if (paired) {
#pragma unroll
      for (int j = 0; j < C / 8; ++j)
        if (int column = frag_column(j, 0); column < columns)
          ptx::red_add(to + column, source.x[j][2 * h], source.x[j][2 * h + 1]);
    } else {
#pragma unroll
      for (int j = 0; j < C / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c)
          if (int column = frag_column(j, c); column < columns)
            ptx::red_add(to + column, source.x[j][2 * h + c]);
    }
  }
  __syncwarp();
}

/// `target[r] = view[first + r, 0]`, 0 where no row exists.
template <class T, int R, class View>
GSA_DEVICE void load_rowvec(rowvec<T, R>& target, View view, int first) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    int number = view.find(first + frag_row(2 * h));
    target.x[h] = view.holds(number) ? convert_to<T>(*view.row(number))
                                     : convert_to<T>(0);
  }
}

/// `view[first + r, 0] = source[r]` for rows that exist.
template <class View, class S, int R>
GSA_DEVICE void store_rowvec(View view, int first, const rowvec<S, R>& source) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    int number = view.find(first + frag_row(2 * h));
    if ((lane() & 3) == 0 && view.holds(number))
      *view.row(number) = convert_to<typename View::element>(source.x[h]);
  }
  __syncwarp();
}

//===----------------------------------------------------------------------===//
// Registers to shared memory and back
//===----------------------------------------------------------------------===//

/// Where this lane's pairs of a fragment lie in a tile. Neighbours are
/// neighbours in every layout.
template <class T, int R, int C, smem_layout L>
struct fragment_places {
  smem<T, R, C, L> tile;
  int row;
  T* first;
  GSA_DEVICE fragment_places(smem<T, R, C, L> tile, int row)
      : tile(tile),
        row(row),
        first(&tile.at(row + frag_row(0), frag_column(0, 0))) {}
  /// Of columns 8 j and up, in the upper (0) or lower (1) half of the rows. In
  /// a linear tile at a distance from the first one that instructions hold.
  GSA_DEVICE T* at(int j, int half) const {
    if constexpr (L == linear)
      return first + half * 8 * C + 8 * j;
    else
      return &tile.at(row + frag_row(2 * half), frag_column(j, 0));
  }
};

/// The first `Rows` (8 or 16) rows of a fragment to rows `row`, row + 1, ... of
/// a tile. The warp may read it at once; other warps after a `sync`.
template <int Rows = 16, class T, int TileR, int TileC, smem_layout TileL,
          class S, int R, int C, frag_layout L>
GSA_DEVICE void put_frag(smem<T, TileR, TileC, TileL> target, int row,
                         const frag<S, R, C, L>& source) {
  static_assert(C <= TileC, "the tile is as wide as the fragment");
  __syncwarp();
  fragment_places places(target, row);
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int h = 0; h < R / 8 && h < Rows / 8; ++h) {
      T* to = places.at(j, h);
      pair<T> value{convert_to<T>(source.x[j][2 * h]),
                    convert_to<T>(source.x[j][2 * h + 1])};
      if constexpr (tile_pairs<smem<T, TileR, TileC, TileL>>) {
        *reinterpret_cast<pair<T>*>(to) = value;
      } else {
        to[0] = value.x;
        to[1] = value.y;
      }
    }
  __syncwarp();
}

/// `view[first + r, c] = T(source[row + r, c])`, r < 16 and r < rows, for rows
/// that exist and c < columns, of rows that this warp put there. Neighbouring
/// lanes write neighbouring vectors.
template <int VectorBytes, class View, class S, int R, int C, smem_layout L>
GSA_DEVICE void store_tile(View view, int first, smem<S, R, C, L> source,
                           int row, int rows, int columns) {
  using T = typename View::element;
  constexpr int width = VectorBytes / static_cast<int>(sizeof(T));
  struct alignas(VectorBytes) vector {
    T x[width];
  };
  // Known to the compiler where `columns` is.
  int units = (columns + width - 1) / width;
#pragma unroll 1
  for (int i = lane(); i < min(rows, 16) * units; i += 32) {
    int r = i / units, column = i % units * width;
    int number = view.find(first + r);
    if (!view.holds(number)) continue;
    auto from = load_neighbours<width>(source, row + r, column);
    vector values;
#pragma unroll
    for (int c = 0; c < width; ++c) values.x[c] = convert_to<T>(from.x[c]);
    *reinterpret_cast<vector*>(view.row(number) + column) = values;
  }
  __syncwarp();
}

/// Fragment from rows `row`, row + 1, ... of a tile: its first `Rows` (8 or 16)
/// rows, and zeros.
template <int Rows = 16, class T, int R, int C, frag_layout L, class S,
          int TileR, int TileC, smem_layout TileL>
GSA_DEVICE void take_frag(frag<T, R, C, L>& target,
                          smem<S, TileR, TileC, TileL> source, int row) {
  static_assert(C <= TileC, "the tile is as wide as the fragment");
  fragment_places places(source, row);
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int h = 0; h < R / 8; ++h) {
      const S* from = places.at(j, h);
      pair<S> value = {};
      if constexpr (tile_pairs<smem<S, TileR, TileC, TileL>>) {
        if (h < Rows / 8) value = *reinterpret_cast<const pair<S>*>(from);
      } else if (h < Rows / 8) {
        value = {from[0], from[1]};
      }
      target.x[j][2 * h] = convert_to<T>(value.x);
      target.x[j][2 * h + 1] = convert_to<T>(value.y);
    }
}

/// Row vector to columns 0, 1, ... of row `row` of a tile.
template <class T, int TileR, int TileC, smem_layout TileL, class S, int R>
GSA_DEVICE void put_rowvec(smem<T, TileR, TileC, TileL> target, int row,
                           const rowvec<S, R>& source) {
  static_assert(R <= TileC, "the tile is as wide as the row vector");
  __syncwarp();
#pragma unroll
  for (int h = 0; h < R / 8; ++h)
    if ((lane() & 3) == 0)
      target.at(row, frag_row(2 * h)) = convert_to<T>(source.x[h]);
  __syncwarp();
}

/// Row vector from row `row` of a tile.
template <class T, int R, class S, int TileR, int TileC, smem_layout TileL>
GSA_DEVICE void take_rowvec(rowvec<T, R>& target,
                            smem<S, TileR, TileC, TileL> source, int row) {
  static_assert(R <= TileC, "the tile is as wide as the row vector");
#pragma unroll
  for (int h = 0; h < R / 8; ++h)
    target.x[h] = convert_to<T>(source.at(row, frag_row(2 * h)));
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_COPY_CUH
