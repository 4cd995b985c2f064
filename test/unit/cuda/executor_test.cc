// -----------------------------------------------------------------------------
// File: executor_test.cc
// -----------------------------------------------------------------------------
//
// The executor on a driver of the tests' own: what it submits, in which order
// and with which arguments; that a run neither allocates nor waits; what it
// refuses before it submits anything. What fails on the way is in
// faults/device_faults_test.cc.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fake_driver.h"
#include "fake_gemms.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cuda_executor.h"

namespace gsa {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = BufferRef::Kind;

uint64_t FloatBits(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, 4);
  return bits;
}

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() : fake_({{9, 0, 232448}, {9, 0, 232448}, {8, 0, 166912}}) {
    fake_.kernels["attend"] = {{8, 4, 8, 4, 8, 8}};
    fake_.kernels["scale"] = {{8}};
    options_.driver = &driver_;
    options_.kernels = &cache_;
    options_.gemms = [this](std::shared_ptr<const PrimaryContext>)
        -> absl::StatusOr<std::shared_ptr<GemmLibrary>> { return gemms_; };
  }

  void ExpectRefused(const DeviceProgram& program, int ordinal,
                     absl::StatusCode code, const std::string& message) {
    SCOPED_TRACE(message);
    auto executor = CudaExecutor::Create(program, ordinal, options_);
    EXPECT_EQ(executor.status().code(), code) << executor.status();
    EXPECT_THAT(std::string(executor.status().message()), HasSubstr(message));
    EXPECT_EQ(fake_.Leaks(), "");
  }

  static DeviceProgram Program() {
    DeviceProgram program;
    program.arch = "sm_90a";
    program.kernels = {{"attend", "text attend", 128, 100000, {}},
                       {"scale", "text scale", 64, 0, {}}};
    program.inputs = {{"q", 64}, {"k", 32}};
    program.outputs = {{"out", 64}};
    program.constants = {{"one", {1, 2, 3}}, {"two", {4, 5, 6, 7}}};
    program.workspace_bytes = 1000;
    program.zone_names = {"project", "attend"};
    GemmStep gemm;
    gemm.a = {Kind::kInput, 0, 16};
    gemm.b = {Kind::kInput, 1, 0};
    gemm.c = {Kind::kWorkspace, 0, 512};
    gemm.m = 3, gemm.n = 4, gemm.k = 4;
    gemm.lda = 4, gemm.ldb = 4, gemm.ldc = 4;
    LaunchStep attend;
    attend.grid = {70000, 3, 2};
    attend.args = {BufferRef{Kind::kWorkspace, 0, 512},
                   int32_t{-2},
                   BufferRef{Kind::kConstant, 1, 1},
                   0.5f,
                   int64_t{1} << 40,
                   BufferRef{Kind::kOutput, 0, 32}};
    attend.zone = 1;
    LaunchStep scale;
    scale.kernel = 1;
    scale.args = {BufferRef{Kind::kInput, 1, 4}};
    const FillStep fill{{Kind::kWorkspace, 0, 8}, 0xabcd, 2, 3, 0};
    const FillStep nothing{{Kind::kWorkspace, 0, 0}, 0, 4, 0, 1};
    const CopyStep copy{{Kind::kWorkspace, 0, 8}, {Kind::kOutput, 0, 0}, 6, 0};
    program.steps = {fill, gemm, nothing, attend, copy, scale};
    return program;
  }

  // Memory of device 0 for a run.
  struct Memory {
    DeviceBuffer q, k, out, workspace;
    std::vector<void*> inputs, outputs;
    RunArguments run;
  };
  std::unique_ptr<Memory> MemoryFor(const CudaExecutor& executor) {
    auto memory = std::make_unique<Memory>();
    const auto allocate = [&](int64_t bytes) {
      return *DeviceBuffer::Allocate(executor.context(), bytes);
    };
    memory->q = allocate(64);
    memory->k = allocate(32);
    memory->out = allocate(64);
    memory->workspace = allocate(executor.workspace_bytes());
    memory->inputs = {memory->q.data(), memory->k.data()};
    memory->outputs = {memory->out.data()};
    memory->run.inputs = memory->inputs;
    memory->run.outputs = memory->outputs;
    memory->run.workspace = memory->workspace.data();
    memory->run.workspace_bytes = executor.workspace_bytes();
    memory->run.stream = fake_.StreamOf(0);
    return memory;
  }

  std::shared_ptr<const CudaExecutor> Create(const DeviceProgram& program) {
    auto executor = CudaExecutor::Create(program, 0, options_);
    EXPECT_TRUE(executor.ok()) << executor.status();
    return *executor;
  }

  // Expects that a run is refused with `message` and submits nothing.
  void ExpectRefused(const CudaExecutor& executor, const RunArguments& run,
                     absl::StatusCode code, const std::string& message) {
    fake_.TakeCalls();
    const absl::Status status = executor.Run(run);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_THAT(fake_.TakeCalls(),
                Each(AnyOf("cuPointerGetAttributes", "cuStreamGetCtx",
                           "cuStreamIsCapturing")));
    EXPECT_THAT(gemms_->calls, IsEmpty());
  }

  FakeDriver fake_;
  DriverApi driver_{fake_.Table()};
  KernelCache cache_{"test", TextAsImage};
  std::shared_ptr<FakeGemms> gemms_ = std::make_shared<FakeGemms>();
  ExecutorOptions options_;
};

