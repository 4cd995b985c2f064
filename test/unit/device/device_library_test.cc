// -----------------------------------------------------------------------------
// File: device_library_test.cc
// -----------------------------------------------------------------------------
//
// The device library compiled by NVRTC for every architecture: no warnings, no
// local memory, and the instructions it was written for. Skipped where no NVRTC
// is installed; what SASS says, where no cuobjdump is.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "codegen/device/UsedDeclarations.h"
#include "dialect/GsaTile/GsaTileDialect.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/core/cuda/nvrtc_api.h"
#include "runtime/core/cuda/nvrtc_compiler.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const fs::path kSource = GSA_SOURCE_DIR;
const fs::path kKernels = kSource / "test/unit/device/kernels";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<SourceHeader> ReadHeaders(const fs::path& root) {
  std::vector<SourceHeader> headers;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.path().extension() == ".cuh")
      headers.push_back(
          {fs::relative(entry.path(), root).string(), ReadFile(entry.path())});
  return headers;
}

const std::vector<SourceHeader>& DeviceHeaders() {
  static const auto* headers = new std::vector<SourceHeader>(
      ReadHeaders(kSource / "codegen/device/include"));
  return *headers;
}

absl::StatusOr<CompiledCuda> Compile(const std::string& family,
                                     const std::string& arch,
                                     CudaOutput output = CudaOutput::kCubin) {
  CompileRequest request;
  request.name = family + ".cu";
  request.source = ReadFile(kKernels / request.name);
  request.headers = DeviceHeaders();
  request.arch = arch;
  request.output = output;
  return CompileCuda(request);
}

class DeviceLibraryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto nvrtc = NvrtcApi::Load(getToolkitSearchFromEnvironment());
    if (!nvrtc.ok()) GTEST_SKIP() << nvrtc.status();
  }
};

//===----------------------------------------------------------------------===//
// Every family on every architecture
//===----------------------------------------------------------------------===//

using Target = std::tuple<const char*, const char*>;

class FamilyTest : public DeviceLibraryTest,
                   public ::testing::WithParamInterface<Target> {};

TEST_P(FamilyTest, CompilesWithoutWarningsSpillsOrStack) {
  auto [family, arch] = GetParam();
  auto compiled = Compile(family, arch);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_THAT(compiled->log.messages, IsEmpty()) << compiled->log.text;
  ASSERT_THAT(compiled->kernels, Not(IsEmpty()));
  for (const KernelResources& kernel : compiled->kernels) {
    EXPECT_EQ(kernel.stack_bytes, 0) << kernel.symbol;
    EXPECT_EQ(kernel.spill_store_bytes, 0) << kernel.symbol;
    EXPECT_EQ(kernel.spill_load_bytes, 0) << kernel.symbol;
  }
}

std::string TargetName(const ::testing::TestParamInfo<Target>& info) {
  return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
}

// Variables of headers are in PTX whether a kernel uses them or not.
std::string WithoutVariables(const std::string& ptx) {
  static const std::regex kVariable("\\.global \\.align[^;]*;\n");
  return std::regex_replace(ptx, kVariable, "");
}

class UsedHeadersTest : public FamilyTest {};

TEST_P(UsedHeadersTest, AreAllThatAFamilyNeeds) {
  auto [family, arch] = GetParam();
  auto whole = Compile(family, arch, CudaOutput::kPtx);
  ASSERT_TRUE(whole.ok()) << whole.status();
  CompileRequest request;
  request.name = std::string(family) + ".cu";
  request.source = ReadFile(kKernels / request.name);
  std::vector<SourceHeader> headers;
  for (auto& header : mlir::gsa_tile::getUsedDeviceHeaders(request.source))
    headers.push_back({header.name.str(), std::move(header.text)});
  request.headers = headers;
  request.arch = arch;
  request.output = CudaOutput::kPtx;
  auto used = CompileCuda(request);
  ASSERT_TRUE(used.ok()) << used.status();
  EXPECT_EQ(WithoutVariables(used->image), WithoutVariables(whole->image));
}

INSTANTIATE_TEST_SUITE_P(
    All, FamilyTest,
    ::testing::Combine(::testing::Values("attention", "copies", "products",
                                         "scalars"),
                       ::testing::Values("sm_80", "sm_86", "sm_89", "sm_90a",
                                         "sm_100a", "sm_120")),
    TargetName);
INSTANTIATE_TEST_SUITE_P(Hopper, FamilyTest,
                         ::testing::Values(Target("hopper", "sm_90a"),
                                           Target("wgmma", "sm_90a")),
                         TargetName);
