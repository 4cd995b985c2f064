// -----------------------------------------------------------------------------
// File: cache_processes_test.cc
// -----------------------------------------------------------------------------
//
// One directory among many processes: one compilation a key, and processes that
// are killed at any moment leave nothing that is read. And kernels: what is
// read from disk is what was compiled, and no compiler is opened for it.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "cache_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/kernel_cache.h"
#include "runtime/core/cuda/nvrtc_loader.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::SizeIs;

constexpr int kProcesses = 64;
constexpr int kKeys = 32;

// A child process that ends with the result of `work`.
pid_t Fork(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child;
}

int WaitFor(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

CompileRequest Request(const std::string& source) {
  CompileRequest request;
  request.name = "k.cu";
  request.source = source;
  request.arch = "sm_90a";
  return request;
}

NvrtcIdentity Thirteen() {
  NvrtcIdentity identity;
  identity.version = "13.0";
  identity.major = 13;
  identity.bytes = 1000;
  return identity;
}

// A compiler whose code tells the source, with what ptxas says.
absl::StatusOr<CompiledCuda> Echo(const CompileRequest& request) {
  CompiledCuda compiled;
  compiled.image = "\x7f" + std::string("ELF\0", 4) + request.source;
  compiled.output = request.output;
  compiled.log.text =
      "k.cu(3): warning #177-D: variable \"x\" is unused\n"
      "ptxas info    : Compiling entry function 'k' for 'sm_90a'\n"
      "ptxas info    : Used 24 registers, 128 bytes smem\n";
  compiled.log.messages = ParseMessages(compiled.log.text);
  if (request.output == CudaOutput::kCubin)
    compiled.kernels = ParseResources(compiled.log.text);
  compiled.milliseconds = 2.5;
  return compiled;
}

std::unique_ptr<KernelCache> MakeCache(const ProgramCacheOptions& options,
                                       KernelCache::Compiler compiler) {
  return std::make_unique<KernelCache>("test", std::move(compiler),
                                       std::make_shared<ProgramCache>(options),
                                       [] { return Thirteen(); });
}

TEST(CacheProcessesTest, ManyProcessesCompileEachKeyOnce) {
  CacheFolder folder;
  const std::string log = folder.path() + "/compilations.txt";
  const auto work = [&](int process) {
    const auto cache = MakeCache(
        folder.Options(),
        [&](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
          // One write appends one line, whoever else does.
          const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
          const std::string line = request.source + "\n";
          if (write(fd, line.data(), line.size()) < 0) _exit(9);
          close(fd);
          usleep(1000);
          return Echo(request);
        });
    std::vector<int> order(kKeys);
    for (int i = 0; i < kKeys; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(process));
    for (int i : order) {
      const CompileRequest request = Request(absl::StrCat("source ", i));
      const auto kernel = cache->Get(request);
      if (!kernel.ok() || (*kernel)->code.image != Echo(request)->image)
        return 1;
    }
    const ProgramCache::Stats stats = cache->programs()->stats();
    return stats.refused + stats.write_failures == 0 ? 0 : 2;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i)
    children.push_back(Fork([&, i] { return work(i); }));
  for (pid_t child : children) EXPECT_EQ(WaitFor(child), 0);
  const std::string compiled = ReadBytes(log);
  EXPECT_EQ(std::count(compiled.begin(), compiled.end(), '\n'), kKeys);
  fs::remove(log);
  ProgramCache cache(folder.Options());
  const auto listing = cache.List();
  ASSERT_TRUE(listing.ok());
  EXPECT_THAT(listing->files, SizeIs(kKeys));
  ProgramEntry entry;
  for (const ProgramCache::File& file : listing->files)
    EXPECT_EQ(cache.Check(file.key, &entry), EntryRefusal::kNone);
  // No lock and no temporary file is left.
  EXPECT_THAT(folder.Names(), SizeIs(kKeys));
}

TEST(CacheProcessesTest, KilledAtAnyMoment) {
  CacheFolder folder;
  constexpr int kRounds = 1000;
  std::mt19937 random(7);
  ProgramCache reader(folder.Options());
  for (int round = 0; round < kRounds; ++round) {
    int begun[2];
    ASSERT_EQ(pipe(begun), 0);
    const pid_t child = Fork([&] {
      ProgramCache cache(folder.Options());
      if (write(begun[1], "", 1) != 1) return 1;
      for (int i = 0;; ++i) {
        const std::string name = absl::StrCat("k", i % 4);
        const ProgramCache::Claim claim = cache.Lock(KeyFor(name));
        cache.Write(EntryFor(name, 20000));
      }
      return 0;
    });
    // From when it is at work: on a machine with other work that takes longer
    // than the sleep. In one round of ten also before.
    char byte;
    if (round % 10 != 0) ASSERT_EQ(read(begun[0], &byte, 1), 1);
    usleep(random() % 3000);
    kill(child, SIGKILL);
    close(begun[0]);
    close(begun[1]);
    ASSERT_TRUE(WIFSIGNALED(WaitFor(child)));
    for (int i = 0; i < 4; ++i) {
      const std::string name = absl::StrCat("k", i);
      const auto entry = reader.Read(KeyFor(name), "cubin");
      if (entry) ASSERT_EQ(entry->payload, EntryFor(name, 20000).payload);
    }
    // What the dead one held is free.
    ASSERT_FALSE(reader.Lock(KeyFor("k0")).waited());
  }
  EXPECT_EQ(reader.stats().refused, 0);
  EXPECT_GT(reader.stats().hits, 100);
}

TEST(KernelCacheDiskTest, AnotherProcessReadsWhatOneCompiled) {
  CacheFolder folder;
  const auto first = MakeCache(folder.Options(), Echo);
  KernelOrigin origin;
  const auto compiled = *first->Get(Request("a"), &origin);
  EXPECT_EQ(origin, KernelOrigin::kCompiled);
  (void)*first->Get(Request("a"), &origin);
  EXPECT_EQ(origin, KernelOrigin::kMemory);
  const auto second =
      MakeCache(folder.Options(),
                [](const CompileRequest&) -> absl::StatusOr<CompiledCuda> {
                  return absl::InternalError("compiled");
                });
  const auto read = second->Get(Request("a"), &origin);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(origin, KernelOrigin::kDisk);
  const CompiledCuda& code = (*read)->code;
  EXPECT_EQ(code.image, compiled->code.image);
  EXPECT_EQ(code.milliseconds, 2.5);
  ASSERT_THAT(code.kernels, SizeIs(1));
  EXPECT_EQ(code.kernels[0].registers, 24);
  EXPECT_EQ(code.kernels[0].static_smem_bytes, 128);
  ASSERT_THAT(code.log.messages, SizeIs(1));
  EXPECT_EQ(code.log.messages[0].line, 3);
  EXPECT_EQ(second->stats().compiles, 0);
  EXPECT_EQ(second->stats().disk_hits, 1);
  EXPECT_EQ(first->stats().compiles, 1);
  // Errors are not kept.
  EXPECT_FALSE(second->Get(Request("b")).ok());
  EXPECT_THAT(second->programs()->List()->files, SizeIs(1));
}

TEST(KernelCacheDiskTest, KeysTellEverythingApart) {
  const KernelCache cache("test", Echo);
  std::vector<std::string> keys;
  const auto add = [&](const CompileRequest& request,
                       const NvrtcIdentity& compiler) {
    keys.push_back(cache.ProgramKeyOf(request, compiler));
    EXPECT_EQ(keys.back(), cache.ProgramKeyOf(request, compiler));
  };
  CompileRequest request = Request("a");
  NvrtcIdentity compiler = Thirteen();
  add(request, compiler);
  compiler.bytes = 1001;  // an update of the same version
  add(request, compiler);
  compiler = Thirteen();
  compiler.version = "13.1";
  add(request, compiler);
  compiler = Thirteen();
  compiler.major = 12;  // which is given other options
  add(request, compiler);
  compiler = Thirteen();
  request.source = "b";
  add(request, compiler);
  request = Request("a");
  request.arch = "sm_100a";
  add(request, compiler);
  request = Request("a");
  request.options = {"-lineinfo"};
  add(request, compiler);
  request = Request("a");
  request.output = CudaOutput::kPtx;
  add(request, compiler);
  request = Request("a");
  request.name = "other.cu";  // which line information has
  add(request, compiler);
  request = Request("a");
  request.options = {"-lineinfo", "-O1"};
  add(request, compiler);
  request.options = {"-O1", "-lineinfo"};
  add(request, compiler);
  const std::vector<SourceHeader> headers = {{"a.cuh", "x"}};
  const std::vector<SourceHeader> other = {{"a.cuh", "y"}};
  request = Request("a");
  request.headers = headers;
  add(request, compiler);
  request.headers = other;
  add(request, compiler);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
}

TEST(KernelCacheDiskTest, CompilingCanBeForbidden) {
  CacheFolder folder;
  const auto only = MakeCache(folder.Options(CacheMode::kOnly), Echo);
  const absl::Status refused = only->Get(Request("a")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(only->stats().compiles, 0);
  ASSERT_TRUE(MakeCache(folder.Options(), Echo)->Get(Request("a")).ok());
  // An error is not kept, in this process either.
  KernelOrigin origin;
  ASSERT_TRUE(only->Get(Request("a"), &origin).ok());
  EXPECT_EQ(origin, KernelOrigin::kDisk);
}

// What a fault of the directory costs is a compilation.
TEST(KernelCacheDiskTest, ABadEntryIsCompiledAgain) {
  CacheFolder folder;
  ASSERT_TRUE(MakeCache(folder.Options(), Echo)->Get(Request("a")).ok());
  for (const auto& file : fs::directory_iterator(folder.path()))
    WriteBytes(file.path(), "GSAENTRY");
  const auto again = MakeCache(folder.Options(), Echo);
  KernelOrigin origin;
  ASSERT_TRUE(again->Get(Request("a"), &origin).ok());
  EXPECT_EQ(origin, KernelOrigin::kCompiled);
  EXPECT_EQ(again->programs()->stats().refused, 1);
  const auto third = MakeCache(folder.Options(), Echo);
  ASSERT_TRUE(third->Get(Request("a"), &origin).ok());
  EXPECT_EQ(origin, KernelOrigin::kDisk);
}

// A record that named another compiler: what is compiled goes under the name of
// the one that compiled it.
TEST(KernelCacheDiskTest, AWrongGuessIsPutRight) {
  CacheFolder folder;
  const auto programs = std::make_shared<ProgramCache>(folder.Options());
  bool opened = false;
  KernelCache cache(
      "test",
      [&](const CompileRequest& request) {
        opened = true;
        return Echo(request);
      },
      programs,
      [&] {
        NvrtcIdentity identity = Thirteen();
        if (opened) identity.version = "13.1";
        return identity;
      });
  ASSERT_TRUE(cache.Get(Request("a")).ok());
  NvrtcIdentity actual = Thirteen();
  EXPECT_FALSE(programs->Read(cache.ProgramKeyOf(Request("a"), actual), "cubin")
                   .has_value());
  actual.version = "13.1";
  EXPECT_TRUE(programs->Read(cache.ProgramKeyOf(Request("a"), actual), "cubin")
                  .has_value());
}

class NvrtcLoaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto nvrtc = NvrtcApi::Load(getToolkitSearchFromEnvironment());
    if (!nvrtc.ok()) GTEST_SKIP() << nvrtc.status();
    file_ = (*nvrtc)->path();
    search_.only = folder_.path() + "/toolkit";
    fs::create_directories(search_.only);
    Link();
  }
  // A folder with links to the library and what it needs.
  void Link() {
    for (const auto& file :
         fs::directory_iterator(fs::path(file_).parent_path())) {
      const std::string name = file.path().filename().string();
      if (name.find("libnvrtc") == 0)
        fs::create_symlink(file.path(), search_.only + "/" + name);
    }
  }

  CacheFolder folder_, cache_;
  std::string file_;
  ToolkitSearch search_;
};

