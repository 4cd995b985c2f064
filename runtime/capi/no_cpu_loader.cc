// -----------------------------------------------------------------------------
// File: no_cpu_loader.cc
// -----------------------------------------------------------------------------
//
// libgsa-runtime has no linker for plans for the CPU.

#include "runtime/capi/internal.h"

namespace gsa {
namespace capi {

CpuLoader TheCpuLoader() { return nullptr; }

}  // namespace capi
}  // namespace gsa
