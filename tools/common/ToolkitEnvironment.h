//===- ToolkitEnvironment.h - where the user says CUDA is ------*- C++ -*-===//
//
// The libraries read no environment; the tools do, in one way.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_TOOLKITENVIRONMENT_H
#define GSA_TOOLS_COMMON_TOOLKITENVIRONMENT_H

#include <cstdlib>

#include "runtime/core/cuda/dynamic_library.h"

/// CUDA_HOME or CUDA_PATH: the root of a toolkit. GSA_PYTHON_PREFIX and
/// VIRTUAL_ENV: Python installations that may hold NVIDIA's wheels.
inline gsa::ToolkitSearch getToolkitSearchFromEnvironment() {
  gsa::ToolkitSearch search;
  auto read = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  search.cuda_home = read("CUDA_HOME");
  if (search.cuda_home.empty()) search.cuda_home = read("CUDA_PATH");
  for (const char* name : {"GSA_PYTHON_PREFIX", "VIRTUAL_ENV"})
    if (std::string prefix = read(name); !prefix.empty())
      search.python_prefixes.push_back(prefix);
  return search;
}

#endif  // GSA_TOOLS_COMMON_TOOLKITENVIRONMENT_H
