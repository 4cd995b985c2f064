//===- CpuScheduleCost.cpp - a cheap estimate of time on a CPU ------------===//
//
// The loops of an op follow one another, each as long as the longest of
//
//   fma    multiply-adds of vectors, of a tile no faster than one follows the
//          other in the same accumulator
//   issue  loads of vectors, and what a constant below counts
//   mufu   exponentials
//   fill   bytes from the second and third level of caches
//   memory operands and results once
//
// on one core, over the number of tasks; the last round of blocks, which not
// all tasks have, counts as a full one. Rates are in
// dialect/Target/CpuTarget.cpp. The constants below are fitted to the shortest
// times of the usual schedules on one thread of an Intel Emerald Rapids that
// had other work to do, and so are no better than in order: of prefill they are
// a tenth and less away from the estimates, decoding takes half as long again.
// What was measured beside what is estimated gsa-tune --picture shows.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cmath>

#include "dialect/Gsa/CpuSchedules.h"
#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Clocks of a vector of scores beside its products: activation without its
/// exponential, weight and sum over heads.
static constexpr double kScoreClocks = 8;
/// Clocks of an element that is packed, of a score that is selected from, and
/// of a row with a choice.
static constexpr double kPackClocks = 2, kSelectClocks = 1.2, kRowClocks = 2000;
/// Clocks of a vector of logits beside its exponential: maximum, sum, scale.
static constexpr double kLogitClocks = 8;
/// Clocks of a vector that is summed over its lanes, with others.
static constexpr double kReduceClocks = 4;
/// Clocks that a tile takes to begin: addresses, zeros, its results.
static constexpr double kTileClocks = 12;
/// Clocks of a list's entry that is compacted, and of a token's heads.
static constexpr double kEntryClocks = 3, kHeadsClocks = 300;
/// Clocks of a key of a list beside its products, for a tile of heads: places,
/// and asking for the lines of rows to come.
static constexpr double kListedClocks = 36;
/// Of the bytes that a load waits for where nothing asked for them before.
static constexpr double kNoPrefetch = 2;
/// Exponentials and products that gradients do again, over those of the
/// forward op.
static constexpr double kGradientProducts = 2.5;

static double ceilDiv(double a, double b) { return std::ceil(a / b); }

namespace {

class CpuClock {
 public:
  CpuClock(Type element, const CpuTarget& target)
      : accBytes(bytesOf(getAccumulatorType(element))),
        lanes(std::max(1.0, toDouble(target.vectorBits) / (8 * accBytes))),
        target(target),
        rates(target.rates()) {}

  /// Clocks of one core, shared out among tasks, in microseconds.
  double us(double clocks) const {
    return clocks / (rates.clockGhz * 1e3 * toDouble(target.tasks));
  }
  /// Clocks of multiply-adds and of loads for a step of a tile of `rows` by
  /// `vectors`.
  double fma(double rows, double vectors) const {
    return std::max(rows * vectors / rates.fma, rates.fmaLatency);
  }
  double loads(double rows, double vectors) const {
    return (rows + vectors) / rates.loads;
  }
  double vectorsOf(int64_t elements) const {
    return ceilDiv(toDouble(elements), lanes);
  }
  double exp(double elements) const {
    return elements / lanes * rates.expClocks;
  }
  /// Clocks until bytes are there that are read again while `held` bytes are
  /// used by one task, and `all` by all of them.
  double fill(double bytes, double held, double all) const {
    if (held <= toDouble(rates.l2Size)) return bytes / rates.l2Bytes;
    if (all <= toDouble(rates.l3Size)) return bytes / rates.l3Bytes;
    return bytes / rates.memoryBytes;
  }
  double memory(double bytes) const { return us(bytes / rates.memoryBytes); }
  /// Blocks in whole rounds over blocks.
  double rounds(double blocks) const {
    double tasks = toDouble(target.tasks);
    return blocks > 0 ? std::ceil(blocks / tasks) * tasks / blocks : 1.0;
  }

  const double accBytes, lanes;  ///< Of the accumulator type.
  const CpuTarget& target;
  const CpuRates rates;
};

}  // namespace

/// Exponentials of a score.
static double exponentialsOf(Operation* op) {
  ScoreActivation activation = ScoreActivation::Sigmoid;
  if (auto select = dyn_cast<SelectOp>(op))
    activation = select.getScoreActivation();
  else if (auto scores = dyn_cast<IndexScoresOp>(op))
    activation = scores.getScoreActivation();
  else
    activation = IndexerForm::of(op).scoreActivation;
  return activation == ScoreActivation::Sigmoid ? 1 : 0;
}

