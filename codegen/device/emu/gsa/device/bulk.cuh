//===- bulk.cuh - rows by the bulk copy engine (host) ----------*- C++ -*-===//
//
// Copies happen at once, before the commit behind them. Sums happen when they
// are waited for, so that a tile which is overwritten too early gives a race or
// a wrong sum.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_BULK_CUH
#define GSA_DEVICE_BULK_CUH

#include "gsa/device/global.cuh"
#include "gsa/device/ring.cuh"
#include "gsa/device/rows.cuh"

namespace gsa::dev {

inline void check_bulk(const char* function, const void* address, int bytes) {
  if (reinterpret_cast<uintptr_t>(address) % 16 != 0 || bytes % 16 != 0)
    emu::fail(function,
              "a row of %d bytes at %p: expected multiples of 16 bytes", bytes,
              address);
}

/// Of the first `columns` elements of a row of `Columns`, those that it has.
template <int Columns>
int row_part(int columns) {
  return columns < 0 ? 0 : columns < Columns ? columns : Columns;
}

template <class Team, class T, int Rows, int Columns, class View, int Stages>
void bulk_rows(smem<T, Rows, Columns, linear> target, View view, int first,
               int columns, ring<Stages> ring, int iteration) {
  static_assert(Columns * sizeof(T) % 16 == 0);
  check_team<Team>("bulk_rows");
  ring_check("bulk_rows", emu::get(&ring.full(iteration % Stages)->word));
  columns = row_part<Columns>(columns);
  for (int r = 0; r < Rows; ++r) {
    if (r / 32 % Team::count != warp_rank<Team>()) continue;
    int number = view.find("bulk_rows", first + r);
    int copied = view.holds(number) ? columns : 0;
    if (copied > 0) {
      auto* source = view.row(number);
      check_bulk("bulk_rows", source, copied * static_cast<int>(sizeof(T)));
      emu::checkGlobal("bulk_rows", source, copied * sizeof(T), false);
    }
    for (int c = 0; c < Columns; ++c)
      target.set("bulk_rows", r, c, c < copied ? view.row(number)[c] : T{});
  }
}

/// Sums that this warp has started.
struct pending_sum {
  float* target;
  const float* source;
  int count;
};
inline thread_local std::vector<pending_sum> pending_sums;

/// Starts the sum of row `r` of a tile and the row at `position` of a view.
template <class View, int Rows, int Columns>
void start_sum(const char* function, View view, int position,
               smem<float, Rows, Columns, linear> source, int r, int columns) {
  static_assert(Columns * sizeof(float) % 16 == 0);
  int number = view.find(function, position);
  if (!view.holds(number) || columns == 0) return;
  float* target = view.row(number);
  check_bulk(function, target, columns * 4);
  emu::checkGlobal(function, target, columns * sizeof(float), true);
  pending_sums.push_back(
      {target,
       reinterpret_cast<const float*>(source.address(function, r, 0, columns)),
       columns});
}

template <class Team, class View, int Rows, int Columns>
void reduce_rows(View view, int first,
                 smem<float, Rows, Columns, linear> source, int columns) {
  check_team<Team>("reduce_rows");
  for (int r = 0; r < Rows; ++r)
    if (r / 32 % Team::count == warp_rank<Team>())
      start_sum("reduce_rows", view, first + r, source, r,
                row_part<Columns>(columns));
}

template <class View, int Rows, int Columns>
void reduce_tile(View view, int first,
                 smem<float, Rows, Columns, linear> source, int row,
                 int columns) {
  for (int r = 0; r < 16; ++r)
    start_sum("reduce_tile", view, first + r, source, row + r,
              row_part<Columns>(columns));
}

inline void reduce_tile_wait() {
  for (const pending_sum& sum : pending_sums)
    for (int i = 0; i < sum.count; ++i)
      add_atomically(sum.target + i, sum.source[i]);
  pending_sums.clear();
}

template <class Team, int Barrier>
void reduce_wait() {
  reduce_tile_wait();
  sync<Team, Barrier>();
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_BULK_CUH
