//===- Comparison.h - a run against the float64 reference ------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_COMPARISON_H
#define GSA_TOOLS_GSA_RUN_COMPARISON_H

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/core/tensor.h"
#include "tools/gsa-run/Options.h"
#include "tools/gsa-run/Report.h"

namespace gsa {

/// Interprets the module in float64 on the same inputs, compares every output
/// of the run and measures the selections; fills the report's sections.
/// `progress` receives percentages. A failed comparison is not an error: it
/// sets RunReport::comparisonPassed to false.
absl::Status compareWithReference(const std::string& text,
                                  const RunnerOptions& options,
                                  const std::string& entry,
                                  const std::vector<HostTensor>& inputs,
                                  const std::vector<HostTensor>& outputs,
                                  const std::function<void(int64_t)>& progress,
                                  RunReport* report);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_COMPARISON_H
