//===- mma.cuh - products of tiles (host) ----------------------*- C++ -*-===//
//
// Products of 16-bit floats are exact in f32; each is added with one rounding,
// k ascending. The device sums groups of k in another order.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_MMA_CUH
#define GSA_DEVICE_MMA_CUH

#include "gsa/device/frag.cuh"

namespace gsa::dev {

/// out[16, n] += a[16, k] * b[k, n], all row-major and private.
GSA_EMU_PRIVATE inline void add_product(float* out, const float* a,
                                        const float* b, int n, int k) {
  for (int m = 0; m < 16; ++m)
    for (int j = 0; j < k; ++j) {
      float factor = a[m * k + j];
      for (int i = 0; i < n; ++i) out[m * n + i] += factor * b[j * n + i];
    }
}

template <class T, int K>
void widen(float* out, const frag<T, 16, K, lhs>& a) {
  for (int m = 0; m < 16; ++m)
    for (int k = 0; k < K; ++k) out[m * K + k] = to_float(a.v[m][k]);
}

template <int N, int K, class T, int Rows, int Columns, smem_layout Layout>
void mma_nt(frag<float, 16, N, acc>& sum, const frag<T, 16, K, lhs>& a,
            smem<T, Rows, Columns, Layout> b, int row) {
  static_assert(K == Columns, "lhs has as many columns as rhs");
  float left[16 * K], right[K * N], line[K];
  widen(left, a);
  for (int n = 0; n < N; ++n) {
    b.get_row("mma_nt", row + n, 0, K, line);
    for (int k = 0; k < K; ++k) right[k * N + n] = line[k];
  }
  add_product(&sum.v[0][0], left, right, N, K);
}

template <int N, int K, class T, int Rows, int Columns, smem_layout Layout>
void mma_nn(frag<float, 16, N, acc>& sum, const frag<T, 16, K, lhs>& a,
            smem<T, Rows, Columns, Layout> b, int row) {
  static_assert(N == Columns, "acc has as many columns as rhs");
  float left[16 * K], right[K * N];
  widen(left, a);
  for (int k = 0; k < K; ++k) b.get_row("mma_nn", row + k, 0, N, right + k * N);
  add_product(&sum.v[0][0], left, right, N, K);
}

template <int RowsPerQuery, int N, int K, class T, int Rows, int Columns,
          smem_layout Layout>
void mma_nn_causal(frag<float, 16, N, acc>& sum, const frag<T, 16, K, lhs>& a,
                   smem<T, Rows, Columns, Layout> b, int row, int last,
                   int column) {
  static_assert(N == Columns, "acc has as many columns as rhs");
  float left[16 * K], right[K * N];
  widen(left, a);
  for (int k = 0; k < K; ++k)
    b.get_row("mma_nn_causal", row + k, 0, N, right + k * N);
  for (int m = 0; m < 16; ++m)
    for (int k = 0; k < K && column + k <= last + m / RowsPerQuery; ++k)
      for (int n = 0; n < N; ++n)
        sum.v[m][n] = std::fma(left[m * K + k], right[k * N + n], sum.v[m][n]);
}

template <class T, class S, int Columns, frag_layout To, frag_layout From>
void convert(frag<T, 16, Columns, To>& target,
             const frag<S, 16, Columns, From>& source) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c)
      target.v[r][c] = convert_to<T>(source.v[r][c]);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_MMA_CUH