TEST_F(ExecutorTest, SaysWhereEachKernelCameFrom) {
  std::vector<std::string> origins;
  options_.on_kernel = [&](const KernelEvent& event) {
    EXPECT_EQ(event.kind, "cubin");
    EXPECT_EQ(event.arch, Program().arch);
    origins.push_back(event.symbol + " " + ToString(event.origin));
  };
  const std::string kernel = Program().kernels[0].symbol;
  const auto first = Create(Program());
  ASSERT_EQ(origins.size(), Program().kernels.size());
  EXPECT_EQ(origins[0], kernel + " compiled");
  origins.clear();
  const auto second = Create(Program());
  EXPECT_EQ(origins[0], kernel + " memory");
}

// The launch of 'scale' behind that of 'attend', as one that may begin early.
TEST_F(ExecutorTest, LaunchesDependentStepsEarly) {
  DeviceProgram program = Program();
  LaunchStep scale = std::get<LaunchStep>(program.steps.back());
  scale.dependent = true;
  program.steps.push_back(scale);
  auto executor = Create(program);
  auto memory = MemoryFor(*executor);
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(memory->run).ok());
  EXPECT_EQ(fake_.TakeCalls().back(), "cuLaunchKernelEx");
  const auto launches = fake_.TakeLaunches();
  ASSERT_THAT(launches, SizeIs(3));
  EXPECT_FALSE(launches[1].dependent);
  EXPECT_TRUE(launches[2].dependent);
  EXPECT_EQ(launches[2].symbol, "scale");
  EXPECT_EQ(launches[2].grid, launches[1].grid);
  EXPECT_EQ(launches[2].threads, launches[1].threads);
  EXPECT_EQ(launches[2].stream, launches[1].stream);
  EXPECT_EQ(launches[2].arguments, launches[1].arguments);
}

TEST_F(ExecutorTest, SubmitsTheStepsInOrderWithTheirArguments) {
  auto executor = Create(Program());
  EXPECT_EQ(gemms_->warm_ups, 1);
  EXPECT_EQ(gemms_->last_limit, int64_t{32} << 20);
  // 1000 bytes end within the block to 1024, where the scratch begins.
  EXPECT_EQ(executor->workspace_bytes(), 1024 + 30);
  auto memory = MemoryFor(*executor);
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(memory->run).ok());

  // Neither allocations nor waits.
  const std::vector<std::string> calls = fake_.TakeCalls();
  EXPECT_THAT(
      std::vector<std::string>(calls.begin() + 4, calls.end()),
      ElementsAre("cuStreamGetCtx", "cuStreamIsCapturing", "cuMemsetD16Async",
                  "cuLaunchKernel", "cuMemcpyDtoDAsync", "cuLaunchKernel"));
  ASSERT_THAT(gemms_->calls, SizeIs(1));
  const GemmCall& gemm = gemms_->calls[0];
  EXPECT_EQ(gemm.a, memory->q.get() + 16);
  EXPECT_EQ(gemm.b, memory->k.get());
  EXPECT_EQ(gemm.c, memory->workspace.get() + 512);
  EXPECT_EQ(gemm.workspace, memory->workspace.get() + 1024);
  EXPECT_EQ(gemm.stream, memory->run.stream);

  const auto launches = fake_.TakeLaunches();
  ASSERT_THAT(launches, SizeIs(2));
  EXPECT_EQ(launches[0].symbol, "attend");
  EXPECT_THAT(launches[0].grid, ElementsAre(70000, 3, 2));
  EXPECT_EQ(launches[0].threads, 128u);
  EXPECT_EQ(launches[0].dynamic_smem, 100000u);
  EXPECT_EQ(launches[0].stream, memory->run.stream);
  ASSERT_THAT(launches[0].arguments, SizeIs(6));
  EXPECT_EQ(launches[0].arguments[0], memory->workspace.get() + 512);
  EXPECT_EQ(launches[0].arguments[1], uint32_t(-2));
  // The constant's own bytes are at the address.
  EXPECT_EQ(*reinterpret_cast<uint8_t*>(launches[0].arguments[2]), 5);
  EXPECT_EQ(launches[0].arguments[3], FloatBits(0.5f));
  EXPECT_EQ(launches[0].arguments[4], uint64_t{1} << 40);
  EXPECT_EQ(launches[0].arguments[5], memory->out.get() + 32);
  EXPECT_EQ(launches[1].symbol, "scale");
  EXPECT_THAT(launches[1].arguments, ElementsAre(memory->k.get() + 4));

  // The fill went where the copy took it from.
  uint16_t copied[3] = {};
  EXPECT_TRUE(memory->out.Download(copied, 6).ok());
  EXPECT_THAT(copied, ElementsAre(0xabcd, 0xabcd, 0xabcd));
}

