//===- Comparison.cpp - a run against the float64 reference ---------------===//

#include "tools/gsa-run/Comparison.h"

#include "llvm/Support/raw_ostream.h"
#include "runtime/compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/thread_pool.h"
#include "runtime/status_adapter.h"
#include "tools/gsa-run/Statistics.h"
#include "tools/reference-interpreter/Report.h"

namespace gsa {
namespace {

using mlir::gsa::RuntimeValue;

/// The values of a tensor as the interpreter holds them: floats as doubles,
/// i32 as int32, i64 as int64.
absl::StatusOr<RuntimeValue> toRuntimeValue(const HostTensor& tensor) {
  if (tensor.dtype() == DType::kI32) {
    absl::Span<const int32_t> values = tensor.values<int32_t>();
    return RuntimeValue(RuntimeValue::Ints(
        tensor.shape(), std::vector<int32_t>(values.begin(), values.end())));
  }
  if (tensor.dtype() == DType::kI64) {
    absl::Span<const int64_t> values = tensor.values<int64_t>();
    return RuntimeValue(RuntimeValue::Longs(
        tensor.shape(), std::vector<int64_t>(values.begin(), values.end())));
  }
  GSA_ASSIGN_OR_RETURN(HostTensor wide, tensor.ConvertTo(DType::kF64));
  absl::Span<const double> values = wide.values<double>();
  return RuntimeValue(RuntimeValue::Floats(
      tensor.shape(), std::vector<double>(values.begin(), values.end())));
}

absl::StatusOr<llvm::SmallVector<RuntimeValue>> toRuntimeValues(
    const std::vector<HostTensor>& tensors) {
  llvm::SmallVector<RuntimeValue> values;
  for (const HostTensor& tensor : tensors) {
    GSA_ASSIGN_OR_RETURN(RuntimeValue value, toRuntimeValue(tensor));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

absl::Status compareWithReference(const std::string& text,
                                  const RunnerOptions& options,
                                  const std::string& entry,
                                  const std::vector<HostTensor>& inputs,
                                  const std::vector<HostTensor>& outputs,
                                  const std::function<void(int64_t)>& progress,
                                  RunReport* report) {
  mlir::DialectRegistry registry;
  RegisterCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  GSA_ASSIGN_OR_RETURN(mlir::OwningOpRef<mlir::ModuleOp> module,
                       ParseModule(text, options.modulePath, &context));
  GSA_ASSIGN_OR_RETURN(mlir::func::FuncOp function, FindEntry(*module, entry));
  GSA_ASSIGN_OR_RETURN(llvm::SmallVector<RuntimeValue> given,
                       toRuntimeValues(inputs));
  GSA_ASSIGN_OR_RETURN(llvm::SmallVector<RuntimeValue> tested,
                       toRuntimeValues(outputs));

  mlir::gsa::ComparisonOptions comparison;
  comparison.numThreads =
      options.threads > 0 ? options.threads : AvailableCpus();
  comparison.tolerance = options.tolerance;
  comparison.progress = [&](int64_t done, int64_t total) {
    if (total > 0) progress(100 * done / total);
  };
  DiagnosticCollector diagnostics(&context);
  mlir::FailureOr<mlir::gsa::ComparisonReport> result =
      mlir::gsa::compareToReference(function, given, tested, comparison);
  if (mlir::failed(result))
    return diagnostics.ToStatus(absl::StatusCode::kUnimplemented,
                                "float64 reference");
  progress(100);
  addStatistics(result->statistics, report);
  report->comparison = toNlohmann(result->comparisonJson());
  report->comparisonText = result->comparisonText();
  report->comparisonPassed = result->passed();
  return absl::OkStatus();
}

}  // namespace gsa
