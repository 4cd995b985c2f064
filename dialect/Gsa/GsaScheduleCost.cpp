//===- GsaScheduleCost.cpp - a cheap estimate of time ---------------------===//
//
// time = rounds * (ring ? max(memory, products) : memory + products)
//
// in microseconds, with
//
//   memory   = bytes that blocks read / memory rate of the target
//   products = 2 * rows * keys * elements, padded to tiles, / rate of the
//   engine rounds   = the last round of blocks on all SMs counted as a full one
//
// Bytes that several blocks read count as often, though a cache may have them;
// causal masks and short lists do not count. What kernels that fill rings hide
// is taken to be all of the shorter side. The estimate orders schedules of an
// op; it is no promise of a time.
//
//===----------------------------------------------------------------------===//

#include <cmath>

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Of the rate of wgmma what mma.sync reaches where both exist.
static constexpr double kMmaSyncShare = 0.6;
/// Of that rate what two warpgroups reach in dense attention where three reach
/// all of it (docs/performance.md).
static constexpr double kTwoGroupsShare = 0.92;
/// Reads of a row of scores: its range, its histogram, its cells.
static constexpr int64_t kRowPasses = 3;
/// Microseconds of a further kernel.
static constexpr double kLaunch = 2;
/// Further reads if the slots do not fit into shared memory.
static constexpr int64_t kMoreRowPasses = 4;

static int64_t pad(int64_t size) { return llvm::alignTo(size, kTileUnit); }

static double bytesOf(Type element) {
  return element.getIntOrFloatBitWidth() / 8.0;
}

/// GFLOP/s.
static double rateOf(Engine engine, const CudaTarget& target) {
  if (engine == Engine::Fma) return target.fmaRate;
  bool isHalf = engine == Engine::MmaSync && target.wgmma;
  return isHalf ? kMmaSyncShare * target.tensorRate : target.tensorRate;
}

/// Blocks in whole rounds over blocks.
static double roundsOf(double blocks, const CudaTarget& target) {
  auto sms = static_cast<double>(target.sms);
  return blocks > 0 ? std::ceil(blocks / sms) * sms / blocks : 1.0;
}

/// A rate of 1 giga a second is 1000 a microsecond.
static double estimate(double bytes, double operations, double blocks,
                       bool hasRing, Engine engine, const CudaTarget& target) {
  double memory = bytes / (target.memoryRate * 1e3);
  double products = operations / (rateOf(engine, target) * 1e3);
  return roundsOf(blocks, target) *
         (hasRing ? std::max(memory, products) : memory + products);
}

/// Attention by rows, each in `parts` blocks of neighbouring keys.
static double estimateAttention(const AttentionProblem& problem, int64_t parts,
                                AttentionScheduleAttr schedule,
                                const CudaTarget& target) {
  int64_t ratio = problem.heads / problem.groups;
  // Rows that read the same keys; see the lowerings.
  int64_t rows = problem.isDense ? ratio * problem.queries : ratio;
  double blocks = static_cast<double>(
      problem.batch * problem.groups * (problem.isDense ? 1 : problem.queries) *
      static_cast<int64_t>(llvm::divideCeil(rows, schedule.getBlockQ())));
  double keys = static_cast<double>(
      llvm::alignTo(problem.listed(), schedule.getBlockK()));
  double columns = static_cast<double>(pad(problem.depth)) +
                   static_cast<double>(pad(problem.valueDepth));
  double bytes = blocks * (keys * columns * bytesOf(problem.element) +
                           (problem.isDense ? 0 : 4 * keys));
  double operations =
      2 * blocks * static_cast<double>(schedule.getBlockQ()) * keys * columns;
  return estimate(bytes, operations, blocks * static_cast<double>(parts),
                  schedule.getStages() > 1, schedule.getEngine(), target);
}

double AttentionScheduleAttr::estimateCost(Operation* op,
                                           const CudaTarget& target) const {
  return estimateAttention(*problemOf(op).attention, 1, *this, target);
}

/// What splitting makes of the attention of one query of one sequence, applied
/// to all: the choice, and with it the last bits of a row, depends neither on
/// the batch nor on the number of queries.
double SplitAttentionScheduleAttr::estimateCost(
    Operation* op, const CudaTarget& target) const {
  AttentionProblem one = *problemOf(op).attention;
  one.batch = one.queries = 1;
  auto parts = static_cast<int64_t>(
      llvm::divideCeil(std::max<int64_t>(one.slots, 1), getEntries()));
  double whole = estimateAttention(one, 1, getPart(), target);
  // Outputs of parts, written and read.
  double merge = static_cast<double>(parts * one.heads * one.valueDepth) * 8 /
                 (target.memoryRate * 1e3);
  double split =
      estimateAttention(one, parts, getPart(), target) + merge + kLaunch;
  return getPart().estimateCost(op, target) * split / std::max(whole, 1e-6);
}

