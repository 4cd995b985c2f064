//===- copy.cuh - global to shared memory, by a team (host) ----*- C++ -*-===//
//
// The vectors of a tile are dealt out to the lanes of the team in order of
// their position, as on the device; a warp copies only those of its lanes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_COPY_CUH
#define GSA_DEVICE_COPY_CUH

#include "gsa/device/rows.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"

namespace gsa::dev {

/// Fills row `row` of the share of this warp: from `source` (null: zeros) and
/// `columns` elements of it.
template <class Team, int VectorBytes, class T, int Rows, int Columns,
          smem_layout Layout>
void copy_row(const char* function, smem<T, Rows, Columns, Layout> target,
              int row, const T* source, int columns) {
  constexpr int kVector = VectorBytes / static_cast<int>(sizeof(T));
  constexpr int kVectors = Columns / kVector;
  columns = columns < 0 ? 0 : columns < Columns ? columns : Columns;
  if (source && reinterpret_cast<uintptr_t>(source) % VectorBytes != 0)
    emu::fail(function,
              "source of row %d is at %p, no multiple of the vector of %d "
              "bytes",
              row, static_cast<const void*>(source), VectorBytes);
  if (source) emu::checkGlobal(function, source, columns * sizeof(T), false);
  for (int i = 0; i < kVectors; ++i) {
    int position = row * kVectors + i, column = i * kVector;
    if (position / 32 % Team::count != warp_rank<Team>()) continue;
    int count = source ? columns - column : 0;
    count = count < 0 ? 0 : count > kVector ? kVector : count;
    int bytes = count * static_cast<int>(sizeof(T));
    emu::PendingCopy copy{target.address(function, row, column, kVector),
                          source ? source + column : nullptr, bytes,
                          VectorBytes - bytes};
    if (VectorBytes >= 4) {
      emu::issue(copy);
    } else {
      emu::perform(copy);
      emu::self->plainCopies = true;
    }
  }
}

template <class Team, int VectorBytes, class T, int Columns>
void check_copy(const char* function) {
  static_assert(VectorBytes == 2 || VectorBytes == 4 || VectorBytes == 8 ||
                    VectorBytes == 16,
                "vectors have 2, 4, 8 or 16 bytes");
  static_assert(Columns * sizeof(T) % VectorBytes == 0,
                "rows of a tile are a multiple of the vector");
  check_team<Team>(function);
}

template <class Team, int VectorBytes, class T, int Rows, int Columns,
          smem_layout Layout, class View>
void copy_rows(smem<T, Rows, Columns, Layout> target, View view, int first,
               int columns) {
  check_copy<Team, VectorBytes, T, Columns>("copy_rows");
  if (emu::fault("copy_rows")) return;
  for (int r = 0; r < Rows; ++r) {
    int number = view.find("copy_rows", first + r);
    copy_row<Team, VectorBytes>("copy_rows", target, r,
                                view.holds(number) ? view.row(number) : nullptr,
                                columns);
  }
}

template <class Team, int VectorBytes, class T, int Rows, int Columns,
          smem_layout Layout, class View, int Units>
void copy_rows(smem<T, Rows, Columns, Layout> target, View view,
               const found_rows<Team, Rows, Units>& found, int columns) {
  static_assert(Units * VectorBytes == Columns * sizeof(T));
  check_copy<Team, VectorBytes, T, Columns>("copy_rows");
  if (emu::fault("copy_rows")) return;
  for (int r = 0; r < Rows; ++r)
    copy_row<Team, VectorBytes>(
        "copy_rows", target, r,
        view.holds(found.number[r]) ? view.row(found.number[r]) : nullptr,
        columns);
}

/// A hint: nothing is read.
template <class Team, int Rows, class View>
void prefetch_rows(View view, int first, int) {
  for (int r = 0; r < Rows; ++r) (void)view.find("prefetch_rows", first + r);
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_COPY_CUH
