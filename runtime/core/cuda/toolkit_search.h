// -----------------------------------------------------------------------------
// File: toolkit_search.h
// -----------------------------------------------------------------------------
//
// Where the libraries of CUDA are searched that this project opens at run time:
// NVRTC and cuBLASLt, of a CUDA toolkit or of NVIDIA's Python wheels. The
// order, the same for both:
//
//   1. `only`: nothing else is searched then
//   2. `first`
//   3. `cuda_home`
//   4. `python_prefixes`, one after the other
//   5. the dynamic loader: what is in the process already, LD_LIBRARY_PATH, the
//      system's folders
//   6. /usr/local/cuda, /usr/local/cuda-13* and -12* (newest first), /opt/cuda
//   7. `last_prefixes`, one after the other
//
// In each place version 13 comes before version 12. A library that cannot be
// opened, lacks a function or lacks what it needs itself does not end the
// search; if no place has a usable one, the error lists every place with what
// was wrong there.
//
// No environment variable is read here. tools/common/ToolkitEnvironment.h says
// what the tools take from theirs.

#ifndef GSA_RUNTIME_CORE_CUDA_TOOLKIT_SEARCH_H_
#define GSA_RUNTIME_CORE_CUDA_TOOLKIT_SEARCH_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/dynamic_library.h"

namespace gsa {

// Python environments below are given by their prefix (the folder above lib/)
// or by their site-packages folder; they are looked at, Python does not run.
struct ToolkitSearch {
  // A library, or a folder: the root of a toolkit or of a Python environment,
  // or the folder in which the library lies.
  std::string only;
  // Such a folder.
  std::string first;
  // The root of a toolkit.
  std::string cuda_home;
  // Environments that the user has activated or named.
  std::vector<std::string> python_prefixes;
  // Environments that merely exist.
  std::vector<std::string> last_prefixes;
  // Steps 5 and 6; false for tests.
  bool system = true;
};

// The search for a library that belongs to the same installation as one that
// `search` finds, but need not: what `search` is confined to comes first.
ToolkitSearch NotConfined(const ToolkitSearch& search);

// A text that differs between searches that may find different libraries.
std::string ToKey(const ToolkitSearch& search);

// A library that is searched.
struct ToolkitLibrary {
  std::string name;                        // "NVRTC"
  std::vector<std::string> sonames;        // "libnvrtc.so.13", newest first
  std::vector<std::string> wheel_folders;  // in site-packages, newest first
  std::string wheel;                       // "nvidia-cuda-nvrtc"
};

// The files that are tried, in order. A name without a folder stands for the
// loader's search.
std::vector<std::string> ToolkitCandidates(const ToolkitLibrary& library,
                                           const ToolkitSearch& search);

// Opens the first candidate that can be opened and that `accept` returns OK
// for. Unavailable says where it was searched and how to install it.
absl::StatusOr<DynamicLibrary> OpenToolkitLibrary(
    const ToolkitLibrary& library, const ToolkitSearch& search,
    const std::function<absl::Status(const DynamicLibrary&)>& accept);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_TOOLKIT_SEARCH_H_
