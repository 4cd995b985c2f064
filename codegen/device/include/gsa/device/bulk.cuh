//===- bulk.cuh - rows by the bulk copy engine -*- CUDA -*-===//
//
// What sm_90 adds: one instruction moves a row, or adds one to another. Rows
// are multiples of 16 bytes, at addresses that are, too; their tiles are
// linear.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_BULK_CUH
#define GSA_DEVICE_BULK_CUH

#include "gsa/device/ptx/tma.cuh"
#include "gsa/device/ptx/wgmma.cuh"
#include "gsa/device/ring.cuh"
#include "gsa/device/rows.cuh"

namespace gsa::dev {

/// Bytes of the first `columns` elements of a row of `Columns`.
template <class T, int Columns>
GSA_DEVICE int row_part(int columns) {
  return min(max(columns, 0), Columns) * static_cast<int>(sizeof(T));
}

/// `target[r, c] = view[first + r, c]` for rows that exist and c < columns, 0
/// in the rest of the tile: each lane starts the copies of its rows, whose
/// bytes arrive at the full barrier of the slot, and stores zeros. ring_commit
/// comes behind.
template <class Team, class T, int R, int C, class View, int Stages>
GSA_DEVICE void bulk_rows(smem<T, R, C, linear> target, View view, int first,
                          int columns, ring<Stages> ring, int iteration) {
  constexpr int row_bytes = C * static_cast<int>(sizeof(T));
  static_assert(row_bytes % 16 == 0, "rows are multiples of 16 bytes");
  unsigned full = ring.full(ring.slot(iteration));
  int bytes = row_part<T, C>(columns);
  bool stored = false;
#pragma unroll 1
  for (int row = Team::thread(); row < R; row += Team::threads) {
    int number = view.find(first + row);
    int copied = view.holds(number) ? bytes : 0;
    unsigned char* to = target.base + row * row_bytes;
    if (copied > 0) {
      ptx::mbarrier_expect(full, copied);
      ptx::bulk_load(shared_address(to), view.row(number), copied, full);
    }
    stored |= copied < row_bytes;
    for (int byte = copied; byte < row_bytes; byte += 16)
      *reinterpret_cast<uint4*>(to + byte) = uint4{0, 0, 0, 0};
  }
  // The next copy to the slot goes through the asynchronous proxy.
  if (stored) ptx::fence_async();
}

/// `view[first + r, c] += source[r, c]` for rows that exist and c < columns, in
/// the order in which they happen to arrive. The tile is read until
/// reduce_wait.
template <class Team, class View, int R, int C>
GSA_DEVICE void reduce_rows(View view, int first,
                            smem<float, R, C, linear> source, int columns) {
  constexpr int row_bytes = C * static_cast<int>(sizeof(float));
  static_assert(row_bytes % 16 == 0, "rows are multiples of 16 bytes");
  int bytes = row_part<float, C>(columns);
#pragma unroll 1
  for (int row = Team::thread(); row < R; row += Team::threads) {
    int number = view.find(first + row);
    if (view.holds(number) && bytes > 0)
      ptx::bulk_add(view.row(number),
                    shared_address(source.base + row * row_bytes), bytes);
  }
  ptx::bulk_commit();
}

/// `view[first + r, c] += source[row + r, c]`, r < 16, as reduce_rows, for rows
/// that this warp put there.
template <class View, int R, int C>
GSA_DEVICE void reduce_tile(View view, int first,
                            smem<float, R, C, linear> source, int row,
                            int columns) {
  constexpr int row_bytes = C * static_cast<int>(sizeof(float));
  static_assert(row_bytes % 16 == 0, "rows are multiples of 16 bytes");
  int bytes = row_part<float, C>(columns);
  // By 16 lanes, which the engine takes one after another: a loop over rows
  // that all lanes know of took longer on an H200.
  if (int r = lane(); r < 16 && bytes > 0) {
    int number = view.find(first + r);
    if (view.holds(number))
      ptx::bulk_add(view.row(number),
                    shared_address(source.base + (row + r) * row_bytes), bytes);
  }
  ptx::bulk_commit();
}

/// The rows that this warp gave to reduce_tile may be overwritten by it.
GSA_DEVICE void reduce_tile_wait() {
  ptx::bulk_wait_read();
  __syncwarp();
}

/// The tiles that this team's warps gave to reduce_rows may be overwritten.
template <class Team, int Barrier>
GSA_DEVICE void reduce_wait() {
  ptx::bulk_wait_read();
  sync<Team, Barrier>();
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_BULK_CUH
