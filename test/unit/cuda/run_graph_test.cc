// -----------------------------------------------------------------------------
// File: run_graph_test.cc
// -----------------------------------------------------------------------------
//
// Runs that are repeated on the same buffers, on a driver of the tests' own:
// when a graph is made and launched, that it does what the launches did, what
// is not recorded, and what becomes of graphs.

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cuda_executor.h"

namespace gsa {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = BufferRef::Kind;

constexpr int kLaunches = 3;

// A fill and launches, the second one on another lane if there is one; the last
// one waits for all.
DeviceProgram Program(int32_t lanes = 1) {
  DeviceProgram program;
  program.arch = "sm_90a";
  program.outputs = {{"out", 64}};
  program.zone_names = {"all"};
  program.lanes = lanes;
  FillStep fill;
  fill.destination = {Kind::kOutput, 0, 0};
  fill.pattern = 7, fill.element_bytes = 4, fill.count = 16;
  program.steps.push_back(fill);
  for (int32_t i = 0; i < kLaunches; ++i) {
    const std::string symbol = absl::StrCat("kernel", i);
    program.kernels.push_back({symbol, "text " + symbol, 32, 0, {}, {}});
    LaunchStep step;
    step.kernel = i;
    step.args = {BufferRef{Kind::kOutput, 0, 0}, int32_t{i}};
    if (i == 1) step.order.lane = lanes - 1;
    if (i == 2 && lanes > 1) step.order.waits = {2};
    step.dependent = i == 2;
    program.steps.push_back(step);
  }
  return program;
}

class RunGraphTest : public ::testing::Test {
 protected:
  RunGraphTest() {
    for (int i = 0; i < kLaunches; ++i)
      fake_.kernels[absl::StrCat("kernel", i)] = {{8, 4}};
    options_.driver = &driver_;
    options_.kernels = &cache_;
    options_.check_pointers = false;
  }

  std::shared_ptr<const CudaExecutor> Create() {
    auto executor = CudaExecutor::Create(Program(), 0, options_);
    EXPECT_TRUE(executor.ok()) << executor.status();
    return *executor;
  }

  // A run on a set of buffers of its own.
  absl::Status Run(const CudaExecutor& executor, size_t set = 0,
                   ZoneTimer* timer = nullptr) {
    while (buffers_.size() <= set)
      buffers_.push_back(std::make_unique<std::vector<int>>(64));
    std::vector<void*> outputs = {Aligned(set)};
    RunArguments run;
    run.outputs = outputs;
    run.stream = stream_;
    run.timer = timer;
    return executor.Run(run);
  }
  int* Aligned(size_t set) {
    const auto at = reinterpret_cast<uintptr_t>(buffers_[set]->data());
    return reinterpret_cast<int*>((at + kBufferAlignment - 1) /
                                  kBufferAlignment * kBufferAlignment);
  }

  static int64_t Count(const std::vector<std::string>& calls,
                       const std::string& call) {
    return std::count(calls.begin(), calls.end(), call);
  }
  // A run that does what it has to, and how many graphs it launched.
  int64_t GraphsOfRun(const CudaExecutor& executor, size_t set = 0) {
    if (set < buffers_.size()) std::fill_n(Aligned(set), 16, 0);
    fake_.TakeCalls();
    EXPECT_TRUE(Run(executor, set).ok());
    EXPECT_THAT(fake_.TakeLaunches(), SizeIs(kLaunches));
    EXPECT_THAT(std::vector<int>(Aligned(set), Aligned(set) + 16), Each(7));
    last_calls_ = fake_.TakeCalls();
    return Count(last_calls_, "cuGraphLaunch");
  }

