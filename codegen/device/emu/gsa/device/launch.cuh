//===- launch.cuh - launches that begin early (host) -----------*- C++ -*-===//
//
// Launches run one after another here. A dependent one may not touch what
// launches write before it has waited: emu::checkGlobal.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_LAUNCH_CUH
#define GSA_DEVICE_LAUNCH_CUH

#include "gsa/device/types.cuh"

namespace gsa::dev {

inline void launch_wait() {
  emu::self->waited = true;
  __atomic_fetch_add(&emu::self->block->waits, 1, __ATOMIC_RELAXED);
}

inline void launch_next() {}

template <class T>
T* launched(T* array) {
  if (emu::self->block->launch->dependent && !emu::self->waited)
    emu::fail("launched", "before launch_wait");
  return array;
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_LAUNCH_CUH
