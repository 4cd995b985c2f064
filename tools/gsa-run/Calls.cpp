//===- Calls.cpp - calls that stand in the way of shapes ------------------===//

#include "tools/gsa-run/Calls.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "runtime/compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

bool hasFreeSizes(mlir::func::CallOp call) {
  return llvm::any_of(call.getResultTypes(), [](mlir::Type type) {
    auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
    return tensor && !tensor.hasStaticShape();
  });
}

}  // namespace

absl::Status explainCalls(const std::string& text, const RunnerOptions& options,
                          const std::string& entry,
                          const absl::Status& status) {
  if (status.ok() || status.code() != absl::StatusCode::kInvalidArgument)
    return status;
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = ParseModule(text, options.modulePath, &context);
  if (!module.ok()) return status;
  // What is left after this is what the compiler could not inline, either.
  DiagnosticCollector diagnostics(&context);
  mlir::PassManager manager(&context);
  manager.addPass(mlir::createInlinerPass());
  if (mlir::failed(manager.run(**module))) return status;
  auto function = FindEntry(**module, entry);
  if (!function.ok()) return status;
  bool found = false;
  function->walk([&](mlir::func::CallOp call) {
    if (!hasFreeSizes(call)) return mlir::WalkResult::advance();
    mlir::emitError(call.getLoc())
        << "the call of @" << call.getCallee()
        << " cannot be inlined, and its results have free sizes: sizes are "
           "not known across calls; write the ops of @"
        << call.getCallee() << " in its place, or give its types sizes";
    found = true;
    return mlir::WalkResult::interrupt();
  });
  return found ? diagnostics.ToStatus(absl::StatusCode::kUnimplemented,
                                      "compiling")
               : status;
}

}  // namespace gsa
