//===- candidates.cuh - lists of candidates -*- CUDA -*-===//
//
// Scores at or above a bound of their row go to the row's list while they are
// in registers; the k best of them are found there. A candidate is a pair: the
// bits of the score and the cell. Pairs come in any order; the best are marked
// in a bitmap, where they have a place in the order of the row, and no result
// depends on theirs.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_CANDIDATES_CUH
#define GSA_DEVICE_CANDIDATES_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/ptx/predicated.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Writing lists
//===----------------------------------------------------------------------===//

template <int R, int C, frag_layout L>
GSA_DEVICE void add_partial_sums(rowvec<float, R>& sums,
                                 const frag<float, R, C, L>& frag) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h)
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
      sums.x[h] += frag.x[j][2 * h] + frag.x[j][2 * h + 1];
}

/// Sums of a tile first, so that few numbers are added to a large one.
template <bool SomeHidden, int R, int C, frag_layout L>
GSA_DEVICE void add_partial_moments(rowvec<float, R>& sums,
                                    rowvec<float, R>& squares,
                                    const frag<float, R, C, L>& frag) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    float sum = 0.0f, square = 0.0f;
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        float x = frag.x[j][2 * h + c];
        if (SomeHidden && x == -infinity()) x = 0.0f;
        sum += x;
        square = fmaf(x, x, square);
      }
    sums.x[h] += sum;
    squares.x[h] += square;
  }
}

template <int R>
GSA_DEVICE void join_partial_sums(rowvec<float, R>& sums) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) sums.x[h] = quad_sum(sums.x[h]);
}

/// Where a lane stages the hits of its row `half`.
template <int Halves, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE unsigned stage_address(smem<int, Lines, Columns, Layout> staged,
                                  int warp, int half) {
  return staged.address((warp * Halves + half) * 32 + lane(), 0);
}

/// Reserves `count` places of this lane in list `row`, for the four lanes of a
/// row by one atomic addition, and returns the first. A row that does not exist
/// has no hits.
GSA_DEVICE int reserve_places(int* counts, int row, int count) {
  int part = lane() & 3, through = count;
#pragma unroll
  for (int distance = 1; distance < 4; distance *= 2) {
    int other = __shfl_up_sync(all_lanes, through, distance, 4);
    through += part >= distance ? other : 0;
  }
  int first = 0;
  if (part == 3 && through > 0) first = atomicAdd(counts + row, through);
  return __shfl_sync(all_lanes, first, 3, 4) + through - count;
}

/// Appends the first `Unit * units` pairs that a lane has staged for a row.
template <int Unit>
GSA_DEVICE void append_staged(int* list, int* counts, unsigned from, int row,
                              int units, int capacity) {
  int place = reserve_places(counts, row, Unit * units);
  bool fits = place <= capacity - Unit * units;
  auto* to = reinterpret_cast<int2*>(list) +
             (static_cast<long long>(row) * capacity + place);
#pragma unroll 1
  for (int i = 0; i < (fits ? units : 0); ++i) {
    if constexpr (Unit == 4)
      ptx::copy_shared_pairs(to + 4 * i, from + 32 * i);
    else
      to[i] = ptx::load_shared_pair(from + 8 * i);
  }
}

/// Brings what is staged to the lists.
template <int Halves, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void flush_candidates(int* list, int* counts,
                                 smem<int, Lines, Columns, Layout> staged,
                                 lanes<int, Halves>& bytes, int warp, int row,
                                 int rows, int capacity) {
#pragma unroll
  for (int h = 0; h < Halves; ++h) {
    append_staged<1>(list, counts, stage_address<Halves>(staged, warp, h),
                     row + frag_row(2 * h), bytes.v[h] >> 3, capacity);
    bytes.v[h] = 0;
  }
}

/// The same for whole sectors of 4 pairs; those that are left, 3 at most, come
/// to the front.
template <int Halves, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void flush_sectors(int* list, int* counts,
                              smem<int, Lines, Columns, Layout> staged,
                              lanes<int, Halves>& bytes, int warp, int row,
                              int capacity) {
#pragma unroll
  for (int h = 0; h < Halves; ++h) {
    unsigned from = stage_address<Halves>(staged, warp, h);
    int sectors = bytes.v[h] >> 5, left = bytes.v[h] & 31;
    append_staged<4>(list, counts, from, row + frag_row(2 * h), sectors,
                     capacity);
#pragma unroll 1
    for (int i = 0; i < (sectors > 0 ? left : 0); i += 8)
      ptx::store_shared_pair(from + i,
                             ptx::load_shared_pair(from + 32 * sectors + i));
    bytes.v[h] = left;
  }
}

