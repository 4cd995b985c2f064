//===- reduce.cuh - additions to global memory -*- CUDA -*-===//
//
// PTX ISA 9.7.13, Parallel Synchronization and Communication: red.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_REDUCE_CUH
#define GSA_DEVICE_PTX_REDUCE_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// `*target += x`, among other additions in any order.
/// PTX: red.relaxed.gpu.global.add.f32.
GSA_DEVICE void red_add(float* target, float x) {
  asm volatile("red.relaxed.gpu.global.add.f32 [%0], %1;" ::"l"(
                   __cvta_generic_to_global(target)),
               "f"(x)
               : "memory");
}

/// The same of two neighbours, each by itself; the address is a multiple of 8.
/// PTX: red.relaxed.gpu.global.add.v2.f32 (sm_90), or two of the above.
GSA_DEVICE void red_add(float* target, float x, float y) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  red_add(target, x);
  red_add(target + 1, y);
#else
  asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};" ::"l"(
                   __cvta_generic_to_global(target)),
               "f"(x), "f"(y)
               : "memory");
#endif
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_REDUCE_CUH
