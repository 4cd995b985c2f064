// -----------------------------------------------------------------------------
// File: pack_test.cc
// -----------------------------------------------------------------------------
//
// Packs: what is read is what was written, whatever was damaged is refused, the
// plan that is asked for is found or named, and a plan is loaded onto a driver
// of the tests' own without a compiler.

#include "runtime/pack.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cuda/fake_driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/compilations.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/sha256.h"
#include "runtime/load_plan.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Kind = BufferRef::Kind;

constexpr size_t kDigestBytes = 64;
constexpr size_t kHeaderBytes = 16;

KernelSource Kernel(const std::string& symbol) {
  KernelSource kernel;
  kernel.symbol = symbol;
  kernel.image = absl::StrCat(
      "\x7f"
      "ELF code of ",
      symbol, std::string("\0\xff", 2));
  kernel.threads_per_block = 128;
  kernel.cluster = 2;
  kernel.dynamic_smem_bytes = 4096;
  return kernel;
}

// Every kind of step and of argument.
DeviceProgram Program(const std::string& arch) {
  DeviceProgram program;
  program.arch = arch;
  program.kernels = {Kernel("attend"), Kernel("scale")};
  program.inputs = {{"x", 64}};
  program.outputs = {{"y", 64}};
  program.constants = {{"one", {1, 2, 255}}};
  program.workspace_bytes = 1024;
  program.zone_names = {"select", "attend"};
  program.lanes = 2;
  LaunchStep attend;
  attend.grid = {3, 2, 1};
  attend.args = {BufferRef{Kind::kInput, 0, 16}, int32_t{-7}, int64_t{1} << 40,
                 -0.5f, 1e300};
  attend.dependent = true;
  TensorMapArg map;
  map.base = {Kind::kWorkspace, 0, 256};
  map.rows = 4, map.columns = 8, map.row_pitch = 16;
  map.box_rows = 2, map.box_columns = 8, map.swizzle_bytes = 128;
  LaunchStep scale;
  scale.kernel = 1;
  scale.args = {map};
  scale.zone = 1;
  scale.order = {1, {0}};
  GemmStep gemm;
  gemm.a = {Kind::kConstant, 0, 0};
  gemm.c_dtype = DType::kF32;
  gemm.m = 2, gemm.n = 3, gemm.k = 4, gemm.lda = 5, gemm.ldb = 6, gemm.ldc = 7;
  gemm.trans_b = true;
  gemm.batch = 2, gemm.stride_a = 8, gemm.stride_c = 9, gemm.beta = 1;
  CopyStep copy;
  copy.source = {Kind::kInput, 0, 0};
  copy.destination = {Kind::kOutput, 0, 0};
  copy.bytes = 64;
  FillStep fill;
  fill.destination = {Kind::kWorkspace, 0, 4};
  fill.pattern = 0xffffffffu, fill.element_bytes = 4, fill.count = 3;
  program.steps = {attend, scale, gemm, copy, fill};
  return program;
}

PackedPlan CudaPlan(const std::string& arch, int64_t size) {
  PackedPlan plan;
  plan.module = "m.mlir";
  plan.entry = "main";
  plan.arch = arch;
  plan.interface.inputs = {{"x", DType::kF32, {1, size}}};
  plan.interface.outputs = {{"y", DType::kF32, {1, size}}};
  plan.interface.zone_names = {"select", "attend"};
  plan.program = Program(arch);
  plan.program.inputs[0].bytes = plan.program.outputs[0].bytes = 4 * size;
  return plan;
}

PackedPlan CpuPlan() {
  PackedPlan plan;
  plan.module = "m.mlir";
  plan.entry = "main";
  plan.kind = TargetKind::kCpu;
  plan.arch = "znver4";
  plan.code = "an object";
  plan.num_threads = 3;
  plan.interface.inputs = {{"x", DType::kF16, {8, 2}}};
  plan.interface.size_classes = {{8, false, "dimension 0 of 'x'"},
                                 {2, true, ""}};
  plan.interface.input_classes = {{0, 1}};
  return plan;
}

