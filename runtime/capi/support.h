// -----------------------------------------------------------------------------
// File: support.h
// -----------------------------------------------------------------------------
//
// A cheap answer to "would Plan::Compile refuse this, and why?".

#ifndef GSA_RUNTIME_CAPI_SUPPORT_H_
#define GSA_RUNTIME_CAPI_SUPPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/plan.h"

namespace gsa {

// The longest text of a module that is read, in bytes (docs/spec.md, "Module
// text").
uint64_t MaxModuleBytes();

// Every reason against compiling `text` that can be found without generating
// code: wrong options, a missing device, parse and verification errors, a
// missing entry, types that cannot cross the boundary, missing, wrong or
// unknown shapes; without any of these, what the passes of the compiler say.
// Empty if there is none. Each is a status that Plan::Compile would return were
// it the only one, and what Plan::Compile returns is one of them.
std::vector<absl::Status> CheckSupport(const std::string& text,
                                       const std::string& filename,
                                       const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_CAPI_SUPPORT_H_
