// -----------------------------------------------------------------------------
// File: dynamic_library.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/dynamic_library.h"

#include <dlfcn.h>
#include <link.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gsa {

namespace {

// The file behind a handle; `name` where the loader does not tell.
std::string PathOf(void* handle, const std::string& name) {
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0 && map &&
      map->l_name[0])
    return map->l_name;
  return name;
}

}  // namespace

absl::StatusOr<DynamicLibrary> DynamicLibrary::Open(const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    std::string text = reason ? reason : "unknown reason";
    // The loader names the file, but not in every message.
    if (!absl::StrContains(text, file)) text = absl::StrCat(file, ": ", text);
    return absl::UnavailableError(text);
  }
  return DynamicLibrary(handle, PathOf(handle, file));
}

std::string DynamicLibrary::PathIfLoaded(const std::string& name) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return "";
  std::string path = PathOf(handle, name);
  dlclose(handle);
  return path;
}

void DynamicLibrary::Close() {
  if (handle_ != nullptr) dlclose(handle_);
  handle_ = nullptr;
}

absl::StatusOr<DynamicLibrary> DynamicLibrary::OpenFirst(
    const std::string& what, absl::Span<const std::string> candidates) {
  std::string tried;
  for (const std::string& candidate : candidates) {
    absl::StatusOr<DynamicLibrary> library = Open(candidate);
    if (library.ok()) return library;
    absl::StrAppend(&tried, "\n  ", library.status().message());
  }
  if (candidates.empty()) tried = "\n  (no place to search)";
  return absl::UnavailableError(absl::StrCat(what, " not found; tried", tried));
}

absl::StatusOr<void*> DynamicLibrary::Symbol(const char* name) const {
  if (void* address = dlsym(handle_, name)) return address;
  return absl::NotFoundError(
      absl::StrCat(path_, " does not export ", name,
                   ": the library is too old or not the expected one"));
}

}  // namespace gsa