/// A compare, a store to shared memory and an addition under its condition for
/// each score: units that compute scores are what the warp waits for, and these
/// instructions fit in between. Atomic additions and stores to global memory
/// come when there may be no room for the next step.
template <int R, int C, frag_layout L, int Lines, int Columns,
          smem_layout Layout>
GSA_DEVICE void append_candidates(int* list, int* counts,
                                  smem<int, Lines, Columns, Layout> staged,
                                  lanes<int, R / 8>& bytes,
                                  const frag<float, R, C, L>& scores,
                                  const rowvec<float, R>& bounds, int warp,
                                  int row, int rows, int capacity, int column) {
  constexpr int most = C / 4;  // Hits of a lane and a row.
  static_assert(Columns >= 2 * (most + 4) && Columns % 4 == 0,
                "a step of hits has room beside what a flush leaves");
  bool full = false;
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    float bound = row + frag_row(2 * h) < rows ? bounds.x[h] : quiet_nan();
    unsigned begin = stage_address<R / 8>(staged, warp, h);
    unsigned to = begin + bytes.v[h];
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c)
        ptx::stage_pair_if(scores.x[j][2 * h + c], bound, to,
                           column + frag_column(j, c));
    bytes.v[h] = static_cast<int>(to - begin);
    full |= bytes.v[h] > 4 * Columns - 8 * most;
  }
  if (__any_sync(all_lanes, full))
    flush_sectors(list, counts, staged, bytes, warp, row, capacity);
}

/// One column after the other, so that the compiler finds something to do for
/// the units that activate while others compare and store: with a branch in
/// between they would wait for each other.
template <activation Activation, bool SomeHidden, int RowsPerQuery, int C,
          frag_layout L, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void stage_products(smem<int, Lines, Columns, Layout> staged,
                               lanes<int, 1>& bytes, frag<float, 8, C, L>& sum,
                               const frag<float, 16, C, L>& product,
                               float scale, const rowvec<float, 16>& offsets,
                               const rowvec<float, 16>& weights,
                               rowvec<float, 8>& sums,
                               const rowvec<float, 8>& bounds, int warp,
                               int row, int rows, int column, int last) {
  static_assert(Columns >= 2 * (C / 4), "a step of hits has room");
  float bound = row + frag_row(0) < rows ? bounds.x[0] : quiet_nan();
  unsigned begin = stage_address<1>(staged, warp, 0);
  unsigned to = begin + bytes.v[0];
  int first = column + frag_column(0, 0);
  int end = last + frag_row(0) / RowsPerQuery;
#pragma unroll
  for (int j = 0; j < C / 8; ++j) {
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      float x = sum.x[j][c];
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        float y = fmaf(product.x[j][2 * h + c], scale, offsets.x[h]);
        x = fmaf(weights.x[h], activate_scalar<Activation>(y), x);
      }
      sum.x[j][c] = x;
    }
    sums.x[0] += sum.x[j][0] + sum.x[j][1];
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      int cell = first + 8 * j + c;
      float x = sum.x[j][c];
      if (SomeHidden) x = cell > end ? quiet_nan() : x;
      ptx::stage_pair_if(x, bound, to, cell);
    }
  }
  bytes.v[0] = static_cast<int>(to - begin);
}

template <int Room, int Halves, int Lines, int Columns, smem_layout Layout>
GSA_DEVICE void drain_candidates(int* list, int* counts,
                                 smem<int, Lines, Columns, Layout> staged,
                                 lanes<int, Halves>& bytes, int warp, int row,
                                 int capacity) {
  bool full = false;
#pragma unroll
  for (int h = 0; h < Halves; ++h) full |= bytes.v[h] > 4 * Columns - 8 * Room;
  if (__any_sync(all_lanes, full))
    flush_sectors(list, counts, staged, bytes, warp, row, capacity);
}

template <int R>
GSA_DEVICE void flag_rows(int* counts, const rowvec<float, R>& sums, int row,
                          int rows) {
#pragma unroll
  for (int h = 0; h < R / 8; ++h) {
    int number = row + frag_row(2 * h);
    bool finite = fabsf(sums.x[h]) < infinity();
    if (number < rows && !finite) atomicMax(counts + number, 1 << 30);
  }
}

