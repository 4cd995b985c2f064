// -----------------------------------------------------------------------------
// File: schedule_database_test.cc
// -----------------------------------------------------------------------------
//
// Databases of schedules are read strictly: whatever is wrong is an error that
// names the line, and nothing ends the process.

#include <cstdio>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "passes/schedule/ScheduleDatabase.h"
#include "test/unit/schedule/schedule_testing.h"

namespace mlir::gsa {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kLine[] =
    R"({"op": "gsa.topk", "arch": "sm_90a", "element": "f32", )"
    R"("causal": false, "batch": 1, "queries": 4096, "keys": 65536, )"
    R"("slots": 2048, "schedule": "#gsa.topk_schedule<warps = 8, bins = 2048, )"
    R"(capacity = 4096, chunk = 2048>", "us": 12.5, "default_us": 14, )"
    R"("device": "NVIDIA H200"})";

class ScheduleDatabaseTest : public ScheduleTest {
 protected:
  std::string ErrorOf(const std::string& text) {
    std::string error;
    FailureOr<ScheduleDatabase> database =
        ScheduleDatabase::parse(text, "a.jsonl", &context_, error);
    EXPECT_EQ(failed(database), !error.empty());
    return error;
  }
  // The error of the line with a part replaced.
  std::string ErrorWith(const std::string& part, const std::string& other) {
    std::string line = absl::StrReplaceAll(kLine, {{part, other}});
    EXPECT_NE(line, kLine) << part;
    return ErrorOf(line);
  }
};

TEST_F(ScheduleDatabaseTest, FindsTheClassOfAnOp) {
  std::string error;
  FailureOr<ScheduleDatabase> database = ScheduleDatabase::parse(
      absl::StrCat("\n", kLine, "\r\n  \n"), "a.jsonl", &context_, error);
  ASSERT_TRUE(succeeded(database)) << error;
  EXPECT_EQ(database->size(), 1u);
  auto find = [&](int64_t queries, int64_t keys, int64_t slots,
                  const char* arch = "sm_90a") {
    Parsed parsed =
        Parse(TextOf(TopKProblem{Builder(&context_).getF32Type(), 1, queries,
                                 keys, slots, /*sorts=*/false}));
    return database->find(parsed.op, arch);
  };
  const ScheduleDatabase::Record* record = find(4096, 65536, 2048);
  ASSERT_TRUE(record);
  EXPECT_EQ(database->where(*record), "a.jsonl:2");
  EXPECT_EQ(record->us, 12.5);
  EXPECT_EQ(record->defaultUs, 14);
  EXPECT_EQ(record->device, "NVIDIA H200");
  EXPECT_TRUE(isa<TopKScheduleAttr>(record->schedule));
  EXPECT_TRUE(find(2049, 32769, 2048));
  EXPECT_FALSE(find(2048, 65536, 2048));
  EXPECT_FALSE(find(4097, 65536, 2048));
  EXPECT_FALSE(find(4096, 65536, 2047));
  EXPECT_FALSE(find(4096, 65536, 2048, "sm_80"));
}

