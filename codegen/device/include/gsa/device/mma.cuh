//===- mma.cuh - products of tiles -*- CUDA -*-===//
//
// The left operand is in registers, the right one in shared memory, sums are
// floats in registers.
//
//   bf16, f16  ldmatrix and mma.sync m16n8k16
//   float      FFMA: a lane has the numbers of its rows at every fourth pair
//              of columns, and gets the others from the lanes of its quad
//
// A product takes part in every sum, also one by 0: NaN or infinity in an
// operand reaches the result.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_MMA_CUH
#define GSA_DEVICE_MMA_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/mma.cuh"
#include "gsa/device/smem.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Left operands
//===----------------------------------------------------------------------===//

/// Rows `row` to row + 15 of a tile.
template <class T, int C, int TileR, int TileC, smem_layout L>
GSA_DEVICE void load_lhs(frag<T, 16, C, lhs>& target,
                         smem<T, TileR, TileC, L> source, int row) {
  static_assert(C <= TileC && TileR >= 16, "the tile holds the operand");
  static_assert(source.row_bytes % 16 == 0, "ldmatrix reads 16-byte chunks");
#pragma unroll
  for (int j = 0; j < C / 16; ++j)
    ptx::ldmatrix_x4<false>(
        target.x[j],
        source.address(row + (lane() & 15), 16 * j + 8 * (lane() >> 4)));
}

template <int C, int TileR, int TileC, smem_layout L>
GSA_DEVICE void load_lhs(frag<float, 16, C, lhs>& target,
                         smem<float, TileR, TileC, L> source, int row) {
  static_assert(C <= TileC && TileR >= 16, "the tile holds the operand");
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      target.x[j][i] = source.at(row + frag_row(i), frag_column(j, i));
}

/// Columns `column` to column + 15 of a tile: `target[m, k] =
/// source[row + k, column + m]`.
template <class T, int C, int TileR, int TileC, smem_layout L>
GSA_DEVICE void load_lhs_transposed(frag<T, 16, C, lhs>& target,
                                    smem<T, TileR, TileC, L> source, int row,
                                    int column) {
  static_assert(C <= TileR && TileC >= 16, "the tile holds the operand");
  static_assert(source.row_bytes % 16 == 0, "ldmatrix reads 16-byte chunks");
#pragma unroll
  for (int j = 0; j < C / 16; ++j)
    ptx::ldmatrix_x4<true>(
        target.x[j],
        source.address(row + 16 * j + (lane() & 7) + 8 * (lane() >> 4),
                       column + (lane() & 8)));
}

template <int C, int TileR, int TileC, smem_layout L>
GSA_DEVICE void load_lhs_transposed(frag<float, 16, C, lhs>& target,
                                    smem<float, TileR, TileC, L> source,
                                    int row, int column) {
  static_assert(C <= TileR && TileC >= 16, "the tile holds the operand");
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      target.x[j][i] = source.at(row + frag_column(j, i), column + frag_row(i));
}

/// Result of one product as left operand of the next, rounded to nearest even.
template <class T, int C>
GSA_DEVICE void convert(frag<T, 16, C, lhs>& target,
                        const frag<float, 16, C, acc>& source) {
  // Columns 0 to 7 and 8 to 15 of a left operand are two blocks of a result.
#pragma unroll
  for (int j = 0; j < C / 16; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float (&block)[4] = source.x[2 * j + (i >> 1)];
      target.x[j][i] = pack<T>(block[2 * (i & 1)], block[2 * (i & 1) + 1]);
    }
}

template <int C>
GSA_DEVICE void convert(frag<float, 16, C, lhs>& target,
                        const frag<float, 16, C, acc>& source) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) target.x[j][i] = source.x[j][i];
}

/// Between fragments of one layout, element by element.
template <class T, class S, int R, int C, frag_layout L>
GSA_DEVICE void convert(frag<T, R, C, L>& target,
                        const frag<S, R, C, L>& source) {
#pragma unroll
  for (int j = 0; j < C / 8; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) target.x[j][i] = convert_to<T>(source.x[j][i]);
}

//===----------------------------------------------------------------------===//
// Products on tensor cores
//===----------------------------------------------------------------------===//

/// `acc[m, n] += sum_k lhs[m, k] * rhs[row + n, k]`.
template <class T, int N, int K, int TileR, smem_layout L>
GSA_DEVICE void mma_nt(frag<float, 16, N, frag_layout::acc>& acc,
                       const frag<T, 16, K, frag_layout::lhs>& lhs,
                       smem<T, TileR, K, L> rhs, int row) {
  static_assert(N <= TileR, "the tile holds the right operand");
  int r = lane() & 7, quarter = lane() >> 3;
#pragma unroll
  for (int k = 0; k < K / 16; ++k) {
    int column = 16 * k + 8 * (quarter & 1);
#pragma unroll
    for (int n = 0; n + 1 < N / 8; n += 2) {
      unsigned b[4];
      ptx::ldmatrix_x4<false>(
          b, rhs.address(row + 8 * n + r + 8 * (quarter >> 1), column));
      ptx::mma_m16n8k16<T>(acc.x[n], lhs.x[k], b[0], b[1]);
      ptx::mma_m16n8k16<T>(acc.x[n + 1], lhs.x[k], b[2], b[3]);
    }
    if constexpr (N / 8 % 2 == 1) {
      unsigned b[2];
      ptx::ldmatrix_x2<false>(b, rhs.address(row + N - 8 + r, column));
      ptx::mma_m16n8k16<T>(acc.x[N / 8 - 1], lhs.x[k], b[0], b[1]);
    }
  }
}

