// -----------------------------------------------------------------------------
// File: file_faults_test.cc
// -----------------------------------------------------------------------------
//
// Each call of the system in turn fails while files are written and read:
// tensors, packs, entries of the cache on disk. A file is the old one or the
// new one, whole; what the caller sees names the file; no descriptor and no
// temporary file is left; and the next use works.

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cache/cache_testing.h"
#include "cuda/fake_driver.h"
#include "faults/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/cuda/kernel_cache.h"
#include "runtime/core/program_cache.h"
#include "runtime/core/safetensors.h"
#include "runtime/load_plan.h"
#include "runtime/pack.h"

namespace gsa {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using Effect = Faults::Effect;
using Names = std::set<std::string>;

constexpr unsigned kSeconds = 300;

void ExpectTold(const absl::Status& status, const std::string& path) {
  ASSERT_FALSE(status.ok()) << "nobody was told";
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.ToString()), HasSubstr(strerror(EIO)));
}

// Bytes that are on disk before the name is, and the name before it is said to
// be: else a power cut leaves an empty file under it.
TEST(FileFaults, WhatIsWrittenIsFlushedBeforeItIsNamed) {
  CacheFolder folder;
  const std::string path = folder.path() + "/file";
  Faults::Arm(Faults::kFiles, 1000);
  const absl::Status status = WriteFileAtomically(path, "text");
  Faults::Disarm();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(Faults::Calls(),
              ElementsAre("stat", "open", "write", "fsync", "close", "rename",
                          "open", "fsync", "close"));
}

TEST(FileFaults, AFileIsTheOldOneOrTheNewOne) {
  alarm(kSeconds);
  CacheFolder folder;
  const std::string path = folder.path() + "/file";
  const std::string before(1000, 'a'), after(3000, 'b');
  WriteBytes(path, before);
  const int files = OpenFiles();
  const auto attempt = [&](const auto& arm) {
    arm();
    return WriteFileAtomically(path, after);
  };
  Names seen;
  const int calls =
      ForEachFault(Faults::kFiles, attempt,
                   [&](const absl::Status& status, const std::string& failed) {
                     EXPECT_THAT(folder.Names(), ElementsAre("file"));
                     EXPECT_EQ(OpenFiles(), files);
                     if (status.ok()) {
                       // That the name is on disk, too, is more than was
                       // promised.
                       EXPECT_THAT(seen, Contains("rename"));
                       EXPECT_EQ(ReadBytes(path), after);
                     } else {
                       ExpectTold(status, path);
                       EXPECT_EQ(ReadBytes(path), before);
                     }
                     seen.insert(failed);
                     EXPECT_TRUE(WriteFileAtomically(path, after).ok());
                     EXPECT_EQ(ReadBytes(path), after);
                     WriteBytes(path, before);
                   });
  EXPECT_EQ(calls, 10);
  // Pieces, and signals between them.
  for (Effect effect : {Effect::kPart, Effect::kInterrupted})
    ForEachFault(
        Faults::kFiles, attempt,
        [&](const absl::Status& status, const std::string&) {
          EXPECT_TRUE(status.ok()) << status;
          EXPECT_EQ(ReadBytes(path), after);
          WriteBytes(path, before);
        },
        /*onwards=*/false, effect);
  // A file system that takes nothing and has no error for it.
  WriteBytes(path, before);
  Faults::Arm(Faults::kFiles, 0, /*onwards=*/true, Effect::kNothing);
  const absl::Status status = WriteFileAtomically(path, after);
  Faults::Disarm();
  EXPECT_THAT(std::string(status.message()),
              AnyOf(HasSubstr(path), HasSubstr("write")));
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(ReadBytes(path), before);
}

