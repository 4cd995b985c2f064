// -----------------------------------------------------------------------------
// File: kernel_cache_test.cc
// -----------------------------------------------------------------------------
//
// One compilation per key under concurrency, shared errors, keys that tell
// everything apart that changes the code, and modules shared while in use.

#include "runtime/core/cuda/kernel_cache.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CompileRequest Request(const std::string& source) {
  CompileRequest request;
  request.source = source;
  request.arch = "sm_90a";
  return request;
}

absl::StatusOr<CompiledCuda> Echo(const CompileRequest& request) {
  CompiledCuda compiled;
  compiled.image = "image of " + request.source;
  compiled.milliseconds = 2;
  return compiled;
}

TEST(KernelCacheTest, SixteenThreadsCompileOnce) {
  std::atomic<int> compiles = 0;
  KernelCache cache("test 1", [&](const CompileRequest& request) {
    ++compiles;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return Echo(request);
  });
  std::vector<std::shared_ptr<const CachedKernel>> kernels(16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&, i] { kernels[i] = *cache.Get(Request("a")); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(compiles, 1);
  for (const auto& kernel : kernels) EXPECT_EQ(kernel, kernels[0]);
  EXPECT_EQ(kernels[0]->code.image, "image of a");
  const KernelCache::Stats stats = cache.stats();
  EXPECT_EQ(stats.compiles, 1);
  EXPECT_EQ(stats.hits + stats.waits, 15);
  EXPECT_EQ(stats.compile_milliseconds, 2);
}

// Those who wait for a failing compilation get its error; who comes later
// starts a new one.
TEST(KernelCacheTest, ErrorsAreSharedAndForgotten) {
  std::atomic<int> compiles = 0;
  std::atomic<bool> go = false;
  KernelCache cache(
      "test 1",
      [&](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
        if (++compiles > 1) return Echo(request);
        while (!go) std::this_thread::yield();
        return absl::InvalidArgumentError("line 3");
      });
  std::vector<absl::Status> statuses(16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back(
        [&, i] { statuses[i] = cache.Get(Request("a")).status(); });
  // All others are waiting before the first fails.
  while (cache.stats().waits < 15) std::this_thread::yield();
  go = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(compiles, 1);
  for (const absl::Status& status : statuses)
    EXPECT_EQ(status, absl::InvalidArgumentError("line 3"));
  EXPECT_TRUE(cache.Get(Request("a")).ok());
  EXPECT_EQ(compiles, 2);
  EXPECT_EQ(cache.stats().failures, 1);
}

TEST(KernelCacheTest, KeysTellEverythingApart) {
  const std::vector<SourceHeader> headers = {{"a.cuh", "1"}, {"b.cuh", "2"}};
  const std::vector<SourceHeader> swapped = {{"a.cuh", "2"}, {"b.cuh", "1"}};
  std::vector<CompileRequest> requests(13, Request("text"));
  requests[1].source = "text ";
  requests[2].arch = "sm_80";
  requests[3].options = {"-lineinfo", "-O1"};
  requests[4].options = {"-lineinfo-O1"};
  requests[5].headers = headers;
  requests[6].headers = swapped;
  requests[7].output = CudaOutput::kPtx;
  requests[8].name = "other.cu";
  requests[9].options = {"-O1", "-lineinfo"};
  requests[10].options = {"-lineinfo"};
  const std::vector<SourceHeader> renamed = {{"a.cuh", "1"}, {"c.cuh", "2"}};
  requests[11].headers = renamed;
  requests[12].options = {"-lineinfo", "-O2"};
  std::set<std::string> keys;
  const KernelCache cache("test 1", Echo), newer("test 2", Echo);
  for (const CompileRequest& request : requests) {
    keys.insert(cache.KeyOf(request));
    keys.insert(newer.KeyOf(request));
  }
  EXPECT_EQ(keys.size(), 2 * requests.size());
  EXPECT_EQ(cache.KeyOf(requests[0]), cache.KeyOf(Request("text")));
}

TEST(KernelCacheTest, CompilesInParallelAndKeepsTheOrder) {
  std::atomic<int> running = 0, most = 0;
  KernelCache cache("test 1", [&](const CompileRequest& request) {
    const int now = ++running;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    --running;
    return Echo(request);
  });
  std::vector<CompileRequest> requests;
  for (int i = 0; i < 9; ++i) requests.push_back(Request(absl::StrCat(i)));
  auto kernels = cache.GetAll(requests, 3);
  ASSERT_TRUE(kernels.ok());
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ((*kernels)[i]->code.image, absl::StrCat("image of ", i));
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 3);
  EXPECT_TRUE(cache.GetAll({}, 3)->empty());
}

// One thread shows the order of the compilations.
// A system that gives no more threads: this one compiles all.
TEST(KernelCacheTest, CompilesWithoutFurtherThreads) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    // The limit does not bind root.
    if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0))
      _exit(2);
    const rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NPROC, &none) != 0) _exit(3);
    KernelCache cache("test 1", Echo);
    std::vector<CompileRequest> requests;
    for (int i = 0; i < 9; ++i) requests.push_back(Request(absl::StrCat(i)));
    const auto kernels = cache.GetAll(requests, 4);
    const bool all = kernels.ok() && kernels->size() == 9 &&
                     (*kernels)[8]->code.image == "image of 8";
    _exit(all ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(KernelCacheTest, CompilesTheLongestTextFirst) {
  std::vector<std::string> begun;
  KernelCache cache("test 1", [&](const CompileRequest& request) {
    begun.push_back(request.source);
    return Echo(request);
  });
  const std::vector<CompileRequest> requests = {
      Request("short"), Request("the longest"), Request("first"),
      Request("longer")};
  auto kernels = cache.GetAll(requests, 1);
  ASSERT_TRUE(kernels.ok());
  EXPECT_THAT(begun, ElementsAre("the longest", "longer", "short", "first"));
  for (size_t i = 0; i < requests.size(); ++i)
    EXPECT_EQ((*kernels)[i]->code.image, "image of " + requests[i].source);
}

// What is said of the work counts for more than the length.
TEST(KernelCacheTest, CompilesTheMostWorkFirst) {
  std::vector<std::string> begun;
  KernelCache cache("test 1", [&](const CompileRequest& request) {
    begun.push_back(request.source);
    return Echo(request);
  });
  std::vector<CompileRequest> requests = {Request("a long text"),
                                          Request("short"), Request("other")};
  const std::string key = cache.KeyOf(requests[1]);
  requests[0].work = 12;
  requests[1].work = 20;
  requests[2].work = 13;
  EXPECT_EQ(cache.KeyOf(requests[1]), key);
  ASSERT_TRUE(cache.GetAll(requests, 1).ok());
  EXPECT_THAT(begun, ElementsAre("short", "other", "a long text"));
}

// The error is that of the first request, though a longer text fails before.
TEST(KernelCacheTest, ReturnsTheFirstErrorInOrder) {
  KernelCache cache(
      "test 1",
      [&](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
        if (request.source == "good") return Echo(request);
        return absl::InternalError(request.source);
      });
  const std::vector<CompileRequest> requests = {
      Request("good"), Request("bad 1"), Request("bad and longer")};
  for (int threads : {1, 3})
    EXPECT_EQ(cache.GetAll(requests, threads).status(),
              absl::InternalError("bad 1"));
}

TEST(KernelCacheTest, ClearForgetsButKeepsWhatIsUsed) {
  KernelCache cache("test 1", Echo);
  const auto kernel = *cache.Get(Request("a"));
  cache.Clear();
  const auto again = *cache.Get(Request("a"));
  EXPECT_NE(kernel, again);
  EXPECT_EQ(kernel->code.image, again->code.image);
  EXPECT_EQ(cache.stats().compiles, 2);
}

TEST(KernelCacheTest, ModulesAreSharedPerDeviceWhileInUse) {
  FakeDriver fake({{}, {}});
  const DriverApi driver(fake.Table());
  KernelCache cache("test 1", Echo);
  const auto kernel = *cache.Get(Request("a"));
  {
    auto first = *PrimaryContext::Retain(driver, *GetDevice(driver, 0));
    auto second = *PrimaryContext::Retain(driver, *GetDevice(driver, 1));
    auto a = *cache.LoadModule(first, *kernel);
    auto b = *cache.LoadModule(first, *kernel);
    auto c = *cache.LoadModule(second, *kernel);
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    EXPECT_EQ(cache.stats().modules_loaded, 2);
    EXPECT_EQ(cache.stats().module_hits, 1);
  }
  EXPECT_EQ(fake.Leaks(), "");
  auto first = *PrimaryContext::Retain(driver, *GetDevice(driver, 0));
  EXPECT_TRUE(cache.LoadModule(first, *kernel).ok());
  EXPECT_EQ(cache.stats().modules_loaded, 3);
}

TEST(DeviceTest, ListsDevicesAndRefusesOthers) {
  FakeDriver fake({{9, 0, 232448}, {7, 5, 65536}, {12, 0, 101376}});
  const DriverApi driver(fake.Table());
  const auto devices = ListDevices(driver);
  ASSERT_TRUE(devices.ok()) << devices.status();
  ASSERT_EQ(devices->size(), 3u);
  EXPECT_EQ((*devices)[0].arch, "sm_90a");
  EXPECT_EQ((*devices)[0].name, "Fake GPU");
  EXPECT_EQ((*devices)[0].uuid, "GPU-00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ((*devices)[0].sm_count, 132);
  EXPECT_EQ((*devices)[1].arch, "sm_75");
  EXPECT_EQ((*devices)[2].arch, "sm_120");
  EXPECT_EQ((*devices)[2].limits.max_smem_bytes, 101376);
  for (int ordinal : {-1, 3}) {
    const auto missing = GetDevice(driver, ordinal);
    EXPECT_EQ(missing.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(missing.status().message()),
                HasSubstr("the driver shows 3 devices"));
  }
  EXPECT_THAT(std::string(ArchOf(7, 5).status().message()),
              HasSubstr("7.5 is not supported, expected one of 8.0 (sm_80)"));
  for (const auto& [major, minor, arch] :
       {std::tuple(8, 0, "sm_80"), std::tuple(8, 6, "sm_86"),
        std::tuple(8, 9, "sm_89"), std::tuple(10, 0, "sm_100a")})
    EXPECT_EQ(*ArchOf(major, minor), arch);
  EXPECT_EQ(SupportedArchs().size(), 6u);
}

TEST(DeviceTest, NoDeviceIsUnavailable) {
  FakeDriver fake(std::vector<FakeDriver::Device>{});
  const DriverApi driver(fake.Table());
  EXPECT_TRUE(ListDevices(driver)->empty());
  EXPECT_EQ(GetDevice(driver, 0).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(DeviceTest, BuffersCopyWithinTheirRange) {
  FakeDriver fake;
  const DriverApi driver(fake.Table());
  {
    auto context = *PrimaryContext::Retain(driver, *GetDevice(driver, 0));
    auto buffer = *DeviceBuffer::Allocate(context, 10);
    EXPECT_TRUE(buffer.Upload("abcdefghij", 10).ok());
    char text[5] = {};
    EXPECT_TRUE(buffer.Download(text, 4, 6).ok());
    EXPECT_STREQ(text, "ghij");
    EXPECT_FALSE(buffer.Download(text, 4, 7).ok());
    EXPECT_FALSE(buffer.Upload(text, -1).ok());
    DeviceBuffer moved = std::move(buffer);
    // NOLINTNEXTLINE(bugprone-use-after-move): that it is empty then is tested
    EXPECT_EQ(buffer.get(), 0u);
    EXPECT_EQ(moved.size(), 10);
    EXPECT_EQ(DeviceBuffer::Allocate(context, 0)->get(), 0u);
    fake.FailCall(0, cuda::kErrorOutOfMemory, "cuMemAlloc");
    const auto full = DeviceBuffer::Allocate(context, 5000);
    EXPECT_EQ(full.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(full.status().message()),
                HasSubstr("device 0 has 1000 of 2000 bytes free"));
  }
  EXPECT_EQ(fake.Leaks(), "");
}

}  // namespace
}  // namespace gsa
