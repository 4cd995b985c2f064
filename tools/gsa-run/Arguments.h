//===- Arguments.h - reads the command line of gsa-run ---------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_ARGUMENTS_H
#define GSA_TOOLS_GSA_RUN_ARGUMENTS_H

#include <optional>

#include "tools/gsa-run/Options.h"

namespace gsa {

/// Fills `options` from the command line. Returns nothing if the tool should
/// go on, and otherwise the exit code: --help or --version is printed, or what
/// is wrong, with the nearest option where one was misspelt.
std::optional<int> parseArguments(int argc, char** argv,
                                  RunnerOptions& options);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_ARGUMENTS_H
