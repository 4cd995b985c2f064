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

/// The slot is full once `Bytes` have landed; in place of ring_commit.
template <int Bytes, int Stages>
GSA_DEVICE void ring_expect(ring<Stages> ring, int iteration) {
  unsigned full = ring.full(ring.slot(iteration));
  if (lane() == 0)
    ptx::mbarrier_expect(full, Bytes);
  else
    ptx::mbarrier_arrive(full);
}

/// The box of `map` whose first element is (row, column), to `target`.
template <class T, int Rows, int Columns, smem_layout Layout, int Stages>
GSA_DEVICE void tma_load(smem<T, Rows, Columns, Layout> target,
                         const tensor_map& map, int column, int row,
                         ring<Stages> ring, int iteration) {
  if (lane() == 0)
    ptx::tma_load_2d(shared_address(target.base), &map, column, row,
                     ring.full(ring.slot(iteration)));
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_HOPPER_CUH
