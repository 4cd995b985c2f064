//===- GsaScheduleCost.cpp - a cheap estimate of time ---------------------===//
//
// Each kernel of an op is the longest of its terms (ScheduleCost.h):
//
//   tensor, fma  operations, padded to tiles, over the rate of the engine
//   mufu         exponentials and sigmoids
//   issue        instructions of warps, so many for 32 elements of scores
//   fill         bytes that blocks read from L2 to shared memory
//   memory       bytes that must come from or go to device memory at least once
//   latency      the steps of one block, over the blocks that an SM holds
//
// over the rates in dialect/Target/CudaTarget.cpp; the last round of blocks
// counts as a full one. A block without a ring copies, then computes, and pays
// both.
//
// The constants below are fitted to bench/results/gpu.jsonl;
// schedule_cost_test.cc compares. What no static model knows, how much of the
// lists of neighbouring queries is the same, is assumed (usualUnion). What a
// block takes of an SM is guessed here to count blocks, and for nothing else:
// what is legal is read from kernels. The estimate orders schedules of an op
// and says what bounds them; it is no promise of a time.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <cmath>
#include <optional>

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Of the rate of tensor cores in data sheets what attention reaches at the
/// power that it takes; and with mma.sync where there is wgmma.
static constexpr double kTensorShare = 0.75;
static constexpr double kMmaSyncShare = 0.6;
/// Of that rate what two warpgroups reach in dense attention where three reach
/// all of it (docs/performance.md).
static constexpr double kTwoGroupsShare = 0.92;

/// Clocks for which a warp is busy with a tile of 256 columns of keys and
/// values: of any, and of each key; with mma.sync and with f32.
static constexpr double kTileClocks = 300, kKeyClocks = 65;
static constexpr double kFmaKeyClocks = 256;
static constexpr double kUsualColumns = 256;
/// Clocks until rows that are asked for are there, with their indices.
static constexpr double kCopyClocks = 1600;
/// Registers of a thread where warps keep their own, and on average where those
/// that copy give theirs away.
static constexpr double kOwnRegisters = 168, kMovedRegisters = 128;

/// Instructions of a warp for 32 scores: products and activation of a head,
/// where a lane has one head of several queries and where it has all heads of
/// one.
static constexpr double kScoreInstructions = 20, kScoreDepth = 6;
static constexpr double kPairedInstructions = 8, kPairedDepth = 1;
/// The depth that those of products are for.
static constexpr double kUsualDepth = 64;
/// Clocks of an SM for a candidate that is appended, one that is selected from,
/// a sample that is ranked, and a row.
static constexpr double kAppendClocks = 1.5, kCandidateClocks = 1.45;
static constexpr double kSampleClocks = 0.3, kBoundClocks = 1000;
/// Kernels of a chunk of one pass, those that find nothing to do included.
static constexpr double kOnePassLaunches = 15;
/// What moments cost over scores that nobody keeps.
static constexpr double kMomentsShare = 1.27;

/// Reads of a row of scores: its range, its histogram, its cells.
static constexpr int64_t kRowPasses = 3;
/// Further reads if the slots do not fit into shared memory.
static constexpr int64_t kMoreRowPasses = 4;
/// Rows that an SM works on at a time, about.
static constexpr double kRowBlocks = 5;
/// Clocks of an SM for a score that is read once, and for a slot.
static constexpr double kCellClocks = 0.17, kSlotClocks = 2.3;

static double ceilDiv(int64_t a, int64_t b) {
  return toDouble(static_cast<int64_t>(llvm::divideCeil(a, b)));
}

//===----------------------------------------------------------------------===//
// Rates
//===----------------------------------------------------------------------===//

namespace {

/// Microseconds that all SMs of a target take.
class Clock {
 public:
  explicit Clock(const CudaTarget& target) : target(target) {}