TEST_F(NvrtcLoaderTest, ARecordStandsForTheLibrary) {
  const auto programs = std::make_shared<ProgramCache>(cache_.Options());
  NvrtcLoader first(search_, programs);
  const auto found = first.Identify();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(first.is_loaded());
  EXPECT_GT(found->bytes, 1000000);
  EXPECT_GE(found->major, 12);

  NvrtcLoader second(search_, programs);
  ASSERT_TRUE(second.Identify().ok());
  EXPECT_FALSE(second.is_loaded());
  EXPECT_EQ(second.Identify()->ToString(), found->ToString());
  ASSERT_TRUE(second.Get().ok());
  EXPECT_TRUE(second.is_loaded());

  // Without records, and with those of another search, it is opened.
  NvrtcLoader none(search_, nullptr);
  ASSERT_TRUE(none.Identify().ok());
  EXPECT_TRUE(none.is_loaded());
  ToolkitSearch other = search_;
  other.only += "/";
  NvrtcLoader elsewhere(other, programs);
  ASSERT_TRUE(elsewhere.Identify().ok());
  EXPECT_TRUE(elsewhere.is_loaded());
}

// The search of the whole system, whose loader's path a loaded library is on.
// In a process of its own, which has none open.
TEST(NvrtcRecordTest, OfTheWholeSystem) {
  CacheFolder folder;
  const auto work = [&](bool expect_loaded) {
    return Fork([&folder, expect_loaded] {
      NvrtcLoader loader(getToolkitSearchFromEnvironment(),
                         std::make_shared<ProgramCache>(folder.Options()));
      if (!loader.Identify().ok()) return 3;
      return loader.is_loaded() == expect_loaded ? 0 : 1;
    });
  };
  const int first = WaitFor(work(true));
  if (WIFEXITED(first) && WEXITSTATUS(first) == 3)
    GTEST_SKIP() << "there is no NVRTC";
  EXPECT_EQ(first, 0);
  EXPECT_EQ(WaitFor(work(false)), 0);
}