TEST(FileFaults, Tensors) {
  alarm(kSeconds);
  CacheFolder folder;
  const std::string path = folder.path() + "/x.safetensors";
  std::vector<HostTensor> tensors;
  tensors.push_back(*HostTensor::Create("x", DType::kF32, {4, 4}));
  tensors.push_back(*HostTensor::Create("y", DType::kF32, {2}));
  const int files = OpenFiles();
  const auto write = [&](const auto& arm) {
    arm();
    return WriteSafetensors(path, tensors);
  };
  ForEachFault(Faults::kFiles, write,
               [&](const absl::Status& status, const std::string&) {
                 if (!status.ok()) ExpectTold(status, path);
                 EXPECT_EQ(OpenFiles(), files);
               });
  const auto read = [&](const auto& arm) {
    arm();
    auto file = SafetensorsFile::Open(path);
    if (!file.ok()) return file.status();
    auto x = file->Get("x");
    if (!x.ok()) return x.status();
    return file->Get("y").status();
  };
  Names seen;
  ForEachFault(Faults::kFiles | Faults::kMemory, read,
               [&](const absl::Status& status, const std::string& failed) {
                 seen.insert(failed);
                 if (failed == "aligned_alloc") {
                   EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
                   EXPECT_THAT(std::string(status.message()),
                               HasSubstr("tensor '"));
                 } else if (!GivesBack(failed)) {
                   ExpectTold(status, path);
                 }
                 EXPECT_EQ(OpenFiles(), files);
               });
  EXPECT_THAT(seen,
              ElementsAre("aligned_alloc", "close", "fstat", "open", "pread"));
  for (Effect effect : {Effect::kPart, Effect::kInterrupted})
    ForEachFault(
        Faults::kFiles, read,
        [&](const absl::Status& status, const std::string&) {
          EXPECT_TRUE(status.ok()) << status;
        },
        /*onwards=*/false, effect);
  ForEachFault(
      Faults::kFiles, read,
      [&](const absl::Status& status, const std::string&) {
        EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
        EXPECT_THAT(std::string(status.message()), HasSubstr(path));
      },
      /*onwards=*/false, Effect::kNothing);
}

//===----------------------------------------------------------------------===//
// Packs
//===----------------------------------------------------------------------===//

// Of one kernel with the code "ELF attend", on one buffer.
Pack SmallPack() {
  PackedPlan plan;
  plan.module = "m.mlir";
  plan.entry = "main";
  plan.arch = "sm_90a";
  plan.interface.inputs = {{"x", DType::kF32, {1, 16}}};
  plan.interface.outputs = {{"y", DType::kF32, {1, 16}}};
  plan.interface.zone_names = {"attend"};
  KernelSource kernel;
  kernel.symbol = "attend";
  kernel.image = "ELF attend";
  kernel.threads_per_block = 128;
  plan.program.arch = plan.arch;
  plan.program.kernels = {kernel};
  plan.program.inputs = {{"x", 64}};
  plan.program.outputs = {{"y", 64}};
  plan.program.zone_names = {"attend"};
  LaunchStep step;
  step.args = {BufferRef{BufferRef::Kind::kOutput, 0, 0}};
  plan.program.steps = {step};
  Pack pack;
  pack.plans = {plan};
  return pack;
}