// Which headers are used does not depend on the architecture.
INSTANTIATE_TEST_SUITE_P(
    All, UsedHeadersTest,
    ::testing::Values(Target("attention", "sm_90a"), Target("copies", "sm_80"),
                      Target("products", "sm_90a"), Target("scalars", "sm_80"),
                      Target("hopper", "sm_90a"), Target("wgmma", "sm_90a")),
    TargetName);

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

TEST_F(DeviceLibraryTest, PtxHasTheInstructionsOfEachArchitecture) {
  for (const char* arch : {"sm_80", "sm_90a"}) {
    auto compiled = Compile("attention", arch, CudaOutput::kPtx);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    const std::string& ptx = compiled->image;
    for (const char* instruction :
         {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32",
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
          "ldmatrix.sync.aligned.m8n8.x4.shared.b16",
          "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16",
          "cp.async.cg.shared.global.L2::128B", "cp.async.ca.shared.global",
          "cp.async.mbarrier.arrive.noinc.shared.b64",
          "mbarrier.arrive.shared.b64", "ex2.approx.ftz.f32",
          "cvt.rn.bf16x2.f32", "barrier.sync"})
      EXPECT_THAT(ptx, HasSubstr(instruction)) << arch;
    bool hopper = std::string(arch) == "sm_90a";
    EXPECT_EQ(ptx.find("mbarrier.try_wait.parity") != std::string::npos,
              hopper);
    EXPECT_EQ(ptx.find("mbarrier.test_wait.parity") != std::string::npos,
              !hopper);
    // Fragments are registers, functions are inlined.
    EXPECT_THAT(ptx, Not(HasSubstr(".local")));
    EXPECT_THAT(ptx, Not(HasSubstr("call.uni")));
  }
  auto compiled = Compile("hopper", "sm_90a", CudaOutput::kPtx);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  for (const char* instruction :
       {"setmaxnreg.dec.sync.aligned.u32", "setmaxnreg.inc.sync.aligned.u32",
        "wgmma.mma_async.sync.aligned", "cp.async.bulk.tensor.2d",
        "mbarrier.expect_tx.relaxed.cta.shared::cta.b64",
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32",
        "cp.async.bulk.wait_group.read", "barrier.arrive"})
    EXPECT_THAT(compiled->image, HasSubstr(instruction));
}

TEST_F(DeviceLibraryTest, RegisterBudgetsNeedAnArchitectureThatHasThem) {
  CompileRequest request;
  request.source =
      "#include <gsa/device/tile.cuh>\n"
      "extern \"C\" __global__ __launch_bounds__(128) void f() {\n"
      "  gsa::dev::set_max_registers<40, false>();\n}\n";
  request.headers = DeviceHeaders();
  for (const char* arch : {"sm_80", "sm_120"}) {
    request.arch = arch;
    auto compiled = CompileCuda(request);
    ASSERT_FALSE(compiled.ok()) << arch;
    EXPECT_THAT(std::string(compiled.status().message()),
                HasSubstr("set_max_registers needs sm_90a or sm_100a"));
  }
}

// The lists of wgmma_registers.cuh, which ptxas only counts.
TEST(WgmmaRegisters, ListsAreInOrder) {
  std::string text = ReadFile(
      kSource / "codegen/device/include/gsa/device/ptx/wgmma_registers.cuh");
  for (int n = 8; n <= 256; n += 8) {
    std::string width = std::to_string(n), before = std::to_string(n - 8);
    std::string names,
        sums = "GSA_WGMMA_SUM(" + std::to_string(n / 8 - 1) + ")";
    for (int i = n / 2 - 4; i < n / 2; ++i)
      names += (names.empty() ? "%" : ", %") + std::to_string(i);
    std::string d = "\"" + names + "\"";
    if (n > 8) {
      d = "GSA_WGMMA_D" + before + " \", " + names + "\"";
      sums = "GSA_WGMMA_S" + before + ", " + sums;
    }
    std::string behind;
    for (int i = n / 2; i < n / 2 + 7; ++i)
      behind += (behind.empty() ? "" : ", ") + std::to_string(i);
    EXPECT_THAT(text,
                HasSubstr("#define GSA_WGMMA_D" + width + " " + d + "\n"));
    EXPECT_THAT(text,
                HasSubstr("#define GSA_WGMMA_S" + width + " " + sums + "\n"));
    EXPECT_THAT(text, HasSubstr("#define GSA_WGMMA_I" + width + "(text) text(" +
                                behind + ")\n"));
  }
}

