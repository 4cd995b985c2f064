//===- ExitCode.h - what the exit code of a tool says ----------*- C++ -*-===//
//
// gsa-run, gsa-compile, gsa-explain and gsa-cache keep to these. gsa-opt,
// gsa-translate and gsa-reduce are drivers of MLIR and cannot tell why the part
// that is MLIR's failed: a module that is wrong and a pass that fails are both
// kExitFailure there. What they decide themselves (the command line, files,
// architectures, NVRTC) has these codes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_EXITCODE_H
#define GSA_TOOLS_COMMON_EXITCODE_H

#include "absl/status/status.h"

namespace gsa {

enum ExitCode {
  kExitOk = 0,
  kExitFailure = 1,      ///< A comparison failed, or compiling or running.
  kExitUsage = 2,        ///< The command line or an input file is wrong.
  kExitUnsupported = 3,  ///< Legal, but not available here.
  kExitDevice = 4,       ///< A device was asked for and is missing or failed.
};

/// Of a tool that ended with `status`.
int exitCodeOf(const absl::Status& status);

}  // namespace gsa

#endif  // GSA_TOOLS_COMMON_EXITCODE_H
