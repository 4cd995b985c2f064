// -----------------------------------------------------------------------------
// File: plan_compile.cc
// -----------------------------------------------------------------------------
//
// The part of a Plan that needs the compiler: how it comes from a module.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "passes/Pipelines.h"
#include "runtime/compiler.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/executable.h"
#include "runtime/option_errors.h"
#include "runtime/pack_plan.h"
#include "runtime/plan.h"
#include "runtime/plan_parts.h"

namespace gsa {
namespace {

absl::StatusOr<CompiledModule> CompileFor(const Target& target,
                                          const std::string& text,
                                          const std::string& filename,
                                          const CompileOptions& options) {
  const std::vector<absl::Status> errors = OptionErrors(target, options);
  if (!errors.empty()) return errors.front();
  if (target.kind == TargetKind::kCpu) {
    return CompileForCpu(text, filename, options);
  }
  return CompileForDevice(text, filename, target, options);
}

}  // namespace

absl::StatusOr<PackedPlan> CompilePackedPlan(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options) {
  GSA_ASSIGN_OR_RETURN(const Target target, ParseTarget(options.target));
  if (target.kind == TargetKind::kEmu || options.target == "auto") {
    return absl::UnimplementedError(
        absl::StrCat("target: expected 'cpu' or 'cuda' for a pack, got '",
                     options.target, "'"));
  }
  const std::vector<absl::Status> errors = OptionErrors(target, options);
  if (!errors.empty()) return errors.front();
  GSA_ASSIGN_OR_RETURN(PackedPlan plan,
                       target.kind == TargetKind::kCpu
                           ? CompileCpuPlan(text, filename, options)
                           : CompileDevicePlan(text, filename, options));
  plan.module = filename;
  return plan;
}

std::vector<std::string> PhaseNames(const Target& target) {
  std::vector<std::string> names = {"parse"};
  const bool cpu = target.kind == TargetKind::kCpu;
  for (const mlir::gsa::Phase& phase :
       cpu ? mlir::gsa::getCpuPhases({}) : mlir::gsa::getCudaPhases({})) {
    names.push_back(phase.name);
  }
  if (cpu) {
    names.insert(names.end(), {"codegen", "assembly"});
  } else {
    names.push_back("program");
    if (target.kind == TargetKind::kCuda) names.push_back("code");
  }
  return names;
}

absl::Status CompileToPhase(const std::string& text,
                            const std::string& filename,
                            const CompileOptions& options) {
  GSA_ASSIGN_OR_RETURN(Target target, ResolveTarget(options));
  const std::vector<std::string> names = PhaseNames(target);
  if (std::count(names.begin(), names.end(), options.stop_after) == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "target ", target.ToString(), " has no phase '", options.stop_after,
        "'; it has: ", absl::StrJoin(names, ", "),
        DidYouMean(options.stop_after, {names.begin(), names.end()})));
  }
  return CompileFor(target, text, filename, options).status();
}

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Compile(
    const std::string& text, const std::string& filename,
    const CompileOptions& options) {
  if (!options.stop_after.empty()) {
    return absl::InvalidArgumentError(
        "a plan needs all phases: expected no stop_after");
  }
  GSA_ASSIGN_OR_RETURN(Target target, ResolveTarget(options));
  absl::StatusOr<CompiledModule> compiled =
      CompileFor(target, text, filename, options);
  if (!compiled.ok()) return compiled.status();
  PlanParts parts;
  parts.interface = static_cast<PlanInterface&>(*compiled);
  parts.num_threads = ThreadsOf(options);
  parts.kernel_counts = compiled->kernel_counts;
  parts.target = std::move(target);
  parts.executable = std::move(compiled->executable);
  return Make(std::move(parts));
}

}  // namespace gsa