// Products run one after the other: their scratch is that of the one that needs
// most, wherever it stands, and all begin at one address.
TEST_F(ExecutorTest, ProductsShareTheLargestScratch) {
  for (const std::vector<int64_t>& sizes :
       {std::vector<int64_t>{2, 3, 1}, {3, 2, 1}, {1, 2, 3}}) {
    DeviceProgram program = Program();
    const GemmStep gemm = std::get<GemmStep>(program.steps[1]);
    program.steps.erase(program.steps.begin() + 1);
    for (int64_t m : sizes) {
      program.steps.push_back(gemm);
      std::get<GemmStep>(program.steps.back()).m = m;
    }
    gemms_->calls.clear();
    auto executor = Create(program);
    EXPECT_EQ(executor->workspace_bytes(), 1024 + 30);
    auto memory = MemoryFor(*executor);
    ASSERT_TRUE(executor->Run(memory->run).ok());
    ASSERT_THAT(gemms_->calls, SizeIs(3));
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(gemms_->calls[i].m, sizes[i]);
      EXPECT_EQ(gemms_->calls[i].workspace, memory->workspace.get() + 1024);
    }
  }
}

// The error of a product that does not warm up is Create's, or that of the run
// which would have come first; once it does, runs go on.
TEST_F(ExecutorTest, AProductThatDoesNotWarmUp) {
  gemms_->warm_up_error = absl::ResourceExhaustedError("no room to warm up");
  ExpectRefused(Program(), 0, absl::StatusCode::kResourceExhausted,
                "no room to warm up");
  options_.warm_up = false;
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  for (const absl::Status& status :
       {executor->WarmUp(), executor->Run(memory->run)})
    EXPECT_EQ(std::string(status.message()), "no room to warm up");
  EXPECT_THAT(gemms_->calls, IsEmpty());
  EXPECT_THAT(fake_.TakeLaunches(), IsEmpty());
  gemms_->warm_up_error = absl::OkStatus();
  EXPECT_TRUE(executor->Run(memory->run).ok());
  EXPECT_EQ(gemms_->warm_ups, 4);
  EXPECT_THAT(gemms_->calls, SizeIs(1));
}

TEST_F(ExecutorTest, RunsWithOtherBuffersUseOtherAddresses) {
  auto executor = Create(Program());
  auto first = MemoryFor(*executor);
  auto second = MemoryFor(*executor);
  ASSERT_TRUE(executor->Run(first->run).ok());
  ASSERT_TRUE(executor->Run(second->run).ok());
  const auto launches = fake_.TakeLaunches();
  ASSERT_THAT(launches, SizeIs(4));
  EXPECT_EQ(launches[0].arguments[5], first->out.get() + 32);
  EXPECT_EQ(launches[2].arguments[5], second->out.get() + 32);
}

TEST_F(ExecutorTest, ThreadsMayRunAtOnce) {
  DeviceProgram program = Program();
  program.steps.erase(program.steps.begin() + 1);  // the gemm
  auto executor = Create(program);
  std::vector<std::unique_ptr<Memory>> memories;
  for (int i = 0; i < 4; ++i) memories.push_back(MemoryFor(*executor));
  std::vector<std::thread> threads;
  for (auto& memory : memories)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat)
        EXPECT_TRUE(executor->Run(memory->run).ok());
    });
  for (std::thread& thread : threads) thread.join();
  int found = 0;
  for (const auto& launch : fake_.TakeLaunches()) {
    if (launch.symbol != "attend") continue;
    const bool consistent =
        std::any_of(memories.begin(), memories.end(), [&](const auto& memory) {
          return launch.stream == memory->run.stream &&
                 launch.arguments[0] == memory->workspace.get() + 512 &&
                 launch.arguments[5] == memory->out.get() + 32;
        });
    EXPECT_TRUE(consistent);
    ++found;
  }
  EXPECT_EQ(found, 200);
}

