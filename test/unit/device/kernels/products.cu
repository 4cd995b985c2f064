//===- products.cu - products for tensor cores and in float -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;

// acc += lhs rhs^T, then another fragment += acc rhs: both products of shapes
// N keys and K columns, staged.
template <class T, int N, int K, smem_layout L>
__device__ __forceinline__ void products(float* out, int steps) {
  auto left = smem_alloc<smem<T, 16, K, L>>(0);
  auto right = smem_alloc<smem_stages<T, 2, N, K, L>>(16384);
  auto operand = frag_alloc<frag<T, 16, K, frag_layout::lhs>>();
  auto scores = frag_alloc<frag<float, 16, N, frag_layout::acc>>();
  auto sum = frag_alloc<frag<float, 16, K, frag_layout::acc>>();
  fill(sum, 0.0f);
  load_lhs(operand, left, 0);
  for (int i = 0; i < steps; ++i) {
    auto tile = stage(right, i % 2);
    fill(scores, 0.0f);
    mma_nt(scores, operand, tile, 0);
    auto p = frag_alloc<frag<T, 16, N, frag_layout::lhs>>();
    convert(p, scores);
    mma_nn(sum, p, tile, 0);
    sync<team<0, 4>, 0>();
  }
  store_rows(strided_rows(out, K, 16), 0, sum, K);
}

#define PRODUCTS(name, T, N, K, L)                        \
  extern "C" __global__ __launch_bounds__(128) void name( \
      float* __restrict__ out, int steps) {               \
    products<T, N, K, smem_layout::L>(out, steps);        \
  }
PRODUCTS(products_bf16_64x128, bf16, 64, 128, swizzle)
PRODUCTS(products_f16_48x80, f16, 48, 80, swizzle)
PRODUCTS(products_bf16_32x256, bf16, 32, 256, swizzle_128b)
PRODUCTS(products_f16_32x32, f16, 32, 32, linear)
PRODUCTS(products_float_32x64, float, 32, 64, swizzle)
PRODUCTS(products_float_32x128, float, 32, 128, swizzle_128b)
