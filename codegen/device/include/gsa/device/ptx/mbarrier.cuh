//===- mbarrier.cuh - barriers in shared memory -*- CUDA -*-===//
//
// PTX ISA 9.7.13, Parallel Synchronization: mbarrier. A barrier is 8 bytes,
// aligned to 8; addresses are those of the shared window.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_MBARRIER_CUH
#define GSA_DEVICE_PTX_MBARRIER_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// PTX: mbarrier.init.shared.b64.
GSA_DEVICE void mbarrier_init(unsigned barrier, int arrivals) {
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(barrier),
               "r"(arrivals)
               : "memory");
}

/// Makes initialised barriers visible to asynchronous copies of the block.
/// PTX: fence.proxy.async (ISA: membar, fence; sm_90); before, all copies use
/// the generic proxy and the block's barrier is enough.
GSA_DEVICE void fence_barrier_init() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

/// One arrival; releases what this thread wrote before.
/// PTX: mbarrier.arrive.shared.b64.
GSA_DEVICE void mbarrier_arrive(unsigned barrier) {
  asm volatile(
      "{\n\t.reg .b64 state;\n\t"
      "mbarrier.arrive.shared.b64 state, [%0];\n\t}" ::"r"(barrier)
      : "memory");
}

/// One arrival when the cp.async that this thread issued so far are complete.
/// PTX: cp.async.mbarrier.arrive.noinc.shared.b64.
GSA_DEVICE void mbarrier_arrive_copies(unsigned barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(barrier)
               : "memory");
}

/// True once the phase of the given parity is complete; acquires what the
/// arrivals released. PTX: mbarrier.try_wait.parity.shared.b64 (sm_90, may
/// sleep for a time the hardware chooses), mbarrier.test_wait.parity (sm_80).
GSA_DEVICE bool mbarrier_done(unsigned barrier, unsigned parity) {
  unsigned done;
#if __CUDA_ARCH__ >= 900
  asm volatile(
      "{\n\t.reg .pred p;\n\t"
      "mbarrier.try_wait.parity.shared.b64 p, [%1], %2;\n\t"
      "selp.u32 %0, 1, 0, p;\n\t}"
      : "=r"(done)
      : "r"(barrier), "r"(parity)
      : "memory");
#else
  asm volatile(
      "{\n\t.reg .pred p;\n\t"
      "mbarrier.test_wait.parity.shared.b64 p, [%1], %2;\n\t"
      "selp.u32 %0, 1, 0, p;\n\t}"
      : "=r"(done)
      : "r"(barrier), "r"(parity)
      : "memory");
#endif
  return done != 0;
}

/// Waits for the phase of the given parity. On sm_80 a short sleep between
/// tests leaves issue slots to the warps that are waited for.
GSA_DEVICE void mbarrier_wait(unsigned barrier, unsigned parity) {
  while (!mbarrier_done(barrier, parity)) {
#if __CUDA_ARCH__ < 900
    __nanosleep(20);
#endif
  }
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_MBARRIER_CUH
