//===- Inputs.h - where the inputs of a run come from ----------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_INPUTS_H
#define GSA_TOOLS_GSA_RUN_INPUTS_H

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"
#include "tools/gsa-run/InputFiles.h"
#include "tools/gsa-run/Options.h"

namespace gsa {

/// What --workload may be: those of runtime/core/workload.h, and the inputs of
/// the conformance vector.
std::vector<std::string> workloadNames();

/// Shapes by name for every input with dynamic sizes: from --shape, from the
/// files, from --batch, --seq and --keys, in that order. InvalidArgument if one
/// of the last three contradicts a file or gives no size at all.
absl::StatusOr<std::map<std::string, std::vector<int64_t>>> resolveShapes(
    const std::vector<TensorSpec>& declared, const InputFiles& files,
    const RunnerOptions& options);

/// Inputs in the order of `specs`: from the files where they have them,
/// generated otherwise. `generated` receives the names of the latter.
absl::StatusOr<std::vector<HostTensor>> makeInputs(
    const std::vector<TensorSpec>& specs, const InputFiles& files,
    const RunnerOptions& options, std::vector<std::string>* generated);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_INPUTS_H