TEST_F(ExecutorTest, RefusesWrongPointers) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  const auto refuse = [&](auto change, const std::string& message) {
    auto changed = MemoryFor(*executor);
    changed->run.stream = memory->run.stream;
    change(*changed);
    changed->run.inputs = changed->inputs;
    changed->run.outputs = changed->outputs;
    ExpectRefused(*executor, changed->run, kInvalid, message);
  };
  refuse([](Memory& m) { m.inputs.pop_back(); }, "1 inputs given, expected 2");
  refuse([](Memory& m) { m.inputs[1] = nullptr; },
         "input 1 'k' is null, expected 32 bytes on device 0");
  refuse([](Memory& m) { m.inputs[0] = static_cast<char*>(m.inputs[0]) + 4; },
         "input 0 'q' is at an address with remainder 4, expected a multiple "
         "of 16 bytes");
  alignas(256) char host[64];
  refuse([&](Memory& m) { m.outputs[0] = host; },
         "output 0 'out' is in host memory, expected memory of device 0");
  refuse([](Memory& m) { m.run.workspace_bytes = 1053; },
         "workspace has 1053 bytes, expected at least 1054");
  refuse([](Memory& m) { m.run.workspace = nullptr; }, "workspace is null");
  refuse([](Memory& m) { m.outputs[0] = m.inputs[0]; },
         "output 0 'out' overlaps input 0 'q'");
  refuse(
      [](Memory& m) {
        m.inputs[1] = static_cast<char*>(m.run.workspace) + 1040;
      },
      "the workspace overlaps input 1 'k'");
  auto other_context = *PrimaryContext::Retain(driver_, *GetDevice(driver_, 1));
  auto other = *DeviceBuffer::Allocate(other_context, 64);
  refuse([&](Memory& m) { m.inputs[0] = other.data(); },
         "input 0 'q' is on device 1, expected device 0");
}

// Each with each of those before it.
TEST_F(ExecutorTest, RefusesOutputsThatOverlap) {
  DeviceProgram program = Program();
  program.outputs.insert(program.outputs.end(), {{"lse", 64}, {"counts", 64}});
  auto executor = Create(program);
  auto memory = MemoryFor(*executor);
  auto buffer = *DeviceBuffer::Allocate(executor->context(), 256);
  auto at = [&](int64_t byte) {
    return static_cast<char*>(buffer.data()) + byte;
  };
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  auto run = [&](std::vector<void*> outputs) {
    memory->outputs = std::move(outputs);
    memory->run.outputs = memory->outputs;
    return memory->run;
  };
  ExpectRefused(*executor, run({at(0), at(48), at(128)}), kInvalid,
                "output 1 'lse' overlaps output 0 'out'");
  ExpectRefused(*executor, run({at(0), at(64), at(48)}), kInvalid,
                "output 2 'counts' overlaps output 0 'out'");
  ExpectRefused(*executor, run({at(192), at(0), at(48)}), kInvalid,
                "output 2 'counts' overlaps output 1 'lse'");
  // Next to each other, from either side.
  EXPECT_TRUE(executor->Run(run({at(64), at(0), at(128)})).ok());
}

// What it updates is copied into an output where there is something to copy.
TEST_F(ExecutorTest, AnOutputMayBeTheInputThatItUpdates) {
  DeviceProgram program = Program();
  program.outputs[0].updates = 0;
  program.steps = {CopyStep{{Kind::kInput}, {Kind::kOutput}, 64}};
  auto executor = Create(program);
  auto memory = MemoryFor(*executor);
  EXPECT_TRUE(executor->Run(memory->run).ok());
  EXPECT_THAT(fake_.TakeCalls(), Contains("cuMemcpyDtoDAsync"));
  memory->outputs[0] = memory->inputs[0];
  EXPECT_TRUE(executor->Run(memory->run).ok());
  EXPECT_THAT(fake_.TakeCalls(), Not(Contains("cuMemcpyDtoDAsync")));
  memory->outputs[0] = static_cast<char*>(memory->inputs[0]) + 16;
  ExpectRefused(*executor, memory->run, absl::StatusCode::kInvalidArgument,
                "output 0 'out' overlaps input 0 'q'");
}

TEST_F(ExecutorTest, PointersAreNotLookedUpWhereThatIsOff) {
  options_.check_pointers = false;
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(memory->run).ok());
  EXPECT_THAT(fake_.TakeCalls(), Not(Contains("cuPointerGetAttributes")));
}

