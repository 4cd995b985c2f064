//===- ToolkitEnvironment.h - where the user says CUDA is ------*- C++ -*-===//
//
// The libraries read no environment; the tools do, in one way:
//
//   CUDA_HOME, CUDA_PATH     the root of a toolkit; the first that is set
//   GSA_PYTHON_PREFIX        Python environments with NVIDIA's wheels, by their
//   VIRTUAL_ENV              prefix or their site-packages folder; GSA_... may
//   CONDA_PREFIX             be a list with colons
//   PATH                     the environment of its first python3, and
//   PYTHONUSERBASE, HOME     the user's own packages, as last resort
//
// runtime/core/cuda/toolkit_search.h has the order. Python itself does not run;
// one whose prefix cannot be told from its path (a shim of a version manager)
// is named by GSA_PYTHON_PREFIX=$(python3 -c 'import sys; print(sys.prefix)').
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_TOOLKITENVIRONMENT_H
#define GSA_TOOLS_COMMON_TOOLKITENVIRONMENT_H

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "runtime/core/cuda/toolkit_search.h"

/// For the end of --help.
inline constexpr char kToolkitEnvironmentHelp[] =
    "NVRTC and cuBLASLt are searched in this order: CUDA_HOME or CUDA_PATH (a "
    "toolkit); GSA_PYTHON_PREFIX, VIRTUAL_ENV, CONDA_PREFIX (Python "
    "environments with the wheels nvidia-cuda-nvrtc and nvidia-cublas); the "
    "dynamic loader's path; /usr/local/cuda*, /opt/cuda; the environment of "
    "python3 on PATH and the user's own Python packages.\n";

/// The value of an environment variable; "" if it is not set.
inline std::string getEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// The parts of a list with colons that are not empty.
inline std::vector<std::string> splitPathList(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = list.find(':', begin);
    if (end == std::string::npos) end = list.size();
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// The prefixes of the Python that a shell starts and of the user's packages.
inline std::vector<std::string> getPythonPrefixesOnPath() {
  namespace fs = std::filesystem;
  std::vector<std::string> prefixes;
  for (const std::string& folder : splitPathList(getEnvironment("PATH"))) {
    std::error_code error;
    if (!fs::exists(fs::path(folder) / "python3", error)) continue;
    fs::path prefix = fs::path(folder).parent_path();
    if (prefix == "/") prefix = "/usr";  // /bin is /usr/bin
    // Where the system's pip installs for everybody.
    if (prefix == "/usr") prefixes.push_back("/usr/local");
    prefixes.push_back(prefix.string());
    break;
  }
  if (std::string base = getEnvironment("PYTHONUSERBASE"); !base.empty())
    prefixes.push_back(base);
  else if (std::string home = getEnvironment("HOME"); !home.empty())
    prefixes.push_back(home + "/.local");
  return prefixes;
}

/// What the environment says of where the libraries of CUDA are.
inline gsa::ToolkitSearch getToolkitSearchFromEnvironment() {
  gsa::ToolkitSearch search;
  search.cuda_home = getEnvironment("CUDA_HOME");
  if (search.cuda_home.empty()) search.cuda_home = getEnvironment("CUDA_PATH");
  search.python_prefixes = splitPathList(getEnvironment("GSA_PYTHON_PREFIX"));
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (std::string prefix = getEnvironment(name); !prefix.empty())
      search.python_prefixes.push_back(prefix);
  search.last_prefixes = getPythonPrefixesOnPath();
  return search;
}

#endif  // GSA_TOOLS_COMMON_TOOLKITENVIRONMENT_H