//===----------------------------------------------------------------------===//
// Reading lists
//===----------------------------------------------------------------------===//

/// All loads of a thread are in flight together: the list is read once, and its
/// candidates stay in registers. What a list has behind its end may be
/// anything.
template <class Team, int Count>
GSA_DEVICE void fetch_candidates(lanes<float, Count>& scores,
                                 lanes<int, Count>& cells, const int* list,
                                 int room) {
  auto* pairs = reinterpret_cast<const int2*>(list);
  int2 pair[Count];
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    int at = i * Team::threads + Team::thread();
    pair[i] = at < room ? pairs[at] : int2{0, -1};
  }
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    scores.v[i] = __int_as_float(pair[i].x);
    cells.v[i] = pair[i].y;
  }
}

template <class Team, int Count, int Columns, smem_layout Layout>
GSA_DEVICE void range_candidates(lanes<float, Count>& scores,
                                 lanes<int, Count>& cells,
                                 smem<int, 1, Columns, Layout> range, int count,
                                 int sink, int local, int end) {
  static_assert(Columns >= 3, "two bounds of a range and a number");
  float low = quiet_nan(), high = quiet_nan();  // Minima ignore NaN.
  unsigned number = 0;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    bool exists = i * Team::threads + Team::thread() < count;
    int cell = exists ? cells.v[i] : -1;
    scores.v[i] = exists ? __fadd_rn(scores.v[i], 0.0f) : 0.0f;
    bool forced = is_forced(cell, sink, local) & (cell < end);
    cells.v[i] = forced ? -1 : cell;
    float x = cells.v[i] >= 0 ? scores.v[i] : quiet_nan();
    low = fminf(low, x);
    high = fmaxf(high, x);
    number += cells.v[i] >= 0;
  }
  unsigned least = is_visible(low) ? ~score_key(low) : 0u;
  least = __reduce_max_sync(all_lanes, least);
  unsigned most = __reduce_max_sync(all_lanes, score_key(high));
  number = __reduce_add_sync(all_lanes, number);
  if (lane() != 0) return;
  atomicMax(reinterpret_cast<unsigned*>(&range.at(0, 0)), least);
  atomicMax(reinterpret_cast<unsigned*>(&range.at(0, 1)), most);
  atomicAdd(&range.at(0, 2), static_cast<int>(number));
}

/// Both, of a list whose length is known: nothing is loaded behind its end.
template <class Team, int Count, int Columns, smem_layout Layout>
GSA_DEVICE void load_candidates(lanes<float, Count>& scores,
                                lanes<int, Count>& cells,
                                smem<int, 1, Columns, Layout> range,
                                const int* list, int count, int sink, int local,
                                int end) {
  fetch_candidates<Team>(scores, cells, list, count);
  range_candidates<Team>(scores, cells, range, 0x7fffffff, sink, local, end);
}

/// The same of a row of scores, of which all are loaded at once.
template <class Team, int Count, int Columns, smem_layout Layout>
GSA_DEVICE void load_row(lanes<float, Count>& scores, lanes<int, Count>& cells,
                         smem<int, 1, Columns, Layout> range, const float* row,
                         int count, int sink, int local, int end) {
  static_assert(Columns >= 4, "two bounds of a range and two numbers");
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    int at = i * Team::threads + Team::thread();
    scores.v[i] = at < count ? row[at] : 0.0f;
  }
  float low = quiet_nan(), high = quiet_nan();  // Minima ignore NaN.
  unsigned number = 0, beyond = 0;
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    int at = i * Team::threads + Team::thread();
    bool finite = fabsf(scores.v[i]) < infinity();
    bool forced = is_forced(at, sink, local) & (at < end);
    beyond += !finite;
    scores.v[i] = __fadd_rn(scores.v[i], 0.0f);
    cells.v[i] = at < count && finite && !forced ? at : -1;
    float x = cells.v[i] >= 0 ? scores.v[i] : quiet_nan();
    low = fminf(low, x);
    high = fmaxf(high, x);
    number += cells.v[i] >= 0;
  }
  unsigned least = is_visible(low) ? ~score_key(low) : 0u;
  least = __reduce_max_sync(all_lanes, least);
  unsigned most = __reduce_max_sync(all_lanes, score_key(high));
  number = __reduce_add_sync(all_lanes, number);
  beyond = __reduce_add_sync(all_lanes, beyond);
  if (lane() != 0) return;
  atomicMax(reinterpret_cast<unsigned*>(&range.at(0, 0)), least);
  atomicMax(reinterpret_cast<unsigned*>(&range.at(0, 1)), most);
  atomicAdd(&range.at(0, 2), static_cast<int>(number));
  if (beyond > 0) atomicAdd(&range.at(0, 3), static_cast<int>(beyond));
}