// Read, loaded and run, with the driver's calls among those that fail.
TEST(FileFaults, Packs) {
  alarm(kSeconds);
  CacheFolder folder;
  const std::string path = folder.path() + "/p.gsapack";
  WriteBytes(path, EncodePack(SmallPack()));
  const int files = OpenFiles();
  std::string leaks;
  const auto attempt = [&](const auto& arm) {
    FakeDriver fake;
    fake.kernels["attend"] = {{8}};
    const DriverApi driver(WithFaults(fake.Table()));
    const cuda::Stream stream = fake.StreamOf(0);
    absl::Status status;
    {
      auto context = *PrimaryContext::Retain(driver, *GetDevice(driver, 0));
      auto x = *DeviceBuffer::Allocate(context, 64);
      auto y = *DeviceBuffer::Allocate(context, 64);
      LoadOptions options;
      options.target = "cuda";
      options.driver = &driver;
      const std::vector<int64_t> shape = {1, 16};
      const TensorView input = {DType::kF32, shape, x.data()};
      const MutableTensorView output = {DType::kF32, shape, y.data()};
      std::vector<ZoneTime> times;
      RunOptions run;
      run.stream = stream;
      run.zone_times = &times;
      arm();
      auto pack = ReadPack(path);
      status = pack.status();
      if (status.ok()) {
        auto plan = LoadPlan(*pack, options);
        status = plan.status();
        if (status.ok()) status = (*plan)->Run({input}, {output}, {}, run);
      }
      Faults::Disarm();
    }
    leaks = fake.Leaks();
    return status;
  };
  Names seen;
  ForEachFault(Faults::kFiles | Faults::kDriver, attempt,
               [&](const absl::Status& status, const std::string& failed) {
                 seen.insert(failed);
                 EXPECT_EQ(OpenFiles(), files);
                 if (failed == "cuCtxPushCurrent_v2") return;
                 EXPECT_EQ(leaks, "");
                 if (GivesBack(failed) || failed == "cuCtxGetCurrent" ||
                     failed == "cuThreadExchangeStreamCaptureMode")
                   return;
                 if (failed.rfind("cu", 0) != 0)
                   return ExpectTold(status, path);
                 ASSERT_FALSE(status.ok()) << "nobody was told";
                 EXPECT_THAT(std::string(status.message()),
                             HasSubstr("_OF_TEST"));
               });
  EXPECT_THAT(seen, IsSupersetOf({"close", "fstat", "open", "read",
                                  "cuModuleLoadDataEx", "cuLaunchKernel",
                                  "cuEventElapsedTime"}));
  for (Effect effect : {Effect::kPart, Effect::kInterrupted})
    ForEachFault(
        Faults::kFiles, attempt,
        [&](const absl::Status& status, const std::string&) {
          EXPECT_TRUE(status.ok()) << status;
        },
        /*onwards=*/false, effect);
}

//===----------------------------------------------------------------------===//
// The cache on disk
//===----------------------------------------------------------------------===//

// Names that are no entry and no lock of a compilation.
std::vector<std::string> Leftovers(const CacheFolder& folder) {
  std::vector<std::string> names = folder.Names();
  names.erase(std::remove_if(names.begin(), names.end(),
                             [](const std::string& name) {
                               return name.ends_with(".gsa") ||
                                      name.ends_with(".lock");
                             }),
              names.end());
  return names;
}

// What fails is a miss or not written, and is said; never the caller's error.
TEST(FileFaults, EntriesOfTheCache) {
  alarm(kSeconds);
  const ProgramEntry entry = EntryFor("a", 3000);
  const int files = OpenFiles();
  for (const char* missing : {"", "/not/there"}) {
    Names seen;
    std::string problems;
    int64_t failures = 0;
    const auto attempt = [&](const auto& arm) {
      CacheFolder folder;
      ProgramCacheOptions options = folder.Options();
      options.directory += missing;
      options.longest_wait = std::chrono::milliseconds(100);
      ProgramCache cache(options);
      std::optional<ProgramEntry> read;
      arm();
      {
        const ProgramCache::Claim claim = cache.Lock(entry.key);
        cache.Write(entry);
        read = cache.Read(entry.key, entry.kind);
      }
      Faults::Disarm();
      failures = cache.stats().write_failures + cache.stats().refused;
      problems = cache.problems().empty() ? "" : cache.problems()[0];
      if (read) EXPECT_EQ(read->payload, entry.payload);
      EXPECT_THAT(Leftovers(folder), Each(AnyOf("not", "there")));
      EXPECT_EQ(OpenFiles(), files);
      // Another process, later.
      ProgramCache next(options);
      cache.Write(entry);
      const auto again = next.Read(entry.key, entry.kind);
      EXPECT_TRUE(again && again->payload == entry.payload) << Faults::Failed();
      return absl::OkStatus();
    };
    ForEachFault(Faults::kFiles, attempt,
                 [&](const absl::Status&, const std::string& failed) {
                   seen.insert(failed);
                   if (failures > 0) {
                     EXPECT_THAT(problems, HasSubstr("gsa_cache_"));
                     EXPECT_THAT(problems, Not(HasSubstr("changed")));
                   }
                 });
    EXPECT_THAT(seen,
                IsSupersetOf({"close", "fdopendir", "flock", "fstat", "fstatat",
                              "fsync", "open", "openat", "read", "readdir",
                              "rename", "unlink", "write"}));
  }
}

