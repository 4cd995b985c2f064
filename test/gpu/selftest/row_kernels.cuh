//===- row_kernels.cuh - kernels that reach rows by views -------*- CUDA
//-*-===//
//
// They call the device library and nothing else, as generated kernels do: the
// same text runs on a GPU (row_tests.cuh) and in emulation
// (test/unit/emu/rows_test.cc). The cases are those of row_cases.h.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_ROW_KERNELS_CUH
#define GSA_TEST_GPU_SELFTEST_ROW_KERNELS_CUH

#include "gsa/device/tile.cuh"

using namespace gsa::dev;

namespace row_kernels {

using list_tile = smem<int, 1, 128, smem_layout::linear>;

struct row_case {
  int kind;
  long long pitch, inner;
  const int* table;
  list_tile list;
  int end, limit;
};

/// Calls `f(view)`; kinds are those of RowKind.
template <class T, class F>
__device__ void with_view(row_case c, T* base, F f) {
  if (c.kind == 0) f(strided_rows(base, c.pitch, c.limit));
  if (c.kind == 1) f(two_level_rows<3>(base, c.pitch, c.inner, c.limit));
  if (c.kind == 2) f(two_level_rows<8>(base, c.pitch, c.inner, c.limit));
  if (c.kind == 3) f(listed_rows(base, c.pitch, c.list, c.end, c.limit));
  if (c.kind == 4)
    f(paged_rows<4, 4, 1>(base, c.pitch, c.table, 0x7fffffff / 4, c.limit));
  if (c.kind == 5)
    f(paged_rows<16, 16, 1>(base, c.pitch, c.table, 0x7fffffff / 16, c.limit));
  if (c.kind == 6)
    f(listed_paged_rows<4, 4>(base, c.pitch, c.table, 0x7fffffff / 4, c.list,
                              c.end, c.limit));
  if (c.kind == 7) f(interleaved_rows(base, c.pitch, c.inner, c.limit));
  if (c.kind == 8)
    f(paged_rows<4, 7, 3>(base, c.pitch, c.table, 0x7fffffff / 7, c.limit));
}

/// The list in shared memory; a barrier of the warps must follow.
template <class Team>
__device__ list_tile copy_list(const int* list) {
  auto entries = smem_alloc<list_tile>(0);
  copy_rows<Team, 4>(entries, strided_rows(list, 0, 1), 0, 128);
  return entries;
}

/// A tile to rows `row`, row + 1, ... of `out`, by a team.
template <class Team, class T, int R, int C, smem_layout L>
__device__ void put_out(T* out, int row, smem<T, R, C, L> tile) {
  for (int r = warp_rank<Team>(); r < R; r += Team::count)
    for (int c = 0; c < C; ++c)
      store(out, (row + r) * C + c, load_shared(tile, r, c));
}

//===----------------------------------------------------------------------===//
// copy_rows, find_rows
//===----------------------------------------------------------------------===//

/// out = the tile. Its zeros must have been written.
template <class Team, int Vector, class T, int R, int C, smem_layout L>
__device__ void copy(const T* base, T* out, row_case c, int first, int columns,
                     int found) {
  using all = team<0, 5>;
  constexpr int units = C * static_cast<int>(sizeof(T)) / Vector;
  auto tile = smem_alloc<smem<T, R, C, L>>(1024);
  if (in_team<team<4, 1>>())
    for (int i = 0; i < R * C; ++i)
      store_shared(tile, i / C, i % C, convert_to<T>(77.0f));
  copy_wait<all, 0>();
  if (in_team<Team>())
    with_view(c, base, [&](auto view) {
      if (found) {
        auto rows = find_rows<Team, R, units>(view, first);
        copy_rows<Team, Vector>(tile, view, rows, columns);
      } else {
        copy_rows<Team, Vector>(tile, view, first, columns);
      }
    });
  copy_wait<all, 0>();
  put_out<all>(out, 0, tile);
}

//===----------------------------------------------------------------------===//
// Fragments and row vectors
//===----------------------------------------------------------------------===//

/// `what` happens to a fragment x, which is `values`, and a row vector y, which
/// is the start of x's first row; out = x and y after it.
template <class T>
__device__ void fragment(T* base, const float* values, float* out, row_case c,
                         int first, int columns, int what) {
  using all = team<0, 1>;
  auto tile = smem_alloc<smem<float, 16, 24, smem_layout::linear>>(1024);
  copy_rows<all, 16>(tile, strided_rows(values, 24, 16), 0, 24);
  copy_wait<all, 0>();
  auto x = frag_alloc<frag<float, 16, 24, frag_layout::acc>>();
  auto y = rowvec_alloc<rowvec<float, 16>>();
  take_frag(x, tile, 0);
  take_rowvec(y, tile, 0);
  with_view(c, base, [&](auto view) {
    if (what == 0) store_rows(view, first, x, columns);
    if (what == 1) store_rowvec(view, first, y);
    if (what == 2) load_rowvec(y, view, first);
    if (what == 3)
      gate_rows<activation::identity>(x, view, first, columns, false);
    if (what == 4)
      gate_rows<activation::identity>(x, view, first, columns, true);
    if (what == 5) mask_rows(x, view, first);
    if constexpr (is_same<T, float>)
      if (what == 6) accumulate_rows(view, first, x, columns);
    prefetch_rows<all, 16>(view, first, columns);
  });
  store_rows(strided_rows(out, 24, 16), 0, x, 24);
  store_rowvec(strided_rows(out, 1, 400), 384, y);
}

//===----------------------------------------------------------------------===//
// The bulk copy engine
//===----------------------------------------------------------------------===//

#if defined(GSA_SELFTEST_SM90A)
/// `tiles` tiles after each other, through a ring of two slots.
template <int Loaders, class T, int R, int C>
__device__ void bulk(const T* base, T* out, row_case c, int first, int columns,
                     int tiles) {
  using loaders = team<0, Loaders>;
  using readers = team<Loaders, 3>;
  constexpr int bytes = 2 * R * C * static_cast<int>(sizeof(T));
  auto buffer = smem_alloc<smem_stages<T, 2, R, C, smem_layout::linear>>(1024);
  auto slots = ring_alloc<ring<2>, Loaders, 3>(1024 + bytes);
  copy_wait<team<0, Loaders + 3>, 0>();
  if (in_team<loaders>()) {
    with_view(c, base, [&](auto view) {
      for (int i = 0; i < tiles; ++i) {
        const int slot = ring_acquire(slots, i);
        bulk_rows<loaders>(stage(buffer, slot), view, first + i * R, columns,
                           slots, i);
        ring_commit<false>(slots, i);
      }
    });
  } else if (in_team<readers>()) {
    for (int i = 0; i < tiles; ++i) {
      const int slot = ring_wait(slots, i);
      put_out<readers>(out, i * R, stage(buffer, slot));
      ring_release(slots, i);
    }
  }
}

/// Each block adds `rounds` tiles to the rows, through one tile in shared
/// memory.
__device__ inline void reduce(float* sums, row_case c, int first, int columns,
                              int rounds) {
  using all = team<0, 3>;
  auto tile = smem_alloc<smem<float, 48, 24, smem_layout::linear>>(1024);
  copy_wait<all, 0>();
  with_view(c, sums, [&](auto view) {
    for (int round = 0; round < rounds; ++round) {
      for (int r = warp_rank<all>(); r < 48; r += 3)
        for (int column = 0; column < 24; ++column)
          store_shared(
              tile, r, column,
              static_cast<float>(
                  (block_id<0>() * 3 + round * 5 + r * 7 + column) % 64));
      fence_async();
      sync<all, 1>();
      reduce_rows<all>(view, first, tile, columns);
      reduce_wait<all, 1>();
    }
  });
}
#endif

}  // namespace row_kernels

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

