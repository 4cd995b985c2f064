//===- launch.cuh - launches that begin early -*- CUDA -*-===//

#ifndef GSA_DEVICE_LAUNCH_CUH
#define GSA_DEVICE_LAUNCH_CUH

#include "gsa/device/ptx/launch.cuh"

namespace gsa::dev {

/// Waits until the launch before has ended, and with it all before that; sees
/// what they wrote.
GSA_DEVICE void launch_wait() { ptx::griddepcontrol_wait(); }

/// A dependent launch behind this one may begin.
GSA_DEVICE void launch_next() { ptx::griddepcontrol_launch_dependents(); }

/// The same address, of which the compiler knows nothing: neither that no other
/// parameter points there, so that a load may be moved above the wait, nor that
/// nobody writes there (ld.global.nc). It still is in global memory.
template <class T>
GSA_DEVICE T* launched(T* array) {
  asm volatile("" : "+l"(array)::"memory");
  __builtin_assume(__isGlobal(array));
  return array;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_LAUNCH_CUH
