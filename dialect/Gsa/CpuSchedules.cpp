//===- CpuSchedules.cpp - which CPU schedules are worth trying ------------===//

#include "dialect/Gsa/CpuSchedules.h"

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// What the op is to its loops.
static bool isScores(Operation* op) { return isa<SelectOp, IndexScoresOp>(op); }

/// Elements of the accumulator of the op's first operand in a vector register.
static int64_t lanesFor(Operation* op, const CpuTarget& target) {
  auto type = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t width = getAccumulatorType(type.getElementType()).getWidth();
  return std::max<int64_t>(1, target.vectorBits / width);
}

/// `size`, or `ifDynamic`.
static int64_t sizeOr(int64_t size, int64_t ifDynamic) {
  return ShapedType::isDynamic(size) ? ifDynamic : size;
}

/// Heads that share keys; of numbers that are not known, one.
static int64_t headsOfGroup(const AttentionProblem& problem) {
  return std::max<int64_t>(sizeOr(problem.heads, 1) /
                               std::max<int64_t>(sizeOr(problem.groups, 1), 1),
                           1);
}

std::string gsa::explainNoCpuSchedule(ScheduledOpInterface op) {
  std::optional<AttentionProblem> attention = op.getScheduleProblem().attention;
  if (!attention) return "";
  for (int64_t size : {attention->depth, attention->valueDepth})
    if (size > kMaxUnrolledHead)
      return over("head size", size, kMaxUnrolledHead) +
             ": loops are unrolled over its elements";
  return "";
}

//===----------------------------------------------------------------------===//
// The usual schedule
//===----------------------------------------------------------------------===//

