// -----------------------------------------------------------------------------
// File: toolkit_search.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/toolkit_search.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;

constexpr const char* kToolkitFolders[] = {"lib64", "lib",
                                           "targets/x86_64-linux/lib"};

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// The names in a folder; none if it cannot be read.
std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  // The order of a directory is not defined.
  std::sort(names.begin(), names.end());
  return names;
}

// The site-packages folders of a Python environment.
std::vector<std::string> SiteFolders(const std::string& prefix) {
  std::vector<std::string> folders;
  if (IsFolder(fs::path(prefix) / "nvidia")) folders.push_back(prefix);
  for (const char* lib : {"lib", "lib64"}) {
    const fs::path root = fs::path(prefix) / lib;
    for (const std::string& python : NamesIn(root)) {
      if (!absl::StartsWith(python, "python3")) continue;
      for (const char* name : {"site-packages", "dist-packages"}) {
        const fs::path folder = root / python / name;
        if (IsFolder(folder)) folders.push_back(folder.string());
      }
    }
  }
  return folders;
}

// The roots of toolkits that are installed beside each other, newest first.
std::vector<std::string> VersionedToolkits(const std::string& parent) {
  std::vector<std::tuple<int, int, std::string>> found;
  for (const std::string& name : NamesIn(parent)) {
    absl::string_view version = name;
    if (!absl::ConsumePrefix(&version, "cuda-")) continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(version, '.');
    int major = 0, minor = 0;
    if (!absl::SimpleAtoi(parts[0], &major) || major < 12 || major > 13)
      continue;
    if (parts.size() > 1 && !absl::SimpleAtoi(parts[1], &minor)) continue;
    found.emplace_back(-major, -minor, absl::StrCat(parent, "/", name));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> roots;
  for (auto& [major, minor, path] : found) roots.push_back(std::move(path));
  return roots;
}

// A step of the search.
struct Place {
  std::string name;                // for messages
  std::vector<std::string> files;  // candidates
};

// Collects places; a file that an earlier place has is not tried again.
class Places {
 public:
  explicit Places(const ToolkitLibrary& library) : library_(library) {}

  void AddFile(const std::string& file) {
    places_.push_back({absl::StrCat("the library '", file, "'"), {file}});
  }
  void AddLoader() {
    places_.push_back({"the dynamic loader's path", library_.sonames});
  }
  void AddToolkit(const std::string& root) {
    Place place{absl::StrCat("the toolkit ", root), {}};
    for (const char* folder : kToolkitFolders)
      AddFiles(absl::StrCat(root, "/", folder), &place);
    places_.push_back(std::move(place));
  }
  void AddPython(const std::string& prefix) {
    Place place{absl::StrCat("the Python environment ", prefix), {}};
    AddWheels(prefix, &place);
    places_.push_back(std::move(place));
  }
  // A folder of which is not known what it is.
  void AddFolder(const std::string& folder) {
    Place place{absl::StrCat("the folder ", folder), {}};
    AddFiles(folder, &place);
    for (const char* name : kToolkitFolders)
      AddFiles(absl::StrCat(folder, "/", name), &place);
    AddWheels(folder, &place);
    places_.push_back(std::move(place));
  }

  const std::vector<Place>& get() const { return places_; }

 private:
  void AddFiles(const std::string& folder, Place* place) {
    for (const std::string& soname : library_.sonames) {
      std::string file = absl::StrCat(folder, "/", soname);
      if (std::find(seen_.begin(), seen_.end(), file) != seen_.end()) continue;
      seen_.push_back(file);
      place->files.push_back(std::move(file));
    }
  }
  void AddWheels(const std::string& prefix, Place* place) {
    for (const std::string& site : SiteFolders(prefix))
      for (const std::string& wheel : library_.wheel_folders)
        AddFiles(absl::StrCat(site, "/", wheel), place);
  }

  const ToolkitLibrary& library_;
  std::vector<Place> places_;
  std::vector<std::string> seen_;
};

std::vector<Place> PlacesOf(const ToolkitLibrary& library,
                            const ToolkitSearch& search) {
  Places places(library);
  if (!search.only.empty()) {
    if (IsFolder(search.only)) {
      places.AddFolder(search.only);
    } else {
      places.AddFile(search.only);
    }
    return places.get();
  }
  if (!search.first.empty()) places.AddFolder(search.first);
  if (!search.cuda_home.empty()) places.AddToolkit(search.cuda_home);
  for (const std::string& prefix : search.python_prefixes)
    places.AddPython(prefix);
  if (search.system) {
    places.AddLoader();
    places.AddToolkit("/usr/local/cuda");
    for (const std::string& root : VersionedToolkits("/usr/local"))
      places.AddToolkit(root);
    places.AddToolkit("/opt/cuda");
  }
  for (const std::string& prefix : search.last_prefixes)
    places.AddPython(prefix);
  return places.get();
}

// Opens a file that `accept` likes. NotFound: it is not there.
absl::StatusOr<DynamicLibrary> OpenAccepted(
    const std::string& file,
    const std::function<absl::Status(const DynamicLibrary&)>& accept) {
  std::error_code error;
  const bool is_path = absl::StrContains(file, '/');
  if (is_path && !fs::exists(file, error))
    return absl::NotFoundError(absl::StrCat(file, " does not exist"));
  absl::StatusOr<DynamicLibrary> library = DynamicLibrary::Open(file);
  if (!library.ok()) {
    // Of the file itself; the same is said of a library that it needs.
    const bool absent =
        !is_path && absl::StartsWith(library.status().message(),
                                     absl::StrCat(file, ": cannot open"));
    return absent ? absl::NotFoundError(library.status().message())
                  : library.status();
  }
  absl::Status accepted = accept(*library);
  if (accepted.ok()) return library;
  // Under the same name it would be found again by the loader's search.
  library->Close();
  return absl::UnavailableError(accepted.message());
}

}  // namespace

