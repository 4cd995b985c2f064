//===- Outputs.h - what a run leaves ---------------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_OUTPUTS_H
#define GSA_TOOLS_GSA_RUN_OUTPUTS_H

#include "absl/status/status.h"
#include "tools/gsa-run/Driver.h"

namespace gsa {

/// Writes the files of --output and --plot, and notes them in the report.
absl::Status writeFiles(RunResult& result, const RunnerOptions& options);

/// Prints the report to standard output; with --json as JSON there, as text on
/// standard error. Internal if standard output does not take it.
absl::Status printReport(const RunReport& report, const RunnerOptions& options);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_OUTPUTS_H
