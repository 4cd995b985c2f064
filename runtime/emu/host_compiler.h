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

namespace gsa {

struct HostCompilerOptions {
  // A C++20 compiler, GCC 12 or Clang 16 and later: a path or a name on PATH.
  // Empty: the first found of clang++-22, clang++, g++, c++.
  std::string compiler;
  bool thread_sanitizer = false;
  // Compiles in the seeded faults of tests.
  bool faults = false;
};

class HostCompiler {
 public:
  // Keeps programs in `directory`, which is made if it is missing and which
  // processes may share; empty: in a new directory under $TMPDIR that is
  // removed with this object.
  //   FailedPrecondition  a header in `directory` is not as it was written
  //   Internal            `directory` cannot be written
  static absl::StatusOr<std::unique_ptr<HostCompiler>> Create(
      const std::string& directory);
  // One for the process, made at the first call, in the directory that the
  // environment variable GSA_EMU_CACHE names, if it is set.
  static absl::StatusOr<HostCompiler*> Default();
  ~HostCompiler();

  // The path of the program compiled from `source`. At most one compilation
  // per source and options, also under concurrency. Thread safe.
  //   NotFound    no compiler
  //   Internal    the compiler fails; with what it says
  absl::StatusOr<std::string> Compile(const std::string& source,
                                      const HostCompilerOptions& options);

  // A new directory for the files of a run; the caller removes it.
  absl::StatusOr<std::string> MakeRunDirectory();

  // Calls of the compiler so far.
  int64_t compilations() const;

 private:
  struct Entry {
    bool ready = false;
    absl::StatusOr<std::string> program = std::string();
  };

  HostCompiler(std::string directory, bool temporary)
      : directory_(std::move(directory)), temporary_(temporary) {}
  absl::StatusOr<std::string> CompileNow(const std::string& key,
                                         const std::string& source,
                                         const std::string& compiler,
                                         const HostCompilerOptions& options);
  absl::Status WriteHeaders();

  const std::string directory_;
  const bool temporary_;
  std::string include_;  // where the headers are
  mutable std::mutex mutex_;
  std::condition_variable done_;
  std::map<std::string, Entry> entries_;
  int64_t compilations_ = 0;
};

// Removes a directory and what is in it.
void RemoveDirectory(const std::string& path);

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_HOST_COMPILER_H_
