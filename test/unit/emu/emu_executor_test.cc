// -----------------------------------------------------------------------------
// File: emu_executor_test.cc
// -----------------------------------------------------------------------------
//
// Kernels on the host emulation: results, and what it says of wrong kernels.

#include "runtime/emu/emu_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <thread>

#include "absl/strings/match.h"
#include "runtime/core/dtype.h"
#include "test/unit/emu/kernels.h"

namespace gsa::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// P is rounded to bf16, and so is the result.
constexpr double kTolerance = 0.03;

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(EmuExecutorTest, AttendsAtAnyTimeOfCopies) {
  for (uint64_t seed : {0, 1, 7}) {
    AttendCase test(3, 200, 321);
    EmuOptions options;
    options.run.seed = seed;
    absl::Status status = test.Run(options);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_LE(test.MaxError(), kTolerance) << "seed " << seed;
  }
}

TEST(EmuExecutorTest, HasNoRaceUnderThreadSanitizer) {
  for (int entries : {1, 64, 65, 400}) {
    AttendCase test(2, 77, entries);
    EmuOptions options;
    options.thread_sanitizer = true;
    options.run.seed = entries;
    absl::Status status = test.Run(options);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_LE(test.MaxError(), kTolerance) << entries << " entries";
  }
}

TEST(EmuExecutorTest, RowWithoutKeysIsZero) {
  // One key and one entry: half of the lists hold no key.
  AttendCase test(8, 1, 1);
  absl::Status status = test.Run({});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_LE(test.MaxError(), kTolerance);
}

TEST(EmuExecutorTest, RunsWithOtherHostCompilers) {
  for (const char* compiler : {"g++", "clang++-22"}) {
    AttendCase test(1, 50, 70);
    EmuOptions options;
    options.compiler = compiler;
    absl::Status status = test.Run(options);
    if (absl::IsUnavailable(status)) continue;
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_LE(test.MaxError(), kTolerance) << compiler;
  }
}

TEST(EmuExecutorTest, CompilesOncePerTextUnderConcurrency) {
  auto compiler = HostCompiler::Create({}).value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      OneLaunch launch;
      launch.symbol = "scale";
      launch.warps = 3;
      launch.grid = {1 + i, 2, 1};
      int64_t n = 100 + i;
      launch.args = {In(0), Out(0), 2.0f, 1.0, n};
      launch.input_bytes = launch.output_bytes = {4 * n};
      EmuOptions options;
      options.host_compiler = compiler.get();
      auto executor = EmuExecutor::Create(MakeProgram(launch), options);
      ASSERT_TRUE(executor.ok()) << executor.status();
      std::vector<float> x(n), y(n);
      std::iota(x.begin(), x.end(), 0.0f);
      absl::Status status = (*executor)->Run({x.data()}, {y.data()});
      ASSERT_TRUE(status.ok()) << status;
      for (int64_t j = 0; j < n; ++j) EXPECT_EQ(y[j], 2.0f * j + 1.0f);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(compiler->compilations(), 1);
}

// Through the workspace, from one lane to the other.
DeviceProgram TwoLanes(int64_t n, std::vector<int32_t> waits) {
  OneLaunch launch;
  launch.symbol = "scale";
  const BufferRef between = {BufferRef::Kind::kWorkspace, 0, 0};
  launch.args = {In(0), between, 2.0f, 1.0, n};
  launch.input_bytes = launch.output_bytes = {4 * n};
  DeviceProgram program = MakeProgram(launch);
  program.workspace_bytes = 4 * n;
  program.lanes = 2;
  auto second = std::get<LaunchStep>(program.steps[0]);
  second.args = {between, Out(0), 3.0f, 0.0, n};
  second.order = {1, std::move(waits)};
  program.steps.push_back(second);
  return program;
}

TEST(EmuExecutorTest, LanesRunInAnyOrderThatWaitsAllow) {
  const int64_t n = 100;
  std::vector<float> x(n, 5.0f), y(n);
  const auto run = [&](const DeviceProgram& program, uint64_t seed) {
    EmuOptions options;
    options.run.seed = seed;
    auto executor = EmuExecutor::Create(program, options);
    ASSERT_TRUE(executor.ok()) << executor.status();
    const absl::Status status = (*executor)->Run({x.data()}, {y.data()});
    ASSERT_TRUE(status.ok()) << status;
  };
  for (uint64_t seed : {0, 1, 7}) {
    run(TwoLanes(n, {0}), seed);
    EXPECT_EQ(y[n - 1], 33.0f) << seed;
  }
  // What should have waited shows: it reads what has not been written.
  run(TwoLanes(n, {}), 0);
  EXPECT_TRUE(std::isnan(y[n - 1])) << y[n - 1];
}