// The array of rows starts `begin` elements behind the base of the view; `more`
// is what a kernel takes besides.
#define ROW_PARAMETERS                                                    \
  int more, const int *list, const int *table, long long begin, int kind, \
      long long pitch, long long inner, int end, int limit, int first,    \
      int columns
#define ROW_CASE(ENTRIES) {kind, pitch, inner, table, ENTRIES, end, limit}

#define ROWS_COPY(NAME, FIRST, COUNT, VECTOR, T, R, C, L)                   \
  extern "C" __global__ void NAME(const T* base, T* out, ROW_PARAMETERS) {  \
    auto entries = row_kernels::copy_list<team<0, 5>>(list);                \
    row_kernels::copy<team<FIRST, COUNT>, VECTOR, T, R, C, smem_layout::L>( \
        base - begin, out, ROW_CASE(entries), first, columns, more);        \
  }
ROWS_COPY(rows_copy_bf16, 0, 4, 16, bf16, 32, 64, swizzle)
ROWS_COPY(rows_copy_f16, 1, 3, 2, f16, 9, 24, linear)
ROWS_COPY(rows_copy_f32, 0, 5, 4, float, 17, 12, swizzle)
ROWS_COPY(rows_copy_i8, 4, 1, 16, signed char, 16, 48, linear)
#undef ROWS_COPY

#define ROWS_FRAGMENT(NAME, T)                                                 \
  extern "C" __global__ void NAME(T* base, const float* values, float* out,    \
                                  ROW_PARAMETERS) {                            \
    auto entries = row_kernels::copy_list<team<0, 1>>(list);                   \
    row_kernels::fragment(base - begin, values, out, ROW_CASE(entries), first, \
                          columns, more);                                      \
  }
ROWS_FRAGMENT(rows_fragment_bf16, bf16)
ROWS_FRAGMENT(rows_fragment_f32, float)
#undef ROWS_FRAGMENT

#if defined(GSA_SELFTEST_SM90A)
#define ROWS_BULK(NAME, LOADERS, T, R, C)                                     \
  extern "C" __global__ void NAME(const T* base, T* out, ROW_PARAMETERS) {    \
    auto entries = row_kernels::copy_list<team<0, LOADERS + 3>>(list);        \
    row_kernels::bulk<LOADERS, T, R, C>(base - begin, out, ROW_CASE(entries), \
                                        first, columns, more);                \
  }
ROWS_BULK(rows_bulk_bf16, 2, bf16, 40, 40)
ROWS_BULK(rows_bulk_f32, 1, float, 40, 12)
#undef ROWS_BULK

extern "C" __global__ void rows_reduce(float* base, ROW_PARAMETERS) {
  auto entries = row_kernels::copy_list<team<0, 3>>(list);
  row_kernels::reduce(base - begin, ROW_CASE(entries), first, columns, more);
}
#endif

#undef ROW_PARAMETERS
#undef ROW_CASE

#endif  // GSA_TEST_GPU_SELFTEST_ROW_KERNELS_CUH