TEST_F(NvrtcLoaderTest, AChangeOfWhatIsSearchedEndsTheRecord) {
  const auto programs = std::make_shared<ProgramCache>(cache_.Options());
  ASSERT_TRUE(NvrtcLoader(search_, programs).Identify().ok());
  // A library that the search would see: not one that it takes.
  fs::create_directories(search_.only + "/lib64");
  WriteBytes(search_.only + "/lib64/libnvrtc.so.13", "");
  NvrtcLoader after(search_, programs);
  ASSERT_TRUE(after.Identify().ok());
  EXPECT_TRUE(after.is_loaded());
  // And one that is gone is an error, in spite of the record.
  fs::remove_all(search_.only);
  NvrtcLoader gone(search_, programs);
  EXPECT_TRUE(absl::IsUnavailable(gone.Identify().status()));
}

// The whole of it: a real kernel, and a second process that opens nothing.
TEST_F(NvrtcLoaderTest, KernelsFromDiskNeedNoLibrary) {
  const auto programs = std::make_shared<ProgramCache>(cache_.Options());
  CompileRequest request = Request(
      "extern \"C\" __global__ void k(int *p) { p[threadIdx.x] = 1; }\n");
  const auto first_loader = std::make_shared<NvrtcLoader>(search_, programs);
  const auto first = KernelCache::ForLoader(first_loader, programs);
  const auto compiled = first->Get(request);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  const auto loader = std::make_shared<NvrtcLoader>(search_, programs);
  const auto second = KernelCache::ForLoader(loader, programs);
  KernelOrigin origin;
  const auto read = second->Get(request, &origin);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(origin, KernelOrigin::kDisk);
  EXPECT_FALSE(loader->is_loaded());
  EXPECT_EQ((*read)->code.image, (*compiled)->code.image);
  EXPECT_GT((*read)->code.kernels.at(0).registers, 0);
  EXPECT_EQ((*read)->code.kernels.at(0).registers,
            (*compiled)->code.kernels.at(0).registers);
  // Something else must be compiled, and is.
  request.source += "// more\n";
  ASSERT_TRUE(second->Get(request, &origin).ok());
  EXPECT_EQ(origin, KernelOrigin::kCompiled);
  EXPECT_TRUE(loader->is_loaded());
}

}  // namespace
}  // namespace gsa
