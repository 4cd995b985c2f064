//===- candidates.cuh - lists of candidates (host) -------------*- C++ -*-===//
//
// As the ops of the same names define them. Row vectors of sums hold whole sums
// here, not the parts of lanes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_CANDIDATES_CUH
#define GSA_DEVICE_CANDIDATES_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Writing lists
//===----------------------------------------------------------------------===//

template <int Columns, frag_layout Layout>
void add_partial_sums(rowvec<float, 16>& sums,
                      const frag<float, 16, Columns, Layout>& frag) {
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < Columns; ++c) sums.v[r] += frag.v[r][c];
}

template <bool SomeHidden, int Columns, frag_layout Layout>
void add_partial_moments(rowvec<float, 16>& sums, rowvec<float, 16>& squares,
                         const frag<float, 16, Columns, Layout>& frag) {
  for (int r = 0; r < 16; ++r) {
    float sum = 0.0f, square = 0.0f;
    for (int c = 0; c < Columns; ++c) {
      float x = frag.v[r][c];
      if (SomeHidden && x == -INFINITY) continue;
      sum += x;
      square = fmaf(x, x, square);
    }
    sums.v[r] += sum;
    squares.v[r] += square;
  }
}

inline void join_partial_sums(rowvec<float, 16>&) {}

template <int Columns, frag_layout Layout>
void append_candidates(int* list, int* counts,
                       const frag<float, 16, Columns, Layout>& scores,
                       const rowvec<float, 16>& bounds, int row, int rows,
                       int capacity, int column) {
  for (int r = 0; r < 16 && row + r < rows; ++r) {
    int hits = 0;
    for (int c = 0; c < Columns; ++c) hits += scores.v[r][c] >= bounds.v[r];
    if (hits == 0) continue;
    int* count = counts + row + r;
    emu::checkGlobal("append_candidates", count, 4, true);
    int place = __atomic_fetch_add(count, hits, __ATOMIC_RELAXED);
    if (place > capacity - hits) continue;
    int* to = list + 2 * (static_cast<long long>(row + r) * capacity + place);
    emu::checkGlobal("append_candidates", to, 8ll * hits, true);
    for (int c = 0; c < Columns; ++c) {
      if (!(scores.v[r][c] >= bounds.v[r])) continue;
      *to++ = bit_cast<int>(scores.v[r][c]);
      *to++ = column + c;
    }
  }
}

inline void flag_rows(int* counts, const rowvec<float, 16>& sums, int row,
                      int rows) {
  for (int r = 0; r < 16 && row + r < rows; ++r) {
    if (fabsf(sums.v[r]) < INFINITY) continue;
    int* count = counts + row + r;
    emu::checkGlobal("flag_rows", count, 4, true);
    int seen = __atomic_load_n(count, __ATOMIC_RELAXED);
    while (seen < 1 << 30 &&
           !__atomic_compare_exchange_n(count, &seen, 1 << 30, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }
}

//===----------------------------------------------------------------------===//
// Reading lists
//===----------------------------------------------------------------------===//

/// Calls body(score, cell) for the pairs of this warp.
template <class Team, class Body>
void for_candidates(const char* function, const int* list, int count,
                    Body body) {
  for (int i = warp_rank<Team>(); i < count; i += Team::count) {
    emu::checkGlobal(function, list + 2ll * i, 8, false);
    body(bit_cast<float>(list[2ll * i]), list[2ll * i + 1]);
  }
}

/// Calls body(cell) for the forced cells of this warp.
template <class Team, class Body>
void for_forced(int sink, int local, int end, Body body) {
  for (int cell = warp_rank<Team>(); cell < end; cell += Team::count)
    if (cell < sink || cell >= local) body(cell);
}

template <class Team, int Words, smem_layout Layout>
void mark_candidates(smem<int, 1, Words, Layout> bitmap, const int* list,
                     int count, int sink, int local, int end) {
  auto mark = [&](int cell) {
    __atomic_fetch_or(
        reinterpret_cast<int*>(bitmap.address("mark_candidates", 0, cell / 32)),
        1 << cell % 32, __ATOMIC_RELAXED);
  };
  for_candidates<Team>("mark_candidates", list, count,
                       [&](float, int cell) { mark(cell); });
  for_forced<Team>(sink, local, end, mark);
}

template <int Columns, int Words, smem_layout Layout>
void count_bits(lanes<int, 2>& state, smem<int, 1, Words, Layout> bitmap,
                int begin, int end) {
  for (int i = begin; i < begin + Columns && i < end; ++i)
    state.v[0][(i - begin) % 32] += __builtin_popcount(
        static_cast<unsigned>(bitmap.get("count_bits", 0, i)));
}

template <int Columns, int BeforeWords, int Words, smem_layout BeforeLayout,
          smem_layout Layout>
void scan_bits(smem<int, 1, BeforeWords, BeforeLayout> before,
               lanes<int, 2>& cursor, smem<int, 1, Words, Layout> bitmap,
               int begin, int end) {
  int sum = cursor.v[0][0];
  for (int i = begin; i < begin + Columns && i < end; ++i) {
    before.set("scan_bits", 0, i, sum);
    sum += __builtin_popcount(
        static_cast<unsigned>(bitmap.get("scan_bits", 0, i)));
  }
  set_lanes<0>(cursor, sum);
}

template <class Team, int Capacity, int CellCapacity, int Words,
          int BeforeWords, smem_layout KeyLayout, smem_layout CellLayout,
          smem_layout Layout, smem_layout BeforeLayout>
void place_candidates(smem<int, 1, Capacity, KeyLayout> keys,
                      smem<int, 1, CellCapacity, CellLayout> cells,
                      smem<int, 1, Words, Layout> bitmap,
                      smem<int, 1, BeforeWords, BeforeLayout> before,
                      const int* list, int count, int sink, int local,
                      int end) {
  auto place = [&](int cell, unsigned key) {
    auto word =
        static_cast<unsigned>(bitmap.get("place_candidates", 0, cell / 32));
    int position = before.get("place_candidates", 0, cell / 32) +
                   __builtin_popcount(word & ((1u << cell % 32) - 1));
    keys.set("place_candidates", 0, position, static_cast<int>(key));
    cells.set("place_candidates", 0, position, cell);
  };
  for_candidates<Team>("place_candidates", list, count, [&](float x, int cell) {
    if (cell >= sink && cell < local) place(cell, score_key(x));
  });
  for_forced<Team>(sink, local, end,
                   [&](int cell) { place(cell, kKeyForced); });
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_CANDIDATES_CUH