TEST_F(ExecutorTest, CapturesButNotWithATimer) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  auto timer = *ZoneTimer::Create(executor);
  EXPECT_EQ(timer->Milliseconds().status().code(),
            absl::StatusCode::kFailedPrecondition);
  fake_.capture_status = cuda::kCaptureActive;
  EXPECT_TRUE(executor->Run(memory->run).ok());
  gemms_->calls.clear();
  memory->run.timer = timer.get();
  ExpectRefused(*executor, memory->run, absl::StatusCode::kFailedPrecondition,
                "a timer is given while the stream captures");
  memory->run.timer = nullptr;
  fake_.capture_status = cuda::kCaptureInvalidated;
  ExpectRefused(*executor, memory->run, absl::StatusCode::kFailedPrecondition,
                "the capture of the stream was broken");
}

TEST_F(ExecutorTest, RefusesStreamsAndTimersOfOthers) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  auto timer = *ZoneTimer::Create(Create(Program()));
  memory->run.timer = timer.get();
  ExpectRefused(*executor, memory->run, absl::StatusCode::kInvalidArgument,
                "the timer was made for another executor");
  memory->run.timer = nullptr;
  memory->run.stream = fake_.StreamOf(1);
  ExpectRefused(*executor, memory->run, absl::StatusCode::kFailedPrecondition,
                "not of the primary context of device 0");
  memory->run.stream = nullptr;  // the legacy default stream
  EXPECT_TRUE(executor->Run(memory->run).ok());
}

TEST_F(ExecutorTest, TimesZonesOverTheirVisits) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  auto timer = *ZoneTimer::Create(executor);
  memory->run.timer = timer.get();
  fake_.event_distance = 2.5f;
  fake_.TakeCalls();
  ASSERT_TRUE(executor->Run(memory->run).ok());
  const auto calls = fake_.TakeCalls();
  // project, attend, project again, and the end.
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "cuEventRecord"), 4);
  const auto zones = timer->Milliseconds();
  ASSERT_TRUE(zones.ok()) << zones.status();
  EXPECT_THAT(*zones, ElementsAre(5.0f, 2.5f));
}

TEST_F(ExecutorTest, ErrorsOfALaunchNameTheStep) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  fake_.FailCall(0, cuda::kErrorIllegalAddress, "cuLaunchKernel");
  absl::Status status = executor->Run(memory->run);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("step 3 (launch of 'attend'): cuLaunchKernel failed"));
  EXPECT_THAT(fake_.TakeLaunches(), IsEmpty());
  fake_.FailCall(-1, cuda::kSuccess);
  gemms_->error = absl::InternalError("no luck");
  status = executor->Run(memory->run);
  EXPECT_EQ(std::string(status.message()), "step 1 (gemm): no luck");
}

TEST_F(ExecutorTest, CreateRefusesWhatTheDeviceCannotDo) {
  ExpectRefused(Program(), 3, absl::StatusCode::kUnavailable,
                "device 3 does not exist");
  ExpectRefused(
      Program(), 2, absl::StatusCode::kFailedPrecondition,
      "the program is compiled for sm_90a, device 2 (Fake GPU) is sm_80");
  const auto kLimit = absl::StatusCode::kResourceExhausted;
  DeviceProgram program = Program();
  program.kernels[0].dynamic_smem_bytes = 232449;
  ExpectRefused(program, 0, kLimit,
                "232449 bytes, the limit of the device is 232448");
  fake_.kernels["attend"].static_smem = 200000;
  ExpectRefused(
      Program(), 0, kLimit,
      "needs 300000 bytes of shared memory (200000 static, 100000 dynamic)");
  fake_.kernels["attend"] = {{8, 4, 8, 4, 8, 8}, 255, 0, 96};
  ExpectRefused(
      Program(), 0, kLimit,
      "kernel 'attend': needs 128 threads per block, with 255 registers per "
      "thread at most 96 fit");
  fake_.kernels["attend"] = {{8, 4, 8, 4, 8, 8}, 255, 0, 1024, 0};
  ExpectRefused(Program(), 0, kLimit, "no block of 128 threads");
  fake_.kernels["attend"] = {{8, 4, 8, 4, 8}};
  ExpectRefused(Program(), 0, absl::StatusCode::kInvalidArgument,
                "step 3: 6 arguments, kernel 'attend' has 5 parameters");
  fake_.kernels["attend"] = {{8, 8, 8, 4, 8, 8}};
  ExpectRefused(
      Program(), 0, absl::StatusCode::kInvalidArgument,
      "step 3: argument 1 has 4 bytes, the parameter of kernel 'attend' has "
      "8");
  fake_.kernels.erase("attend");
  ExpectRefused(Program(), 0, absl::StatusCode::kNotFound,
                "kernel 'attend': cuModuleGetFunction('attend')");
}

