// -----------------------------------------------------------------------------
// File: capi_module_test.cc
// -----------------------------------------------------------------------------
//
// Modules that the parser and the verifiers take and that no plan can be made
// of: each is an invalid argument that names what is wrong.

#include <gsa/gsa.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using capi_testing::CompileError;
using capi_testing::Error;
using capi_testing::Options;
using capi_testing::Refusal;
using testing::AllOf;
using testing::HasSubstr;

// ---- What is declared and not defined ---------------------------------------

constexpr char kDeclaration[] =
    "func.func private @helper(tensor<4xf32>) -> tensor<4xf32>\n";

std::string Main(const std::string& body) {
  return "func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {\n" + body +
         "  return %r : tensor<4xf32>\n}\n";
}

TEST(CapiModule, CallsOfUndefinedFunctionsNameTheFunction) {
  const std::string call =
      kDeclaration +
      Main("  %r = call @helper(%a) : (tensor<4xf32>) -> tensor<4xf32>\n");
  for (const char* target : {"cpu", "emu"}) {
    Options options;
    options.value.target = target;
    EXPECT_THAT(Refusal(call, options),
                AllOf(HasSubstr("test.mlir:3:8: error: 'func.call' op refers "
                                "to 'helper', which is declared but not "
                                "defined; expected it with a body"),
                      HasSubstr("test.mlir:1:1: note: declared here")));
  }
  EXPECT_THAT(Refusal(kDeclaration +
                      Main("  %f = constant @helper : (tensor<4xf32>) -> "
                           "tensor<4xf32>\n  %r = call_indirect %f(%a) : "
                           "(tensor<4xf32>) -> tensor<4xf32>\n")),
              HasSubstr("refers to 'helper'"));
}

// Other dialects have functions and data of their own.
TEST(CapiModule, UndefinedSymbolsOfOtherDialects) {
  EXPECT_THAT(Refusal("llvm.func @clock() -> i32\n" +
                      Main("  %t = llvm.call @clock() : () -> i32\n"
                           "  %r = math.exp %a : tensor<4xf32>\n")),
              HasSubstr("'llvm.call' op refers to 'clock'"));
  EXPECT_THAT(Refusal("memref.global \"private\" @table : memref<4xf32>\n" +
                      Main("  %m = memref.get_global @table : memref<4xf32>\n"
                           "  %r = bufferization.to_tensor %m restrict : "
                           "memref<4xf32> to tensor<4xf32>\n")),
              HasSubstr("'memref.get_global' op refers to 'table'"));
  // Also where the C library would have it.
  EXPECT_THAT(Refusal("func.func private @expf(f32) -> f32\n"
                      "func.func @main(%a: tensor<f32>) -> tensor<f32> {\n"
                      "  %e = tensor.extract %a[] : tensor<f32>\n"
                      "  %x = call @expf(%e) : (f32) -> f32\n"
                      "  %r = tensor.from_elements %x : tensor<f32>\n"
                      "  return %r : tensor<f32>\n}\n"),
              HasSubstr("refers to 'expf'"));
}

TEST(CapiModule, DeclarationsThatNothingRefersToDoNoHarm) {
  const Error error =
      CompileError(kDeclaration + Main("  %r = math.exp %a : tensor<4xf32>\n"));
  EXPECT_EQ(error.code, GSA_OK) << error.message;
}

TEST(CapiModule, NamesOfTheCompilerAreRefusedForEverySymbol) {
  const std::string rest = Main("  %r = math.exp %a : tensor<4xf32>\n");
  EXPECT_THAT(
      Refusal("func.func private @gsa_cpu_zone(%i: i64) { return }\n" + rest),
      HasSubstr("test.mlir:1:1: error: 'func.func' op 'gsa_cpu_zone': names "
                "that begin with 'gsa_cpu_' are the compiler's own"));
  EXPECT_THAT(Refusal("llvm.func @gsa_cpu_parallel() { llvm.return }\n" + rest),
              HasSubstr("'gsa_cpu_parallel'"));
}

}  // namespace
