// -----------------------------------------------------------------------------
// File: nvrtc_test.cc
// -----------------------------------------------------------------------------
//
// Finding NVRTC, compiling with it and reading its reports. Tests that compile
// are skipped where no NVRTC is installed.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/cuda/nvrtc_api.h"
#include "runtime/core/cuda/nvrtc_compiler.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kArchs[] = {"sm_80",  "sm_86",   "sm_89",
                                  "sm_90a", "sm_100a", "sm_120"};

// A folder that is removed at the end of a test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name =
        (fs::temp_directory_path() / "gsa_nvrtc_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class NvrtcTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto nvrtc = NvrtcApi::Load(getToolkitSearchFromEnvironment());
    if (!nvrtc.ok()) GTEST_SKIP() << nvrtc.status();
    nvrtc_ = *nvrtc;
  }

  CompileRequest Request(std::string source, std::string arch = "sm_90a") {
    CompileRequest request;
    request.source = std::move(source);
    request.arch = std::move(arch);
    return request;
  }

  std::shared_ptr<const NvrtcApi> nvrtc_;
};

TEST_F(NvrtcTest, CompilesForEveryArchitectureWithHeadersInMemory) {
  const std::vector<SourceHeader> headers = {
      {"gsa/one.cuh", "#pragma once\n#include \"gsa/two.cuh\"\n"},
      {"gsa/two.cuh",
       "#pragma once\nnamespace g { __device__ inline int two(int x) { return "
       "2 * x; } }\n"}};
  for (const char* arch : kArchs) {
    CompileRequest request = Request(
        "#include \"gsa/one.cuh\"\n"
        "extern \"C\" __global__ void twice(int *p) {\n"
        "  __shared__ int s[40];\n"
        "  s[threadIdx.x % 40] = p[threadIdx.x]; __syncthreads();\n"
        "  p[threadIdx.x] = g::two(s[(threadIdx.x + 1) % 40]); }\n",
        arch);
    request.headers = headers;
    auto compiled = CompileCuda(*nvrtc_, request);
    ASSERT_TRUE(compiled.ok()) << arch << ": " << compiled.status();
    EXPECT_EQ(compiled->image.substr(1, 3), "ELF") << arch;
    const KernelResources* kernel = compiled->Find("twice");
    ASSERT_NE(kernel, nullptr) << arch << ": " << compiled->log.text;
    EXPECT_GT(kernel->registers, 0);
    EXPECT_EQ(kernel->spill_store_bytes, 0);
    EXPECT_EQ(kernel->stack_bytes, 0);
    // sm_90 and later reserve 1 KiB of shared memory in some reports.
    EXPECT_GE(kernel->static_smem_bytes, 160);
    EXPECT_GT(compiled->milliseconds, 0);
    EXPECT_THAT(compiled->log.messages, SizeIs(0)) << compiled->log.text;
  }
}

TEST_F(NvrtcTest, MakesPtxText) {
  CompileRequest request =
      Request("extern \"C\" __global__ void f(int *p) { *p = 1; }", "sm_100a");
  request.output = CudaOutput::kPtx;
  auto compiled = CompileCuda(*nvrtc_, request);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_THAT(compiled->image, HasSubstr(".target sm_100a"));
  EXPECT_THAT(compiled->image, HasSubstr(".entry f("));
}

TEST_F(NvrtcTest, ErrorsHaveLinesOfSourceAndHeader) {
  const std::vector<SourceHeader> headers = {
      {"bad.cuh",
       "\n\n#define BAD(x) x\ninline __device__ int g() { return "
       "nothing; }\n"}};
  CompileRequest request = Request(
      "#include \"bad.cuh\"\n"
      "extern \"C\" __global__ void f(int *p) {\n"
      "  *p = missing + 1;\n"
      "}\n");
  request.name = "attend.cu";
  request.headers = headers;
  CompileLog log;
  auto compiled = CompileCuda(*nvrtc_, request, &log);
  ASSERT_FALSE(compiled.ok());
  EXPECT_EQ(compiled.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(compiled.status().message()),
              HasSubstr("attend.cu(3): error: identifier \"missing\""));
  ASSERT_THAT(log.messages, SizeIs(2)) << log.text;
  EXPECT_EQ(log.messages[0].file, "bad.cuh");
  EXPECT_EQ(log.messages[0].line, 4);
  EXPECT_EQ(log.messages[1].file, "attend.cu");
  EXPECT_EQ(log.messages[1].line, 3);
  EXPECT_EQ(log.messages[1].severity, CompileMessage::Severity::kError);
  EXPECT_THAT(log.messages[1].text, HasSubstr("missing"));
}

