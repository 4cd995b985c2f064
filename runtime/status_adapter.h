// -----------------------------------------------------------------------------
// File: status_adapter.h
// -----------------------------------------------------------------------------
//
// The one place where MLIR diagnostics become absl::Status.

#ifndef GSA_RUNTIME_STATUS_ADAPTER_H_
#define GSA_RUNTIME_STATUS_ADAPTER_H_

#include <string>

#include "absl/status/status.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/Diagnostics.h"

namespace gsa {

// Collects the diagnostics of a context while it lives, instead of printing
// them. Errors and their notes become the message of the status, one line each:
// "layer.mlir:12:8: error: 'gsa.topk' op (C2) ...". Warnings and remarks are
// kept apart.
//
//   DiagnosticCollector diagnostics(&context);
//   if (failed(pass_manager.run(module)))
//     return diagnostics.ToStatus(absl::StatusCode::kInternal, "lowering");
class DiagnosticCollector {
 public:
  explicit DiagnosticCollector(mlir::MLIRContext* context);

  // A status of `code` whose message is "<what>: " and the errors so far, or
  // "<what> failed without a diagnostic".
  absl::Status ToStatus(absl::StatusCode code, const std::string& what) const;

  const std::string& errors() const { return errors_; }
  const std::string& warnings() const { return warnings_; }

 private:
  std::string errors_;
  std::string warnings_;
  mlir::ScopedDiagnosticHandler handler_;
};

// Consumes `error`; OK if there is none.
absl::Status ToStatus(llvm::Error error, absl::StatusCode code);

}  // namespace gsa

#endif  // GSA_RUNTIME_STATUS_ADAPTER_H_