  /// A rate of 1 giga a second is 1000 a microsecond.
  double memory(double bytes) const {
    return bytes / (target.rates.memoryGbs * 1e3);
  }
  double fill(double bytes) const {
    return clocks(bytes / target.rates.fillBytes);
  }
  double mufu(double count) const { return clocks(count / target.rates.mufu); }
  double issue(double instructions) const {
    return clocks(instructions / target.rates.issue);
  }
  double launch(double count) const { return count * target.rates.launchUs; }
  /// Clocks of one SM, shared out among all.
  double clocks(double count) const {
    return count / (target.rates.clockGhz * 1e3 * toDouble(target.sms));
  }
  double products(double operations, Engine engine) const {
    if (engine == Engine::Fma) return operations / (target.rates.fma * 1e3);
    bool isHalf = engine == Engine::MmaSync && target.wgmma;
    double share = isHalf ? kMmaSyncShare : kTensorShare;
    return operations / (share * target.rates.tensor * 1e3);
  }
  static CostTerm termOf(Engine engine) {
    return engine == Engine::Fma ? CostTerm::Fma : CostTerm::Tensor;
  }
  /// Blocks in whole rounds over blocks.
  double rounds(double blocks) const {
    double sms = toDouble(target.sms);
    return blocks > 0 ? std::ceil(blocks / sms) * sms / blocks : 1.0;
  }

 private:
  const CudaTarget& target;
};

}  // namespace

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Of the pairs of queries and keys those that a causal mask shows.
static double causalShare(int64_t queries, int64_t keys) {
  if (queries < 1 || keys < 1) return 1;
  // Rows of keys - queries + 1 to keys keys; of fewer keys than queries the
  // first rows have none.
  double q = toDouble(queries), k = toDouble(keys);
  return k >= q ? 1 - q / (2 * k) : k / (2 * q);
}

double gsa::detail::visibleShare(Operation* op, int64_t queries, int64_t keys) {
  return isCausal(op) ? causalShare(queries, keys) : 1;
}

double gsa::detail::listedShare(const AttentionProblem& problem) {
  if (problem.isDense || problem.queries != problem.keys || problem.keys < 2)
    return 1;
  double slots = toDouble(std::max<int64_t>(problem.slots, 1));
  double keys = toDouble(problem.keys);
  return slots <= keys ? 1 - slots / (2 * keys) : keys / (2 * slots);
}

double gsa::detail::usualUnion(double queries,
                               const AttentionProblem& problem) {
  if (queries < 4) return queries;
  double ratio =
      toDouble(problem.keys) / toDouble(std::max<int64_t>(problem.slots, 1));
  // Doublings of the keys of a list, over the 6 of a 64th.
  double spread = std::clamp(std::log2(std::max(ratio, 1.0)) / 6, 0.1, 2.0);
  return std::min(queries, 1 + (std::max(3.0, queries / 8) - 1) * spread);
}

/// Bytes of the operands and results of an op, each once.
double gsa::detail::boundaryBytes(Operation* op) {
  double bytes = 0;
  auto add = [&](Type type) {
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      bytes +=
          toDouble(tensor.getNumElements()) * bytesOf(tensor.getElementType());
  };
  llvm::SmallPtrSet<Value, 8> seen;
  for (Value operand : op->getOperands())
    if (seen.insert(operand).second) add(operand.getType());
  for (Type type : op->getResultTypes()) add(type);
  // Of keys those that lists name: few queries have lists of few of them.
  std::optional<AttentionProblem> problem = problemOf(op).attention;
  if (!problem || problem->isDense || problem->keys < 1) return bytes;
  double listed = toDouble(problem->queries * problem->slots);
  double share = std::min(1.0, listed / toDouble(problem->keys));
  double keys = toDouble(problem->batch * problem->keys * problem->groups) *
                toDouble(problem->depth + problem->valueDepth) *
                bytesOf(problem->element);
  return std::max(bytes - (1 - share) * keys, share * keys);
}

