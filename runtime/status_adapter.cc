// -----------------------------------------------------------------------------
// File: status_adapter.cc
// -----------------------------------------------------------------------------

#include "runtime/status_adapter.h"

#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

namespace gsa {
namespace {

const char* SeverityName(mlir::DiagnosticSeverity severity) {
  switch (severity) {
    case mlir::DiagnosticSeverity::Error:
      return "error";
    case mlir::DiagnosticSeverity::Warning:
      return "warning";
    case mlir::DiagnosticSeverity::Note:
      return "note";
    case mlir::DiagnosticSeverity::Remark:
      return "remark";
  }
  return "diagnostic";
}

void Append(const mlir::Diagnostic& diagnostic, std::string* text) {
  llvm::raw_string_ostream os(*text);
  if (!text->empty()) os << "\n";
  auto file = diagnostic.getLocation()->findInstanceOf<mlir::FileLineColLoc>();
  if (file)
    os << file.getFilename().getValue() << ":" << file.getLine() << ":"
       << file.getColumn() << ": ";
  os << SeverityName(diagnostic.getSeverity()) << ": " << diagnostic.str();
}

}  // namespace

DiagnosticCollector::DiagnosticCollector(mlir::MLIRContext* context)
    : handler_(context, [this](mlir::Diagnostic& diagnostic) {
        bool is_error =
            diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
        std::string* text = is_error ? &errors_ : &warnings_;
        Append(diagnostic, text);
        for (mlir::Diagnostic& note : diagnostic.getNotes()) Append(note, text);
      }) {}

absl::Status DiagnosticCollector::ToStatus(absl::StatusCode code,
                                           const std::string& what) const {
  if (errors_.empty())
    return absl::Status(code, what + " failed without a diagnostic");
  return absl::Status(code, what + ": " + errors_);
}

absl::Status ToStatus(llvm::Error error, absl::StatusCode code) {
  if (!error) return absl::OkStatus();
  return absl::Status(code, llvm::toString(std::move(error)));
}

}  // namespace gsa
