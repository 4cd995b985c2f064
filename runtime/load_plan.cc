// -----------------------------------------------------------------------------
// File: load_plan.cc
// -----------------------------------------------------------------------------

#include "runtime/load_plan.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "runtime/executable.h"

namespace gsa {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

const TensorSpec* FindInput(const PackedPlan& plan, const std::string& name) {
  for (const TensorSpec& spec : plan.interface.inputs)
    if (spec.name == name) return &spec;
  return nullptr;
}

bool HasShapes(const PackedPlan& plan, const Shapes& shapes) {
  for (const auto& [name, shape] : shapes) {
    const TensorSpec* spec = FindInput(plan, name);
    if (spec == nullptr || spec->shape != shape) return false;
  }
  return true;
}

// A name that no plan has is a slip of the caller's.
absl::Status CheckNames(const std::vector<const PackedPlan*>& plans,
                        const Shapes& shapes) {
  std::set<std::string> known;
  for (const PackedPlan* plan : plans)
    for (const TensorSpec& spec : plan->interface.inputs)
      known.insert(spec.name);
  for (const auto& [name, shape] : shapes) {
    if (known.count(name) != 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("shape given for '", name, "', but the inputs are ",
                     known.empty() ? "none" : absl::StrJoin(known, ", "),
                     DidYouMean(name, {known.begin(), known.end()})));
  }
  return absl::OkStatus();
}

std::string ToList(const std::vector<const PackedPlan*>& plans) {
  return absl::StrJoin(plans, "; ",
                       [](std::string* text, const PackedPlan* plan) {
                         absl::StrAppend(text, plan->ToString());
                       });
}

std::string Wanted(const Shapes& shapes) {
  if (shapes.empty()) return "no shapes";
  return absl::StrJoin(shapes, ", ", [](std::string* text, const auto& shape) {
    absl::StrAppend(text, shape.first, " ", ShapeToString(shape.second));
  });
}

absl::StatusOr<std::unique_ptr<Executable>> LoadExecutable(
    const PackedPlan& plan, const Target& target, const LoadOptions& options) {
  if (plan.kind == TargetKind::kCpu) return options.cpu(plan);
  ExecutorOptions executor;
  executor.driver = options.driver;
  executor.warm_up = options.warm_up;
  return MakeCudaExecutable(plan.program, target.ordinal, executor);
}

// The architecture of the device, or "" for the CPU, of which the loader knows.
absl::StatusOr<std::string> ArchFor(const Target& target,
                                    const LoadOptions& options) {
  if (target.kind == TargetKind::kCpu) return "";
  const DriverApi* driver = options.driver;
  if (driver == nullptr) {
    GSA_ASSIGN_OR_RETURN(driver, DriverApi::Default());
  }
  GSA_ASSIGN_OR_RETURN(const DeviceInfo device,
                       GetDevice(*driver, target.ordinal));
  return ArchOf(device.major, device.minor);
}

}  // namespace

absl::StatusOr<const PackedPlan*> FindPlan(const Pack& pack, TargetKind kind,
                                           const std::string& arch,
                                           const Shapes& shapes) {
  std::vector<const PackedPlan*> of_arch;
  std::set<std::string> others;
  for (const PackedPlan& plan : pack.plans) {
    if (plan.kind == kind && (arch.empty() || plan.arch == arch))
      of_arch.push_back(&plan);
    else
      others.insert(absl::StrCat(
          plan.kind == TargetKind::kCuda ? "cuda " : "cpu ", plan.arch));
  }
  if (of_arch.empty())
    return absl::FailedPreconditionError(absl::StrCat(
        "the pack has no plan for ",
        kind == TargetKind::kCuda ? "cuda " : "cpu", arch, ": it has ",
        others.empty()
            ? "none"
            : absl::StrCat("plans for ", absl::StrJoin(others, ", "))));
  GSA_RETURN_IF_ERROR(CheckNames(of_arch, shapes));
  std::vector<const PackedPlan*> fitting;
  for (const PackedPlan* plan : of_arch)
    if (HasShapes(*plan, shapes)) fitting.push_back(plan);
  if (fitting.size() == 1) return fitting.front();
  return absl::InvalidArgumentError(absl::StrCat(
      "the pack: expected shapes of one of its plans, got ", Wanted(shapes),
      fitting.empty() ? ", which none of " : ", which several have of ",
      ToList(fitting.empty() ? of_arch : fitting)));
}

absl::StatusOr<std::shared_ptr<const Plan>> LoadPlan(
    const Pack& pack, const LoadOptions& options) {
  GSA_ASSIGN_OR_RETURN(Target target, ParseTarget(options.target));
  if (options.target == "auto" || options.target == "emu")
    return absl::InvalidArgumentError(
        absl::StrCat("target: expected 'cpu', 'cuda' or 'cuda:<ordinal>' for a "
                     "plan of a pack, got '",
                     options.target, "'"));
  if (target.kind == TargetKind::kCpu && options.cpu == nullptr)
    return absl::UnimplementedError(
        "plans for the CPU are linked by LLVM, which this library does not "
        "have: expected the target 'cuda', or the library libgsa");
  GSA_ASSIGN_OR_RETURN(const std::string arch, ArchFor(target, options));
  GSA_ASSIGN_OR_RETURN(const PackedPlan* plan,
                       FindPlan(pack, target.kind, arch, options.shapes));
  absl::StatusOr<std::unique_ptr<Executable>> executable =
      LoadExecutable(*plan, target, options);
  if (!executable.ok())
    return absl::Status(
        executable.status().code(),
        absl::StrCat("the plan ", plan->ToString(), ": ",
                     std::string(executable.status().message())));
  PlanParts parts;
  parts.interface = plan->interface;
  parts.num_threads = plan->num_threads;
  parts.target = std::move(target);
  parts.executable = *std::move(executable);
  return Plan::Make(std::move(parts));
}

}  // namespace gsa
