// -----------------------------------------------------------------------------
// File: compiler.h
// -----------------------------------------------------------------------------
//
// From the text of a gsa module to code that runs. Internal: users call
// Plan::Compile.

#ifndef GSA_RUNTIME_COMPILER_H_
#define GSA_RUNTIME_COMPILER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/executable.h"
#include "runtime/plan.h"
#include "runtime/plan_parts.h"
#include "runtime/target.h"

namespace gsa {

// A compiled entry function and what its callers must know.
struct CompiledModule : PlanInterface {
  KernelCounts kernel_counts;
  // Null if CompileOptions::stop_after ended the compilation before.
  std::unique_ptr<Executable> executable;
};

// Registers every dialect that modules and the pipelines use, and the printing
// of kernels.
void RegisterCompilerDialects(mlir::DialectRegistry& registry);

// Parses and verifies a user's module, and holds it to
// runtime/module_checks.h. InvalidArgument with located messages.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> ParseModule(
    const std::string& text, const std::string& filename,
    mlir::MLIRContext* context);

// The function `entry`, or the only public function if it is empty.
absl::StatusOr<mlir::func::FuncOp> FindEntry(mlir::ModuleOp module,
                                             const std::string& entry);

// Name of an argument or result: its attribute gsa.name, or "arg0" / "result0".
std::string BoundaryName(mlir::func::FuncOp entry, size_t index,
                         bool is_result);

// Spec of one argument or result; dynamic sizes are -1. InvalidArgument for a
// type that cannot cross the boundary.
absl::StatusOr<TensorSpec> BoundarySpec(mlir::Type type,
                                        const std::string& name);

// The shape of an input, or the largest: the one that `options` gives it, or
// its own.
absl::StatusOr<std::vector<int64_t>> ResolveShape(
    const TensorSpec& spec, const CompileOptions& options);

// InvalidArgument unless `name` is the name of an input.
absl::Status CheckInputName(const std::string& name,
                            const std::vector<TensorSpec>& inputs);

// Specs of a function's arguments and results; dynamic sizes are -1.
// InvalidArgument for types that cannot cross the boundary.
absl::StatusOr<std::vector<TensorSpec>> InputSpecs(mlir::func::FuncOp entry);
absl::StatusOr<std::vector<TensorSpec>> OutputSpecs(mlir::func::FuncOp entry);

// Threads that the CPU's code is made for: definitions know of none.
inline int ThreadsOf(const CompileOptions& options) {
  return options.reference ? 1 : options.num_threads;
}

absl::StatusOr<CompiledModule> CompileForCpu(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options);

// The same for a GPU or its emulation. Beside the phases of the compiler,
// CompileOptions::stop_after may name "program" (kernels are printed) and
// "code" (and compiled by NVRTC), which need no device.
absl::StatusOr<CompiledModule> CompileForDevice(const std::string& text,
                                                const std::string& filename,
                                                const Target& target,
                                                const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_COMPILER_H_
