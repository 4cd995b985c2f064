//===- Driver.h - compile, run, report -------------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_DRIVER_H
#define GSA_TOOLS_GSA_RUN_DRIVER_H

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/tensor.h"
#include "tools/gsa-run/InputFiles.h"
#include "tools/gsa-run/Options.h"
#include "tools/gsa-run/Report.h"

namespace gsa {

/// What one run gave.
struct RunResult {
  RunReport report;
  std::vector<HostTensor> outputs;
  /// Why --compare or --stats could not look at the outputs, which are there
  /// all the same.
  absl::Status measured;

  const HostTensor* findOutput(const std::string& name) const;
};

/// The text of a module file, of standard input for "-".
absl::StatusOr<std::string> readModule(const std::string& path);

/// What is run, for people: the file, or the layer, and the budget of --k. Of
/// several values of an option it is what they have in common.
std::string moduleTitle(const RunnerOptions& options);

/// The text of the module that is run: of the file, or of the layer that
/// --layer describes, with the budget of --k.
absl::StatusOr<std::string> moduleText(const RunnerOptions& options);

/// Compiles a module and runs it: the part of the tool between reading files
/// and writing them. `options.modulePath` names the module in messages only.
absl::StatusOr<RunResult> runOnce(const std::string& text, InputFiles& files,
                                  const RunnerOptions& options);

/// Compiles up to --stop-after; writes the text of that phase to --dump-dir or
/// standard output.
absl::Status compileToPhase(const std::string& text, InputFiles& files,
                            const RunnerOptions& options);

/// Everything after the command line; returns an ExitCode, errors are printed.
int runTool(const RunnerOptions& options);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_DRIVER_H
