// -----------------------------------------------------------------------------
// File: load_plan.h
// -----------------------------------------------------------------------------
//
// From a pack to a plan that runs: nothing is compiled.

#ifndef GSA_RUNTIME_LOAD_PLAN_H_
#define GSA_RUNTIME_LOAD_PLAN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/pack.h"
#include "runtime/plan.h"

namespace gsa {

// Links the code of a packed plan for the CPU; its errors say what "it" is not.
// The linker is LLVM's, which not every library that loads plans has.
using CpuLoader =
    absl::StatusOr<std::unique_ptr<Executable>> (*)(const PackedPlan& plan);

struct LoadOptions {
  // "cpu", "cuda", "cuda:<ordinal>".
  std::string target = "cpu";
  // Of the inputs that tell the plans of the pack apart; others may be given.
  std::map<std::string, std::vector<int64_t>> shapes;
  // As in CompileOptions.
  bool warm_up = true;
  // Null: plans for the CPU are Unimplemented.
  CpuLoader cpu = nullptr;
  // Null: DriverApi::Default(). Must outlive the plan.
  const DriverApi* driver = nullptr;
};

// The one plan of the pack that is for `kind` and `arch` (any where that is
// empty) and whose inputs have these shapes. FailedPrecondition: the pack has
// none for the architecture; InvalidArgument: none of these shapes, or several.
absl::StatusOr<const PackedPlan*> FindPlan(
    const Pack& pack, TargetKind kind, const std::string& arch,
    const std::map<std::string, std::vector<int64_t>>& shapes);

// Finds the plan for the target's device and loads it there. Errors of
// FindPlan, of the driver and of the device; Unimplemented: the target is one
// that this library loads no plans for.
absl::StatusOr<std::shared_ptr<const Plan>> LoadPlan(
    const Pack& pack, const LoadOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_LOAD_PLAN_H_
