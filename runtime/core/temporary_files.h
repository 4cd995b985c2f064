// -----------------------------------------------------------------------------
// File: temporary_files.h
// -----------------------------------------------------------------------------
//
// Files, directories and child processes that must not outlive this process.
// Destructors take care of them when it ends on its own; a program that also
// wants them gone when a signal ends it calls EndTemporaries() (the tools do,
// see tools/common/Signals.h; the library installs no handlers).

#ifndef GSA_RUNTIME_CORE_TEMPORARY_FILES_H_
#define GSA_RUNTIME_CORE_TEMPORARY_FILES_H_

#include <sys/types.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace gsa {

// A file, or a directory with what is in it, that is removed with this object.
class TemporaryPath {
 public:
  TemporaryPath() = default;
  // Takes the path that `create` has made. No signal comes between the two: it
  // is there and known, or neither. Errors are those of `create`, which must
  // not touch other temporaries.
  static absl::StatusOr<TemporaryPath> Make(
      absl::FunctionRef<absl::StatusOr<std::string>()> create);

  ~TemporaryPath() { Remove(); }
  TemporaryPath(TemporaryPath&& other) noexcept;
  TemporaryPath& operator=(TemporaryPath&& other) noexcept;

  const std::string& path() const { return path_; }
  bool empty() const { return path_.empty(); }

  // Removes it now. Nothing happens where it does not exist any more.
  void Remove();
  // Forgets it: it has been renamed to something that stays.
  void Release();

 private:
  std::string path_;  // empty: none
};

// A child process that is ended when a signal ends this one.
class RegisteredChild {
 public:
  // Takes the process that `spawn` has started; it returns an error number.
  // The same promise as TemporaryPath::Make.
  static int Spawn(absl::FunctionRef<int(pid_t*)> spawn, pid_t* child);
  // Waits for the end of a child that Spawn gave; its status as in waitpid.
  static int Wait(pid_t child);
};

// Ends the registered children (SIGTERM, and SIGKILL two seconds later), then
// removes the registered paths, for good: every later use of this file waits
// for ever. For a thread of a program that is about to end; not for a signal
// handler.
void EndTemporaries();

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_TEMPORARY_FILES_H_
