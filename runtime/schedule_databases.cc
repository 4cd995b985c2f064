// -----------------------------------------------------------------------------
// File: schedule_databases.cc
// -----------------------------------------------------------------------------

#include "runtime/schedule_databases.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/Support/MemoryBuffer.h"
#include "runtime/core/sha256.h"

namespace gsa {

absl::StatusOr<mlir::gsa::ScheduleDatabases> LoadScheduleDatabases(
    const CompileOptions& options, const std::string& arch,
    mlir::MLIRContext* context) {
  std::string error;
  mlir::FailureOr<mlir::gsa::ScheduleDatabases> databases =
      mlir::gsa::ScheduleDatabases::load(options.schedule_database,
                                         options.shipped_schedules, arch,
                                         context, error);
  if (mlir::failed(databases)) {
    return absl::InvalidArgumentError(
        absl::StrCat("database of schedules: ", error));
  }
  return *std::move(databases);
}

absl::StatusOr<std::string> ScheduleDatabasesDigest(
    const CompileOptions& options) {
  std::string digest = options.shipped_schedules ? "shipped" : "none";
  if (options.schedule_database.empty()) return digest;
  const auto file =
      llvm::MemoryBuffer::getFile(options.schedule_database, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("database of schedules: ", options.schedule_database, ": ",
                     file.getError().message()));
  }
  Sha256 hash;
  hash.Update({(*file)->getBufferStart(), (*file)->getBufferSize()});
  return absl::StrCat(digest, " ", hash.HexDigest());
}

}  // namespace gsa
