//===- Budget.h - another budget for a module's selections -----*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_BUDGET_H
#define GSA_TOOLS_GSA_RUN_BUDGET_H

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace gsa {

/// The module with `keys` as the base of every budget policy, with its smallest
/// and largest budget in the same proportion to it: a policy of 128 to 768 keys
/// around 512 becomes one of 64 to 384 around 256. Index slots, and the types
/// of what holds them, follow. Locations stay those of `text`; `filename`
/// names it in messages.
///
/// InvalidArgument if the module is wrong or holds no policy; Unimplemented if
/// something beside a result of a function fixes the number of slots.
absl::StatusOr<std::string> withBudget(const std::string& text,
                                       const std::string& filename,
                                       int64_t keys);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_BUDGET_H