double DenseScheduleAttr::estimateCost(Operation* op,
                                       const CudaTarget& target) const {
  AttentionProblem problem = *problemOf(op).attention;
  auto blocks = static_cast<double>(
      problem.batch * problem.heads *
      static_cast<int64_t>(llvm::divideCeil(problem.queries, getBlockQ())));
  double keys = static_cast<double>(llvm::alignTo(problem.keys, getBlockK()));
  double columns = static_cast<double>(problem.depth) +
                   static_cast<double>(problem.valueDepth);
  // Blocks of the heads of a group are neighbours and read the same keys.
  double bytes = blocks * static_cast<double>(problem.groups) /
                 static_cast<double>(problem.heads) * keys * columns *
                 bytesOf(problem.element);
  double operations =
      2 * blocks * static_cast<double>(getBlockQ()) * keys * columns;
  double share = getGroups() < 3 ? kTwoGroupsShare : 1.0;
  return estimate(bytes, operations / share, blocks, /*hasRing=*/true,
                  getEngine(), target);
}

double ScoreScheduleAttr::estimateCost(Operation* op,
                                       const CudaTarget& target) const {
  ScoreProblem problem = *problemOf(op).scores;
  auto rows = static_cast<double>(
      problem.batch * llvm::divideCeil(problem.queries, getBlockQ()));
  auto spans = static_cast<double>(
      llvm::divideCeil(problem.keys, getSpan() * getBlockK()));
  double keys = static_cast<double>(llvm::alignTo(problem.keys, getBlockK()));
  auto columns = static_cast<double>(pad(problem.depth));
  auto heads = static_cast<double>(problem.heads);
  auto blockQ = static_cast<double>(getBlockQ());
  double element = bytesOf(problem.element);
  // Queries for each span, keys for each block of rows, scores once.
  double bytes = rows * (spans * blockQ * heads * columns * element +
                         keys * columns * element + blockQ * keys * 4);
  double operations = 2 * rows * blockQ * keys * heads * columns;
  return estimate(bytes, operations, rows * spans, getStages() > 1, getEngine(),
                  target);
}

double TopKScheduleAttr::estimateCost(Operation* op,
                                      const CudaTarget& target) const {
  TopKProblem problem = *problemOf(op).rows;
  auto rows = static_cast<double>(problem.batch * problem.queries);
  int64_t passes = kRowPasses;
  if (problem.slots > getCapacity()) passes += kMoreRowPasses;
  double bytes = rows * static_cast<double>(problem.keys) * 4 *
                 static_cast<double>(passes);
  return estimate(bytes, 0, rows, /*hasRing=*/true, Engine::Fma, target);
}

double SelectScheduleAttr::estimateCost(Operation* op,
                                        const CudaTarget& target) const {
  return getScores().estimateCost(op, target) +
         getTopk().estimateCost(op, target);
}

double SplitSelectScheduleAttr::estimateCost(Operation* op,
                                             const CudaTarget& target) const {
  ScheduleProblem problem = problemOf(op);
  ScoreProblem scores = *problem.scores;
  auto sequences = static_cast<double>(scores.batch);
  auto keys = static_cast<double>(scores.keys);
  auto rows = static_cast<double>(scores.batch * scores.queries);
  auto columns = static_cast<double>(pad(scores.depth));
  double sampled = hasLists() ? 1.0 / static_cast<double>(getSample()) : 0.0;
  double bytes =
      (1 + sampled) *
      (sequences * keys * columns * bytesOf(scores.element) + rows * keys * 4);
  double operations = (1 + sampled) * 2 * rows *
                      static_cast<double>(kTileUnit) * keys * columns;
  double blocks =
      sequences * static_cast<double>(llvm::divideCeil(
                      std::max<int64_t>(scores.keys, 1), getSpanKeys()));
  double cost =
      estimate(bytes, operations, blocks, getStages() > 1, getEngine(), target);
  if (!hasLists()) return cost + kLaunch + getRows().estimateCost(op, target);
  double listed = rows * static_cast<double>(getCapacity()) * 16;
  return cost + 3 * kLaunch +
         estimate(listed, 0, rows, /*hasRing=*/true, Engine::Fma, target);
}
