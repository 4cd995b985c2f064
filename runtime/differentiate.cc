// -----------------------------------------------------------------------------
// File: differentiate.cc
// -----------------------------------------------------------------------------

#include "runtime/differentiate.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/Pass/PassManager.h"
#include "passes/gsa/GradientPasses.h"
#include "runtime/compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

absl::StatusOr<mlir::gsa::SavedValues> ParseSave(const std::string& save) {
  if (save == "none") return mlir::gsa::SavedValues::None;
  if (save == "lists") return mlir::gsa::SavedValues::Lists;
  if (save == "attention") return mlir::gsa::SavedValues::Attention;
  if (save == "all") return mlir::gsa::SavedValues::All;
  return absl::InvalidArgumentError(
      absl::StrCat("differentiate: save: got '", save,
                   "', expected none, lists, attention or all"));
}

}  // namespace

absl::StatusOr<std::string> DifferentiateModule(
    const std::string& text, const std::string& filename,
    const DifferentiateOptions& options) {
  mlir::gsa::GsaDifferentiateOptions pass;
  GSA_ASSIGN_OR_RETURN(pass.save, ParseSave(options.save));
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  GSA_ASSIGN_OR_RETURN(mlir::OwningOpRef<mlir::ModuleOp> module,
                       ParseModule(text, filename, &context));
  GSA_ASSIGN_OR_RETURN(mlir::func::FuncOp function,
                       FindEntry(*module, options.function));
  pass.function = function.getName().str();
  pass.inputs.assign(options.inputs.begin(), options.inputs.end());
  pass.outputs.assign(options.outputs.begin(), options.outputs.end());
  DiagnosticCollector diagnostics(&context);
  mlir::PassManager manager(&context);
  manager.addPass(mlir::gsa::createGsaDifferentiate(pass));
  if (mlir::failed(manager.run(*module))) {
    absl::Status status = diagnostics.ToStatus(
        absl::StatusCode::kInvalidArgument, "differentiating");
    // What the pass says of an op that it cannot differentiate.
    if (!absl::StrContains(status.message(), "has no gradient: ") ||
        absl::StrContains(status.message(), "gsa-differentiate: ")) {
      return status;
    }
    return absl::UnimplementedError(status.message());
  }
  std::string result;
  llvm::raw_string_ostream os(result);
  module->print(os);
  return result;
}

}  // namespace gsa
