// -----------------------------------------------------------------------------
// File: cpu_loader.cc
// -----------------------------------------------------------------------------
//
// libgsa links plans for the CPU.

#include "runtime/capi/internal.h"
#include "runtime/cpu_objects.h"

namespace gsa {
namespace capi {

CpuLoader TheCpuLoader() { return &LoadPackedCpuPlan; }

}  // namespace capi
}  // namespace gsa