Pack SomePack() {
  Pack pack;
  pack.producer = "gsa test";
  pack.plans = {CudaPlan("sm_90a", 16), CudaPlan("sm_90a", 32),
                CudaPlan("sm_80", 16), CpuPlan()};
  return pack;
}

std::string WithDigest(const std::string& bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return bytes + hash.HexDigest();
}

TEST(PackTest, WhatIsReadIsWhatWasWritten) {
  const std::string bytes = EncodePack(SomePack());
  const auto pack = DecodePack(bytes, "p");
  ASSERT_TRUE(pack.ok()) << pack.status();
  EXPECT_EQ(pack->producer, "gsa test");
  ASSERT_THAT(pack->plans, SizeIs(4));
  // Written again it has the same bytes: nothing was lost.
  EXPECT_EQ(EncodePack(*pack), bytes);
  const PackedPlan& plan = pack->plans[1];
  EXPECT_EQ(plan.ToString(), "cuda sm_90a, m.mlir @main, x: f32[1, 32]");
  EXPECT_EQ(plan.program.kernels[1].image, Kernel("scale").image);
  EXPECT_EQ(plan.program.kernels[1].cluster, 2);
  EXPECT_EQ(plan.program.lanes, 2);
  const auto& launch = std::get<LaunchStep>(plan.program.steps[0]);
  EXPECT_TRUE(launch.dependent);
  EXPECT_EQ(std::get<double>(launch.args[4]), 1e300);
  EXPECT_EQ(std::get<float>(launch.args[3]), -0.5f);
  EXPECT_EQ(std::get<GemmStep>(plan.program.steps[2]).ldc, 7);
  EXPECT_EQ(std::get<FillStep>(plan.program.steps[4]).pattern, 0xffffffffu);
  EXPECT_EQ(pack->plans[3].code, "an object");
  EXPECT_EQ(pack->plans[3].num_threads, 3);
  EXPECT_EQ(pack->plans[3].interface.size_classes[0].place,
            "dimension 0 of 'x'");
}

// Plans share the code of their kernels.
TEST(PackTest, CodeIsThereOnce) {
  Pack pack;
  pack.plans = {CudaPlan("sm_90a", 16)};
  const size_t one = EncodePack(pack).size();
  const size_t code = 1 << 16;
  pack.plans[0].program.kernels[0].image = std::string(code, 'c');
  pack.plans.push_back(pack.plans[0]);
  EXPECT_LT(EncodePack(pack).size(), 2 * one + code + 100);
}

TEST(PackTest, EveryByteFlippedIsRefused) {
  const std::string bytes = EncodePack(SomePack());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    const auto pack = DecodePack(changed, "p");
    ASSERT_FALSE(pack.ok()) << i;
    const bool is_version = i >= 8 && i < kHeaderBytes;
    ASSERT_EQ(pack.status().code(), is_version
                                        ? absl::StatusCode::kFailedPrecondition
                                        : absl::StatusCode::kInvalidArgument)
        << i << ": " << pack.status();
  }
}

TEST(PackTest, EveryLengthButTheWholeIsRefused) {
  const std::string bytes = EncodePack(SomePack());
  for (size_t length = 0; length < bytes.size(); ++length)
    ASSERT_TRUE(absl::IsInvalidArgument(
        DecodePack(bytes.substr(0, length), "p").status()))
        << length;
  EXPECT_FALSE(DecodePack(bytes + "x", "p").ok());
}

TEST(PackTest, SaysWhatIsWrong) {
  EXPECT_THAT(std::string(DecodePack("MZ", "a.exe").status().message()),
              AllOf(HasSubstr("'a.exe'"), HasSubstr("something else")));
  std::string bytes = EncodePack(SomePack());
  bytes[8] = 7;
  const absl::Status version = DecodePack(bytes, "p").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(version));
  EXPECT_THAT(std::string(version.message()),
              AllOf(HasSubstr("version 7"),
                    HasSubstr(absl::StrCat("version ", kPackVersion))));
}

