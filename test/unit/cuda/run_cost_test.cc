// -----------------------------------------------------------------------------
// File: run_cost_test.cc
// -----------------------------------------------------------------------------
//
// What a run costs the host beside the launches themselves: allocations, calls
// of the driver, time. The program is that of a step of decoding: three
// launches, maps among their parameters.

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "test/unit/count_allocations.h"

namespace gsa {
namespace {

using gsa_testing::AllocationsOf;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Kind = BufferRef::Kind;

constexpr int kInputs = 9;
constexpr int kOutputs = 2;
constexpr int64_t kBytes = 4096;

DeviceProgram DecodeProgram() {
  DeviceProgram program;
  program.arch = "sm_90a";
  for (const char* symbol : {"scores", "topk", "attend"})
    program.kernels.push_back(
        {symbol, std::string("text ") + symbol, 128, 1000, {}, {}});
  for (int i = 0; i < kInputs; ++i)
    program.inputs.push_back({"input" + std::to_string(i), kBytes});
  for (int i = 0; i < kOutputs; ++i)
    program.outputs.push_back({"output" + std::to_string(i), kBytes});
  program.workspace_bytes = kBytes;
  program.zone_names = {"select", "attention"};
  for (int32_t i = 0; i < 3; ++i) {
    LaunchStep step;
    step.kernel = i;
    step.zone = i / 2;
    TensorMapArg map;
    map.base = {Kind::kInput, i, 0};
    map.rows = 16, map.columns = 64, map.row_pitch = 128;
    map.box_rows = 16, map.box_columns = 64, map.swizzle_bytes = 128;
    step.args = {map, BufferRef{Kind::kInput, 3 + i, 16},
                 BufferRef{Kind::kWorkspace, 0, 256},
                 BufferRef{Kind::kOutput, i / 2, 0}, int32_t{7}};
    program.steps.push_back(step);
  }
  return program;
}

// The functions that a run calls, as quiet as they can be: the fake driver
// records, which allocates.
struct Quiet {
  static inline std::atomic<int64_t> calls{0};
  static inline thread_local uint64_t last_argument = 0;

  static cuda::Result Launch(cuda::Function, unsigned, unsigned, unsigned,
                             unsigned, unsigned, unsigned, unsigned,
                             cuda::Stream, void** parameters, void**) {
    calls.fetch_add(1, std::memory_order_relaxed);
    std::memcpy(&last_argument, parameters[3], 8);
    return cuda::kSuccess;
  }
  static cuda::Result Attributes(unsigned, int*, void** values,
                                 cuda::DevicePtr) {
    calls.fetch_add(1, std::memory_order_relaxed);
    *static_cast<unsigned*>(values[0]) = cuda::kMemoryDevice;
    *static_cast<int*>(values[1]) = 0;
    *static_cast<int*>(values[2]) = 0;
    return cuda::kSuccess;
  }
  static cuda::Result Encode(cuda::TensorMap* map, int, uint32_t, void* address,
                             const uint64_t*, const uint64_t*, const uint32_t*,
                             const uint32_t*, int, int, int, int) {
    calls.fetch_add(1, std::memory_order_relaxed);
    map->opaque[0] = reinterpret_cast<uint64_t>(address);
    return cuda::kSuccess;
  }
  static cuda::Result IsCapturing(cuda::Stream, int* status) {
    calls.fetch_add(1, std::memory_order_relaxed);
    *status = cuda::kCaptureNone;
    return cuda::kSuccess;
  }
  static cuda::Result LaunchGraph(cuda::GraphExec, cuda::Stream) {
    calls.fetch_add(1, std::memory_order_relaxed);
    return cuda::kSuccess;
  }
  static int64_t TakeCalls() { return calls.exchange(0); }
};

class RunCostTest : public ::testing::Test {
 protected:
  RunCostTest() {
    for (const char* symbol : {"scores", "topk", "attend"})
      fake_.kernels[symbol] = {{128, 8, 8, 8, 4}};
    options_.driver = &driver_;
    options_.kernels = &cache_;
  }

  // After this nothing of a run is recorded.
  static cuda::DriverTable QuietTable(cuda::DriverTable table) {
    table.LaunchKernel = Quiet::Launch;
    table.GraphLaunch = Quiet::LaunchGraph;
    table.PointerGetAttributes = Quiet::Attributes;
    table.TensorMapEncodeTiled = Quiet::Encode;
    table.StreamIsCapturing = Quiet::IsCapturing;
    return table;
  }

  // Addresses that nobody reads or writes, as those of device memory are for
  // the host.
  struct Buffers {
    explicit Buffers(uintptr_t set) {
      uintptr_t next = (set + 1) << 20;
      const auto take = [&] { return reinterpret_cast<void*>(next += kBytes); };
      for (int i = 0; i < kInputs; ++i) inputs.push_back(take());
      for (int i = 0; i < kOutputs; ++i) outputs.push_back(take());
      run.inputs = inputs;
      run.outputs = outputs;
      run.workspace = take();
      run.workspace_bytes = kBytes;
    }
    Buffers(const Buffers&) = delete;
    std::vector<void*> inputs, outputs;
    RunArguments run;
  };

