// -----------------------------------------------------------------------------
// File: program_cache.h
// -----------------------------------------------------------------------------
//
// Compiled programs on disk, for other processes: one file an entry
// (runtime/core/program_entry.h) under a key that is the hash of everything
// that the program was made of.
//
//   ProgramCache cache(options);
//   if (auto entry = cache.Read(key, "cubin")) return entry->payload;
//   ProgramCache::Claim claim = cache.Lock(key);
//   ... Read again: another process may have compiled it meanwhile.
//   ... compile ...
//   cache.Write(entry);
//
// Nothing in the directory can make a caller fail. What is absent, cut off,
// changed, of another user, writable by others, a link or no file is a miss;
// what cannot be written is not there for the next one. stats() counts it and
// problems() says it. Whoever can write to the directory can run code as its
// user, all the same: that is why a directory that others can write to is not
// used, and why it is the caller's to name one.
//
// Entries appear complete or not at all: they are written beside their name,
// flushed to disk and renamed. One compilation per key among processes is a
// promise of Lock(), and no more: a holder that takes longer than
// `longest_wait` is compiled beside.
//
// The directory is bounded: what has been used least recently goes first.
//
// Thread safe.

#ifndef GSA_RUNTIME_CORE_PROGRAM_CACHE_H_
#define GSA_RUNTIME_CORE_PROGRAM_CACHE_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/core/program_entry.h"

namespace gsa {

enum class CacheMode : uint8_t {
  kOff,
  kReadOnly,   // nothing is written, touched or made
  kReadWrite,  // the directory is made where it is not there
  // As kReadOnly, and the caller makes an error of what is not there: for those
  // who would rather fail than wait for a compiler.
  kOnly,
};

// The mode that "off", "ro", "rw" or "only" names. InvalidArgument lists these.
absl::StatusOr<CacheMode> ParseCacheMode(absl::string_view text);
// The inverse.
const char* ToString(CacheMode mode);

struct ProgramCacheOptions {
  // Empty: as with kOff.
  std::string directory;
  CacheMode mode = CacheMode::kOff;
  // What entries may take together; an entry that is larger is not written.
  int64_t max_bytes = int64_t{512} << 20;
  // How long Lock() waits for another process.
  std::chrono::milliseconds longest_wait = std::chrono::seconds(60);

  bool enabled() const { return mode != CacheMode::kOff && !directory.empty(); }
};

class ProgramCache {
 public:
  struct Stats {
    int64_t hits = 0;
    int64_t misses = 0;   // looked for and not there, or no directory
    int64_t refused = 0;  // there, and not taken
    int64_t writes = 0;
    int64_t write_failures = 0;
    int64_t waits = 0;    // for another process
    int64_t evicted = 0;  // by this one
    // `refused` by reason; at kNone refused directories.
    std::array<int64_t, kNumEntryRefusals> refusals = {};
  };

  // The right to compile a key, until its end. Without a directory, or where
  // locks do not work, it is given to everybody.
  class Claim {
   public:
    Claim() = default;
    ~Claim();
    Claim(Claim&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          path_(std::move(other.path_)),
          waited_(other.waited_) {}
    Claim& operator=(Claim&&) = delete;

    // Whether another process had it: its entry may be there now.
    bool waited() const { return waited_; }

   private:
    friend class ProgramCache;

    int fd_ = -1;
    std::string path_;
    bool waited_ = false;
  };

  // A file of the directory that is named like an entry.
  struct File {
    std::string key;
    int64_t bytes = 0;
    int64_t used = 0;  // seconds since 1970: last hit, or when it was written
  };

  struct Listing {
    std::vector<File> files;  // the one used least recently first
    int64_t bytes = 0;
    // False: the directory has too much else in it, or cannot be read.
    bool complete = true;
  };

  struct Collected {
    int64_t files = 0;
    int64_t bytes = 0;
  };

  explicit ProgramCache(ProgramCacheOptions options);

  const ProgramCacheOptions& options() const { return options_; }

  // The entry of `key`, if it is there, whole, ours and of that kind; `absent`
  // is set to whether there is no file of it.
  std::optional<ProgramEntry> Read(const std::string& key,
                                   const std::string& kind,
                                   bool* absent = nullptr);

  // Waits while another process or thread has a claim to `key`.
  Claim Lock(const std::string& key);

  // Keeps an entry, if it can, and collects now and then.
  void Write(const ProgramEntry& entry);

  // The following are for tools, and say what is wrong with the directory:
  // NotFound where there is none, FailedPrecondition where it is refused.

  absl::StatusOr<Listing> List() const;
  // The reason for which Read refuses the file of a key, kNone for none; counts
  // nothing. `*entry` receives what it holds.
  EntryRefusal Check(const std::string& key, ProgramEntry* entry) const;
  // Removes what is used least until the rest takes at most `max_bytes`, and
  // what processes that were killed have left.
  absl::StatusOr<Collected> Collect(int64_t max_bytes);
  // Removes one entry; whether it was there.
  absl::StatusOr<bool> Remove(const std::string& key);

  Stats stats() const;
  // Sentences about what was refused or could not be written, the first few.
  std::vector<std::string> problems() const;

 private:
  // An open directory of the cache; closed at the end.
  class Directory;

  absl::StatusOr<Directory> Open(bool create) const;
  EntryRefusal ReadFile(int directory, const std::string& key,
                        ProgramEntry* entry) const;
  absl::Status TryWrite(const ProgramEntry& entry);
  std::string PathOf(const std::string& name) const;
  absl::StatusOr<Collected> CollectIn(int directory, int64_t max_bytes);
  bool IsTimeToCollect(int64_t bytes);
  void AddProblem(std::string text);  // with mutex_ held

  const ProgramCacheOptions options_;

  mutable std::mutex mutex_;
  Stats stats_;
  std::vector<std::string> problems_;
  // Since the last collection; it is time for one at the first write.
  int64_t written_bytes_ = -1;
  int64_t written_files_ = 0;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_PROGRAM_CACHE_H_