  FakeDriver fake_;
  DriverApi driver_{fake_.Table()};
  KernelCache cache_{"test", TextAsImage};
  ExecutorOptions options_;
  cuda::Stream stream_ = fake_.StreamOf(0);
  std::vector<std::unique_ptr<std::vector<int>>> buffers_;
  std::vector<std::string> last_calls_;
};

TEST_F(RunGraphTest, TheThirdRunIsRecorded) {
  auto executor = Create();
  EXPECT_EQ(GraphsOfRun(*executor), 0);
  EXPECT_EQ(GraphsOfRun(*executor), 0);
  EXPECT_THAT(last_calls_, Not(Contains("cuStreamBeginCapture_v2")));
  EXPECT_EQ(GraphsOfRun(*executor), 1);
  EXPECT_THAT(last_calls_, Contains("cuGraphInstantiateWithFlags").Times(1));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(GraphsOfRun(*executor), 1);
    EXPECT_THAT(
        last_calls_,
        ElementsAre("cuStreamGetCtx", "cuStreamIsCapturing", "cuGraphLaunch"));
  }
  // Other buffers are other runs.
  EXPECT_EQ(GraphsOfRun(*executor, 1), 0);
}

TEST_F(RunGraphTest, AGraphIsTheLaunches) {
  auto executor = Create();
  ASSERT_TRUE(Run(*executor).ok());
  const auto plain = fake_.TakeLaunches();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Run(*executor).ok());
  auto recorded = fake_.TakeLaunches();
  ASSERT_THAT(recorded, SizeIs(3 * kLaunches));
  recorded.erase(recorded.begin(), recorded.end() - kLaunches);
  for (int i = 0; i < kLaunches; ++i) {
    EXPECT_EQ(recorded[i].symbol, plain[i].symbol);
    EXPECT_EQ(recorded[i].arguments, plain[i].arguments);
    EXPECT_EQ(recorded[i].dependent, plain[i].dependent);
    // The same of this run is behind, and all of the runs before.
    for (int j = 0; j < i; ++j)
      EXPECT_EQ(recorded[i].behind.count(recorded[j].number),
                plain[i].behind.count(plain[j].number))
          << i << " behind " << j;
    EXPECT_THAT(recorded[i].behind, Contains(plain[kLaunches - 1].number));
  }
}

TEST_F(RunGraphTest, NothingIsRecordedWhileTheCallerCaptures) {
  auto executor = Create();
  fake_.capture_status = cuda::kCaptureActive;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(GraphsOfRun(*executor), 0);
  EXPECT_THAT(last_calls_, Not(Contains("cuStreamBeginCapture_v2")));
  fake_.capture_status = cuda::kCaptureNone;
  EXPECT_EQ(GraphsOfRun(*executor), 1);
  // A graph that is there is no part of another one.
  fake_.capture_status = cuda::kCaptureActive;
  EXPECT_EQ(GraphsOfRun(*executor), 0);
}

TEST_F(RunGraphTest, NothingIsRecordedWithATimer) {
  auto executor = Create();
  auto timer = *ZoneTimer::Create(executor);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Run(*executor, 0, timer.get()).ok());
    EXPECT_TRUE(timer->Milliseconds().ok());
  }
  EXPECT_THAT(fake_.TakeCalls(), Not(Contains("cuStreamBeginCapture_v2")));
}

TEST_F(RunGraphTest, LongProgramsAreNotRecorded) {
  for (const auto& [most, graphs] : {std::pair(0, 0), {3, 0}, {4, 1}}) {
    options_.max_recorded_steps = most;
    auto executor = Create();
    for (int i = 0; i < 3; ++i) GraphsOfRun(*executor);
    EXPECT_EQ(GraphsOfRun(*executor), graphs) << most;
  }
}

TEST_F(RunGraphTest, ProgramsWithLanesAreNotRecorded) {
  auto executor = *CudaExecutor::Create(Program(/*lanes=*/2), 0, options_);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(GraphsOfRun(*executor), 0);
}

TEST_F(RunGraphTest, OldDriversRecordNothing) {
  const DriverApi old_driver{fake_.Table(/*with_optional_functions=*/false)};
  options_.driver = &old_driver;
  DeviceProgram program = Program();
  std::get<LaunchStep>(program.steps.back()).dependent = false;
  auto executor = *CudaExecutor::Create(program, 0, options_);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(GraphsOfRun(*executor), 0);
}

