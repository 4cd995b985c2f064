// -----------------------------------------------------------------------------
// File: atomic_file.h
// -----------------------------------------------------------------------------
//
// Files that appear complete or not at all: the bytes go to a temporary file in
// the same directory, which Commit() flushes to disk and renames over the path.
// A program that calls EndTemporaries() leaves none behind.

#ifndef GSA_RUNTIME_CORE_ATOMIC_FILE_H_
#define GSA_RUNTIME_CORE_ATOMIC_FILE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/core/temporary_files.h"

namespace gsa {

struct AtomicFileOptions {
  // Of the file, with the bits of the process's umask taken away.
  mode_t mode = 0666;
  // False: a link under the path is replaced itself, like anything else that a
  // rename replaces; Commit() fails for the rest.
  bool follow_link = true;
};

class AtomicFileWriter {
 public:
  // `path` may exist only as a regular file or as a link to one, which is then
  // the file replaced; anything else (a directory, a device) is
  // FailedPrecondition. Other failures carry the code of their errno.
  static absl::StatusOr<AtomicFileWriter> Create(
      std::string path, const AtomicFileOptions& options = {});

  // Without a successful Commit(): removes the temporary file.
  ~AtomicFileWriter();
  AtomicFileWriter(AtomicFileWriter&& other) noexcept;
  AtomicFileWriter& operator=(AtomicFileWriter&&) = delete;

  // After a failure only destruction is useful.
  absl::Status Append(absl::Span<const char> bytes);
  absl::Status Commit();

 private:
  AtomicFileWriter() = default;
  absl::Status Error(int error_number, const char* action) const;

  std::string path_;    // as the caller named it, for messages
  std::string target_;  // with links resolved
  TemporaryPath temporary_;
  int fd_ = -1;
};

// Create, Append, Commit.
absl::Status WriteFileAtomically(std::string path, absl::string_view contents);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_ATOMIC_FILE_H_
