//===- CpuSchedule.cpp - gsa-cpu-schedule ---------------------------------===//
//
// Chooses #gsa.cpu_schedule by rule. The choice never depends on the data, and
// results do not depend on the choice beyond the order of sums within a row.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACPUSCHEDULE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

namespace {
/// What a schedule is chosen for.
struct CpuTarget {
  int64_t tasks;       ///< Tasks per parallel region.
  int64_t vectorBits;  ///< Width of a vector register.
};
}  // namespace

/// Elements of the accumulator of `op`'s first operand per vector register.
static int64_t lanesFor(Operation* op, const CpuTarget& target) {
  auto type = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t width = getAccumulatorType(type.getElementType()).getWidth();
  return std::max<int64_t>(1, target.vectorBits / width);
}

/// `size`, or `ifDynamic`.
static int64_t sizeOr(int64_t size, int64_t ifDynamic) {
  return ShapedType::isDynamic(size) ? ifDynamic : size;
}

static CpuScheduleAttr chooseIndexerSchedule(Operation* op,
                                             const ScoreProblem& problem,
                                             const CpuTarget& target) {
  // The tile of accumulators takes half of the register file (32 registers
  // with 512-bit vectors, else 16), which hides the latency of the
  // multiply-add and leaves room for keys. Rows come first, because a vector
  // of keys is loaded once for all rows; few rows take at most four vectors,
  // or packing would stride over too many cache lines of one set.
  int64_t accumulators = target.vectorBits >= 512 ? 16 : 8;
  int64_t maxRows = target.vectorBits >= 512 ? 8 : 4;
  int64_t queries = std::max<int64_t>(1, sizeOr(problem.queries, maxRows));
  int64_t rows = std::min(maxRows, queries);
  return CpuScheduleAttr::get(op->getContext(), target.tasks,
                              lanesFor(op, target), rows,
                              std::min<int64_t>(4, accumulators / rows),
                              /*block_rows=*/16, /*block_keys=*/256,
                              /*value_vectors=*/4, /*prefetch=*/16);
}

static CpuScheduleAttr chooseAttentionSchedule(Operation* op,
                                               const AttentionProblem& problem,
                                               const CpuTarget& target) {
  // Half of the register file for accumulators, as above.
  int64_t accumulators = target.vectorBits >= 512 ? 16 : 8;
  int64_t rows = accumulators / 2;
  if (!problem.isDense) {
    // Rows are heads that share gathered keys. More than four need more
    // reductions over lanes per key loaded than they save in loads.
    rows = std::clamp<int64_t>(
        sizeOr(problem.heads, 1) / sizeOr(problem.groups, 1), 1, 4);
  }
  // Dense: the strip of logits of a block, 64 x 256, is 64 KiB in f32 and
  // stays with the block's keys and values in a second-level cache. Gather:
  // the lists of the tokens of a block are compacted together; more tokens
  // share more keys, but their lists take cache from the keys.
  int64_t blockRows = problem.isDense ? 64 : 16;
  return CpuScheduleAttr::get(
      op->getContext(), target.tasks, lanesFor(op, target), rows,
      std::min<int64_t>(8, accumulators / rows), blockRows, /*block_keys=*/256,
      /*value_vectors=*/4, /*prefetch=*/16);
}

/// The loops of attention are unrolled over a head's elements; a head that
/// would make them longer than any instruction cache runs by definition.
static bool isNarrow(Operation* op, const AttentionProblem& problem) {
  constexpr int64_t kMaxUnrolledHead = 2048;
  for (int64_t size : {problem.depth, problem.valueDepth}) {
    if (size <= kMaxUnrolledHead) continue;
    remark::missed(
        op->getLoc(),
        remark::RemarkOpts::name("NotScheduled").category("gsa.schedule"))
        << op->getName().getStringRef() << remark::metric("head_size", size)
        << remark::metric("limit", kMaxUnrolledHead);
    return false;
  }
  return true;
}

namespace {

struct CpuSchedule : gsa::impl::GsaCpuScheduleBase<CpuSchedule> {
  using GsaCpuScheduleBase::GsaCpuScheduleBase;

  void runOnOperation() override {
    if (tasks < 1 || tasks > 4096) {
      getOperation()->emitError(
          "gsa-cpu-schedule: expected 'tasks' in "
          "[1, 4096], got ")
          << tasks.getValue();
      return signalPassFailure();
    }
    if (vectorBits < 32 || vectorBits > 2048 ||
        !llvm::isPowerOf2_64(vectorBits)) {
      getOperation()->emitError(
          "gsa-cpu-schedule: expected 'vector-bits' to "
          "be a power of two in [32, 2048], got ")
          << vectorBits.getValue();
      return signalPassFailure();
    }
    CpuTarget target{tasks, vectorBits};
    getOperation()->walk([&](ScheduledOpInterface op) {
      if (op->hasAttr(kScheduleAttr) ||
          op.getScheduleKinds(Device::Cpu).empty())
        return;
      ScheduleProblem problem = op.getScheduleProblem();
      if (problem.scores)
        set(op, chooseIndexerSchedule(op, *problem.scores, target));
      else if (problem.attention && isNarrow(op, *problem.attention))
        set(op, chooseAttentionSchedule(op, *problem.attention, target));
    });
  }

  void set(Operation* op, CpuScheduleAttr schedule) {
    op->setAttr(kScheduleAttr, schedule);
    remark::passed(
        op->getLoc(),
        remark::RemarkOpts::name("Scheduled").category("gsa.schedule"))
        << op->getName().getStringRef()
        << remark::metric("tasks", schedule.getTasks())
        << remark::metric("lanes", schedule.getLanes())
        << remark::metric("rows", schedule.getRows())
        << remark::metric("vectors", schedule.getVectors())
        << remark::metric("block_rows", schedule.getBlockRows())
        << remark::metric("block_keys", schedule.getBlockKeys());
  }
};

}  // namespace
