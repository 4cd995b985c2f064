// -----------------------------------------------------------------------------
// File: device_test.cc
// -----------------------------------------------------------------------------
//
// The CUDA runtime on a GPU; each test is skipped where there is none. Programs
// are written by hand here: what the compiler makes is tested elsewhere.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/cuda/dynamic_library.h"
#include "runtime/core/dtype.h"
#include "tensor_map_case.h"
#include "test/unit/cache/cache_testing.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Kind = BufferRef::Kind;

// The driver's graph functions, which the runtime itself does not need.
struct Graphs {
  int (*begin)(cuda::Stream, int) = nullptr;
  int (*end)(cuda::Stream, void**) = nullptr;
  int (*instantiate)(void**, void*, unsigned long long) = nullptr;
  int (*launch)(void*, cuda::Stream) = nullptr;
  int (*destroy_exec)(void*) = nullptr;
  int (*destroy)(void*) = nullptr;

  absl::Status Load(const std::string& path) {
    auto library = DynamicLibrary::OpenFirst("CUDA driver", {path});
    if (!library.ok()) return library.status();
    absl::Status status;
    status.Update(library->Resolve("cuStreamBeginCapture_v2", &begin));
    status.Update(library->Resolve("cuStreamEndCapture", &end));
    status.Update(
        library->Resolve("cuGraphInstantiateWithFlags", &instantiate));
    status.Update(library->Resolve("cuGraphLaunch", &launch));
    status.Update(library->Resolve("cuGraphExecDestroy", &destroy_exec));
    status.Update(library->Resolve("cuGraphDestroy", &destroy));
    return status;
  }
};

class CudaDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto driver = DriverApi::Default();
    if (!driver.ok()) GTEST_SKIP() << driver.status();
    driver_ = *driver;
    auto device = GetDevice(*driver_, 0);
    if (!device.ok()) GTEST_SKIP() << device.status();
    device_ = *device;
    if (auto arch = ArchOf(device_.major, device_.minor); !arch.ok())
      GTEST_SKIP() << arch.status();
    auto context = PrimaryContext::Retain(*driver_, device_);
    ASSERT_TRUE(context.ok()) << context.status();
    context_ = *context;
    auto stream = DeviceStream::Create(context_);
    ASSERT_TRUE(stream.ok()) << stream.status();
    stream_ = *std::move(stream);
  }

  std::shared_ptr<const CudaExecutor> Create(const DeviceProgram& program) {
    auto executor = CudaExecutor::Create(program, 0);
    EXPECT_TRUE(executor.ok()) << executor.status();
    return executor.ok() ? *executor : nullptr;
  }

  // Captures a run in the strictest mode, calls `captured` before anything
  // runs, and launches the graph once.
  void CaptureAndReplay(const CudaExecutor& executor, const RunArguments& run,
                        const std::function<void()>& captured) {
    Graphs graphs;
    const absl::Status loaded = graphs.Load(driver_->path());
    ASSERT_TRUE(loaded.ok()) << loaded;
    ScopedContext scope(*driver_, context_->get());
    void *graph = nullptr, *exec = nullptr;
    ASSERT_EQ(graphs.begin(stream_->get(), 0), cuda::kSuccess);
    const absl::Status status = executor.Run(run);
    ASSERT_EQ(graphs.end(stream_->get(), &graph), cuda::kSuccess) << status;
    ASSERT_TRUE(status.ok()) << status;
    captured();
    ASSERT_EQ(graphs.instantiate(&exec, graph, 0), cuda::kSuccess);
    ASSERT_EQ(graphs.launch(exec, stream_->get()), cuda::kSuccess);
    ASSERT_TRUE(stream_->Synchronize().ok());
    EXPECT_EQ(graphs.destroy_exec(exec), cuda::kSuccess);
    EXPECT_EQ(graphs.destroy(graph), cuda::kSuccess);
  }

  template <typename T>
  DeviceBuffer Upload(const std::vector<T>& values) {
    auto buffer = DeviceBuffer::Allocate(context_, values.size() * sizeof(T));
    EXPECT_TRUE(buffer.ok()) << buffer.status();
    EXPECT_TRUE(buffer->Upload(values.data(), values.size() * sizeof(T)).ok());
    return *std::move(buffer);
  }
  template <typename T>
  std::vector<T> Download(const DeviceBuffer& buffer) {
    std::vector<T> values(buffer.size() / sizeof(T));
    EXPECT_TRUE(buffer.Download(values.data(), buffer.size()).ok());
    return values;
  }

  // Runs on stream_ with a workspace of its own and waits.
  absl::Status RunAndWait(const CudaExecutor& executor,
                          std::vector<void*> inputs, std::vector<void*> outputs,
                          ZoneTimer* timer = nullptr) {
    auto workspace =
        DeviceBuffer::Allocate(context_, executor.workspace_bytes());
    if (!workspace.ok()) return workspace.status();
    RunArguments run;
    run.inputs = inputs;
    run.outputs = outputs;
    run.workspace = workspace->data();
    run.workspace_bytes = workspace->size();
    run.stream = stream_->get();
    run.timer = timer;
    const absl::Status status = executor.Run(run);
    const absl::Status waited = stream_->Synchronize();
    return status.ok() ? waited : status;
  }

  // out[i] = scale * in[i] + table[i % 4] + shift, through 64 KiB of dynamic
  // shared memory, over a workspace that a fill made.
  DeviceProgram AffineProgram(int64_t count) {
    DeviceProgram program;
    program.arch = device_.arch;
    program.kernels.resize(1);
    program.kernels[0] = {
        "affine_kernel",
        "#include \"affine.cuh\"\n"
        "extern __shared__ float tile[];\n"
        "extern \"C\" __global__ void __launch_bounds__(128)\n"
        "affine_kernel(float *out, const float *in, const float *table,\n"
        "              const int *bias, int count, long long unused,\n"
        "              float scale, double shift) {\n"
        "  int i = blockIdx.x * 128 + threadIdx.x;\n"
        "  float *slot = tile + threadIdx.x * 128 + 127;\n"
        "  *slot = i < count ? in[i] : 0.0f;\n"
        "  __syncthreads();\n"
        "  if (i < count && unused == (1ll << 40))\n"
        "    out[i] = affine(*slot, scale, shift) + table[i % 4] + bias[0];\n"
        "}\n",
        128,
        128 * 128 * 4,
        {{3, "test.mlir:1:1"}},
        "",
        {{"affine.cuh",
          "#pragma once\n__device__ inline float affine(float x, float scale, "
          "double shift) { return scale * x + (float)shift; }\n"}}};
    program.inputs = {{"in", count * 4}};
    program.outputs = {{"out", count * 4}};
    std::vector<float> table = {1, 2, 3, 4};
    program.constants = {{"table", std::vector<uint8_t>(16)}};
    std::memcpy(program.constants[0].bytes.data(), table.data(), 16);
    program.workspace_bytes = 16;
    program.zone_names = {"fill", "affine"};
    LaunchStep launch;
    launch.grid = {(count + 127) / 128, 1, 1};
    launch.args = {BufferRef{Kind::kOutput, 0, 0},
                   BufferRef{Kind::kInput, 0, 0},
                   BufferRef{Kind::kConstant, 0, 0},
                   BufferRef{Kind::kWorkspace, 0, 4},
                   static_cast<int32_t>(count),
                   int64_t{1} << 40,
                   0.5f,
                   0.25};
    launch.zone = 1;
    program.steps = {FillStep{{Kind::kWorkspace, 0, 0}, 7, 4, 4, 0}, launch};
    return program;
  }
  static std::vector<float> AffineResult(const std::vector<float>& in) {
    std::vector<float> out(in.size());
    for (size_t i = 0; i < in.size(); ++i)
      out[i] = 0.5f * in[i] + 0.25f + float(i % 4 + 1) + 7;
    return out;
  }

  const DriverApi* driver_ = nullptr;
  DeviceInfo device_;
  std::shared_ptr<const PrimaryContext> context_;
  std::unique_ptr<DeviceStream> stream_;
};

std::vector<float> Ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = float(i % 97) - 48;
  return values;
}

TEST_F(CudaDeviceTest, DescribesTheDevice) {
  EXPECT_FALSE(device_.name.empty());
  EXPECT_EQ(device_.uuid.size(), 40u);
  EXPECT_GT(device_.sm_count, 0);
  EXPECT_GE(device_.max_smem_per_block, 99 * 1024);
  EXPECT_GT(device_.l2_bytes, 0);
  EXPECT_EQ(device_.limits.max_threads_per_block, 1024);
  EXPECT_EQ(device_.limits.max_grid, LaunchLimits().max_grid);
}

