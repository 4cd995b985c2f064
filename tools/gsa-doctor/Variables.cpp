//===- Variables.cpp - the variables GSA_... of the environment -----------===//

#include "tools/gsa-doctor/Variables.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace gsa {

const std::vector<Variable>& knownVariables() {
  static constexpr char kTools[] = "the tools";
  static constexpr char kPython[] = "the Python package";
  static const std::vector<Variable> variables = {
      {"GSA_CACHE", kTools,
       "directory of compiled code, or its mode: off, ro, rw, only"},
      {"GSA_CACHE_DIR", kPython, "directory of compiled code"},
      {"GSA_EMU_CACHE", kTools, "directory of kernels compiled for the host"},
      {"GSA_LIBRARY", kPython, "path of libgsa"},
      {"GSA_NVRTC", kPython, "where NVRTC is"},
      {"GSA_PYTHON_PREFIX", kTools, "Python environments with NVIDIA's wheels"},
      {"GSA_SCHEDULES", kPython, "file of measured schedules"},
  };
  return variables;
}

std::vector<std::string> readVariableNames() {
  std::vector<std::string> names;
  for (char** entry = environ; entry && *entry; ++entry) {
    const absl::string_view text = *entry;
    if (absl::StartsWithIgnoreCase(text, "GSA_"))
      names.emplace_back(text.substr(0, text.find('=')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace gsa