template <int Count, int Bins, smem_layout Layout>
GSA_DEVICE void histogram_candidates(smem<int, 1, Bins, Layout> histogram,
                                     const lanes<float, Count>& scores,
                                     const lanes<int, Count>& cells, float low,
                                     float high) {
  linear_bins map(low, high, Bins);
#pragma unroll
  for (int i = 0; i < Count; ++i)
    ptx::add_shared_if(cells.v[i] >= 0,
                       histogram.address(0, map.bin(scores.v[i])), 1);
}

template <int Count>
GSA_DEVICE void drop_below(lanes<int, Count>& cells,
                           const lanes<float, Count>& scores, float bound) {
#pragma unroll
  for (int i = 0; i < Count; ++i)
    cells.v[i] = scores.v[i] < bound ? -1 : cells.v[i];
}

template <int Words, smem_layout Layout>
GSA_DEVICE void mark_if(smem<int, 1, Words, Layout> bitmap, bool condition,
                        int cell) {
  ptx::or_shared_if(condition, bitmap.address(0, cell >> 5), 1u << (cell & 31));
}

/// What depends on a number is computed anew behind this empty statement, not
/// kept in registers.
GSA_DEVICE float recomputed(float x) {
  asm volatile("" : "+f"(x));
  return x;
}
GSA_DEVICE int recomputed(int x) {
  asm volatile("" : "+r"(x));
  return x;
}

template <int Bins, int Count, int Words, int Capacity, int CellCapacity,
          int Columns, smem_layout Layout, smem_layout KeyLayout,
          smem_layout CellLayout, smem_layout FoundLayout>
GSA_DEVICE void mark_above(smem<int, 1, Words, Layout> bitmap,
                           smem<int, 1, Capacity, KeyLayout> keys,
                           smem<int, 1, CellCapacity, CellLayout> kept,
                           smem<int, 1, Columns, FoundLayout> found,
                           const lanes<float, Count>& scores,
                           const lanes<int, Count>& cells, float low,
                           float high, int bin) {
  static_assert(Columns >= 4, "number 3 counts what is kept");
  linear_bins map(low, high, Bins);
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    float x = recomputed(scores.v[i]);
    bool exists = cells.v[i] >= 0;
    int own = map.bin(x);
    mark_if(bitmap, exists & (own > bin), cells.v[i]);
    if (!(exists & (own == bin))) continue;
    int place = atomicAdd(&found.at(0, 3), 1);
    keys.at(0, place) = static_cast<int>(score_key(x));
    kept.at(0, place) = cells.v[i];
  }
}

/// Each thread compares one kept cell with all others: few share a bin.
template <class Team, int Words, int Capacity, int CellCapacity,
          smem_layout Layout, smem_layout KeyLayout, smem_layout CellLayout>
GSA_DEVICE void mark_best(smem<int, 1, Words, Layout> bitmap,
                          smem<int, 1, Capacity, KeyLayout> keys,
                          smem<int, 1, CellCapacity, CellLayout> kept,
                          int count, int quota) {
#pragma unroll 1
  for (int i = Team::thread(); i < count; i += Team::threads) {
    auto key = static_cast<unsigned>(keys.at(0, i));
    int cell = kept.at(0, i), better = 0;
#pragma unroll 1
    for (int j = 0; j < count; ++j) {
      auto other = static_cast<unsigned>(keys.at(0, j));
      better += (other > key) | ((other == key) & (kept.at(0, j) < cell));
    }
    mark_if(bitmap, better < quota, cell);
  }
}

/// Calls body(cell) for the forced cells, some of them perhaps twice.
template <class Team, class Body>
GSA_DEVICE void for_forced(int sink, int local, int end, Body body) {
#pragma unroll 1
  for (int cell = Team::thread(); cell < min(sink, end); cell += Team::threads)
    body(cell);
  if (local == 0x7fffffff) return;
#pragma unroll 1
  for (int cell = max(local, 0) + Team::thread(); cell < end;
       cell += Team::threads)
    body(cell);
}

template <class Team, int Words, smem_layout Layout>
GSA_DEVICE void mark_forced(smem<int, 1, Words, Layout> bitmap, int sink,
                            int local, int end) {
  for_forced<Team>(sink, local, end,
                   [&](int cell) { mark_if(bitmap, true, cell); });
}