static CpuScheduleAttr usualScores(Operation* op, const ScoreProblem& problem,
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

static CpuScheduleAttr usualAttention(Operation* op,
                                      const AttentionProblem& problem,
                                      const CpuTarget& target) {
  // Half of the register file for accumulators, as above.
  int64_t accumulators = target.vectorBits >= 512 ? 16 : 8;
  int64_t rows = accumulators / 2;
  // Rows are heads that share gathered keys. More than four need more
  // reductions over lanes per key loaded than they save in loads.
  if (!problem.isDense) rows = std::clamp<int64_t>(headsOfGroup(problem), 1, 4);
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

CpuScheduleAttr gsa::getUsualCpuSchedule(ScheduledOpInterface op,
                                         const CpuTarget& target) {
  ScheduleProblem problem = op.getScheduleProblem();
  return problem.scores ? usualScores(op, *problem.scores, target)
                        : usualAttention(op, *problem.attention, target);
}

//===----------------------------------------------------------------------===//
// What is ruled out
//===----------------------------------------------------------------------===//

/// Registers of the tile that holds most: its accumulators, the operands of its
/// shorter side, and one of the other side at a time.
static int64_t countRegisters(ScheduledOpInterface op,
                              CpuScheduleAttr schedule) {
  int64_t rows = schedule.getRows(), vectors = schedule.getVectors();
  int64_t registers = rows * vectors + std::min(rows, vectors) + 1;
  std::optional<AttentionProblem> attention = op.getScheduleProblem().attention;
  // A tile of values has as many accumulators, or a row of them.
  if (attention && attention->isDense)
    registers = std::max(registers, schedule.getValueVectors() + 2);
  return registers;
}

std::string gsa::findCpuRefusal(ScheduledOpInterface op,
                                CpuScheduleAttr schedule,
                                const CpuTarget& target) {
  if (std::string reason = explainNoCpuSchedule(op); !reason.empty())
    return reason;
  if (int64_t lanes = lanesFor(op, target); schedule.getLanes() != lanes)
    return "lanes " + std::to_string(schedule.getLanes()) + ", expected the " +
           std::to_string(lanes) + " of a register of " +
           std::to_string(target.vectorBits) + " bits";
  if (int64_t most = target.registers(), got = countRegisters(op, schedule);
      got > most)
    return over("vector registers of a tile", got, most);
  return "";
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

namespace {

/// The numbers of a schedule, to change some of them.
struct Numbers {
  explicit Numbers(CpuScheduleAttr schedule)
      : tasks(schedule.getTasks()),
        lanes(schedule.getLanes()),
        rows(schedule.getRows()),
        vectors(schedule.getVectors()),
        blockRows(schedule.getBlockRows()),
        blockKeys(schedule.getBlockKeys()),
        valueVectors(schedule.getValueVectors()),
        prefetch(schedule.getPrefetch()) {}

  int64_t tasks, lanes, rows, vectors, blockRows, blockKeys, valueVectors,
      prefetch;
};

/// Schedules that are not refused, each once.
class Candidates {
 public:
  Candidates(ScheduledOpInterface op, const CpuTarget& target)
      : op(op), target(target) {}

  void add(const Numbers& n) {
    ScopedDiagnosticHandler silent(op->getContext(),
                                   [](Diagnostic&) { return success(); });
    auto schedule = CpuScheduleAttr::getChecked(
        [&] { return emitError(UnknownLoc::get(op->getContext())); },
        op->getContext(), n.tasks, n.lanes, n.rows, n.vectors, n.blockRows,
        n.blockKeys, n.valueVectors, n.prefetch);
    if (schedule && findCpuRefusal(op, schedule, target).empty())
      found.insert(schedule);
  }
  SmallVector<CpuScheduleAttr> take() { return found.takeVector(); }

 private:
  ScheduledOpInterface op;
  const CpuTarget& target;
  llvm::SetVector<CpuScheduleAttr, SmallVector<CpuScheduleAttr>> found;
};

}  // namespace

/// Rows of scores and vectors of keys. No more rows than there are queries,
/// unless all are in one block, which shares keys in another order.
static void addScores(const Numbers& usual, const ScoreProblem& problem,
                      Candidates& candidates) {
  int64_t queries = std::max<int64_t>(sizeOr(problem.queries, 16), 1);
  for (int64_t rows : {1, 2, 3, 4, 6, 8, 12, 16})
    for (int64_t vectors : {1, 2, 3, 4, 6, 8}) {
      if (rows > queries || rows * vectors < 4) continue;
      Numbers n = usual;
      n.rows = rows;
      n.vectors = vectors;
      candidates.add(n);
    }
}

/// Heads and keys of a tile; tokens whose lists are compacted together, and how
/// far ahead keys are asked for.
static void addGather(const Numbers& usual, const AttentionProblem& problem,
                      Candidates& candidates) {
  int64_t ratio = headsOfGroup(problem);
  for (int64_t rows : {1, 2, 3, 4, 6, 8})
    for (int64_t vectors : {1, 2, 4, 8, 16}) {
      if (rows > ratio || rows * vectors < 4) continue;
      Numbers n = usual;
      n.rows = rows;
      n.vectors = vectors;
      candidates.add(n);
    }
  for (int64_t blockRows : {1, 4, 8, 16, 32, 64, 128})
    for (int64_t prefetch : {0, 4, 8, 16, 32, 64}) {
      Numbers n = usual;
      n.blockRows = blockRows;
      n.prefetch = prefetch;
      candidates.add(n);
    }
}

/// Rows and vectors of a tile of logits, vectors of a tile of values; rows and
/// keys of a block.
static void addDense(const Numbers& usual, Candidates& candidates) {
  for (int64_t rows : {2, 3, 4, 6, 8, 12})
    for (int64_t vectors : {1, 2, 3, 4})
      for (int64_t valueVectors : {2, 4, 8}) {
        if (rows * vectors < 6) continue;
        Numbers n = usual;
        n.rows = rows;
        n.vectors = vectors;
        n.valueVectors = valueVectors;
        candidates.add(n);
      }
  for (int64_t blockRows : {16, 32, 64, 128, 256})
    for (int64_t blockKeys : {64, 128, 256, 512, 1024, 2048}) {
      Numbers n = usual;
      n.blockRows = blockRows;
      n.blockKeys = blockKeys;
      candidates.add(n);
    }
}

SmallVector<CpuScheduleAttr> gsa::enumerateCpuSchedules(
    ScheduledOpInterface op, const CpuTarget& target) {
  if (!explainNoCpuSchedule(op).empty()) return {};
  Candidates candidates(op, target);
  Numbers usual(getUsualCpuSchedule(op, target));
  candidates.add(usual);
  ScheduleProblem problem = op.getScheduleProblem();
  if (isScores(op))
    addScores(usual, *problem.scores, candidates);
  else if (isAttention(op) && problem.attention->isDense)
    addDense(usual, candidates);
  else if (isAttention(op))
    addGather(usual, *problem.attention, candidates);
  // The loops of gradients read tasks and lanes alone.
  return candidates.take();
}

SmallVector<CpuScheduleAttr> gsa::getCpuSteps(ScheduledOpInterface op,
                                              CpuScheduleAttr schedule,
                                              const CpuTarget& target) {
  Candidates candidates(op, target);
  Numbers own(schedule);
  auto add = [&](const Numbers& n) { candidates.add(n); };
  StepBuilder<Numbers> builder(own, add);
  bool attention = isAttention(op);
  if (!isScores(op) && !attention) return {};
  builder.shift(&Numbers::rows, 1);
  builder.shift(&Numbers::vectors, 1);
  if (!attention) return candidates.take();
  builder.scale(&Numbers::blockRows);
  if (op.getScheduleProblem().attention->isDense) {
    builder.scale(&Numbers::blockKeys);
    builder.shift(&Numbers::valueVectors, 1);
  } else if (own.prefetch > 0) {
    builder.scale(&Numbers::prefetch);
  } else {
    builder.change([](Numbers& n) { n.prefetch = 4; });
  }
  return candidates.take();
}
