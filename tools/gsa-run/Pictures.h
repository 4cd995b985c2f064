//===- Pictures.h - what --plot draws --------------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_PICTURES_H
#define GSA_TOOLS_GSA_RUN_PICTURES_H

#include <vector>

#include "absl/status/status.h"
#include "tools/gsa-run/Driver.h"
#include "tools/gsa-run/Options.h"
#include "tools/gsa-run/Sweep.h"

namespace gsa {

/// Draws one run to --plot: its selection, or with --plot-kind=mass the
/// attention mass that its statistics measured. InvalidArgument if the module
/// has no attention to measure.
absl::Status drawRunPicture(const RunResult& result,
                            const RunnerOptions& options);

/// Draws the runs that ran, at least two, to --plot.
absl::Status drawSweepPicture(const std::vector<SweepRun>& runs,
                              const RunnerOptions& options);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_PICTURES_H
