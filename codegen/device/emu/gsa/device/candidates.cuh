//===- candidates.cuh - lists of candidates (host) -------------*- C++ -*-===//
//
// As the ops of the same names define them. Row vectors of sums hold whole sums
// here, not the parts of lanes. Hits are staged by the lanes that have them on
// the device.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_CANDIDATES_CUH
#define GSA_DEVICE_CANDIDATES_CUH

#include "gsa/device/frag.cuh"
#include "gsa/device/math.cuh"
#include "gsa/device/select.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"
#include "gsa/device/types.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Writing lists
//===----------------------------------------------------------------------===//

template <int Rows, int Columns, frag_layout Layout>
void add_partial_sums(rowvec<float, Rows>& sums,
                      const frag<float, Rows, Columns, Layout>& frag) {
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c) sums.v[r] += frag.v[r][c];
}

template <bool SomeHidden, int Rows, int Columns, frag_layout Layout>
void add_partial_moments(rowvec<float, Rows>& sums,
                         rowvec<float, Rows>& squares,
                         const frag<float, Rows, Columns, Layout>& frag) {
  for (int r = 0; r < Rows; ++r) {
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

template <int Rows>
void join_partial_sums(rowvec<float, Rows>&) {}

template <int Halves, int Lines, int LineColumns, smem_layout Layout>
void flush_candidates(int* list, int* counts,
                      smem<int, Lines, LineColumns, Layout> staged,
                      lanes<int, Halves>& bytes, int warp, int row, int rows,
                      int capacity) {
  for (int half = 0; half < Halves; ++half)
    for (int lane = 0; lane < 32; ++lane) {
      int hits = bytes.v[half][lane] / 8;
      bytes.v[half][lane] = 0;
      if (hits == 0) continue;
      int number = row + 8 * half + lane / 4;
      if (number >= rows)
        emu::fail("flush_candidates", "hits of row %d of %d", number, rows);
      int* count = counts + number;
      emu::checkGlobal("flush_candidates", count, 4, true);
      int place = __atomic_fetch_add(count, hits, __ATOMIC_RELAXED);
      if (place > capacity - hits) continue;
      int* to = list + 2 * (static_cast<long long>(number) * capacity + place);
      emu::checkGlobal("flush_candidates", to, 8ll * hits, true);
      int line = (warp * Halves + half) * 32 + lane;
      for (int i = 0; i < 2 * hits; ++i)
        to[i] = staged.get("flush_candidates", line, i);
    }
}

/// Stages element (r, c) where the lane that has it does; the bytes of its
/// line.
template <int Halves, int Lines, int LineColumns, smem_layout Layout>
int stage_hit(const char* what, smem<int, Lines, LineColumns, Layout> staged,
              lanes<int, Halves>& bytes, int warp, int r, int c, float score,
              int column) {
  int lane = r % 8 * 4 + c % 8 / 2;
  int line = (warp * Halves + r / 8) * 32 + lane;
  int& used = bytes.v[r / 8][lane];
  staged.set(what, line, used / 4, bit_cast<int>(score));
  staged.set(what, line, used / 4 + 1, column + c);
  return used += 8;
}

template <int Rows, int Columns, frag_layout Layout, int Lines, int LineColumns,
          smem_layout StagedLayout>
void append_candidates(int* list, int* counts,
                       smem<int, Lines, LineColumns, StagedLayout> staged,
                       lanes<int, Rows / 8>& bytes,
                       const frag<float, Rows, Columns, Layout>& scores,
                       const rowvec<float, Rows>& bounds, int warp, int row,
                       int rows, int capacity, int column) {
  bool full = false;
  for (int r = 0; r < Rows && row + r < rows; ++r)
    for (int c = 0; c < Columns; ++c) {
      if (!(scores.v[r][c] >= bounds.v[r])) continue;
      int used = stage_hit("append_candidates", staged, bytes, warp, r, c,
                           scores.v[r][c], column);
      full |= used > 4 * LineColumns - 8 * (Columns / 4);
    }
  if (full)
    flush_candidates(list, counts, staged, bytes, warp, row, rows, capacity);
}

/// Makes a count so large that its list is not complete.
inline void raise_count(const char* function, int* count) {
  emu::checkGlobal(function, count, 4, true);
  int seen = __atomic_load_n(count, __ATOMIC_RELAXED);
  while (seen < 1 << 30 &&
         !__atomic_compare_exchange_n(count, &seen, 1 << 30, false,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

template <activation Activation, bool SomeHidden, int RowsPerQuery, int Columns,
          frag_layout Layout, int Lines, int LineColumns,
          smem_layout StagedLayout>
void stage_products(smem<int, Lines, LineColumns, StagedLayout> staged,
                    lanes<int, 1>& bytes, frag<float, 8, Columns, Layout>& sum,
                    const frag<float, 16, Columns, Layout>& product,
                    float scale, const rowvec<float, 16>& offsets,
                    const rowvec<float, 16>& weights, rowvec<float, 8>& sums,
                    const rowvec<float, 8>& bounds, int warp, int row, int rows,
                    int column, int last) {
  frag<float, 16, Columns, Layout> activated = product;
  affine_rows(activated, scale, offsets);
  activate<Activation>(activated);
  add_row_pairs(sum, activated, weights);
  add_partial_sums(sums, sum);
  for (int r = 0; r < 8 && row + r < rows; ++r)
    for (int c = 0; c < Columns; ++c) {
      if (SomeHidden && column + c > last + r / RowsPerQuery) continue;
      if (sum.v[r][c] >= bounds.v[r])
        stage_hit("stage_products", staged, bytes, warp, r, c, sum.v[r][c],
                  column);
    }
}

template <int Room, int Halves, int Lines, int LineColumns, smem_layout Layout>
void drain_candidates(int* list, int* counts,
                      smem<int, Lines, LineColumns, Layout> staged,
                      lanes<int, Halves>& bytes, int warp, int row,
                      int capacity) {
  bool full = false;
  for (int half = 0; half < Halves; ++half)
    for (int lane = 0; lane < 32; ++lane)
      full |= bytes.v[half][lane] > 4 * LineColumns - 8 * Room;
  if (full)
    flush_candidates(list, counts, staged, bytes, warp, row, row + 8 * Halves,
                     capacity);
}

template <int Rows>
void flag_rows(int* counts, const rowvec<float, Rows>& sums, int row,
               int rows) {
  for (int r = 0; r < Rows && row + r < rows; ++r)
    if (!(fabsf(sums.v[r]) < INFINITY))
      raise_count("flag_rows", counts + row + r);
}

//===----------------------------------------------------------------------===//
// Reading lists
//===----------------------------------------------------------------------===//

/// Behind the end of a list are numbers that nobody may use.
template <class Team, int Count>
void fetch_candidates(lanes<float, Count>& scores, lanes<int, Count>& cells,
                      const int* list, int room) {
  int threads = 32 * Team::count, first = 32 * warp_rank<Team>();
  check_team<Team>("fetch_candidates");
  if (room > Count * threads)
    emu::fail("fetch_candidates", "%d pairs for %d threads of %d", room,
              threads, Count);
  for (int i = 0; i < Count; ++i)
    for (int lane = 0; lane < 32; ++lane) {
      int at = i * threads + first + lane;
      scores.v[i][lane] = 0.0f;
      cells.v[i][lane] = -1;
      if (at >= room) continue;
      emu::checkGlobal("fetch_candidates", list + 2ll * at, 8, false);
      scores.v[i][lane] = bit_cast<float>(list[2ll * at]);
      cells.v[i][lane] = list[2ll * at + 1];
    }
}

template <class Team, int Count, int Columns, smem_layout Layout>
void range_candidates(lanes<float, Count>& scores, lanes<int, Count>& cells,
                      smem<int, 1, Columns, Layout> range, int count, int sink,
                      int local, int end) {
  int threads = 32 * Team::count, first = 32 * warp_rank<Team>();
  check_team<Team>("range_candidates");
  for (int i = 0; i < Count; ++i)
    for (int lane = 0; lane < 32; ++lane) {
      int cell = cells.v[i][lane];
      cells.v[i][lane] = -1;
      if (i * threads + first + lane >= count || cell < 0) {
        scores.v[i][lane] = 0.0f;
        continue;
      }
      float x = scores.v[i][lane] += 0.0f;
      if (cell < sink || (cell >= local && cell < end)) continue;
      cells.v[i][lane] = cell;
      max_shared("range_candidates", range, 0, ~score_key(x));
      max_shared("range_candidates", range, 1, score_key(x));
      add_shared("range_candidates", range, 2, 1);
    }
}

template <class Team, int Count, int Columns, smem_layout Layout>
void load_candidates(lanes<float, Count>& scores, lanes<int, Count>& cells,
                     smem<int, 1, Columns, Layout> range, const int* list,
                     int count, int sink, int local, int end) {
  fetch_candidates<Team>(scores, cells, list, count);
  range_candidates<Team>(scores, cells, range, count, sink, local, end);
}

template <class Team, int Count, int Columns, smem_layout Layout>
void load_row(lanes<float, Count>& scores, lanes<int, Count>& cells,
              smem<int, 1, Columns, Layout> range, const float* row, int count,
              int sink, int local, int end) {
  int threads = 32 * Team::count, first = 32 * warp_rank<Team>();
  if (count > Count * threads)
    emu::fail("load_row", "%d cells for %d threads of %d", count, threads,
              Count);
  for (int i = 0; i < Count; ++i)
    for (int lane = 0; lane < 32; ++lane) {
      int at = i * threads + first + lane;
      scores.v[i][lane] = 0.0f;
      cells.v[i][lane] = -1;
      if (at >= count) continue;
      emu::checkGlobal("load_row", row + at, 4, false);
      float x = row[at] + 0.0f;
      scores.v[i][lane] = x;
      if (!(fabsf(x) < INFINITY)) {
        add_shared("load_row", range, 3, 1);
        continue;
      }
      if (at < sink || (at >= local && at < end)) continue;
      cells.v[i][lane] = at;
      max_shared("load_row", range, 0, ~score_key(x));
      max_shared("load_row", range, 1, score_key(x));
      add_shared("load_row", range, 2, 1);
    }
}

/// Calls body(score, cell) for the candidates of this warp.
template <int Count, class Body>
void for_candidates(const lanes<float, Count>& scores,
                    const lanes<int, Count>& cells, Body body) {
  for (int i = 0; i < Count; ++i)
    for (int lane = 0; lane < 32; ++lane)
      if (cells.v[i][lane] >= 0) body(scores.v[i][lane], cells.v[i][lane]);
}

template <int Words, smem_layout Layout>
void mark_cell(const char* function, smem<int, 1, Words, Layout> bitmap,
               int cell) {
  __atomic_fetch_or(
      reinterpret_cast<int*>(bitmap.address(function, 0, cell / 32)),
      1 << cell % 32, __ATOMIC_RELAXED);
}

template <int Count, int Bins, smem_layout Layout>
void histogram_candidates(smem<int, 1, Bins, Layout> histogram,
                          const lanes<float, Count>& scores,
                          const lanes<int, Count>& cells, float low,
                          float high) {
  linear_bins map(low, high, Bins);
  for_candidates(scores, cells, [&](float x, int) {
    add_shared("histogram_candidates", histogram, map.bin(x, score_key(x)), 1);
  });
}

template <int Count>
void drop_below(lanes<int, Count>& cells, const lanes<float, Count>& scores,
                float bound) {
  for (int i = 0; i < Count; ++i)
    for (int lane = 0; lane < 32; ++lane)
      if (scores.v[i][lane] < bound) cells.v[i][lane] = -1;
}

template <int Bins, int Count, int Words, int Capacity, int CellCapacity,
          int Columns, smem_layout Layout, smem_layout KeyLayout,
          smem_layout CellLayout, smem_layout FoundLayout>
void mark_above(smem<int, 1, Words, Layout> bitmap,
                smem<int, 1, Capacity, KeyLayout> keys,
                smem<int, 1, CellCapacity, CellLayout> kept,
                smem<int, 1, Columns, FoundLayout> found,
                const lanes<float, Count>& scores,
                const lanes<int, Count>& cells, float low, float high,
                int bin) {
  linear_bins map(low, high, Bins);
  for_candidates(scores, cells, [&](float x, int cell) {
    int own = map.bin(x, score_key(x));
    if (own > bin) mark_cell("mark_above", bitmap, cell);
    if (own != bin) return;
    int place = add_shared("mark_above", found, 3, 1);
    keys.set("mark_above", 0, place, static_cast<int>(score_key(x)));
    kept.set("mark_above", 0, place, cell);
  });
}

template <class Team, int Words, int Capacity, int CellCapacity,
          smem_layout Layout, smem_layout KeyLayout, smem_layout CellLayout>
void mark_best(smem<int, 1, Words, Layout> bitmap,
               smem<int, 1, Capacity, KeyLayout> keys,
               smem<int, 1, CellCapacity, CellLayout> kept, int count,
               int quota) {
  for (int i = warp_rank<Team>(); i < count; i += Team::count) {
    auto key = static_cast<unsigned>(keys.get("mark_best", 0, i));
    int cell = kept.get("mark_best", 0, i), better = 0;
    for (int j = 0; j < count; ++j) {
      auto other = static_cast<unsigned>(keys.get("mark_best", 0, j));
      better +=
          other > key || (other == key && kept.get("mark_best", 0, j) < cell);
    }
    if (better < quota) mark_cell("mark_best", bitmap, cell);
  }
}

/// Calls body(cell) for the forced cells of this warp.
template <class Team, class Body>
void for_forced(int sink, int local, int end, Body body) {
  for (int cell = warp_rank<Team>(); cell < end; cell += Team::count)
    if (cell < sink || cell >= local) body(cell);
}

template <class Team, int Words, smem_layout Layout>
void mark_forced(smem<int, 1, Words, Layout> bitmap, int sink, int local,
                 int end) {
  for_forced<Team>(sink, local, end,
                   [&](int cell) { mark_cell("mark_forced", bitmap, cell); });
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

template <class Team, int Count, int Capacity, int Words, int BeforeWords,
          smem_layout TargetLayout, smem_layout Layout,
          smem_layout BeforeLayout>
void place_marked(smem<int, 1, Capacity, TargetLayout> target,
                  smem<int, 1, Words, Layout> bitmap,
                  smem<int, 1, BeforeWords, BeforeLayout> before,
                  const lanes<int, Count>& cells, int sink, int local,
                  int end) {
  auto place = [&](int cell) {
    auto word = static_cast<unsigned>(bitmap.get("place_marked", 0, cell / 32));
    if ((word >> cell % 32 & 1) == 0) return;
    int position = before.get("place_marked", 0, cell / 32) +
                   __builtin_popcount(word & ((1u << cell % 32) - 1));
    target.set("place_marked", 0, position, cell);
  };
  for (auto& line : cells.v)
    for (int cell : line)
      if (cell >= 0) place(cell);
  for_forced<Team>(sink, local, end, place);
}

template <int Count, int Capacity, int Words, int BeforeWords,
          smem_layout TargetLayout, smem_layout Layout,
          smem_layout BeforeLayout>
void place_scores(smem<float, 1, Capacity, TargetLayout> target,
                  smem<int, 1, Words, Layout> bitmap,
                  smem<int, 1, BeforeWords, BeforeLayout> before,
                  const lanes<float, Count>& scores,
                  const lanes<int, Count>& cells) {
  for_candidates(scores, cells, [&](float x, int cell) {
    auto word = static_cast<unsigned>(bitmap.get("place_scores", 0, cell / 32));
    if ((word >> cell % 32 & 1) == 0) return;
    int position = before.get("place_scores", 0, cell / 32) +
                   __builtin_popcount(word & ((1u << cell % 32) - 1));
    target.set("place_scores", 0, position, x);
  });
}

template <class Team, int Size, smem_layout Layout>
void look_up_cells(smem<int, 1, Size, Layout> cells, const int* list,
                   int count) {
  for (int i = warp_rank<Team>(); i < count; i += Team::count) {
    int position = cells.get("look_up_cells", 0, i);
    emu::checkGlobal("look_up_cells", list + position, 4, false);
    cells.set("look_up_cells", 0, i, list[position]);
  }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_CANDIDATES_CUH
