// -----------------------------------------------------------------------------
// File: cpu_schedules_test.cc
// -----------------------------------------------------------------------------
//
// CPU schedules: what is worth trying, what rules one out, what it costs, and
// which one an op gets. GSA_SCHEDULE_SHAPES=10000 takes as many shapes.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "dialect/Gsa/CpuSchedules.h"
#include "gmock/gmock.h"
#include "passes/schedule/CpuScheduleChoice.h"
#include "test/unit/schedule/schedule_testing.h"

namespace mlir::gsa {
namespace {

using ::testing::HasSubstr;

class CpuScheduleTest : public ScheduleTest {
 protected:
  std::string RandomOp() {
    switch (Uniform(0, 2)) {
      case 0:
        return TextOf(RandomScores());
      case 1:
        return SelectText(Element(), Size(14), "fixed, base = 64", 64);
      default:
        return TextOf(RandomAttention());
    }
  }
  CpuTarget RandomTarget() { return {Size(7), int64_t{128} << Uniform(0, 2)}; }
  static int NumShapes() {
    const char* given = std::getenv("GSA_SCHEDULE_SHAPES");
    int number = given ? std::atoi(given) : 0;
    return number > 0 ? number : 300;
  }
  static double CostOf(const Parsed& parsed, CpuScheduleAttr schedule,
                       const CpuTarget& target) {
    return getCpuCost(parsed.op, schedule, target).microseconds();
  }
};

TEST_F(CpuScheduleTest, CandidatesOfRandomShapesFit) {
  size_t most = 0;
  for (int i = 0; i < NumShapes(); ++i) {
    Parsed parsed = Parse(RandomOp());
    CpuTarget target = RandomTarget();
    SmallVector<CpuScheduleAttr> candidates =
        enumerateCpuSchedules(parsed.op, target);
    ASSERT_FALSE(candidates.empty());
    EXPECT_EQ(candidates.front(), getUsualCpuSchedule(parsed.op, target));
    std::set<const void*> seen;
    double floor = findCpuFloor(parsed.op, target).microseconds();
    for (CpuScheduleAttr candidate : candidates) {
      EXPECT_TRUE(seen.insert(candidate.getAsOpaquePointer()).second);
      EXPECT_EQ(findCpuRefusal(parsed.op, candidate, target), "");
      double us = CostOf(parsed, candidate, target);
      ASSERT_TRUE(std::isfinite(us) && us > 0);
      // The model may be wrong, and not that wrong.
      ASSERT_GE(us, 0.99 * floor);
    }
    most = std::max(most, candidates.size());
    CpuScheduleChoice choice =
        chooseCpuSchedule(parsed.op, target, ScheduleDatabases());
    EXPECT_EQ(choice.schedule.getTasks(), target.tasks);
    EXPECT_EQ(findCpuRefusal(parsed.op, choice.schedule, target), "");
    EXPECT_EQ(choice.describeSource(), "heuristic");
  }
  EXPECT_GT(most, 30u);
  EXPECT_LT(most, 120u);
}

TEST_F(CpuScheduleTest, StepsChangeOneNumber) {
  for (int i = 0; i < 50; ++i) {
    Parsed parsed = Parse(RandomOp());
    CpuTarget target = RandomTarget();
    CpuScheduleAttr from = getUsualCpuSchedule(parsed.op, target);
    SmallVector<CpuScheduleAttr> steps = getCpuSteps(parsed.op, from, target);
    EXPECT_FALSE(steps.empty());
    for (CpuScheduleAttr to : steps) {
      int changed = (to.getRows() != from.getRows()) +
                    (to.getVectors() != from.getVectors()) +
                    (to.getBlockRows() != from.getBlockRows()) +
                    (to.getBlockKeys() != from.getBlockKeys()) +
                    (to.getValueVectors() != from.getValueVectors()) +
                    (to.getPrefetch() != from.getPrefetch());
      EXPECT_EQ(changed, 1);
      EXPECT_EQ(to.getTasks(), from.getTasks());
      EXPECT_EQ(to.getLanes(), from.getLanes());
      EXPECT_EQ(findCpuRefusal(parsed.op, to, target), "");
    }
  }
}

TEST_F(CpuScheduleTest, WhatIsMeasuredIsListedOnce) {
  Parsed parsed = Parse(TextOf(RandomScores()));
  CpuTarget target{2, 512};
  CpuScheduleAttr chosen = getUsualCpuSchedule(parsed.op, target);
  std::set<const void*> seen;
  double last = 0;
  bool hasChosen = false;
  for (const auto& [schedule, us] :
       listCpuSchedules(parsed.op, target, chosen)) {
    EXPECT_TRUE(seen.insert(schedule.getAsOpaquePointer()).second);
    EXPECT_GE(us, last);
    last = us;
    hasChosen |= schedule == chosen;
  }
  EXPECT_TRUE(hasChosen);
}

// What the numbers are for.
TEST_F(CpuScheduleTest, CostsKnowTiles) {
  Builder b(&context_);
  CpuTarget target{1, 512};
  Parsed parsed =
      Parse(SelectText(b.getF32Type(), 4096, "fixed, base = 512", 512));
  auto cost = [&](int64_t rows, int64_t vectors) {
    return CostOf(
        parsed,
        CpuScheduleAttr::get(&context_, 1, 16, rows, vectors, 16, 256, 4, 16),
        target);
  };
  // One accumulator waits for itself; of few rows keys are loaded too often.
  EXPECT_GT(cost(1, 1), 2 * cost(8, 2));
  EXPECT_GT(cost(1, 8), 1.05 * cost(8, 2));
  EXPECT_LT(cost(8, 2), cost(2, 2));
}

// Keys and values are fetched by the loops that read them, half each.
TEST_F(CpuScheduleTest, LogitsAndValuesWaitForCaches) {
  for (bool isDense : {false, true}) {
    AttentionProblem problem;
    problem.element = Builder(&context_).getF32Type();
    problem.queries = problem.keys = 4096;
    problem.heads = 8;
    problem.groups = 2;
    problem.depth = problem.valueDepth = 64;
    problem.isDense = isDense;
    problem.slots = 512;
    Parsed parsed = Parse(TextOf(problem));
    CpuTarget target{1, 512};
    std::map<std::string, double> fill;
    for (const StageCost& stage :
         getCpuCost(parsed.op, getUsualCpuSchedule(parsed.op, target), target)
             .stages)
      fill[stage.kernel] = stage[CostTerm::Fill];
    EXPECT_GT(fill["logits"], 0);
    EXPECT_EQ(fill["logits"], fill["values"]);
    EXPECT_EQ(fill["softmax"], 0);
  }
}

TEST_F(CpuScheduleTest, GradientsHaveNothingToChoose) {
  const std::string q = "tensor<1x8x4x16xf32>", k = "tensor<1x8x2x16xf32>",
                    l = "tensor<1x4x8xf32>";
  Parsed parsed = Parse(absl::StrCat(
      "func.func @f(%q: ", q, ", %k: ", k, ", %o: ", q, ", %l: ", l,
      ") {\n  %r:3 = gsa.dense_attention_grad %q, %k, %k output_grad %o lse %l "
      "row_sums %l : (",
      q, ", ", k, ", ", k, ", ", q, ", ", l, ", ", l, ") -> (", q, ", ", k,
      ", ", k, ")\n  return\n}\n"));
  CpuTarget target{2, 512};
  EXPECT_EQ(enumerateCpuSchedules(parsed.op, target).size(), 1u);
  EXPECT_TRUE(
      getCpuSteps(parsed.op, getUsualCpuSchedule(parsed.op, target), target)
          .empty());
}

TEST(CpuTargetTest, Names) {
  EXPECT_EQ((CpuTarget{3, 256}.arch()), "cpu256");
  std::optional<CpuTarget> target = findCpuTarget("cpu512");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->vectorBits, 512);
  EXPECT_EQ(target->registers(), 32);
  for (const char* name : {"", "cpu", "cpu0", "cpu48", "cpu0512", "cpu-512",
                           "cpu4096", "sm_90a", "cpu512 ", "cpu18446744073709"})
    EXPECT_FALSE(findCpuTarget(name)) << name;
}

}  // namespace
}  // namespace mlir::gsa
