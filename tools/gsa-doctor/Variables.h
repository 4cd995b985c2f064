//===- Variables.h - the variables GSA_... of the environment --*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_DOCTOR_VARIABLES_H
#define GSA_TOOLS_GSA_DOCTOR_VARIABLES_H

#include <string>
#include <vector>

namespace gsa {

struct Variable {
  const char* name;
  const char* reader;   ///< "the tools" or "the Python package".
  const char* meaning;  ///< What is in it.
};

/// All that is read, in the order of the table in docs/guides/tools.md, which
/// says the same.
const std::vector<Variable>& knownVariables();

/// The names GSA_... that are set, in alphabetical order.
std::vector<std::string> readVariableNames();

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_DOCTOR_VARIABLES_H