TEST(EmuExecutorTest, CopiesFillsAndMultiplies) {
  OneLaunch launch;
  launch.symbol = "scale";
  DeviceProgram program = MakeProgram(launch);
  program.steps.clear();
  // A is 2 x 3 in bf16, B is stored 5 x 3 in bf16, C is 2 x 5 in f32 + 1.
  program.inputs = {{"a", 12}, {"b", 30}};
  program.outputs = {{"c", 40}, {"copy", 12}};
  program.workspace_bytes = 64;
  program.steps.push_back(FillStep{Out(0), 0x3f800000u, 4, 10, 0});
  BufferRef scratch = {BufferRef::Kind::kWorkspace, 0, 16};
  program.steps.push_back(CopyStep{In(0), scratch, 12, 0});
  program.steps.push_back(CopyStep{scratch, Out(1), 12, 0});
  GemmStep gemm;
  gemm.a = scratch;
  gemm.b = In(1);
  gemm.c = Out(0);
  gemm.c_dtype = DType::kF32;
  gemm.m = 2, gemm.n = 5, gemm.k = 3;
  gemm.lda = 3, gemm.ldb = 3, gemm.ldc = 5;
  gemm.trans_b = true;
  gemm.beta = 1;
  program.steps.push_back(gemm);
  std::vector<uint16_t> a, b, copy(6);
  for (int i = 0; i < 6; ++i) a.push_back(BF16FromFloat(i + 1).bits);
  for (int i = 0; i < 15; ++i) b.push_back(BF16FromFloat(i - 7).bits);
  std::vector<float> c(10);
  absl::Status status =
      RunProgram(program, {}, {a.data(), b.data()}, {c.data(), copy.data()});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copy, a);
  for (int m = 0; m < 2; ++m)
    for (int n = 0; n < 5; ++n) {
      float sum = 1;
      for (int k = 0; k < 3; ++k) sum += (m * 3 + k + 1) * (n * 3 + k - 7);
      EXPECT_EQ(c[m * 5 + n], sum) << m << ", " << n;
    }
}

TEST(EmuExecutorTest, NobodyWroteIsNaN) {
  OneLaunch launch;
  launch.symbol = "unwritten";
  launch.smem = 512;
  launch.args = {In(0), Out(0)};
  launch.input_bytes = {4};
  launch.output_bytes = {80};
  std::vector<float> x(1), y(20);
  absl::Status status =
      RunProgram(MakeProgram(launch), {}, {x.data()}, {y.data()});
  ASSERT_TRUE(status.ok()) << status;
  for (float value : y) EXPECT_TRUE(std::isnan(value));
}

//===----------------------------------------------------------------------===//
// Wrong kernels
//===----------------------------------------------------------------------===//

absl::Status RunWrong(const char* symbol, int warps, int64_t smem,
                      int64_t output_bytes = 1024, EmuOptions options = {},
                      std::array<int64_t, 3> grid = {1, 1, 1}) {
  OneLaunch launch;
  launch.symbol = symbol;
  launch.warps = warps;
  launch.smem = smem;
  launch.grid = grid;
  launch.args = {In(0), Out(0)};
  launch.input_bytes = {4096};
  launch.output_bytes = {output_bytes};
  std::vector<char> x(4096), y(output_bytes);
  return RunProgram(MakeProgram(launch), std::move(options), {x.data()},
                    {y.data()});
}

TEST(EmuExecutorTest, NamesFunctionOfAccessBeyondBuffer) {
  absl::Status status = RunWrong("rotate", 4, 512, 500);
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(
      Message(status),
      AllOf(HasSubstr("store: write of 4 bytes at byte 500 of output 0 out, "
                      "which has 500 bytes"),
            HasSubstr("kernel rotate, block (0, 0, 0), warp 3")));
}

