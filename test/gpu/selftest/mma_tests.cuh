//===- mma_tests.cuh - products -*- CUDA -*-===//

#ifndef GSA_TEST_GPU_SELFTEST_MMA_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_MMA_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"

namespace selftest {

template <class T, int N, int K, smem_layout L, bool Transposed>
__global__ void mma_kernel(const T* a, const T* b, float* out, int a_row,
                           int b_row) {
  constexpr int rows = (Transposed ? N : K) + 8, columns = Transposed ? K : N;
  auto left = smem_alloc<smem<T, 32, K, L>>(0);
  auto right = smem_alloc<smem<T, rows, columns, L>>(
      32 * K * static_cast<int>(sizeof(T)));
  put_tile(left, a);
  put_tile(right, b);
  auto operand = frag_alloc<frag<T, 16, K, frag_layout::lhs>>();
  auto sum = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  fill(sum, 1.5f);
  load_lhs(operand, left, a_row);
  if constexpr (Transposed)
    mma_nt(sum, operand, right, b_row);
  else
    mma_nn(sum, operand, right, b_row);
  get_dense(sum, out);
}

template <class T, int N, int K, smem_layout L, bool Transposed>
void test_mma(Suite& suite) {
  constexpr int rows = (Transposed ? N : K) + 8, columns = Transposed ? K : N;
  Random random(N + K);
  Array<T> a(32 * K), b(rows * columns);
  Array<float> out(16 * N);
  random.Fill(a);
  random.Fill(b);
  for (int a_row : {0, 16, 3})
    for (int b_row : {0, 5, 8}) {
      launch("mma", mma_kernel<T, N, K, L, Transposed>, 1, 1,
             (32 * K + rows * columns) * static_cast<int>(sizeof(T)), a.data(),
             b.data(), out.data(), a_row, b_row);
      suite.Context("%s N %d K %d layout %d rows %d %d", format<T>::name, N, K,
                    static_cast<int>(L), a_row, b_row);
      for (int m = 0; m < 16; ++m)
        for (int n = 0; n < N; ++n) {
          double sum = 1.5, size = 1.5;
          for (int k = 0; k < K; ++k) {
            int at = Transposed ? (b_row + n) * columns + k
                                : (b_row + k) * columns + n;
            double product = to_host(a[(a_row + m) * K + k]) * to_host(b[at]);
            sum += product;
            size += std::fabs(product);
          }
          suite.Near(out[m * N + n], sum, 2e-6 * size, m, n);
        }
    }
}

/// The left operand is columns a_column to a_column + 15 of a tile.
template <class T, int N, int K, smem_layout L>
__global__ void transposed_kernel(const T* a, const T* b, float* out, int a_row,
                                  int a_column) {
  auto left = smem_alloc<smem<T, K + 8, 48, L>>(0);
  auto right =
      smem_alloc<smem<T, K, N, L>>((K + 8) * 48 * static_cast<int>(sizeof(T)));
  put_tile(left, a);
  put_tile(right, b);
  auto operand = frag_alloc<frag<T, 16, K, frag_layout::lhs>>();
  auto sum = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  fill(sum, 1.5f);
  load_lhs_transposed(operand, left, a_row, a_column);
  mma_nn(sum, operand, right, 0);
  get_dense(sum, out);
}

template <class T, int N, int K, smem_layout L>
void test_transposed(Suite& suite) {
  Random random(N + K);
  Array<T> a((K + 8) * 48), b(K * N);
  Array<float> out(16 * N);
  random.Fill(a);
  random.Fill(b);
  for (int row : {0, 3, 8})
    for (int column : {0, 8, 32}) {
      launch("load_lhs_transposed", transposed_kernel<T, N, K, L>, 1, 1,
             ((K + 8) * 48 + K * N) * static_cast<int>(sizeof(T)), a.data(),
             b.data(), out.data(), row, column);
      suite.Context("%s N %d K %d layout %d row %d column %d", format<T>::name,
                    N, K, static_cast<int>(L), row, column);
      for (int m = 0; m < 16; ++m)
        for (int n = 0; n < N; ++n) {
          double sum = 1.5, size = 1.5;
          for (int k = 0; k < K; ++k) {
            double product =
                to_host(a[(row + k) * 48 + column + m]) * to_host(b[k * N + n]);
            sum += product;
            size += std::fabs(product);
          }
          suite.Near(out[m * N + n], sum, 2e-6 * size, m, n);
        }
    }
}

inline void test_transposed_operands() {
  Suite suite("load_lhs_transposed");
  test_transposed<bf16, 16, 16, swizzle>(suite);
  test_transposed<f16, 64, 48, linear>(suite);
  test_transposed<float, 24, 32, swizzle>(suite);
}

template <class T, bool Transposed>
void test_mma_shapes(const char* name) {
  Suite suite(std::string(name) + " " + format<T>::name);
  test_mma<T, 8, 16, swizzle, Transposed>(suite);
  test_mma<T, 24, 48, swizzle, Transposed>(suite);
  test_mma<T, 16, 80, linear, Transposed>(suite);
  test_mma<T, 64, 64, swizzle_128b, Transposed>(suite);
  test_mma<T, 64, 128, swizzle, Transposed>(suite);
  test_mma<T, 128, 64, swizzle_128b, Transposed>(suite);
  test_mma<T, 40, 256, swizzle, Transposed>(suite);
  // In float, fragments of 16 x 256 twice do not fit into registers.
  if constexpr (is_half<T>) test_mma<T, 256, 256, swizzle, Transposed>(suite);
}

template <class T, int C>
__global__ void convert_kernel(const float* from, const T* identity,
                               float* out) {
  auto tile = smem_alloc<smem<T, C, C, swizzle>>(0);
  put_tile(tile, identity);
  auto values = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  auto operand = frag_alloc<frag<T, 16, C, frag_layout::lhs>>();
  put_dense(values, from);
  convert(operand, values);
  fill(values, 0.0f);
  mma_nn(values, operand, tile, 0);
  get_dense(values, out);
}

/// A converted operand times the identity is the rounded fragment.
template <class T, int C>
void test_convert(Suite& suite) {
  Random random(C);
  Array<float> from(16 * C), out(16 * C);
  Array<T> identity(C * C);
  random.Fill(from);
  for (int i = 0; i < C * C; ++i)
    identity[i] = from_host<T>(i / C == i % C ? 1 : 0);
  launch("convert", convert_kernel<T, C>, 1, 1,
         C * C * static_cast<int>(sizeof(T)), from.data(), identity.data(),
         out.data());
  suite.Context("%s 16 x %d", format<T>::name, C);
  for (int i = 0; i < 16 * C; ++i)
    suite.Equal(out[i], rounded<T>(from[i]), i / C, i % C);
}

inline void test_converts() {
  Suite suite("convert");
  test_convert<bf16, 16>(suite);
  test_convert<f16, 64>(suite);
  test_convert<bf16, 128>(suite);
  test_convert<float, 48>(suite);
}

/// What a causal mask hides holds NaN.
template <int RowsPerQuery, class T, int N, int K>
__global__ void causal_kernel(const T* a, const T* b, float* out, int row,
                              int last, int column) {
  auto left = smem_alloc<smem<T, 16, K, swizzle>>(0);
  auto right = smem_alloc<smem<T, K + 8, N, swizzle>>(
      16 * K * static_cast<int>(sizeof(T)));
  put_tile(left, a);
  put_tile(right, b);
  auto operand = frag_alloc<frag<T, 16, K, frag_layout::lhs>>();
  auto sum = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  fill(sum, 1.5f);
  load_lhs(operand, left, 0);
  mma_nn_causal<RowsPerQuery>(sum, operand, right, row, last, column);
  get_dense(sum, out);
}

template <int RowsPerQuery, class T, int N, int K>
void test_causal(Suite& suite) {
  Random random(N + K);
  Array<T> a(16 * K), b((K + 8) * N);
  Array<float> out(16 * N);
  random.Fill(a);
  const int row = 3, column = 40;
  // Before, at, within and behind the columns of the tile.
  for (int last : {column - 20, column - 1, column, column + 7, column + K / 2,
                   column + K - 2, column + K - 1, column + K + 5}) {
    random.Fill(b);
    const int hidden = last + 15 / RowsPerQuery + 1 - column;
    for (int k = std::max(hidden, 0); k < K; ++k)
      for (int n = 0; n < N; ++n) b[(row + k) * N + n] = from_host<T>(kNan);
    launch("mma_nn_causal", causal_kernel<RowsPerQuery, T, N, K>, 1, 1,
           (16 * K + (K + 8) * N) * static_cast<int>(sizeof(T)), a.data(),
           b.data(), out.data(), row, last, column);
    suite.Context("%s N %d K %d, %d rows a query, last %d", format<T>::name, N,
                  K, RowsPerQuery, last - column);
    for (int m = 0; m < 16; ++m)
      for (int n = 0; n < N; ++n) {
        double sum = 1.5, size = 1.5;
        for (int k = 0; k < K && column + k <= last + m / RowsPerQuery; ++k) {
          double product =
              to_host(a[m * K + k]) * to_host(b[(row + k) * N + n]);
          sum += product;
          size += std::fabs(product);
        }
        suite.Near(out[m * N + n], sum, 2e-6 * size, m, n);
      }
  }
}

inline void test_causals() {
  Suite suite("mma_nn_causal");
  test_causal<1, bf16, 16, 32>(suite);
  test_causal<4, bf16, 64, 64>(suite);
  test_causal<16, f16, 24, 16>(suite);
  test_causal<2, float, 32, 48>(suite);
  test_causal<16, float, 8, 16>(suite);
}

inline void run_mma_tests() {
  test_causals();
  test_mma_shapes<bf16, true>("mma_nt");
  test_mma_shapes<f16, true>("mma_nt");
  test_mma_shapes<float, true>("mma_nt");
  test_mma_shapes<bf16, false>("mma_nn");
  test_mma_shapes<f16, false>("mma_nn");
  test_mma_shapes<float, false>("mma_nn");
  test_transposed_operands();
  test_converts();
}

}  // namespace selftest

#endif  // GSA_TEST_GPU_SELFTEST_MMA_TESTS_CUH