// An error of reading is none of the file's.
TEST(FileFaults, AnEntryThatCannotBeReadIsNotCalledChanged) {
  CacheFolder folder;
  ProgramCache cache(folder.Options());
  cache.Write(EntryFor("a"));
  const auto count = [&](EntryRefusal refusal) {
    return cache.stats().refusals[static_cast<size_t>(refusal)];
  };
  Faults::Arm(Faults::kFiles, 0, /*onwards=*/true, Effect::kFails, "read");
  EXPECT_FALSE(cache.Read(KeyFor("a"), "cubin").has_value());
  Faults::Disarm();
  ASSERT_EQ(Faults::Failed(), "read");
  EXPECT_EQ(count(EntryRefusal::kChanged), 0);
  EXPECT_EQ(count(EntryRefusal::kTruncated), 0);
  EXPECT_GT(count(EntryRefusal::kUnreadable), 0);
}

// A lock whose file cannot be looked at is given to everybody, at once.
TEST(FileFaults, ALockThatCannotBeLookedAtIsNotWaitedFor) {
  alarm(kSeconds);
  CacheFolder folder;
  ProgramCacheOptions options = folder.Options();
  options.longest_wait = std::chrono::seconds(3600);
  ProgramCache cache(options);
  for (const char* name : {"fstat", "fstatat", "flock", "openat"}) {
    // The first one looks at the directory.
    const int index = std::string(name) == "fstat" ? 1 : 0;
    Faults::Arm(Faults::kFiles, index, /*onwards=*/true, Effect::kFails, name);
    {
      const ProgramCache::Claim claim = cache.Lock(KeyFor("a"));
    }
    Faults::Disarm();
    EXPECT_EQ(Faults::Failed(), name);
  }
}

// What tools ask for: statuses, and never half a list that is called whole.
TEST(FileFaults, ToolsOfTheCache) {
  alarm(kSeconds);
  const int files = OpenFiles();
  const auto attempt = [&](const auto& arm) -> absl::Status {
    CacheFolder folder;
    ProgramCache cache(folder.Options());
    for (const char* name : {"a", "b", "c"}) cache.Write(EntryFor(name));
    arm();
    const auto listing = cache.List();
    const auto collected = cache.Collect(0);
    const auto removed = cache.Remove(KeyFor("a"));
    Faults::Disarm();
    EXPECT_EQ(OpenFiles(), files);
    if (!listing.ok()) return listing.status();
    if (listing->complete && Faults::Failed() != "fstatat")
      EXPECT_THAT(listing->files, SizeIs(3)) << Faults::Failed();
    if (!collected.ok()) return collected.status();
    return removed.status();
  };
  ForEachFault(
      Faults::kFiles, attempt,
      [&](const absl::Status& status, const std::string&) {
        if (status.ok()) return;
        EXPECT_THAT(std::string(status.message()), HasSubstr("gsa_cache_"));
        EXPECT_THAT(std::string(status.message()), Not(HasSubstr("more than")));
      });
}

// A kernel is compiled, whatever the disk does.
TEST(FileFaults, KernelsNeedNoDisk) {
  alarm(kSeconds);
  const int files = OpenFiles();
  const auto attempt = [&](const auto& arm) -> absl::Status {
    CacheFolder folder;
    CompileRequest request;
    request.source = "text";
    request.arch = "sm_90a";
    const auto identify = []() -> absl::StatusOr<NvrtcIdentity> {
      return NvrtcIdentity{"13.0", 13, 1000};
    };
    arm();
    for (int process = 0; process < 2; ++process) {
      KernelCache cache("test", TextAsImage,
                        std::make_shared<ProgramCache>(folder.Options()),
                        identify);
      const auto kernel = cache.Get(request);
      if (!kernel.ok()) return kernel.status();
      EXPECT_EQ((*kernel)->code.image, "text");
    }
    Faults::Disarm();
    EXPECT_THAT(Leftovers(folder), IsEmpty());
    EXPECT_EQ(OpenFiles(), files);
    return absl::OkStatus();
  };
  const int calls =
      ForEachFault(Faults::kFiles, attempt,
                   [](const absl::Status& status, const std::string&) {
                     EXPECT_TRUE(status.ok()) << status;
                   });
  EXPECT_GT(calls, 20);
}

}  // namespace
}  // namespace gsa