// A driver that does not record does what it did before, and is not asked
// again.
TEST_F(RunGraphTest, WhatCannotBeRecordedIsSubmitted) {
  for (const char* call :
       {"cuStreamCreate", "cuStreamBeginCapture_v2", "cuLaunchKernel",
        "cuLaunchKernelEx", "cuMemsetD32Async", "cuStreamEndCapture",
        "cuGraphInstantiateWithFlags"}) {
    auto executor = Create();
    EXPECT_EQ(GraphsOfRun(*executor), 0);
    EXPECT_EQ(GraphsOfRun(*executor), 0);
    fake_.FailCall(0, cuda::kErrorOutOfMemory, call);
    EXPECT_EQ(GraphsOfRun(*executor), 0) << call;
    EXPECT_EQ(GraphsOfRun(*executor), 0) << call;
    EXPECT_THAT(last_calls_, Not(Contains("cuStreamBeginCapture_v2"))) << call;
    EXPECT_THAT(fake_.Leaks(), Not(HasSubstr("graphs"))) << call;
  }
}

TEST_F(RunGraphTest, ALaunchThatFailsSaysSo) {
  auto executor = Create();
  for (int i = 0; i < 3; ++i) GraphsOfRun(*executor);
  fake_.FailCall(0, cuda::kErrorIllegalAddress, "cuGraphLaunch");
  const absl::Status status = Run(*executor);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("all steps: cuGraphLaunch"),
                    HasSubstr("this run had launched 'kernel0', 'kernel1', "
                              "'kernel2'")));
  EXPECT_EQ(GraphsOfRun(*executor), 1);
}

TEST_F(RunGraphTest, ForgottenBuffersHaveNoGraph) {
  auto executor = Create();
  for (size_t set = 0; set < BoundRuns::kMaxRuns + 8; ++set) {
    stream_ = fake_.StreamOf(0);  // What is behind what is not looked at.
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(Run(*executor, set).ok());
  }
  EXPECT_THAT(fake_.Leaks(),
              HasSubstr(absl::StrCat(BoundRuns::kMaxRuns, " graphs to")));
  // The first set again: runs like any others.
  fake_.TakeLaunches();
  for (int graphs : {0, 0, 1, 1}) EXPECT_EQ(GraphsOfRun(*executor, 0), graphs);
  executor.reset();
  EXPECT_THAT(fake_.Leaks(), Not(HasSubstr("graphs")));
}

TEST_F(RunGraphTest, EachCallThatFailsLeavesARunThatCanBeRepeated) {
  auto executor = Create();
  for (int i = 0; i < 2; ++i) GraphsOfRun(*executor);
  GraphsOfRun(*executor);  // the run that records
  const size_t calls = last_calls_.size();
  for (size_t call = 0; call < calls; ++call) {
    const size_t set = call + 1;  // of buffers that are new
    for (int i = 0; i < 2; ++i) GraphsOfRun(*executor, set);
    fake_.FailCall(static_cast<int>(call), cuda::kErrorOutOfMemory);
    Run(*executor, set).IgnoreError();
    fake_.FailCall(-1, cuda::kSuccess);
    fake_.TakeLaunches();
    GraphsOfRun(*executor, set);
  }
  executor.reset();
  EXPECT_EQ(fake_.Leaks(), "");
}

TEST_F(RunGraphTest, ThreadsShareBuffers) {
  auto executor = Create();
  constexpr int kThreads = 8, kRuns = 50;
  ASSERT_TRUE(Run(*executor).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < kRuns; ++i) EXPECT_TRUE(Run(*executor).ok());
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(fake_.TakeLaunches(), SizeIs((kThreads * kRuns + 1) * kLaunches));
}

TEST_F(RunGraphTest, OthersMayCaptureMeanwhile) {
  auto executor = Create();
  GraphsOfRun(*executor);
  GraphsOfRun(*executor);
  fake_.other_thread_captures = true;
  EXPECT_EQ(GraphsOfRun(*executor), 1);
}

}  // namespace
}  // namespace gsa
