// -----------------------------------------------------------------------------
// File: schedule_choice_test.cc
// -----------------------------------------------------------------------------
//
// Random shapes on every architecture get a legal schedule or have a limit with
// a name; the same one each time, in no time. GSA_SCHEDULE_SHAPES=10000 takes
// as many shapes in place of a sample.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "mlir/AsmParser/AsmParser.h"
#include "passes/Passes.h"
#include "passes/schedule/ScheduleChoice.h"
#include "test/unit/schedule/schedule_testing.h"

namespace mlir::gsa {
namespace {

using ::testing::HasSubstr;

int NumShapes() {
  const char* given = std::getenv("GSA_SCHEDULE_SHAPES");
  int number = given ? std::atoi(given) : 0;
  return number > 0 ? number : 240;
}

class ScheduleChoiceTest : public ScheduleTest {
 protected:
  // A module with one op, and why it has no schedule; empty if it has one.
  std::pair<std::string, std::string> RandomOp() {
    switch (Uniform(0, 3)) {
      case 0: {
        ScoreProblem problem = RandomScores();
        return {TextOf(problem), findLimit(problem)};
      }
      case 1: {
        TopKProblem problem = RandomRows();
        return {TextOf(problem), findLimit(problem)};
      }
      default: {
        AttentionProblem problem = RandomAttention();
        return {TextOf(problem), findLimit(problem)};
      }
    }
  }

  std::string ChoiceText(ScheduledOpInterface op, const CudaTarget& target) {
    ScopedDiagnosticHandler silent(op->getContext(),
                                   [](Diagnostic&) { return success(); });
    FailureOr<ScheduleChoice> choice =
        chooseSchedule(op, target, ScheduleDatabases());
    std::string text;
    if (succeeded(choice))
      llvm::raw_string_ostream(text) << Attribute(choice->schedule);
    return text;
  }
};

TEST_F(ScheduleChoiceTest, RandomShapesAreLegalOrHaveALimit) {
  int limited = 0, overruled = 0, chosen = 0;
  std::unique_ptr<MLIRContext> context;
  for (int i = 0; i < NumShapes(); ++i) {
    auto [text, limit] = RandomOp();
    limited += !limit.empty();
    // What was measured lives as long as its context.
    if (i % 100 == 0) {
      context = std::make_unique<MLIRContext>();
      LoadDialects(context.get());
    }
    auto module = parseSourceString<ModuleOp>(text, context.get());
    ASSERT_TRUE(module) << text;
    ScheduledOpInterface op;
    module->walk([&](ScheduledOpInterface found) { op = found; });
    for (const CudaTarget& target : getCudaTargets()) {
      ScopedDiagnosticHandler silent(context.get(),
                                     [](Diagnostic&) { return success(); });
      FailureOr<ScheduleChoice> choice =
          chooseSchedule(op, target, ScheduleDatabases());
      ASSERT_EQ(succeeded(choice), limit.empty())
          << target.arch.str() << ", limit '" << limit << "', " << text;
      if (failed(choice)) continue;
      ASSERT_TRUE(choice->schedule.findIllegality(op, target).isLegal());
      ASSERT_TRUE(std::isfinite(choice->us) && choice->us > 0) << text;
      ++chosen;
      // Whether the model overruled the measured order within a kind.
      for (const RejectedSchedule& other : choice->rejected) {
        if (other.why != RejectedSchedule::Costlier) continue;
        Attribute attribute = parseAttribute(other.what, context.get());
        overruled += attribute && attribute.getTypeID() ==
                                      Attribute(choice->schedule).getTypeID();
      }
    }
  }
  EXPECT_GT(limited, NumShapes() / 10);
  EXPECT_LT(limited, NumShapes() * 2 / 3);
  // Rarely: the order was measured, and the model was not asked to be exact.
  EXPECT_LT(overruled, std::max(chosen / 20, 1));
  RecordProperty("chosen", chosen);
  RecordProperty("overruled", overruled);
  std::printf("%d chosen, %d against the order of their kind\n", chosen,
              overruled);
}

TEST_F(ScheduleChoiceTest, IsTheSameInEachContext) {
  for (int i = 0; i < 30; ++i) {
    auto [text, limit] = RandomOp();
    if (!limit.empty()) continue;
    Parsed here = Parse(text);
    MLIRContext other;
    LoadDialects(&other);
    auto module = parseSourceString<ModuleOp>(text, &other);
    ASSERT_TRUE(module);
    ScheduledOpInterface there;
    module->walk([&](ScheduledOpInterface found) { there = found; });
    for (const CudaTarget& target : getCudaTargets())
      EXPECT_EQ(ChoiceText(here.op, target), ChoiceText(there, target)) << text;
  }
}

// The ops of the layer core, in a context that has lowered nothing but one op
// of another kind: what a lowering sets up at its first use is not the
// choice's.
TEST_F(ScheduleChoiceTest, TakesLittleTime) {
  Builder b(&context_);
  AttentionProblem gather;
  gather.element = b.getBF16Type();
  gather.queries = gather.keys = 65536;
  gather.heads = 32;
  gather.groups = 8;
  gather.depth = gather.valueDepth = 128;
  gather.slots = 2048;
  AttentionProblem other = gather;
  other.queries = other.keys = 4096;
  Parsed warm = Parse(TextOf(other));
  Parsed warmSelect =
      Parse(SelectText(b.getBF16Type(), 32768, "fixed, base = 1024", 1024));
  CudaTarget hopper = *findCudaTarget("sm_90a");
  ChoiceText(warm.op, hopper);
  ChoiceText(warmSelect.op, hopper);
  int64_t before = countMeasuredOps(&context_);
  Parsed attention = Parse(TextOf(gather));
  Parsed select =
      Parse(SelectText(b.getBF16Type(), 65536, "fixed, base = 2048", 2048));
  std::clock_t begin = std::clock();
  EXPECT_NE(ChoiceText(select.op, hopper), "");
  EXPECT_NE(ChoiceText(attention.op, hopper), "");
  double ms = 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::printf("%.2f ms for the choices of the layer core\n", ms);
  // What takes the time: the select is lowered with scores in memory and with
  // the schedule around that, the attention by query, in rings of three stages
  // and of two, and with the schedule around that.
  EXPECT_LE(countMeasuredOps(&context_) - before, 5);
  // 4 ms on a machine that does nothing else; builds with checks take longer.
  EXPECT_LT(ms, 50);
}

std::string Record(const std::string& shape, const std::string& schedule) {
  return "{" + shape + ", \"schedule\": \"" + schedule +
         "\", \"us\": 10, \"default_us\": 20, \"device\": \"NVIDIA H200\"}\n";
}

constexpr char kSmallTiles[] =
    "#gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, "
    "stages = 2, producers = 4, consumers = 2>";
constexpr char kHugeTiles[] =
    "#gsa.attention_schedule<engine = mma_sync, block_q = 64, block_k = 256, "
    "stages = 8, producers = 4, consumers = 4>";

class ScheduleSourcesTest : public ScheduleChoiceTest {
 protected:
  ScheduleSourcesTest() {
    AttentionProblem problem;
    problem.element = Builder(&context_).getBF16Type();
    problem.queries = problem.keys = 8000;
    problem.heads = 32;
    problem.groups = 8;
    problem.depth = problem.valueDepth = 128;
    problem.slots = 512;
    parsed_ = Parse(TextOf(problem));
    shape_ = makeShapeClass(parsed_.op, hopper_.arch);
  }
  std::optional<ScheduleDatabase> Database(const std::string& text,
                                           const std::string& name) {
    std::string error;
    FailureOr<ScheduleDatabase> database =
        ScheduleDatabase::parse(text, name, &context_, error);
    EXPECT_TRUE(succeeded(database)) << error;
    if (failed(database)) return std::nullopt;
    return std::move(*database);
  }