/// `acc[m, n] += sum_k lhs[m, k] * rhs[row + k, n]`.
template <class T, int N, int K, int TileR, smem_layout L>
GSA_DEVICE void mma_nn(frag<float, 16, N, frag_layout::acc>& acc,
                       const frag<T, 16, K, frag_layout::lhs>& lhs,
                       smem<T, TileR, N, L> rhs, int row) {
  static_assert(K <= TileR, "the tile holds the right operand");
#pragma unroll
  for (int k = 0; k < K / 16; ++k) {
    int from = row + 16 * k + (lane() & 15);
#pragma unroll
    for (int n = 0; n + 1 < N / 8; n += 2) {
      unsigned b[4];
      ptx::ldmatrix_x4<true>(b, rhs.address(from, 8 * n + 8 * (lane() >> 4)));
      ptx::mma_m16n8k16<T>(acc.x[n], lhs.x[k], b[0], b[1]);
      ptx::mma_m16n8k16<T>(acc.x[n + 1], lhs.x[k], b[2], b[3]);
    }
    if constexpr (N / 8 % 2 == 1) {
      unsigned b[2];
      ptx::ldmatrix_x2<true>(b, rhs.address(from, N - 8));
      ptx::mma_m16n8k16<T>(acc.x[N / 8 - 1], lhs.x[k], b[0], b[1]);
    }
  }
}

//===----------------------------------------------------------------------===//
// Products in float
//===----------------------------------------------------------------------===//

// Unrolled over all k, a product would be thousands of instructions, with more
// addresses at hand than registers. So k runs in a loop over blocks of 8;
// registers have no index at run time, so the left operand is rotated by a
// block each time. After the last block it is as before.

/// Element (row of this lane, column k) of a left operand: lane k / 2 mod 4 of
/// the quad has it.
template <int K>
GSA_DEVICE float lhs_element(const frag<float, 16, K, lhs>& frag, int k,
                             int half) {
  return __shfl_sync(0xffffffffu, frag.x[k >> 3][2 * half + (k & 1)],
                     (k >> 1) & 3, 4);
}

template <int K>
GSA_DEVICE void rotate(frag<float, 16, K, lhs>& frag) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    float first = frag.x[0][i];
#pragma unroll
    for (int j = 0; j + 1 < K / 8; ++j) frag.x[j][i] = frag.x[j + 1][i];
    frag.x[K / 8 - 1][i] = first;
  }
}

/// A number that the compiler knows nothing about: what is computed from it is
/// not moved out of a loop, where there are no registers to keep it.
GSA_DEVICE int opaque(int x) {
  asm volatile("" : "+r"(x));
  return x;
}

/// `acc[m, n] += sum_k lhs[m, k] * rhs[row + n, k]`, k upwards.
template <int N, int K, int TileR, smem_layout L>
GSA_DEVICE void mma_nt(frag<float, 16, N, frag_layout::acc>& acc,
                       frag<float, 16, K, frag_layout::lhs>& lhs,
                       smem<float, TileR, K, L> rhs, int row) {
  static_assert(N <= TileR, "the tile holds the right operand");
#pragma unroll 1
  for (int part = 0; part < K; part += 8) {
#pragma unroll
    for (int k = 0; k < 8; k += 4) {
      int first = opaque(row + frag_column(0, 0));
      float a[2][4];
#pragma unroll
      for (int i = 0; i < 8; ++i)
        a[i & 1][i >> 1] = lhs_element(lhs, k + (i >> 1), i & 1);
#pragma unroll
      for (int j = 0; j < N / 4; ++j) {
        // K is a multiple of 16, so 4 columns are one aligned chunk.
        float4 b = *reinterpret_cast<const float4*>(
            &rhs.at(first + 8 * (j >> 1) + (j & 1), part + k));
        float b4[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          float& sum = acc.x[j >> 1][2 * h + (j & 1)];
#pragma unroll
          for (int i = 0; i < 4; ++i) sum = fmaf(a[h][i], b4[i], sum);
        }
      }
    }
    rotate(lhs);
  }
}

