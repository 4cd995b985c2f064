//===- Calls.h - calls that stand in the way of shapes ---------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_CALLS_H
#define GSA_TOOLS_GSA_RUN_CALLS_H

#include <string>

#include "absl/status/status.h"
#include "tools/gsa-run/Options.h"

namespace gsa {

/// `status`, why the module in `text` was not compiled, or Unimplemented at a
/// call if there is one that explains it: functions are inlined before shapes
/// are written into types, and of one that cannot be inlined the sizes of the
/// results stay unknown.
absl::Status explainCalls(const std::string& text, const RunnerOptions& options,
                          const std::string& entry, const absl::Status& status);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_CALLS_H
