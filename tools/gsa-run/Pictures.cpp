//===- Pictures.cpp - what --plot draws -----------------------------------===//

#include "tools/gsa-run/Pictures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "runtime/core/status_macros.h"
#include "tools/plot/Curves.h"
#include "tools/plot/Render.h"
#include "tools/plot/SelectionPlot.h"

namespace gsa {
namespace {

/// Number of keys: that of the key-side input, else of the queries, and never
/// less than the selection needs.
int64_t keyCount(const plot::SelectionPattern& pattern,
                 const std::vector<TensorSpec>& inputs) {
  int64_t keys = pattern.queries;
  for (const TensorSpec& spec : inputs)
    if ((spec.name == "index_key" || spec.name == "key") &&
        spec.shape.size() >= 3)
      keys = spec.shape[1];
  for (int32_t index : pattern.indices)
    keys = std::max<int64_t>(keys, int64_t{index} + 1);
  return keys;
}

/// Where the run was made, and on what; `workload` is false where it varies.
std::string runLine(const RunReport& report, bool workload = true) {
  std::string text = report.target;
  if (report.generated.size() < report.inputs.size())
    absl::StrAppend(&text, "; inputs from files");
  if (!report.generated.empty())
    absl::StrAppend(&text, workload ? "; workload " + report.workload : "",
                    workload ? ", " : "; ", "seed ", report.seed);
  return text;
}

absl::StatusOr<plot::Scene> drawSelectionOf(const RunResult& result) {
  const HostTensor* indices = result.findOutput("indices");
  const HostTensor* counts = result.findOutput("counts");
  if (!indices || !counts)
    return absl::InternalError("--plot: the run gave no indices and counts");
  plot::SelectionPattern pattern;
  pattern.indices = indices->values<int32_t>();
  pattern.counts = counts->values<int32_t>();
  pattern.batch = indices->shape()[0];
  pattern.queries = indices->shape()[1];
  pattern.slots = indices->shape()[2];
  pattern.keys = keyCount(pattern, result.report.inputs);
  return plot::drawSelection(
      pattern, 0,
      {"Keys that each query keeps",
       {absl::StrCat(result.report.module, " @", result.report.entry),
        runLine(result.report)}});
}

absl::StatusOr<plot::Scene> drawMassOf(const RunReport& report) {
  if (report.massProfiles.empty())
    return absl::InvalidArgumentError(
        "--plot-kind=mass: no attention of the module was measured, expected "
        "gsa.attention, gsa.gather_attention or gsa.dense_attention");
  const MassProfile& profile = report.massProfiles.front();
  plot::MassCurves curves;
  curves.rows = profile.rows;
  curves.rowsSeeing = profile.rowsSeeing;
  curves.dense = profile.denseByKey;
  curves.sparse = profile.sparseByKey;
  curves.denseGated = profile.denseGatedByKey;
  curves.sparseGated = profile.sparseGatedByKey;
  return plot::drawMass(
      curves,
      {"Attention by position of the key",
       {absl::StrCat(report.module, " @", report.entry), runLine(report)}});
}

}  // namespace

absl::Status drawRunPicture(const RunResult& result,
                            const RunnerOptions& options) {
  GSA_ASSIGN_OR_RETURN(plot::Scene scene, plotKindOf(options) == "mass"
                                              ? drawMassOf(result.report)
                                              : drawSelectionOf(result));
  return plot::write(scene, options.plotFile);
}

absl::Status drawSweepPicture(const std::vector<SweepRun>& runs,
                              const RunnerOptions& options) {
  constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::string> values;
  plot::SweepPanel time;
  plot::SweepPanel kept{"attention mass kept", {}};
  bool isMeasured = false;
  const RunReport* first = nullptr;
  for (const SweepRun& run : runs) {
    if (!run.ran) continue;
    if (!first) {
      first = &run.report;
      time.label = absl::StrFormat("run, ms (median of %d)", first->runs);
    }
    values.push_back(run.value);
    time.values.push_back(run.report.run.median);
    kept.values.push_back(massKept(run.report).value_or(kMissing));
    isMeasured = isMeasured || !std::isnan(kept.values.back());
  }
  if (!first) return absl::InternalError("--plot: no run to draw");
  std::vector<plot::SweepPanel> panels = {time};
  if (isMeasured) panels.push_back(kept);
  // What is varied is not said as if it were fixed.
  std::vector<std::string> lines = {
      absl::StrCat(moduleTitle(options), " @", first->entry),
      runLine(*first, options.varied != "--workload")};
  if (!first->inputs.empty() && !variesShapes(options))
    lines.push_back(first->inputs.front().ToString());
  const std::string varied(absl::StripPrefix(options.varied, "--"));
  GSA_ASSIGN_OR_RETURN(
      plot::Scene scene,
      plot::drawSweep(varied == "k" ? "k (keys per query)" : varied, values,
                      panels,
                      {absl::StrCat("What changes with ", varied), lines}));
  return plot::write(scene, options.plotFile);
}

}  // namespace gsa
