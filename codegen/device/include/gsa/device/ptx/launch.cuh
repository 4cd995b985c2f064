//===- launch.cuh - order of launches -*- CUDA -*-===//
//
// PTX ISA 9.7.13, Parallel Synchronization: griddepcontrol; sm_90 and later.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_LAUNCH_CUH
#define GSA_DEVICE_PTX_LAUNCH_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev::ptx {

/// PTX: griddepcontrol.wait.
GSA_DEVICE void griddepcontrol_wait() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// PTX: griddepcontrol.launch_dependents.
GSA_DEVICE void griddepcontrol_launch_dependents() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

}  // namespace gsa::dev::ptx

#endif  // GSA_DEVICE_PTX_LAUNCH_CUH
