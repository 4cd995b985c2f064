//===- Dump.h - what each phase of a compilation made ----------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_DUMP_H
#define GSA_TOOLS_GSA_RUN_DUMP_H

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/plan.h"

namespace gsa {

/// Writes one numbered file per phase, "03-schedule.mlir", and the machine code
/// of a cubin as text beside it where a disassembler is installed.
class Dump {
 public:
  /// Makes the directory, or takes the files of an earlier dump out of one that
  /// exists: phases of two compilations under one numbering would be read as
  /// one. With an empty name nothing is written. InvalidArgument if the
  /// directory cannot be made or written to.
  static absl::StatusOr<Dump> create(const std::string& directory,
                                     const std::string& searchPath);

  absl::Status add(const PhaseInfo& phase);

 private:
  Dump(std::string directory, std::string searchPath)
      : directory(std::move(directory)), searchPath(std::move(searchPath)) {}

  std::string directory;
  std::string searchPath;  ///< Where disassemblers are searched, as PATH.
  int count = 0;
};

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_DUMP_H
