//===- candidates.cuh - lists of candidates -*- CUDA -*-===//
//
// Scores at or above a bound of their row go to the row's list while they are
// in registers; the k best of them are found there. A candidate is a pair: the
// bits of the score and the cell. Pairs come in any order; marked in a bitmap,
// they have a place in the order of the row, and no result depends on theirs.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_CANDIDATES_CUH
#define GSA_DEVICE_CANDIDATES_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/ptx/predicated.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Writing lists
//===----------------------------------------------------------------------===//

template <int C, frag_layout L>
GSA_DEVICE void add_partial_sums(rowvec<float, 16>& sums,
                                 const frag<float, 16, C, L>& frag) {
#pragma unroll
  for (int h = 0; h < 2; ++h)
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
      sums.x[h] += frag.x[j][2 * h] + frag.x[j][2 * h + 1];
}

/// Sums of a tile first, so that few numbers are added to a large one.
template <bool SomeHidden, int C, frag_layout L>
GSA_DEVICE void add_partial_moments(rowvec<float, 16>& sums,
                                    rowvec<float, 16>& squares,
                                    const frag<float, 16, C, L>& frag) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
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

GSA_DEVICE void join_partial_sums(rowvec<float, 16>& sums) {
#pragma unroll
  for (int h = 0; h < 2; ++h) sums.x[h] = quad_sum(sums.x[h]);
}

/// A warp reserves places once: the four lanes of a row add their hits up, one
/// of them moves the count. Then each score is a compare and a store under its
/// condition; a loop over the hits would make lanes wait for each other.
template <int C, frag_layout L>
GSA_DEVICE void append_candidates(int* list, int* counts,
                                  const frag<float, 16, C, L>& scores,
                                  const rowvec<float, 16>& bounds, int row,
                                  int rows, int capacity, int column) {
  static_assert(C <= 64, "hits of two rows are counted in one word");
  int first_row = row + frag_row(0);
  float bound[2];
  int hits = 0;  // Of the first row in the low half.
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    bound[h] = first_row + 8 * h < rows ? bounds.x[h] : quiet_nan();
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c)
        ptx::add_if(scores.x[j][2 * h + c], bound[h], hits, 1 << 16 * h);
  }
  int part = lane() & 3, through = hits;
#pragma unroll
  for (int distance = 1; distance < 4; distance *= 2) {
    int below = __shfl_up_sync(all_lanes, through, distance, 4);
    through += part >= distance ? below : 0;
  }
  int total = __shfl_sync(all_lanes, through, 3, 4);
  if (!__any_sync(all_lanes, total != 0)) return;
  // Lane 0 of the four reserves for the first row, lane 1 for the second.
  int wanted = part == 0 ? total & 0xffff : part == 1 ? total >> 16 : 0;
  int reserved = 0;
  if (wanted > 0) reserved = atomicAdd(counts + (first_row + 8 * part), wanted);
  int before = through - hits;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int begin = __shfl_sync(all_lanes, reserved, h, 4);
    int count = h == 0 ? total & 0xffff : total >> 16;
    int place = begin + (h == 0 ? before & 0xffff : before >> 16);
    float least =
        count > 0 && begin <= capacity - count ? bound[h] : quiet_nan();
    long long pair =
        static_cast<long long>(first_row + 8 * h) * capacity + place;
    unsigned long long to = __cvta_generic_to_global(list + 2 * pair);
#pragma unroll
    for (int j = 0; j < C / 8; ++j)
#pragma unroll
      for (int c = 0; c < 2; ++c)
        ptx::append_pair_if(scores.x[j][2 * h + c], least, to,
                            column + frag_column(j, c));
  }
}

GSA_DEVICE void flag_rows(int* counts, const rowvec<float, 16>& sums, int row,
                          int rows) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int number = row + frag_row(2 * h);
    bool finite = fabsf(sums.x[h]) < infinity();
    if (number < rows && !finite) atomicMax(counts + number, 1 << 30);
  }
}

//===----------------------------------------------------------------------===//
// Reading lists
//===----------------------------------------------------------------------===//

/// Calls body(score, cell) for the pairs of a list, by a team; four loads of a
/// thread are in flight together.
template <class Team, class Body>
GSA_DEVICE void for_candidates(const int* list, int count, Body body) {
  constexpr int ahead = 4;
  auto* pairs = reinterpret_cast<const int2*>(list);
#pragma unroll 1
  for (int i = Team::thread(); i < count; i += ahead * Team::threads) {
    int2 pair[ahead];
#pragma unroll
    for (int j = 0; j < ahead; ++j)
      if (i + j * Team::threads < count) pair[j] = pairs[i + j * Team::threads];
#pragma unroll
    for (int j = 0; j < ahead; ++j)
      if (i + j * Team::threads < count)
        body(__int_as_float(pair[j].x), pair[j].y);
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
GSA_DEVICE void mark_candidates(smem<int, 1, Words, Layout> bitmap,
                                const int* list, int count, int sink, int local,
                                int end) {
  auto mark = [&](int cell) {
    atomicOr(&bitmap.at(0, cell >> 5), 1 << (cell & 31));
  };
  for_candidates<Team>(list, count, [&](float, int cell) { mark(cell); });
  for_forced<Team>(sink, local, end, mark);
}

template <int Columns, int Words, smem_layout Layout>
GSA_DEVICE void count_bits(lanes<int, 2>& state,
                           smem<int, 1, Words, Layout> bitmap, int begin,
                           int end) {
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    state.v[0] += at < end ? __popc(bitmap.at(0, at)) : 0;
  }
}

template <int Columns, int BeforeWords, int Words, smem_layout BeforeLayout,
          smem_layout Layout>
GSA_DEVICE void scan_bits(smem<int, 1, BeforeWords, BeforeLayout> before,
                          lanes<int, 2>& cursor,
                          smem<int, 1, Words, Layout> bitmap, int begin,
                          int end) {
#pragma unroll
  for (int i = 0; i < Columns / 32; ++i) {
    int at = begin + lane() + 32 * i;
    int bits = at < end ? __popc(bitmap.at(0, at)) : 0;
    int through = scan_lanes(bits);
    if (at < end) before.at(0, at) = cursor.v[0] + through - bits;
    cursor.v[0] += __shfl_sync(all_lanes, through, 31);
  }
}

template <class Team, int Capacity, int CellCapacity, int Words,
          int BeforeWords, smem_layout KeyLayout, smem_layout CellLayout,
          smem_layout Layout, smem_layout BeforeLayout>
GSA_DEVICE void place_candidates(smem<int, 1, Capacity, KeyLayout> keys,
                                 smem<int, 1, CellCapacity, CellLayout> cells,
                                 smem<int, 1, Words, Layout> bitmap,
                                 smem<int, 1, BeforeWords, BeforeLayout> before,
                                 const int* list, int count, int sink,
                                 int local, int end) {
  auto place = [&](int cell, unsigned key) {
    auto word = static_cast<unsigned>(bitmap.at(0, cell >> 5));
    int position =
        before.at(0, cell >> 5) + __popc(word & ((1u << (cell & 31)) - 1));
    keys.at(0, position) = static_cast<int>(key);
    cells.at(0, position) = cell;
  };
  for_candidates<Team>(list, count, [&](float x, int cell) {
    if (!is_forced(cell, sink, local)) place(cell, score_key(x));
  });
  for_forced<Team>(sink, local, end,
                   [&](int cell) { place(cell, key_forced); });
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_CANDIDATES_CUH