TEST_F(CudaDeviceTest, RunsAProgram) {
  auto executor = Create(AffineProgram(1000));
  ASSERT_NE(executor, nullptr);
  ASSERT_THAT(executor->kernels(), SizeIs(1));
  EXPECT_GT(executor->kernels()[0].registers, 0);
  EXPECT_EQ(executor->kernels()[0].local_bytes, 0);
  EXPECT_GE(executor->kernels()[0].blocks_per_sm, 1);
  const std::vector<float> in = Ramp(1000);
  DeviceBuffer input = Upload(in), output = Upload(in);
  auto timer = ZoneTimer::Create(executor);
  ASSERT_TRUE(timer.ok()) << timer.status();
  const absl::Status status =
      RunAndWait(*executor, {input.data()}, {output.data()}, timer->get());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Download<float>(output), AffineResult(in));
  auto zones = (*timer)->Milliseconds();
  ASSERT_TRUE(zones.ok()) << zones.status();
  ASSERT_THAT(*zones, SizeIs(2));
  EXPECT_GT((*zones)[1], 0.0f);
  EXPECT_LT((*zones)[1], 1000.0f);
}

// As by two processes: the second one opens no NVRTC.
TEST_F(CudaDeviceTest, RunsAKernelThatIsOnDisk) {
  const CacheFolder folder;
  bool opened = false;
  const auto run = [&](KernelOrigin expected) {
    const auto programs = std::make_shared<ProgramCache>(folder.Options());
    const auto loader =
        std::make_shared<NvrtcLoader>(ToolkitSearch(), programs);
    const auto kernels = KernelCache::ForLoader(loader, programs);
    ExecutorOptions options;
    options.kernels = kernels.get();
    int events = 0;
    options.on_kernel = [&](const KernelEvent& event) {
      EXPECT_EQ(event.origin, expected);
      ++events;
    };
    auto executor = CudaExecutor::Create(AffineProgram(1000), 0, options);
    ASSERT_TRUE(executor.ok()) << executor.status();
    EXPECT_EQ(events, 1);
    opened = loader->is_loaded();
    EXPECT_GT((*executor)->kernels().at(0).registers, 0);
    const std::vector<float> in = Ramp(1000);
    DeviceBuffer input = Upload(in), output = Upload(in);
    const absl::Status status =
        RunAndWait(**executor, {input.data()}, {output.data()});
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Download<float>(output), AffineResult(in));
  };
  run(KernelOrigin::kCompiled);
  EXPECT_TRUE(opened);
  // The search of a process that has NVRTC open leaves a record of its own.
  run(KernelOrigin::kDisk);
  run(KernelOrigin::kDisk);
  EXPECT_FALSE(opened);
}

TEST_F(CudaDeviceTest, RunsFromSeveralThreads) {
  auto executor = Create(AffineProgram(500));
  ASSERT_NE(executor, nullptr);
  const std::vector<float> in = Ramp(500);
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto stream = DeviceStream::Create(context_);
      auto workspace =
          DeviceBuffer::Allocate(context_, executor->workspace_bytes());
      DeviceBuffer input = Upload(in), output = Upload(in);
      std::vector<void*> inputs = {input.data()}, outputs = {output.data()};
      RunArguments run;
      run.inputs = inputs;
      run.outputs = outputs;
      run.workspace = workspace->data();
      run.workspace_bytes = workspace->size();
      run.stream = (*stream)->get();
      for (int repeat = 0; repeat < 100; ++repeat)
        if (!executor->Run(run).ok()) return;
      if (!(*stream)->Synchronize().ok()) return;
      good[t] = Download<float>(output) == AffineResult(in);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 1));
}

TEST_F(CudaDeviceTest, ChecksParametersAgainstTheKernel) {
  if (driver_->table().FuncGetParamInfo == nullptr)
    GTEST_SKIP() << "the driver lacks cuFuncGetParamInfo";
  DeviceProgram program = AffineProgram(10);
  std::get<LaunchStep>(program.steps[1]).args.pop_back();
  auto executor = CudaExecutor::Create(program, 0);
  EXPECT_EQ(executor.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(executor.status().message()),
              HasSubstr("7 arguments, kernel 'affine_kernel' has 8"));
}

TEST_F(CudaDeviceTest, RefusesHostMemoryAndRunsAfterwards) {
  auto executor = Create(AffineProgram(64));
  ASSERT_NE(executor, nullptr);
  const std::vector<float> in = Ramp(64);
  DeviceBuffer output = Upload(in), input = Upload(in);
  alignas(16) static float host[64];
  const absl::Status status = RunAndWait(*executor, {host}, {output.data()});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_TRUE(RunAndWait(*executor, {input.data()}, {output.data()}).ok());
  EXPECT_EQ(Download<float>(output), AffineResult(in));
}

