// -----------------------------------------------------------------------------
// File: core_progress_test.cc
// -----------------------------------------------------------------------------

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/progress.h"

namespace gsa {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ProgressTest, StyleFollowsTerminalAndEnvironment) {
  EXPECT_EQ(ChooseProgressStyle(true, false, "", ""), ProgressStyle::kBar);
  EXPECT_EQ(ChooseProgressStyle(true, false, "", ""), ProgressStyle::kBar);
  EXPECT_EQ(ChooseProgressStyle(true, false, "1", ""), ProgressStyle::kLines);
  EXPECT_EQ(ChooseProgressStyle(true, false, "", "true"),
            ProgressStyle::kLines);
  EXPECT_EQ(ChooseProgressStyle(false, false, "", ""), ProgressStyle::kLines);
  EXPECT_EQ(ChooseProgressStyle(true, true, "", ""), ProgressStyle::kSilent);
}

// Runs `work` on a Progress with a hand-driven clock; returns what it printed.
template <typename Work>
std::string Capture(ProgressStyle style, int64_t total, Work work) {
  char* text = nullptr;
  size_t size = 0;
  FILE* stream = open_memstream(&text, &size);
  int64_t clock = 1000;
  {
    Progress::Options options;
    options.stream = stream;
    options.style = style;
    options.label = "tiles";
    options.total = total;
    options.line_percent = 25;
    options.now_ms = [&clock] { return clock; };
    Progress progress(options);
    work(progress, clock);
  }
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(ProgressTest, OneLinePerStep) {
  EXPECT_EQ(Capture(ProgressStyle::kLines, 1000,
                    [](Progress& progress, int64_t& clock) {
                      for (int i = 0; i < 1000; ++i) {
                        clock += 10;
                        progress.Advance(1);
                      }
                    }),
            "tiles: 25 % (2.5 s)\n"
            "tiles: 50 % (5.0 s)\n"
            "tiles: 75 % (7.5 s)\n"
            "tiles: 100 % (10.0 s)\n");
}

TEST(ProgressTest, StepsThatAreJumpedOverPrintOnce) {
  EXPECT_EQ(Capture(ProgressStyle::kLines, 3,
                    [](Progress& progress, int64_t&) {
                      progress.Advance(2);
                      progress.Advance(5);
                      progress.Advance(5);
                    }),
            "tiles: 66 % (0.0 s)\ntiles: 100 % (0.0 s)\n");
}

TEST(ProgressTest, BarIsRedrawnAtMostTenTimesASecond) {
  const std::string text = Capture(ProgressStyle::kBar, 1000,
                                   [](Progress& progress, int64_t& clock) {
                                     for (int i = 0; i < 1000; ++i) {
                                       clock += 1;
                                       progress.Advance(1);
                                     }
                                   });
  // The start, nine times within the second, the end.
  EXPECT_LE(std::count(text.begin(), text.end(), '\r'), 12);
  EXPECT_GE(std::count(text.begin(), text.end(), '\r'), 10);
  EXPECT_THAT(text, HasSubstr("[###############...............]  50 %"));
  EXPECT_THAT(text, EndsWith("[##############################] 100 %    1.0 s"
                             "  tiles\n"));
}

TEST(ProgressTest, AbandonedBarEndsItsLine) {
  const std::string text =
      Capture(ProgressStyle::kBar, 10,
              [](Progress& progress, int64_t&) { progress.Advance(1); });
  EXPECT_THAT(text, EndsWith("tiles\n"));
  EXPECT_THAT(text, Not(HasSubstr("100 %")));
}

TEST(ProgressTest, SilentAndEmptyWorkPrintNothing) {
  auto work = [](Progress& progress, int64_t&) { progress.Advance(5); };
  EXPECT_EQ(Capture(ProgressStyle::kSilent, 10, work), "");
  EXPECT_EQ(Capture(ProgressStyle::kBar, 0, work), "");
  EXPECT_EQ(Capture(ProgressStyle::kLines, -1, work), "");
}

TEST(ProgressTest, HugeTotalsDoNotOverflow) {
  EXPECT_EQ(Capture(ProgressStyle::kLines, INT64_MAX,
                    [](Progress& progress, int64_t&) {
                      progress.Advance(INT64_MAX / 2 + 1);
                      progress.Advance(INT64_MAX);
                    }),
            "tiles: 50 % (0.0 s)\ntiles: 100 % (0.0 s)\n");
}

TEST(ProgressTest, ThreadsMayAdvanceTogether) {
  const std::string text =
      Capture(ProgressStyle::kLines, 4000, [](Progress& progress, int64_t&) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
          threads.emplace_back([&progress] {
            for (int j = 0; j < 1000; ++j) progress.Advance(1);
          });
        }
        for (std::thread& thread : threads) thread.join();
      });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_THAT(text, EndsWith("tiles: 100 % (0.0 s)\n"));
}

}  // namespace
}  // namespace gsa
