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
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace gsa {

class DynamicLibrary {
 public:
  // Opens `file`: a path, or a name for the dynamic loader's own search.
  // Unavailable is the loader's reason, which names the file.
  static absl::StatusOr<DynamicLibrary> Open(const std::string& file);

  // Opens the first of `candidates` that can be opened: a path, or a name for
  // the dynamic loader's own search. Unavailable says that `what` was not found
  // and, for each candidate, why.
  static absl::StatusOr<DynamicLibrary> OpenFirst(
      const std::string& what, absl::Span<const std::string> candidates);

  // The file of that name, without its folder, that the process has open; "" if
  // there is none. Nothing is searched.
  static std::string PathIfLoaded(const std::string& name);

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

  // Takes back Open, for a library of which no address is kept.
  void Close();

  // The file the loader opened.
  const std::string& path() const { return path_; }

 private:
  DynamicLibrary(void* handle, std::string path)
      : handle_(handle), path_(std::move(path)) {}

  void* handle_;
  std::string path_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_DYNAMIC_LIBRARY_H_
