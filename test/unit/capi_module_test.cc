// -----------------------------------------------------------------------------
// File: capi_module_test.cc
// -----------------------------------------------------------------------------
//
// Modules that the parser and the verifiers take and that no plan can be made
// of: each is an invalid argument that names what is wrong.

#include <gsa/gsa.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using capi_testing::CompileError;
using capi_testing::Error;
using capi_testing::Options;
using capi_testing::Refusal;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

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

// ---- Shapes
// ------------------------------------------------------------------

// The verifier of MLIR's interface would say twice what it has found once.
TEST(CapiModule, OneMistakeOfShapesIsOneError) {
  auto scores = [](const std::string& keys, const std::string& result) {
    return "func.func @main(%q: tensor<2x3x4x8xf32>, %k: " + keys + ") -> " +
           result + " {\n  %s = gsa.index_scores %q, %k\n" +
           "    : (tensor<2x3x4x8xf32>, " + keys + ") -> " + result +
           "\n  return %s : " + result + "\n}\n";
  };
  EXPECT_THAT(Refusal(scores("tensor<3x5x8xf32>", "tensor<2x3x5xf32>")),
              EndsWith("test.mlir:2:8: error: 'gsa.index_scores' op (C1) "
                       "expected B = 2 (from 'query') in dimension 0 of 'key', "
                       "got 3"));
  EXPECT_THAT(Refusal(scores("tensor<2x5x8xf32>", "tensor<2x3x6xf32>")),
              EndsWith("test.mlir:2:8: error: 'gsa.index_scores' op (C1) "
                       "expected 'scores' to be 'tensor<2x3x5xf32>', got "
                       "'tensor<2x3x6xf32>'"));
}

// ---- Attributes -------------------------------------------------------------

TEST(CapiModule, AttributesOfPassesAreRefused) {
  const std::string exp =
      " {\n  %r = math.exp %a : tensor<4xf32>\n"
      "  return %r : tensor<4xf32>\n}\n";
  for (const char* attribute :
       {"gsa.zones = [\"mine\"]", "gsa.outputs = 1 : i64",
        "gsa.workspace_bytes = 0 : i64"}) {
    const std::string name(attribute, std::string(attribute).find(' '));
    EXPECT_THAT(
        Refusal("func.func @main(%a: tensor<4xf32>) -> tensor<4xf32>\n"
                "    attributes {" +
                std::string(attribute) + "}" + exp),
        HasSubstr("test.mlir:1:1: error: 'func.func' op has the attribute '" +
                  name +
                  "', which the compiler writes itself; expected none "
                  "in a module that it is given"));
  }
  const std::string loop =
      "  %c0 = arith.constant 0 : index\n  %c4 = arith.constant 4 : index\n"
      "  %r = scf.for %i = %c0 to %c4 step %c4 iter_args(%x = %a) -> "
      "(tensor<4xf32>) {\n    scf.yield %x : tensor<4xf32>\n  }";
  EXPECT_THAT(Refusal(Main(loop + " {gsa_tile.rolled}\n")),
              HasSubstr("'scf.for' op has the attribute 'gsa_tile.rolled'"));
  EXPECT_EQ(CompileError(Main(loop + " {my.note}\n")).code, GSA_OK);
}

// Names are C strings in gsa_tensor_info and gsa_named_shape.
TEST(CapiModule, NamesHaveNoZeroBytes) {
  EXPECT_THAT(
      Refusal("func.func @main(%a: tensor<4xf32> {gsa.name = \"a\\00b\"}) -> "
              "tensor<4xf32> { return %a : tensor<4xf32> }"),
      HasSubstr("argument #0 expected a string without zero bytes as "
                "'gsa.name', got \"a\\00b\""));
  // What a message quotes does not end it.
  EXPECT_THAT(Refusal("func.func @\"a\\00b\"() { return }\n"
                      "func.func @c() { return }"),
              HasSubstr("a\\0b, c): say which is the entry"));
}

// ---- What the parser advises ------------------------------------------------

TEST(CapiModule, UnknownDialectsComeWithAdviceThatCallersCanFollow) {
  const std::string known =
      "affine, arith, bufferization, builtin, cf, func, gsa, gsa_tile, linalg, "
      "llvm, math, memref, scf, tensor, vector (turn the rest into these "
      "before it is compiled)";
  for (const auto& [body, what] :
       {std::pair("  %r = stablehlo.exp %a : tensor<4xf32>\n",
                  "Dialect `stablehlo' not found for custom op "
                  "'stablehlo.exp' \n"),
        {"  %r = \"stablehlo.exp\"(%a) : (tensor<4xf32>) -> tensor<4xf32>\n",
         "the op is of a dialect that this compiler does not know"},
        {"  %r = math.exp %a {my.kind = #stablehlo<x>} : tensor<4xf32>\n",
         "attribute is of a dialect that this compiler does not know"},
        {"  %r = builtin.unrealized_conversion_cast %a : tensor<4xf32> to "
         "!stablehlo.token\n",
         "type is of a dialect that this compiler does not know"}}) {
    const std::string message = Refusal(Main(body));
    EXPECT_THAT(
        message,
        AllOf(HasSubstr(what), HasSubstr(known), HasSubstr("test.mlir:2:"),
              Not(HasSubstr("llow-unregistered")),
              Not(HasSubstr("llowUnregistered")), Not(HasSubstr("http"))));
  }
}

TEST(CapiModule, TheNearestOpIsSuggested) {
  EXPECT_THAT(Refusal(Main("  %r = math.expo %a : tensor<4xf32>\n")),
              HasSubstr("custom op 'math.expo' is unknown; did you mean "
                        "'math.exp'?"));
  EXPECT_THAT(Refusal(Main("  %r = \"gsa.gat\"(%a, %a) : (tensor<4xf32>, "
                           "tensor<4xf32>) -> tensor<4xf32>\n")),
              EndsWith("that does not allow unknown operations; did you mean "
                       "'gsa.gate'?"));
}

// ---- Shapes -----------------------------------------------------------------

TEST(CapiModule, ShapesThatAreNoneSayWhy) {
  const std::string text =
      "func.func @main(%a: tensor<?x3xf32> {gsa.name = \"query\"}) -> "
      "tensor<?x3xf32> { return %a : tensor<?x3xf32> }";
  for (int64_t size : {int64_t{-1}, INT64_MIN}) {
    EXPECT_THAT(Refusal(text, Options({{"query", {size, 3}}})),
                HasSubstr("input 'query': expected the sizes of a plan, 0 or "
                          "more for [-1, 3] (-1 is free), got [" +
                          std::to_string(size) + ", 3]"));
  }
  const std::vector<capi_testing::Error> reasons =
      capi_testing::Reasons(text, Options({{"qeury", {1, 3}}}));
  ASSERT_EQ(reasons.size(), 2u);
  const std::string misspelt =
      "shape given for 'qeury', but the inputs are query; did you mean "
      "'query'?";
  EXPECT_THAT(reasons[0].message, HasSubstr(misspelt));
  // Before the input that has no shape by it.
  EXPECT_THAT(
      capi_testing::CompileError(text, Options({{"qeury", {1, 3}}})).message,
      HasSubstr(misspelt));
}

}  // namespace
