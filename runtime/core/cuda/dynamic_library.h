// -----------------------------------------------------------------------------
// File: dynamic_library.h
// -----------------------------------------------------------------------------
//
// Shared libraries that are opened while the program runs. Libraries stay open
// until the process ends: CUDA's own threads and exit handlers may still be
// inside them.

#ifndef GSA_RUNTIME_CORE_CUDA_DYNAMIC_LIBRARY_H_
#define GSA_RUNTIME_CORE_CUDA_DYNAMIC_LIBRARY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace gsa {

class DynamicLibrary {
 public:
  // Opens the first of `candidates` that can be opened: a path, or a name for
  // the dynamic loader's own search. Unavailable says that `what` was not found
  // and, for each candidate, why.
  static absl::StatusOr<DynamicLibrary> OpenFirst(
      const std::string& what, absl::Span<const std::string> candidates);

  // The address of an exported function. NotFound names it and the library.
  absl::StatusOr<void*> Symbol(const char* name) const;

  // The same for a pointer to a function.
  template <typename F>
  absl::Status Resolve(const char* name, F** function) const {
    absl::StatusOr<void*> address = Symbol(name);
    if (!address.ok()) return address.status();
    *function = reinterpret_cast<F*>(*address);
    return absl::OkStatus();
  }

  // The file the loader opened.
  const std::string& path() const { return path_; }

 private:
  DynamicLibrary(void* handle, std::string path)
      : handle_(handle), path_(std::move(path)) {}

  void* handle_;
  std::string path_;
};

// Where the libraries of a CUDA toolkit or of its Python wheels may lie.
struct ToolkitSearch {
  // Only this file; nothing else is searched.
  std::string library_path;
  // The root of a toolkit, searched before the standard places.
  std::string cuda_home;
  // Python installations or virtual environments (the folder above lib/), or
  // site-packages folders, whose nvidia-* wheels are searched last.
  std::vector<std::string> python_prefixes;
};

// Candidates for `soname` ("libnvrtc.so.13") in that order: cuda_home, the
// standard place /usr/local/cuda, the loader's search, then the wheels, each
// for all of `sonames` before the next place. `wheel_folders` are those within
// site-packages ("nvidia/cu13/lib").
std::vector<std::string> ToolkitCandidates(
    const ToolkitSearch& search, absl::Span<const std::string> sonames,
    absl::Span<const std::string> wheel_folders);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_DYNAMIC_LIBRARY_H_
