//===- wgmma.cuh - products of a warpgroup -*- CUDA -*-===//
//
// Tensor cores of sm_90a read the right operand, and the left one if it is not
// in registers, from shared memory while the warps go on. A tile is such an
// operand as it lies: swizzle_128b is the 128-byte swizzle of the hardware, one
// panel of 64 columns after the other, and `swizzle` with rows of 128, 64 or 32
// bytes is the swizzle of that width.
//
// A kernel names the products that it uses (GSA_WGMMA in ptx/wgmma.cuh).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_WGMMA_CUH
#define GSA_DEVICE_WGMMA_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/wgmma.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

using ptx::wgmma_commit;

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// The compiler moves no access to the fragment across this empty statement.
template <class T, int C, frag_layout L>
GSA_DEVICE void pin(frag<T, 16, C, L>& fragment) {
  constexpr int blocks = sizeof(fragment.x) / sizeof(fragment.x[0]);
#pragma unroll
  for (int j = 0; j < blocks; ++j) {
    auto& x = fragment.x[j];
    if constexpr (is_same<T, float>)
      asm volatile("" : "+f"(x[0]), "+f"(x[1]), "+f"(x[2]), "+f"(x[3]));
    else
      asm volatile("" : "+r"(x[0]), "+r"(x[1]), "+r"(x[2]), "+r"(x[3]));
  }
}

/// Orders earlier accesses to registers before the products that follow. Writes
/// of the fragments named stay above it: below, ptxas would have to insert a
/// fence of its own.
template <class... Frags>
GSA_DEVICE void wgmma_fence(Frags&... frags) {
  (pin(frags), ...);
  ptx::wgmma_fence();
}