TEST_F(CudaDeviceTest, RefusesMemoryOfAnotherDevice) {
  auto second = GetDevice(*driver_, 1);
  if (!second.ok()) GTEST_SKIP() << second.status();
  auto other_context = PrimaryContext::Retain(*driver_, *second);
  ASSERT_TRUE(other_context.ok());
  auto other = DeviceBuffer::Allocate(*other_context, 256);
  ASSERT_TRUE(other.ok()) << other.status();
  auto executor = Create(AffineProgram(64));
  ASSERT_NE(executor, nullptr);
  DeviceBuffer output = Upload(Ramp(64));
  const absl::Status status =
      RunAndWait(*executor, {other->data()}, {output.data()});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is on device 1"));
}

GemmStep SmallGemm(DType dtype, DType result) {
  GemmStep step;
  step.a_dtype = step.b_dtype = dtype;
  step.c_dtype = result;
  step.m = 33, step.n = 40, step.k = 72;
  step.lda = 80, step.ldb = 80, step.ldc = 48;
  step.a = {Kind::kInput, 0, 0};
  step.b = {Kind::kInput, 1, 0};
  step.c = {Kind::kOutput, 0, 0};
  return step;
}

// A program of kernels and a product, with the buffers of a run.
class CudaRunTest : public CudaDeviceTest {
 protected:
  static constexpr size_t kElements = 33 * 48;

  void SetUp() override {
    CudaDeviceTest::SetUp();
    if (IsSkipped()) return;
    DeviceProgram program = AffineProgram(kElements);
    program.inputs.push_back({"a", 80 * 80 * 4});
    program.inputs.push_back({"b", 80 * 80 * 4});
    program.outputs.push_back({"c", kElements * 4});
    GemmStep gemm = SmallGemm(DType::kF32, DType::kF32);
    gemm.a.index = 1, gemm.b.index = 2, gemm.c.index = 1;
    program.steps.push_back(gemm);
    executor_ = Create(program);
    ASSERT_NE(executor_, nullptr);
    input_ = Upload(in_), output_ = Upload(in_), c_ = Upload(in_);
    a_ = Upload(std::vector<float>(80 * 80, 1.0f));
    b_ = Upload(std::vector<float>(80 * 80, 2.0f));
    auto workspace =
        DeviceBuffer::Allocate(context_, executor_->workspace_bytes());
    ASSERT_TRUE(workspace.ok()) << workspace.status();
    workspace_ = *std::move(workspace);
    inputs_ = {input_.data(), a_.data(), b_.data()};
    outputs_ = {output_.data(), c_.data()};
    run_.inputs = inputs_;
    run_.outputs = outputs_;
    run_.workspace = workspace_.data();
    run_.workspace_bytes = workspace_.size();
    run_.stream = stream_->get();
  }

  void CheckResults() {
    EXPECT_EQ(Download<float>(output_), AffineResult(in_));
    EXPECT_EQ(Download<float>(c_)[47 + 32 * 48 - 8], 2.0f * 72);
  }

  std::shared_ptr<const CudaExecutor> executor_;
  std::vector<float> in_ = Ramp(kElements);
  DeviceBuffer input_, output_, c_, a_, b_, workspace_;
  std::vector<void*> inputs_, outputs_;
  RunArguments run_;
};

// A capture in the strictest mode right after Create, the first run of all: no
// warm-up by the caller.
TEST_F(CudaRunTest, TheFirstRunMayBeCaptured) {
  CaptureAndReplay(*executor_, run_, [&] {
    EXPECT_EQ(Download<float>(output_), in_) << "a capture runs nothing";
  });
  CheckResults();
}

// From the third run on a graph is launched, which reads what is in the buffers
// then; and it may be launched on any stream.
TEST_F(CudaRunTest, RepeatedRunsReadWhatIsThere) {
  ASSERT_TRUE(driver_->HasGraphs());
  for (int i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    for (float& x : in_) x += 0.5f;
    ScopedContext scope(*driver_, context_->get());
    ASSERT_TRUE(driver_
                    ->MemcpyHtoDAsync(
                        reinterpret_cast<cuda::DevicePtr>(input_.data()),
                        in_.data(), in_.size() * sizeof(float), stream_->get())
                    .ok());
    ASSERT_TRUE(stream_->Synchronize().ok());
    // The legacy stream waits for the other one, and makes it wait.
    run_.stream = i % 2 == 0 ? stream_->get() : nullptr;
    ASSERT_TRUE(executor_->Run(run_).ok());
    ASSERT_TRUE(driver_->StreamSynchronize(run_.stream).ok());
    CheckResults();
  }
}

