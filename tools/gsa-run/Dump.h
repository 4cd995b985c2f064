//===- Dump.h - what each phase of a compilation made ----------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_DUMP_H
#define GSA_TOOLS_GSA_RUN_DUMP_H

#include <string>

#include "absl/status/status.h"
#include "runtime/plan.h"

namespace gsa {

/// Writes one numbered file per phase, "03-schedule.mlir", and the machine code
/// of a cubin as text beside it where a disassembler is installed.
class Dump {
 public:
  /// Makes the directory; empty: nothing is written.
  static absl::Status prepare(const std::string& directory);

  explicit Dump(std::string directory) : directory(std::move(directory)) {}

  absl::Status add(const PhaseInfo& phase);

 private:
  std::string directory;
  int count = 0;
};

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_DUMP_H
