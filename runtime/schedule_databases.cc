// -----------------------------------------------------------------------------
// File: schedule_databases.cc
// -----------------------------------------------------------------------------

#include "runtime/schedule_databases.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace gsa {

absl::StatusOr<mlir::gsa::ScheduleDatabases> LoadScheduleDatabases(
    const CompileOptions& options, const mlir::gsa::CudaTarget& target,
    mlir::MLIRContext* context) {
  std::string error;
  mlir::FailureOr<mlir::gsa::ScheduleDatabases> databases =
      mlir::gsa::ScheduleDatabases::load(options.schedule_database,
                                         options.shipped_schedules, target,
                                         context, error);
  if (mlir::failed(databases)) {
    return absl::InvalidArgumentError(
        absl::StrCat("database of schedules: ", error));
  }
  return *std::move(databases);
}

}  // namespace gsa