// Both types and places of the left operand: what differs between widths are
// the lists of registers alone.
TEST_F(DeviceLibraryTest, EveryWidthOfWgmmaCompiles) {
  CompileRequest request;
  request.name = "widths.cu";
  request.headers = DeviceHeaders();
  request.arch = "sm_90a";
  std::string kernels = R"(
template <int N>
__device__ void products(float* out) {
  auto a = smem_alloc<smem<bf16, 64, 16, swizzle>>(0);
  auto b = smem_alloc<smem<bf16, N, 16, swizzle>>(2048);
  auto c = smem_alloc<smem<f16, N, 16, swizzle>>(2048);
  auto left = frag_alloc<frag<f16, 16, 16, lhs>>();
  auto sum = frag_alloc<frag<float, 16, N, acc>>();
  wgmma_fence(left);
  wgmma_nt<false>(sum, a, 0, b, 0);
  wgmma_nt(sum, left, c, 0);
  wgmma_commit();
  wgmma_wait<0>(sum);
  store_rows(strided_rows(out, N + 0ll, 16), 0, sum, N);
}
)";
  request.source =
      "#include <gsa/device/tile.cuh>\nusing namespace gsa::dev;\n";
  for (int n = 8; n <= 256; n += 8) {
    std::string width = std::to_string(n);
    request.source +=
        "GSA_WGMMA(" + width + ", bf16);\nGSA_WGMMA(" + width + ", f16);\n";
    kernels += "extern \"C\" __global__ void k" + width +
               "(float* out) { products<" + width + ">(out); }\n";
  }
  request.source += kernels;
  auto compiled = CompileCuda(request);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_THAT(compiled->log.messages, IsEmpty()) << compiled->log.text;
  EXPECT_EQ(compiled->kernels.size(), 32u);
}

TEST_F(DeviceLibraryTest, WgmmaMustBeNamed) {
  CompileRequest request;
  request.headers = DeviceHeaders();
  request.arch = "sm_90a";
  request.source = R"(#include <gsa/device/tile.cuh>
using namespace gsa::dev;
GSA_WGMMA(64, f16);
extern "C" __global__ void f(float* out) {
  auto tile = smem_alloc<smem<bf16, 64, 64, swizzle_128b>>(0);
  auto sum = frag_alloc<frag<float, 16, 64, acc>>();
  wgmma_nt(sum, tile, 0, tile, 0);
}
)";
  auto compiled = CompileCuda(request);
  ASSERT_FALSE(compiled.ok());
  EXPECT_THAT(std::string(compiled.status().message()),
              HasSubstr("GSA_WGMMA(columns, type);"));
}

// Products that an access to their registers serialises are no silent loss.
TEST_F(DeviceLibraryTest, SerialisedProductsOfWgmmaAreReported) {
  CompileRequest request;
  request.headers = DeviceHeaders();
  request.arch = "sm_90a";
  request.source = R"(#include <gsa/device/tile.cuh>
using namespace gsa::dev;
GSA_WGMMA(64, bf16);
extern "C" __global__ __launch_bounds__(128) void f(float* out, int steps) {
  auto tile = smem_alloc<smem<bf16, 64, 64, swizzle_128b>>(0);
  auto sum = frag_alloc<frag<float, 16, 64, acc>>();
  for (int i = 0; i < steps; ++i) {
    wgmma_fence(sum);
    wgmma_nt(sum, tile, 0, tile, 0);
    wgmma_commit();
    affine(sum, 0.5f, 1.0f);
    wgmma_wait<0>();
  }
  store_rows(strided_rows(out, 64, 16), 0, sum, 64);
}
)";
  auto compiled = CompileCuda(request);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_THAT(compiled->log.messages, Not(IsEmpty()));
  EXPECT_THAT(compiled->log.text, HasSubstr("C75")) << compiled->log.text;
}

/// Output of `cuobjdump -sass`, or an empty string where there is none.
std::string Disassemble(const std::string& cubin) {
  std::string tool;
  for (const char* place : {"/usr/local/cuda/bin/cuobjdump", "cuobjdump"}) {
    std::string command = std::string("command -v ") + place + " >/dev/null";
    if (std::system(command.c_str()) == 0) tool = place;
    if (!tool.empty()) break;
  }
  if (tool.empty()) return "";
  fs::path path = fs::temp_directory_path() /
                  ("gsa_device_" + std::to_string(getpid()) + ".cubin");
  std::ofstream(path, std::ios::binary) << cubin;
  std::string text;
  if (FILE* pipe = popen((tool + " -sass " + path.string()).c_str(), "r")) {
    char buffer[4096];
    while (size_t size = fread(buffer, 1, sizeof(buffer), pipe))
      text.append(buffer, size);
    pclose(pipe);
  }
  fs::remove(path);
  return text;
}

