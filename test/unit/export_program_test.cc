// -----------------------------------------------------------------------------
// File: export_program_test.cc
// -----------------------------------------------------------------------------
//
// What the exporter makes of entry functions: loops, views, constants, products
// and fills become steps with numbers; everything else is an error that says
// where.

#include "runtime/export_program.h"

#include <string>
#include <variant>

#include "dialect/GsaTile/GsaTileOps.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "runtime/compiler.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

constexpr char kKernel[] = R"(
gsa_tile.kernel @add(%x: !gsa_tile.global<f32, read>,
                     %y: !gsa_tile.global<f32, write>, %n: index, %s: f32)
    attributes {warps = 2 : i64, shared_bytes = 64 : i64} {
  gsa_tile.return
}
gsa_tile.kernel @fetch(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>,
                       %b: !gsa_tile.tensormap<8x32xi8, linear>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}
)";

class ExportProgram : public ::testing::Test {
 protected:
  ExportProgram() {
    mlir::DialectRegistry registry;
    RegisterCompilerDialects(registry);
    context_.appendDialectRegistry(registry);
  }

  absl::StatusOr<DeviceProgram> Export(const std::string& body,
                                       const std::string& arguments,
                                       int outputs,
                                       const std::string& globals = "") {
    const std::string text =
        kKernel + globals + "func.func @main(" + arguments +
        "%ws: memref<?xi8>) attributes {gsa.outputs = " +
        std::to_string(outputs) +
        " : i64, gsa.workspace_bytes = 4096 : i64, "
        "gsa.zones = [\"first\", \"second\"]} {\n" +
        body + "\n  return\n}\n" + "func.func private @gsa_cpu_zone(i64)\n";
    // Not ParseModule: this is what a pipeline leaves, with names that no
    // user's module may have.
    DiagnosticCollector diagnostics(&context_);
    mlir::OwningOpRef<mlir::ModuleOp> module =
        mlir::parseSourceString<mlir::ModuleOp>(text, &context_, "test.mlir");
    if (!module)
      return diagnostics.ToStatus(absl::StatusCode::kInvalidArgument, "parse");
    mlir::FailureOr<DeviceProgram> program =
        ExportDeviceProgram(*module, "main", "sm_80");
    if (mlir::failed(program)) {
      return diagnostics.ToStatus(absl::StatusCode::kUnimplemented, "export");
    }
    absl::Status valid = Validate(*program, LaunchLimits());
    if (!valid.ok()) return valid;
    return *std::move(program);
  }

  void ExpectError(const std::string& body, const std::string& arguments,
                   int outputs, const std::string& message) {
    absl::StatusOr<DeviceProgram> program = Export(body, arguments, outputs);
    ASSERT_FALSE(program.ok());
    EXPECT_THAT(std::string(program.status().message()), HasSubstr(message));
    EXPECT_THAT(std::string(program.status().message()),
                HasSubstr("test.mlir:"));
  }

  mlir::MLIRContext context_{mlir::MLIRContext::Threading::DISABLED};
};

