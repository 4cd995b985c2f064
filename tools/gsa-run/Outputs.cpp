//===- Outputs.cpp - what a run leaves ------------------------------------===//

#include "tools/gsa-run/Outputs.h"

#include <cstdio>

#include "runtime/core/safetensors.h"
#include "runtime/core/status_macros.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-run/Pictures.h"

namespace gsa {
absl::Status writeFiles(RunResult& result, const RunnerOptions& options) {
  if (!options.outputFile.empty()) {
    GSA_RETURN_IF_ERROR(WriteSafetensors(options.outputFile, result.outputs));
    result.report.written.push_back(options.outputFile);
  }
  if (!options.plotFile.empty()) {
    GSA_RETURN_IF_ERROR(drawRunPicture(result, options));
    result.report.written.push_back(options.plotFile);
  }
  return absl::OkStatus();
}

absl::Status printReport(const RunReport& report,
                         const RunnerOptions& options) {
  const std::string text = toText(report, options.verbose);
  // A comparison of nothing is no news to keep quiet about.
  if (options.quiet && comparedNothingFinite(report))
    std::fputs(
        "gsa-run: warning: --compare found nothing finite to compare in "
        "an output\n",
        stderr);
  if (options.json) {
    GSA_RETURN_IF_ERROR(writeToStandardOutput(jsonText(toJson(report))));
    if (!options.quiet) std::fputs(text.c_str(), stderr);
    return absl::OkStatus();
  }
  return options.quiet ? absl::OkStatus() : writeToStandardOutput(text);
}

}  // namespace gsa
