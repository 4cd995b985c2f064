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
#include "gsa/device/ptx/predicated.cuh"
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

/// Unit `step` of a thread of a team, of a tile with `Units` units a row.
template <int Threads, int Units>
struct unit_position {
  int row, unit;
  GSA_DEVICE unit_position(int thread, int step) {
    if constexpr (Threads % Units == 0) {
      row = thread / Units + step * (Threads / Units);
      unit = thread % Units;
    } else {
      row = (thread + step * Threads) / Units;
      unit = (thread + step * Threads) % Units;
    }
  }
};

/// Copies rows to a tile. `row_index` gives the row of the source, of `pitch`
/// elements, that a row of the tile comes from; one that is not in [0, limit)
/// gives zeros. No address of such a row is formed, not even null: a copy that
/// reads nothing must still be given an address of the array.
template <class Team, int VectorBytes, class T, int R, int C, smem_layout L,
          class F>
GSA_DEVICE void copy_units(smem<T, R, C, L> target, const T* source,
                           long long pitch, int limit, int columns,
                           F row_index) {
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
  int thread = Team::thread();
  int bytes = columns * size;
  // Known to the compiler where `columns` is, and then without a branch.
  bool whole = bytes % VectorBytes == 0;
  auto base = reinterpret_cast<const unsigned char*>(source);
  long long row_bytes = pitch * size;
#pragma unroll 1
  for (int step = 0; step < steps; step += batch) {
    int rows[batch];
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      position p(thread, step + i);
      rows[i] = even || p.row < R ? row_index(p.row) : -1;
    }
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      position p(thread, step + i);
      if (!even && p.row >= R) continue;
      int byte = p.unit * VectorBytes;
      bool exists =
          static_cast<unsigned>(rows[i]) < static_cast<unsigned>(limit) &&
          byte < bytes;
      // The selected numbers have 32 bits; 0 is an address of the array.
      const unsigned char* from =
          base + (exists ? rows[i] : 0) * row_bytes + (exists ? byte : 0);
      unsigned char* to = target.base + target.offset(p.row, byte / size);
      if (whole)
        copy_unit<VectorBytes>(to, from, exists);
      else
        copy_part<VectorBytes>(
            to, from, exists ? valid_bytes<VectorBytes>(byte, bytes) : 0);
    }
  }
}

/// `target[r, c] = source[r * pitch + c]` for r < rows, c < columns, 0 in the
/// rest of the tile. Asynchronous unless `VectorBytes` is 2. `source` and the
/// bytes of `pitch` are multiples of `VectorBytes`.
template <class Team, int VectorBytes, class T, int R, int C, smem_layout L>
GSA_DEVICE void copy_rows(smem<T, R, C, L> target, const T* source,
                          long long pitch, int rows, int columns) {
  copy_units<Team, VectorBytes>(target, source, pitch, max(rows, 0), columns,
                                [](int row) { return row; });
}

/// `target[r, c] = source[list[0, begin + r] * pitch + c]` for begin + r < end
/// and c < columns; rows whose index is not in [0, limit), and the rest of the
/// tile, become 0. Otherwise as copy_rows.
template <class Team, int VectorBytes, class T, int R, int C, smem_layout L,
          int ListR, int ListC, smem_layout ListL>
GSA_DEVICE void gather_rows(smem<T, R, C, L> target, const T* source,
                            long long pitch,
                            smem<int, ListR, ListC, ListL> list, int begin,
                            int end, int limit, int columns) {
  copy_units<Team, VectorBytes>(
      target, source, pitch, limit, columns, [=](int row) {
        return ptx::load_shared_if(begin + row < end,
                                   list.address(0, begin + row), -1);
      });
}

//===----------------------------------------------------------------------===//
// Registers to global memory and back
//===----------------------------------------------------------------------===//

/// True if two neighbours from an even column on can be moved as one.
template <class T>
GSA_DEVICE bool pairs_aligned(const T* base, long long pitch) {
  auto address = reinterpret_cast<unsigned long long>(base);
  return (pitch & 1) == 0 && address % (2 * sizeof(T)) == 0;
}

template <class T>
struct alignas(2 * sizeof(T)) pair {
  T x, y;
};

/// `target[r * pitch + c] = T(source[r, c])` for r < rows, c < columns.
template <class T, class S, int R, int C, frag_layout L>
GSA_DEVICE void store_rows(T* target, long long pitch,
                           const frag<S, R, C, L>& source, int rows,
                           int columns) {
  bool paired = pairs_aligned(target, pitch) && (columns & 1) == 0;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = frag_row(2 * h);
    if (row >= rows) continue;
    T* to = target + row * pitch;
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

/// `target[r] = source[r * pitch]` for r < rows, 0 beyond.
template <class T, class S, int R>
GSA_DEVICE void load_rowvec(rowvec<T, R>& target, const S* source,
                            long long pitch, int rows) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = frag_row(2 * h);
    target.x[h] =
        row < rows ? convert_to<T>(source[row * pitch]) : convert_to<T>(0);
  }
}

/// `target[r * pitch] = source[r]` for r < rows.
template <class T, class S, int R>
GSA_DEVICE void store_rowvec(T* target, long long pitch,
                             const rowvec<S, R>& source, int rows) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = frag_row(2 * h);
    if ((lane() & 3) == 0 && row < rows)
      target[row * pitch] = convert_to<T>(source.x[h]);
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

/// Fragment to rows `row`, row + 1, ... of a tile. The warp may read it at
/// once; other warps after a `sync`.
template <class T, int TileR, int TileC, smem_layout TileL, class S, int R,
          int C, frag_layout L>
GSA_DEVICE void put_frag(smem<T, TileR, TileC, TileL> target, int row,
                         const frag<S, R, C, L>& source) {
  static_assert(C <= TileC, "the tile is as wide as the fragment");
  __syncwarp();
  fragment_places places(target, row);
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int h = 0; h < 2; ++h) {
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

/// Fragment from rows `row`, row + 1, ... of a tile.
template <class T, int R, int C, frag_layout L, class S, int TileR, int TileC,
          smem_layout TileL>
GSA_DEVICE void take_frag(frag<T, R, C, L>& target,
                          smem<S, TileR, TileC, TileL> source, int row) {
  static_assert(C <= TileC, "the tile is as wide as the fragment");
  fragment_places places(source, row);
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const S* from = places.at(j, h);
      pair<S> value;
      if constexpr (tile_pairs<smem<S, TileR, TileC, TileL>>)
        value = *reinterpret_cast<const pair<S>*>(from);
      else
        value = {from[0], from[1]};
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
  for (int h = 0; h < 2; ++h)
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
  for (int h = 0; h < 2; ++h)
    target.x[h] = convert_to<T>(source.at(row, frag_row(2 * h)));
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_COPY_CUH