TEST_F(ExportProgram, UnrollsLoopsOverChunksWithZones) {
  auto program = Export(R"(
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c6 = arith.constant 6 : index
    %s = arith.constant 0.5 : f32
    %first = arith.constant 0 : i64
    %second = arith.constant 1 : i64
    %end = arith.constant -1 : i64
    %shift = arith.constant 256 : index
    func.call @gsa_cpu_zone(%first) : (i64) -> ()
    %scratch = memref.view %ws[%shift][] : memref<?xi8> to memref<2x4xf32>
    scf.for %i = %c0 to %c6 step %c2 {
      %rows = memref.subview %x[%i, 0] [2, 4] [1, 1]
          : memref<6x4xf32> to memref<2x4xf32, strided<[4, 1], offset: ?>>
      %left = arith.subi %c6, %i : index
      gsa_tile.launch @add grid(%c3, %left) args(%rows, %scratch, %i, %s)
          : memref<2x4xf32, strided<[4, 1], offset: ?>>, memref<2x4xf32>, index, f32
    }
    func.call @gsa_cpu_zone(%second) : (i64) -> ()
    %flat = memref.reinterpret_cast %y to offset: [8], sizes: [2, 4], strides: [4, 1]
        : memref<24xf32> to memref<2x4xf32, strided<[4, 1], offset: 8>>
    memref.copy %scratch, %flat
        : memref<2x4xf32> to memref<2x4xf32, strided<[4, 1], offset: 8>>
    func.call @gsa_cpu_zone(%end) : (i64) -> ()
    linalg.fill ins(%s : f32) outs(%scratch : memref<2x4xf32>))",
                        "%x: memref<6x4xf32> {gsa.name = \"hidden\"}, "
                        "%y: memref<24xf32>, ",
                        1);
  ASSERT_TRUE(program.ok()) << program.status().message();
  ASSERT_EQ(program->inputs.size(), 1u);
  EXPECT_EQ(program->inputs[0].name, "hidden");
  EXPECT_EQ(program->inputs[0].bytes, 96);
  ASSERT_EQ(program->outputs.size(), 1u);
  EXPECT_EQ(program->workspace_bytes, 4096);
  ASSERT_EQ(program->kernels.size(), 1u);
  EXPECT_EQ(program->kernels[0].symbol, "add");
  EXPECT_EQ(program->kernels[0].threads_per_block, 64);
  EXPECT_EQ(program->kernels[0].dynamic_smem_bytes, 64);
  EXPECT_THAT(program->kernels[0].text, HasSubstr("add("));
  ASSERT_EQ(program->steps.size(), 5u);
  for (int i = 0; i < 3; ++i) {
    const auto& launch = std::get<LaunchStep>(program->steps[i]);
    EXPECT_EQ(launch.grid, (std::array<int64_t, 3>{3, 6 - 2 * i, 1}));
    EXPECT_EQ(launch.zone, 0);
    ASSERT_EQ(launch.args.size(), 4u);
    const auto& x = std::get<BufferRef>(launch.args[0]);
    EXPECT_EQ(x.kind, BufferRef::Kind::kInput);
    EXPECT_EQ(x.byte_offset, 32 * i);
    const auto& scratch = std::get<BufferRef>(launch.args[1]);
    EXPECT_EQ(scratch.kind, BufferRef::Kind::kWorkspace);
    EXPECT_EQ(scratch.byte_offset, 256);
    EXPECT_EQ(std::get<int32_t>(launch.args[2]), 2 * i);
    EXPECT_EQ(std::get<float>(launch.args[3]), 0.5f);
  }
  const auto& copy = std::get<CopyStep>(program->steps[3]);
  EXPECT_EQ(copy.bytes, 32);
  EXPECT_EQ(copy.zone, 1);
  EXPECT_EQ(copy.destination.kind, BufferRef::Kind::kOutput);
  EXPECT_EQ(copy.destination.byte_offset, 32);
  const auto& fill = std::get<FillStep>(program->steps[4]);
  EXPECT_EQ(fill.pattern, 0x3f000000u);
  EXPECT_EQ(fill.count, 8);
  EXPECT_EQ(fill.element_bytes, 4);
  ASSERT_EQ(program->zone_names.size(), 3u);
  EXPECT_EQ(program->zone_names[fill.zone], "other");
}

TEST_F(ExportProgram, ProductsKnowStridesAndBatches) {
  auto program = Export(R"(
    %part = memref.subview %a[0, 0, 8] [2, 3, 4] [1, 1, 1]
        : memref<2x3x16xbf16> to memref<2x3x4xbf16, strided<[48, 16, 1], offset: 8>>
    gsa_tile.gemm %part, %b into %c {transpose_b = true, accumulate = true}
        : memref<2x3x4xbf16, strided<[48, 16, 1], offset: 8>>, memref<5x4xbf16>,
          memref<2x3x5xf32>)",
                        "%a: memref<2x3x16xbf16>, %b: memref<5x4xbf16>, "
                        "%c: memref<2x3x5xf32>, ",
                        1);
  ASSERT_TRUE(program.ok()) << program.status().message();
  const auto& gemm = std::get<GemmStep>(program->steps.at(0));
  EXPECT_EQ(gemm.a.byte_offset, 16);
  EXPECT_EQ(gemm.m, 3);
  EXPECT_EQ(gemm.n, 5);
  EXPECT_EQ(gemm.k, 4);
  EXPECT_EQ(gemm.lda, 16);
  EXPECT_EQ(gemm.ldb, 4);
  EXPECT_EQ(gemm.ldc, 5);
  EXPECT_TRUE(gemm.trans_b);
  EXPECT_FALSE(gemm.trans_a);
  EXPECT_EQ(gemm.batch, 2);
  EXPECT_EQ(gemm.stride_a, 48);
  EXPECT_EQ(gemm.stride_b, 0);
  EXPECT_EQ(gemm.stride_c, 15);
  EXPECT_EQ(gemm.beta, 1);
  EXPECT_EQ(gemm.a_dtype, DType::kBF16);
  EXPECT_EQ(gemm.c_dtype, DType::kF32);
}

