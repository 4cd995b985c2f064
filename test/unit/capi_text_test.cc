// -----------------------------------------------------------------------------
// File: capi_text_test.cc
// -----------------------------------------------------------------------------
//
// Texts that would end the process of whoever calls gsa_compile: each is an
// invalid argument instead.

#include <gsa/gsa.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using capi_testing::Refusal;
using testing::HasSubstr;

constexpr char kFunction[] =
    "func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> "
    "{ return %a : tensor<4xf32> }\n";

std::string Times(int count, const std::string& text) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(CapiText, ArrayOfIndex) {
  EXPECT_THAT(Refusal(std::string(kFunction) +
                      "module attributes {a = array<index: 1>} {}"),
              HasSubstr("test.mlir:2:30: error: 'array' of 'index'"));
}

TEST(CapiText, ResourceWithoutAlignment) {
  EXPECT_THAT(
      Refusal(std::string(kFunction) +
              "{-# dialect_resources: { builtin: { w: "
              "\"0x000000000000803F00000040\" } } #-}"),
      HasSubstr(
          "test.mlir:2:40: error: resource: expected its first four bytes"));
}

TEST(CapiText, DeepNesting) {
  EXPECT_THAT(
      Refusal(Times(20000, "module {") + Times(20000, "}")),
      HasSubstr("test.mlir:1:1032: error: brackets nested more than 128"));
  EXPECT_THAT(Refusal("#m = affine_map<(d0) -> (" + Times(20000, "(") + "d0" +
                      Times(20000, ")") + ")>\n" + kFunction),
              HasSubstr("brackets nested"));
}

TEST(CapiText, Bytecode) {
  EXPECT_THAT(Refusal(std::string("ML\xefR\x06MLIR22.1\0", 14)),
              HasSubstr("test.mlir: expected text, got MLIR bytecode"));
}

// What the scan cannot see: the module is parsed, but must not be compiled.
TEST(CapiText, ResourcesAreThereAndOfTheSizeOfTheirType) {
  auto text = [](const std::string& size, const std::string& data) {
    return "func.func @main() -> tensor<" + size +
           "xf32> { %0 = arith.constant dense_resource<w> : tensor<" + size +
           "xf32> return %0 : tensor<" + size + "xf32> }\n" + data;
  };
  const std::string two =
      "{-# dialect_resources: { builtin: { w: "
      "\"0x040000000000803F00000040\" } } #-}";
  EXPECT_THAT(Refusal(text("20", two)),
              HasSubstr("resource 'w': expected 80 bytes for "
                        "'tensor<20xf32>', got 8"));
  EXPECT_THAT(Refusal(text("2", "")),
              HasSubstr("resource 'w' is not in the module"));
  EXPECT_THAT(Refusal(text("4611686018427387904x8", two)),
              HasSubstr("resource 'w': expected 18446744073709551615 bytes"));
  gsa_plan* plan = nullptr;
  const std::string good = text("2", two);
  gsa_status* status =
      gsa_compile(good.data(), good.size(), nullptr, nullptr, &plan);
  EXPECT_EQ(gsa_status_code(status), GSA_OK) << gsa_status_message(status);
  gsa_status_destroy(status);
  gsa_plan_release(plan);
}

TEST(CapiText, MisspeltOptions) {
  EXPECT_THAT(
      Refusal("func.func @main(%x: tensor<1x2x3x4xf32>, %g: tensor<1x2x3xf32>)"
              " -> tensor<1x2x3x4xf32> {\n"
              "%0 = gsa.gate %x, %g {activaton = #gsa.gate_activation<tanh>} "
              ": (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> "
              "tensor<1x2x3x4xf32>\nreturn %0 : tensor<1x2x3x4xf32>\n}"),
      HasSubstr("test.mlir:2:6: error: 'gsa.gate' op has no attribute "
                "'activaton', did you mean 'activation'?"));
}

TEST(CapiText, KeysBeyondInt32AreNotSupported) {
  const std::string text =
      "func.func @main(%q: tensor<1x1x1x1xf16>, "
      "%k: tensor<1x2147483664x1xf16>) -> tensor<1x1x4xi32> {\n"
      "%i, %c, %s = gsa.select %q, %k policy <fixed, base = 4> : "
      "(tensor<1x1x1x1xf16>, tensor<1x2147483664x1xf16>) -> "
      "(tensor<1x1x4xi32>, tensor<1x1xi32>, tensor<1x1xi32>)\n"
      "return %i : tensor<1x1x4xi32>\n}";
  for (int reference : {0, 1}) {
    gsa_compile_options options = {};
    options.struct_size = sizeof(options);
    options.reference = reference;
    gsa_plan* plan = nullptr;
    gsa_status* status =
        gsa_compile(text.data(), text.size(), nullptr, &options, &plan);
    EXPECT_EQ(gsa_status_code(status), GSA_UNIMPLEMENTED);
    EXPECT_THAT(gsa_status_message(status),
                HasSubstr("at most 2147483647 keys, got 2147483664"));
    gsa_status_destroy(status);
    EXPECT_EQ(plan, nullptr);
  }
}

}  // namespace