/// Blocks of the schedule that an SM holds, about.
static double blocksPerSm(AttentionScheduleAttr schedule,
                          const AttentionProblem& problem,
                          const CudaTarget& target) {
  int64_t depth = pad(problem.depth), valueDepth = pad(problem.valueDepth);
  double element = toDouble(bytesOf(problem.element));
  double shared = toDouble(schedule.getStages() * schedule.getBlockK() *
                           (depth + valueDepth)) *
                      element +
                  toDouble(schedule.getBlockQ() * depth) * element;
  // Partial results of warps that share rows; where no warp copies ahead, in
  // the place of keys and values that are done with.
  if (schedule.getKeySplit() > 1) {
    double partial =
        4 * toDouble(schedule.getConsumers() * kTileUnit * valueDepth);
    shared = schedule.getProducers() > 0 ? shared + partial
                                         : std::max(shared, partial);
  }
  if (!problem.isDense)
    shared += 4 * toDouble(std::min(problem.slots, kListEntries));
  int64_t warps = schedule.getProducers() + schedule.getConsumers();
  bool moves = target.wgmma && schedule.getProducers() % 4 == 0 &&
               schedule.getProducers() > 0 && schedule.getConsumers() % 4 == 0;
  double registers =
      toDouble(32 * warps) * (moves ? kMovedRegisters : kOwnRegisters);
  double most =
      std::min({std::floor(toDouble(target.sharedBytesPerSm) / (shared + 1024)),
                std::floor(toDouble(kSmRegisters) / registers),
                std::floor(toDouble(target.warpsPerSm / warps))});
  return std::max(most, 1.0);
}

/// Attention by rows, each in `parts` blocks of neighbouring keys; without the
/// bytes of operands and results.
static StageCost costOfRows(const AttentionProblem& problem, Operation* op,
                            AttentionScheduleAttr schedule, int64_t parts,
                            const CudaTarget& target) {
  Clock clock(target);
  Engine engine = schedule.getEngine();
  int64_t ratio = problem.heads / problem.groups;
  // Rows that read the same keys; see the lowerings.
  int64_t rows = problem.isDense ? ratio * problem.queries : ratio;
  double blocks = toDouble(problem.batch * problem.groups *
                           (problem.isDense ? 1 : problem.queries)) *
                  ceilDiv(rows, schedule.getBlockQ());
  double keys =
      toDouble(llvm::alignTo(problem.listed(), schedule.getBlockK())) *
      visibleShare(op, problem.queries, problem.keys) * listedShare(problem);
  double columns = toDouble(pad(problem.depth) + pad(problem.valueDepth));
  double element = toDouble(bytesOf(problem.element));
  double split = toDouble(parts);
  bool hasRing = schedule.getStages() > 1;

  StageCost stage;
  stage.kernel = problem.isDense ? "dense_attention" : "gather_attention";
  stage[CostTerm::Fill] = clock.fill(
      blocks * keys * (columns * element + (problem.isDense ? 0 : 4)));
  double operations =
      2 * blocks * toDouble(schedule.getBlockQ()) * keys * columns;
  stage[Clock::termOf(engine)] = clock.products(operations, engine);
  stage[CostTerm::Mufu] =
      clock.mufu(blocks * toDouble(schedule.getBlockQ()) * keys);
  // The steps of a block, whose tiles come one after the other.
  double ofWarp =
      toDouble(schedule.getBlockK()) / toDouble(schedule.getKeySplit());
  double perKey = engine == Engine::Fma ? kFmaKeyClocks : kKeyClocks;
  double step = kTileClocks + perKey * ofWarp * columns / kUsualColumns +
                (hasRing ? 0 : kCopyClocks);
  double held =
      std::min(blocksPerSm(schedule, problem, target),
               std::max(1.0, std::ceil(blocks * split / toDouble(target.sms))));
  stage[CostTerm::Latency] = clock.clocks(
      blocks * keys / toDouble(schedule.getBlockK()) * step / held);
  stage.rounds = clock.rounds(blocks * split);
  stage.launchUs = clock.launch(1);
  return stage;
}

ScheduleCost AttentionScheduleAttr::getCost(Operation* op,
                                            const CudaTarget& target) const {
  ScheduleCost cost;
  cost.stages.push_back(costOfRows(*problemOf(op).attention, op, *this,
                                   /*parts=*/1, target));
  cost.stages.back()[CostTerm::Memory] =
      Clock(target).memory(boundaryBytes(op));
  return cost;
}

