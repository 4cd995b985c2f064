//===- ring.cuh - buffers of several stages -*- CUDA -*-===//
//
// A ring has a full and an empty barrier per stage. Iteration i uses slot
// i mod Stages in its pass i / Stages over the ring; the parity of the pass is
// the parity of the phase that full waits for. A producer waits for the phase
// before on empty, which a fresh barrier counts as complete: the first Stages
// acquires pass at once. Iterations start at 0 and go up by 1.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_RING_CUH
#define GSA_DEVICE_RING_CUH

#include "gsa/device/ptx/mbarrier.cuh"
#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"

namespace gsa::dev {

template <int Stages>
struct ring {
  static_assert(Stages >= 1, "a ring has at least one stage");
  static constexpr int stages = Stages;

  unsigned base;  // full[Stages], empty[Stages], 8 bytes each

  GSA_DEVICE unsigned full(int slot) const { return base + 8 * slot; }
  GSA_DEVICE unsigned empty(int slot) const {
    return base + 8 * (Stages + slot);
  }
  static GSA_DEVICE int slot(int iteration) {
    return static_cast<int>(static_cast<unsigned>(iteration) % Stages);
  }
  static GSA_DEVICE unsigned parity(int iteration) {
    return (static_cast<unsigned>(iteration) / Stages) & 1u;
  }
};

/// The ring at `offset` bytes of dynamic shared memory (a multiple of 8).
/// `Producers` warps commit with all lanes, `Consumers` warps release with one
/// lane. All warps run this; a `sync` of the block must follow.
template <class Ring, int Producers, int Consumers>
GSA_DEVICE Ring ring_alloc(int offset) {
  static_assert(Producers >= 1 && Consumers >= 1,
                "a ring has at least one producer and one consumer");
  Ring ring{shared_address(shared_memory() + offset)};
  if (threadIdx.x == 0) {
#pragma unroll
    for (int slot = 0; slot < Ring::stages; ++slot) {
      ptx::mbarrier_init(ring.full(slot), 32 * Producers);
      ptx::mbarrier_init(ring.empty(slot), Consumers);
    }
    ptx::fence_barrier_init();
  }
  return ring;
}

/// Waits until the slot of an iteration is empty, and returns it.
template <int Stages>
GSA_DEVICE int ring_acquire(ring<Stages> ring, int iteration) {
  int slot = ring.slot(iteration);
  ptx::mbarrier_wait(ring.empty(slot), ring.parity(iteration) ^ 1u);
  return slot;
}

/// The slot is full as far as this warp goes: at once, or (`Asynchronous`) when
/// the cp.async of each lane are complete. The latter says nothing of ordinary
/// stores.
template <bool Asynchronous, int Stages>
GSA_DEVICE void ring_commit(ring<Stages> ring, int iteration) {
  unsigned full = ring.full(ring.slot(iteration));
  if constexpr (Asynchronous)
    ptx::mbarrier_arrive_copies(full);
  else
    ptx::mbarrier_arrive(full);
}

/// Waits until the slot of an iteration is full, and returns it.
template <int Stages>
GSA_DEVICE int ring_wait(ring<Stages> ring, int iteration) {
  int slot = ring.slot(iteration);
  ptx::mbarrier_wait(ring.full(slot), ring.parity(iteration));
  return slot;
}

/// This warp has read the slot.
template <int Stages>
GSA_DEVICE void ring_release(ring<Stages> ring, int iteration) {
  __syncwarp();  // the reads of all lanes come before the arrival of one
  if (lane() == 0) ptx::mbarrier_arrive(ring.empty(ring.slot(iteration)));
}

//===----------------------------------------------------------------------===//
// Cursors
//===----------------------------------------------------------------------===//

/// Iterations of a ring that a warp has gone through.
struct ring_cursor {
  int count;
};

template <class Cursor>
GSA_DEVICE Cursor cursor_alloc() {
  return Cursor{0};
}
GSA_DEVICE int cursor_get(const ring_cursor& cursor) { return cursor.count; }
GSA_DEVICE void cursor_advance(ring_cursor& cursor, int count) {
  if (count > 0) cursor.count += count;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_RING_CUH
