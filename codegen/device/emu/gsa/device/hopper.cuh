//===- hopper.cuh - tensor maps (host) -------------------------*- C++ -*-===//
//
// The bulk copy happens at once, before the commit that follows it.
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

template <class Team, class T, int Rows, int Columns, smem_layout Layout,
          int Stages>
void tma_load(smem<T, Rows, Columns, Layout> target, const tensor_map& map,
              int column, int row, ring<Stages> ring, int iteration) {
  // The copy engine knows the box of the map only, of which a tile of several
  // panels takes one each.
  constexpr int panel = 128 / static_cast<int>(sizeof(T));
  constexpr int columns = Layout == swizzle_128b ? panel : Columns;
  static_assert(Columns % columns == 0, "a tile is whole panels");
  if (map.box_rows != Rows || map.box_columns != columns ||
      map.element_bytes != static_cast<int>(sizeof(T)))
    emu::fail("tma_load",
              "a tile of %dx%d elements of %d bytes by a map with boxes of "
              "%dx%d elements of %d bytes",
              Rows, columns, static_cast<int>(sizeof(T)), map.box_rows,
              map.box_columns, map.element_bytes);
  check_team<Team>("tma_load");
  ring_check("tma_load", emu::get(&ring.full(iteration % Stages)->word));
  if (warp_rank<Team>() != 0) return;
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
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_HOPPER_CUH
