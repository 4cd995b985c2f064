// -----------------------------------------------------------------------------
// File: host_compiler.h
// -----------------------------------------------------------------------------
//
// Compiles emulations with the C++ compiler of the machine and keeps the
// results: in a directory of this process, or in one that outlives it.

#ifndef GSA_RUNTIME_EMU_HOST_COMPILER_H_
#define GSA_RUNTIME_EMU_HOST_COMPILER_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/core/temporary_files.h"
#include "runtime/emu/host_places.h"

namespace gsa {

struct HostCompilerOptions {
  // A C++20 compiler, GCC 12 or Clang 16 and later: a path, or a name in
  // HostPlaces::search_path.
  // Empty: the first found of clang++-22, clang++, g++, c++.
  std::string compiler = {};
  bool thread_sanitizer = false;
  // Effort of the optimiser, from 0; 2 at most, and 1 beside ThreadSanitizer.
  int opt_level = 2;
  // Compiles in the seeded faults of tests.
  bool faults = false;
};

class HostCompiler {
 public:
  // Keeps programs in `places.directory`; without one, in a new directory that
  // is removed with this object.
  //   FailedPrecondition  a header in the directory is not as it was written
  //   Internal            the directory cannot be written
  static absl::StatusOr<std::unique_ptr<HostCompiler>> Create(
      const HostPlaces& places);
  // One for the process and these places, made at the first call that names
  // them. Thread safe; errors as above.
  static absl::StatusOr<HostCompiler*> Shared(const HostPlaces& places);

  // The path of the program compiled from `source`. At most one compilation
  // per source and options, also under concurrency. Thread safe.
  //   Unavailable no compiler
  //   Internal    the compiler fails; with what it says
  absl::StatusOr<std::string> Compile(const std::string& source,
                                      const HostCompilerOptions& options);

  // A new directory for the files of a run.
  absl::StatusOr<TemporaryPath> MakeRunDirectory();

  // Calls of the compiler so far.
  int64_t compilations() const;

 private:
  struct Entry {
    bool ready = false;
    absl::StatusOr<std::string> program = std::string();
  };

  HostCompiler(const HostPlaces& places, TemporaryPath temporary)
      : temporary_(std::move(temporary)),
        directory_(temporary_.empty() ? places.directory : temporary_.path()),
        search_path_(places.search_path) {}
  absl::StatusOr<std::string> CompileNow(const std::string& key,
                                         const std::string& source,
                                         const std::string& compiler,
                                         const HostCompilerOptions& options);
  absl::Status WriteHeaders();

  const TemporaryPath temporary_;  // empty if the directory stays
  const std::string directory_;
  const std::string search_path_;
  std::string include_;  // where the headers are
  mutable std::mutex mutex_;
  std::condition_variable done_;
  std::map<std::string, Entry> entries_;
  int64_t compilations_ = 0;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_HOST_COMPILER_H_
