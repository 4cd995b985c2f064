//===- attention.cu - a kernel with roles, as passes make them -*- CUDA -*-===//

#include <gsa/device/tile.cuh>

using namespace gsa::dev;

// Sparse attention of 64 rows (4 warps of 16) over listed keys: one warp
// gathers keys and values through a ring, four compute.
template <class T, int D, int keys>
__device__ __forceinline__ void attend(const T* q, const T* k, const T* v,
                                       const int* list, const T* logits, T* out,
                                       float* lse_out, int count, int limit) {
  constexpr int stages = 2;
  constexpr bool bounded = is_same<T, bf16>;
  constexpr int list_bytes = 4 * 2048, tile_bytes = keys * D * 2;
  auto t = block_id<0>();
  auto entries = smem_alloc<smem<int, 1, 2048, smem_layout::linear>>(0);
  auto queries = smem_alloc<smem<T, 64, D, smem_layout::swizzle>>(list_bytes);
  auto key_tiles =
      smem_alloc<smem_stages<T, stages, keys, D, smem_layout::swizzle>>(
          list_bytes + 64 * D * 2);
  auto value_tiles =
      smem_alloc<smem_stages<T, stages, keys, D, smem_layout::swizzle>>(
          list_bytes + 64 * D * 2 + stages * tile_bytes);
  auto slots = ring_alloc<ring<stages>, 1, 4>(list_bytes + 64 * D * 2 +
                                              2 * stages * tile_bytes);
  copy_rows<team<0, 5>, 4>(entries, strided_rows(list, 2048, t + 1), t, count);
  copy_rows<team<0, 5>, 16>(
      queries, strided_rows(at(q, indices(t, 0, 0), sizes(64, D)), D, 64), 0,
      D);
  copy_wait<team<0, 5>, 0>();
  auto steps = ceil_div(count, keys);
  auto key_rows = listed_rows(k, D, entries, count, limit);
  auto value_rows = listed_rows(v, D, entries, count, limit);
  if (in_team<team<4, 1>>()) {
    for (int i = 0; i < steps; ++i) {
      auto slot = ring_acquire(slots, i);
      copy_rows<team<4, 1>, 16>(stage(key_tiles, slot), key_rows, i * keys, D);
      copy_rows<team<4, 1>, 16>(stage(value_tiles, slot), value_rows, i * keys,
                                D);
      ring_commit<true>(slots, i);
    }
  } else if (in_team<team<0, 4>>()) {
    auto rank = warp_rank<team<0, 4>>();
    auto scores = frag_alloc<frag<float, 16, keys, frag_layout::acc>>();
    auto output = frag_alloc<frag<float, 16, D, frag_layout::acc>>();
    auto left = frag_alloc<frag<T, 16, D, frag_layout::lhs>>();
    auto p = frag_alloc<frag<T, 16, keys, frag_layout::lhs>>();
    auto maximum = rowvec_alloc<rowvec<float, 16>>();
    auto sum = rowvec_alloc<rowvec<float, 16>>();
    auto lse = rowvec_alloc<rowvec<float, 16>>();
    fill(output, 0.0f);
    fill_rows(maximum, -infinity<float>());
    fill_rows(sum, 0.0f);
    load_lhs(left, queries, rank * 16);
    for (int i = 0; i < steps; ++i) {
      auto slot = ring_wait(slots, i);
      fill(scores, 0.0f);
      mma_nt(scores, left, stage(key_tiles, slot), 0);
      mask_rows(scores, key_rows, i * keys);
      softmax_update<bounded>(scores, output, maximum, sum, 0.125f);
      if constexpr (bounded)
        softmax_weights(p, scores, sum);
      else
        convert(p, scores);
      mma_nn(output, p, stage(value_tiles, slot), 0);
      ring_release(slots, i);
    }
    softmax_finish<bounded>(output, lse, maximum, sum, 0.125f);
    auto gate =
        strided_rows(at(logits, indices(t, 0, 0), sizes(64, D)), D, 64);
    auto to = strided_rows(at(out, indices(t, 0, 0), sizes(64, D)), D, 64);
    if constexpr (D > 128) {
      // Over the rings: logits that are under way together would not fit into
      // registers beside so wide rows.
      auto staged = smem_alloc<smem<float, 64, D, smem_layout::swizzle>>(
          list_bytes + 64 * D * 2);
      auto gates = smem_alloc<smem<T, 64, D, smem_layout::swizzle>>(
          list_bytes + 64 * D * 6);
      sync<team<0, 4>, 1>();
      copy_rows<team<0, 4>, 16>(gates, gate, 0, D);
      copy_wait<team<0, 4>, 1>();
      put_frag(staged, rank * 16, output);
      gate_tile<activation::sigmoid>(staged, gates, rank * 16, 16);
      store_tile<16>(to, rank * 16, staged, rank * 16, 16, D);
    } else {
      gate_rows<activation::sigmoid>(output, gate, rank * 16, D, false);
      store_rows(to, rank * 16, output, D);
    }
    store_rowvec(strided_rows(at(lse_out, indices(t, 0), sizes(64)), 1, 64),
                 rank * 16, lse);
  }
}

#define ATTEND(name, T, D, keys)                                       \
  extern "C" __global__ __launch_bounds__(160, 1) void name(           \
      const T* __restrict__ q, const T* __restrict__ k,                \
      const T* __restrict__ v, const int* __restrict__ list,           \
      const T* __restrict__ logits, T* __restrict__ out,               \
      float* __restrict__ lse, int count, int limit) {                 \
    attend<T, D, keys>(q, k, v, list, logits, out, lse, count, limit); \
  }
ATTEND(attend_bf16_64, bf16, 64, 64)
ATTEND(attend_bf16_128, bf16, 128, 64)
ATTEND(attend_f16_128, f16, 128, 64)
// 208 of 255 registers are fragments; newer compilers' targets keep a few more
// for themselves.
#if __CUDA_ARCH__ >= 1000
ATTEND(attend_bf16_256, bf16, 256, 16)
#else
ATTEND(attend_bf16_256, bf16, 256, 32)
#endif
