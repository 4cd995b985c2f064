//===- Sweep.h - the values of an option, one after the other --*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_SWEEP_H
#define GSA_TOOLS_GSA_RUN_SWEEP_H

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/gsa-run/Options.h"
#include "tools/gsa-run/Report.h"

namespace gsa {

/// One value and what its run told.
struct SweepRun {
  std::string value;
  /// Why there is no report, or why --compare or --stats could not look at the
  /// run.
  absl::Status status;
  RunReport report;
  bool ran = false;
};

/// Runs every variant of `options`, prints one table (with --json one object
/// with all reports) and draws one picture. A run that fails is a row that says
/// so; the others go on, and its error is returned at the end. `passed` is
/// false if one comparison failed.
absl::Status runSweep(const RunnerOptions& options, bool* passed);

/// The table of the runs; columns that no run has are left out.
std::string toTable(const std::string& varied,
                    const std::vector<SweepRun>& runs);

/// Whether the runs of a sweep may have inputs of different shapes.
bool variesShapes(const RunnerOptions& options);

/// Part of dense attention's mass that the selected keys of a run have, from
/// its statistics; nothing if it was not measured.
std::optional<double> massKept(const RunReport& report);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_SWEEP_H
