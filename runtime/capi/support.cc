// -----------------------------------------------------------------------------
// File: support.cc
// -----------------------------------------------------------------------------

#include "runtime/capi/support.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "dialect/Text/ModuleText.h"
#include "runtime/compiler.h"
#include "runtime/device_kernels.h"
#include "runtime/option_errors.h"

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

// What is wrong with the module's text, its entry, the types at its boundary
// and the shapes of its inputs.
void CheckModule(const std::string& text, const std::string& filename,
                 const CompileOptions& options, Reasons* reasons) {
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = ParseModule(text, filename, &context);
  reasons->Add(module.status());
  if (!module.ok()) return;
  absl::StatusOr<mlir::func::FuncOp> entry = FindEntry(**module, options.entry);
  reasons->Add(entry.status());
  if (!entry.ok()) return;
  Boundary inputs = CheckBoundary(entry->getArgumentTypes(), *entry,
                                  /*is_result=*/false, reasons);
  CheckBoundary(entry->getResultTypes(), *entry, /*is_result=*/true, reasons);
  for (const auto* given : {&options.shapes, &options.bounds}) {
    for (const auto& [name, shape] : *given) {
      reasons->Add(CheckInputName(name, inputs.named));
    }
  }
  for (const TensorSpec& spec : inputs.legal) {
    reasons->Add(ResolveShape(spec, options).status());
  }
}

// What this machine lacks for the target.
void CheckMachine(const Target& target, const CompileOptions& options,
                  Reasons* reasons) {
  if (target.kind != TargetKind::kCuda) return;
  reasons->Add(CheckDevice(target, options.arch));
  reasons->Add(KernelCacheFor(options).status());
}

// The passes of the compiler, which say the rest: everything that Plan::Compile
// does but code.
absl::Status CheckPasses(const std::string& text, const std::string& filename,
                         const Target& target, CompileOptions options) {
  if (target.kind == TargetKind::kCuda && options.arch.empty() &&
      !DeviceArch(target.ordinal).ok()) {
    return absl::OkStatus();  // CheckMachine has said why.
  }
  options.stop_after = target.kind == TargetKind::kCpu ? "llvm" : "program";
  options.on_phase = nullptr;
  return CompileToPhase(text, filename, options);
}

}  // namespace

uint64_t MaxModuleBytes() { return mlir::gsa::ModuleTextLimits().bytes; }

std::vector<absl::Status> CheckSupport(const std::string& text,
                                       const std::string& filename,
                                       const CompileOptions& options) {
  Reasons reasons;
  absl::StatusOr<Target> target = ResolveTarget(options);
  CompileOptions judged = options;
  const bool target_known = target.ok();
  if (!target_known) {
    // The module is judged all the same, as one for the CPU.
    reasons.Add(target.status());
    target = Target();
    judged.target = "cpu";
    judged.arch.clear();
    judged.toolkit = {};
  }
  for (absl::Status& error : OptionErrors(*target, judged)) {
    reasons.Add(std::move(error));
  }
  CheckModule(text, filename, judged, &reasons);
  const bool sound = reasons.size() == (target_known ? 0u : 1u);
  CheckMachine(*target, judged, &reasons);
  if (sound) reasons.Add(CheckPasses(text, filename, *target, judged));
  return reasons.Take();
}

}  // namespace gsa
