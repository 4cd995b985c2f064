// -----------------------------------------------------------------------------
// File: program_cache_test.cc
// -----------------------------------------------------------------------------
//
// Directories and files of the program cache that are as they should be, and
// that are not: every fault is a miss that is counted, and none an error.

#include "runtime/core/program_cache.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "cache_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/atomic_file.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

int64_t Refused(const ProgramCache& cache, EntryRefusal refusal) {
  return cache.stats().refusals[static_cast<size_t>(refusal)];
}

// Whether `cache` gives the entry that EntryFor(text) makes.
bool Has(ProgramCache& cache, const std::string& text) {
  const auto entry = cache.Read(KeyFor(text), "cubin");
  if (entry) EXPECT_THAT(entry->payload, StartsWith(EntryFor(text, 1).payload));
  return entry.has_value();
}

// The bound on the size of files of this process, until the end.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST(ProgramCacheTest, WritesAndReads) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  EXPECT_FALSE(Has(cache, "a"));
  cache.Write(EntryFor("a"));
  EXPECT_TRUE(Has(cache, "a"));
  EXPECT_FALSE(cache.Read(KeyFor("a"), "ptx").has_value());
  ProgramCache other(folder.Options(CacheMode::kReadOnly));
  EXPECT_TRUE(Has(other, "a"));
  const ProgramCache::Stats stats = cache.stats();
  EXPECT_EQ(stats.hits, 1);
  EXPECT_EQ(stats.misses, 1);
  EXPECT_EQ(stats.refused, 1);  // of the other kind
  EXPECT_EQ(stats.writes, 1);
  struct stat info;
  ASSERT_EQ(stat(folder.FileOf(KeyFor("a")).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(ProgramCacheTest, Modes) {
  EXPECT_EQ(*ParseCacheMode("off"), CacheMode::kOff);
  EXPECT_EQ(*ParseCacheMode("ro"), CacheMode::kReadOnly);
  EXPECT_EQ(*ParseCacheMode("rw"), CacheMode::kReadWrite);
  EXPECT_EQ(*ParseCacheMode("only"), CacheMode::kOnly);
  EXPECT_THAT(std::string(ParseCacheMode("RW").status().message()),
              HasSubstr("expected off, ro, rw or only, got 'RW'"));
  CacheFolder folder;
  ProgramCache off(folder.Options(CacheMode::kOff));
  ProgramCache read_only(folder.Options(CacheMode::kReadOnly));
  ProgramCache only(folder.Options(CacheMode::kOnly));
  for (ProgramCache* cache : {&off, &read_only, &only}) {
    cache->Write(EntryFor("a"));
    EXPECT_FALSE(Has(*cache, "a"));
    EXPECT_FALSE(cache->Lock(KeyFor("a")).waited());
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_EQ(off.stats().misses, 0);
  // A directory that is not there is made for writing only.
  ProgramCacheOptions options = folder.Options(CacheMode::kReadOnly);
  options.directory += "/a/b//";
  ProgramCache absent(options);
  EXPECT_FALSE(Has(absent, "a"));
  EXPECT_FALSE(fs::exists(folder.path() + "/a"));
  options.mode = CacheMode::kReadWrite;
  ProgramCache made(options);
  made.Write(EntryFor("a"));
  EXPECT_TRUE(Has(made, "a"));
  struct stat info;
  for (const char* name : {"/a", "/a/b"}) {
    ASSERT_EQ(stat((folder.path() + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
  }
}

// On disk: each byte of a file once, and each length.
TEST(ProgramCacheTest, ChangedFilesAreMisses) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a", 64));
  const std::string file = folder.FileOf(KeyFor("a"));
  const std::string bytes = ReadBytes(file);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    WriteBytes(file, changed);
    ASSERT_FALSE(Has(cache, "a")) << "byte " << i;
    WriteBytes(file, bytes.substr(0, i));
    ASSERT_FALSE(Has(cache, "a")) << "length " << i;
  }
  EXPECT_EQ(cache.stats().refused, static_cast<int64_t>(2 * bytes.size()));
  EXPECT_GT(Refused(cache, EntryRefusal::kChanged), 0);
  EXPECT_GT(Refused(cache, EntryRefusal::kTruncated), 0);
  EXPECT_THAT(cache.problems(),
              Contains(HasSubstr("has been changed or cut off")));
  // The next compilation puts it right.
  cache.Write(EntryFor("a", 64));
  EXPECT_EQ(ReadBytes(file), bytes);
}

TEST(ProgramCacheTest, AnEntryUnderAnotherNameIsAMiss) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a"));
  fs::rename(folder.FileOf(KeyFor("a")), folder.FileOf(KeyFor("b")));
  EXPECT_FALSE(Has(cache, "b"));
  EXPECT_EQ(Refused(cache, EntryRefusal::kKey), 1);
}

TEST(ProgramCacheTest, WhatIsNoFileIsAMiss) {
  CacheFolder folder, elsewhere;
  ProgramCache cache(folder.Options()), other(elsewhere.Options());
  other.Write(EntryFor("a"));
  const std::string file = folder.FileOf(KeyFor("a"));
  // A link, even to an entry that is whole.
  fs::create_symlink(elsewhere.FileOf(KeyFor("a")), file);
  EXPECT_FALSE(Has(cache, "a"));
  // Replaced, and not followed.
  cache.Write(EntryFor("a"));
  EXPECT_FALSE(fs::is_symlink(file));
  EXPECT_TRUE(Has(cache, "a"));
  EXPECT_TRUE(Has(other, "a"));
  fs::remove(file);
  // A pipe that nobody writes to: not waited for.
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(Has(cache, "a"));
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_FALSE(Has(cache, "a"));
  EXPECT_EQ(Refused(cache, EntryRefusal::kNotAFile), 3);
  cache.Write(EntryFor("a"));  // over a directory
  EXPECT_EQ(cache.stats().write_failures, 1);
  EXPECT_THAT(folder.Names(), SizeIs(1));
}

TEST(ProgramCacheTest, WhatOthersCanWriteIsAMiss) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a"));
  for (mode_t mode : {0620, 0602}) {
    chmod(folder.FileOf(KeyFor("a")).c_str(), mode);
    EXPECT_FALSE(Has(cache, "a"));
  }
  EXPECT_EQ(Refused(cache, EntryRefusal::kWritable), 2);
  chmod(folder.FileOf(KeyFor("a")).c_str(), 0644);
  EXPECT_TRUE(Has(cache, "a"));
  // The directory.
  for (mode_t mode : {0770, 0707, 01777}) {
    chmod(folder.path().c_str(), mode);
    EXPECT_FALSE(Has(cache, "a"));
    cache.Write(EntryFor("b"));
    EXPECT_FALSE(fs::exists(folder.FileOf(KeyFor("b"))));
  }
  EXPECT_THAT(cache.problems(),
              Contains(HasSubstr("can be written by others")));
  EXPECT_TRUE(absl::IsFailedPrecondition(cache.List().status()));
  chmod(folder.path().c_str(), 0755);
  EXPECT_TRUE(Has(cache, "a"));
}

TEST(ProgramCacheTest, ADirectoryThatIsALinkIsRefused) {
  CacheFolder folder, elsewhere;
  ProgramCache real(elsewhere.Options());
  real.Write(EntryFor("a"));
  ProgramCacheOptions options = folder.Options();
  for (const char* name : {"/link", "/link/", "/file"}) {
    options.directory = folder.path() + name;
    if (!fs::exists(folder.path() + "/link"))
      fs::create_symlink(elsewhere.path(), folder.path() + "/link");
    WriteBytes(folder.path() + "/file", "");
    ProgramCache cache(options);
    EXPECT_FALSE(Has(cache, "a"));
    cache.Write(EntryFor("b"));
    EXPECT_EQ(cache.stats().write_failures, 1);
    EXPECT_THAT(cache.problems(),
                Contains(HasSubstr("is a link or no directory")));
  }
  EXPECT_FALSE(fs::exists(elsewhere.FileOf(KeyFor("b"))));
}

TEST(ProgramCacheTest, WhatAnotherUserOwnsIsAMiss) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a"));
  ASSERT_EQ(chown(folder.FileOf(KeyFor("a")).c_str(), 65534, 65534), 0);
  EXPECT_FALSE(Has(cache, "a"));
  EXPECT_EQ(Refused(cache, EntryRefusal::kForeign), 1);
  cache.Write(EntryFor("a"));
  EXPECT_TRUE(Has(cache, "a"));
  ASSERT_EQ(chown(folder.path().c_str(), 65534, 65534), 0);
  EXPECT_FALSE(Has(cache, "a"));
  EXPECT_THAT(cache.problems(), Contains(HasSubstr("another user")));
}

TEST(ProgramCacheTest, AReadOnlyDirectoryIsReadAndNotWritten) {
  CacheFolder folder;
  // In a process of its own, which is nobody's where this one is root's:
  // permissions do not bind root.
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 &&
        (chown(folder.path().c_str(), kNobody, kNobody) != 0 ||
         setgid(kNobody) != 0 || setuid(kNobody) != 0))
      _exit(2);
    ProgramCache cache(folder.Options());
    cache.Write(EntryFor("a"));
    chmod(folder.path().c_str(), 0500);
    EXPECT_NE(access(folder.path().c_str(), W_OK), 0);
    EXPECT_TRUE(Has(cache, "a"));
    EXPECT_FALSE(cache.Lock(KeyFor("b")).waited());
    cache.Write(EntryFor("b"));
    EXPECT_EQ(cache.stats().write_failures, 1);
    EXPECT_FALSE(Has(cache, "b"));
    EXPECT_TRUE(Has(cache, "a"));
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// /proc takes no files, from root either.
TEST(ProgramCacheTest, AFileSystemThatTakesNoFiles) {
  ProgramCacheOptions options;
  options.mode = CacheMode::kReadWrite;
  for (const char* directory : {"/proc/gsa-cache", "/dev/null/gsa-cache"}) {
    options.directory = directory;
    ProgramCache cache(options);
    EXPECT_FALSE(Has(cache, "a"));
    const ProgramCache::Claim claim = cache.Lock(KeyFor("a"));
    cache.Write(EntryFor("a"));
    EXPECT_FALSE(Has(cache, "a"));
    EXPECT_EQ(cache.stats().write_failures, 1);
  }
}

// A disk is full at any byte of an entry.
TEST(ProgramCacheTest, AFullDiskLeavesNothing) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  {
    const FileSizeLimit limit(100);
    cache.Write(EntryFor("a", 1000));
    EXPECT_FALSE(Has(cache, "a"));
  }
  EXPECT_EQ(cache.stats().write_failures, 1);
  EXPECT_TRUE(fs::is_empty(folder.path()));
  // /dev/full fails at the first byte.
  AtomicFileOptions options;
  options.mode = 0600;
  options.follow_link = false;
  EXPECT_FALSE(AtomicFileWriter::Create("/dev/full/x", options).ok());
  ProgramCacheOptions small = folder.Options();
  small.max_bytes = 500;
  ProgramCache bounded(small);
  bounded.Write(EntryFor("a", 1000));
  EXPECT_EQ(bounded.stats().write_failures, 1);
  EXPECT_THAT(bounded.problems(), Contains(HasSubstr("more than a cache")));
  cache.Write(EntryFor("a", 1000));
  EXPECT_TRUE(Has(cache, "a"));
}

