// -----------------------------------------------------------------------------
// File: device_faults_test.cc
// -----------------------------------------------------------------------------
//
// Each call of the driver, NVRTC and cuBLASLt in turn fails while a program is
// compiled, loaded, run and destroyed. The caller is told which call it was,
// nothing is left, nothing waits for ever, and the next use works.

#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cuda/fake_blas.h"
#include "cuda/fake_driver.h"
#include "faults/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cublaslt_api.h"
#include "runtime/core/cuda/cuda_executor.h"

namespace gsa {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = BufferRef::Kind;
using Names = std::set<std::string>;

// A wait without an end is the end of the test.
constexpr unsigned kSeconds = 300;

//===----------------------------------------------------------------------===//
// An NVRTC whose code is the text
//===----------------------------------------------------------------------===//

// Kernels are compiled on threads of their own.
std::atomic<int> open_programs = 0;

constexpr char kLog[] =
    "ptxas info    : Compiling entry function 'attend' for 'sm_90a'\n"
    "ptxas info    : Used 40 registers, 8 bytes smem\n";

std::string& TextOf(cuda::NvrtcProgram program) {
  return *reinterpret_cast<std::string*>(program);
}

cuda::NvrtcTable FakeNvrtcTable() {
  cuda::NvrtcTable table;
  table.GetErrorString = [](int) { return "NVRTC_ERROR_OF_TEST"; };
  table.Version = [](int* major, int* minor) {
    *major = 13, *minor = 0;
    return 0;
  };
  table.GetNumSupportedArchs = [](int* count) { return *count = 2, 0; };
  table.GetSupportedArchs = [](int* archs) {
    archs[0] = 80, archs[1] = 90;
    return 0;
  };
  table.CreateProgram = [](cuda::NvrtcProgram* program, const char* text,
                           const char*, int, const char* const*,
                           const char* const*) {
    ++open_programs;
    *program = reinterpret_cast<cuda::NvrtcProgram>(new std::string(text));
    return 0;
  };
  table.DestroyProgram = [](cuda::NvrtcProgram* program) {
    --open_programs;
    delete &TextOf(*program);
    *program = nullptr;
    return 0;
  };
  table.CompileProgram = [](cuda::NvrtcProgram, int, const char* const*) {
    return 0;
  };
  table.GetCUBINSize =
      table.GetPTXSize = [](cuda::NvrtcProgram program, size_t* size) {
        *size = TextOf(program).size();
        return 0;
      };
  table.GetCUBIN = table.GetPTX = [](cuda::NvrtcProgram program, char* code) {
    TextOf(program).copy(code, TextOf(program).size());
    return 0;
  };
  table.GetProgramLogSize = [](cuda::NvrtcProgram, size_t* size) {
    *size = sizeof(kLog);
    return 0;
  };
  table.GetProgramLog = [](cuda::NvrtcProgram, char* log) {
    std::memcpy(log, kLog, sizeof(kLog));
    return 0;
  };
  return table;
}

//===----------------------------------------------------------------------===//
// A program with everything, and a machine for it
//===----------------------------------------------------------------------===//

// With two lanes the products are on the first one, as the compiler has them.
DeviceProgram Everything(int lanes) {
  DeviceProgram program;
  program.arch = "sm_90a";
  for (const char* symbol : {"attend", "scale"}) {
    KernelSource kernel;
    kernel.symbol = symbol;
    kernel.text = absl::StrCat("text ", symbol);
    kernel.threads_per_block = 128;
    kernel.dynamic_smem_bytes = program.kernels.empty() ? 100000 : 0;
    program.kernels.push_back(kernel);
  }
  program.inputs = {{"q", 128}, {"k", 128}};
  program.outputs = {{"out", 128}};
  program.constants = {{"one", {1, 2, 3}}};
  program.workspace_bytes = 1024;
  program.zone_names = {"project", "attend"};
  program.lanes = lanes;
  GemmStep gemm;
  gemm.a = {Kind::kInput, 0, 0};
  gemm.b = {Kind::kInput, 1, 0};
  gemm.c = {Kind::kWorkspace, 0, 512};
  gemm.m = gemm.n = gemm.k = 4;
  gemm.lda = gemm.ldb = gemm.ldc = 8;
  LaunchStep attend;
  TensorMapArg map;
  map.base = {Kind::kInput, 0, 0};
  map.rows = 4, map.columns = 8, map.row_pitch = 16;
  map.box_rows = 2, map.box_columns = 8;
  attend.args = {map, BufferRef{Kind::kConstant, 0, 0}, int32_t{7}};
  attend.zone = 1;
  LaunchStep scale;
  scale.kernel = 1;
  scale.args = {BufferRef{Kind::kOutput, 0, 0}};
  scale.zone = 1;
  if (lanes > 1)
    scale.order = {1, {0}};
  else
    scale.dependent = true;
  const FillStep fill{{Kind::kWorkspace, 0, 8}, 0xabcd, 2, 3, 0};
  const CopyStep copy{{Kind::kWorkspace, 0, 8}, {Kind::kOutput, 0, 0}, 6, 0};
  program.steps = {fill, gemm, attend, scale, copy, gemm};
  if (lanes > 1) std::get<CopyStep>(program.steps[4]).order = {0, {3}};
  return program;
}

// The products as cuBLASLt's, of the tests' own.
absl::StatusOr<std::shared_ptr<GemmLibrary>> FakeGemms(
    std::shared_ptr<const PrimaryContext> context) {
  return CreateCublasLtGemms(
      std::make_shared<CublasLtApi>(WithFaults(FakeBlasTable())),
      std::move(context));
}

struct Machine {
  FakeDriver fake;
  DriverApi driver{WithFaults(fake.Table())};
  std::unique_ptr<KernelCache> kernels;
  ExecutorOptions options;

