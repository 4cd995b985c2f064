//===- smem.cuh - tiles in shared memory -*- CUDA -*-===//
//
// Tiles live in dynamic shared memory at offsets that gsa-tile-plan-smem chose.
// A tile is a pointer with a static shape and layout; `offset` is the one place
// that knows where an element is.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SMEM_CUH
#define GSA_DEVICE_SMEM_CUH

#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

/// Start of dynamic shared memory; 1024 bytes is what the 128-byte swizzle of
/// wgmma and tensor maps asks for.
GSA_DEVICE unsigned char* shared_memory() {
  extern __shared__ __align__(1024) unsigned char gsa_shared_memory[];
  return gsa_shared_memory;
}

/// Address in the shared window, as PTX instructions take it.
GSA_DEVICE unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

/// Largest power of two, at most 8, that divides n > 0, as an exponent.
GSA_DEVICE constexpr int swizzle_bits(int n) {
  return n % 8 == 0 ? 3 : n % 4 == 0 ? 2 : n % 2 == 0 ? 1 : 0;
}

/// A tile of `Rows` x `Columns` elements.
///   linear        row by row
///   swizzle       row by row; of the 16-byte chunks of a row, chunk c lies at
///                 c xor f(row), so that 8 neighbouring rows of a column of
///                 chunks lie in 8 bank groups whatever the length of rows
///   swizzle_128b  the 128-byte swizzle of tensor maps and wgmma: panels of 128
///                 bytes of columns, in each the chunks of row r permuted by
///                 xor with r mod 8. A tile of one panel is the same in both.
template <class T, int Rows, int Columns, smem_layout Layout>
struct smem {
  using element = T;
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  static constexpr int row_bytes = Columns * static_cast<int>(sizeof(T));
  static constexpr int bytes = Rows * row_bytes;
  static_assert(Layout == linear || row_bytes % 16 == 0,
                "swizzled rows are whole 16-byte chunks");
  static_assert(Layout != swizzle_128b || row_bytes % 128 == 0,
                "rows of swizzle_128b are whole panels of 128 bytes");

  unsigned char* base;

  /// Bytes from `base` to element (row, column).
  static GSA_DEVICE int offset(int row, int column) {
    int byte = column * static_cast<int>(sizeof(T));
    if constexpr (Layout == swizzle) {
      // Of the column, only the bytes within a period take part in the xor: the
      // others are an offset that instructions hold.
      constexpr int bits = swizzle_bits(row_bytes / 16);
      constexpr int period = 16 << bits;
      int flip = (row >> (3 - bits)) & ((1 << bits) - 1);
      return row * row_bytes + (byte & ~(period - 1)) +
             ((byte & (period - 1)) ^ (flip << 4));
    } else if constexpr (Layout == swizzle_128b) {
      return (byte >> 7) * (Rows * 128) + row * 128 +
             ((byte & 127) ^ ((row & 7) << 4));
    } else {
      return row * row_bytes + byte;
    }
  }

  GSA_DEVICE T& at(int row, int column) const {
    return *reinterpret_cast<T*>(base + offset(row, column));
  }
  /// Address of element (row, column) in the shared window.
  GSA_DEVICE unsigned address(int row, int column) const {
    return shared_address(base) + static_cast<unsigned>(offset(row, column));
  }
};

/// True if elements (r, c) and (r, c + 1), c even, are an aligned pair.
template <class Tile>
inline constexpr bool tile_pairs =
    Tile::row_bytes % (2 * static_cast<int>(sizeof(typename Tile::element))) ==
    0;

/// N neighbours of a row.
template <class T, int N>
struct neighbours {
  T x[N];
};

/// Those from `column` on, a multiple of N, by accesses of up to 16 bytes: the
/// tile is linear with rows of whole accesses, or has whole chunks.
template <int N, class T, int R, int C, smem_layout L>
struct neighbour_access {
  static constexpr int chunk = 16 / static_cast<int>(sizeof(T));
  static constexpr int step = N < chunk ? N : chunk;
  static_assert(N % step == 0 && C % step == 0, "accesses are whole");
  struct alignas(step * sizeof(T)) part {
    T x[step];
  };
  static GSA_DEVICE part& at(smem<T, R, C, L> tile, int row, int column) {
    return reinterpret_cast<part&>(tile.at(row, column));
  }
};
template <int N, class T, int R, int C, smem_layout L>
GSA_DEVICE neighbours<T, N> load_neighbours(smem<T, R, C, L> tile, int row,
                                            int column) {
  using access = neighbour_access<N, T, R, C, L>;
  neighbours<T, N> result;
#pragma unroll
  for (int i = 0; i < N; i += access::step) {
    auto part = access::at(tile, row, column + i);
#pragma unroll
    for (int c = 0; c < access::step; ++c) result.x[i + c] = part.x[c];
  }
  return result;
}
template <int N, class T, int R, int C, smem_layout L>
GSA_DEVICE void store_neighbours(smem<T, R, C, L> tile, int row, int column,
                                 const neighbours<T, N>& values) {
  using access = neighbour_access<N, T, R, C, L>;
#pragma unroll
  for (int i = 0; i < N; i += access::step) {
    typename access::part part;
#pragma unroll
    for (int c = 0; c < access::step; ++c) part.x[c] = values.x[i + c];
    access::at(tile, row, column + i) = part;
  }
}

/// `Stages` tiles one after the other: the buffers of a ring.
template <class T, int Stages, int Rows, int Columns, smem_layout Layout>
struct smem_stages {
  using tile = smem<T, Rows, Columns, Layout>;
  static constexpr int stages = Stages;
  static constexpr int bytes = Stages * tile::bytes;

  unsigned char* base;
};

/// Tile `number` of a buffer.
template <class T, int Stages, int Rows, int Columns, smem_layout Layout>
GSA_DEVICE smem<T, Rows, Columns, Layout> part_of(
    smem_stages<T, Stages, Rows, Columns, Layout> buffer, int number) {
  return {buffer.base + number * smem<T, Rows, Columns, Layout>::bytes};
}

/// The tile (or stages) at `offset` bytes from the start of dynamic shared
/// memory.
template <class Tile>
GSA_DEVICE Tile smem_alloc(int offset) {
  return Tile{shared_memory() + offset};
}

template <class T, int Stages, int Rows, int Columns, smem_layout Layout>
GSA_DEVICE smem<T, Rows, Columns, Layout> stage(
    smem_stages<T, Stages, Rows, Columns, Layout> buffer, int slot) {
  using tile = smem<T, Rows, Columns, Layout>;
  return tile{buffer.base + slot * tile::bytes};
}

template <class T, int R, int C, smem_layout L>
GSA_DEVICE T load_shared(smem<T, R, C, L> base, int row, int column) {
  return base.at(row, column);
}

/// One lane writes; the warp may read it at once, other warps after a `sync`.
template <class T, int R, int C, smem_layout L>
GSA_DEVICE void store_shared(smem<T, R, C, L> base, int row, int column,
                             T value) {
  __syncwarp();
  if (lane() == 0) base.at(row, column) = value;
  __syncwarp();
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SMEM_CUH