// The headers of kernels, as text in this binary, which may run where no source
// is.
constexpr struct {
  const char* name;
  const char* text;
} kDeviceHeaders[] = {
#include "codegen/device/include.inc"
};

// A kernel that the compiler generates, whose ring the bulk copy engine fills.
class CudaTensorMapTest : public CudaDeviceTest {
 protected:
  void SetUp() override {
    CudaDeviceTest::SetUp();
    if (!IsSkipped() && device_.arch != "sm_90a")
      GTEST_SKIP() << "the kernel is for sm_90a, the device is "
                   << device_.arch;
  }

  static DeviceProgram Program() {
    DeviceProgram program = TileScoresProgram("sm_90a");
    for (const auto& header : kDeviceHeaders)
      program.kernels[0].headers.push_back({header.name, header.text});
    return program;
  }

  TileScoresCase case_;
};

// Two runs with other buffers: each makes maps of its own.
TEST_F(CudaTensorMapTest, BoxesPastTheLastRowAreZeros) {
  auto executor = Create(Program());
  ASSERT_NE(executor, nullptr);
  EXPECT_EQ(executor->kernels()[0].local_bytes, 0);
  DeviceBuffer queries = Upload(case_.queries);
  for (int repeat = 0; repeat < 2; ++repeat) {
    DeviceBuffer keys = Upload(case_.keys);
    DeviceBuffer scores =
        Upload(std::vector<float>(case_.scores.size(), -1.0f));
    const absl::Status status =
        RunAndWait(*executor, {queries.data(), keys.data()}, {scores.data()});
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Download<float>(scores), case_.scores) << "run " << repeat;
  }
}

// The keys begin within a constant; what surrounds them is not loaded.
TEST_F(CudaTensorMapTest, MapsMayBeginWithinABuffer) {
  DeviceProgram program = Program();
  program.inputs.pop_back();
  std::vector<uint8_t> bytes(128 + 2 * case_.keys.size() + 12800, 0x7f);
  std::memcpy(bytes.data() + 128, case_.keys.data(), 2 * case_.keys.size());
  program.constants = {{"other", {1}}, {"keys", bytes}};
  auto& map =
      std::get<TensorMapArg>(std::get<LaunchStep>(program.steps[0]).args[1]);
  map.base = {Kind::kConstant, 1, 128};
  auto executor = Create(program);
  ASSERT_NE(executor, nullptr);
  DeviceBuffer queries = Upload(case_.queries);
  DeviceBuffer scores = Upload(std::vector<float>(case_.scores.size(), -1.0f));
  const absl::Status status =
      RunAndWait(*executor, {queries.data()}, {scores.data()});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Download<float>(scores), case_.scores);
}

// The graph keeps the maps of the run that was captured.
TEST_F(CudaTensorMapTest, RunsWithMapsMayBeCaptured) {
  auto executor = Create(Program());
  ASSERT_NE(executor, nullptr);
  DeviceBuffer queries = Upload(case_.queries), keys = Upload(case_.keys);
  DeviceBuffer scores = Upload(std::vector<float>(case_.scores.size(), -1.0f));
  std::vector<void*> inputs = {queries.data(), keys.data()};
  std::vector<void*> outputs = {scores.data()};
  RunArguments run;
  run.inputs = inputs;
  run.outputs = outputs;
  run.stream = stream_->get();
  CaptureAndReplay(*executor, run, [] {});
  EXPECT_EQ(Download<float>(scores), case_.scores);
}

// Element i of an operand in its type, and what the type made of it.
template <typename T>
T FromDouble(double value);
template <>
F16 FromDouble(double value) {
  return F16FromDouble(value);
}
template <>
BF16 FromDouble(double value) {
  return BF16FromDouble(value);
}
template <>
float FromDouble(double value) {
  return static_cast<float>(value);
}
double ToDouble(F16 value) { return F16ToFloat(value); }
double ToDouble(BF16 value) { return BF16ToFloat(value); }
double ToDouble(float value) { return value; }