TEST(EmuExecutorTest, NamesMisuse) {
  EXPECT_THAT(Message(RunWrong("misaligned", 1, 1024)),
              AllOf(HasSubstr("copy_rows: source of row 1 is at"),
                    HasSubstr("no multiple of the vector of 16 bytes")));
  EXPECT_THAT(Message(RunWrong("outsider", 2, 0)),
              HasSubstr("sync: run by a warp outside team<1, 1>"));
  EXPECT_THAT(Message(RunWrong("beyond_tile", 1, 512)),
              HasSubstr("load_shared: row 4, columns 0 to 1 of a tile of 4 x "
                        "32 at offset 0"));
  EXPECT_THAT(Message(RunWrong("beyond_plan", 1, 512)),
              HasSubstr("smem_alloc: 512 bytes at offset 64, of 512 bytes"));
}

TEST(EmuExecutorTest, ArgumentsMustFitTheKernel) {
  OneLaunch launch;
  launch.symbol = "rotate";
  launch.warps = 4;
  launch.smem = 512;
  launch.args = {In(0), int32_t{1}};
  launch.input_bytes = {4};
  launch.output_bytes = {4};
  float x = 0, y = 0;
  EXPECT_THAT(Message(RunProgram(MakeProgram(launch), {}, {&x}, {&y})),
              HasSubstr("arguments do not fit those of the kernel 'rotate'"));
}

TEST(EmuExecutorTest, DeadlockEndsAtOnce) {
  absl::Status status = RunWrong("lonely_barrier", 2, 0);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_THAT(Message(status),
              AllOf(HasSubstr("all warps wait for each other"),
                    HasSubstr("warp 0: waits in end of block"),
                    HasSubstr("warp 1: waits in sync, barrier 3")));
}

TEST(EmuExecutorTest, EndsWhenTimeIsUp) {
  EmuOptions options;
  options.timeout = absl::Milliseconds(300);
  absl::Status status = RunWrong("endless", 1, 0, 1024, options);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_THAT(Message(status),
              AllOf(HasSubstr("does not end within 300ms"),
                    HasSubstr("kernel endless, block (0, 0, 0), warp 0")));
}

TEST(EmuExecutorTest, AsynchronousCommitDoesNotOrderPlainCopies) {
  EXPECT_THAT(Message(RunWrong("plain_commit", 1, 1040)),
              HasSubstr("ring_commit: asynchronous, after copies by ordinary "
                        "stores"));
}

TEST(EmuExecutorTest, ProductsOfAWarpgroupAreLate) {
  std::vector<uint16_t> x(64 * 64);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = BF16FromFloat(static_cast<int>(i * 37 % 11) - 5).bits;
  std::vector<float> y(3 * 64 * 64);
  OneLaunch launch;
  launch.symbol = "warpgroup";
  launch.warps = 4;
  launch.smem = 8192;
  launch.args = {In(0), Out(0)};
  launch.input_bytes = {2 * 64 * 64};
  launch.output_bytes = {4 * 3 * 64 * 64};
  absl::Status status =
      RunProgram(MakeProgram(launch), {}, {x.data()}, {y.data()});
  ASSERT_TRUE(status.ok()) << status;
  auto value = [&](int row, int column) {
    return BF16ToFloat({x[row * 64 + column]});
  };
  for (int m = 0; m < 64; ++m)
    for (int n = 0; n < 64; ++n) {
      float nt = 0, nn = 1;
      for (int k = 0; k < 64; ++k) {
        nt += value(m, k) * value(n, k);
        nn += value(m, k) * value(k, n);
      }
      // The second group still had the accumulator when the first was done.
      EXPECT_TRUE(std::isnan(y[m * 64 + n]));
      EXPECT_EQ(y[4096 + m * 64 + n], 2 * nt) << m << ", " << n;
      EXPECT_EQ(y[8192 + m * 64 + n], nn) << m << ", " << n;
    }
}

TEST(EmuExecutorTest, RaceBetweenBlocksIsFound) {
  EmuOptions options;
  options.thread_sanitizer = true;
  absl::Status status = RunWrong("same_place", 1, 0, 1024, options, {64, 1, 1});
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("store<float>"));
}

