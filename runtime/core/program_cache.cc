// -----------------------------------------------------------------------------
// File: program_cache.cc
// -----------------------------------------------------------------------------

#include "runtime/core/program_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <thread>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

constexpr absl::string_view kEntrySuffix = ".gsa";
constexpr absl::string_view kLockSuffix = ".lock";

// A directory with more names than that is not looked through: the cost of a
// collection has a bound, whatever is in there.
constexpr size_t kMaxNames = 65536;
// Entries beyond that go, whatever they take.
constexpr size_t kMaxFiles = 16384;
// A collection leaves that much of the bound, so that the next write does not
// collect again.
constexpr double kKept = 0.75;
constexpr int64_t kFilesBetweenCollections = 256;
// Only a process that has been killed leaves a temporary file for so long.
constexpr int64_t kAbandonedSeconds = 3600;
// A hit is noted on disk at most that often.
constexpr int64_t kTouchSeconds = 60;
constexpr size_t kMaxProblems = 16;

// Closes a descriptor at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// What others may have put there or may change at any time.
EntryRefusal CheckOwner(const struct stat& info) {
  if (info.st_uid != geteuid()) return EntryRefusal::kForeign;
  if (info.st_mode & (S_IWGRP | S_IWOTH)) return EntryRefusal::kWritable;
  return EntryRefusal::kNone;
}

// As mkdir -p, for the user alone. Errors show when the directory is opened.
void MakeDirectories(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1))
    mkdir(path.substr(0, end).c_str(), 0700);
  mkdir(path.c_str(), 0700);
}

// Of a link it would be what is behind it.
std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string EntryName(absl::string_view key) {
  return absl::StrCat(key, kEntrySuffix);
}