// The product on the device against a sum in double on the host. `tolerance` is
// relative to the sum of the absolute products and covers the rounding of the
// result and of float32 sums.
template <typename T, typename R>
void ExpectProduct(const GemmStep& step, std::vector<T> a, std::vector<T> b,
                   const std::vector<R>& before, const std::vector<R>& c,
                   double tolerance) {
  int wrong = 0;
  for (int64_t batch = 0; batch < step.batch; ++batch)
    for (int64_t i = 0; i < step.m; ++i)
      for (int64_t j = 0; j < step.n; ++j) {
        double sum = 0, size = 0;
        for (int64_t k = 0; k < step.k; ++k) {
          const double product =
              ToDouble(
                  a[batch * step.stride_a +
                    (step.trans_a ? k * step.lda + i : i * step.lda + k)]) *
              ToDouble(b[batch * step.stride_b +
                         (step.trans_b ? j * step.ldb + k : k * step.ldb + j)]);
          sum += product;
          size += std::abs(product);
        }
        const int64_t at = batch * step.stride_c + i * step.ldc + j;
        if (step.beta) {
          sum += ToDouble(before[at]);
          size += std::abs(ToDouble(before[at]));
        }
        if (!(std::abs(ToDouble(c[at]) - sum) <= tolerance * size)) {
          if (++wrong <= 3)
            ADD_FAILURE() << "C[" << batch << "][" << i << "][" << j << "] is "
                          << ToDouble(c[at]) << ", expected " << sum;
        }
      }
  EXPECT_EQ(wrong, 0);
}

class CudaGemmTest : public CudaDeviceTest {
 protected:
  template <typename T, typename R>
  void Check(DType dtype, DType result, double tolerance) {
    for (int variant = 0; variant < 16; ++variant) {
      SCOPED_TRACE(absl::StrCat(DTypeName(dtype), " -> ", DTypeName(result),
                                ", variant ", variant));
      GemmStep step = SmallGemm(dtype, result);
      step.trans_a = variant & 1, step.trans_b = variant & 2;
      step.beta = variant & 4 ? 1 : 0;
      step.batch = variant & 8 ? 3 : 1;
      step.stride_a = step.stride_b = 80 * 80;
      step.stride_c = 33 * 48;
      std::vector<T> a(3 * 80 * 80), b(3 * 80 * 80);
      std::vector<R> c(3 * 33 * 48);
      uint32_t state = 12345 + variant;
      const auto next = [&] {
        state = state * 1664525u + 1013904223u;
        return double(state >> 8) / (1 << 23) - 1;
      };
      for (T& value : a) value = FromDouble<T>(next());
      for (T& value : b) value = FromDouble<T>(next());
      for (R& value : c) value = FromDouble<R>(next());
      DeviceProgram program;
      program.arch = device_.arch;
      program.inputs = {{"a", int64_t(a.size() * sizeof(T))},
                        {"b", int64_t(b.size() * sizeof(T))}};
      program.outputs = {{"c", int64_t(c.size() * sizeof(R))}};
      program.zone_names = {"gemm"};
      program.steps = {step};
      auto executor = Create(program);
      ASSERT_NE(executor, nullptr);
      DeviceBuffer a_buffer = Upload(a), b_buffer = Upload(b);
      std::vector<R> first;
      for (int repeat = 0; repeat < 20; ++repeat) {
        DeviceBuffer c_buffer = Upload(c);
        const absl::Status status = RunAndWait(
            *executor, {a_buffer.data(), b_buffer.data()}, {c_buffer.data()});
        ASSERT_TRUE(status.ok()) << status;
        std::vector<R> got = Download<R>(c_buffer);
        if (repeat == 0) {
          first = got;
          ExpectProduct(step, a, b, c, got, tolerance);
        }
        EXPECT_EQ(std::memcmp(got.data(), first.data(), got.size() * sizeof(R)),
                  0)
            << "repeat " << repeat << " has other bits";
      }
    }
  }
};

TEST_F(CudaGemmTest, BF16) {
  Check<BF16, BF16>(DType::kBF16, DType::kBF16, 5e-3);
}
TEST_F(CudaGemmTest, F16) { Check<F16, F16>(DType::kF16, DType::kF16, 1e-3); }
TEST_F(CudaGemmTest, BF16ToF32) {
  Check<BF16, float>(DType::kBF16, DType::kF32, 1e-5);
}
// TF32 has 10 bits of fraction and would be off by 1e-3.
TEST_F(CudaGemmTest, F32IsNotTF32) {
  Check<float, float>(DType::kF32, DType::kF32, 1e-5);
}

}  // namespace
}  // namespace gsa