TEST_F(ExecutorTest, OlderDriversLackTheOptionalFunctions) {
  const DriverApi older(fake_.Table(/*with_optional_functions=*/false));
  options_.driver = &older;
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  EXPECT_TRUE(executor->Run(memory->run).ok());
}

// The program with a kernel that takes two maps among other arguments, twice.
DeviceProgram MapProgram(DeviceProgram program) {
  program.kernels.push_back({"load", "text load", 160, 1024, {}});
  TensorMapArg map;
  map.base = {Kind::kInput, 0, 16};
  map.rows = 3, map.columns = 8, map.row_pitch = 16;
  map.box_rows = 64, map.box_columns = 64, map.swizzle_bytes = 128;
  TensorMapArg other = map;
  other.base = {Kind::kConstant, 1, 0};
  other.dtype = DType::kF32;
  other.rows = other.columns = 1;
  other.box_rows = 8, other.box_columns = 4, other.swizzle_bytes = 0;
  LaunchStep load;
  load.kernel = 2;
  load.args = {map, int32_t{7}, other, BufferRef{Kind::kOutput, 0, 0}};
  program.steps.push_back(load);
  program.steps.push_back(load);
  return program;
}

TEST_F(ExecutorTest, ASetOfBuffersHasItsTensorMaps) {
  fake_.kernels["load"] = {{128, 4, 128, 8}};
  auto executor = Create(MapProgram(Program()));
  EXPECT_THAT(fake_.TakeMaps(), IsEmpty());
  for (int repeat = 0; repeat < 2; ++repeat) {
    auto memory = MemoryFor(*executor);
    fake_.TakeLaunches();
    fake_.TakeCalls();
    const absl::Status status = executor->Run(memory->run);
    ASSERT_TRUE(status.ok()) << status;
    const auto maps = fake_.TakeMaps();
    const auto launches = fake_.TakeLaunches();
    ASSERT_THAT(maps, SizeIs(4));
    ASSERT_THAT(launches, SizeIs(4));
    // Launches with other arguments come between: nothing is left of maps.
    EXPECT_THAT(launches[1].arguments, ElementsAre(memory->k.get() + 4));
    for (uint64_t i = 0; i < 2; ++i) {
      const auto& launch = launches[2 + i];
      EXPECT_EQ(launch.symbol, "load");
      EXPECT_THAT(launch.arguments,
                  ElementsAre(2 * i, 7u, 2 * i + 1, memory->out.get()));
      const FakeDriver::Map& map = maps[2 * i];
      EXPECT_EQ(map.type, cuda::kTensorMapBF16);
      EXPECT_EQ(map.address, memory->q.get() + 16);
      EXPECT_EQ(map.columns, 8u);
      EXPECT_EQ(map.rows, 3u);
      EXPECT_EQ(map.row_pitch, 16u);
      EXPECT_EQ(map.box_columns, 64u);
      EXPECT_EQ(map.box_rows, 64u);
      EXPECT_EQ(map.swizzle, cuda::kTensorMapSwizzle128);
      const FakeDriver::Map& other = maps[2 * i + 1];
      EXPECT_EQ(other.type, cuda::kTensorMapF32);
      EXPECT_EQ(*reinterpret_cast<uint8_t*>(other.address), 4);
      EXPECT_EQ(other.columns, 1u);
      EXPECT_EQ(other.box_columns, 4u);
      EXPECT_EQ(other.box_rows, 8u);
      EXPECT_EQ(other.swizzle, cuda::kTensorMapSwizzleNone);
    }
    // Neither allocations nor waits; the next run on them makes no maps.
    EXPECT_THAT(
        fake_.TakeCalls(),
        ElementsAre("cuPointerGetAttributes", "cuPointerGetAttributes",
                    "cuPointerGetAttributes", "cuPointerGetAttributes",
                    "cuTensorMapEncodeTiled", "cuTensorMapEncodeTiled",
                    "cuTensorMapEncodeTiled", "cuTensorMapEncodeTiled",
                    "cuStreamGetCtx", "cuStreamIsCapturing", "cuMemsetD16Async",
                    "cuLaunchKernel", "cuMemcpyDtoDAsync", "cuLaunchKernel",
                    "cuLaunchKernel", "cuLaunchKernel"));
    ASSERT_TRUE(executor->Run(memory->run).ok());
    const auto again = fake_.TakeLaunches();
    ASSERT_THAT(again, SizeIs(4));
    for (size_t i = 0; i < 4; ++i)
      EXPECT_EQ(again[i].arguments, launches[i].arguments);
    EXPECT_THAT(
        fake_.TakeCalls(),
        ElementsAre("cuStreamGetCtx", "cuStreamIsCapturing", "cuMemsetD16Async",
                    "cuLaunchKernel", "cuMemcpyDtoDAsync", "cuLaunchKernel",
                    "cuLaunchKernel", "cuLaunchKernel"));
  }
}

