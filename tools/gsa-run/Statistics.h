//===- Statistics.h - statistics of the run itself -------------*- C++ -*-===//
//
// --stats without --compare. Nothing is interpreted: what selections keep, and
// the queries, keys and gate logits that attention reads, are taken from the
// run's own target. A copy of the module, with its blocks decomposed, returns
// them as further results; it is compiled and run once. What the run has as
// inputs or outputs anyway is taken from there, and without anything to add
// there is no copy.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_GSA_RUN_STATISTICS_H
#define GSA_TOOLS_GSA_RUN_STATISTICS_H

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "llvm/Support/JSON.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"
#include "tools/gsa-run/Options.h"
#include "tools/gsa-run/Report.h"

// The headers of the reference throw; who includes this need not know them.
namespace mlir::gsa {
struct Statistics;
}  // namespace mlir::gsa

namespace gsa {

/// The same value in the library that reports are written with.
nlohmann::json toNlohmann(const llvm::json::Value& value);

/// Fills the report's sections on statistics.
void addStatistics(const mlir::gsa::Statistics& statistics, RunReport* report);

/// Measures the run of `text` on `inputs` that gave `outputs`. `compiled` are
/// the options that it was compiled with. Costs a compilation and a run of the
/// copy, and the measurement of a few rows. What cannot be had, because the
/// copy does not compile for the target for instance, is named in the report;
/// that is no error.
absl::Status measureRun(const std::string& text, const RunnerOptions& options,
                        const CompileOptions& compiled,
                        const std::vector<HostTensor>& inputs,
                        const std::vector<HostTensor>& outputs,
                        RunReport* report);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_STATISTICS_H
