// -----------------------------------------------------------------------------
// File: kernels_dispatch.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/kernels.h"

namespace gsa::bench {

extern const Kernels kKernelsBase;
#if defined(__x86_64__)
extern const Kernels kKernelsAvx2;
extern const Kernels kKernelsAvx512;
#endif

const Kernels& BestKernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return kKernelsAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return kKernelsAvx2;
  }
#endif
  return kKernelsBase;
}

}  // namespace gsa::bench