  FakeDriver fake_;
  DriverApi driver_{QuietTable(fake_.Table())};
  KernelCache cache_{"test", TextAsImage};
  ExecutorOptions options_;
};

TEST_F(RunCostTest, KnownBuffersCostTheLaunches) {
  auto executor = *CudaExecutor::Create(DecodeProgram(), 0, options_);
  const Buffers buffers(0);
  Quiet::TakeCalls();
  ASSERT_TRUE(executor->Run(buffers.run).ok());
  // Twelve pointers are looked up, three maps made.
  EXPECT_EQ(Quiet::TakeCalls(), 12 + 3 + 1 + 3);
  EXPECT_EQ(
      AllocationsOf([&] { ASSERT_TRUE(executor->Run(buffers.run).ok()); }), 0);
  // Whether the stream captures, and the launches.
  EXPECT_EQ(Quiet::TakeCalls(), 1 + 3);
  // These are recorded, which nothing is submitted for, and launched.
  ASSERT_TRUE(executor->Run(buffers.run).ok());
  EXPECT_EQ(Quiet::TakeCalls(), 1 + 3 + 1);
  bool ok = true;
  const int kRuns = 10000;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(AllocationsOf([&] {
              for (int i = 0; i < kRuns; ++i)
                ok &= executor->Run(buffers.run).ok();
            }),
            0);
  const std::chrono::duration<double, std::nano> elapsed =
      std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(ok);
  EXPECT_EQ(Quiet::TakeCalls(), kRuns * (1 + 1));
  RecordProperty("ns_per_run", static_cast<int>(elapsed.count() / kRuns));
  std::printf("%.0f ns a run beside the driver\n", elapsed.count() / kRuns);
}

// Whoever takes new memory for each step finds its sets again at some time, or
// never; what is forgotten is used for what comes.
TEST_F(RunCostTest, ForgottenBuffersLeaveTheirMemory) {
  auto executor = *CudaExecutor::Create(DecodeProgram(), 0, options_);
  std::vector<std::unique_ptr<Buffers>> sets;
  for (size_t i = 0; i < 3 * BoundRuns::kMaxRuns; ++i)
    sets.push_back(std::make_unique<Buffers>(i));
  bool ok = true;
  const auto run_all = [&] {
    for (const auto& set : sets) {
      ok &= executor->Run(set->run).ok();
      // The arguments are those of this set.
      ok &= Quiet::last_argument == reinterpret_cast<uint64_t>(set->outputs[1]);
    }
  };
  run_all();
  EXPECT_EQ(AllocationsOf(run_all), 0);
  EXPECT_TRUE(ok);
}

TEST_F(RunCostTest, ManyThreadsRunOnePlan) {
  options_.max_recorded_steps = 0;  // A graph would hide its arguments.
  auto executor = *CudaExecutor::Create(DecodeProgram(), 0, options_);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t)
    threads.emplace_back([&, t] {
      // Some sets are shared, some are one thread's, and there are more than
      // are kept.
      std::vector<std::unique_ptr<Buffers>> sets;
      sets.push_back(std::make_unique<Buffers>(t % 4));
      for (int i = 0; i < 3; ++i)
        sets.push_back(std::make_unique<Buffers>(100 + 3 * t + i));
      for (int repeat = 0; repeat < 200; ++repeat) {
        const Buffers& set = *sets[repeat % sets.size()];
        const absl::Status status = executor->Run(set.run);
        wrong += !status.ok() || Quiet::last_argument !=
                                     reinterpret_cast<uint64_t>(set.outputs[1]);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(BoundRunsTest, WhatIsInUseIsNotTaken) {
  BoundRuns runs;
  runs.SetSizes(2, 0);
  std::vector<BoundRuns::Lease> leases;
  for (uint64_t i = 0; i < BoundRuns::kMaxRuns + 2; ++i) {
    leases.push_back(runs.Take({i}));
    EXPECT_THAT(leases.back()->values, SizeIs(2));
    leases.back()->values[0] = i;
    runs.Keep(leases.back());
  }
  for (uint64_t i = 0; i < leases.size(); ++i) {
    EXPECT_THAT(leases[i]->addresses, ElementsAre(i));
    EXPECT_EQ(leases[i]->values[0], i);
    // Beyond the limit they are for the holder alone.
    EXPECT_EQ(static_cast<bool>(runs.Find({i})), i < BoundRuns::kMaxRuns);
  }
  leases.clear();
  EXPECT_TRUE(runs.Find({uint64_t{5}}));
  EXPECT_FALSE(runs.Find({uint64_t{5}, uint64_t{6}}));
  // The one found last stays, the one used longest ago goes.
  runs.Keep(runs.Take({uint64_t{1000}}));
  EXPECT_TRUE(runs.Find({uint64_t{5}}));
  EXPECT_TRUE(runs.Find({uint64_t{1000}}));
  EXPECT_FALSE(runs.Find({uint64_t{0}}));
}

TEST(BoundRunsTest, WhatIsNotFilledIsNotFound) {
  BoundRuns runs;
  runs.SetSizes(1, 0);
  {
    const BoundRuns::Lease lease = runs.Take({uint64_t{1}});
    EXPECT_FALSE(runs.Find({uint64_t{1}}));
  }
  EXPECT_FALSE(runs.Find({uint64_t{1}}));
}

TEST(BoundRunsTest, LargeProgramsKeepFewSets) {
  BoundRuns runs;
  runs.SetSizes(BoundRuns::kMaxBytes / 16, 1);
  runs.Keep(runs.Take({uint64_t{1}}));
  EXPECT_TRUE(runs.Find({uint64_t{1}}));
  runs.Keep(runs.Take({uint64_t{2}}));
  EXPECT_FALSE(runs.Find({uint64_t{1}}));
  EXPECT_TRUE(runs.Find({uint64_t{2}}));
}

}  // namespace
}  // namespace gsa
