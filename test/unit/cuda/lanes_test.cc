// -----------------------------------------------------------------------------
// File: lanes_test.cc
// -----------------------------------------------------------------------------
//
// Programs with lanes on a driver of the tests' own: what streams and events
// put behind what, that a run is joined whatever fails, which sets of streams
// runs get while others capture, and orders in which steps may run one by one.

#include <algorithm>
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kSteps = 6;

// Step:   0   1   2   3       4       5
// Lane:   0   1   0   1       0       2
// Waits:              for 0   for 3   for 1
DeviceProgram LanesProgram() {
  DeviceProgram program;
  program.arch = "sm_90a";
  program.outputs = {{"out", 64}};
  program.zone_names = {"all"};
  program.lanes = 3;
  const int32_t lanes[kSteps] = {0, 1, 0, 1, 0, 2};
  const std::vector<int32_t> waits[kSteps] = {{}, {}, {}, {0}, {3}, {1}};
  for (int32_t i = 0; i < kSteps; ++i) {
    const std::string symbol = absl::StrCat("kernel", i);
    program.kernels.push_back({symbol, "text " + symbol, 32, 0, {}, {}});
    LaunchStep step;
    step.kernel = i;
    step.args = {BufferRef{BufferRef::Kind::kOutput, 0, 0}};
    step.order = {lanes[i], waits[i]};
    program.steps.push_back(step);
  }
  return program;
}

class LanesTest : public ::testing::Test {
 protected:
  LanesTest() {
    for (int i = 0; i < kSteps; ++i)
      fake_.kernels[absl::StrCat("kernel", i)] = {{8}};
    options_.driver = &driver_;
    options_.kernels = &cache_;
    options_.check_pointers = false;
  }

  std::shared_ptr<const CudaExecutor> Create(
      const DeviceProgram& program = LanesProgram()) {
    auto executor = CudaExecutor::Create(program, 0, options_);
    EXPECT_TRUE(executor.ok()) << executor.status();
    return *executor;
  }

  RunArguments ArgumentsOn(cuda::Stream stream) {
    RunArguments run;
    run.outputs = outputs_;
    run.stream = stream;
    return run;
  }

  int64_t Count(const std::string& call) {
    const std::vector<std::string> calls = fake_.TakeCalls();
    return std::count(calls.begin(), calls.end(), call);
  }

  FakeDriver fake_;
  DriverApi driver_{fake_.Table()};
  KernelCache cache_{"test", TextAsImage};
  ExecutorOptions options_;
  std::vector<void*> outputs_ = {reinterpret_cast<void*>(uintptr_t{0x1000})};
};

TEST_F(LanesTest, UrgentLaunchesHaveThePriority) {
  DeviceProgram program = LanesProgram();
  std::get<LaunchStep>(program.steps[1]).urgent = true;
  auto& last = std::get<LaunchStep>(program.steps[4]);
  last.urgent = last.dependent = true;
  auto executor = Create(program);
  ASSERT_TRUE(executor->Run(ArgumentsOn(fake_.StreamOf(0))).ok());
  const auto launches = fake_.TakeLaunches();
  ASSERT_THAT(launches, SizeIs(kSteps));
  for (int i = 0; i < kSteps; ++i) {
    EXPECT_EQ(launches[i].priority,
              i == 1 || i == 4 ? FakeDriver::kGreatestPriority : 0);
    EXPECT_EQ(launches[i].dependent, i == 4);
  }
}

// A driver without priorities.
TEST_F(LanesTest, UrgentLaunchesAreInOrderAllTheSame) {
  DeviceProgram program = LanesProgram();
  std::get<LaunchStep>(program.steps[1]).urgent = true;
  const DriverApi old_driver{fake_.Table(/*with_optional_functions=*/false)};
  options_.driver = &old_driver;
  auto executor = Create(program);
  ASSERT_TRUE(executor->Run(ArgumentsOn(fake_.StreamOf(0))).ok());
  for (const FakeDriver::Launch& launch : fake_.TakeLaunches())
    EXPECT_EQ(launch.priority, 0);
}