// At most `bytes` bytes; fewer where the file has been cut off since its size
// was asked for, which the digest then says. False: it cannot be read.
bool ReadAll(int fd, size_t bytes, std::string* text) {
  text->resize(bytes);
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = read(fd, text->data() + done, bytes - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  text->resize(done);
  return true;
}

bool IsTemporaryName(absl::string_view name) {
  return absl::StartsWith(name, ".") && absl::EndsWith(name, ".tmp");
}

// Calls `see(name)` for each name in the directory, in no order. False: there
// are more than kMaxNames of them, or it cannot be read.
template <typename See>
bool ForEachName(int directory, See see) {
  // A description of its own: a reading position belongs to one.
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> names(fdopendir(fd), closedir);
  if (names == nullptr) {
    close(fd);
    return false;
  }
  size_t count = 0;
  while (true) {
    errno = 0;  // an error and the end differ in nothing else
    const dirent* entry = readdir(names.get());
    if (entry == nullptr) return errno == 0;
    if (++count > kMaxNames) return false;
    see(std::string(entry->d_name));
  }
}

ProgramCache::Listing ListIn(int directory) {
  ProgramCache::Listing listing;
  listing.complete = ForEachName(directory, [&](const std::string& name) {
    absl::string_view key = name;
    if (!absl::ConsumeSuffix(&key, kEntrySuffix) || !IsProgramKey(key)) return;
    struct stat info;
    if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return;
    listing.files.push_back(
        {std::string(key), int64_t{info.st_size}, int64_t{info.st_mtime}});
    listing.bytes += info.st_size;
  });
  std::sort(listing.files.begin(), listing.files.end(),
            [](const ProgramCache::File& a, const ProgramCache::File& b) {
              return std::tie(a.used, a.key) < std::tie(b.used, b.key);
            });
  return listing;
}

// Removes temporary files and locks that nobody will come back to.
void RemoveAbandoned(int directory) {
  const int64_t now = time(nullptr);
  std::vector<std::string> old;
  ForEachName(directory, [&](const std::string& name) {
    if (!IsTemporaryName(name) && !absl::EndsWith(name, kLockSuffix)) return;
    struct stat info;
    if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        now - info.st_mtime > kAbandonedSeconds)
      old.push_back(name);
  });
  for (const std::string& name : old) {
    // Held: a compilation that takes very long. Its name stays.
    const Descriptor lock(
        openat(directory, name.c_str(),
               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (lock.get() >= 0 && flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    unlinkat(directory, name.c_str(), 0);
  }
}

}  // namespace

absl::StatusOr<CacheMode> ParseCacheMode(absl::string_view text) {
  for (CacheMode mode : {CacheMode::kOff, CacheMode::kReadOnly,
                         CacheMode::kReadWrite, CacheMode::kOnly})
    if (text == ToString(mode)) return mode;
  return absl::InvalidArgumentError(absl::StrCat(
      "cache mode: expected off, ro, rw or only, got '", text, "'"));
}

const char* ToString(CacheMode mode) {
  switch (mode) {
    case CacheMode::kOff:
      return "off";
    case CacheMode::kReadOnly:
      return "ro";
    case CacheMode::kReadWrite:
      return "rw";
    case CacheMode::kOnly:
      return "only";
  }
  return "";
}

class ProgramCache::Directory : public Descriptor {
 public:
  using Descriptor::Descriptor;
};

ProgramCache::Claim::~Claim() {
  if (fd_ < 0) return;
  // Before the lock goes: who waits sees that the name is not this file's any
  // more.
  unlink(path_.c_str());
  close(fd_);
}

ProgramCache::ProgramCache(ProgramCacheOptions options)
    : options_([&] {
        options.directory =
            WithoutTrailingSlashes(std::move(options.directory));
        return std::move(options);
      }()) {}

std::string ProgramCache::PathOf(const std::string& name) const {
  return absl::StrCat(options_.directory, "/", name);
}

// Opened for each use: a process may outlive the directory, and the directory
// may appear.
absl::StatusOr<ProgramCache::Directory> ProgramCache::Open(bool create) const {
  const char* path = options_.directory.c_str();
  if (!options_.enabled()) return absl::NotFoundError("the cache is off");
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = open(path, kFlags);
  if (fd < 0 && errno == ENOENT && create) {
    MakeDirectories(options_.directory);
    fd = open(path, kFlags);
  }
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT)
      return absl::NotFoundError(
          absl::StrCat("the cache ", path, " is not there"));
    if (error == ELOOP || error == ENOTDIR)
      return absl::FailedPreconditionError(
          absl::StrCat("the cache ", path, " is a link or no directory"));
    return absl::ErrnoToStatus(
        error, absl::StrCat("the cache ", path, " cannot be opened"));
  }
  Directory directory(fd);
  struct stat info;
  if (fstat(fd, &info) != 0)
    return absl::ErrnoToStatus(
        errno, absl::StrCat("the cache ", path, " cannot be inspected"));
  const EntryRefusal refusal = CheckOwner(info);
  if (refusal != EntryRefusal::kNone)
    return absl::FailedPreconditionError(
        absl::StrCat("the cache ", path, " ", Describe(refusal)));
  return directory;
}