TEST_F(ScheduleDatabaseTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(ErrorOf(""), "");
  EXPECT_EQ(ErrorOf(kLine), "");
  EXPECT_EQ(ErrorOf(absl::StrCat(kLine, "\n\n", kLine)),
            "a.jsonl:3: the class of line 1 once more");
  EXPECT_THAT(ErrorOf(absl::StrCat(kLine, "\nnonsense")),
              StartsWith("a.jsonl:2: "));
  EXPECT_THAT(ErrorOf("7"), HasSubstr("a.jsonl:1: expected an object"));
  EXPECT_THAT(ErrorWith("gsa.topk\"", "gsa.gate\""),
              HasSubstr("\"op\": 'gsa.gate' has no schedules"));
  EXPECT_THAT(ErrorWith("sm_90a", "sm_90"),
              HasSubstr("\"arch\": expected one of sm_80, "));
  EXPECT_THAT(ErrorWith("\"f32\"", "\"f64\""),
              HasSubstr("\"element\": expected f16, bf16 or f32, got 'f64'"));
  EXPECT_THAT(ErrorWith("false", "0"),
              HasSubstr("\"causal\": expected true or false"));
  EXPECT_THAT(ErrorWith("\"batch\": 1", "\"batch\": -1"),
              HasSubstr("\"batch\": expected a size"));
  EXPECT_THAT(ErrorWith("4096, \"keys\"", "4097, \"keys\""),
              HasSubstr("\"queries\": expected a power of two, got 4097; "
                        "nearest: 8192"));
  EXPECT_THAT(ErrorWith("\"slots\": 2048, ", ""), HasSubstr("\"slots\""));
  EXPECT_THAT(ErrorWith("\"us\": 12.5", "\"us\": 0"),
              HasSubstr("\"us\": expected microseconds above 0"));
  EXPECT_THAT(ErrorWith("\"us\": 12.5", "\"us\": \"12.5\""),
              HasSubstr("\"us\""));
  EXPECT_THAT(ErrorWith("\"device\": \"NVIDIA H200\"", "\"device\": \"\""),
              HasSubstr("\"device\": expected a text"));
  EXPECT_THAT(ErrorWith("\"us\": 12.5", "\"us\": 12.5, \"note\": 1"),
              HasSubstr("expected 12 members, got 13 of 13 names"));
  // The last one of a name would win.
  EXPECT_THAT(ErrorWith("\"us\": 12.5", "\"us\": 12.5, \"us\": 13"),
              HasSubstr("expected 12 members, got 13 of 12 names"));
  EXPECT_THAT(ErrorWith("warps = 8", "warps = 80"),
              HasSubstr("a.jsonl:1: \"schedule\": "));
  EXPECT_THAT(ErrorWith("#gsa.topk_schedule<", "#arith.fastmath<"),
              HasSubstr("\"schedule\": expected an attribute #gsa...."));
  EXPECT_THAT(
      ErrorWith("#gsa.topk_schedule<warps = 8, bins = 2048, capacity = "
                "4096, chunk = 2048>",
                "#gsa.mask<causal>"),
      HasSubstr("\"schedule\": '#gsa.mask<causal>' is no schedule of a GPU"));
  EXPECT_THAT(ErrorWith("chunk = 2048>", "chunk = 2048> trailing"),
              HasSubstr("\"schedule\": "));
}

// Records of a CPU have schedules of a CPU, and its element types.
TEST_F(ScheduleDatabaseTest, RecordsOfACpu) {
  auto line = [](const std::string& arch, const std::string& element,
                 const std::string& schedule) {
    return absl::StrCat(
        R"({"op": "gsa.index_scores", "arch": ")", arch, R"(", "element": ")",
        element, R"(", "causal": true, "batch": 1, "queries": 8, "keys": 8, )",
        R"("heads": 2, "depth": 4, "schedule": ")", schedule,
        R"(", "us": 1, "default_us": 2, "device": "an example"})");
  };
  const std::string cpu =
      "#gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 4, vectors = 2>";
  const std::string topk =
      "#gsa.topk_schedule<warps = 8, bins = 2048, capacity = 4096, chunk = 8>";
  EXPECT_EQ(ErrorOf(line("cpu512", "f64", cpu)), "");
  EXPECT_EQ(ErrorOf(line("cpu256", "bf16", cpu)), "");
  EXPECT_THAT(ErrorOf(line("cpu300", "f32", cpu)),
              HasSubstr("; of a CPU cpu128, cpu256 or cpu512"));
  EXPECT_THAT(
      ErrorOf(line("cpu512", "i32", cpu)),
      HasSubstr("\"element\": expected f16, bf16 or f32, or f64, got 'i32'"));
  EXPECT_THAT(ErrorOf(line("cpu512", "f32", topk)),
              HasSubstr("is no schedule of a CPU"));
  EXPECT_THAT(ErrorOf(line("sm_90a", "f32", cpu)),
              HasSubstr("is no schedule of a GPU"));
  std::string error;
  FailureOr<ScheduleDatabase> database = ScheduleDatabase::parse(
      line("cpu512", "f32", cpu), "a.jsonl", &context_, error);
  ASSERT_TRUE(succeeded(database)) << error;
  Parsed parsed = Parse(
      TextOf(ScoreProblem{Builder(&context_).getF32Type(), 1, 7, 8, 2, 4}));
  EXPECT_TRUE(database->find(parsed.op, "cpu512"));
  EXPECT_FALSE(database->find(parsed.op, "cpu256"));
}

