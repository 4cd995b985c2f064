//===- ring.cuh - full and empty barriers of stages (host) -----*- C++ -*-===//
//
// Each stage has two barriers of 8 bytes in shared memory at the planned
// offset, so that a plan that lets a tile overlap them is found. Arrivals
// release, waits acquire; nothing else does.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_RING_CUH
#define GSA_DEVICE_RING_CUH

#include "gsa/device/smem.cuh"
#include "gsa/device/team.cuh"

namespace gsa::dev {

template <int Stages>
struct ring {
  static_assert(Stages >= 1);
  static constexpr int stages = Stages;
  static constexpr int bytes = 16 * Stages;
  int offset;

  emu::Barrier* full(int slot) const { return barrier(2 * slot); }
  emu::Barrier* empty(int slot) const { return barrier(2 * slot + 1); }

 private:
  emu::Barrier* barrier(int number) const {
    return reinterpret_cast<emu::Barrier*>(emu::self->block->shared + offset) +
           number;
  }
};

inline void ring_check(const char* function, uint32_t word) {
  uint32_t expected = emu::Barrier::expected(word);
  uint32_t missing = emu::Barrier::missing(word);
  if (expected > 32 || missing == 0 || missing > expected)
    emu::fail(function, "the ring was not made, or was overwritten");
}

/// One warp arrives.
inline void ring_arrive(const char* function, emu::Barrier* barrier) {
  emu::arrive(barrier, [&](uint32_t word) {
    ring_check(function, word);
    uint32_t expected = emu::Barrier::expected(word);
    uint32_t missing = emu::Barrier::missing(word);
    return missing == 1 ? emu::Barrier::make(emu::Barrier::phase(word) + 1,
                                             expected, expected)
                        : word - 1;
  });
}

/// Waits until the phase of this parity is complete.
template <int Stages>
void ring_pass(const char* function, ring<Stages> ring, emu::Barrier* barrier,
               int iteration, int parity) {
  if (iteration < 0) emu::fail(function, "iteration %d", iteration);
  ring_check(function, emu::get(&barrier->word));
  emu::waitForPhase(barrier, parity, function, ring.offset, iteration);
}

template <class Ring, int Producers, int Consumers>
Ring ring_alloc(int offset) {
  static_assert(Producers >= 1 && Producers <= 32);
  static_assert(Consumers >= 1 && Consumers <= 32);
  int size = emu::self->block->launch->sharedBytes;
  if (offset < 0 || offset % 8 != 0 || Ring::bytes > size - offset)
    emu::fail("ring_alloc",
              "%d bytes at offset %d, of %d bytes of shared memory; the "
              "offset must be a multiple of 8",
              Ring::bytes, offset, size);
  Ring ring{offset};
  // Plain stores: other warps may look only after a barrier.
  if (emu::self->index == 0)
    for (int slot = 0; slot < Ring::stages; ++slot) {
      *ring.full(slot) = {emu::Barrier::make(0, Producers, Producers), {}};
      *ring.empty(slot) = {emu::Barrier::make(0, Consumers, Consumers), {}};
    }
  return ring;
}

template <int Stages>
int ring_acquire(ring<Stages> ring, int iteration) {
  int slot = iteration % Stages;
  if (!emu::fault("ring_acquire"))
    ring_pass("ring_acquire", ring, ring.empty(slot), iteration,
              iteration / Stages & 1 ? 0 : 1);
  return slot;
}

template <bool Asynchronous, int Stages>
void ring_commit(ring<Stages> ring, int iteration) {
  if (emu::fault("ring_commit")) return;
  if (Asynchronous) {
    if (emu::self->plainCopies)
      emu::fail("ring_commit",
                "asynchronous, after copies by ordinary stores, which it does "
                "not order");
    emu::performPending();
  }
  emu::self->plainCopies = false;
  ring_arrive("ring_commit", ring.full(iteration % Stages));
}

template <int Stages>
int ring_wait(ring<Stages> ring, int iteration) {
  int slot = iteration % Stages;
  if (!emu::fault("ring_wait"))
    ring_pass("ring_wait", ring, ring.full(slot), iteration,
              iteration / Stages & 1);
  return emu::fault("wrong_slot") ? (slot + 1) % Stages : slot;
}

template <int Stages>
void ring_release(ring<Stages> ring, int iteration) {
  if (emu::fault("ring_release")) return;
  ring_arrive("ring_release", ring.empty(iteration % Stages));
}

//===----------------------------------------------------------------------===//
// Cursors
//===----------------------------------------------------------------------===//

struct ring_cursor {
  int count;
};

template <class Cursor>
Cursor cursor_alloc() {
  return Cursor{0};
}
inline int cursor_get(const ring_cursor& cursor) {
  return emu::fault("cursor_get") ? 0 : cursor.count;
}
inline void cursor_advance(ring_cursor& cursor, int count) {
  if (count > 0) cursor.count += count;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_RING_CUH