/// Four words of a lane at once, of which there is a multiple in a bitmap.
template <int Words, smem_layout Layout>
GSA_DEVICE int4 load_words(smem<int, 1, Words, Layout> bitmap, int at,
                           int end) {
  static_assert(Words % 4 == 0, "words are read four at once");
  return at < end ? *reinterpret_cast<const int4*>(&bitmap.at(0, at))
                  : int4{0, 0, 0, 0};
}

template <int Columns, int Words, smem_layout Layout>
GSA_DEVICE void count_bits(lanes<int, 2>& state,
                           smem<int, 1, Words, Layout> bitmap, int begin,
                           int end) {
#pragma unroll
  for (int i = 0; i < Columns / 128; ++i) {
    int4 words = load_words(bitmap, begin + 4 * lane() + 128 * i, end);
    state.v[0] +=
        __popc(words.x) + __popc(words.y) + __popc(words.z) + __popc(words.w);
  }
}

template <int Columns, int BeforeWords, int Words, smem_layout BeforeLayout,
          smem_layout Layout>
GSA_DEVICE void scan_bits(smem<int, 1, BeforeWords, BeforeLayout> before,
                          lanes<int, 2>& cursor,
                          smem<int, 1, Words, Layout> bitmap, int begin,
                          int end) {
#pragma unroll
  for (int i = 0; i < Columns / 128; ++i) {
    int at = begin + 4 * lane() + 128 * i;
    int4 words = load_words(bitmap, at, end);
    int second = __popc(words.x), third = second + __popc(words.y),
        fourth = third + __popc(words.z), bits = fourth + __popc(words.w);
    int through = scan_lanes(bits);
    int first = cursor.v[0] + through - bits;
    if (at < end)
      *reinterpret_cast<int4*>(&before.at(0, at)) = {
          first, first + second, first + third, first + fourth};
    cursor.v[0] += __shfl_sync(all_lanes, through, 31);
  }
}

template <class Team, int Count, int Capacity, int Words, int BeforeWords,
          smem_layout TargetLayout, smem_layout Layout,
          smem_layout BeforeLayout>
GSA_DEVICE void place_marked(smem<int, 1, Capacity, TargetLayout> target,
                             smem<int, 1, Words, Layout> bitmap,
                             smem<int, 1, BeforeWords, BeforeLayout> before,
                             const lanes<int, Count>& cells, int sink,
                             int local, int end) {
  auto place = [&](bool exists, int cell) {
    int at = exists ? cell >> 5 : 0;
    auto word = static_cast<unsigned>(bitmap.at(0, at));
    unsigned bit = 1u << (cell & 31);
    int position = before.at(0, at) + __popc(word & (bit - 1));
    ptx::store_shared_if(exists & ((word & bit) != 0),
                         target.address(0, position),
                         static_cast<unsigned>(cell));
  };
#pragma unroll
  for (int i = 0; i < Count; ++i) place(cells.v[i] >= 0, cells.v[i]);
  for_forced<Team>(sink, local, end, [&](int cell) { place(true, cell); });
}

template <int Count, int Capacity, int Words, int BeforeWords,
          smem_layout TargetLayout, smem_layout Layout,
          smem_layout BeforeLayout>
GSA_DEVICE void place_scores(smem<float, 1, Capacity, TargetLayout> target,
                             smem<int, 1, Words, Layout> bitmap,
                             smem<int, 1, BeforeWords, BeforeLayout> before,
                             const lanes<float, Count>& scores,
                             const lanes<int, Count>& cells) {
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    int cell = recomputed(cells.v[i]);
    bool exists = cell >= 0;
    int at = exists ? cell >> 5 : 0;
    auto word = static_cast<unsigned>(bitmap.at(0, at));
    unsigned bit = 1u << (cell & 31);
    int position = before.at(0, at) + __popc(word & (bit - 1));
    ptx::store_shared_if(exists & ((word & bit) != 0),
                         target.address(0, position),
                         __float_as_uint(scores.v[i]));
  }
}

template <class Team, int Size, smem_layout Layout>
GSA_DEVICE void look_up_cells(smem<int, 1, Size, Layout> cells, const int* list,
                              int count) {
#pragma unroll 1
  for (int i = Team::thread(); i < count; i += Team::threads)
    cells.at(0, i) = list[cells.at(0, i)];
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_CANDIDATES_CUH