TEST(EmuExecutorTest, NoCompilerIsAnError) {
  AttendCase test(1, 4, 4);
  EmuOptions options;
  options.compiler = "no-such-compiler";
  absl::Status status = test.Run(options);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("no-such-compiler"));
}

TEST(EmuExecutorTest, BuffersAreChecked) {
  OneLaunch launch;
  launch.symbol = "rotate";
  launch.warps = 4;
  launch.smem = 512;
  launch.args = {In(0), Out(0)};
  launch.input_bytes = {512};
  launch.output_bytes = {512};
  float x = 0;
  absl::Status status =
      RunProgram(MakeProgram(launch), {}, {&x, &x}, {nullptr});
  EXPECT_THAT(Message(status), HasSubstr("got 2 inputs, expected 1"));
  status = RunProgram(MakeProgram(launch), {}, {&x}, {nullptr});
  EXPECT_THAT(Message(status), HasSubstr("output 0 (out) is null"));
}

//===----------------------------------------------------------------------===//
// Seeded faults of synchronisation
//===----------------------------------------------------------------------===//

struct FaultCase {
  const char* function;
  int call;
  int warp;
};

class SeededFaultTest : public ::testing::TestWithParam<FaultCase> {};

// As a race, a hang, misuse, or poison in the result.
TEST_P(SeededFaultTest, IsCaughtUnderThreadSanitizer) {
  AttendCase test(2, 300, 400);
  EmuOptions options;
  options.thread_sanitizer = true;
  options.run.fault = GetParam().function;
  options.run.fault_call = GetParam().call;
  options.run.fault_warp = GetParam().warp;
  absl::Status status = test.Run(options);
  // Kernels that do not compile are no catch.
  bool misused = absl::IsInternal(status) &&
                 absl::StrContains(status.message(), "gsa-emu: ");
  EXPECT_TRUE(absl::IsAborted(status) || absl::IsDeadlineExceeded(status) ||
              misused || (status.ok() && !(test.MaxError() <= kTolerance)))
      << status << ", error " << test.MaxError();
}

INSTANTIATE_TEST_SUITE_P(Faults, SeededFaultTest,
                         ::testing::Values(FaultCase{"ring_wait", 0, 2},
                                           FaultCase{"ring_wait", 3, 4},
                                           FaultCase{"ring_release", 1, 1},
                                           FaultCase{"ring_acquire", 2, 0},
                                           FaultCase{"ring_acquire", 4, 0},
                                           FaultCase{"ring_commit", 1, 0},
                                           FaultCase{"wrong_slot", 1, 3},
                                           FaultCase{"copy_wait", 0, 3},
                                           FaultCase{"copy_rows", 0, 2}),
                         [](const ::testing::TestParamInfo<FaultCase>& info) {
                           return std::string(info.param.function) + "_" +
                                  std::to_string(info.param.call);
                         });

TEST(SeededFaultTest, MissingBarrierIsARace) {
  EmuOptions options;
  options.thread_sanitizer = true;
  absl::Status status = RunWrong("rotate", 4, 512, 512, options);
  EXPECT_TRUE(status.ok()) << status;
  options.run.fault = "sync";
  status = RunWrong("rotate", 4, 512, 512, options);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("data race"));
}

// Without ThreadSanitizer a missing wait reads what no copy has written yet.
TEST(SeededFaultTest, MissingWaitReadsPoison) {
  AttendCase test(1, 300, 64);
  EmuOptions options;
  options.run.fault = "ring_commit";
  EXPECT_TRUE(absl::IsDeadlineExceeded(test.Run(options)));
  options.run.fault = "copy_wait";
  options.run.fault_warp = 0;
  absl::Status status = test.Run(options);
  EXPECT_FALSE(status.ok() && test.MaxError() <= kTolerance);
}

TEST(SeededFaultTest, NamesTheRingThatWarpsWaitFor) {
  AttendCase test(1, 300, 400);
  EmuOptions options;
  options.run.fault = "ring_release";
  options.run.fault_call = 0;
  options.run.fault_warp = 2;
  absl::Status status = test.Run(options);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_THAT(Message(status),
              AllOf(HasSubstr("kernel attend, block (0, 0, 0), warp 0: waits "
                              "in ring_acquire, ring at 26624, iteration 2"),
                    HasSubstr("waits in ring_wait")));
}

}  // namespace
}  // namespace gsa::testing
