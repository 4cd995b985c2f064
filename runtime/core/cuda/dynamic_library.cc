// -----------------------------------------------------------------------------
// File: dynamic_library.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/dynamic_library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;

// The site-packages folders of a Python installation, or `prefix` itself where
// it is one. Sorted: the order of a directory is not defined.
std::vector<std::string> SiteFolders(const std::string& prefix) {
  std::error_code error;
  std::vector<std::string> folders;
  if (fs::is_directory(fs::path(prefix) / "nvidia", error))
    folders.push_back(prefix);
  for (const char* lib : {"lib", "lib64"}) {
    const fs::path root = fs::path(prefix) / lib;
    std::vector<std::string> found;
    for (fs::directory_iterator it(root, error), end; !error && it != end;
         it.increment(error)) {
      if (it->path().filename().string().rfind("python3", 0) != 0) continue;
      for (const char* name : {"site-packages", "dist-packages"})
        if (std::error_code ignored;
            fs::is_directory(it->path() / name, ignored))
          found.push_back((it->path() / name).string());
    }
    std::sort(found.begin(), found.end());
    folders.insert(folders.end(), found.begin(), found.end());
  }
  return folders;
}

}  // namespace

absl::StatusOr<DynamicLibrary> DynamicLibrary::OpenFirst(
    const std::string& what, absl::Span<const std::string> candidates) {
  std::string tried;
  for (const std::string& candidate : candidates) {
    if (void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      std::string path = candidate;
      link_map* map = nullptr;
      if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name[0])
        path = map->l_name;
      return DynamicLibrary(handle, std::move(path));
    }
    const char* reason = dlerror();
    absl::StrAppend(&tried, "\n  ", candidate, ": ",
                    reason ? reason : "unknown reason");
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

std::vector<std::string> ToolkitCandidates(
    const ToolkitSearch& search, absl::Span<const std::string> sonames,
    absl::Span<const std::string> wheel_folders) {
  if (!search.library_path.empty()) return {search.library_path};
  std::vector<std::string> folders;
  const auto add_toolkit = [&](const std::string& home) {
    for (const char* lib : {"lib64", "lib", "targets/x86_64-linux/lib"})
      folders.push_back(absl::StrCat(home, "/", lib));
  };
  if (!search.cuda_home.empty()) add_toolkit(search.cuda_home);
  add_toolkit("/usr/local/cuda");
  folders.push_back("");  // the loader's search
  for (const std::string& prefix : search.python_prefixes)
    for (const std::string& site : SiteFolders(prefix))
      for (const std::string& wheel : wheel_folders)
        folders.push_back(absl::StrCat(site, "/", wheel));

  std::vector<std::string> candidates;
  for (const std::string& folder : folders) {
    for (const std::string& soname : sonames) {
      const std::string path =
          folder.empty() ? soname : absl::StrCat(folder, "/", soname);
      if (std::find(candidates.begin(), candidates.end(), path) ==
          candidates.end())
        candidates.push_back(path);
    }
  }
  return candidates;
}

}  // namespace gsa