TEST_F(ExportProgram, TensorMapsAreOfTheMatrixOfTheLastDimension) {
  auto program = Export(R"(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %shift = arith.constant 512 : index
    %bytes = memref.view %ws[%shift][] : memref<?xi8> to memref<48xi8>
    scf.for %i = %c0 to %c3 step %c1 {
      %part = memref.subview %a[%i, 0, 0] [1, 2, 40] [1, 1, 1]
          : memref<3x2x40xbf16> to memref<1x2x40xbf16, strided<[80, 40, 1], offset: ?>>
      gsa_tile.launch @fetch grid(%c1) args(%part, %bytes)
          : memref<1x2x40xbf16, strided<[80, 40, 1], offset: ?>>, memref<48xi8>
    })",
                        "%a: memref<3x2x40xbf16>, ", 0);
  ASSERT_TRUE(program.ok()) << program.status().message();
  ASSERT_EQ(program->steps.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& launch = std::get<LaunchStep>(program->steps[i]);
    const auto& a = std::get<TensorMapArg>(launch.args.at(0));
    EXPECT_EQ(ToString(a), "map of bf16 2x40 every 80 bytes at input 0 + " +
                               std::to_string(160 * i) +
                               " bytes, box 64x64 swizzle 128");
    const auto& b = std::get<TensorMapArg>(launch.args.at(1));
    EXPECT_EQ(ToString(b),
              "map of u8 1x48 every 48 bytes at workspace + 512 bytes, box "
              "8x32 swizzle 0");
  }
}

TEST_F(ExportProgram, LaunchesOnlyReadWhatTheyMap) {
  auto module = ParseModule(std::string(kKernel) + R"(
func.func @main(%a: memref<6x64xbf16>, %b: memref<32xi8>, %y: memref<4xf32>) {
  %c1 = arith.constant 1 : index
  %s = arith.constant 0.5 : f32
  gsa_tile.launch @fetch grid(%c1) args(%a, %b) : memref<6x64xbf16>, memref<32xi8>
  gsa_tile.launch @add grid(%c1) args(%y, %y, %c1, %s)
      : memref<4xf32>, memref<4xf32>, index, f32
  return
})",
                            "test.mlir", &context_);
  ASSERT_TRUE(module.ok()) << module.status();
  int launches = 0;
  (*module)->walk([&](mlir::gsa_tile::LaunchOp launch) {
    llvm::SmallVector<mlir::MemoryEffects::EffectInstance> effects;
    launch.getEffects(effects);
    int reads = 0, writes = 0;
    for (const auto& effect : effects) {
      reads += mlir::isa<mlir::MemoryEffects::Read>(effect.getEffect());
      writes += mlir::isa<mlir::MemoryEffects::Write>(effect.getEffect());
    }
    EXPECT_EQ(reads, 2);
    EXPECT_EQ(writes, launch.getKernel() == "add" ? 1 : 0);
    ++launches;
  });
  EXPECT_EQ(launches, 2);
}

TEST_F(ExportProgram, RefusesWhatTheCopyEngineCannotTake) {
  const auto launch = [](const std::string& a, const std::string& b) {
    return "%c1 = arith.constant 1 : index\n"
           "gsa_tile.launch @fetch grid(%c1) args(%a, %b) : " +
           a + ", " + b;
  };
  const auto expect = [&](const std::string& a, const std::string& b,
                          const std::string& message) {
    ExpectError(launch(a, b), "%a: " + a + ", %b: " + b + ", ", 0, message);
  };
  expect("memref<6x20xbf16>", "memref<32xi8>",
         "argument #0 of type 'memref<6x20xbf16>': the tensor map has rows "
         "every 40 bytes, expected a multiple of 16 below 2^40");
  expect("memref<6x64xbf16>", "memref<0x32xi8>",
         "argument #1 of type 'memref<0x32xi8>': the tensor map is of 0 rows "
         "and 32 columns, expected 1 to 2^32 each");
  ExpectError(R"(
    %c1 = arith.constant 1 : index
    %part = memref.subview %a[8] [16] [1]
        : memref<32xi8> to memref<16xi8, strided<[1], offset: 8>>
    gsa_tile.launch @fetch grid(%c1) args(%q, %part)
        : memref<6x64xbf16>, memref<16xi8, strided<[1], offset: 8>>)",
              "%a: memref<32xi8>, %q: memref<6x64xbf16>, ", 0,
              "the tensor map begins at byte 8, expected a multiple of 16");
}