TEST_F(ExecutorTest, TensorMapsThatCannotBeAreRefused) {
  fake_.kernels["load"] = {{128, 4, 128, 8}};
  DeviceProgram program = MapProgram(Program());
  const auto kPrecondition = absl::StatusCode::kFailedPrecondition;
  program.arch = "sm_80";
  ExpectRefused(
      program, 2, kPrecondition,
      "step 6 (launch of 'load') has a tensor map: expected a device of "
      "capability 9.0 or later, device 2 (Fake GPU) has 8.0");
  program.arch = "sm_90a";
  const DriverApi older(fake_.Table(/*with_optional_functions=*/false));
  options_.driver = &older;
  ExpectRefused(
      program, 0, kPrecondition,
      "step 6 (launch of 'load') has a tensor map: the CUDA driver (a table "
      "of functions) lacks cuTensorMapEncodeTiled, expected a driver of "
      "CUDA 12.0 or newer");
  options_.driver = &driver_;
  fake_.kernels["load"] = {{128, 4, 8, 8}};
  ExpectRefused(
      program, 0, absl::StatusCode::kInvalidArgument,
      "step 6: argument 2 has 128 bytes, the parameter of kernel 'load' has "
      "8");
}

TEST_F(ExecutorTest, ErrorsOfTensorMapsNameTheStep) {
  fake_.kernels["load"] = {{128, 4, 128, 8}};
  auto executor = Create(MapProgram(Program()));
  auto memory = MemoryFor(*executor);
  fake_.FailCall(2, cuda::kErrorInvalidValue, "cuTensorMapEncodeTiled");
  const absl::Status status = executor->Run(memory->run);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("step 7 (launch of 'load'): cuTensorMapEncodeTiled(3x8 "
                        "elements every 16 bytes, box 64x64) failed"));
}

// A program that shares the kernel but needs less shared memory does not take
// from the other.
TEST_F(ExecutorTest, SharedKernelsKeepTheLargerSharedMemory) {
  auto large = Create(Program());
  DeviceProgram program = Program();
  program.kernels[0].dynamic_smem_bytes = 60000;
  auto small = Create(program);
  auto memory = MemoryFor(*large);
  EXPECT_TRUE(large->Run(memory->run).ok());
  EXPECT_TRUE(small->Run(memory->run).ok());
}

TEST_F(ExecutorTest, CompileErrorsHaveThePlaceOfTheOp) {
  DeviceProgram program = Program();
  program.kernels[0].lines = {{1, "layer.mlir:4:5"}, {7, "layer.mlir:9:3"}};
  KernelCache failing(
      "test",
      [](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
        if (request.name == "scale.cu") return CompiledCuda();
        return absl::InvalidArgumentError(
            "compiling attend.cu failed\nattend.cu(12): error: identifier "
            "\"x\" is "
            "undefined\ngsa/device/mma.cuh(3): error: another\n");
      });
  options_.kernels = &failing;
  auto executor = CudaExecutor::Create(program, 0, options_);
  EXPECT_EQ(executor.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(executor.status().message()),
              ::testing::StartsWith("layer.mlir:9:3: attend.cu(12): identifier "
                                    "\"x\" is undefined\ncompiling attend.cu"));
}

TEST_F(ExecutorTest, WarningsHaveThePlaceOfTheOp) {
  DeviceProgram program = Program();
  program.kernels[0].lines = {{2, "layer.mlir:4:5"}};
  KernelCache warning(
      "test",
      [](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
        CompiledCuda compiled;
        compiled.image = request.source;
        compiled.log.messages =
            ParseMessages(request.name +
                          "(3): warning #177-D: variable \"y\" was declared\n");
        compiled.kernels = {{"attend", 40, 16, 8, 4, 0}};
        return compiled;
      });
  options_.kernels = &warning;
  auto executor = Create(program);
  ASSERT_THAT(executor->kernels(), SizeIs(2));
  const KernelReport& report = executor->kernels()[0];
  EXPECT_THAT(report.warnings,
              ElementsAre("layer.mlir:4:5: attend.cu(3): variable \"y\" was "
                          "declared"));
  EXPECT_EQ(report.spill_bytes, 12);
  EXPECT_EQ(report.registers, 32);
  EXPECT_EQ(report.blocks_per_sm, 2);
  EXPECT_EQ(report.dynamic_smem_bytes, 100000);
}