TEST_F(LanesTest, AStepIsBehindItsLaneAndItsWaitsAlone) {
  auto executor = Create();
  cuda::Stream stream = fake_.StreamOf(0);
  ASSERT_TRUE(executor->Run(ArgumentsOn(stream)).ok());
  const auto launches = fake_.TakeLaunches();
  ASSERT_THAT(launches, SizeIs(kSteps));
  EXPECT_THAT(launches[0].behind, ElementsAre());
  EXPECT_THAT(launches[1].behind, ElementsAre());
  EXPECT_THAT(launches[2].behind, ElementsAre(0));
  EXPECT_THAT(launches[3].behind, ElementsAre(0, 1));
  EXPECT_THAT(launches[4].behind, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(launches[5].behind, ElementsAre(1));
  for (int i : {0, 2, 4}) EXPECT_EQ(launches[i].stream, stream);
  EXPECT_EQ(launches[1].stream, launches[3].stream);
  EXPECT_NE(launches[1].stream, launches[5].stream);

  // The next run is behind all of this one, on all of its lanes.
  ASSERT_TRUE(executor->Run(ArgumentsOn(stream)).ok());
  for (const FakeDriver::Launch& launch : fake_.TakeLaunches())
    EXPECT_THAT(launch.behind, IsSupersetOf({0, 1, 2, 3, 4, 5}));
}

TEST_F(LanesTest, AWarmRunMakesNothing) {
  auto executor = Create();
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(ArgumentsOn(fake_.StreamOf(0))).ok());
  const std::vector<std::string> calls = fake_.TakeCalls();
  EXPECT_THAT(calls, Not(Contains("cuStreamCreate")));
  EXPECT_THAT(calls, Not(Contains("cuEventCreate")));
  executor.reset();
  EXPECT_EQ(fake_.Leaks(), "");
}

TEST_F(LanesTest, ATimerHasOneLane) {
  auto executor = Create();
  auto timer = ZoneTimer::Create(executor);
  ASSERT_TRUE(timer.ok());
  RunArguments run = ArgumentsOn(fake_.StreamOf(0));
  run.timer = timer->get();
  ASSERT_TRUE(executor->Run(run).ok());
  const auto launches = fake_.TakeLaunches();
  ASSERT_THAT(launches, SizeIs(kSteps));
  for (int i = 0; i < kSteps; ++i) {
    EXPECT_EQ(launches[i].stream, run.stream);
    EXPECT_THAT(launches[i].behind, SizeIs(i));
  }
}

TEST_F(LanesTest, WhatWasSubmittedIsJoinedWhenAStepFails) {
  auto executor = Create();
  cuda::Stream stream = fake_.StreamOf(0);
  fake_.FailCall(3, cuda::kErrorInvalidValue, "cuLaunchKernel");
  const absl::Status status = executor->Run(ArgumentsOn(stream));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("step 3 (launch of 'kernel3')"));
  EXPECT_THAT(fake_.TakeLaunches(), SizeIs(3));
  ASSERT_TRUE(executor->Run(ArgumentsOn(stream)).ok());
  EXPECT_THAT(fake_.TakeLaunches()[0].behind, ElementsAre(0, 1, 2));
}

TEST_F(LanesTest, EachCallThatFailsLeavesARunThatCanBeRepeated) {
  auto executor = Create();
  cuda::Stream stream = fake_.StreamOf(0);
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(ArgumentsOn(stream)).ok());
  const size_t calls = fake_.TakeCalls().size();
  for (size_t i = 0; i < calls; ++i) {
    fake_.FailCall(static_cast<int>(i), cuda::kErrorInvalidValue);
    executor->Run(ArgumentsOn(stream)).IgnoreError();
    fake_.FailCall(-1, cuda::kSuccess);
    EXPECT_TRUE(executor->Run(ArgumentsOn(stream)).ok()) << i;
  }
  EXPECT_EQ(Count("cuStreamCreate"), 0);
  executor.reset();
  EXPECT_EQ(fake_.Leaks(), "");
}