/// Waits until at most `Pending` groups of products are in flight. Reads of the
/// fragments named stay below it: above, ptxas would have to wait there.
template <int Pending, class... Frags>
GSA_DEVICE void wgmma_wait(Frags&... frags) {
  ptx::wgmma_wait<Pending>();
  (pin(frags), ...);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// A left operand in registers.
template <class T, int K>
struct wgmma_registers {
  const frag<T, 16, K, lhs>& fragment;
};

/// An operand in shared memory. `AlongRows`: a row of the tile is one k.
template <bool AlongRows, class T, int Rows, int Columns, smem_layout Layout>
struct wgmma_tile {
  static_assert(is_half<T>, "wgmma multiplies bf16 and f16");
  /// Bytes of a row of a panel, after 8 of which the swizzle repeats.
  static constexpr int panel = Layout == swizzle_128b ? 128 : 2 * Columns;
  static constexpr int group = 8 * panel;
  static_assert(Layout == swizzle_128b ||
                    (Layout == swizzle &&
                     (panel == 128 || panel == 64 || panel == 32)),
                "wgmma reads tiles of swizzle_128b, or of swizzle with rows of "
                "128, 64 or 32 bytes");
  static_assert(Rows % 8 == 0, "the swizzle of wgmma has groups of 8 rows");

  ptx::wgmma_descriptor<AlongRows> first;

  /// Element (row, column) is the operand's first: a row that is a multiple of
  /// 8, the first column of a panel. From the shuffle the compiler knows that
  /// all lanes have the same address: descriptors are in uniform registers, so
  /// a lane's address would be moved there anew for each instruction. Where it
  /// knows already, the shuffle is dropped.
  GSA_DEVICE wgmma_tile(smem<T, Rows, Columns, Layout> tile, int row,
                        int column) {
    unsigned address = shared_address(tile.base) +
                       static_cast<unsigned>(
                           row * panel + column / (panel / 2) * Rows * panel);
    first = first.template make<panel>(__shfl_sync(0xffffffffu, address, 0),
                                       AlongRows ? Rows * panel : 0, group);
  }
  GSA_DEVICE unsigned long long at(int k) const {
    return first.at(AlongRows ? k * panel
                              : k / (panel / 2) * (Rows * panel) +
                                    2 * (k % (panel / 2)));
  }
};

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// k to k + 15.
template <int Accumulate, class T, int Blocks, int K, bool AlongRows, int R,
          int C, smem_layout L>
GSA_DEVICE void wgmma_step(float (&sum)[Blocks][4], wgmma_registers<T, K> a,
                           wgmma_tile<AlongRows, T, R, C, L> b, int k) {
  ptx::wgmma<8 * Blocks, T>::template registers<Accumulate, AlongRows>(
      sum, a.fragment.x[k / 16], b.at(k));
}
template <int Accumulate, class T, int Blocks, bool AlongRowsA, int RowsA,
          int ColumnsA, smem_layout LayoutA, bool AlongRowsB, int RowsB,
          int ColumnsB, smem_layout LayoutB>
GSA_DEVICE void wgmma_step(
    float (&sum)[Blocks][4],
    wgmma_tile<AlongRowsA, T, RowsA, ColumnsA, LayoutA> a,
    wgmma_tile<AlongRowsB, T, RowsB, ColumnsB, LayoutB> b, int k) {
  ptx::wgmma<8 * Blocks, T>::template shared<Accumulate, AlongRowsA,
                                             AlongRowsB>(sum, a.at(k), b.at(k));
}

/// All k, upwards.
template <bool Accumulate, int K, int N, class A, class B>
GSA_DEVICE void wgmma_steps(frag<float, 16, N, acc>& sum, A a, B b) {
  static_assert(N <= 256, "a product of wgmma has at most 256 columns");
  static_assert(K % 16 == 0, "wgmma takes 16 k at once");
  // The registers of `sum` itself also where they are not read: a wgmma_fence
  // named them. Of others ptxas would not know that they are free, and let no
  // product run on (C7520).
  wgmma_step<Accumulate ? 1 : 0>(sum.x, a, b, 0);
#pragma unroll
  for (int k = 16; k < K; k += 16) wgmma_step<1>(sum.x, a, b, k);
}

/// `sum[m, n] += sum_k a[m, k] b[b_row + n, k]`, or `=` unless `Accumulate`,
/// for the 64 rows of the warpgroup, 16 of them in each warp's `sum` (and `a`).
template <bool Accumulate = true, int N, int K, class T, int RowsB,
          smem_layout LayoutB>
GSA_DEVICE void wgmma_nt(frag<float, 16, N, acc>& sum,
                         const frag<T, 16, K, lhs>& a,
                         smem<T, RowsB, K, LayoutB> b, int b_row) {
  static_assert(N <= RowsB, "the tile holds the right operand");
  wgmma_steps<Accumulate, K>(
      sum, wgmma_registers<T, K>{a},
      wgmma_tile<false, T, RowsB, K, LayoutB>(b, b_row, 0));
}

/// The same with `a[a_row + m, k]`, or with `a[k, a_row + m]` if `Transposed`;
/// then `a_row` is a multiple of 64, else of 8 as `b_row`.
template <bool Accumulate = true, bool Transposed = false, int N, class T,
          int RowsA, int ColumnsA, smem_layout LayoutA, int RowsB, int ColumnsB,
          smem_layout LayoutB>
GSA_DEVICE void wgmma_nt(frag<float, 16, N, acc>& sum,
                         smem<T, RowsA, ColumnsA, LayoutA> a, int a_row,
                         smem<T, RowsB, ColumnsB, LayoutB> b, int b_row) {
  using left = wgmma_tile<Transposed, T, RowsA, ColumnsA, LayoutA>;
  static_assert((Transposed ? RowsA : ColumnsA) == ColumnsB,
                "the operands have the same k");
  static_assert(N <= RowsB, "the tile holds the right operand");
  static_assert(!Transposed || left::panel == 128,
                "64 rows of a transposed operand are one panel");
  wgmma_steps<Accumulate, ColumnsB>(
      sum, left(a, Transposed ? 0 : a_row, Transposed ? a_row : 0),
      wgmma_tile<false, T, RowsB, ColumnsB, LayoutB>(b, b_row, 0));
}

/// `sum[m, n] += sum_k a[m, k] b[b_row + k, n]`, otherwise as wgmma_nt.
template <bool Accumulate = true, int N, int K, class T, int RowsB,
          int ColumnsB, smem_layout LayoutB>
GSA_DEVICE void wgmma_nn(frag<float, 16, N, acc>& sum,
                         const frag<T, 16, K, lhs>& a,
                         smem<T, RowsB, ColumnsB, LayoutB> b, int b_row) {
  static_assert(K <= RowsB && N <= ColumnsB,
                "the tile holds the right operand");
  wgmma_steps<Accumulate, K>(
      sum, wgmma_registers<T, K>{a},
      wgmma_tile<true, T, RowsB, ColumnsB, LayoutB>(b, b_row, 0));
}
template <bool Accumulate = true, bool Transposed = false, int N, class T,
          int RowsA, int ColumnsA, smem_layout LayoutA, int RowsB, int ColumnsB,
          smem_layout LayoutB>
GSA_DEVICE void wgmma_nn(frag<float, 16, N, acc>& sum,
                         smem<T, RowsA, ColumnsA, LayoutA> a, int a_row,
                         smem<T, RowsB, ColumnsB, LayoutB> b, int b_row) {
  using left = wgmma_tile<Transposed, T, RowsA, ColumnsA, LayoutA>;
  constexpr int K = Transposed ? RowsA : ColumnsA;
  static_assert(K <= RowsB && N <= ColumnsB,
                "the tile holds the right operand");
  static_assert(!Transposed || left::panel == 128,
                "64 rows of a transposed operand are one panel");
  wgmma_steps<Accumulate, K>(
      sum, left(a, Transposed ? 0 : a_row, Transposed ? a_row : 0),
      wgmma_tile<true, T, RowsB, ColumnsB, LayoutB>(b, b_row, 0));
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_WGMMA_CUH
