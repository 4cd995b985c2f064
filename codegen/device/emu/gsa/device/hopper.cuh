//===- hopper.cuh - wgmma and tensor maps (host) ---------------*- C++ -*-===//
//
// The four warps of a warpgroup compute their 16 rows each, without meeting.
// Products happen when they are issued and the bulk copy when the last of the
// expected bytes is asked for, so a missing wgmma_wait or fence_async is not
// seen here; a wrong count of bytes is, as a hang.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_HOPPER_CUH
#define GSA_DEVICE_HOPPER_CUH

#include "gsa/device/mma.cuh"
#include "gsa/device/ring.cuh"

namespace gsa::dev {

inline void fence_async() {}
inline void wgmma_fence() {}
inline void wgmma_commit() {}
template <int Pending>
void wgmma_wait() {}

/// First row of this warp among the 64 of its warpgroup.
inline int warpgroup_row() { return 16 * (emu::self->index & 3); }

inline void check_row(const char* function, int row) {
  if (row % 8 != 0)
    emu::fail(function, "row %d is no multiple of 8, a group of the swizzle",
              row);
}

template <int N, class T, int RowsA, int RowsB, int K>
void wgmma_nt(frag<float, 16, N, acc>& sum, smem<T, RowsA, K, panel128> a,
              int a_row, smem<T, RowsB, K, panel128> b, int b_row) {
  static_assert(N % 64 == 0 && sizeof(T) == 2);
  check_row("wgmma_nt", a_row);
  check_row("wgmma_nt", b_row);
  frag<T, 16, K, lhs> left;
  load_lhs(left, a, a_row + warpgroup_row());
  mma_nt(sum, left, b, b_row);
}

template <int N, int K, class T, int Rows>
void wgmma_nn(frag<float, 16, N, acc>& sum, const frag<T, 16, K, lhs>& a,
              smem<T, Rows, N, panel128> b, int row) {
  static_assert(N % 64 == 0 && sizeof(T) == 2);
  check_row("wgmma_nn", row);
  mma_nn(sum, a, b, row);
}

/// A matrix in global memory, in place of CUtensorMap.
struct alignas(64) tensor_map {
  const void* data;
  long long rows;
  long long columns;
  long long pitch;  // in elements
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
