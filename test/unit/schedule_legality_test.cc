// -----------------------------------------------------------------------------
// File: schedule_legality_test.cc
// -----------------------------------------------------------------------------
//
// The heuristic always finds a legal schedule, or the problem has a limit with
// a name; on every architecture, for random shapes.

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/schedule/ScheduleLegality.h"

namespace mlir::gsa {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ScheduleLegalityTest : public ::testing::Test {
 protected:
  ScheduleLegalityTest() { context_.loadDialect<GsaDialect>(); }

  // A size of 1 to 2^bits, small ones as likely as large ones.
  int64_t Size(int bits) {
    int64_t high = int64_t{1} << Uniform(0, bits);
    return Uniform(1, high);
  }
  int64_t Uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  Type Element() {
    Builder b(&context_);
    switch (Uniform(0, 9)) {
      case 0:
        return b.getF64Type();
      case 1:
      case 2:
      case 3:
        return b.getF32Type();
      case 4:
      case 5:
        return b.getF16Type();
      default:
        return b.getBF16Type();
    }
  }

  AttentionProblem RandomAttention() {
    AttentionProblem problem;
    problem.element = Element();
    problem.isDense = Uniform(0, 1) == 0;
    problem.batch = Size(4);
    problem.queries = Size(18);
    problem.keys = Size(18);
    problem.groups = Size(5);
    problem.heads = problem.groups * Size(6);
    problem.depth = Uniform(1, 300);
    problem.valueDepth = Uniform(0, 1) ? problem.depth : Uniform(1, 300);
    problem.slots = problem.isDense ? 0 : Size(15);
    return problem;
  }