TEST_F(ExecutorTest, RunsAreFreeOfMemoryAfterTheEnd) {
  {
    auto executor = Create(Program());
    auto memory = MemoryFor(*executor);
    auto timer = *ZoneTimer::Create(executor);
    memory->run.timer = timer.get();
    EXPECT_TRUE(executor->Run(memory->run).ok());
  }
  EXPECT_EQ(fake_.Leaks(), "");
}

// The driver reports a fault at whatever is called next.
TEST_F(ExecutorTest, LostContextsNameTheKernelsBefore) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  fake_.FailCall(1, cuda::kErrorIllegalAddress, "cuLaunchKernel");
  const absl::Status status = executor->Run(memory->run);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("step 5 (launch of 'scale')"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is lost; this run had launched 'attend' before"));
  fake_.FailCall(0, cuda::kErrorIllegalAddress, "cuMemsetD16Async");
  EXPECT_THAT(std::string(executor->Run(memory->run).message()),
              HasSubstr("this run had launched no kernel before"));
  fake_.FailCall(0, cuda::kErrorOutOfMemory, "cuLaunchKernel");
  EXPECT_THAT(std::string(executor->Run(memory->run).message()),
              Not(HasSubstr("this run had launched")));
}

TEST_F(ExecutorTest, LoadsLaterWhereThatIsAskedFor) {
  options_.warm_up = false;
  auto executor = Create(Program());
  EXPECT_THAT(fake_.TakeCalls(), Not(Contains("cuFuncLoad")));
  EXPECT_EQ(gemms_->warm_ups, 0);
  auto memory = MemoryFor(*executor);
  fake_.capture_status = cuda::kCaptureActive;
  ExpectRefused(*executor, memory->run, absl::StatusCode::kFailedPrecondition,
                "warm up before the capture begins");
  ASSERT_TRUE(executor->WarmUp().ok());
  EXPECT_THAT(fake_.TakeCalls(), ElementsAre("cuFuncLoad", "cuFuncLoad"));
  EXPECT_EQ(gemms_->warm_ups, 1);
  EXPECT_TRUE(executor->Run(memory->run).ok());
  ASSERT_TRUE(executor->WarmUp().ok());
  EXPECT_THAT(fake_.TakeCalls(), Not(Contains("cuFuncLoad")));
  EXPECT_EQ(gemms_->warm_ups, 1);
}

TEST_F(ExecutorTest, TheFirstRunLoadsWhatWasLeftForLater) {
  options_.warm_up = false;
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  fake_.FailCall(1, cuda::kErrorOutOfMemory, "cuFuncLoad");
  const absl::Status status = executor->Run(memory->run);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("kernel 'scale': cuFuncLoad failed"));
  EXPECT_THAT(fake_.TakeLaunches(), IsEmpty());
  EXPECT_TRUE(executor->Run(memory->run).ok());
  EXPECT_EQ(gemms_->warm_ups, 1);
}

// In the mode that captures have by default, what another thread loads
// meanwhile would be refused.
TEST_F(ExecutorTest, LoadsWhileAnotherThreadCaptures) {
  fake_.other_thread_captures = true;
  options_.warm_up = false;
  auto executor = Create(Program());
  ASSERT_NE(executor, nullptr);
  EXPECT_TRUE(executor->WarmUp().ok());
  EXPECT_EQ(DeviceBuffer::Allocate(executor->context(), 64).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExecutorTest, RefusesToRunInAForkedProcess) {
  auto executor = Create(Program());
  auto memory = MemoryFor(*executor);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const absl::Status status = executor->Run(memory->run);
    const bool refused =
        absl::IsFailedPrecondition(status) &&
        absl::StrContains(status.message(), "does not survive fork()");
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(executor->Run(memory->run).ok());
}

TEST_F(ExecutorTest, ProgramsWithoutStepsRun) {
  DeviceProgram program;
  program.arch = "sm_90a";
  options_.kernels = nullptr;  // no kernel: no compiler is looked for
  options_.gemms = nullptr;
  auto executor = Create(program);
  EXPECT_EQ(executor->workspace_bytes(), 0);
  EXPECT_TRUE(executor->Run(RunArguments()).ok());
}

}  // namespace
}  // namespace gsa
