// -----------------------------------------------------------------------------
// File: support.h
// -----------------------------------------------------------------------------
//
// A cheap answer to "would Plan::Compile refuse this, and why?".

#ifndef GSA_RUNTIME_CAPI_SUPPORT_H_
#define GSA_RUNTIME_CAPI_SUPPORT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/plan.h"

namespace gsa {

// InvalidArgument for options that no module could make right: the number of
// threads and the vector width.
absl::Status CheckCompileOptions(const CompileOptions& options);

// Every reason against compiling `text` that can be found without generating
// code: parse and verification errors, a missing entry, types that cannot cross
// the boundary, missing, wrong or unknown shapes, sizes that contradict each
// other, ops without a kernel for the GPU's architecture. Empty if there is
// none. Each is a status that Plan::Compile would return were it the only one.
std::vector<absl::Status> CheckSupport(const std::string& text,
                                       const std::string& filename,
                                       const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_CAPI_SUPPORT_H_
