//===- hopper.cuh - tensor maps (host) -------------------------*- C++ -*-===//
//
// The bulk copy happens at once and arrives when the last expected byte is
// there; a wrong count of bytes is a hang.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_HOPPER_CUH
#define GSA_DEVICE_HOPPER_CUH

#include "gsa/device/ring.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

inline void fence_async() {}

/// A matrix in global memory, in place of CUtensorMap.
struct alignas(64) tensor_map {
  const void* data;
  long long rows;
  long long columns;
  long long pitch;  // in elements
  int box_rows, box_columns;
  int element_bytes;
};

/// What this warp told a full barrier to expect.
struct expected_bytes {
  emu::Barrier* barrier = nullptr;
  int left = 0;
};
inline thread_local expected_bytes expected;

template <int Bytes, int Stages>
void ring_expect(ring<Stages> ring, int iteration) {
  if (expected.left != 0)
    emu::fail("ring_expect", "%d bytes of the slot before have not been loaded",
              expected.left);
  expected = {ring.full(iteration % Stages), Bytes};
}

template <class T, int Rows, int Columns, smem_layout Layout, int Stages>
void tma_load(smem<T, Rows, Columns, Layout> target, const tensor_map& map,
              int column, int row, ring<Stages> ring, int iteration) {
  // The copy engine knows the box of the map only.
  if (map.box_rows != Rows || map.box_columns != Columns ||
      map.element_bytes != static_cast<int>(sizeof(T)))
    emu::fail("tma_load",
              "a tile of %dx%d elements of %d bytes by a map with boxes of "
              "%dx%d elements of %d bytes",
              Rows, Columns, static_cast<int>(sizeof(T)), map.box_rows,
              map.box_columns, map.element_bytes);
  emu::Barrier* barrier = ring.full(iteration % Stages);
  if (expected.barrier != barrier || expected.left < target.bytes)
    emu::fail("tma_load", "%d bytes that ring_expect did not announce",
              target.bytes);
  const T* data = static_cast<const T*>(map.data);
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c) {
      bool inside = row + r >= 0 && row + r < map.rows && column + c >= 0 &&
                    column + c < map.columns;
      const T* source =
          inside ? data + (row + r) * map.pitch + column + c : nullptr;
      if (inside) emu::checkGlobal("tma_load", source, sizeof(T), false);
      target.set("tma_load", r, c, inside ? *source : T{});
    }
  expected.left -= target.bytes;
  if (expected.left == 0) ring_arrive("tma_load", barrier);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_HOPPER_CUH