  const CudaTarget hopper_ = *findCudaTarget("sm_90a");
  Parsed parsed_;
  std::string shape_;
};

TEST_F(ScheduleSourcesTest, AreAskedInOrder) {
  // 8000 is of the class of 8192.
  EXPECT_THAT(shape_, HasSubstr("\"queries\": 8192, \"keys\": 8192"));
  auto choose = [&](const ScheduleDatabases& databases) {
    FailureOr<ScheduleChoice> choice =
        chooseSchedule(parsed_.op, hopper_, databases);
    EXPECT_TRUE(succeeded(choice));
    return succeeded(choice) ? *choice : ScheduleChoice();
  };
  Attribute small = parseAttribute(kSmallTiles, &context_);
  ScheduleDatabases databases;
  EXPECT_EQ(choose(databases).describeSource(), "heuristic");
  databases.shipped = Database(Record(shape_, kSmallTiles), "shipped.jsonl");
  ScheduleChoice choice = choose(databases);
  EXPECT_EQ(choice.describeSource(), "shipped database shipped.jsonl:1");
  EXPECT_EQ(Attribute(choice.schedule), small);
  EXPECT_EQ(choice.measuredUs, 10);
  EXPECT_EQ(choice.measuredDefaultUs, 20);
  databases.user = Database("\n" + Record(shape_, kSmallTiles), "user.jsonl");
  EXPECT_EQ(choose(databases).describeSource(), "user database user.jsonl:2");
  // What is not legal for the op is passed over, and said.
  databases.user = Database(Record(shape_, kHugeTiles), "user.jsonl");
  choice = choose(databases);
  EXPECT_EQ(choice.describeSource(), "shipped database shipped.jsonl:1");
  ASSERT_EQ(choice.rejected.size(), 1u);
  EXPECT_EQ(choice.rejected[0].why, RejectedSchedule::Unfit);
  EXPECT_EQ(choice.rejected[0].what, "user.jsonl:1");
  EXPECT_THAT(choice.rejected[0].reason, HasSubstr("shared memory"));
  parsed_.op->setAttr(kScheduleAttr, small);
  EXPECT_EQ(choose(databases).describeSource(), "given");
}

TEST_F(ScheduleSourcesTest, AScheduleOfAnotherOpIsAnError) {
  ScheduleDatabases databases;
  databases.user = Database(
      Record(shape_,
             "#gsa.topk_schedule<warps = 2, bins = 256, capacity = 32, chunk = "
             "7>"),
      "user.jsonl");
  std::string message;
  ScopedDiagnosticHandler handler(&context_, [&](Diagnostic& diagnostic) {
    message = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(chooseSchedule(parsed_.op, hopper_, databases)));
  EXPECT_THAT(message, HasSubstr("user.jsonl:1: expected a "
                                 "#gsa.attention_schedule or "));
  EXPECT_THAT(message, HasSubstr("got #gsa.topk_schedule<"));
}

}  // namespace
}  // namespace mlir::gsa
