//===- ring.cuh - full and empty barriers of stages (host) -----*- C++ -*-===//
//
// Each stage has two barriers of 8 bytes in shared memory at the planned
// offset, so that a plan that lets a tile overlap them is found. A barrier is
// a word with the number of warps still to arrive and the number of completed
// phases, and a word with the number of warps of a phase. Arrivals release,
// waits acquire; nothing else does.
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

  uint32_t* full(int slot) const { return barrier(slot, 0); }
  uint32_t* empty(int slot) const { return barrier(slot, 2); }

 private:
  uint32_t* barrier(int slot, int word) const {
    return reinterpret_cast<uint32_t*>(emu::self->block->shared + offset) +
           4 * slot + word;
  }
};

/// A word of a barrier: 8 bits of warps to arrive, the rest counts phases.
inline constexpr uint32_t kArrivals = 0xFF;
inline constexpr uint32_t kPhase = 0x100;

/// One warp arrives.
inline void ring_arrive(const char* function, uint32_t* barrier) {
  uint32_t expected = emu::get(barrier + 1);
  uint32_t seen = emu::get(barrier), next;
  do {
    uint32_t left = seen & kArrivals;
    if (expected == 0 || expected > 32 || left == 0 || left > expected)
      emu::fail(function, "the ring was not made, or was overwritten");
    next = left == 1 ? (seen & ~kArrivals) + kPhase + expected : seen - 1;
  } while (!__atomic_compare_exchange_n(barrier, &seen, next, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED));
  if ((seen & kArrivals) == 1) emu::wake(barrier);
}

/// Waits until the phase of this parity is complete.
template <int Stages>
void ring_pass(const char* function, ring<Stages> ring, uint32_t* barrier,
               int iteration, int parity) {
  if (iteration < 0) emu::fail(function, "iteration %d", iteration);
  uint32_t expected = emu::get(barrier + 1);
  if (expected == 0 || expected > 32)
    emu::fail(function, "the ring was not made, or was overwritten");
  emu::waitWhile(barrier, parity ? kPhase : 0, kPhase, function, ring.offset,
                 iteration);
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
      ring.full(slot)[0] = ring.full(slot)[1] = Producers;
      ring.empty(slot)[0] = ring.empty(slot)[1] = Consumers;
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
  if (Asynchronous) emu::performPending();
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

}  // namespace gsa::dev

#endif  // GSA_DEVICE_RING_CUH