/// `acc[m, n] += sum_k lhs[m, k] * rhs[row + k, n]`, k upwards.
template <int N, int K, int TileR, smem_layout L>
GSA_DEVICE void mma_nn(frag<float, 16, N, frag_layout::acc>& acc,
                       frag<float, 16, K, frag_layout::lhs>& lhs,
                       smem<float, TileR, N, L> rhs, int row) {
  static_assert(K <= TileR, "the tile holds the right operand");
#pragma unroll 1
  for (int part = 0; part < K; part += 8) {
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      int first = opaque(frag_column(0, 0));
      float a0 = lhs_element(lhs, k, 0), a1 = lhs_element(lhs, k, 1);
#pragma unroll
      for (int j = 0; j < N / 8; ++j) {
        float2 b = *reinterpret_cast<const float2*>(
            &rhs.at(row + part + k, first + 8 * j));
        acc.x[j][0] = fmaf(a0, b.x, acc.x[j][0]);
        acc.x[j][1] = fmaf(a0, b.y, acc.x[j][1]);
        acc.x[j][2] = fmaf(a1, b.x, acc.x[j][2]);
        acc.x[j][3] = fmaf(a1, b.y, acc.x[j][3]);
      }
    }
    rotate(lhs);
  }
}

//===----------------------------------------------------------------------===//
// Products under a causal mask
//===----------------------------------------------------------------------===//

/// A pair of 16-bit numbers of rows k and k + 1, 0 from row `end` on.
GSA_DEVICE unsigned rows_below(unsigned pair, int k, int end) {
  return pair &
         ((k < end ? 0x0000ffffu : 0u) | (k + 1 < end ? 0xffff0000u : 0u));
}

/// Columns 8 n to 8 n + 7 of `lhs * rhs`, of rhs the first `end` rows from
/// `row` on. mma.sync shares a right operand among all rows, so a row's own
/// bound needs a product of its own.
template <class T, int N, int K, int TileR, smem_layout L>
GSA_DEVICE void product_below(float (&sum)[4],
                              const frag<T, 16, K, frag_layout::lhs>& lhs,
                              smem<T, TileR, N, L> rhs, int row, int end,
                              int n) {
#pragma unroll
  for (int k = 0; k < K / 16; ++k) {
    unsigned b[2];
    ptx::ldmatrix_x2<true>(b, rhs.address(row + 16 * k + (lane() & 15), 8 * n));
    int first = 16 * k + 2 * (lane() & 3);
    ptx::mma_m16n8k16<T>(sum, lhs.x[k], rows_below(b[0], first, end),
                         rows_below(b[1], first + 8, end));
  }
}

/// As mma_nn over the k with `column + k <= last + m / RowsPerQuery`: what is
/// hidden takes no part, NaN and infinity included.
template <int RowsPerQuery, class T, int N, int K, int TileR, smem_layout L>
GSA_DEVICE void mma_nn_causal(frag<float, 16, N, frag_layout::acc>& acc,
                              const frag<T, 16, K, frag_layout::lhs>& lhs,
                              smem<T, TileR, N, L> rhs, int row, int last,
                              int column) {
  if (column + K - 1 <= last) {
    mma_nn(acc, lhs, rhs, row);
    return;
  }
#pragma unroll 1
  for (int m = 0; m < 16; ++m) {
    int end = last + m / RowsPerQuery + 1 - column;
    if (end <= 0) continue;
    bool low = lane() / 4 == m, high = lane() / 4 + 8 == m;
#pragma unroll
    for (int n = 0; n < N / 8; ++n) {
      float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
      product_below(sum, lhs, rhs, row, end, n);
      if (low) {
        acc.x[n][0] += sum[0];
        acc.x[n][1] += sum[1];
      }
      if (high) {
        acc.x[n][2] += sum[2];
        acc.x[n][3] += sum[3];
      }
    }
  }
}

/// In float a lane has two rows of its own, each with its own bound.
template <int RowsPerQuery, int N, int K, int TileR, smem_layout L>
GSA_DEVICE void mma_nn_causal(frag<float, 16, N, frag_layout::acc>& acc,
                              frag<float, 16, K, frag_layout::lhs>& lhs,
                              smem<float, TileR, N, L> rhs, int row, int last,
                              int column) {
  int end0 = last + frag_row(0) / RowsPerQuery + 1 - column;
  int end1 = last + frag_row(2) / RowsPerQuery + 1 - column;
#pragma unroll 1
  for (int part = 0; part < K; part += 8) {
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      int first = opaque(frag_column(0, 0));
      float a0 = lhs_element(lhs, k, 0), a1 = lhs_element(lhs, k, 1);
      bool sees0 = part + k < end0, sees1 = part + k < end1;
#pragma unroll
      for (int j = 0; j < N / 8; ++j) {
        float2 b = *reinterpret_cast<const float2*>(
            &rhs.at(row + part + k, first + 8 * j));
        if (sees0) {
          acc.x[j][0] = fmaf(a0, b.x, acc.x[j][0]);
          acc.x[j][1] = fmaf(a0, b.y, acc.x[j][1]);
        }
        if (sees1) {
          acc.x[j][2] = fmaf(a1, b.x, acc.x[j][2]);
          acc.x[j][3] = fmaf(a1, b.y, acc.x[j][3]);
        }
      }
    }
    rotate(lhs);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MMA_CUH
