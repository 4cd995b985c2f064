// -----------------------------------------------------------------------------
// File: core_nearest_name_test.cc
// -----------------------------------------------------------------------------

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/nearest_name.h"

namespace gsa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<absl::string_view> kOptions = {"--seq", "--seed", "--keys",
                                                 "--compare", "--plot"};

TEST(NearestNameTest, NearestFirstThenAlphabetical) {
  EXPECT_THAT(NearestNames("--sed", kOptions, 3),
              ElementsAre("--seed", "--seq"));
  EXPECT_THAT(NearestNames("--sex", kOptions, 1), ElementsAre("--seq"));
  EXPECT_THAT(NearestNames("ab", {"bb", "aa", "ab"}, 9),
              ElementsAre("ab", "aa", "bb"));
}

TEST(NearestNameTest, WhatIsCutShortIsMeant) {
  EXPECT_EQ(DidYouMean("--comp", kOptions), "; did you mean '--compare'?");
  EXPECT_EQ(DidYouMean("sm_90", {"sm_80", "sm_89", "sm_90a"}),
            "; did you mean 'sm_90a'?");
  EXPECT_THAT(NearestNames("--", kOptions, 9), IsEmpty());
}

TEST(NearestNameTest, AnotherCaseIsOneSlip) {
  EXPECT_EQ(DidYouMean("CPU", {"cpu", "cuda"}), "; did you mean 'cpu'?");
  EXPECT_EQ(DidYouMean("CUD", {"cpu", "cuda"}), "; did you mean 'cuda'?");
  EXPECT_THAT(NearestNames("Ab", {"AB", "ab", "Ac"}, 1), ElementsAre("AB"));
}

TEST(NearestNameTest, NothingNearGivesNoProposal) {
  EXPECT_EQ(DidYouMean("--no-such-option", kOptions), "");
  EXPECT_EQ(DidYouMean("", kOptions), "");
  EXPECT_EQ(DidYouMean("x", {}), "");
  EXPECT_EQ(DidYouMean("tpu", {"cpu", "cuda", "emu", "auto"}),
            "; did you mean 'cpu'?");
}

TEST(NearestNameTest, HostileNamesCostLittle) {
  const std::string longest(1'000'000, 'q');
  EXPECT_THAT(NearestNames(longest, {longest}, 1), IsEmpty());
  const std::vector<absl::string_view> many(1'000'000, "q_proj.weight");
  EXPECT_EQ(NearestNames("q_proj.weigth", many, 1).size(), 1u);
}

TEST(NearestNameTest, ProposalsAreEscaped) {
  EXPECT_EQ(DidYouMean("abcd", {"abc\x1b"}), "; did you mean 'abc\\x1b'?");
}

}  // namespace
}  // namespace gsa
