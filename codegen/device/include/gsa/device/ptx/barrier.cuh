//===- barrier.cuh - hardware barriers and register budgets -*- CUDA -*-===//

#ifndef GSA_DEVICE_PTX_BARRIER_CUH
#define GSA_DEVICE_PTX_BARRIER_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// PTX: barrier.sync (ISA 9.7.13, Parallel Synchronization: bar, barrier). Not
/// the .aligned form: lanes may arrive apart after a loop over barriers.
template <int Barrier, int Threads>
GSA_DEVICE void barrier_sync() {
  asm volatile("barrier.sync %0, %1;" ::"n"(Barrier), "n"(Threads) : "memory");
}

/// One of several barriers, chosen at run time.
GSA_DEVICE void barrier_sync(int barrier, int threads) {
  asm volatile("barrier.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

/// Arrives and goes on. PTX: barrier.arrive.
GSA_DEVICE void barrier_arrive(int barrier, int threads) {
  asm volatile("barrier.arrive %0, %1;" ::"r"(barrier), "r"(threads)
               : "memory");
}

/// All threads of a cluster arrive, with what they wrote, and wait. PTX:
/// barrier.cluster.arrive.release, barrier.cluster.wait.acquire; sm_90 and
/// later.
GSA_DEVICE void barrier_cluster() {
  asm volatile(
      "barrier.cluster.arrive.release;\n\t"
      "barrier.cluster.wait.acquire;" ::
          : "memory");
}

/// PTX: setmaxnreg.{inc,dec}.sync.aligned.u32 (ISA 9.7.19, Miscellaneous:
/// setmaxnreg); architecture-specific targets sm_90a, sm_100a.
template <int Count, bool Grow>
GSA_DEVICE void setmaxnreg() {
  static_assert(Count >= 24 && Count <= 256 && Count % 8 == 0,
                "setmaxnreg takes a multiple of 8 from 24 to 256");
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(__CUDA_ARCH_FEAT_SM100_ALL)
  if constexpr (Grow)
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Count));
  else
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Count));
#elif defined(__CUDA_ARCH__)
  static_assert(Count < 0, "set_max_registers needs sm_90a or sm_100a");
#endif
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_BARRIER_CUH
