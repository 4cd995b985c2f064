//===- scalars.cu - kernels of single elements -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;

// As rotary embedding prints.
extern "C" __global__ __launch_bounds__(256) void rotate_pairs(
    const bf16* __restrict__ x, const long long* __restrict__ positions,
    bf16* __restrict__ y, long long count, int half, double base) {
  for (long long i = first_element(); i < count; i = next_element(i)) {
    long long row = i / half, pair_index = i % half;
    double angle = (double)load(positions, row) *
                   pow(base, -2.0 * (double)pair_index / (2.0 * half));
    float c = (float)cos_f64(angle), s = (float)sin_f64(angle);
    float a = to_float(load(x, row * 2 * half + pair_index));
    float b = to_float(load(x, row * 2 * half + pair_index + half));
    store(y, row * 2 * half + pair_index, to_bf16(a * c - b * s));
    store(y, row * 2 * half + pair_index + half, to_bf16(b * c + a * s));
  }
}

extern "C" __global__ __launch_bounds__(64) void conversions(
    const double* __restrict__ x, f16* __restrict__ y, bf16* __restrict__ z,
    float* __restrict__ w, int* __restrict__ n, long long count) {
  for (long long i = first_element(); i < count; i = next_element(i)) {
    double v = maximum(minimum(load(x, i), 1e5), -infinity<double>());
    store(y, i, convert_to<f16>(v));
    store(z, i, convert_to<bf16>(count));
    store(w, i, maximum(to_float(to_f16((float)v)), quiet_nan<float>()));
    store(n, i,
          floor_div(bit_cast<int>((float)v), 7) + ceil_div(1, 2) +
              block_id<1>() * grid_size<1>());
  }
}

// States of two parts of the keys, from shared memory.
extern "C" __global__ __launch_bounds__(32) void merge(
    float* __restrict__ out) {
  auto tile = smem_alloc<smem<float, 64, 64, smem_layout::swizzle>>(0);
  auto a = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  auto b = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  auto max_a = rowvec_alloc<rowvec<float, 16>>();
  auto max_b = rowvec_alloc<rowvec<float, 16>>();
  auto sum_a = rowvec_alloc<rowvec<float, 16>>();
  auto sum_b = rowvec_alloc<rowvec<float, 16>>();
  take_frag(a, tile, 0);
  take_frag(b, tile, 16);
  take_rowvec(max_a, tile, 32);
  take_rowvec(max_b, tile, 33);
  take_rowvec(sum_a, tile, 34);
  take_rowvec(sum_b, tile, 35);
  softmax_merge<true>(a, max_a, sum_a, b, max_b, sum_b, load(out, 0));
  auto lse = rowvec_alloc<rowvec<float, 16>>();
  softmax_finish<true>(a, lse, max_a, sum_a, load(out, 1));
  store_rows(strided_rows(out, 64, 16), 0, a, 64);
  store_rowvec(strided_rows(out, 1, 16), 0, lse);
}