  Machine() {
    fake.kernels["attend"] = {{128, 8, 4}};
    fake.kernels["scale"] = {{8}};
    blas = FakeBlas();
    options.driver = &driver;
    options.gemms = FakeGemms;
    options.compile_threads = 2;
  }

  // With an NVRTC that is opened for it.
  absl::StatusOr<std::shared_ptr<const CudaExecutor>> Create(int lanes) {
    auto nvrtc =
        NvrtcApi::FromTable(WithFaults(FakeNvrtcTable()), "/lib/libnvrtc.so");
    if (!nvrtc.ok()) return nvrtc.status();
    kernels = KernelCache::ForNvrtc(*std::move(nvrtc));
    options.kernels = kernels.get();
    return CudaExecutor::Create(Everything(lanes), 0, options);
  }
};

// What a run is given.
struct Buffers {
  std::vector<DeviceBuffer> memory;
  std::vector<void*> inputs, outputs;
  RunArguments run;

  Buffers(const CudaExecutor& executor, cuda::Stream stream) {
    for (int64_t bytes :
         {int64_t{128}, int64_t{128}, int64_t{128}, executor.workspace_bytes()})
      memory.push_back(*DeviceBuffer::Allocate(executor.context(), bytes));
    inputs = {memory[0].data(), memory[1].data()};
    outputs = {memory[2].data()};
    run.inputs = inputs;
    run.outputs = outputs;
    run.workspace = memory[3].data();
    run.workspace_bytes = executor.workspace_bytes();
    run.stream = stream;
  }
};

//===----------------------------------------------------------------------===//
// What a caller is told
//===----------------------------------------------------------------------===//

// Calls whose failure has no consequence: where a context is not known to be
// current it is made so, and a capture mode is for the calls behind it, which
// say why they fail.
bool IsHarmless(const std::string& failed) {
  return GivesBack(failed) || failed == "cuCtxGetCurrent" ||
         failed == "cuThreadExchangeStreamCaptureMode";
}

// Of a context that cannot be made current nothing can be given back: it is
// lost, and what is in it.
bool LosesMemory(const std::string& failed) {
  return failed == "cuCtxPushCurrent_v2";
}

void ExpectTold(const absl::Status& status, std::string failed) {
  ASSERT_FALSE(status.ok()) << "nobody was told";
  const std::string message(status.message());
  EXPECT_THAT(message, HasSubstr("_OF_TEST"));
  if (failed.rfind("nvrtc", 0) == 0) {
    // What was wanted, in place of a function.
    EXPECT_THAT(message, AnyOf(HasSubstr(".cu"), HasSubstr(failed)));
    EXPECT_THAT(status.code(), AnyOf(absl::StatusCode::kResourceExhausted,
                                     absl::StatusCode::kUnavailable));
    return;
  }
  EXPECT_THAT(message,
              HasSubstr(std::string(absl::StripSuffix(failed, "_v2"))));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

// From the NVRTC to the last module unloaded.
TEST(DeviceFaults, CreateAndDestroy) {
  alarm(kSeconds);
  for (int lanes : {1, 2}) {
    Names seen;
    std::string leaks, leaks_of_both;
    absl::Status again;
    const auto attempt = [&](const auto& arm) {
      Machine machine;
      machine.options.warm_up = false;
      arm();
      absl::Status status = machine.Create(lanes).status();
      Faults::Disarm();
      leaks = machine.fake.Leaks();
      again = machine.Create(lanes).status();
      leaks_of_both = machine.fake.Leaks();
      return status;
    };
    const int calls = ForEachFault(
        Faults::kTables, attempt,
        [&](const absl::Status& status, const std::string& failed) {
          seen.insert(failed);
          if (!IsHarmless(failed) && !(LosesMemory(failed) && status.ok()))
            ExpectTold(status, failed);
          if (!LosesMemory(failed)) {
            EXPECT_EQ(leaks, "");
            EXPECT_EQ(blas.open, 0);
          }
          EXPECT_EQ(open_programs, 0);
          EXPECT_TRUE(again.ok()) << again;
          EXPECT_EQ(leaks_of_both, leaks);
        });
    EXPECT_GT(calls, 100);
    if (lanes == 1) EXPECT_THAT(seen, Contains("cuDriverGetVersion"));
    EXPECT_THAT(seen,
                IsSupersetOf({"cuDeviceGetUuid_v2", "cuFuncGetParamInfo",
                              "cuFuncSetAttribute", "cuMemFree_v2",
                              "cuModuleUnload", "cublasLtDestroy",
                              "cublasLtMatmulAlgoGetHeuristic", "nvrtcGetCUBIN",
                              "nvrtcGetProgramLog", "nvrtcGetSupportedArchs"}));
  }
}

// The context is lost somewhere on the way: everything fails from then on.
TEST(DeviceFaults, ALostContextAtAnyMoment) {
  alarm(kSeconds);
  for (int lanes : {1, 2}) {
    std::string leaks;
    const auto attempt = [&](const auto& arm) {
      // Memory for which nobody has to be asked.
      alignas(256) static char memory[4][2048];
      void* inputs[] = {memory[0], memory[1]};
      void* outputs[] = {memory[2]};
      RunArguments run;
      run.inputs = inputs;
      run.outputs = outputs;
      run.workspace = memory[3];
      run.workspace_bytes = sizeof(memory[3]);
      Machine machine;
      machine.options.check_pointers = false;
      arm();
      auto executor = machine.Create(lanes);
      absl::Status status = executor.status();
      if (status.ok()) {
        status = (*executor)->Run(run);
        executor->reset();
      }
      leaks = machine.fake.Leaks();
      return status;
    };
    ForEachFault(
        Faults::kTables, attempt,
        [&](const absl::Status& status, const std::string& failed) {
          if (!status.ok())
            EXPECT_THAT(std::string(status.message()), HasSubstr("_OF_TEST"));
          // What a lost context held is lost, the context itself is not.
          EXPECT_THAT(leaks, Not(HasSubstr("contexts;"))) << failed;
          EXPECT_EQ(open_programs, 0);
        },
        /*onwards=*/true);
  }
}

struct RunCase {
  const char* name;
  int lanes;
  bool warm;      // before the run
  int before;     // runs before on the same buffers
  bool captures;  // the stream
  bool timed;
  Names calls;  // that a run of the case makes, among others
};

const RunCase kRunCases[] = {
    {"a first run on buffers",
     1,
     true,
     0,
     false,
     false,
     {"cuPointerGetAttributes", "cuTensorMapEncodeTiled", "cuStreamGetCtx",
      "cuStreamIsCapturing", "cuMemsetD16Async", "cublasLtMatmul",
      "cuLaunchKernel", "cuLaunchKernelEx", "cuMemcpyDtoDAsync_v2"}},
    {"a run on known buffers",
     1,
     true,
     1,
     false,
     false,
     {"cuLaunchKernel", "cuLaunchKernelEx"}},
    {"a run that loads",
     1,
     false,
     0,
     false,
     false,
     {"cuFuncLoad", "cuStreamCreate", "cuMemAlloc_v2", "cuMemsetD8Async",
      "cuStreamSynchronize"}},
    {"a capture", 1, true, 1, true, false, {"cuLaunchKernel"}},
    {"lanes",
     2,
     true,
     1,
     false,
     false,
     {"cuEventRecord", "cuStreamWaitEvent", "cuLaunchKernel"}},
    {"lanes that load",
     2,
     false,
     0,
     false,
     false,
     {"cuStreamCreate", "cuEventCreate", "cuFuncLoad"}},
    {"lanes in a capture", 2, true, 1, true, false, {"cuEventRecord"}},
    {"a run that is recorded",
     1,
     true,
     2,
     false,
     false,
     {"cuStreamCreate", "cuStreamBeginCapture_v2", "cuLaunchKernel",
      "cublasLtMatmul", "cuStreamEndCapture", "cuGraphInstantiateWithFlags",
      "cuGraphLaunch"}},
    {"a recorded run", 1, true, 3, false, false, {"cuGraphLaunch"}},
    {"zones",
     1,
     true,
     1,
     false,
     true,
     {"cuEventCreate", "cuEventRecord", "cuEventSynchronize",
      "cuEventElapsedTime"}},
};

// One run of a case, with the times of its zones where they are wanted.
absl::Status RunOnce(const std::shared_ptr<const CudaExecutor>& executor,
                     RunArguments run, bool timed) {
  if (!timed) return executor->Run(run);
  auto timer = ZoneTimer::Create(executor);
  if (!timer.ok()) return timer.status();
  run.timer = timer->get();
  absl::Status status = executor->Run(run);
  if (!status.ok()) return status;
  return (*timer)->Milliseconds().status();
}

// The first warm-up of a product is of a few of its rows; where that fails for
// whatever reason the whole product runs, and its status counts.
bool IsOfWarmUp(const std::string& failed) {
  static const Names kNames = {"cuMemAlloc_v2", "cuMemsetD8Async",
                               "cuStreamSynchronize", "cuCtxPushCurrent_v2"};
  return kNames.count(failed) != 0 || failed.rfind("cublasLt", 0) == 0;
}

// What cannot be recorded is submitted, and the status is that of the run.
bool IsOfRecording(const std::string& failed) {
  return failed != "cuStreamGetCtx" && failed != "cuStreamIsCapturing" &&
         failed != "cuGraphLaunch";
}

TEST(DeviceFaults, Run) {
  alarm(kSeconds);
  for (const RunCase& c : kRunCases) {
    SCOPED_TRACE(c.name);
    Names seen;
    absl::Status again;
    std::string leaks;
    std::vector<FakeDriver::Launch> launches;
    const auto attempt = [&](const auto& arm) {
      absl::Status status;
      Machine machine;
      {
        machine.options.warm_up = c.warm;
        auto executor = *machine.Create(c.lanes);
        Buffers buffers(*executor, machine.fake.StreamOf(0));
        for (int i = 0; i < c.before; ++i)
          EXPECT_TRUE(executor->Run(buffers.run).ok());
        if (c.captures) machine.fake.capture_status = cuda::kCaptureActive;
        arm();
        status = RunOnce(executor, buffers.run, c.timed);
        Faults::Disarm();
        machine.fake.TakeLaunches();
        again = RunOnce(executor, buffers.run, c.timed);
        launches = machine.fake.TakeLaunches();
        machine.fake.capture_status = cuda::kCaptureNone;
      }
      leaks = machine.fake.Leaks();
      return status;
    };
    ForEachFault(
        Faults::kTables, attempt,
        [&](const absl::Status& status, const std::string& failed) {
          seen.insert(failed);
          if (!IsHarmless(failed) &&
              !(status.ok() && !c.warm && IsOfWarmUp(failed)) &&
              !(status.ok() && c.before == 2 && IsOfRecording(failed)) &&
              !(status.ok() && LosesMemory(failed) && c.timed))
            ExpectTold(status, failed);
          EXPECT_TRUE(again.ok()) << again;
          ASSERT_THAT(launches, SizeIs(2));
          EXPECT_EQ(launches[0].symbol, "attend");
          EXPECT_EQ(launches[0].arguments[2], 7u);
          EXPECT_EQ(launches[1].symbol, "scale");
          if (!LosesMemory(failed)) EXPECT_EQ(leaks, "");
        });
    EXPECT_THAT(seen, IsSupersetOf(c.calls));
  }
}

// Code and report of a compilation are there, or the status says what is not.
TEST(DeviceFaults, Compile) {
  alarm(kSeconds);
  for (CudaOutput output : {CudaOutput::kCubin, CudaOutput::kPtx}) {
    CompileRequest request;
    request.name = "attend.cu";
    request.source = "text attend";
    request.arch = "sm_90a";
    request.output = output;
    const int calls = ForEachFault(
        Faults::kNvrtc,
        [&](const auto& arm) {
          arm();
          auto nvrtc = NvrtcApi::FromTable(WithFaults(FakeNvrtcTable()),
                                           "/lib/libnvrtc.so");
          if (!nvrtc.ok()) return nvrtc.status();
          auto compiled = CompileCuda(**nvrtc, request);
          if (!compiled.ok()) return compiled.status();
          EXPECT_EQ(compiled->image, request.source);
          EXPECT_EQ(compiled->log.text + '\n', kLog + std::string("\n"));
          return absl::OkStatus();
        },
        [&](const absl::Status& status, const std::string& failed) {
          if (!IsHarmless(failed)) ExpectTold(status, failed);
          EXPECT_EQ(open_programs, 0);
        });
    EXPECT_EQ(calls, 10);
  }
}

// Copies of a buffer, and the message of an allocation that fails twice.
TEST(DeviceFaults, Buffers) {
  alarm(kSeconds);
  std::string leaks;
  const auto attempt = [&](const auto& arm) {
    Machine machine;
    absl::Status status;
    {
      auto context =
          PrimaryContext::Retain(machine.driver, *GetDevice(machine.driver, 0));
      arm();
      auto buffer = DeviceBuffer::Allocate(*context, 64);
      status = buffer.status();
      int word = 5, got = 0;
      if (status.ok()) status = buffer->Upload(&word, sizeof(word), 8);
      if (status.ok()) status = buffer->Download(&got, sizeof(got), 8);
      if (status.ok()) EXPECT_EQ(got, 5);
    }
    Faults::Disarm();
    leaks = machine.fake.Leaks();
    return status;
  };
  for (bool onwards : {false, true})
    ForEachFault(
        Faults::kDriver, attempt,
        [&](const absl::Status& status, const std::string& failed) {
          if (!onwards && !IsHarmless(failed) &&
              !(status.ok() && LosesMemory(failed)))
            ExpectTold(status, failed);
          if (!onwards && !LosesMemory(failed)) EXPECT_EQ(leaks, "");
          EXPECT_THAT(leaks, Not(HasSubstr("contexts;")));
        },
        onwards);
}

}  // namespace
}  // namespace gsa