// Whoever makes a digest may write anything behind it: it is read in bounds,
// and what a plan relies on holds or is refused.
TEST(PackTest, MutationsNeverCrash) {
  const std::string bytes = EncodePack(SomePack());
  const std::string body = bytes.substr(0, bytes.size() - kDigestBytes);
  std::mt19937 random(3);
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string changed = body;
    for (int i = static_cast<int>(random() % 3); i >= 0; --i) {
      const size_t at =
          kHeaderBytes + random() % (changed.size() - kHeaderBytes);
      switch (random() % 4) {
        case 0:
          changed[at] = static_cast<char>(random());
          break;
        case 1:
          changed.erase(at, 1 + random() % 16);
          break;
        case 2:
          changed.insert(at, std::string(1 + random() % 16, '\xff'));
          break;
        default:
          // A number that is too large.
          changed.replace(at, 8, std::string(7, '\xff') + '\x7f');
      }
      if (changed.size() < 2 * kHeaderBytes) break;
    }
    const auto pack = DecodePack(WithDigest(changed), "p");
    if (!pack.ok()) continue;
    ++taken;
    for (const PackedPlan& plan : pack->plans)
      if (plan.kind == TargetKind::kCuda)
        Validate(plan.program, {}).IgnoreError();
  }
  EXPECT_GT(taken, 100);  // Names may be anything.
}

// A program whose buffers are larger than what a run is checked against.
TEST(PackTest, BuffersAgreeWithTheInterface) {
  Pack pack;
  pack.plans = {CudaPlan("sm_90a", 16)};
  pack.plans[0].program.inputs[0].bytes = 65;
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
  pack.plans = {CudaPlan("sm_90a", 16)};
  pack.plans[0].program.outputs.push_back({"z", 4});
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
  pack.plans = {CudaPlan("sm_90a", 16)};
  pack.plans[0].program.arch = "sm_80";
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
}

// Which output is the new value of which input: both say the same.
TEST(PackTest, UpdatesAgreeWithTheInterface) {
  Pack pack;
  pack.plans = {CudaPlan("sm_90a", 16)};
  pack.plans[0].interface.outputs[0].updates = "x";
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
  pack.plans[0].program.outputs[0].updates = 0;
  const auto read = DecodePack(EncodePack(pack), "p");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->plans[0].interface.outputs[0].updates, "x");
  EXPECT_EQ(read->plans[0].program.outputs[0].updates, 0);
  pack.plans[0].interface.outputs[0].updates = "z";
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
  pack.plans[0].interface.outputs[0].updates = "";
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
  pack.plans[0].program.outputs[0].updates = 1;
  EXPECT_FALSE(DecodePack(EncodePack(pack), "p").ok());
}

TEST(PackTest, Files) {
  std::string name = (fs::temp_directory_path() / "gsa_pack_XXXXXX").string();
  const fs::path folder = mkdtemp(name.data());
  const std::string path = (folder / "p.gsapack").string();
  const auto refusal = [&](const std::string& what) {
    const absl::Status status = ReadPack(what).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(path), HasSubstr("No such file"));
  EXPECT_THAT(refusal(folder.string()), HasSubstr("expected a file"));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(refusal(path), HasSubstr("expected a file"));
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << EncodePack(SomePack());
  EXPECT_THAT(ReadPack(path)->plans, SizeIs(4));
  // A file that grows behind its end is another one.
  std::ofstream(path, std::ios::binary | std::ios::app) << "x";
  EXPECT_THAT(refusal(path), HasSubstr("digest"));
  fs::resize_file(path, kMaxPackBytes + 1);
  EXPECT_THAT(refusal(path), HasSubstr("at most"));
  fs::remove_all(folder);
}