TEST_F(LanesTest, StreamsInACaptureServeThatCaptureAlone) {
  auto executor = Create();
  cuda::Stream first = fake_.StreamOf(0), second = fake_.StreamOf(0);
  fake_.capture_status = cuda::kCaptureActive;
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(ArgumentsOn(first)).ok());
  EXPECT_EQ(Count("cuStreamCreate"), 0);
  // Another capture; then the first one goes on.
  ASSERT_TRUE(executor->Run(ArgumentsOn(second)).ok());
  EXPECT_EQ(Count("cuStreamCreate"), 2);
  ASSERT_TRUE(executor->Run(ArgumentsOn(first)).ok());
  EXPECT_EQ(Count("cuStreamCreate"), 0);
  // Both have ended.
  fake_.capture_status = cuda::kCaptureNone;
  ASSERT_TRUE(executor->Run(ArgumentsOn(second)).ok());
  EXPECT_EQ(Count("cuStreamCreate"), 0);
  executor.reset();
  EXPECT_EQ(fake_.Leaks(), "");
}

TEST_F(LanesTest, ThreadsHaveSetsOfTheirOwn) {
  auto executor = Create();
  constexpr int kThreads = 64;
  std::vector<cuda::Stream> streams;
  for (int i = 0; i < kThreads; ++i) streams.push_back(fake_.StreamOf(0));
  std::vector<std::thread> threads;
  for (cuda::Stream stream : streams)
    threads.emplace_back([&, stream] {
      for (int i = 0; i < 20; ++i)
        EXPECT_TRUE(executor->Run(ArgumentsOn(stream)).ok());
    });
  for (std::thread& thread : threads) thread.join();
  // No more sets than threads, each of two streams.
  EXPECT_LE(Count("cuStreamCreate"), 2 * kThreads);
  executor.reset();
  EXPECT_EQ(fake_.Leaks(), "");
}

TEST(OrderStepsTest, TakesAnyOrderThatLanesAndWaitsAllow) {
  const DeviceProgram program = LanesProgram();
  const auto last = [](size_t ready) { return ready - 1; };
  const auto first = [](size_t) { return size_t{0}; };
  EXPECT_THAT(OrderSteps(program, last), ElementsAre(1, 5, 0, 3, 2, 4));
  EXPECT_THAT(OrderSteps(program, first), ElementsAre(0, 2, 1, 3, 4, 5));
}

TEST(ValidateLanesTest, RefusesWhatCannotBeRun) {
  const auto expect_refused = [](const DeviceProgram& program,
                                 const std::string& message) {
    const absl::Status status = Validate(program, {});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  };
  EXPECT_TRUE(Validate(LanesProgram(), {}).ok());
  DeviceProgram program = LanesProgram();
  program.lanes = kMaxLanes + 1;
  expect_refused(program, "lanes is 9, expected 1 to 8");
  program.lanes = 2;
  expect_refused(program, "step 5: is on lane 2, the program has 2");
  const auto with_order = [](int step, const StepOrder& order) {
    DeviceProgram changed = LanesProgram();
    std::get<LaunchStep>(changed.steps[step]).order = order;
    return changed;
  };
  expect_refused(with_order(3, {1, {4}}),
                 "step 3: waits for step 4, expected steps from 0 on and "
                 "before itself");
  expect_refused(with_order(3, {1, {2, 2}}),
                 "waits for step 2, expected steps from 3 on");
  expect_refused(with_order(3, {1, {1}}),
                 "waits for step 1 of its own lane, expected steps of other "
                 "lanes");
}

}  // namespace
}  // namespace gsa