EntryRefusal ProgramCache::ReadFile(int directory, const std::string& key,
                                    ProgramEntry* entry) const {
  // Not blocking: a pipe without a writer would be waited for.
  const Descriptor file(openat(directory, EntryName(key).c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return EntryRefusal::kAbsent;
    return errno == ELOOP || errno == ENXIO ? EntryRefusal::kNotAFile
                                            : EntryRefusal::kUnreadable;
  }
  struct stat info;
  if (fstat(file.get(), &info) != 0) return EntryRefusal::kUnreadable;
  if (!S_ISREG(info.st_mode)) return EntryRefusal::kNotAFile;
  const EntryRefusal owner = CheckOwner(info);
  if (owner != EntryRefusal::kNone) return owner;
  if (info.st_size > static_cast<off_t>(kMaxProgramEntryBytes))
    return EntryRefusal::kTooLarge;
  // Into memory of ours: what is mapped can change after it has been checked.
  std::string bytes;
  if (!ReadAll(file.get(), static_cast<size_t>(info.st_size), &bytes))
    return EntryRefusal::kUnreadable;
  const EntryRefusal refusal = DecodeProgramEntry(bytes, key, entry);
  if (refusal == EntryRefusal::kNone &&
      options_.mode == CacheMode::kReadWrite &&
      time(nullptr) - info.st_mtime > kTouchSeconds)
    (void)futimens(file.get(), nullptr);
  return refusal;
}

std::optional<ProgramEntry> ProgramCache::Read(const std::string& key,
                                               const std::string& kind,
                                               bool* absent) {
  if (absent != nullptr) *absent = false;
  if (!options_.enabled() || !IsProgramKey(key)) return std::nullopt;
  ProgramEntry entry;
  absl::StatusOr<Directory> directory = Open(/*create=*/false);
  EntryRefusal refusal = EntryRefusal::kAbsent;
  if (directory.ok()) {
    refusal = ReadFile(directory->get(), key, &entry);
    if (refusal == EntryRefusal::kNone && entry.kind != kind)
      refusal = EntryRefusal::kHeader;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (!directory.ok() && !absl::IsNotFound(directory.status())) {
    ++stats_.refused;
    ++stats_.refusals[static_cast<size_t>(EntryRefusal::kNone)];
    AddProblem(std::string(directory.status().message()));
    return std::nullopt;
  }
  if (refusal == EntryRefusal::kNone) {
    ++stats_.hits;
    return entry;
  }
  if (refusal == EntryRefusal::kAbsent) {
    ++stats_.misses;
    if (absent != nullptr) *absent = true;
    return std::nullopt;
  }
  ++stats_.refused;
  ++stats_.refusals[static_cast<size_t>(refusal)];
  AddProblem(absl::StrCat(PathOf(EntryName(key)), " ", Describe(refusal)));
  return std::nullopt;
}

ProgramCache::Claim ProgramCache::Lock(const std::string& key) {
  Claim claim;
  if (options_.mode != CacheMode::kReadWrite || !IsProgramKey(key))
    return claim;
  const absl::StatusOr<Directory> directory = Open(/*create=*/true);
  if (!directory.ok()) return claim;
  const std::string name = absl::StrCat(key, kLockSuffix);
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until = Clock::now() + options_.longest_wait;
  std::chrono::milliseconds pause(1);
  while (true) {
    Descriptor file(
        openat(directory->get(), name.c_str(),
               O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    // A full disk, no permission: everybody compiles.
    if (file.get() < 0) return claim;
    while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return claim;  // no locks on this file system
      if (!claim.waited_) {
        std::lock_guard<std::mutex> lock(mutex_);
        ++stats_.waits;
      }
      claim.waited_ = true;
      if (Clock::now() >= until) return claim;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::milliseconds(20));
    }
    // The holder before may have removed the name, and another process may
    // have made a new file under it, which is the one that counts.
    struct stat ours, named;
    const bool is_named = fstat(file.get(), &ours) == 0 &&
                          fstatat(directory->get(), name.c_str(), &named,
                                  AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_named && errno != ENOENT) return claim;  // as without locks
    if (is_named && ours.st_dev == named.st_dev &&
        ours.st_ino == named.st_ino) {
      claim.fd_ = file.Release();
      claim.path_ = PathOf(name);
      return claim;
    }
    claim.waited_ = true;
    if (Clock::now() >= until) return claim;
  }
}

absl::Status ProgramCache::TryWrite(const ProgramEntry& entry) {
  const std::string bytes = EncodeProgramEntry(entry);
  const auto size = static_cast<int64_t>(bytes.size());
  if (size > options_.max_bytes || bytes.size() > kMaxProgramEntryBytes)
    return absl::ResourceExhaustedError(
        absl::StrCat("an entry of ", size, " bytes is more than a cache of ",
                     options_.max_bytes, " bytes takes"));
  // Beyond the limit a signal would end the process.
  rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes.size())
    return absl::ResourceExhaustedError(
        absl::StrCat("this process may write files of ", limit.rlim_cur,
                     " bytes, the entry has ", size));
  GSA_ASSIGN_OR_RETURN(const Directory directory, Open(/*create=*/true));
  AtomicFileOptions file;
  file.mode = 0600;
  file.follow_link = false;
  GSA_ASSIGN_OR_RETURN(
      AtomicFileWriter writer,
      AtomicFileWriter::Create(PathOf(EntryName(entry.key)), file));
  GSA_RETURN_IF_ERROR(
      writer.Append(absl::MakeConstSpan(bytes.data(), bytes.size())));
  GSA_RETURN_IF_ERROR(writer.Commit());
  if (IsTimeToCollect(size))
    CollectIn(directory.get(), options_.max_bytes).status().IgnoreError();
  return absl::OkStatus();
}

void ProgramCache::Write(const ProgramEntry& entry) {
  if (options_.mode != CacheMode::kReadWrite || !options_.enabled() ||
      !IsProgramKey(entry.key))
    return;
  const absl::Status written = TryWrite(entry);
  std::lock_guard<std::mutex> lock(mutex_);
  ++(written.ok() ? stats_.writes : stats_.write_failures);
  if (!written.ok()) AddProblem(std::string(written.message()));
}

bool ProgramCache::IsTimeToCollect(int64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool first = written_bytes_ < 0;
  written_bytes_ = std::max<int64_t>(written_bytes_, 0) + bytes;
  ++written_files_;
  // Other processes write, too, so the bound holds but for what each of them
  // has written since it looked.
  if (!first && written_files_ < kFilesBetweenCollections &&
      written_bytes_ < options_.max_bytes / 16)
    return false;
  written_bytes_ = 0;
  written_files_ = 0;
  return true;
}

absl::StatusOr<ProgramCache::Collected> ProgramCache::CollectIn(
    int directory, int64_t max_bytes) {
  Listing listing = ListIn(directory);
  if (!listing.complete)
    return absl::FailedPreconditionError(
        absl::StrCat("the cache ", options_.directory,
                     " cannot be read to its end: expected at most ", kMaxNames,
                     " files; remove what does not belong there"));
  RemoveAbandoned(directory);
  Collected collected;
  int64_t bytes = listing.bytes;
  size_t files = listing.files.size();
  const bool is_over = bytes > max_bytes || files > kMaxFiles;
  const auto kept_bytes = static_cast<int64_t>(kKept * max_bytes);
  const auto kept_files = static_cast<size_t>(kKept * kMaxFiles);
  for (const File& file : listing.files) {
    if (!is_over || (bytes <= kept_bytes && files <= kept_files)) break;
    if (unlinkat(directory, EntryName(file.key).c_str(), 0) == 0) {
      ++collected.files;
      collected.bytes += file.bytes;
    }
    bytes -= file.bytes;
    --files;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  stats_.evicted += collected.files;
  return collected;
}

absl::StatusOr<ProgramCache::Listing> ProgramCache::List() const {
  GSA_ASSIGN_OR_RETURN(const Directory directory, Open(/*create=*/false));
  return ListIn(directory.get());
}

EntryRefusal ProgramCache::Check(const std::string& key,
                                 ProgramEntry* entry) const {
  const absl::StatusOr<Directory> directory = Open(/*create=*/false);
  if (!directory.ok()) return EntryRefusal::kAbsent;
  return ReadFile(directory->get(), key, entry);
}

absl::StatusOr<ProgramCache::Collected> ProgramCache::Collect(
    int64_t max_bytes) {
  GSA_ASSIGN_OR_RETURN(const Directory directory, Open(/*create=*/false));
  return CollectIn(directory.get(), max_bytes);
}

absl::StatusOr<bool> ProgramCache::Remove(const std::string& key) {
  GSA_ASSIGN_OR_RETURN(const Directory directory, Open(/*create=*/false));
  if (unlinkat(directory.get(), EntryName(key).c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  return absl::ErrnoToStatus(
      errno, absl::StrCat("cannot remove ", PathOf(EntryName(key))));
}

ProgramCache::Stats ProgramCache::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

std::vector<std::string> ProgramCache::problems() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return problems_;
}

void ProgramCache::AddProblem(std::string text) {
  if (problems_.size() < kMaxProblems &&
      std::find(problems_.begin(), problems_.end(), text) == problems_.end())
    problems_.push_back(std::move(text));
}

}  // namespace gsa
