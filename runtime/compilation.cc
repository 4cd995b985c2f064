// -----------------------------------------------------------------------------
// File: compilation.cc
// -----------------------------------------------------------------------------

#include "runtime/compilation.h"

#include <utility>

#include "absl/strings/str_join.h"
#include "dialect/Gsa/GsaShapes.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/SizeClasses.h"
#include "runtime/core/status_macros.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

using Clock = std::chrono::steady_clock;

std::string PrintModule(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  // Values by their names, where they have any.
  module.print(os, mlir::OpPrintingFlags().printNameLocAsPrefix());
  return text;
}

// One string per argument for gsa-specialize-shapes, from shapes by name.
absl::StatusOr<std::vector<std::string>> ShapeStrings(
    const std::vector<TensorSpec>& inputs, const CompileOptions& options) {
  // A misspelt name is said before the input that lacks its shape by it.
  for (const auto* given : {&options.shapes, &options.bounds}) {
    for (const auto& [name, shape] : *given) {
      GSA_RETURN_IF_ERROR(CheckInputName(name, inputs));
    }
  }
  std::vector<std::string> strings;
  for (const TensorSpec& spec : inputs) {
    absl::StatusOr<std::vector<int64_t>> shape = ResolveShape(spec, options);
    if (!shape.ok()) return shape.status();
    std::vector<std::string> sizes;
    const bool bounded = options.bounds.count(spec.name) != 0;
    for (size_t i = 0; i < shape->size(); ++i) {
      sizes.push_back(
          absl::StrCat(bounded && spec.shape[i] < 0 ? "?" : "", (*shape)[i]));
    }
    strings.push_back(absl::StrJoin(sizes, "x"));
  }
  return strings;
}

}  // namespace

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

absl::StatusOr<std::unique_ptr<Compilation>> Compilation::Create(
    const std::string& text, const std::string& filename,
    const CompileOptions& options) {
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  std::unique_ptr<Compilation> made(new Compilation(registry, options));
  auto start = Clock::now();
  GSA_ASSIGN_OR_RETURN(made->module_,
                       ParseModule(text, filename, &made->context_));
  GSA_ASSIGN_OR_RETURN(mlir::func::FuncOp entry,
                       FindEntry(*made->module_, options.entry));
  made->entry_ = entry.getName().str();
  if (options.on_phase) {
    options.on_phase({"parse", MillisecondsSince(start),
                      [&] { return PrintModule(*made->module_); }, "mlir"});
  }
  if (options.stop_after == "parse") return made;
  // Other functions are helpers at most: with private visibility the first
  // phase inlines those that the entry calls and removes the rest.
  for (auto function : made->module_->getOps<mlir::func::FuncOp>()) {
    if (function != entry) function.setPrivate();
  }
  GSA_ASSIGN_OR_RETURN(std::vector<TensorSpec> declared, InputSpecs(entry));
  GSA_ASSIGN_OR_RETURN(made->shapes_, ShapeStrings(declared, options));
  return made;
}

absl::Status Compilation::RunPhase(const mlir::gsa::Phase& phase,
                                   absl::StatusCode code) {
  DiagnosticCollector diagnostics(&context_);
  auto start = Clock::now();
  mlir::PassManager manager(&context_);
  phase.addPasses(manager);
  if (mlir::failed(manager.run(*module_))) {
    return diagnostics.ToStatus(code, "compiling (phase " + phase.name + ")");
  }
  if (options_.on_phase) {
    options_.on_phase({phase.name, MillisecondsSince(start),
                       [&] { return PrintModule(*module_); }, "mlir"});
  }
  return absl::OkStatus();
}

absl::Status Compilation::NoteInterface(const std::string& phase) {
  absl::StatusOr<mlir::func::FuncOp> function = FindEntry(*module_, entry_);
  if (!function.ok()) return absl::OkStatus();  // Already in the LLVM dialect.
  if (phase == "specialize") {
    GSA_ASSIGN_OR_RETURN(result.inputs, InputSpecs(*function));
    GSA_ASSIGN_OR_RETURN(result.outputs, OutputSpecs(*function));
    GSA_RETURN_IF_ERROR(NoteSizeClasses(*function));
  }
  auto zones =
      (*function)->getAttrOfType<mlir::ArrayAttr>(mlir::gsa::kZonesAttr);
  if (!zones) return absl::OkStatus();
  result.zone_names.clear();
  for (mlir::Attribute name : zones) {
    result.zone_names.push_back(mlir::cast<mlir::StringAttr>(name).str());
  }
  return absl::OkStatus();
}

// In a plan for bounds: what runs are checked by, and the largest shapes.
absl::Status Compilation::NoteSizeClasses(mlir::func::FuncOp function) {
  if (!function->hasAttr(mlir::gsa::kBoundsAttr)) return absl::OkStatus();
  DiagnosticCollector diagnostics(&context_);
  mlir::FailureOr<mlir::gsa::SizeClasses> found =
      mlir::gsa::findSizeClasses(function);
  if (mlir::failed(found)) {
    return diagnostics.ToStatus(absl::StatusCode::kInvalidArgument,
                                "compiling (phase specialize)");
  }
  for (const mlir::gsa::SizeClass& size : found->classes) {
    result.size_classes.push_back({size.bound, size.isStatic, ""});
  }
  const auto note = [&](const std::vector<std::vector<int>>& classes,
                        std::vector<TensorSpec>* specs) {
    for (size_t i = 0; i < specs->size(); ++i) {
      TensorSpec& spec = (*specs)[i];
      for (size_t d = 0; d < spec.shape.size(); ++d) {
        SizeClassSpec& size = result.size_classes[classes[i][d]];
        spec.shape[d] = size.bound;
        if (!size.place.empty()) continue;
        size.place = absl::StrCat("dimension ", d, " of '", spec.name, "'");
      }
    }
  };
  note(found->inputs, &result.inputs);
  note(found->outputs, &result.outputs);
  result.input_classes = std::move(found->inputs);
  result.output_classes = std::move(found->outputs);
  return absl::OkStatus();
}

absl::StatusOr<bool> Compilation::Run(
    const std::vector<mlir::gsa::Phase>& phases, absl::StatusCode later) {
  for (const mlir::gsa::Phase& phase : phases) {
    const bool early = phase.name == "specialize" || phase.name == "gsa";
    GSA_RETURN_IF_ERROR(
        RunPhase(phase, early ? absl::StatusCode::kInvalidArgument : later));
    GSA_RETURN_IF_ERROR(NoteInterface(phase.name));
    if (phase.name == options_.stop_after) return true;
  }
  return false;
}

}  // namespace gsa
