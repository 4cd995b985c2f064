// -----------------------------------------------------------------------------
// File: cache_testing.h
// -----------------------------------------------------------------------------
//
// Directories, entries and files for the tests of the program cache.

#ifndef GSA_TEST_UNIT_CACHE_CACHE_TESTING_H_
#define GSA_TEST_UNIT_CACHE_CACHE_TESTING_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/core/program_cache.h"
#include "runtime/core/sha256.h"

namespace gsa {

// A folder of mode 0700 that is removed at the end of a test.
class CacheFolder {
 public:
  CacheFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "gsa_cache_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~CacheFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all,
                                 ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string FileOf(const std::string& key) const {
    return absl::StrCat(path_, "/", key, ".gsa");
  }
  // The names in it.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(path_))
      names.push_back(file.path().filename().string());
    return names;
  }
  ProgramCacheOptions Options(CacheMode mode = CacheMode::kReadWrite) const {
    ProgramCacheOptions options;
    options.directory = path_;
    options.mode = mode;
    return options;
  }

 private:
  std::string path_;
};

inline std::string KeyFor(const std::string& text) {
  Sha256 hash;
  hash.Update(text);
  return hash.HexDigest();
}

// An entry whose payload tells its key.
inline ProgramEntry EntryFor(const std::string& text, size_t bytes = 200) {
  ProgramEntry entry;
  entry.key = KeyFor(text);
  entry.kind = "cubin";
  entry.fields = {{"name", text + ".cu"}, {"log", "ptxas info : \"x\"\n"}};
  while (entry.payload.size() < bytes)
    entry.payload += absl::StrCat("code of ", text, std::string(1, '\0'));
  return entry;
}

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

}  // namespace gsa

#endif  // GSA_TEST_UNIT_CACHE_CACHE_TESTING_H_