TEST_F(ExportProgram, ConstantsAreDataOfTheProgram) {
  auto program = Export(
      R"(
    %g = memref.get_global @table : memref<3xf32>
    %h = memref.get_global @zeros : memref<2xi64>
    memref.copy %g, %y : memref<3xf32> to memref<3xf32>
    memref.copy %h, %z : memref<2xi64> to memref<2xi64>)",
      "%y: memref<3xf32>, %z: memref<2xi64>, ", 2, R"(
memref.global "private" constant @table : memref<3xf32> = dense<[1.0, 2.0, 3.0]>
memref.global "private" constant @zeros : memref<2xi64> = dense<7>
)");
  ASSERT_TRUE(program.ok()) << program.status().message();
  ASSERT_EQ(program->constants.size(), 2u);
  const float values[] = {1, 2, 3};
  EXPECT_EQ(std::string(program->constants[0].bytes.begin(),
                        program->constants[0].bytes.end()),
            std::string(reinterpret_cast<const char*>(values), 12));
  EXPECT_EQ(program->constants[1].bytes.size(), 16u);
  EXPECT_EQ(program->constants[1].bytes[8], 7);
}

// Which input an output is the new value of, and the copy of the one to the
// other.
TEST_F(ExportProgram, OutputsKnowWhatTheyUpdate) {
  auto program =
      Export("memref.copy %c, %new : memref<4xf32> to memref<4xf32>",
             R"(%x: memref<4xf32>, %c: memref<4xf32> {gsa.name = "cache"},
         %y: memref<4xf32>, %new: memref<4xf32> {gsa.updates = "cache"}, )",
             2);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->inputs[1].updates, -1);
  EXPECT_EQ(program->outputs[0].updates, -1);
  EXPECT_EQ(program->outputs[1].updates, 1);
  ASSERT_EQ(program->steps.size(), 1u);
  const auto& copy = std::get<CopyStep>(program->steps[0]);
  EXPECT_EQ(ToString(copy.source), "input 1 + 0 bytes");
  EXPECT_EQ(ToString(copy.destination), "output 1 + 0 bytes");
}

TEST_F(ExportProgram, StepsOnNothingAreLeftOut) {
  auto program = Export(R"(
    %c0 = arith.constant 0 : index
    %s = arith.constant 0.0 : f32
    gsa_tile.launch @add grid(%c0) args(%x, %y, %c0, %s)
        : memref<4xf32>, memref<4xf32>, index, f32
    memref.copy %y, %y : memref<4xf32> to memref<4xf32>
    linalg.fill ins(%s : f32) outs(%z : memref<0x4xf32>))",
                        "%x: memref<4xf32>, %y: memref<4xf32>, "
                        "%z: memref<0x4xf32>, ",
                        2);
  ASSERT_TRUE(program.ok()) << program.status().message();
  EXPECT_TRUE(program->steps.empty());
  EXPECT_TRUE(program->kernels.empty());
}

TEST_F(ExportProgram, RefusesWhatHasNoPlaceInAProgram) {
  const char x[] = "%x: memref<4xf32>, %y: memref<4xf32>, ";
  ExpectError(R"(
    %c0 = arith.constant 0 : index
    %v = memref.load %x[%c0] : memref<4xf32>)",
              x, 1, "'memref.load' has no place in a program for a device");
  ExpectError(R"(
    %c1 = arith.constant 1 : index
    %s = arith.constant 0.0 : f32
    gsa_tile.launch @add grid(%c1) args(%y, %x, %c1, %s)
        : memref<4xf32>, memref<4xf32>, index, f32)",
              x, 1, "argument #1: kernel @add writes input 0");
  ExpectError(R"(
    %c1 = arith.constant 1 : index
    %big = arith.constant 3000000000 : index
    %s = arith.constant 0.0 : f32
    gsa_tile.launch @add grid(%c1) args(%x, %y, %big, %s)
        : memref<4xf32>, memref<4xf32>, index, f32)",
              x, 1, "3000000000 does not fit 32 bits");
  ExpectError(R"(
    %half = memref.subview %x[0] [2] [2]
        : memref<4xf32> to memref<2xf32, strided<[2]>>
    %to = memref.subview %y[0] [2] [1]
        : memref<4xf32> to memref<2xf32, strided<[1]>>
    memref.copy %half, %to
        : memref<2xf32, strided<[2]>> to memref<2xf32, strided<[1]>>)",
              x, 1, "expected a dense row-major source of a copy");
  ExpectError(R"(
    %v = arith.constant 3 : i64
    linalg.fill ins(%v : i64) outs(%z : memref<4xi64>))",
              "%z: memref<4xi64>, ", 1, "cannot fill elements of type 'i64'");
}

}  // namespace
}  // namespace gsa