// Sets when a file was used last.
void SetUsed(const std::string& file, time_t when) {
  const timespec times[2] = {{when, 0}, {when, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

TEST(ProgramCacheTest, WhatIsUsedLeastGoesFirst) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  const time_t now = time(nullptr);
  for (int i = 0; i < 8; ++i) {
    const std::string name = absl::StrCat("k", i);
    cache.Write(EntryFor(name, 1000));
    SetUsed(folder.FileOf(KeyFor(name)), now - 1000 + i);
  }
  EXPECT_TRUE(Has(cache, "k0"));  // used: the latest now
  auto listing = cache.List();
  ASSERT_TRUE(listing.ok());
  EXPECT_THAT(listing->files, SizeIs(8));
  EXPECT_EQ(listing->files.back().key, KeyFor("k0"));
  EXPECT_EQ(listing->files.front().key, KeyFor("k1"));
  const int64_t each = listing->bytes / 8;
  // Below the bound nothing goes.
  EXPECT_EQ(cache.Collect(listing->bytes)->files, 0);
  // Above it as many go as leave three quarters.
  EXPECT_EQ(cache.Collect(listing->bytes - 1)->files, 3);
  for (const char* gone : {"k1", "k2", "k3"}) EXPECT_FALSE(Has(cache, gone));
  EXPECT_TRUE(Has(cache, "k0"));
  EXPECT_EQ(cache.Collect(0)->files, 5);
  EXPECT_THAT(cache.List()->files, IsEmpty());
  // A process that writes collects by itself.
  ProgramCacheOptions options = folder.Options();
  options.max_bytes = 10 * each;
  ProgramCache bounded(options);
  for (int i = 0; i < 100; ++i)
    bounded.Write(EntryFor(absl::StrCat("k", i), 1000));
  EXPECT_LE(cache.List()->bytes, options.max_bytes + each);
  EXPECT_TRUE(Has(bounded, "k99"));
  EXPECT_GT(bounded.stats().evicted, 80);
}

TEST(ProgramCacheTest, WhatKilledProcessesLeaveIsCollected) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a"));
  const std::string old = folder.path() + "/.x.gsa.1-2.tmp";
  const std::string fresh = folder.path() + "/.y.gsa.1-3.tmp";
  const std::string lock = folder.path() + "/" + KeyFor("z") + ".lock";
  const std::string foreign = folder.path() + "/notes.txt";
  for (const std::string& file : {old, fresh, lock, foreign})
    WriteBytes(file, "");
  for (const std::string& file : {old, lock, foreign})
    SetUsed(file, time(nullptr) - 7200);
  ASSERT_TRUE(cache.Collect(1 << 20).ok());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_TRUE(Has(cache, "a"));
}

TEST(ProgramCacheTest, RemovesAndChecks) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a"));
  ProgramEntry entry;
  EXPECT_EQ(cache.Check(KeyFor("a"), &entry), EntryRefusal::kNone);
  EXPECT_EQ(entry.Field("name"), "a.cu");
  EXPECT_EQ(cache.Check(KeyFor("b"), &entry), EntryRefusal::kAbsent);
  EXPECT_TRUE(*cache.Remove(KeyFor("a")));
  EXPECT_FALSE(*cache.Remove(KeyFor("a")));
  fs::remove_all(folder.path());
  EXPECT_TRUE(absl::IsNotFound(cache.List().status()));
  // And it comes back.
  cache.Write(EntryFor("a"));
  EXPECT_TRUE(Has(cache, "a"));
}

// The bound on the time that a stopped process can cost.
TEST(ProgramCacheTest, AHolderIsNotWaitedForForEver) {
  CacheFolder folder;
  ProgramCacheOptions options = folder.Options();
  options.longest_wait = std::chrono::milliseconds(30);
  ProgramCache cache(options);
  const ProgramCache::Claim held = cache.Lock(KeyFor("a"));
  EXPECT_FALSE(held.waited());
  EXPECT_TRUE(cache.Lock(KeyFor("a")).waited());
  EXPECT_FALSE(cache.Lock(KeyFor("b")).waited());
  EXPECT_EQ(cache.stats().waits, 1);
}

}  // namespace
}  // namespace gsa