TEST_F(DeviceLibraryTest, SassUsesTensorCoresAndAsynchronousCopies) {
  for (const char* arch : {"sm_80", "sm_90a"}) {
    auto compiled = Compile("attention", arch);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    std::string sass = Disassemble(compiled->image);
    if (sass.empty()) GTEST_SKIP() << "no cuobjdump (or none that runs)";
    EXPECT_THAT(sass, HasSubstr("HMMA.16816.F32.BF16")) << arch;
    EXPECT_THAT(sass, HasSubstr("LDSM.16.M88.4")) << arch;
    EXPECT_THAT(sass, HasSubstr("LDSM.16.MT88.4")) << arch;
    EXPECT_THAT(sass, HasSubstr("LDGSTS.E.BYPASS.LTC128B.128")) << arch;
    EXPECT_THAT(sass, HasSubstr("MUFU.EX2")) << arch;
    // Local memory.
    EXPECT_THAT(sass, Not(HasSubstr(" LDL"))) << arch;
    EXPECT_THAT(sass, Not(HasSubstr(" STL"))) << arch;
  }
}

int Count(const std::string& text, const std::string& word) {
  int count = 0;
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + 1))
    ++count;
  return count;
}

// Descriptors are computed in uniform registers, also in a loop of which the
// compiler cannot tell that a warp leaves it as one: moving each there from
// lanes is 25 R2UR in this kernel.
TEST_F(DeviceLibraryTest, DescriptorsOfWgmmaAreUniform) {
  auto compiled = Compile("wgmma", "sm_90a");
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  std::string sass = Disassemble(compiled->image);
  if (sass.empty()) GTEST_SKIP() << "no cuobjdump (or none that runs)";
  size_t begin = sass.find("Function : attend");
  ASSERT_NE(begin, std::string::npos);
  std::string attend =
      sass.substr(begin, sass.find("Function : ", begin + 1) - begin);
  EXPECT_EQ(Count(attend, "HGMMA.64x64x16"), 16);
  EXPECT_EQ(Count(attend, "HGMMA.64x128x16"), 4);
  EXPECT_LE(Count(attend, "R2UR"), 8);
  // A product that overwrites its sum does not read it.
  EXPECT_EQ(Count(attend, ", RZ, !UPT"), 2);
}

//===----------------------------------------------------------------------===//
// Functions of the dialect
//===----------------------------------------------------------------------===//

/// Names of functions that a text declares or calls.
std::set<std::string> Functions(const std::string& text) {
  static const std::regex kCall(R"((\w+)(<[^;{}]*?>)?\()");
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), kCall), end; it != end;
       ++it)
    names.insert((*it)[1]);
  return names;
}

std::set<std::string> DeclaredIn(const char* folder) {
  std::set<std::string> names;
  for (const SourceHeader& header : ReadHeaders(kSource / folder)) {
    names.merge(Functions(header.text));
    // `using ptx::name;`
    static const std::regex kAlias(R"(using ptx::(\w+);)");
    for (std::sregex_iterator
             it(header.text.begin(), header.text.end(), kAlias),
         end;
         it != end; ++it)
      names.insert((*it)[1]);
  }
  return names;
}

TEST(DeviceFunctions, EveryOpHasItsFunctionInBothLibraries) {
  // Ops that print as something else than a call.
  const std::set<std::string> other = {
      "kernel", "return", "roles",     "yield", "launch",  "for_each",
      "gemm",   "stream", "tile_ring", "await", "release", "lagged"};
  std::set<std::string> cuda = DeclaredIn("codegen/device/include");
  std::set<std::string> host = DeclaredIn("codegen/device/emu");
  mlir::MLIRContext context;
  context.loadDialect<mlir::gsa_tile::GsaTileDialect>();
  int ops = 0;
  for (mlir::RegisteredOperationName name : context.getRegisteredOperations()) {
    if (name.getDialectNamespace() != "gsa_tile") continue;
    std::string function = name.stripDialect().str();
    if (other.count(function)) continue;
    ++ops;
    EXPECT_THAT(cuda, Contains(function));
    EXPECT_THAT(host, Contains(function));
  }
  EXPECT_GT(ops, 40);
}

}  // namespace
}  // namespace gsa
