// -----------------------------------------------------------------------------
// File: used_declarations_test.cc
// -----------------------------------------------------------------------------
//
// What is left of headers for a text: all that the text needs and what that
// needs, whole declarations, at their lines.

#include <algorithm>
#include <string>
#include <vector>

#include "codegen/device/UsedDeclarations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mlir::gsa_tile {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// The first of two headers, for a text.
std::string Select(const std::string& first, const std::string& text,
                   const std::string& second = "") {
  const DeviceHeader headers[] = {{"a.cuh", first}, {"b.cuh", second}};
  DeclarationIndex index(headers);
  return index.select(text)[0].text;
}

std::vector<std::string> Names(const std::string& header) {
  const DeviceHeader headers[] = {{"a.cuh", header}};
  std::vector<std::string> names;
  for (StringRef name : DeclarationIndex(headers).getNames())
    names.push_back(name.str());
  return names;
}

TEST(UsedDeclarationsTest, NamesOfAllKindsOfDeclarations) {
  EXPECT_THAT(Names(R"(
#define DEVICE __device__
#define TWICE(x) \
  ((x) + (x))
#pragma once
namespace a::b {
// int comment() {}
/* int other() { */
template <int N, bool B = (N > 3)>
DEVICE two<N, (N > 1)> function(two<N> x) {
  const char* text = "} not the end \" {";
  return x;
}
template <class T>
struct alignas(2 * sizeof(T)) aligned {
  int member() { return 1; }
};
struct forward;
enum class kind { one, two };
using alias = forward;
using c::taken;
inline constexpr unsigned first = 0, second = 0xffu, third{3};
template <class T>
inline constexpr bool variable<view<T>> = true;
constexpr int array[2] = {1, 2};
static_assert(sizeof(int) == 4, "no name");
DEVICE bool operator==(forward a, forward b) { return true; }
}  // namespace a::b
)"),
              UnorderedElementsAre("DEVICE", "TWICE", "function", "aligned",
                                   "forward", "kind", "alias", "taken", "first",
                                   "second", "third", "variable", "array"));
}

TEST(UsedDeclarationsTest, WhatIsNamedAndWhatThatNames) {
  const std::string header = R"(#define LIMIT bound()
namespace n {
int bound() { return 1; }
int used(int x) { return helper(x) + LIMIT; }
int used(float x) { return 2; }
int unused() { return bound2(); }
int bound2() { return 3; }
}  // namespace n
)";
  const std::string kept = Select(header, "f(used);", "int helper(int);\n");
  EXPECT_THAT(kept, HasSubstr("int used(int x) { return helper(x) + LIMIT; }"));
  EXPECT_THAT(kept, HasSubstr("int used(float x)"));
  EXPECT_THAT(kept, HasSubstr("int bound() {"));
  EXPECT_THAT(kept, Not(HasSubstr("unused")));
  EXPECT_THAT(kept, Not(HasSubstr("bound2")));
  // Of a text that uses nothing, directives and namespaces.
  const std::string empty = Select(header, "int x;");
  EXPECT_THAT(empty, HasSubstr("#define LIMIT"));
  EXPECT_THAT(empty, HasSubstr("namespace n {"));
  EXPECT_THAT(empty, Not(HasSubstr("return")));
  EXPECT_EQ(std::count(empty.begin(), empty.end(), '{'),
            std::count(empty.begin(), empty.end(), '}'));
}

// A name in a comment or a string is no use; one in a directive is.
TEST(UsedDeclarationsTest, OnlyNamesCount) {
  const std::string header = "int f() { return 1; }\n";
  EXPECT_THAT(Select(header, "// f\n/* f */ \"f\" g(); fx();"),
              Not(HasSubstr("f()")));
  EXPECT_THAT(Select(header, "#define CALL f()\n"), HasSubstr("f()"));
}

TEST(UsedDeclarationsTest, DirectivesWithinADeclarationGoWithIt) {
  const std::string header = R"(int f() {
#pragma unroll
  for (;;) {
  }
}
#if X
int g() { return 1; }
#endif
)";
  EXPECT_THAT(Select(header, "g"), Not(HasSubstr("#pragma")));
  EXPECT_THAT(Select(header, "f"), HasSubstr("#pragma unroll\n"));
  const std::string neither = Select(header, "h");
  EXPECT_THAT(neither, HasSubstr("#if X\n"));
  EXPECT_THAT(neither, HasSubstr("#endif\n"));
}

// Declarations without a name are nobody's to ask for.
TEST(UsedDeclarationsTest, WhatHasNoNameStays) {
  const std::string kept = Select(
      "static_assert(true, \"x\");\nbool operator<(s a, s b) { return t(a); }\n"
      "bool t(s a) { return true; }\nstruct s {};\n",
      "");
  EXPECT_THAT(kept, HasSubstr("static_assert"));
  EXPECT_THAT(kept, HasSubstr("operator<"));
  EXPECT_THAT(kept, HasSubstr("bool t("));
  EXPECT_THAT(kept, HasSubstr("struct s {};"));
}

std::vector<std::string> LinesOf(StringRef text) {
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  std::vector<std::string> result;
  for (StringRef line : lines) result.push_back(line.trim().str());
  return result;
}

// Messages name lines of the headers as they are.
TEST(UsedDeclarationsTest, LinesOfTheDeviceLibraryKeepTheirNumbers) {
  auto used = getUsedDeviceHeaders("x = load_lhs(y); find_rank(GSA_WGMMA);");
  ASSERT_EQ(used.size(), getDeviceHeaders().size());
  size_t kept = 0;
  for (auto [some, whole] : llvm::zip_equal(used, getDeviceHeaders())) {
    EXPECT_EQ(some.name, whole.name);
    std::vector<std::string> lines = LinesOf(some.text),
                             all = LinesOf(whole.text);
    ASSERT_LE(lines.size(), all.size() + 1) << some.name.str();
    for (size_t i = 0; i < lines.size() && i < all.size(); ++i) {
      kept += !lines[i].empty();
      EXPECT_THAT(all[i], HasSubstr(lines[i])) << some.name.str();
    }
  }
  EXPECT_GT(kept, 100u);
}

TEST(UsedDeclarationsTest, OfTheDeviceLibraryOverloadsStayTogether) {
  auto text = [](StringRef kernel, StringRef name) -> std::string {
    for (const UsedHeader& header : getUsedDeviceHeaders(kernel))
      if (header.name == name) return header.text;
    return "";
  };
  auto count = [](const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos;
         at = text.find(part, at + 1))
      ++found;
    return found;
  };
  std::string mma = text("mma_nt", "gsa/device/mma.cuh");
  EXPECT_EQ(count(mma, "GSA_DEVICE void mma_nt("), 2u);
  EXPECT_EQ(count(mma, "GSA_DEVICE void mma_nn("), 0u);
  std::string ptx = text("mma_nt", "gsa/device/ptx/mma.cuh");
  EXPECT_EQ(count(ptx, "GSA_DEVICE void ldmatrix_x4("), 1u);
  // A kernel that uses nothing but a type reads little.
  size_t size = 0, all = 0;
  for (const UsedHeader& header : getUsedDeviceHeaders("bf16"))
    size += std::count_if(header.text.begin(), header.text.end(),
                          [](char c) { return c != '\n'; });
  for (const DeviceHeader& header : getDeviceHeaders())
    all += header.text.size();
  EXPECT_LT(size, all / 4);
}

}  // namespace
}  // namespace mlir::gsa_tile
