//===- bulk.cuh - rows by the bulk copy engine -*- CUDA -*-===//
//
// What sm_90 adds: one instruction moves a row, or adds one to another. Rows are
// multiples of 16 bytes, at addresses that are, too; their tiles are linear.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_BULK_CUH
#define GSA_DEVICE_BULK_CUH

#include "gsa/device/ptx/tma.cuh"
#include "gsa/device/ring.cuh"
#include "gsa/device/rows.cuh"

namespace gsa::dev {

/// `target[r, c] = view[first + r, c]` for rows that exist and c < columns, 0 in
/// the rest of the tile: each lane starts the copies of its rows, whose bytes
/// arrive at the full barrier of the slot, and stores zeros. ring_commit comes
/// behind.
template <class Team, class T, int R, int C, class View, int Stages>
GSA_DEVICE void bulk_rows(smem<T, R, C, linear> target, View view, int first,
                          int columns, ring<Stages> ring, int iteration) {
  constexpr int row_bytes = C * static_cast<int>(sizeof(T));
  static_assert(row_bytes % 16 == 0, "rows are multiples of 16 bytes");
  unsigned full = ring.full(ring.slot(iteration));
  int bytes = columns * static_cast<int>(sizeof(T));
#pragma unroll 1
  for (int row = Team::thread(); row < R; row += Team::threads) {
    int number = view.find(first + row);
    int copied = view.holds(number) ? bytes : 0;
    unsigned char* to = target.base + row * row_bytes;
    if (copied > 0) {
      ptx::mbarrier_expect(full, copied);
      ptx::bulk_load(shared_address(to), view.row(number), copied, full);
    }
    for (int byte = copied; byte < row_bytes; byte += 16)
      *reinterpret_cast<uint4*>(to + byte) = uint4{0, 0, 0, 0};
  }
}

/// `view[first + r, c] += source[r, c]` for rows that exist and c < columns, in
/// the order in which they happen to arrive. The tile is read until
/// reduce_wait.
template <class Team, class View, int R, int C>
GSA_DEVICE void reduce_rows(View view, int first, smem<float, R, C, linear> source,
                            int columns) {
  constexpr int row_bytes = C * static_cast<int>(sizeof(float));
  static_assert(row_bytes % 16 == 0, "rows are multiples of 16 bytes");
#pragma unroll 1
  for (int row = Team::thread(); row < R; row += Team::threads) {
    int number = view.find(first + row);
    if (view.holds(number))
      ptx::bulk_add(view.row(number),
                    shared_address(source.base + row * row_bytes),
                    columns * static_cast<int>(sizeof(float)));
  }
  ptx::bulk_commit();
}

/// The tiles that this team's warps gave to reduce_rows may be overwritten.
template <class Team, int Barrier>
GSA_DEVICE void reduce_wait() {
  ptx::bulk_wait_read();
  sync<Team, Barrier>();
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_BULK_CUH
