// -----------------------------------------------------------------------------
// File: schedule_databases.h
// -----------------------------------------------------------------------------
//
// Measured schedules that a compilation asks. Internal.

#ifndef GSA_RUNTIME_SCHEDULE_DATABASES_H_
#define GSA_RUNTIME_SCHEDULE_DATABASES_H_

#include "absl/status/statusor.h"
#include "dialect/Target/CudaTarget.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/schedule/ScheduleChoice.h"
#include "runtime/plan.h"

namespace gsa {

// The databases that `options` name. InvalidArgument, with file and line, for
// one that is wrong or cannot be read.
absl::StatusOr<mlir::gsa::ScheduleDatabases> LoadScheduleDatabases(
    const CompileOptions& options, const mlir::gsa::CudaTarget& target,
    mlir::MLIRContext* context);

}  // namespace gsa

#endif  // GSA_RUNTIME_SCHEDULE_DATABASES_H_