static StageCost makeStage(StringRef name) {
  StageCost stage;
  stage.kernel = name.str();
  return stage;
}

/// The products of a loop: `tiles` of `rows` by `vectors`, each of so many
/// steps and with clocks of its own, and clocks `beside` all of them.
static StageCost makeProducts(StringRef name, const CpuClock& clock,
                              double tiles, double steps, double rows,
                              double vectors, double clocksOfTile,
                              double beside = 0) {
  StageCost stage = makeStage(name);
  stage[CostTerm::Fma] = clock.us(
      tiles * (steps * clock.fma(rows, vectors) + clocksOfTile) + beside);
  stage[CostTerm::Issue] = clock.us(
      tiles * (steps * clock.loads(rows, vectors) + clocksOfTile) + beside);
  return stage;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static ScheduleCost costOfScores(ScheduledOpInterface op,
                                 const ScoreProblem& problem,
                                 CpuScheduleAttr schedule,
                                 const CpuTarget& target) {
  CpuClock clock(problem.element, target);
  double rows = toDouble(schedule.getRows());
  double vectors = toDouble(schedule.getVectors());
  double batch = toDouble(problem.batch), queries = toDouble(problem.queries),
         keys = toDouble(problem.keys), heads = toDouble(problem.heads),
         depth = toDouble(problem.depth);
  double blocks = batch * ceilDiv(queries, rows);
  // Of the last panel that a block sees, some keys are for nobody.
  double visible = keys * visibleShare(op, problem.queries, problem.keys);
  double panel = vectors * clock.lanes;
  double panels = isCausal(op) && queries > rows ? visible / panel + 0.5
                                                 : ceilDiv(visible, panel);
  bool sharesKeys = queries <= rows;

  StageCost packing = makeStage("packing");
  packing[CostTerm::Issue] =
      clock.us(kPackClocks * batch * (keys * depth + queries * heads * depth));
  double tiles = blocks * panels * heads;
  StageCost products =
      makeProducts("products", clock, tiles, depth, rows, vectors, kTileClocks);
  // Each block reads all panels once; their heads find them in the first level.
  double packed = keys * depth * clock.accBytes;
  products[CostTerm::Fill] =
      clock.us(clock.fill(blocks * panels * panel * depth * clock.accBytes,
                          packed, batch * packed));
  products[CostTerm::Memory] = clock.memory(boundaryBytes(op));
  products.rounds = clock.rounds(sharesKeys ? batch * panels : blocks);
  StageCost activation = makeStage("activation");
  double scores = tiles * rows * vectors;
  activation[CostTerm::Issue] = clock.us(scores * kScoreClocks);
  activation[CostTerm::Mufu] =
      clock.us(exponentialsOf(op) * clock.exp(scores * clock.lanes));
  activation.rounds = products.rounds;
  ScheduleCost cost{{packing, products, activation}};
  if (isa<SelectOp>(op)) {
    StageCost& selection = cost.stages.emplace_back(makeStage("selection"));
    selection[CostTerm::Issue] =
        clock.us(batch * queries * (kSelectClocks * visible + kRowClocks));
    selection.rounds = products.rounds;
  }
  return cost;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// The loops of attention behind `first`, what is filled shared out between
/// logits and values.
static ScheduleCost joinAttention(Operation* op, const CpuClock& clock,
                                  StageCost first, StageCost logits,
                                  StageCost softmax, StageCost values,
                                  double fillClocks, double blocks) {
  logits[CostTerm::Fill] = clock.us(fillClocks / 2);
  values[CostTerm::Fill] = clock.us(fillClocks / 2);
  values[CostTerm::Memory] = clock.memory(boundaryBytes(op));
  ScheduleCost cost{{std::move(first), std::move(logits), std::move(softmax),
                     std::move(values)}};
  for (StageCost& stage : cost.stages) stage.rounds = clock.rounds(blocks);
  return cost;
}

/// Clocks of packed or listed rows: from afar once, and then again from nearer
/// while a task holds `held` bytes.
static double fillClocks(const CpuClock& clock, double once, double read,
                         double held, double all) {
  return clock.fill(once, /*held=*/INFINITY, all) +
         clock.fill(std::max(read - once, 0.0), held, all);
}

static ScheduleCost costOfGather(ScheduledOpInterface op,
                                 const AttentionProblem& problem,
                                 CpuScheduleAttr schedule,
                                 const CpuTarget& target) {
  CpuClock clock(problem.element, target);
  double ratio = std::max(
      1.0, toDouble(problem.heads / std::max<int64_t>(problem.groups, 1)));
  double tileHeads = std::min(toDouble(schedule.getRows()), ratio);
  double tileKeys =
      std::min({toDouble(static_cast<int64_t>(llvm::bit_floor(
                    static_cast<uint64_t>(schedule.getVectors())))),
                32 / clock.accBytes, clock.lanes});
  double tokens = toDouble(problem.batch * problem.queries);
  double listed = toDouble(problem.slots) * listedShare(problem);
  double depth = clock.vectorsOf(problem.depth),
         valueDepth = clock.vectorsOf(problem.valueDepth);
  double headTiles = ceilDiv(ratio, tileHeads);
  double passes = tokens * toDouble(problem.groups) * headTiles;
  double tileCells = toDouble(schedule.getRows() * schedule.getVectors());
  double valueVectors =
      std::clamp(std::floor(tileCells / tileHeads), 1.0, valueDepth);
  double valueTiles = ceilDiv(valueDepth, valueVectors);
  double blockRows = std::clamp(ceilDiv(tokens, toDouble(target.tasks)), 1.0,
                                toDouble(schedule.getBlockRows()));
  // What the tokens of a block read of one group.
  double rowBytes =
      toDouble(problem.depth + problem.valueDepth) * bytesOf(problem.element);
  double united =
      std::min(usualUnion(blockRows, problem) * listed, toDouble(problem.keys));
  double lists = blockRows * toDouble(problem.slots) * 4;
  double all = toDouble(problem.batch * problem.keys) *
               toDouble(problem.groups) * rowBytes;

  StageCost compaction = makeStage("compaction");
  compaction[CostTerm::Issue] =
      clock.us(tokens * toDouble(problem.slots) * kEntryClocks);
  double keyTiles = ceilDiv(listed, tileKeys);
  double places = passes * listed * kListedClocks / 2;
  StageCost logits = makeProducts(
      "logits", clock, passes * keyTiles, depth, tileHeads, tileKeys,
      tileHeads * tileKeys * kReduceClocks + kTileClocks, places);
  StageCost softmax = makeStage("softmax");
  double pairs = passes * tileHeads * listed;
  softmax[CostTerm::Issue] =
      clock.us(pairs / clock.lanes * kLogitClocks + passes * kHeadsClocks);
  softmax[CostTerm::Mufu] = clock.us(clock.exp(pairs));
  StageCost values =
      makeProducts("values", clock, passes * valueTiles, listed, tileHeads,
                   valueVectors, /*clocksOfTile=*/0, places);
  // And one instruction more for each key.
  values[CostTerm::Issue] += clock.us(passes * valueTiles * listed);
  // A key is fetched once for a block, and read again from nearer.
  double fill =
      fillClocks(clock, passes / blockRows * united * rowBytes,
                 passes * listed * rowBytes, united * rowBytes + lists, all);
  if (schedule.getPrefetch() == 0) fill *= kNoPrefetch;
  return joinAttention(op, clock, compaction, logits, softmax, values, fill,
                       ceilDiv(tokens, blockRows));
}

static ScheduleCost costOfDense(ScheduledOpInterface op,
                                const AttentionProblem& problem,
                                CpuScheduleAttr schedule,
                                const CpuTarget& target) {
  CpuClock clock(problem.element, target);
  double ratio = std::max(
      1.0, toDouble(problem.heads / std::max<int64_t>(problem.groups, 1)));
  double queries = toDouble(problem.queries);
  double tokens =
      std::clamp(std::floor(toDouble(schedule.getBlockRows()) / ratio), 1.0,
                 std::max(queries, 1.0));
  double rows = tokens * ratio;
  double vectors = toDouble(schedule.getVectors());
  double panel = vectors * clock.lanes;
  double blockKeys =
      std::max(1.0, std::floor(toDouble(schedule.getBlockKeys()) / panel)) *
      panel;
  double depth = toDouble(problem.depth);
  double valueDepth = clock.vectorsOf(problem.valueDepth);
  double tileRows = std::min(toDouble(schedule.getRows()), rows);
  double valueVectors =
      std::min(toDouble(schedule.getValueVectors()), valueDepth);
  double valueRows =
      std::clamp(std::floor(tileRows * vectors / valueVectors), 1.0, tileRows);
  double blocks =
      toDouble(problem.batch * problem.groups) * ceilDiv(queries, tokens);
  // A block sees the keys of its last token, in whole panels.
  double seen =
      toDouble(problem.keys) * visibleShare(op, problem.queries, problem.keys);
  if (isCausal(op)) seen += tokens / 2 + panel / 2;
  seen = std::min(seen, toDouble(problem.keys) + panel);
  double keyBlocks = ceilDiv(seen, blockKeys);
  double padded = toDouble(problem.valueDepth) * clock.accBytes;
  double keyBytes = depth * clock.accBytes + padded;

  StageCost packing = makeStage("packing");
  packing[CostTerm::Issue] =
      clock.us(kPackClocks * toDouble(problem.batch * problem.groups) *
               toDouble(problem.keys) * (depth + toDouble(problem.valueDepth)));
  StageCost logits = makeProducts(
      "logits", clock, blocks * ceilDiv(rows, tileRows) * seen / panel, depth,
      tileRows, vectors, kTileClocks);
  StageCost softmax = makeStage("softmax");
  double pairs = blocks * rows * seen;
  // Of each row the sums are scaled for each block of keys.
  softmax[CostTerm::Issue] =
      clock.us(pairs / clock.lanes * kLogitClocks +
               blocks * rows * keyBlocks * (3 * valueDepth + 2 * kTileClocks));
  softmax[CostTerm::Mufu] = clock.us(clock.exp(pairs));
  StageCost values = makeProducts(
      "values", clock,
      blocks * ceilDiv(rows, valueRows) * ceilDiv(valueDepth, valueVectors),
      seen, valueRows, valueVectors, keyBlocks * kTileClocks);
  // The rows of a block read a block of keys again and again.
  double strip = rows * (blockKeys + depth + toDouble(problem.valueDepth)) *
                 clock.accBytes;
  double all =
      toDouble(problem.batch * problem.groups * problem.keys) * keyBytes;
  double once = blocks * seen * keyBytes;
  double again = blocks * seen *
                 (ceilDiv(rows, tileRows) * depth * clock.accBytes +
                  ceilDiv(rows, valueRows) * padded);
  double fill =
      fillClocks(clock, once, again, strip + blockKeys * keyBytes, all);
  return joinAttention(op, clock, packing, logits, softmax, values, fill,
                       blocks);
}

//===----------------------------------------------------------------------===//
// What nothing is faster than
//===----------------------------------------------------------------------===//

namespace {

/// Multiply-adds and exponentials.
struct CpuWork {
  double fma = 0, exp = 0;
  Type element;
};

}  // namespace

static CpuWork workOf(ScheduledOpInterface op) {
  ScheduleProblem problem = op.getScheduleProblem();
  if (problem.attention) {
    const AttentionProblem& p = *problem.attention;
    double pairs = countPairs(op, p);
    return {pairs * toDouble(p.depth + p.valueDepth), pairs, p.element};
  }
  const ScoreProblem& p = *problem.scores;
  double scores = countPairs(op, p);
  // Over lists, of which there are gradients alone, a key for each slot.
  if (isa<IndexScoresGradOp, IndexKlOp, IndexKlGradOp>(op))
    if (Value lists = IndexerForm::of(op).indices; lists && p.keys > 0)
      scores *=
          toDouble(cast<RankedTensorType>(lists.getType()).getDimSize(2)) /
          toDouble(p.keys);
  return {scores * toDouble(p.depth), scores * exponentialsOf(op), p.element};
}

StageCost gsa::findCpuFloor(ScheduledOpInterface op, const CpuTarget& target) {
  CpuWork work = workOf(op);
  CpuClock clock(work.element, target);
  StageCost floor;
  floor.kernel = "roofline";
  floor[CostTerm::Fma] = clock.us(work.fma / (clock.lanes * clock.rates.fma));
  floor[CostTerm::Mufu] = clock.us(clock.exp(work.exp));
  floor[CostTerm::Memory] = clock.memory(boundaryBytes(op));
  return floor;
}

ScheduleCost gsa::getCpuCost(ScheduledOpInterface op, CpuScheduleAttr schedule,
                             const CpuTarget& target) {
  ScheduleProblem problem = op.getScheduleProblem();
  if (isa<SelectOp, IndexScoresOp>(op))
    return costOfScores(op, *problem.scores, schedule, target);
  if (isAttention(op))
    return problem.attention->isDense
               ? costOfDense(op, *problem.attention, schedule, target)
               : costOfGather(op, *problem.attention, schedule, target);
  // Of gradients no more than their work is known.
  StageCost floor = findCpuFloor(op, target);
  return ScheduleCost::ofWhole(
      kGradientProducts *
      std::max(floor[CostTerm::Fma], floor[CostTerm::Mufu]));
}