TEST_F(NvrtcTest, WarningsAreReturned) {
  auto compiled = CompileCuda(
      *nvrtc_,
      Request("extern \"C\" __global__ void f(int *p) {\n  int unused;\n}\n"));
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  ASSERT_THAT(compiled->log.messages, SizeIs(1)) << compiled->log.text;
  EXPECT_EQ(compiled->log.messages[0].severity,
            CompileMessage::Severity::kWarning);
  EXPECT_EQ(compiled->log.messages[0].line, 2);
  EXPECT_THAT(compiled->log.messages[0].text, HasSubstr("unused"));
}

// What ptxas advises is a warning: here that it does not do what was asked for.
TEST_F(NvrtcTest, AdviceOfPtxasIsReturned) {
  auto ignored = CompileCuda(
      *nvrtc_,
      Request("extern \"C\" __global__ void f(int *p) {\n"
              "  asm volatile(\"setmaxnreg.dec.sync.aligned.u32 40;\");\n"
              "  *p = 1;\n}\n"));
  ASSERT_TRUE(ignored.ok()) << ignored.status();
  ASSERT_THAT(ignored->log.messages, SizeIs(1)) << ignored->log.text;
  EXPECT_THAT(ignored->log.messages[0].text, HasSubstr("setmaxnreg"));
  auto wrong = CompileCuda(
      *nvrtc_, Request("extern \"C\" __global__ void f(int *p) {\n"
                       "  asm volatile(\"nonsense.u32 40;\");\n}\n"));
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseMessages(std::string(wrong.status().message())),
              ::testing::Not(SizeIs(0)));
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("nonsense"));
}

TEST_F(NvrtcTest, ReportsSpillsAndStack) {
  const std::string source = R"(
extern "C" __global__ void __launch_bounds__(1024, 2) spills(float *p, int n) {
  float a[80];
#pragma unroll
  for (int i = 0; i < 80; ++i) a[i] = p[i * n + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 80; ++i)
    p[i * n + threadIdx.x + 1] = a[79 - i] * a[(i * 7) % 80];
}
extern "C" __global__ void local(int *p, int k) {
  int a[100];
  for (int i = 0; i < 100; ++i) a[i] = p[i];
  p[0] = a[k];
}
)";
  for (const char* arch : {"sm_80", "sm_90a"}) {
    auto compiled = CompileCuda(*nvrtc_, Request(source, arch));
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    const KernelResources* spills = compiled->Find("spills");
    const KernelResources* local = compiled->Find("local");
    ASSERT_TRUE(spills != nullptr && local != nullptr) << compiled->log.text;
    EXPECT_LE(spills->registers, 32);
    EXPECT_GT(spills->spill_store_bytes, 0) << compiled->log.text;
    EXPECT_GT(spills->spill_load_bytes, 0);
    EXPECT_EQ(local->spill_store_bytes, 0);
    EXPECT_EQ(local->stack_bytes, 400);
    EXPECT_EQ(compiled->Find("absent"), nullptr);
  }
}

TEST_F(NvrtcTest, RefusesUnknownArchitecturesAndOptions) {
  const std::string source = "extern \"C\" __global__ void f() {}";
  auto future = CompileCuda(*nvrtc_, Request(source, "sm_999"));
  EXPECT_EQ(future.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(future.status().message()), HasSubstr("sm_999"));
  EXPECT_THAT(std::string(future.status().message()), HasSubstr("sm_90"));
  for (const char* arch : {"", "90a", "sm_", "sm_9x", "compute_90", "sm_90aa"})
    EXPECT_EQ(CompileCuda(*nvrtc_, Request(source, arch)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << arch;
  CompileRequest request = Request(source);
  request.options = {"--no-such-option"};
  auto option = CompileCuda(*nvrtc_, request);
  EXPECT_EQ(option.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(option.status().message()),
              HasSubstr("no-such-option"));
}

TEST_F(NvrtcTest, CompilesOnSeveralThreads) {
  std::vector<std::thread> threads;
  std::vector<absl::Status> results(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      const std::string name = "kernel" + std::to_string(i);
      auto compiled = CompileCuda(
          *nvrtc_, Request("extern \"C\" __global__ void " + name +
                           "(int *p) { *p = " + std::to_string(i) + "; }"));
      results[i] = compiled.status();
      if (compiled.ok() && compiled->Find(name) == nullptr)
        results[i] = absl::InternalError("no " + name);
    });
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << result;
}

TEST_F(NvrtcTest, IsLoadedFromAnExplicitPath) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "libnvrtc.so.13";
  fs::create_symlink(fs::canonical(nvrtc_->path()), path);
  ToolkitSearch search;
  search.only = path.string();
  auto found = NvrtcApi::Load(search);
  ASSERT_TRUE(found.ok()) << found.status();
  // The loader may name the same file by the path it was first opened with.
  EXPECT_EQ(fs::canonical((*found)->path()), fs::canonical(path));
  EXPECT_EQ((*found)->version(), nvrtc_->version());
}