double AttentionScheduleAttr::estimateCost(Operation* op,
                                           const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

/// Clocks of an SM for an entry of a list that is put into a union.
static constexpr double kListClocks = 1.65;

ScheduleCost DenseScheduleAttr::getCost(Operation* op,
                                        const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  Clock clock(target);
  double blocks = toDouble(problem.batch * problem.heads) *
                  ceilDiv(problem.queries, getBlockQ());
  // Of lists all keys that their mask shows are read.
  auto lists = op->getAttrOfType<ListsAttr>(kListsAttr);
  double visible = visibleShare(op, problem.queries, problem.keys);
  if (lists && lists.getMask() == Mask::Causal)
    visible = causalShare(problem.queries, problem.keys);
  double keys = toDouble(llvm::alignTo(problem.keys, getBlockK())) * visible;
  double columns = toDouble(problem.depth + problem.valueDepth);
  double rows = blocks * toDouble(getBlockQ());
  double share = getGroups() < 3 ? kTwoGroupsShare : 1.0;

  ScheduleCost cost;
  if (getMasked()) {
    // Lists are read, a bit for each pair is written.
    StageCost& strings = cost.stages.emplace_back();
    strings.kernel = "member_strings";
    double tokens = toDouble(problem.batch * problem.queries);
    strings[CostTerm::Issue] =
        clock.clocks(tokens * toDouble(problem.slots) * kListClocks);
    strings[CostTerm::Memory] = clock.memory(
        tokens * (4 * toDouble(problem.slots) + toDouble(problem.keys) / 8));
    strings.rounds = 1;
    strings.launchUs = clock.launch(1);
  }
  StageCost& stage = cost.stages.emplace_back();
  stage.kernel = lists ? "group_attention" : "dense_attention";
  stage[CostTerm::Tensor] =
      clock.products(2 * rows * keys * columns, getEngine()) / share;
  stage[CostTerm::Mufu] = clock.mufu(rows * keys);
  stage[CostTerm::Fill] =
      clock.fill(blocks * keys * columns * bytesOf(problem.element));
  stage[CostTerm::Memory] = clock.memory(boundaryBytes(op));
  stage.rounds = clock.rounds(blocks);
  // And the kernel of what is done again.
  stage.launchUs = clock.launch(2);
  return cost;
}

/// What splitting makes of the attention of one query of one sequence, applied
/// to all: the choice, and with it the last bits of a row, depends neither on
/// the batch nor on the number of queries. It is compared with attention by
/// query as it usually is.
double SplitAttentionScheduleAttr::estimateCost(
    Operation* op, const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  bool isF32 = problem.element.isF32();
  auto usual = AttentionScheduleAttr::get(
      getContext(), isF32 ? Engine::Fma : Engine::MmaSync, /*block_q=*/16,
      /*block_k=*/64, /*stages=*/2, /*producers=*/4, /*consumers=*/4);
  AttentionProblem one = problem;
  one.batch = one.queries = 1;
  auto parts = static_cast<int64_t>(
      llvm::divideCeil(std::max<int64_t>(one.slots, 1), getEntries()));
  Clock clock(target);
  // Outputs of parts, written and read.
  double merge =
      clock.memory(toDouble(parts * one.heads * one.valueDepth) * 8) +
      clock.launch(1);
  // Further stages for the parts of a block are one of the choices that a row
  // does not depend on.
  AttentionScheduleAttr part = getPart();
  if (part.getStages() > 1 && getCluster() > 0)
    part = part.withStages(
        std::min(part.getStages(),
                 std::max<int64_t>(getEntries() / part.getBlockK(), 1)));
  double split =
      costOfRows(one, op, part, parts, target).microseconds() + merge;
  double whole = costOfRows(one, op, usual, /*parts=*/1, target).microseconds();
  return usual.estimateCost(op, target) * split / std::max(whole, 1e-6);
}

double DenseScheduleAttr::estimateCost(Operation* op,
                                       const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

//===----------------------------------------------------------------------===//
// Scores and rows
//===----------------------------------------------------------------------===//

/// The kernel of scores, `share` of which are visible; `writes` them.
static StageCost scoreStage(ScoreScheduleAttr schedule,
                            const ScoreProblem& problem, double share,
                            bool writes, const CudaTarget& target) {
  Clock clock(target);
  double rows =
      toDouble(problem.batch) * ceilDiv(problem.queries, schedule.getBlockQ());
  double spans =
      ceilDiv(problem.keys, schedule.getSpan() * schedule.getBlockK());
  double keys =
      share * toDouble(llvm::alignTo(problem.keys, schedule.getBlockK()));
  double columns = toDouble(pad(problem.depth));
  double heads = toDouble(problem.heads);
  double blockQ = toDouble(schedule.getBlockQ());
  double element = toDouble(bytesOf(problem.element));
  double scores = rows * blockQ * keys * heads;

  StageCost stage;
  stage.kernel = "index_scores";
  Engine engine = schedule.getEngine();
  stage[Clock::termOf(engine)] = clock.products(2 * scores * columns, engine);
  stage[CostTerm::Mufu] = clock.mufu(scores);
  bool isPaired = schedule.getFragmentHeads() > 1;
  double instructions =
      isPaired ? kPairedInstructions + kPairedDepth * columns / kUsualDepth
               : kScoreInstructions + kScoreDepth * columns / kUsualDepth;
  stage[CostTerm::Issue] = clock.issue(scores * instructions / 32);
  // Queries for each span, keys for each block of rows; where heads come with
  // the keys, queries for each tile, and keys for each of their groups.
  double loads = spans, groups = 1;
  if (int64_t headTile = schedule.getHeadTile()) {
    loads = keys / toDouble(schedule.getBlockK());
    groups = heads / toDouble(headTile);
  }
  stage[CostTerm::Fill] = clock.fill(rows * columns * element *
                                     (loads * blockQ * heads + groups * keys));
  stage[CostTerm::Memory] = clock.memory(
      toDouble(problem.batch) * element * columns *
          (toDouble(problem.queries) * heads + toDouble(problem.keys)) +
      (writes ? 4 * rows * blockQ * keys : 0));
  // With one team copies hide behind nothing.
  if (schedule.getStages() == 1)
    for (double& term : stage.terms)
      if (&term != &stage[CostTerm::Fill]) term += stage[CostTerm::Fill];
  stage.rounds = clock.rounds(rows * spans);
  return stage;
}

ScheduleCost ScoreScheduleAttr::getCost(Operation* op,
                                        const CudaTarget& target) const {
  ScoreProblem problem = *problemOf(op).scores;
  ScheduleCost cost;
  cost.stages.push_back(scoreStage(
      *this, problem, visibleShare(op, problem.queries, problem.keys),
      /*writes=*/true, target));
  StageCost& stage = cost.stages.back();
  // Hidden scores are written, too.
  stage[CostTerm::Memory] = std::max(stage[CostTerm::Memory],
                                     Clock(target).memory(boundaryBytes(op)));
  stage.launchUs = Clock(target).launch(1);
  return cost;
}

double ScoreScheduleAttr::estimateCost(Operation* op,
                                       const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

/// The kernel that selects rows whose scores are in memory, reading them
/// `passes` times.
static StageCost rowStage(TopKScheduleAttr schedule, const TopKProblem& problem,
                          double share, const CudaTarget& target,
                          int64_t passes = kRowPasses) {
  Clock clock(target);
  double rows = toDouble(problem.batch * problem.queries);
  double cells = rows * share * toDouble(problem.keys);
  if (passes > 1 && problem.slots > schedule.getCapacity())
    passes += kMoreRowPasses;
  StageCost stage;
  stage.kernel = "select_rows";
  stage[CostTerm::Issue] =
      clock.clocks(cells * kCellClocks * toDouble(passes) +
                   rows * kSlotClocks * toDouble(problem.slots));
  // Rows that L2 holds while they are worked on come from memory once; others
  // each time, and are waited for.
  bool isCached =
      4 * share * toDouble(problem.keys) * kRowBlocks * toDouble(target.sms) <
      toDouble(target.rates.l2Bytes);
  double slots = 4 * rows * toDouble(problem.slots);
  stage[CostTerm::Memory] = clock.memory(4 * cells + slots);
  if (!isCached)
    stage[CostTerm::Issue] +=
        clock.memory(4 * cells * toDouble(passes) + slots);
  stage.rounds = clock.rounds(rows);
  return stage;
}

ScheduleCost TopKScheduleAttr::getCost(Operation* op,
                                       const CudaTarget& target) const {
  ScheduleCost cost;
  cost.stages.push_back(rowStage(*this, *problemOf(op).rows, 1, target));
  cost.stages.back().launchUs = Clock(target).launch(1);
  return cost;
}

double TopKScheduleAttr::estimateCost(Operation* op,
                                      const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

ScheduleCost SelectScheduleAttr::getCost(Operation* op,
                                         const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  const TopKProblem& rows = *problem.rows;
  double share = visibleShare(op, rows.queries, rows.keys);
  double chunks =
      toDouble(rows.batch) * ceilDiv(rows.queries, getTopk().getChunk());
  ScheduleCost cost;
  cost.stages.push_back(scoreStage(getScores(), *problem.scores, share,
                                   /*writes=*/true, target));
  cost.stages.push_back(rowStage(getTopk(), rows, share, target));
  for (StageCost& stage : cost.stages)
    stage.launchUs = Clock(target).launch(chunks);
  return cost;
}

double SelectScheduleAttr::estimateCost(Operation* op,
                                        const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

//===----------------------------------------------------------------------===//
// Selection in one pass
//===----------------------------------------------------------------------===//

ScheduleCost OnePassScheduleAttr::getCost(Operation* op,
                                          const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  const TopKProblem& rows = *problem.rows;
  Clock clock(target);
  double share = visibleShare(op, rows.queries, rows.keys);
  double count = toDouble(rows.batch * rows.queries);
  double sampled = share * toDouble(rows.keys) / toDouble(getSample());
  // As many as the sample's rank stands for.
  double candidates = count * std::min(toDouble(getRank() * getSample()),
                                       share * toDouble(rows.keys));
  ScheduleCost cost;
  // A sixteenth of the keys, say, whose scores are written.
  ScoreProblem sample = *problem.scores;
  sample.keys = static_cast<int64_t>(llvm::divideCeil(rows.keys, getSample()));
  cost.stages.push_back(
      scoreStage(getScores(), sample, share, /*writes=*/true, target));
  cost.stages.back().kernel = "sample_scores";
  StageCost& bounds = cost.stages.emplace_back();
  bounds.kernel = "row_bounds";
  bounds[CostTerm::Issue] =
      clock.clocks(count * (kBoundClocks + kSampleClocks * sampled));
  bounds[CostTerm::Memory] = clock.memory(4 * count * sampled);
  StageCost append =
      scoreStage(getScores(), *problem.scores, share, /*writes=*/false, target);
  auto select = cast<SelectOp>(op);
  bool keeps = getKeep() && select.getPolicy().usesNormaliser() &&
               !select.getNormaliser();
  if (select.getPolicy().usesStatistic() && !keeps) {
    StageCost& moments = cost.stages.emplace_back(append);
    moments.kernel = "score_moments";
    for (double& term : moments.terms) term *= kMomentsShare;
  }
  append.kernel = "append_scores";
  // Candidates are appended by the warps that wait for nothing else.
  double appended = clock.clocks(candidates * kAppendClocks);
  append[CostTerm::Issue] =
      std::max(append[CostTerm::Issue], append[CostTerm::Mufu]) + appended;
  append[CostTerm::Memory] += clock.memory(8 * candidates);
  cost.stages.push_back(append);
  double slots = count * toDouble(rows.slots);
  StageCost& exact = cost.stages.emplace_back();
  exact.kernel = keeps ? "select_most" : "select_candidates";
  exact[CostTerm::Issue] = clock.clocks(candidates * kCandidateClocks);
  exact[CostTerm::Memory] =
      clock.memory(8 * candidates + (keeps ? 8 : 4) * slots);
  exact.launchUs = clock.launch(kOnePassLaunches * toDouble(rows.batch) *
                                ceilDiv(rows.queries, getChunk()));
  if (!keeps) return cost;
  StageCost& trim = cost.stages.emplace_back();
  trim.kernel = "trim_rows";
  trim[CostTerm::Issue] = clock.clocks(slots * kCandidateClocks);
  trim[CostTerm::Memory] = clock.memory(12 * slots);
  return cost;
}

double OnePassScheduleAttr::estimateCost(Operation* op,
                                         const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

//===----------------------------------------------------------------------===//
// Shared keys
//===----------------------------------------------------------------------===//

/// Of the rate at which lists of one query fill shared memory what unions
/// reach.
static constexpr double kUnionFill = 0.92;
/// And those of two warpgroups, each of which waits for the other's tiles.
static constexpr double kSplitUnionFill = 0.6;
/// Rows of a warpgroup.
static constexpr double kGroupRows = 64;

/// Keys of the union of the lists of `queries` neighbouring queries.
static double unionKeys(double queries, const AttentionProblem& problem) {
  return std::min(usualUnion(queries, problem) * listedShare(problem) *
                      toDouble(problem.slots),
                  toDouble(problem.keys));
}

/// Adds the kernel that makes unions of `keys` keys for `tiles` tiles.
static void addUnionLists(ScheduleCost& cost, const AttentionProblem& problem,
                          const Clock& clock, double tiles, double keys) {
  StageCost& lists = cost.stages.emplace_back();
  lists.kernel = "union_lists";
  double entries = toDouble(problem.batch * problem.queries * problem.slots) *
                   listedShare(problem);
  lists[CostTerm::Issue] = clock.clocks(entries * kListClocks);
  // Lists are read; keys, words and bits of a union are written.
  lists[CostTerm::Memory] = clock.memory(4 * entries + 12 * tiles * keys);
  lists.rounds = clock.rounds(tiles);
}

ScheduleCost UnionScheduleAttr::getCost(Operation* op,
                                        const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  Clock clock(target);
  double tiles =
      toDouble(problem.batch) * ceilDiv(problem.queries, getQueries());
  double blocks = tiles * toDouble(problem.groups);
  // Keys are copied for all queries of a block; a warpgroup multiplies what its
  // own ones want.
  double warpgroups = toDouble(getConsumers()) / 4;
  auto unionOf = [&](double queries) {
    return std::ceil(unionKeys(queries, problem) / toDouble(getBlockK())) *
           toDouble(getBlockK());
  };
  double keys = unionOf(toDouble(getQueries()));
  double rowKeys =
      warpgroups * kGroupRows * unionOf(toDouble(getQueries()) / warpgroups);
  double columns = toDouble(pad(problem.depth) + pad(problem.valueDepth));

  ScheduleCost cost;
  addUnionLists(cost, problem, clock, tiles, keys);
  StageCost& stage = cost.stages.emplace_back();
  stage.kernel = "union_attention";
  stage[CostTerm::Tensor] =
      clock.products(2 * blocks * rowKeys * columns, getEngine());
  stage[CostTerm::Mufu] = clock.mufu(blocks * rowKeys);
  stage[CostTerm::Fill] =
      clock.fill(blocks * keys * columns * bytesOf(problem.element)) /
      (getGroups() > 1 ? kSplitUnionFill : kUnionFill);
  stage[CostTerm::Memory] = clock.memory(boundaryBytes(op));
  stage.rounds = clock.rounds(blocks);
  // Lists, attention, and what is done again.
  stage.launchUs = clock.launch(3 * toDouble(problem.batch) *
                                ceilDiv(problem.queries, getChunk()));
  return cost;
}

double UnionScheduleAttr::estimateCost(Operation* op,
                                       const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

/// Bytes a nanosecond at which rows are added to rows in the second-level
/// cache: whole rows by the bulk engine, and elements.
static constexpr double kReduceRows = 2.5e3, kReduceElements = 0.8e3;

/// Microseconds for rows of two gradients that are added, in f32.
static double reduceTime(double rows, const AttentionProblem& problem,
                         double rate) {
  return 4 * rows * toDouble(problem.depth + problem.valueDepth) / (rate * 1e3);
}

double GatherGradScheduleAttr::estimateCost(Operation* op,
                                            const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  Clock clock(target);
  double blocks = toDouble(problem.batch * problem.groups * problem.queries) *
                  ceilDiv(problem.heads / problem.groups, kTileUnit);
  double keys = toDouble(llvm::alignTo(problem.slots, getBlockK())) *
                listedShare(problem);
  double columns =
      toDouble(3 * pad(problem.depth) + 2 * pad(problem.valueDepth));
  double products = clock.products(
      2 * blocks * toDouble(kTileUnit) * keys * columns, getEngine());
  return std::max(products,
                  reduceTime(blocks * keys, problem, kReduceElements)) +
         clock.launch(1);
}

ScheduleCost UnionGradScheduleAttr::getCost(Operation* op,
                                            const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  Clock clock(target);
  double tiles =
      toDouble(problem.batch) * ceilDiv(problem.queries, getQueries());
  double blocks = tiles * toDouble(problem.groups);
  double keys = unionKeys(toDouble(getQueries()), problem);
  ScheduleCost cost;
  addUnionLists(cost, problem, clock, tiles, keys);
  StageCost& stage = cost.stages.emplace_back();
  stage.kernel = "union_gradient";
  double rows = kGroupRows * toDouble(getGroups());
  stage[CostTerm::Tensor] = clock.products(
      2 * blocks * rows * keys *
          toDouble(3 * pad(problem.depth) + 2 * pad(problem.valueDepth)),
      getEngine());
  stage[CostTerm::Mufu] = clock.mufu(blocks * rows * keys);
  stage[CostTerm::Memory] =
      std::max(clock.memory(boundaryBytes(op)),
               reduceTime(blocks * keys, problem, kReduceRows));
  double launches = 3;
  if (getKeyChunks() > 1) {
    // Rows of queries are read for each range, and added up in f32. Rows of
    // few keys are added no faster than those of many (docs/performance.md).
    double ranges = toDouble(getKeyChunks());
    double queryRows = ranges * toDouble(problem.batch * problem.queries) *
                       toDouble(problem.heads);
    stage[CostTerm::Memory] +=
        clock.memory(queryRows *
                     toDouble(pad(problem.depth) + pad(problem.valueDepth)) *
                     bytesOf(problem.element)) +
        4 * queryRows * toDouble(problem.depth) / (kReduceRows * 1e3);
    launches += ranges + 1;
  }
  stage.rounds = clock.rounds(blocks);
  stage.launchUs = clock.launch(launches * toDouble(problem.batch) *
                                ceilDiv(problem.queries, getChunk()));
  return cost;
}

double UnionGradScheduleAttr::estimateCost(Operation* op,
                                           const CudaTarget& target) const {
  return getCost(op, target).microseconds();
}

double SplitSelectScheduleAttr::estimateCost(Operation* op,
                                             const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  const ScoreProblem& scores = *problem.scores;
  Clock clock(target);
  double keys = toDouble(scores.keys);
  double rows = toDouble(scores.batch * scores.queries);
  double columns = toDouble(pad(scores.depth));
  double blocks =
      toDouble(scores.batch) *
      (selectsInCluster()
           ? toDouble(getCluster())
           : ceilDiv(std::max<int64_t>(scores.keys, 1), getSpanKeys()));
  // Index keys once for all queries of a sequence, scores written.
  double memory = clock.memory(toDouble(scores.batch) * keys * columns *
                                   bytesOf(scores.element) +
                               rows * keys * 4);
  double products = clock.products(
      2 * rows * toDouble(kTileUnit) * keys * columns, getEngine());
  double pass =
      clock.rounds(blocks) *
      (getStages() > 1 ? std::max(memory, products) : memory + products);
  if (!hasLists()) {
    StageCost select = rowStage(getRowsOfBlock(), *problem.rows, /*share=*/1,
                                target, getRowCells() > 0 ? 1 : kRowPasses);
    return pass + select.microseconds() +
           clock.launch(selectsInCluster() ? 1 : 2);
  }
  double sampled = pass / toDouble(getSample());
  double listed = clock.memory(rows * toDouble(getCapacity()) * 16);
  return pass + sampled + clock.rounds(rows) * listed +
         clock.launch(getCluster() > 0 ? 3 : 4);
}
