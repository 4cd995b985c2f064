//===- hopper.cuh - tensor maps -*- CUDA -*-===//
//
// What sm_90a adds beside the products of wgmma.cuh. The layout swizzle_128b of
// smem.cuh is the 128-byte swizzle of matrix descriptors and tensor maps, with
// one panel of 64 16-bit columns after the other.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_HOPPER_CUH
#define GSA_DEVICE_HOPPER_CUH

#include "gsa/device/ptx/tma.cuh"
#include "gsa/device/ptx/wgmma.cuh"
#include "gsa/device/ring.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

using ptx::fence_async;

/// CUtensorMap: 128 opaque bytes that the runtime fills in.
struct alignas(64) tensor_map {
  unsigned long long words[16];
};

/// The box of `map` whose first element is (row, column), to `target`, by one
/// lane of the team; of a tile of several panels a box each. The phase of the
/// slot's full barrier ends no sooner than its bytes are there; ring_commit
/// comes behind.
template <class Team, class T, int Rows, int Columns, smem_layout Layout,
          int Stages>
GSA_DEVICE void tma_load(smem<T, Rows, Columns, Layout> target,
                         const tensor_map& map, int column, int row,
                         ring<Stages> ring, int iteration) {
  if (Team::thread() != 0) return;
  using tile = smem<T, Rows, Columns, Layout>;
  constexpr int panels = Layout == swizzle_128b ? tile::row_bytes / 128 : 1;
  unsigned full = ring.full(ring.slot(iteration));
  ptx::mbarrier_expect(full, tile::bytes);
#pragma unroll
  for (int i = 0; i < panels; ++i)
    ptx::tma_load_2d(shared_address(target.base) + i * (tile::bytes / panels),
                     &map, column + i * (Columns / panels), row, full);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_HOPPER_CUH
