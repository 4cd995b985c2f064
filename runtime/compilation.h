// -----------------------------------------------------------------------------
// File: compilation.h
// -----------------------------------------------------------------------------
//
// What the compilations for all targets share: parsing, shapes, phases.
// Internal.

#ifndef GSA_RUNTIME_COMPILATION_H_
#define GSA_RUNTIME_COMPILATION_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/Pipelines.h"
#include "runtime/compiler.h"
#include "runtime/plan.h"

namespace gsa {

// One module on its way through the phases of a target.
class Compilation {
 public:
  // Parses the module, finds its entry and resolves the shapes of its inputs;
  // the last not where CompileOptions::stop_after is "parse".
  static absl::StatusOr<std::unique_ptr<Compilation>> Create(
      const std::string& text, const std::string& filename,
      const CompileOptions& options);

  // Runs the phases in order, reports each, and notes the inputs, outputs and
  // zones of the entry. Returns true if CompileOptions::stop_after named one
  // of them, which was then the last to run. Errors in phase `specialize` and
  // `gsa` are InvalidArgument, in later ones of the code `later`.
  absl::StatusOr<bool> Run(const std::vector<mlir::gsa::Phase>& phases,
                           absl::StatusCode later);

  mlir::ModuleOp module() { return *module_; }
  mlir::MLIRContext* context() { return &context_; }
  const std::string& entry() const { return entry_; }
  // One string per argument for gsa-specialize-shapes.
  const std::vector<std::string>& shapes() const { return shapes_; }
  const CompileOptions& options() const { return options_; }

  // The compiled module but its code.
  CompiledModule result;

 private:
  Compilation(mlir::DialectRegistry& registry, const CompileOptions& options)
      // Compilation is short and callers bring their own threads.
      : context_(registry, mlir::MLIRContext::Threading::DISABLED),
        options_(options) {}
  absl::Status RunPhase(const mlir::gsa::Phase& phase, absl::StatusCode code);
  absl::Status NoteInterface(const std::string& phase);
  absl::Status NoteSizeClasses(mlir::func::FuncOp function);

  mlir::MLIRContext context_;
  const CompileOptions options_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::string entry_;
  std::vector<std::string> shapes_;
};

double MillisecondsSince(std::chrono::steady_clock::time_point start);

}  // namespace gsa

#endif  // GSA_RUNTIME_COMPILATION_H_