ToolkitSearch NotConfined(const ToolkitSearch& search) {
  ToolkitSearch result = search;
  result.only.clear();
  if (search.only.empty()) return result;
  result.first = IsFolder(search.only)
                     ? search.only
                     : fs::path(search.only).parent_path().string();
  return result;
}

std::string ToKey(const ToolkitSearch& search) {
  return absl::StrCat(search.only, "|", search.first, "|", search.cuda_home,
                      "|", absl::StrJoin(search.python_prefixes, ":"), "|",
                      absl::StrJoin(search.last_prefixes, ":"), "|",
                      search.system);
}

std::vector<std::string> ToolkitCandidates(const ToolkitLibrary& library,
                                           const ToolkitSearch& search) {
  std::vector<std::string> files;
  for (const Place& place : PlacesOf(library, search))
    files.insert(files.end(), place.files.begin(), place.files.end());
  return files;
}

absl::StatusOr<DynamicLibrary> OpenToolkitLibrary(
    const ToolkitLibrary& library, const ToolkitSearch& search,
    const std::function<absl::Status(const DynamicLibrary&)>& accept) {
  std::string searched;
  for (const Place& place : PlacesOf(library, search)) {
    std::vector<std::string> reasons;
    for (const std::string& file : place.files) {
      absl::StatusOr<DynamicLibrary> opened = OpenAccepted(file, accept);
      if (opened.ok()) return opened;
      if (!absl::IsNotFound(opened.status()))
        reasons.emplace_back(opened.status().message());
    }
    if (reasons.empty()) reasons.push_back("not there");
    absl::StrAppend(&searched, "\n  ", place.name, ": ",
                    absl::StrJoin(reasons, "; "));
  }
  if (searched.empty()) searched = "\n  (no place)";
  return absl::UnavailableError(absl::StrCat(
      library.name, " not found; searched for ",
      absl::StrJoin(library.sonames, " and "), " in", searched,
      "\nInstall the Python package ", library.wheel, " (pip install ",
      library.wheel,
      ") or a CUDA toolkit 12 or 13. The tools are told where it is by "
      "CUDA_HOME (a toolkit), GSA_PYTHON_PREFIX (a Python environment) or "
      "--nvrtc, the C API by gsa_compile_options.nvrtc."));
}

}  // namespace gsa