  MLIRContext context_;
  std::mt19937_64 random_{20251};
};

// The first legal candidate; none if there is none.
template <typename Schedule, typename Problem>
Schedule Choose(MLIRContext* context, const Problem& problem,
                const CudaTarget& target) {
  for (Schedule schedule : enumerate(context, problem, target))
    if (findIllegality(problem, schedule, target).empty()) return schedule;
  return Schedule();
}

TEST_F(ScheduleLegalityTest, AttentionIsLegalOrHasALimit) {
  int limited = 0;
  for (int i = 0; i < 10000; ++i) {
    AttentionProblem problem = RandomAttention();
    std::string limit = findLimit(problem);
    limited += !limit.empty();
    for (const CudaTarget& target : getCudaTargets()) {
      auto schedule = Choose<AttentionScheduleAttr>(&context_, problem, target);
      ASSERT_EQ(static_cast<bool>(schedule), limit.empty())
          << target.arch.str() << ", limit '" << limit << "', D "
          << problem.depth << ", Dv " << problem.valueDepth << ", H "
          << problem.heads << ", G " << problem.groups << ", Sk "
          << problem.keys << ", K " << problem.slots;
      if (!schedule) continue;
      // What legality promises, counted anew.
      ASSERT_LE(getSharedBytes(problem, schedule), target.sharedBytesPerBlock);
      // A ring never has more stages than there are tiles.
      int64_t listed = problem.isDense ? problem.keys : problem.slots;
      ASSERT_LT((schedule.getStages() - 1) * schedule.getBlockK(),
                std::max<int64_t>(listed, 1));
    }
  }
  // The sample has both kinds.
  EXPECT_GT(limited, 500);
  EXPECT_LT(limited, 6000);
}

TEST_F(ScheduleLegalityTest, ScoresAreLegalOrHaveALimit) {
  int limited = 0;
  for (int i = 0; i < 10000; ++i) {
    ScoreProblem problem{Element(), Size(4), Size(18),
                         Size(18),  Size(5), Uniform(1, 300)};
    std::string limit = findLimit(problem);
    limited += !limit.empty();
    for (const CudaTarget& target : getCudaTargets()) {
      auto schedule = Choose<ScoreScheduleAttr>(&context_, problem, target);
      ASSERT_EQ(static_cast<bool>(schedule), limit.empty())
          << target.arch.str() << ", limit '" << limit << "', Hi "
          << problem.heads << ", Di " << problem.depth;
      if (!schedule) continue;
      ASSERT_LE(getSharedBytes(problem, schedule), target.sharedBytesPerBlock);
      ASSERT_EQ(schedule.getBlockQ(), 16 * schedule.getConsumers());
    }
  }
  EXPECT_GT(limited, 500);
  EXPECT_LT(limited, 6000);
}

TEST_F(ScheduleLegalityTest, TopKIsLegalOrHasALimit) {
  for (int i = 0; i < 10000; ++i) {
    TopKProblem problem{Size(18), Size(20), Size(18), Uniform(0, 1) == 0};
    for (const CudaTarget& target : getCudaTargets()) {
      std::string limit = findLimit(problem, target);
      auto schedule = Choose<TopKScheduleAttr>(&context_, problem, target);
      ASSERT_EQ(static_cast<bool>(schedule), limit.empty())
          << target.arch.str() << ", limit '" << limit << "', K "
          << problem.slots;
      if (!schedule) continue;
      int64_t bytes = schedule.getChunk() * problem.keys * 4;
      ASSERT_TRUE(schedule.getChunk() == 1 || bytes <= kChunkBytes);
    }
  }
}

// Room for the slots and more, as far as shared memory allows; none to spare
// where they can not be kept.
TEST_F(ScheduleLegalityTest, TopKKeepsTheSlots) {
  auto capacity = [&](int64_t slots, const char* arch) {
    TopKProblem problem{4096, 131072, slots, false};
    auto schedule =
        Choose<TopKScheduleAttr>(&context_, problem, *findCudaTarget(arch));
    return schedule ? schedule.getCapacity() : 0;
  };
  for (const char* arch : {"sm_86", "sm_90a"}) {
    EXPECT_EQ(capacity(1, arch), 4096) << arch;
    EXPECT_EQ(capacity(2048, arch), 4096) << arch;
    EXPECT_EQ(capacity(2049, arch), 8192) << arch;
    EXPECT_EQ(capacity(16384, arch), 4096) << arch;
  }
  EXPECT_EQ(capacity(8192, "sm_90a"), 16384);
  EXPECT_EQ(capacity(8192, "sm_86"), 9216);
}

TEST_F(ScheduleLegalityTest, SaysWhy) {
  Builder b(&context_);
  AttentionProblem problem;
  problem.element = b.getBF16Type();
  problem.isDense = true;
  problem.queries = problem.keys = 4096;
  problem.heads = 32;
  problem.groups = 8;
  problem.depth = problem.valueDepth = 128;
  auto schedule = [&](Engine engine, int64_t stages) {
    return AttentionScheduleAttr::get(&context_, engine, 64, 128, stages, 4, 4);
  };
  CudaTarget hopper = *findCudaTarget("sm_90a");
  CudaTarget ada = *findCudaTarget("sm_89");
  // Queries 16 KiB, a stage 64 KiB, 16 bytes of barriers a stage.
  EXPECT_EQ(findIllegality(problem, schedule(Engine::MmaSync, 3), hopper), "");
  EXPECT_EQ(findIllegality(problem, schedule(Engine::MmaSync, 4), hopper),
            "shared memory 278592 > 232448 bytes on sm_90a");
  EXPECT_EQ(findIllegality(problem, schedule(Engine::MmaSync, 2), ada),
            "shared memory 147488 > 101376 bytes on sm_89");
  EXPECT_THAT(findIllegality(problem, schedule(Engine::Fma, 1), hopper),
              HasSubstr("expected mma_sync"));
  problem.depth = 257;
  EXPECT_EQ(findLimit(problem), "head size 257 > 256");
  problem.depth = 128;
  problem.element = b.getF64Type();
  EXPECT_EQ(findLimit(problem), "no kernel for elements of f64");
}

OnePassProblem LongRows(Type element, int64_t keys, int64_t slots) {
  OnePassProblem problem;
  problem.scores = {element, 1, keys, keys, 4, 64};
  problem.top = {keys, keys, slots, false};
  return problem;
}

// The schedule of rows that take all scores; any will do here.
SelectScheduleAttr ExactSchedule(MLIRContext* context) {
  return SelectScheduleAttr::get(
      context,
      ScoreScheduleAttr::get(context, Engine::MmaSync, 64, 64, 16, 3, 4, 4),
      TopKScheduleAttr::get(context, 8, 2048, 4096, 64));
}

TEST_F(ScheduleLegalityTest, OnePassIsForLongRows) {
  Builder b(&context_);
  CudaTarget hopper = *findCudaTarget("sm_90a");
  OnePassProblem problem = LongRows(b.getBF16Type(), 131072, 2048);
  EXPECT_EQ(findOnePassLimit(problem, hopper), "");
  SelectScheduleAttr exact = ExactSchedule(&context_);
  OnePassScheduleAttr schedule =
      enumerate(&context_, problem, exact, hopper).front();
  EXPECT_EQ(findIllegality(problem, schedule, hopper), "");
  // 182 +- 13.5 samples: 4 deviations below are 128 * 16 keys, 5 above 249
  // * 16.
  EXPECT_EQ(schedule.getRank(), 182);
  EXPECT_EQ(schedule.getCapacity(), 4096);
  EXPECT_EQ(schedule.getChunk() * schedule.getCapacity() * 8, kListBytes);
  EXPECT_LE(schedule.getChunk() * problem.top.keys / schedule.getSample() * 4,
            kChunkBytes);

  EXPECT_EQ(findOnePassLimit(problem, *findCudaTarget("sm_89")),
            "one pass is for architectures with wgmma");
  problem.hasMoments = false;
  EXPECT_EQ(findOnePassLimit(problem, hopper),
            "budgets depend on the entropy of scores");
  EXPECT_EQ(findOnePassLimit(LongRows(b.getF32Type(), 131072, 2048), hopper),
            "wgmma multiplies f16 and bf16");
  EXPECT_EQ(findOnePassLimit(LongRows(b.getF16Type(), 16383, 2048), hopper),
            "rows of 16383 keys are short for 4096 candidates; expected 16384 "
            "or more");
  EXPECT_EQ(findOnePassLimit(LongRows(b.getF16Type(), 16384, 2048), hopper),
            "");
  EXPECT_THAT(
      findOnePassLimit(LongRows(b.getF16Type(), 1 << 20, 14000), hopper),
      HasSubstr("candidates of a row"));
}

// Whatever the sizes, what is tried is legal or refused with a reason.
TEST_F(ScheduleLegalityTest, OnePassIsLegalOrRefused) {
  CudaTarget hopper = *findCudaTarget("sm_90a");
  SelectScheduleAttr exact = ExactSchedule(&context_);
  int legal = 0;
  for (int i = 0; i < 2000; ++i) {
    OnePassProblem problem = LongRows(Element(), Size(21), Size(14));
    problem.scores.queries = problem.top.queries = Size(18);
    problem.scores.heads = Size(4);
    problem.scores.depth = Uniform(1, 256);
    if (!findOnePassLimit(problem, hopper).empty()) continue;
    for (OnePassScheduleAttr schedule :
         enumerate(&context_, problem, exact, hopper)) {
      if (!findIllegality(problem, schedule, hopper).empty()) continue;
      ++legal;
      EXPECT_LE(getSharedBytes(problem, schedule), hopper.sharedBytesPerBlock);
      EXPECT_LE(schedule.getChunk(), problem.top.queries);
      EXPECT_LE(schedule.getChunk() * schedule.getCapacity() * 8, kListBytes);
      EXPECT_GE(schedule.getCapacity(), problem.top.slots);
    }
  }
  EXPECT_GT(legal, 300);
}

// The sizes that the message offers are legal, and the next ones are not.
TEST_F(ScheduleLegalityTest, IndexerLimitNamesTheNearestSizes) {
  Builder b(&context_);
  ScoreProblem problem{b.getBF16Type(), 1, 4096, 4096, 64, 128};
  EXPECT_EQ(findLimit(problem),
            "64 indexer heads of 128 need 266240 bytes of shared memory for "
            "their queries, more than 101376; legal are up to 23 heads of 128, "
            "or 64 heads of up to 48");
  problem.heads = 23;
  EXPECT_EQ(findLimit(problem), "");
  problem.heads = 24;
  EXPECT_THAT(findLimit(problem), HasSubstr("up to 23 heads of 128"));
  problem.heads = 64, problem.depth = 48;
  EXPECT_EQ(findLimit(problem), "");
  problem.depth = 49;
  EXPECT_THAT(findLimit(problem), HasSubstr("64 heads of up to 48"));
  // No depth is small enough for so many heads.
  problem.heads = 200;
  EXPECT_THAT(findLimit(problem), Not(HasSubstr("200 heads of up to")));
}

}  // namespace
}  // namespace mlir::gsa
