//===- copies.cu - movement of tiles -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;

// Every kind of view, in what copies, reads and writes rows. Rows are found
// once for two copies where a thread has few enough of them.
template <class T, int R, int C, smem_layout L, int Vector, int Warps>
__device__ __forceinline__ void copies(const T* source, const int* list,
                                       const int* table, T* out, float* numbers,
                                       long long pitch, int rows, int columns) {
  using all = team<0, Warps>;
  constexpr int units = C * static_cast<int>(sizeof(T)) / Vector;
  auto entries = smem_alloc<smem<int, 1, 512, smem_layout::linear>>(0);
  auto tile = smem_alloc<smem<T, R, C, L>>(4096);
  auto sums = smem_alloc<smem<float, 32, C + 8, smem_layout::linear>>(65536);
  copy_rows<all, 4>(entries, strided_rows(list, 512, 1), 0, rows);
  copy_rows<all, Vector>(tile, two_level_rows<6>(source, pitch, C, rows), 3,
                         columns);
  copy_wait<all, 0>();
  auto values = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  auto row_values = rowvec_alloc<rowvec<float, 16>>();
  take_frag(values, tile, 0);
  load_rowvec(row_values,
              paged_rows<16, 16, 1>(source, pitch, table, rows, rows), 5);
  sync<all, 0>();
  auto listed = listed_rows(source, pitch, entries, rows, 1000);
  auto paged = listed_paged_rows<16, 24>(source, pitch, table, columns, entries,
                                         rows, 1000);
  copy_rows<all, Vector>(tile, listed, 3, columns);
  copy_wait<all, 1>();
  put_frag(sums, 16, values);
  put_rowvec(sums, 3, row_values);
  store_shared(sums, 0, 0, 1.0f);
  take_rowvec(row_values, sums, 3);
  activate_rows<activation::silu>(row_values);
  store_rowvec(strided_rows(numbers, pitch, rows), 0, row_values);
  auto again = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  take_frag(again, tile, 0);
  sync<all, 0>();
  if constexpr (found_rows<all, R, units>::steps <= 8) {
    auto found = find_rows<all, R, units>(paged, 7);
    copy_rows<all, Vector>(tile, paged, found, columns);
    copy_wait<all, 1>();
    add_scaled(values, again, row_values);
    take_frag(again, tile, 0);
    sync<all, 0>();
    copy_rows<all, Vector>(tile,
                           listed_paged_rows<16, 24>(out, pitch, table, columns,
                                                     entries, rows, 1000),
                           found, columns);
    copy_wait<all, 1>();
  }
  add_scaled(values, again, row_values);
  affine(values, 2.0f, 1.0f);
  activate<activation::tanh>(values);
  mask_rows(values, strided_rows(source, 0, columns), 3);
  mask_rows(values, paged, 7);
  mask_causal(values, rows, columns, 4);
  gate_rows<activation::sigmoid>(
      values, two_level_rows<6>(source, pitch, C, rows), 3, columns, true);
  store_rows(paged_rows<16, 16, 1>(out, pitch, table, rows, rows), 5, values,
             columns);
  store(numbers, 1, load_shared(sums, 0, 0) + load(numbers, 2));
}

#define COPIES(name, T, R, C, L, Vector, Warps)                              \
  extern "C" __global__ __launch_bounds__(32 * Warps) void name(             \
      const T* __restrict__ source, const int* __restrict__ list,            \
      const int* __restrict__ table, T* __restrict__ out,                    \
      float* __restrict__ numbers, long long pitch, int rows, int columns) { \
    copies<T, R, C, smem_layout::L, Vector, Warps>(                          \
        source, list, table, out, numbers, pitch, rows, columns);            \
  }
COPIES(copies_bf16_16, bf16, 64, 96, swizzle, 16, 4)
COPIES(copies_f16_8, f16, 48, 40, swizzle, 8, 3)
COPIES(copies_bf16_4, bf16, 17, 64, swizzle_128b, 4, 1)
COPIES(copies_f16_2, f16, 16, 24, linear, 2, 4)
COPIES(copies_float_16, float, 32, 64, swizzle, 16, 4)
COPIES(copies_float_4, float, 32, 8, linear, 4, 2)

// Rows that are added to, of a kind as gradients have: a list of them.
extern "C" __global__ __launch_bounds__(32) void adds(
    const float* __restrict__ source, const int* __restrict__ list,
    float* __restrict__ numbers, long long pitch, int rows, int columns) {
  using all = team<0, 1>;
  auto tile = smem_alloc<smem<float, 16, 64, smem_layout::linear>>(0);
  copy_rows<all, 16>(tile, strided_rows(source, pitch, rows), 0, columns);
  copy_wait<all, 0>();
  auto values = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  take_frag(values, tile, 0);
  accumulate_rows(listed_rows(numbers, pitch, list, rows, 1000), 0, values,
                  columns);
  accumulate_rows(strided_rows(numbers, pitch, rows), 3, values, columns);
}