// What would recurse or run away in a parser behind is refused before.
TEST_F(ScheduleDatabaseTest, RefusesWhatNoParserShouldSee) {
  EXPECT_THAT(ErrorOf(std::string(8193, '1')),
              HasSubstr("line of 8193 bytes, expected at most 8192"));
  EXPECT_THAT(ErrorOf(std::string(8000, '[')),
              HasSubstr("expected texts, numbers and booleans in one object, "
                        "got '[' in column 1"));
  std::string objects;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&objects, "{\"a\":");
  EXPECT_THAT(ErrorOf(objects), HasSubstr("got '{' in column 6"));
  EXPECT_THAT(ErrorWith("NVIDIA", "NV\\u0000IDIA"),
              HasSubstr("expected no escapes, got one in column "));
  EXPECT_THAT(ErrorWith("NVIDIA", std::string("NV\0IDIA", 7)),
              HasSubstr("control character in column "));
  EXPECT_THAT(ErrorWith("#gsa.topk_schedule<", "#gsa.topk_schedule<<<<<<<<<"),
              HasSubstr("\"schedule\": nested too deep"));
  EXPECT_THAT(ErrorWith("warps = 8", "warps = [8]"),
              HasSubstr("\"schedule\": unexpected character '['"));
}

// Random damage to a file of two lines: it is read, or an error names a line.
TEST_F(ScheduleDatabaseTest, SurvivesDamage) {
  const std::string second = absl::StrReplaceAll(kLine, {{"65536", "131072"}});
  const std::string whole = absl::StrCat(kLine, "\n", second, "\n");
  const std::string letters =
      "\"{}[]<>:,=#. \\\n\0\x7f\xff"
      "019aeE+-tfn";
  int refused = 0;
  constexpr int kRounds = 5000;
  for (int i = 0; i < kRounds; ++i) {
    std::string text = whole;
    for (int64_t edits = Uniform(1, 4); edits > 0; --edits) {
      auto at = static_cast<size_t>(
          Uniform(0, static_cast<int64_t>(text.size()) - 1));
      char letter = letters[static_cast<size_t>(
          Uniform(0, static_cast<int64_t>(letters.size()) - 1))];
      switch (Uniform(0, 3)) {
        case 0:
          text[at] = letter;
          break;
        case 1:
          text.insert(at, 1, letter);
          break;
        case 2:
          text.erase(at, static_cast<size_t>(Uniform(1, 40)));
          break;
        default:
          text.insert(at, text.substr(at, static_cast<size_t>(Uniform(1, 80))));
          break;
      }
      if (text.empty()) text = " ";
    }
    std::string error = ErrorOf(text);
    refused += !error.empty();
    if (!error.empty()) ASSERT_THAT(error, StartsWith("a.jsonl:"));
  }
  EXPECT_GT(refused, kRounds / 2);
  EXPECT_LT(refused, kRounds);
}

TEST_F(ScheduleDatabaseTest, FilesThatAreNotThere) {
  std::string error;
  EXPECT_TRUE(
      failed(ScheduleDatabase::load("/no/such/file.jsonl", &context_, error)));
  EXPECT_EQ(error, "/no/such/file.jsonl: No such file or directory");
}

// What the program brings along can be read, for its own architecture.
TEST_F(ScheduleDatabaseTest, ShippedDatabasesAreRight) {
  int files = 0;
  for (const CudaTarget& target : getCudaTargets()) {
    std::optional<ShippedDatabase> shipped = findShippedDatabase(target.arch);
    if (!shipped) continue;
    ++files;
    std::string error;
    EXPECT_TRUE(succeeded(ScheduleDatabase::parse(shipped->text, shipped->name,
                                                  &context_, error)))
        << error;
    std::ifstream file(std::string(GSA_SOURCE_DIR) + "/" + shipped->name.str());
    std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(shipped->text.str(), text);
    SmallVector<StringRef> lines;
    shipped->text.split(lines, '\n', -1, /*KeepEmpty=*/false);
    for (StringRef line : lines)
      EXPECT_TRUE(line.contains(("\"arch\": \"" + target.arch + "\"").str()));
  }
  EXPECT_GE(files, 1);
  EXPECT_FALSE(findShippedDatabase("sm_75"));
}

}  // namespace
}  // namespace mlir::gsa
