// -----------------------------------------------------------------------------
// File: atomic_file.cc
// -----------------------------------------------------------------------------

#include "runtime/core/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

// One write moves at most 2 GiB minus a page on Linux.
constexpr size_t kMaxWrite = size_t{1} << 30;

constexpr int kNameAttempts = 100;

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseOf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

absl::Status AtomicFileWriter::Error(int error_number,
                                     const char* action) const {
  return absl::ErrnoToStatus(error_number,
                             absl::StrCat(path_, ": cannot ", action));
}

absl::StatusOr<AtomicFileWriter> AtomicFileWriter::Create(
    std::string path, const AtomicFileOptions& options) {
  AtomicFileWriter writer;
  writer.path_ = path;
  writer.target_ = std::move(path);
  if (BaseOf(writer.target_).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", writer.path_, "': expected the path of a file"));
  }
  struct stat info;
  if (!options.follow_link) {
    // The rename decides.
  } else if (stat(writer.target_.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat(writer.path_, ": exists and is not a regular file"));
    }
    const std::unique_ptr<char, void (*)(void*)> resolved(
        realpath(writer.target_.c_str(), nullptr), free);
    if (resolved == nullptr) return writer.Error(errno, "resolve the path");
    writer.target_ = resolved.get();
  } else if (errno != ENOENT) {
    return writer.Error(errno, "inspect");
  }

  static std::atomic<unsigned> counter{0};
  const std::string directory = DirectoryOf(writer.target_);
  // The base name is cut so that the temporary one stays below NAME_MAX.
  const std::string base = BaseOf(writer.target_).substr(0, 200);
  auto create = [&]() -> absl::StatusOr<std::string> {
    for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
      std::string name = absl::StrCat(directory, "/.", base, ".", getpid(), "-",
                                      counter.fetch_add(1), ".tmp");
      writer.fd_ = open(name.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                        options.mode);
      if (writer.fd_ >= 0) return name;
      if (errno != EEXIST) break;
    }
    return writer.Error(errno, "create a temporary file beside it");
  };
  GSA_ASSIGN_OR_RETURN(writer.temporary_, TemporaryPath::Make(create));
  return writer;
}

AtomicFileWriter::AtomicFileWriter(AtomicFileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFileWriter::~AtomicFileWriter() {
  if (fd_ >= 0) close(fd_);
}

absl::Status AtomicFileWriter::Append(absl::Span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        write(fd_, bytes.data(), std::min(bytes.size(), kMaxWrite));
    if (written < 0) {
      if (errno == EINTR) continue;
      return Error(errno, "write");
    }
    // No file system should; it would be tried for ever.
    if (written == 0) return Error(ENOSPC, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status AtomicFileWriter::Commit() {
  if (fsync(fd_) != 0) return Error(errno, "flush to disk");
  if (close(std::exchange(fd_, -1)) != 0) return Error(errno, "close");
  if (rename(temporary_.path().c_str(), target_.c_str()) != 0) {
    return Error(errno, "rename the temporary file into place");
  }
  temporary_.Release();
  // The rename itself survives a power cut only once the directory is on disk.
  // The file is complete and visible by now, and some file systems cannot sync
  // a directory, so a failure here is none of the write's.
  const int directory =
      open(DirectoryOf(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    (void)fsync(directory);
    close(directory);
  }
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(std::string path, absl::string_view contents) {
  GSA_ASSIGN_OR_RETURN(AtomicFileWriter writer,
                       AtomicFileWriter::Create(std::move(path)));
  GSA_RETURN_IF_ERROR(
      writer.Append(absl::MakeConstSpan(contents.data(), contents.size())));
  return writer.Commit();
}

}  // namespace gsa
