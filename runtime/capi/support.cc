// -----------------------------------------------------------------------------
// File: support.cc
// -----------------------------------------------------------------------------

#include "runtime/capi/support.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Pipelines.h"
#include "passes/target/CudaTarget.h"
#include "runtime/compiler.h"
#include "runtime/device_kernels.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

class Reasons {
 public:
  void Add(absl::Status status) {
    if (!status.ok()) list_.push_back(std::move(status));
  }
  size_t size() const { return list_.size(); }
  std::vector<absl::Status> Take() { return std::move(list_); }

 private:
  std::vector<absl::Status> list_;
};

// What can be told about the arguments or the results of a function.
struct Boundary {
  std::vector<TensorSpec> legal;
  std::vector<TensorSpec> named;  // All of them; only the name is set.
};

// Illegal types and names that occur twice become reasons.
Boundary CheckBoundary(mlir::TypeRange types, mlir::func::FuncOp entry,
                       bool is_result, Reasons* reasons) {
  Boundary boundary;
  std::set<std::string> names;
  for (size_t i = 0; i < types.size(); ++i) {
    std::string name = BoundaryName(entry, i, is_result);
    if (!names.insert(name).second) {
      reasons->Add(absl::InvalidArgumentError(
          absl::StrCat("function '", entry.getName().str(), "': the name '",
                       name, "' is used twice")));
    }
    absl::StatusOr<TensorSpec> spec = BoundarySpec(types[i], name);
    reasons->Add(spec.status());
    if (spec.ok()) boundary.legal.push_back(*std::move(spec));
    boundary.named.emplace_back();
    boundary.named.back().name = std::move(name);
  }
  return boundary;
}

// Makes the shapes static, which is when sizes that contradict each other show.
absl::Status Specialize(mlir::ModuleOp module, mlir::func::FuncOp entry,
                        std::vector<std::string> shapes) {
  mlir::gsa::CpuTargetConfig config;
  config.entry = entry.getName().str();
  config.shapes = std::move(shapes);
  for (const mlir::gsa::Phase& phase : mlir::gsa::getCpuPhases(config)) {
    if (phase.name != "specialize") continue;
    DiagnosticCollector diagnostics(module.getContext());
    mlir::PassManager manager(module.getContext());
    phase.addPasses(manager);
    if (mlir::failed(manager.run(module))) {
      return diagnostics.ToStatus(absl::StatusCode::kInvalidArgument,
                                  "compiling (phase " + phase.name + ")");
    }
  }
  return absl::OkStatus();
}

// Whether each op has a kernel, for which architectures differ: the phases up
// to `tile` of a target that has them. Nothing where the architecture is not
// known, which CheckTarget has then said.
absl::Status CheckKernels(const std::string& text, const std::string& filename,
                          const CompileOptions& options) {
  absl::StatusOr<Target> target = ParseTarget(options.target);
  if (!target.ok() || target->kind == TargetKind::kCpu) {
    return absl::OkStatus();
  }
  if (target->kind == TargetKind::kCuda && options.arch.empty() &&
      !DeviceArch(target->ordinal).ok()) {
    return absl::OkStatus();
  }
  if (!options.arch.empty() && !mlir::gsa::findCudaTarget(options.arch)) {
    return absl::OkStatus();
  }
  CompileOptions until = options;
  until.stop_after = "tile";
  until.on_phase = nullptr;
  return CompileForDevice(text, filename, *target, until).status();
}

// What is missing for the target on this machine.
absl::Status CheckTarget(const CompileOptions& options) {
  absl::StatusOr<Target> target = ParseTarget(options.target);
  if (!target.ok()) return target.status();
  if (target->kind == TargetKind::kCpu) return absl::OkStatus();
  if (!options.arch.empty() && !mlir::gsa::findCudaTarget(options.arch)) {
    return absl::UnimplementedError(
        absl::StrCat("unknown architecture '", options.arch, "'"));
  }
  if (target->kind == TargetKind::kEmu) return absl::OkStatus();
  absl::Status device = DeviceArch(target->ordinal).status();
  return device.ok() ? KernelCacheFor(options).status() : device;
}

}  // namespace

absl::Status CheckCompileOptions(const CompileOptions& options) {
  if (options.num_threads < 1 ||
      options.num_threads > ThreadPool::kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("number of threads: expected 1 to ",
                     ThreadPool::kMaxThreads, ", got ", options.num_threads));
  }
  switch (options.vector_bits) {
    case 0:
    case 128:
    case 256:
    case 512:
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "vector width: expected 0 (the machine's), 128, 256 or 512 bits, "
          "got ",
          options.vector_bits));
  }
}

std::vector<absl::Status> CheckSupport(const std::string& text,
                                       const std::string& filename,
                                       const CompileOptions& options) {
  Reasons reasons;
  reasons.Add(CheckTarget(options));
  reasons.Add(CheckCompileOptions(options));
  const size_t about_machine = reasons.size();
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = ParseModule(text, filename, &context);
  reasons.Add(module.status());
  if (!module.ok()) return reasons.Take();
  absl::StatusOr<mlir::func::FuncOp> entry = FindEntry(**module, options.entry);
  reasons.Add(entry.status());
  if (!entry.ok()) return reasons.Take();

  Boundary inputs = CheckBoundary(entry->getArgumentTypes(), *entry,
                                  /*is_result=*/false, &reasons);
  CheckBoundary(entry->getResultTypes(), *entry, /*is_result=*/true, &reasons);
  std::vector<std::string> shapes;
  for (const TensorSpec& spec : inputs.legal) {
    absl::StatusOr<std::vector<int64_t>> shape = ResolveShape(spec, options);
    reasons.Add(shape.status());
    if (shape.ok()) shapes.push_back(absl::StrJoin(*shape, "x"));
  }
  for (const auto& [name, shape] : options.shapes) {
    reasons.Add(CheckInputName(name, inputs.named));
  }
  if (reasons.size() == about_machine) {
    reasons.Add(Specialize(**module, *entry, std::move(shapes)));
  }
  if (reasons.size() == about_machine) {
    reasons.Add(CheckKernels(text, filename, options));
  }
  return reasons.Take();
}

}  // namespace gsa
