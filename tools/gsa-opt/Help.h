//===- Help.h - what gsa-opt --help prints ---------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_OPT_HELP_H
#define GSA_TOOLS_GSA_OPT_HELP_H

#include <string>

namespace gsa {

/// The pipelines and passes that are registered by now, by what they work on,
/// each with its summary. Only where the process then ends: their names are
/// options of llvm::cl afterwards.
std::string describeRegisteredPasses();

/// What stands around them.
extern const char kHelpHead[];
extern const char kHelpTail[];

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_OPT_HELP_H
