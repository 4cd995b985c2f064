// -----------------------------------------------------------------------------
// File: schedule_ranges_test.cc
// -----------------------------------------------------------------------------
//
// Both ends of what each number of a schedule attribute may be: the last legal
// values are read, the next ones are refused. What a message says is tested by
// test/dialect/gsa/invalid_*schedule*.mlir.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "mlir/AsmParser/AsmParser.h"
#include "test/unit/schedule/schedule_testing.h"

namespace mlir::gsa {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// An attribute with parameters that are legal together.
struct Family {
  std::string name;
  Parameters parameters;
};

// `name` may be `legal` and not `illegal` where `others` are as given and the
// rest is that of the family.
struct Range {
  const Family* family;
  std::string name;
  std::vector<int64_t> legal, illegal;
  Parameters others;
};

const char kPerQuery[] =
    "<engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = "
    "4, consumers = 2>";
const char kTopK[] = "<warps = 32, bins = 256, capacity = 64, chunk = 1>";
const char kExact[] =
    "<scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1, "
    "stages = 2, producers = 4, consumers = 4>, topk = <warps = 2, bins = 256, "
    "capacity = 64, chunk = 1>>";

const Family kAttention = {"attention_schedule",
                           {{"engine", "mma_sync"},
                            {"block_q", "16"},
                            {"block_k", "64"},
                            {"stages", "2"},
                            {"producers", "4"},
                            {"consumers", "1"},
                            {"sm_blocks", "1"}}};
const Family kDense = {"dense_schedule",
                       {{"engine", "wgmma"},
                        {"block_q", "128"},
                        {"block_k", "64"},
                        {"key_stages", "2"},
                        {"value_stages", "2"},
                        {"order", "free"},
                        {"per_row", kPerQuery}}};
const Family kUnion = {"union_schedule",
                       {{"engine", "wgmma"},
                        {"queries", "16"},
                        {"groups", "1"},
                        {"block_k", "64"},
                        {"key_stages", "3"},
                        {"value_stages", "3"},
                        {"producers", "4"},
                        {"table", "16384"},
                        {"chunk", "1024"},
                        {"per_query", kPerQuery}}};
const Family kScores = {"score_schedule",
                        {{"engine", "mma_sync"},
                         {"block_q", "64"},
                         {"block_k", "64"},
                         {"span", "1"},
                         {"stages", "2"},
                         {"producers", "4"},
                         {"consumers", "4"}}};
const Family kRows = {
    "topk_schedule",
    {{"warps", "8"}, {"bins", "256"}, {"capacity", "64"}, {"chunk", "1"}}};
const Family kShortRows = {"short_rows_schedule",
                           {{"rows", "16"}, {"cells", "0"}, {"exact", kExact}}};
const Family kOnePass = {"one_pass_schedule",
                         {{"scores",
                           "<engine = wgmma, block_q = 64, block_k = 64, span "
                           "= 1, stages = 2, producers = 4, consumers = 4>"},
                          {"exact", kExact},
                          {"sample", "4"},
                          {"rank", "8"},
                          {"capacity", "64"},
                          {"chunk", "96"},
                          {"sm_blocks", "1"},
                          {"staged", "8"},
                          {"thread_candidates", "16"},
                          {"candidate_bins", "1024"}}};
const Family kSplitSelect = {"split_select_schedule",
                             {{"engine", "mma_sync"},
                              {"block_k", "128"},
                              {"span", "1"},
                              {"stages", "2"},
                              {"producers", "4"},
                              {"consumers", "1"},
                              {"sample", "2"},
                              {"rank", "1"},
                              {"capacity", "4096"},
                              {"rows", kTopK},
                              {"cluster", "0"},
                              {"staged", "8"},
                              {"sm_blocks", "1"}}};
const Family kSplitAttention = {
    "split_attention_schedule",
    {{"entries", "128"}, {"per_block", "1"}, {"part", kPerQuery}}};
const Family kCpu = {"cpu_schedule",
                     {{"tasks", "1"},
                      {"lanes", "8"},
                      {"rows", "1"},
                      {"vectors", "1"},
                      {"block_rows", "1"},
                      {"block_keys", "1"},
                      {"value_vectors", "1"},
                      {"prefetch", "0"}}};

const std::vector<Range>& Ranges() {
  static const auto* ranges = new std::vector<Range>{
      {&kAttention, "block_q", {16}, {0, 8, 15, 17}},
      {&kAttention, "block_q", {128}, {112, 144, 256}, {{"consumers", "8"}}},
      {&kAttention, "block_k", {16, 256}, {0, 8, 24, 272}},
      {&kAttention, "stages", {1, 8}, {0, 9}},
      {&kAttention, "producers", {0, 31}, {-1, 32}, {{"stages", "1"}}},
      {&kAttention, "producers", {1}, {0}},
      {&kAttention, "consumers", {1, 4}, {0, -1, 3}},
      {&kAttention, "sm_blocks", {1, 16}, {0, 17}},
      {&kDense, "block_q", {64, 192, 256}, {0, 32, 96, 320}},
      {&kDense, "block_k", {16, 256}, {0, 8, 24, 272}},
      {&kDense, "key_stages", {1, 8}, {0, 9}},
      {&kDense, "value_stages", {1, 8}, {0, 9}},
      {&kDense, "block_q", {128}, {64}, {{"order", "ping_pong"}}},
      {&kUnion, "queries", {2, 32}, {1, 0}},
      {&kUnion, "queries", {31}, {33}, {{"chunk", "1023"}}},
      {&kUnion, "block_k", {32, 256}, {0, 48, 16, 288}},
      {&kUnion, "table", {1024, 32768}, {0, 512, 1536, 33792}},
      {&kUnion, "key_stages", {1, 8}, {0, 9}},
      {&kUnion, "value_stages", {1, 8}, {0, 9}},
      {&kUnion, "producers", {4, 12}, {0, 2, 6, 16}},
      {&kUnion, "chunk", {16, 32}, {0, 8, 24}},
      {&kUnion, "groups", {1, 2}, {0, 4}},
      {&kScores, "block_q", {64}, {32, 48, 80, 128}},
      {&kScores, "block_k", {16, 256}, {0, 8, 24, 272}},
      {&kScores, "span", {1}, {0, -1}},
      {&kScores, "block_k", {8, 256}, {0, 4, 12, 264}, {{"engine", "wgmma"}}},
      {&kRows, "warps", {1, 32}, {0, 33}},
      {&kRows, "bins", {256, 8192}, {0, 128, 384, 16384}},
      {&kRows, "capacity", {32, 16384}, {31, 16385}},
      {&kRows, "chunk", {1}, {0}},
      {&kShortRows, "rows", {1, 32}, {0, 33}},
      {&kShortRows, "cells", {0, 32}, {-1, 33}},
      {&kOnePass, "sample", {2, 8}, {1, 9, 0}},
      {&kOnePass,
       "sample",
       {1024},
       {1025},
       {{"rank", "1"}, {"capacity", "2048"}}},
      {&kOnePass, "rank", {1, 16}, {0, 17}},
      {&kOnePass, "capacity", {32, 16384}, {31, 16385}, {{"rank", "1"}}},
      {&kOnePass, "chunk", {1}, {0}},
      {&kOnePass, "sm_blocks", {0, 64}, {-1, 65}},
      {&kOnePass, "staged", {4, 64}, {2, 5, 66}},
      {&kOnePass, "thread_candidates", {1, 32}, {0, 33}},
      {&kOnePass, "thread_candidates", {2}, {1}, {{"capacity", "1025"}}},
      {&kOnePass, "candidate_bins", {256, 8192}, {128, 384, 16384}},
      {&kSplitSelect, "block_k", {32, 512}, {0, 16, 48, 544}},
      {&kSplitSelect, "span", {1}, {0}},
      {&kSplitSelect, "sample", {2, 1024}, {1, 1025}},
      {&kSplitSelect, "rank", {1, 2048}, {0, 2049}},
      {&kSplitSelect, "capacity", {32, 16384}, {31, 16385}},
      {&kSplitSelect, "cluster", {0, 2, 4, 8}, {-1, 1, 3, 16}},
      {&kSplitSelect, "staged", {2, 256}, {0, 3, 258}},
      {&kSplitSelect, "sm_blocks", {1, 16}, {0, 17}},
      {&kSplitAttention, "entries", {32, 64}, {0, 16, 48}},
      {&kSplitAttention, "per_block", {1, 64}, {0, 65}},
      {&kCpu, "tasks", {1, 4096}, {0, 4097}},
      {&kCpu, "lanes", {1, 64}, {0, 12, 128}},
      {&kCpu, "rows", {1, 64}, {0, 65}},
      {&kCpu, "vectors", {1, 64}, {0, 65}},
      {&kCpu, "vectors", {8}, {9}, {{"rows", "8"}}},
      {&kCpu, "block_rows", {1, 4096}, {0, 4097}},
      {&kCpu, "block_keys", {1, 65536}, {0, 65537}},
      {&kCpu, "value_vectors", {1, 16}, {0, 17}},
      {&kCpu, "prefetch", {0, 1024}, {-1, 1025}},
  };
  return *ranges;
}

std::string TextOf(const Range& range, int64_t value) {
  Parameters parameters = range.family->parameters;
  bool is_there = false;
  for (auto& [name, text] : parameters) {
    for (const auto& [other, fixed] : range.others)
      if (name == other) text = fixed;
    if (name != range.name) continue;
    text = absl::StrCat(value);
    is_there = true;
  }
  EXPECT_TRUE(is_there) << range.family->name << " has no " << range.name;
  return absl::StrCat(
      "#gsa.", range.family->name, "<",
      absl::StrJoin(parameters, ", ", absl::PairFormatter(" = ")), ">");
}

TEST(ScheduleRangesTest, BothEnds) {
  MLIRContext context;
  context.loadDialect<GsaDialect>();
  std::string said;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic& diagnostic) {
    said = diagnostic.str();
    return success();
  });
  for (const Range& range : Ranges()) {
    for (int64_t value : range.legal) {
      said.clear();
      const std::string text = TextOf(range, value);
      EXPECT_TRUE(parseAttribute(text, &context)) << text << ": " << said;
    }
    for (int64_t value : range.illegal) {
      said.clear();
      const std::string text = TextOf(range, value);
      EXPECT_FALSE(parseAttribute(text, &context)) << text;
      // By the number that it is about, not as a text.
      EXPECT_NE(said.find("(C"), std::string::npos) << text << ": " << said;
    }
  }
}

}  // namespace
}  // namespace mlir::gsa
