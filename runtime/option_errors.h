// -----------------------------------------------------------------------------
// File: option_errors.h
// -----------------------------------------------------------------------------
//
// What is wrong with the options of a compilation, whatever the module. The one
// place that decides it: Plan::Compile and CompileToPhase return the first
// error, gsa_check_support lists all of them.

#ifndef GSA_RUNTIME_OPTION_ERRORS_H_
#define GSA_RUNTIME_OPTION_ERRORS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/plan.h"
#include "runtime/target.h"

namespace gsa {

// All errors of `options` for `target`, which is what ResolveTarget made of
// them:
//   InvalidArgument  a value out of range; an option that has no effect on the
//                    target. With the target "auto", whose choice is the
//                    machine's, options of either kind of target may be given.
//   Unimplemented    reference on anything but the CPU; an architecture that
//                    this version has no kernels for
std::vector<absl::Status> OptionErrors(const Target& target,
                                       const CompileOptions& options);

// OK if there are kernels for `arch`. Unimplemented for other names of NVIDIA's
// architectures, InvalidArgument for texts that are none.
absl::Status CheckArch(const std::string& arch);

}  // namespace gsa

#endif  // GSA_RUNTIME_OPTION_ERRORS_H_
