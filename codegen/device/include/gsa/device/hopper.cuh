//===- hopper.cuh - wgmma and tensor maps -----------------------*- CUDA
//-*-===//
//
// What sm_90a adds. The layout swizzle_128b of smem.cuh is the 128-byte swizzle
// of matrix descriptors and tensor maps, with one panel of 64 16-bit columns
// after the other.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_HOPPER_CUH
#define GSA_DEVICE_HOPPER_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/tma.cuh"
#include "gsa/device/ptx/wgmma.cuh"
#include "gsa/device/ring.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

using ptx::fence_async;
using ptx::wgmma_commit;
using ptx::wgmma_wait;

/// Bytes from one group of 8 rows of a panel to the next.
inline constexpr unsigned kRowGroupBytes = 1024;

/// Orders what wrote the fragment before the products that follow. The empty
/// statements keep the compiler from moving such writes below the fence, where
/// ptxas would have to insert one of its own.
template <class T, int C, frag_layout L>
GSA_DEVICE void wgmma_fence(frag<T, 16, C, L>& fragment) {
  constexpr int blocks = sizeof(fragment.x) / sizeof(fragment.x[0]);
#pragma unroll
  for (int j = 0; j < blocks; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if constexpr (is_same<T, float>)
        asm volatile("" : "+f"(fragment.x[j][i]));
      else
        asm volatile("" : "+r"(fragment.x[j][i]));
  ptx::wgmma_fence();
}

/// sum[m, n] += sum_k a[a_row + m, k] b[b_row + n, k] for the 64 rows of the
/// warpgroup, 16 of them in each warp's `sum`. Rows start at multiples of 8.
template <int N, class T, int RowsA, int RowsB, int K>
GSA_DEVICE void wgmma_nt(frag<float, 16, N, acc>& sum,
                         smem<T, RowsA, K, swizzle_128b> a, int a_row,
                         smem<T, RowsB, K, swizzle_128b> b, int b_row) {
  static_assert(N % 64 == 0, "accumulators are blocks of 64 columns");
  unsigned a_base = shared_address(a.base) + 128 * a_row;
  unsigned b_base = shared_address(b.base) + 128 * b_row;
#pragma unroll
  for (int n = 0; n < N / 64; ++n)
#pragma unroll
    for (int k = 0; k < K; k += 16) {
      unsigned within = 2 * (k % 64);
      ptx::wgmma_m64n64k16_ss(
          T{}, reinterpret_cast<float (&)[32]>(sum.x[8 * n]),
          ptx::wgmma_descriptor(a_base + (k / 64) * (RowsA * 128) + within, 0,
                                kRowGroupBytes),
          ptx::wgmma_descriptor(
              b_base + (k / 64) * (RowsB * 128) + n * (64 * 128) + within, 0,
              kRowGroupBytes));
    }
}

/// sum[m, n] += sum_k a[m, k] b[row + k, n], a in registers.
template <int N, int K, class T, int Rows>
GSA_DEVICE void wgmma_nn(frag<float, 16, N, acc>& sum,
                         const frag<T, 16, K, lhs>& a,
                         smem<T, Rows, N, swizzle_128b> b, int row) {
  static_assert(N % 64 == 0, "accumulators are blocks of 64 columns");
  unsigned base = shared_address(b.base) + 128 * row;
#pragma unroll
  for (int n = 0; n < N / 64; ++n)
#pragma unroll
    for (int k = 0; k < K / 16; ++k)
      ptx::wgmma_m64n64k16_rs(
          T{}, reinterpret_cast<float (&)[32]>(sum.x[8 * n]), a.x[k],
          ptx::wgmma_descriptor(base + n * (Rows * 128) + k * (16 * 128),
                                Rows * 128, kRowGroupBytes));
}

/// CUtensorMap: 128 opaque bytes that the runtime fills in.
struct alignas(64) tensor_map {
  unsigned long long words[16];
};

/// The box of `map` whose first element is (row, column), to `target`, by one
/// lane of the team. The phase of the slot's full barrier ends no sooner than
/// its bytes are there; ring_commit comes behind.
template <class Team, class T, int Rows, int Columns, smem_layout Layout,
          int Stages>
GSA_DEVICE void tma_load(smem<T, Rows, Columns, Layout> target,
                         const tensor_map& map, int column, int row,
                         ring<Stages> ring, int iteration) {
  if (Team::thread() != 0) return;
  unsigned full = ring.full(ring.slot(iteration));
  ptx::mbarrier_expect(full, smem<T, Rows, Columns, Layout>::bytes);
  ptx::tma_load_2d(shared_address(target.base), &map, column, row, full);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_HOPPER_CUH