TEST(NvrtcSearch, MissingLibrarySaysWhereItWasSearched) {
  ToolkitSearch search;
  search.only = "/nonexistent/libnvrtc.so.13";
  auto missing = NvrtcApi::Load(search);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("/nonexistent/libnvrtc.so.13"));
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("nvidia-cuda-nvrtc"));
}

TEST(NvrtcSearch, AFileThatIsNoLibraryIsRefused) {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "libnvrtc.so.13").string();
  std::ofstream(path) << "no library";
  ToolkitSearch search;
  search.only = path;
  EXPECT_EQ(NvrtcApi::Load(search).status().code(),
            absl::StatusCode::kUnavailable);
}

// A library without NVRTC's functions.
TEST(NvrtcSearch, AnotherLibraryIsRefused) {
  ToolkitSearch search;
  search.only = "libc.so.6";
  auto wrong = NvrtcApi::Load(search);
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(wrong.status().message()),
              HasSubstr("does not export nvrtc"));
}

// An NVRTC whose builtins cannot be opened, as NVRTC reports it.
TEST(NvrtcErrors, MissingBuiltinsAreNamed) {
  cuda::NvrtcTable table;
  table.GetErrorString = [](int) { return "NVRTC_ERROR_BUILTIN"; };
  table.Version = [](int* major, int* minor) {
    return *major = 13, *minor = 0;
  };
  table.GetNumSupportedArchs = [](int* count) { return *count = 1, 0; };
  table.GetSupportedArchs = [](int* archs) { return archs[0] = 90, 0; };
  table.CreateProgram = [](cuda::NvrtcProgram* program, const char*,
                           const char*, int, const char* const*,
                           const char* const*) {
    *program = reinterpret_cast<cuda::NvrtcProgram>(1);
    return 0;
  };
  table.DestroyProgram = [](cuda::NvrtcProgram*) { return 0; };
  table.CompileProgram = [](cuda::NvrtcProgram, int, const char* const*) {
    return cuda::kNvrtcBuiltinOperationFailure;
  };
  static constexpr char kLog[] =
      "nvrtc: error: failed to open libnvrtc-builtins.so.13.0.\n";
  table.GetProgramLogSize = [](cuda::NvrtcProgram, size_t* size) {
    *size = sizeof(kLog);
    return 0;
  };
  table.GetProgramLog = [](cuda::NvrtcProgram, char* log) {
    std::copy(kLog, kLog + sizeof(kLog), log);
    return 0;
  };
  auto nvrtc = NvrtcApi::FromTable(table, "/wheel/libnvrtc.so.13");
  ASSERT_TRUE(nvrtc.ok()) << nvrtc.status();
  CompileRequest request;
  request.source = "x";
  request.arch = "sm_90a";
  auto result = CompileCuda(**nvrtc, request);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("/wheel/libnvrtc.so.13 (13.0) needs "
                        "libnvrtc-builtins.so.13.0"));
}

TEST(ParseMessages, ReadsPlacesAndSeverities) {
  const std::vector<CompileMessage> messages = ParseMessages(
      "k.cu(7): warning #177-D: variable \"a\" was declared\n"
      "    int a;\n        ^\n\n"
      "dir(1)/x.cuh(12): error: bad: error: text\n"
      "nvrtc: error: invalid value for --gpu-architecture (-arch)\n"
      "ptxas info    : 0 bytes gmem\n"
      "1 error detected in the compilation of \"k.cu\".\n");
  ASSERT_THAT(messages, SizeIs(3));
  EXPECT_EQ(messages[0].line, 7);
  EXPECT_EQ(messages[0].severity, CompileMessage::Severity::kWarning);
  EXPECT_EQ(messages[0].text, "variable \"a\" was declared");
  EXPECT_EQ(messages[1].file, "dir(1)/x.cuh");
  EXPECT_EQ(messages[1].line, 12);
  EXPECT_EQ(messages[1].text, "bad: error: text");
  EXPECT_EQ(messages[2].line, 0);
  EXPECT_EQ(messages[2].file, "");
}

TEST(ParseArch, TakesRealArchitecturesOnly) {
  EXPECT_EQ(ParseArch("sm_80").value(), 80);
  EXPECT_EQ(ParseArch("sm_90a").value(), 90);
  EXPECT_EQ(ParseArch("sm_100f").value(), 100);
  EXPECT_FALSE(ParseArch("sm_af").ok());
  EXPECT_FALSE(ParseArch("sm_+90").ok());
}

}  // namespace
}  // namespace gsa
