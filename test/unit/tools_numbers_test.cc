// -----------------------------------------------------------------------------
// File: tools_numbers_test.cc
// -----------------------------------------------------------------------------
//
// Arguments that other programs read as something else than what is written.

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/common/Numbers.h"

namespace gsa {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(ToolsNumbersTest, WholeNumbersWithinTheRange) {
  EXPECT_EQ(parseWholeNumber("0", 0, kMax).value(), 0u);
  EXPECT_EQ(parseWholeNumber("10", 1, 10).value(), 10u);
  EXPECT_EQ(parseWholeNumber("18446744073709551615", 0, kMax).value(), kMax);
}

TEST(ToolsNumbersTest, WhatIsNotWrittenSoIsRefused) {
  for (const char* text :
       {"", " 1", "1 ", "+1", "-1", "010", "00", "0x10", "1e3", "1.0", "1_000",
        "18446744073709551616", "99999999999999999999", "nan", "\xff"})
    EXPECT_FALSE(parseWholeNumber(text, 0, kMax).ok()) << text;
  EXPECT_FALSE(parseWholeNumber("0", 1, 10).ok());
  EXPECT_FALSE(parseWholeNumber("11", 1, 10).ok());
}

TEST(ToolsNumbersTest, MessagesAreShortAndSayTheRange) {
  EXPECT_EQ(parseWholeNumber("-5", 1, 1024).status().message(),
            "expected a whole number from 1 to 1024, got '-5'");
  EXPECT_THAT(std::string(parseWholeNumber("010", 1, 1024).status().message()),
              HasSubstr("without leading zeros"));
  const std::string text(1000, '9');
  EXPECT_THAT(std::string(parseWholeNumber(text, 1, kMax).status().message()),
              AllOf(HasSubstr("999...'"), SizeIs(testing::Lt(130u))));
}

TEST(ToolsNumbersTest, PositiveNumbersAreFinite) {
  EXPECT_EQ(parsePositiveNumber("1e-3").value(), 1e-3);
  for (const char* text : {"", "0", "-1", "nan", "inf", "1e999", "1e-3x"})
    EXPECT_FALSE(parsePositiveNumber(text).ok()) << text;
  EXPECT_EQ(parsePositiveNumber("nan").status().message(),
            "expected a finite number above 0, got 'nan'");
}

}  // namespace
}  // namespace gsa
