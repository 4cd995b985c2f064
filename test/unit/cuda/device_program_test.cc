// -----------------------------------------------------------------------------
// File: device_program_test.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/device_program.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;
using Kind = BufferRef::Kind;

// One step of each kind, all in range.
DeviceProgram ValidProgram() {
  DeviceProgram program;
  program.arch = "sm_90a";
  program.kernels = {{"attend", "text", 128, 4096, {{1, "a.mlir:2:3"}}}};
  program.inputs = {{"q", 4096}, {"k", 2048}};
  program.outputs = {{"out", 4096}};
  program.constants = {{"table", std::vector<uint8_t>(64)}};
  program.workspace_bytes = 8192;
  program.zone_names = {"project", "attend"};
  LaunchStep launch;
  launch.grid = {7, 2, 1};
  launch.args = {BufferRef{Kind::kInput, 0, 0}, int32_t{3},
                 BufferRef{Kind::kConstant, 0, 64}, 0.5f, int64_t{1}};
  launch.zone = 1;
  GemmStep gemm;  // [16, 32] x [32, 24], rows of A 40 elements apart
  gemm.a = {Kind::kInput, 0, 16};
  gemm.b = {Kind::kInput, 1, 0};
  gemm.c = {Kind::kWorkspace, 0, 0};
  gemm.m = 16, gemm.n = 24, gemm.k = 32;
  gemm.lda = 40, gemm.ldb = 24, gemm.ldc = 24;
  CopyStep copy{{Kind::kWorkspace, 0, 0}, {Kind::kOutput, 0, 16}, 4080, 0};
  FillStep fill{{Kind::kWorkspace, 0, 4096}, 0xffffffffu, 4, 1024, 0};
  program.steps = {fill, gemm, launch, copy};
  return program;
}

// A map of 32 rows of 48 of their 64 elements, from byte 32 of the first input.
TensorMapArg ValidMap() {
  TensorMapArg map;
  map.base = {Kind::kInput, 0, 32};
  map.rows = 31, map.columns = 48, map.row_pitch = 128;
  map.box_rows = 64, map.box_columns = 64, map.swizzle_bytes = 128;
  return map;
}

struct Case {
  const char* name;
  std::function<void(DeviceProgram&)> change;
  absl::StatusCode code;
  const char* message;
};

LaunchStep& Launch(DeviceProgram& program) {
  return std::get<LaunchStep>(program.steps[2]);
}
GemmStep& Gemm(DeviceProgram& program) {
  return std::get<GemmStep>(program.steps[1]);
}
CopyStep& Copy(DeviceProgram& program) {
  return std::get<CopyStep>(program.steps[3]);
}
FillStep& Fill(DeviceProgram& program) {
  return std::get<FillStep>(program.steps[0]);
}

class ValidateTest : public ::testing::TestWithParam<Case> {};

TEST(Validate, AcceptsAValidProgram) {
  EXPECT_TRUE(Validate(ValidProgram(), LaunchLimits()).ok())
      << Validate(ValidProgram(), LaunchLimits());
}