TEST(FindPlanTest, ByArchitectureAndShapes) {
  const Pack pack = SomePack();
  const auto find =
      [&](TargetKind kind, const std::string& arch,
          const std::map<std::string, std::vector<int64_t>>& shapes) {
        return FindPlan(pack, kind, arch, shapes);
      };
  const auto cuda = TargetKind::kCuda;
  EXPECT_EQ(*find(cuda, "sm_90a", {{"x", {1, 32}}}), &pack.plans[1]);
  EXPECT_EQ(*find(cuda, "sm_80", {}), &pack.plans[2]);
  EXPECT_EQ(*find(TargetKind::kCpu, "", {}), &pack.plans[3]);
  const auto message = [&](const auto& found, absl::StatusCode code) {
    EXPECT_EQ(found.status().code(), code) << found.status();
    return std::string(found.status().message());
  };
  EXPECT_THAT(
      message(find(cuda, "sm_89", {}), absl::StatusCode::kFailedPrecondition),
      AllOf(HasSubstr("cuda sm_89"), HasSubstr("cuda sm_80"),
            HasSubstr("cpu znver4")));
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(message(find(cuda, "sm_90a", {}), invalid),
              AllOf(HasSubstr("several"), HasSubstr("x: f32[1, 16]")));
  EXPECT_THAT(message(find(cuda, "sm_90a", {{"x", {1, 17}}}), invalid),
              AllOf(HasSubstr("[1, 17]"), HasSubstr("none of")));
  EXPECT_THAT(message(find(cuda, "sm_90a", {{"X", {1, 16}}}), invalid),
              HasSubstr("'x'"));
}

class LoadPlanTest : public ::testing::Test {
 protected:
  LoadPlanTest() {
    fake_.kernels["attend"] = {{8}};
    PackedPlan plan = CudaPlan("sm_90a", 16);
    plan.program = {};
    plan.program.arch = "sm_90a";
    plan.program.kernels = {Kernel("attend")};
    plan.program.kernels[0].cluster = 1;
    plan.program.inputs = {{"x", 64}};
    plan.program.outputs = {{"y", 64}};
    plan.program.zone_names = {"attend"};
    LaunchStep step;
    step.args = {BufferRef{Kind::kOutput, 0, 0}};
    plan.program.steps = {step};
    plan.interface.zone_names = {"attend"};
    pack_.plans = {plan};
    options_.target = "cuda";
    options_.driver = &driver_;
  }

  FakeDriver fake_;
  const DriverApi driver_{fake_.Table()};
  Pack pack_;
  LoadOptions options_;
};

TEST_F(LoadPlanTest, CompilesNothingAndRuns) {
  const auto read = DecodePack(EncodePack(pack_), "p");
  ASSERT_TRUE(read.ok()) << read.status();
  ForbidCompilations(true);
  const auto plan = LoadPlan(*read, options_);
  ForbidCompilations(false);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)->inputs()[0].ToString(), "x: f32[1, 16]");
  EXPECT_THAT((*plan)->target_description(), HasSubstr("sm_90a"));
  EXPECT_EQ((*plan)->kernel_counts().compiled, 0);
  EXPECT_EQ((*plan)->zone_names(), std::vector<std::string>{"attend"});
}

TEST_F(LoadPlanTest, RefusesOtherTargets) {
  const auto message = [&](const std::string& target, absl::StatusCode code) {
    options_.target = target;
    const auto plan = LoadPlan(pack_, options_);
    EXPECT_EQ(plan.status().code(), code) << plan.status();
    return std::string(plan.status().message());
  };
  EXPECT_THAT(message("cpu", absl::StatusCode::kUnimplemented),
              HasSubstr("libgsa"));
  EXPECT_THAT(message("auto", absl::StatusCode::kInvalidArgument),
              HasSubstr("'auto'"));
  EXPECT_THAT(message("gpu", absl::StatusCode::kInvalidArgument),
              HasSubstr("'cuda'"));
  options_.cpu =
      [](const PackedPlan&) -> absl::StatusOr<std::unique_ptr<Executable>> {
    return absl::FailedPreconditionError("it is for another CPU");
  };
  EXPECT_THAT(message("cpu", absl::StatusCode::kFailedPrecondition),
              HasSubstr("no plan for cpu"));
  pack_.plans.push_back(CpuPlan());
  EXPECT_THAT(message("cpu", absl::StatusCode::kFailedPrecondition),
              AllOf(HasSubstr("cpu znver4"), HasSubstr("another CPU")));
}

// What the file says is held to what the device allows.
TEST_F(LoadPlanTest, ValidatesTheProgram) {
  std::get<LaunchStep>(pack_.plans[0].program.steps[0]).kernel = 3;
  EXPECT_TRUE(absl::IsInvalidArgument(LoadPlan(pack_, options_).status()));
}

}  // namespace
}  // namespace gsa
