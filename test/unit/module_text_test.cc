// -----------------------------------------------------------------------------
// File: module_text_test.cc
// -----------------------------------------------------------------------------
//
// What is refused before the parser sees it, and that nothing else is.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "dialect/Text/ModuleText.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mlir::gsa {
namespace {

using testing::HasSubstr;

std::string Times(int count, const std::string& text) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

std::string MessageOf(const std::string& text) {
  std::optional<ModuleTextError> error = checkModuleText(text);
  return error ? error->describe("f") : "";
}

void ExpectLegal(const std::string& text) { EXPECT_EQ(MessageOf(text), ""); }

void ExpectRefused(const std::string& text, const std::string& part) {
  EXPECT_THAT(MessageOf(text), HasSubstr(part)) << text.substr(0, 200);
}

constexpr char kDeep[] = "brackets nested more than 128 deep";

TEST(ModuleText, NestingOfEveryBracketIsLimited) {
  for (const char* pair : {"[]", "()", "{}", "<>"}) {
    std::string open(1, pair[0]), close(1, pair[1]);
    ExpectLegal("a = " + Times(128, open) + "1" + Times(128, close));
    ExpectRefused("a = " + Times(129, open) + "1" + Times(129, close), kDeep);
    ExpectRefused(Times(20000, open), kDeep);
  }
  ExpectRefused(Times(33, "[{<(") + Times(33, ")>}]"), kDeep);
}

TEST(ModuleText, NestingWithinRegionsTypesAndLocations) {
  ExpectRefused(Times(200, "module {\n") + Times(200, "}\n"),
                "f:129:8: error: brackets");
  ExpectRefused("!t = " + Times(200, "tuple<") + "f32" + Times(200, ">"),
                kDeep);
  ExpectRefused("module {} loc(" + Times(200, "fused<loc(") + "\"a\"" +
                    Times(200, ")>[\"b\"]") + ")",
                kDeep);
  ExpectRefused("#m = affine_map<(d0) -> (" + Times(200, "(") + "d0" +
                    Times(200, ")") + ")>",
                kDeep);
}

TEST(ModuleText, UnaryMinusNests) {
  ExpectLegal("#m = affine_map<(d0) -> (--d0)>");
  ExpectRefused("#m = affine_map<(d0) -> (" + Times(200, "-") + "d0)>", kDeep);
  // Arrows are none.
  ExpectLegal("func.func private @f(" + Times(300, "() -> (), ") + "i32)");
}

TEST(ModuleText, ComparisonsAndArrowsAreNoBrackets) {
  ExpectLegal(Times(300, "#s = affine_set<(d0) : (d0 - 1 >= 0, d0 <= 4)>\n"));
  ExpectLegal(Times(300, "func.func private @f() -> tensor<4xf32>\n"));
  // One bracket closes what is open within it.
  ExpectLegal(Times(300, "#x = #foo.bar<[a < b]>\n"));
}

TEST(ModuleText, StringsAndCommentsAreSkipped) {
  ExpectLegal("// " + Times(300, "[") + "\nmodule {}");
  ExpectLegal("a = \"" + Times(300, "[") + "\"");
  ExpectLegal("a = \"\\\"" + Times(300, "(") + "\"");
  ExpectLegal("func.call @\"" + Times(300, "<") + "\"()");
  // A string that does not end is the parser's to tell.
  ExpectLegal("a = \"abc");
  ExpectLegal("a = \"abc\\");
  ExpectRefused("a = \"abc\n" + Times(300, "["), kDeep);
}

TEST(ModuleText, AliasesCountWithWhatTheyStandFor) {
  std::string chain = "!a0 = f32\n";
  for (int i = 1; i < 200; ++i) {
    chain += "!a" + std::to_string(i) + " = tuple<!a" + std::to_string(i - 1) +
             ">\n";
  }
  ExpectRefused(chain, "f:130:15: error: brackets nested");
  // A definition ends before the next op: these do not add up.
  std::string blocks;
  for (int i = 0; i < 200; ++i) {
    std::string name = "#m" + std::to_string(i);
    blocks.append(name)
        .append(" = dense<1> : tensor<1xi32>\n")
        .append("func.func @f() {\n  \"a.b\"() {x = [")
        .append(name)
        .append("]} : () -> ()\n}\n");
  }
  ExpectLegal(blocks);
  // An alias that names itself is the parser's to tell.
  ExpectLegal("#a = [#a]\n" + Times(200, "#a = [#a]\n"));
}

TEST(ModuleText, AliasesThatDoubleAreRefused) {
  std::string text = "#a0 = 1\n";
  for (int i = 1; i < 64; ++i) {
    std::string last = "#a" + std::to_string(i - 1);
    text.append("#a").append(std::to_string(i)).append(" = [");
    text.append(last).append(", ").append(last).append("]\n");
  }
  ExpectRefused(text, "more than 67108864 tokens once aliases are replaced");
}

TEST(ModuleText, LongNumbersAndNames) {
  ExpectLegal("a = " + Times(4096, "9"));
  ExpectRefused("a = " + Times(4097, "9"),
                "f:1:5: error: a number or name of 4097 characters, at most "
                "4096");
  ExpectRefused("a = 1." + Times(100000, "1"), "at most 4096");
  ExpectRefused("a = 0x" + Times(100000, "f"), "at most 4096");
  ExpectRefused("tensor<" + Times(100000, "1x") + "f32>", "at most 4096");
  ExpectRefused("%" + Times(5000, "a"), "at most 4096");
  ExpectLegal("@\"" + Times(5000, "a") + "\"");
}

TEST(ModuleText, LongAffineExpressions) {
  ExpectLegal("#m = affine_map<(d0) -> (d0" + Times(1000, " + 1") + ")>");
  for (const char* more :
       {" + 1", " * 2", " - 1", " floordiv 2", " ceildiv 2", " mod 2"}) {
    ExpectRefused("#m = affine_map<(d0) -> (d0" + Times(1001, more) + ")>",
                  "more than 1000 operators in one expression");
  }
  ExpectRefused("#m = affine_map<(" + Times(10000, "d0, ") + "d1) -> (d0)>",
                "more than 10000 tokens in one affine map or set");
  // Sums of numbers elsewhere, and maps one after the other, add up to nothing.
  ExpectLegal(Times(2000, "#m = affine_map<(d0) -> (d0 + 1)>\n"));
  ExpectLegal("a = dense<[" + Times(20000, "-1, ") + "1]>");
}

TEST(ModuleText, ArraysOfIndexElements) {
  constexpr char kIndex[] = "'array' of 'index'";
  ExpectRefused("a = array<index: 1>", "f:1:11: error: 'array' of 'index'");
  ExpectRefused("a = array<index>", kIndex);
  ExpectRefused("a = array // b\n  <\n // c\n index : 1>", kIndex);
  ExpectRefused("!t = index\na = array<!t: 1>", kIndex);
  ExpectRefused("!t = index\n!u = !t\na = array<!u: 1>", kIndex);
  ExpectLegal("!t = i64\na = array<!t: 1>, b = array<i32>");
  ExpectLegal("a = dense<1> : tensor<1xindex>");
  ExpectLegal("!t = tensor<2xindex>\na = \"array<index: 1>\"");
}

TEST(ModuleText, AlignmentOfResources) {
  auto text = [](const std::string& data) {
    return "{-# dialect_resources: { builtin: { w: \"" + data + "\" } } #-}";
  };
  ExpectLegal(text("0x040000000000803F"));
  ExpectLegal(text("0x001000000000803F"));
  ExpectRefused(text("0x000000000000803F"),
                "resource: expected its first four bytes to be an alignment, "
                "a power of two up to 4096, got 0");
  ExpectRefused(text("0x030000000000803F"), "got 3");
  ExpectRefused(text("0x00200000"), "got 8192");
  ExpectRefused(text("0x000000800000803F"), "got 2147483648");
  // Too short, not hexadecimal: the parser says so. Elsewhere it is a string.
  ExpectLegal(text("0x0000"));
  ExpectLegal(text("0x00000000zz"));
  ExpectLegal("a = \"0x000000000000803F\"");
}

TEST(ModuleText, SizeOfTheText) {
  ModuleTextLimits limits;
  limits.bytes = 10;
  EXPECT_FALSE(checkModuleText("0123456789", limits));
  std::optional<ModuleTextError> error =
      checkModuleText("module {} //", limits);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->describe("f"), "f:1:1: error: 12 bytes of text, at most 10");
}

TEST(ModuleText, AnyBytesAreScanned) {
  for (int c = 0; c < 256; ++c) {
    ExpectLegal(std::string(3, static_cast<char>(c)));
    ExpectLegal("a = " + std::string(1, static_cast<char>(c)));
    ExpectLegal("#" + std::string(1, static_cast<char>(c)));
  }
  ExpectLegal("");
  EXPECT_TRUE(isBytecodeText("ML\xefR\x01"));
  EXPECT_FALSE(isBytecodeText("module"));
}

TEST(ModuleText, EveryModuleOfTheRepositoryIsLegal) {
  int files = 0;
  for (const char* folder : {"/examples", "/test", "/bench"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             std::string(GSA_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".mlir") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      EXPECT_EQ(MessageOf(text.str()), "") << entry.path();
      ++files;
    }
  }
  EXPECT_GT(files, 50);
}

}  // namespace
}  // namespace mlir::gsa
