// -----------------------------------------------------------------------------
// File: pack_plan.h
// -----------------------------------------------------------------------------
//
// Compiles plans for a pack (runtime/pack.h).

#ifndef GSA_RUNTIME_PACK_PLAN_H_
#define GSA_RUNTIME_PACK_PLAN_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/pack.h"
#include "runtime/plan.h"

namespace gsa {

// Compiles a module for the target and the shapes of `options`, as
// Plan::Compile would, and loads nothing. Of "cuda" `options.arch` says for
// which GPU, none is needed; "cpu" is this machine's. Errors of Plan::Compile;
// Unimplemented: the target is another one.
absl::StatusOr<PackedPlan> CompilePackedPlan(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options);

// Its parts, by target. Internal.
absl::StatusOr<PackedPlan> CompileDevicePlan(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options);
absl::StatusOr<PackedPlan> CompileCpuPlan(const std::string& text,
                                          const std::string& filename,
                                          const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_PACK_PLAN_H_
