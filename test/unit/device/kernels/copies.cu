//===- copies.cu - movement of tiles -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;

template <class T, int R, int C, smem_layout L, int Vector, int Warps>
__device__ __forceinline__ void copies(const T* source, const int* list, T* out,
                                       float* numbers, long long pitch,
                                       int rows, int columns) {
  using all = team<0, Warps>;
  auto entries = smem_alloc<smem<int, 1, 512, smem_layout::linear>>(0);
  auto tile = smem_alloc<smem<T, R, C, L>>(4096);
  auto sums = smem_alloc<smem<float, 32, C + 8, smem_layout::linear>>(65536);
  copy_rows<all, 4>(entries, list, 512, 1, rows);
  copy_rows<all, Vector>(tile, source, pitch, rows, columns);
  copy_wait<all, 0>();
  auto values = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  auto row_values = rowvec_alloc<rowvec<float, 16>>();
  take_frag(values, tile, 0);
  load_rowvec(row_values, source, pitch, rows);
  sync<all, 0>();
  gather_rows<all, Vector>(tile, source, pitch, entries, 3, rows, 1000,
                           columns);
  copy_wait<all, 1>();
  put_frag(sums, 16, values);
  put_rowvec(sums, 3, row_values);
  store_shared(sums, 0, 0, 1.0f);
  take_rowvec(row_values, sums, 3);
  activate_rows<activation::silu>(row_values);
  store_rowvec(numbers, pitch, row_values, rows);
  auto again = frag_alloc<frag<float, 16, C, frag_layout::acc>>();
  take_frag(again, tile, 0);
  add_scaled(values, again, row_values);
  affine(values, 2.0f, 1.0f);
  activate<activation::tanh>(values);
  mask_columns(values, 3, columns);
  mask_causal(values, rows, columns, 4);
  store_rows(out, pitch, values, rows, columns);
  store(numbers, 1, load_shared(sums, 0, 0) + load(numbers, 2));
}

#define COPIES(name, T, R, C, L, Vector, Warps)                                \
  extern "C" __global__ __launch_bounds__(32 * Warps) void name(               \
      const T* __restrict__ source, const int* __restrict__ list,              \
      T* __restrict__ out, float* __restrict__ numbers, long long pitch,       \
      int rows, int columns) {                                                 \
    copies<T, R, C, smem_layout::L, Vector, Warps>(source, list, out, numbers, \
                                                   pitch, rows, columns);      \
  }
COPIES(copies_bf16_16, bf16, 64, 128, swizzle, 16, 4)
COPIES(copies_f16_8, f16, 48, 40, swizzle, 8, 3)
COPIES(copies_bf16_4, bf16, 17, 64, swizzle_128b, 4, 1)
COPIES(copies_f16_2, f16, 16, 24, linear, 2, 4)
COPIES(copies_float_16, float, 32, 64, swizzle, 16, 4)
COPIES(copies_float_4, float, 16, 8, linear, 4, 2)
