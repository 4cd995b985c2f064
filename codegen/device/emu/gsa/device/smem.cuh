//===- smem.cuh - tiles in shared memory (host) ----------------*- C++ -*-===//
//
// A tile is plain row-major memory at its planned offset, whatever its layout:
// two tiles that the plan lets overlap do overlap. Elements are moved by
// memcpy, since tiles of several types share the memory.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_SMEM_CUH
#define GSA_DEVICE_SMEM_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev {

template <class T, int Rows, int Columns, smem_layout Layout = linear>
struct smem {
  using element = T;
  static constexpr int rows = Rows;
  static constexpr int columns = Columns;
  static constexpr int bytes = Rows * Columns * static_cast<int>(sizeof(T));

  unsigned char* base;

  /// Address of `count` elements of a row; fails if they are not in the tile.
  unsigned char* address(const char* function, int row, int column,
                         int count = 1) const {
    if (row < 0 || row >= Rows || column < 0 || count > Columns - column)
      emu::fail(function,
                "row %d, columns %d to %d of a tile of %d x %d at offset %d",
                row, column, column + count, Rows, Columns, offset());
    return base + (static_cast<long long>(row) * Columns + column) * sizeof(T);
  }
  T get(const char* function, int row, int column) const {
    T value;
    memcpy(&value, address(function, row, column), sizeof(T));
    return value;
  }
  void set(const char* function, int row, int column, T value) const {
    memcpy(address(function, row, column), &value, sizeof(T));
  }
  /// A whole row or part of it as floats.
  void get_row(const char* function, int row, int column, int count,
               float* out) const {
    T values[Columns];
    memcpy(values, address(function, row, column, count), count * sizeof(T));
    for (int i = 0; i < count; ++i) out[i] = to_float(values[i]);
  }
  int offset() const {
    return static_cast<int>(base - emu::self->block->shared);
  }
};

template <class T, int Stages, int Rows, int Columns,
          smem_layout Layout = linear>
struct smem_stages {
  using element = T;
  using stage_type = smem<T, Rows, Columns, Layout>;
  static constexpr int stages = Stages;
  static constexpr int bytes = Stages * stage_type::bytes;

  unsigned char* base;
};

template <class Tile>
Tile smem_alloc(int offset) {
  int size = emu::self->block->launch->sharedBytes;
  if (offset < 0 || offset % 16 != 0 || Tile::bytes > size - offset)
    emu::fail("smem_alloc",
              "%d bytes at offset %d, of %d bytes of shared memory; the "
              "offset must be a multiple of 16",
              Tile::bytes, offset, size);
  return Tile{emu::self->block->shared + offset};
}

template <class T, int Stages, int Rows, int Columns, smem_layout Layout>
smem<T, Rows, Columns, Layout> stage(
    smem_stages<T, Stages, Rows, Columns, Layout> buffer, int slot) {
  if (slot < 0 || slot >= Stages)
    emu::fail("stage", "slot %d of %d", slot, Stages);
  return {buffer.base +
          static_cast<long long>(slot) * smem<T, Rows, Columns, Layout>::bytes};
}

template <class T, int Stages, int Rows, int Columns, smem_layout Layout>
smem<T, Rows, Columns, Layout> part_of(
    smem_stages<T, Stages, Rows, Columns, Layout> buffer, int number) {
  if (number < 0 || number >= Stages)
    emu::fail("part_of", "tile %d of %d", number, Stages);
  return {buffer.base + static_cast<long long>(number) *
                            smem<T, Rows, Columns, Layout>::bytes};
}

template <class T, int Rows, int Columns, smem_layout Layout>
T load_shared(smem<T, Rows, Columns, Layout> tile, int row, int column) {
  return tile.get("load_shared", row, column);
}
template <class T, int Rows, int Columns, smem_layout Layout>
void store_shared(smem<T, Rows, Columns, Layout> tile, int row, int column,
                  T value) {
  tile.set("store_shared", row, column, value);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_SMEM_CUH