TEST_P(ValidateTest, RefusesWithAReason) {
  DeviceProgram program = ValidProgram();
  GetParam().change(program);
  const absl::Status status = Validate(program, LaunchLimits());
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kLimit = absl::StatusCode::kResourceExhausted;

INSTANTIATE_TEST_SUITE_P(
    Programs, ValidateTest,
    ::testing::Values(
        Case{"NoArch", [](auto& p) { p.arch.clear(); }, kInvalid,
             "architecture is not set"},
        Case{"NegativeWorkspace", [](auto& p) { p.workspace_bytes = -1; },
             kInvalid, "workspace_bytes is -1"},
        Case{"NegativeInput", [](auto& p) { p.inputs[1].bytes = -5; }, kInvalid,
             "'k' has -5 bytes"},
        Case{"UpdatesNone", [](auto& p) { p.outputs[0].updates = 2; }, kInvalid,
             "output 'out' updates input 2, expected one of 2 inputs, or -1"},
        Case{"UpdatesBelow", [](auto& p) { p.outputs[0].updates = -2; },
             kInvalid, "output 'out' updates input -2"},
        Case{"UpdatesOther", [](auto& p) { p.outputs[0].updates = 1; },
             kInvalid,
             "output 'out' has 4096 bytes and updates input 'k' of 2048"},
        Case{"NoText", [](auto& p) { p.kernels[0].text.clear(); }, kInvalid,
             "the kernel has neither text nor machine code"},
        Case{"NothingToDependOn", [](auto& p) { Launch(p).dependent = true; },
             kInvalid, "is dependent, expected a launch as the step before"},
        Case{"NothingOnItsLane",
             [](auto& p) {
               LaunchStep first = Launch(p), next = first;
               next.dependent = true;
               next.order.lane = 1;
               p.lanes = 2;
               p.steps = {first, next};
             },
             kInvalid,
             "is dependent, expected a launch as the step before on lane 1"},
        Case{"SameSymbol", [](auto& p) { p.kernels.push_back(p.kernels[0]); },
             kInvalid, "two kernels have this symbol"},
        Case{"NoThreads", [](auto& p) { p.kernels[0].threads_per_block = 0; },
             kInvalid, "threads per block is 0"},
        Case{"Threads", [](auto& p) { p.kernels[0].threads_per_block = 1056; },
             kLimit, "threads per block is 1056, the limit is 1024"},
        Case{"Smem", [](auto& p) { p.kernels[0].dynamic_smem_bytes = 101377; },
             kLimit, "101377 bytes, the limit of the device is 101376"},
        Case{"LineMap", [](auto& p) { p.kernels[0].lines.push_back({1, "x"}); },
             kInvalid, "line map has line 1 after line 1"},
        Case{"Zone", [](auto& p) { Launch(p).zone = 2; }, kInvalid,
             "step 2: has zone 2, the program has 2"},
        Case{"Kernel", [](auto& p) { Launch(p).kernel = 1; }, kInvalid,
             "launches kernel 1, the program has 1"},
        Case{"GridZero", [](auto& p) { Launch(p).grid[1] = 0; }, kInvalid,
             "grid.y is 0"},
        Case{"GridX", [](auto& p) { Launch(p).grid[0] = 2147483648; }, kLimit,
             "grid.x is 2147483648, the limit is 2147483647"},
        Case{"GridY", [](auto& p) { Launch(p).grid[1] = 65536; }, kLimit,
             "grid.y is 65536, the limit is 65535"},
        Case{"GridZ", [](auto& p) { Launch(p).grid[2] = 65536; }, kLimit,
             "grid.z is 65536"},
        Case{"ArgIndex",
             [](auto& p) { Launch(p).args[0] = BufferRef{Kind::kInput, 2, 0}; },
             kInvalid, "argument 0 is input 2, the program has 2"},
        Case{"ArgOffset",
             [](auto& p) {
               Launch(p).args[2] = BufferRef{Kind::kConstant, 0, 65};
             },
             kInvalid, "argument 2 needs 0 bytes at byte 65 of constant 0"},
        Case{"ArgNegative",
             [](auto& p) {
               Launch(p).args[0] = BufferRef{Kind::kWorkspace, 0, -16};
             },
             kInvalid, "at byte -16 of workspace 0"},
        Case{"WorkspaceIndex",
             [](auto& p) {
               Launch(p).args[0] = BufferRef{Kind::kWorkspace, 1, 0};
             },
             kInvalid, "workspace 1, the program has 1"},
        Case{
            "ManyArgs",
            [](auto& p) { Launch(p).args.assign(1025, KernelArg{int32_t{0}}); },
            kLimit, "parameters take 4100 bytes"},
        Case{"MapsAreLarge",
             [](auto& p) {
               // 31 end at byte 3968; alignment puts one more at 4032.
               Launch(p).args.assign(31, ValidMap());
               Launch(p).args.push_back(int32_t{0});
               Launch(p).args.push_back(ValidMap());
             },
             kLimit, "parameters take 4160 bytes"},
        Case{"MapExtent",
             [](auto& p) {
               TensorMapArg map = ValidMap();
               map.row_pitch = 144;
               Launch(p).args[0] = map;
             },
             kInvalid, "argument 0 needs 4416 bytes at byte 32 of input 0"},
        Case{"MapHuge",
             [](auto& p) {
               TensorMapArg map = ValidMap();
               map.rows = int64_t{1} << 32;
               map.row_pitch = (int64_t{1} << 40) - 16;
               Launch(p).args[0] = map;
             },
             kInvalid, "argument 0: the size of the matrix is over 2^63"},
        Case{"MapPitch",
             [](auto& p) {
               TensorMapArg map = ValidMap();
               map.row_pitch = 104;
               Launch(p).args[1] = map;
             },
             kInvalid,
             "step 2 (launch of 'attend'): argument 1: the tensor map has rows "
             "every 104 bytes, expected a multiple of 16 below 2^40"},
        Case{"GemmType", [](auto& p) { Gemm(p).a_dtype = DType::kF64; },
             kInvalid, "the operands are f64"},
        Case{"GemmMixed", [](auto& p) { Gemm(p).b_dtype = DType::kF16; },
             kInvalid, "A is bf16 and B is f16"},
        Case{"GemmResult", [](auto& p) { Gemm(p).c_dtype = DType::kF16; },
             kInvalid, "C is f16"},
        Case{"GemmCompute",
             [](auto& p) { Gemm(p).compute_dtype = DType::kF16; }, kInvalid,
             "the sums are f16"},
        Case{"GemmBeta", [](auto& p) { Gemm(p).beta = 2; }, kInvalid,
             "beta is 2"},
        Case{"GemmEmpty", [](auto& p) { Gemm(p).k = 0; }, kInvalid,
             "m, n, k, batch are 16, 24, 0, 1"},
        Case{"GemmLda", [](auto& p) { Gemm(p).lda = 31; }, kInvalid,
             "lda is 31, expected at least 32"},
        Case{"GemmTransposed", [](auto& p) { Gemm(p).trans_b = true; },
             kInvalid, "ldb is 24, expected at least 32"},
        // 15 rows of 40 and the 32 of the last: 1264 bytes from byte 2848.
        Case{"GemmExtent", [](auto& p) { Gemm(p).a.byte_offset = 2848; },
             kInvalid, "A needs 1264 bytes at byte 2848 of input 0"},
        Case{"GemmAlignment", [](auto& p) { Gemm(p).a.byte_offset = 8; },
             kInvalid, "A is at byte 8, expected a multiple of 16"},
        Case{"GemmBatchOverlap",
             [](auto& p) {
               Gemm(p).batch = 2;
               Gemm(p).stride_c = 383;
             },
             kInvalid, "stride_c is 383, expected at least 384"},
        Case{"GemmIntoInput", [](auto& p) { Gemm(p).c = {Kind::kInput, 0, 0}; },
             kInvalid, "C is input 0, expected an output or the workspace"},
        Case{"GemmHuge",
             [](auto& p) { Gemm(p).lda = std::numeric_limits<int64_t>::max(); },
             kInvalid, "the size of A is over 2^63 bytes"},
        Case{"CopyOverlap",
             [](auto& p) { Copy(p).destination = {Kind::kWorkspace, 0, 4079}; },
             kInvalid, "expected ranges without overlap"},
        Case{"CopyExtent", [](auto& p) { Copy(p).bytes = 4081; }, kInvalid,
             "the destination needs 4081 bytes at byte 16 of output 0"},
        Case{"CopyIntoConstant",
             [](auto& p) {
               Copy(p).destination = {Kind::kConstant, 0, 0};
               Copy(p).bytes = 8;
             },
             kInvalid, "is constant 0, expected an output"},
        Case{"FillWidth", [](auto& p) { Fill(p).element_bytes = 8; }, kInvalid,
             "elements have 8 bytes"},
        Case{"FillAlignment",
             [](auto& p) { Fill(p).destination.byte_offset = 2; }, kInvalid,
             "starts at byte 2, expected a multiple of 4"},
        Case{"FillExtent", [](auto& p) { Fill(p).count = 1025; }, kInvalid,
             "needs 4100 bytes at byte 4096 of workspace 0"},
        Case{"FillHuge",
             [](auto& p) {
               Fill(p).count = std::numeric_limits<int64_t>::max();
             },
             kInvalid, "under 2^63 bytes"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Validate, AcceptsTensorMaps) {
  DeviceProgram program = ValidProgram();
  // 30 rows of 128 bytes and the 96 of the last end with the input.
  TensorMapArg map = ValidMap();
  map.base.byte_offset = 160;
  Launch(program).args = {map, int32_t{1}, map};
  EXPECT_TRUE(Validate(program, LaunchLimits()).ok())
      << Validate(program, LaunchLimits());
  EXPECT_EQ(ParameterBytes(Launch(program).args[0]), 128);
  EXPECT_EQ(ParameterAlignment(Launch(program).args[0]), 64);
  EXPECT_EQ(ToString(map),
            "map of bf16 31x48 every 128 bytes at input 0 + 160 bytes, box "
            "64x64 swizzle 128");
}

TEST(CheckTensorMap, HoldsTheLimitsOfTheDriver) {
  const auto expect = [](auto change, const char* message) {
    TensorMapArg map = ValidMap();
    change(map);
    const absl::Status status = CheckTensorMap(map);
    EXPECT_EQ(status.ok(), *message == 0) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    if (*message != 0)
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  };
  const int64_t k2To32 = int64_t{1} << 32, k2To40 = int64_t{1} << 40;
  expect([](auto&) {}, "");
  expect([](auto& m) { m.dtype = DType::kBool; }, "elements of type bool");
  expect([](auto& m) { m.rows = 0; }, "is of 0 rows and 48 columns");
  expect([=](auto& m) { m.rows = k2To32; }, "");
  expect([=](auto& m) { m.rows = k2To32 + 1; },
         "4294967297 rows and 48 columns, expected 1 to 2^32 each");
  expect([](auto& m) { m.columns = 0; }, "31 rows and 0 columns");
  expect([=](auto& m) { m.row_pitch = k2To40 - 16; }, "");
  expect([=](auto& m) { m.row_pitch = k2To40; },
         "rows every 1099511627776 bytes, expected a multiple of 16 below");
  expect([](auto& m) { m.row_pitch = 80; },
         "rows every 80 bytes, expected at least the 96 of a row");
  expect([](auto& m) { m.row_pitch = -16; }, "rows every -16 bytes");
  expect([](auto& m) { m.box_rows = 257; },
         "a box of 257 rows and 64 columns, expected 1 to 256 each");
  expect([](auto& m) { m.box_rows = 256; }, "");
  expect([](auto& m) { m.box_columns = 0; }, "64 rows and 0 columns");
  expect([](auto& m) { m.box_columns = 60; },
         "a box with rows of 120 bytes, expected a multiple of 16");
  expect([](auto& m) { m.box_columns = 72; },
         "rows of 144 bytes, expected at most the 128 that are swizzled");
  expect([](auto& m) { m.box_columns = 72, m.swizzle_bytes = 0; }, "");
  expect([](auto& m) { m.swizzle_bytes = 64; },
         "swizzles 64 bytes, expected 0 or 128");
  expect([](auto& m) { m.base.byte_offset = 8; },
         "begins at byte 8, expected a multiple of 16");
}

TEST(Validate, CopyMayTouchItsSource) {
  DeviceProgram program = ValidProgram();
  Copy(program).destination = {Kind::kWorkspace, 0, 4080};
  EXPECT_TRUE(Validate(program, LaunchLimits()).ok());
}

}  // namespace
}  // namespace gsa
