// -----------------------------------------------------------------------------
// File: schedule_databases.h
// -----------------------------------------------------------------------------
//
// Measured schedules that a compilation asks. Internal.

#ifndef GSA_RUNTIME_SCHEDULE_DATABASES_H_
#define GSA_RUNTIME_SCHEDULE_DATABASES_H_

#include <string>

#include "absl/status/statusor.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/schedule/ScheduleChoice.h"
#include "runtime/plan.h"

namespace gsa {

// The databases that `options` name, for an architecture ("sm_90a", "cpu512").
// InvalidArgument, with file and line, for one that is wrong or cannot be read.
absl::StatusOr<mlir::gsa::ScheduleDatabases> LoadScheduleDatabases(
    const CompileOptions& options, const std::string& arch,
    mlir::MLIRContext* context);

// What code depends on beside the sources of the compiler: a digest of the
// user's file as it is now, and whether the program's own are asked.
// InvalidArgument if it cannot be read.
absl::StatusOr<std::string> ScheduleDatabasesDigest(
    const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_SCHEDULE_DATABASES_H_
