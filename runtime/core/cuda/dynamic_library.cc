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

absl::StatusOr<DynamicLibrary> DynamicLibrary::Open(const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    std::string text = reason ? reason : "unknown reason";
    // The loader names the file, but not in every message.
    if (!absl::StrContains(text, file)) text = absl::StrCat(file, ": ", text);
    return absl::UnavailableError(text);
  }
  std::string path = file;
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0 && map &&
      map->l_name[0])
    path = map->l_name;
  return DynamicLibrary(handle, std::move(path));
}

std::string DynamicLibrary::PathIfLoaded(const std::string& name) {
  struct Search {
    const std::string& name;
    std::string path;
  } search{name, ""};
  // The loader, asked with RTLD_NOLOAD, would first look through its path.
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto* search = static_cast<Search*>(data);
        const absl::string_view path = info->dlpi_name;
        if (path.substr(path.rfind('/') + 1) != search->name) return 0;
        search->path = std::string(path);
        return 1;
      },
      &search);
  return search.path;
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
