//===- Checks.h - what is wrong before anything runs -----------*- C++ -*-===//
//
// A run may take minutes: whatever can be known to be wrong before it is said
// before it. An option that could have no effect is wrong, too.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_GSA_RUN_CHECKS_H
#define GSA_TOOLS_GSA_RUN_CHECKS_H

#include "absl/status/status.h"
#include "runtime/plan.h"
#include "tools/gsa-run/Options.h"

namespace gsa {

/// What the command line alone tells: names of targets and workloads, options
/// that exclude each other or mean nothing together, and whether the files of
/// --output and --plot can be written. InvalidArgument names the option.
absl::Status checkOptions(const RunnerOptions& options);

/// What the entry's inputs and outputs tell: whether there is something to
/// plot. InvalidArgument names the option.
absl::Status checkInterface(const ModuleInterface& interface,
                            const RunnerOptions& options);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_CHECKS_H
