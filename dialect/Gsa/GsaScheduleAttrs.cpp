//===- GsaScheduleAttrs.cpp - what holds on every device ------------------===//

#include <algorithm>

#include "dialect/Gsa/GsaDialect.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

/// Threads of the largest block.
static constexpr int64_t kMostThreads = 1024;
/// Scores of a row that a warp takes in one step: positions of up to three
/// steps of 32 warps behind the longest row are 32-bit numbers (kMaxRowCells).
static constexpr int64_t kMostStep = 256;
/// Blocks of rows that an SM shall hold.
static constexpr int64_t kMostSmBlocks = 16;

/// A number of warps, steps or blocks, in [least, most].
static LogicalResult verifyRange(EmitError emitError, StringRef constraint,
                                 StringRef name, int64_t got, int64_t least,
                                 int64_t most) {
  if (got >= least && got <= most) return success();
  return emitError() << "(" << constraint << ") '" << name << "' must be in ["
                     << least << ", " << most << "], got " << got;
}

/// What a warp takes in one step: a multiple of `unit` up to `most`.
static LogicalResult verifyStep(EmitError emitError, StringRef constraint,
                                StringRef name, int64_t got, int64_t unit,
                                int64_t most) {
  if (got >= unit && got <= most && got % unit == 0) return success();
  return emitError() << "(" << constraint << ") '" << name
                     << "' must be a multiple of " << unit << " in [" << unit
                     << ", " << most << "], got " << got;
}

static LogicalResult verifyPowerOf2(EmitError emitError, StringRef constraint,
                                    StringRef name, int64_t got, int64_t least,
                                    int64_t most) {
  if (got >= least && got <= most && llvm::isPowerOf2_64(got)) return success();
  return emitError() << "(" << constraint << ") '" << name
                     << "' must be a power of two in [" << least << ", " << most
                     << "], got " << got;
}

LogicalResult gsa::detail::verifyRing(EmitError emitError, int64_t stages,
                                      int64_t producers, int64_t consumers) {
  if (stages < 1 || stages > 8)
    return emitError() << "(C2) 'stages' must be in [1, 8], got " << stages;
  if (producers == 0 && stages != 1)
    return emitError() << "(C2) without producers there is one stage, got "
                       << stages;
  if (producers < 0 || consumers < 1 || producers + consumers > 32)
    return emitError() << "(C3) expected at least one consumer and at most 32 "
                          "warps, got "
                       << producers << " producers and " << consumers
                       << " consumers";
  return success();
}

static LogicalResult verifyBlockK(EmitError emitError, int64_t blockK,
                                  int64_t unit = 16) {
  if (blockK < unit || blockK > 256 || blockK % unit != 0)
    return emitError() << "(C1) 'block_k' must be a multiple of " << unit
                       << " in [" << unit << ", 256], got " << blockK;
  return success();
}

LogicalResult AttentionScheduleAttr::verify(
    EmitError emitError, Engine, int64_t blockQ, int64_t blockK, int64_t stages,
    int64_t producers, int64_t consumers, int64_t foundRows, int64_t smBlocks) {
  if (blockQ < 16 || blockQ > 128 || !llvm::isPowerOf2_64(blockQ))
    return emitError() << "(C1) 'block_q' must be 16, 32, 64 or 128, got "
                       << blockQ;
  if (failed(verifyBlockK(emitError, blockK)) ||
      failed(verifyRing(emitError, stages, producers, consumers)))
    return failure();
  int64_t rowWarps = blockQ / 16;
  if (consumers % rowWarps != 0)
    return emitError() << "(C3) 'consumers' must be a multiple of block_q / 16"
                          " = "
                       << rowWarps << ", got " << consumers;
  if (blockK % (16 * (consumers / rowWarps)) != 0)
    return emitError() << "(C3) 'block_k' must be divisible by 16 times the "
                       << consumers / rowWarps << " parts of keys, got "
                       << blockK;
  if (failed(verifyRange(emitError, "C4", "found_rows", foundRows, 0, 16)))
    return failure();
  return verifyRange(emitError, "C5", "sm_blocks", smBlocks, 1, 16);
}

AttentionScheduleAttr AttentionScheduleAttr::withStages(int64_t stages) const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), stages,
             getProducers(), getConsumers(), getFoundRows(), getSmBlocks());
}

AttentionScheduleAttr AttentionScheduleAttr::withWarps(
    int64_t producers, int64_t consumers) const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), getStages(),
             producers, consumers, getFoundRows(), getSmBlocks());
}

/// Rings of keys and of values.
static LogicalResult verifyRings(EmitError emitError, int64_t keyStages,
                                 int64_t valueStages) {
  for (auto [name, stages] :
       {std::pair<StringRef, int64_t>{"key_stages", keyStages},
        {"value_stages", valueStages}})
    if (stages < 1 || stages > 8)
      return emitError() << "(C2) '" << name << "' must be in [1, 8], got "
                         << stages;
  return success();
}

static LogicalResult verifyWgmma(EmitError emitError, Engine engine) {
  if (engine == Engine::Wgmma) return success();
  return emitError() << "(C1) 'engine' must be wgmma, got "
                     << stringifyEngine(engine);
}

LogicalResult DenseScheduleAttr::verify(
    EmitError emitError, Engine engine, int64_t blockQ, int64_t blockK,
    int64_t keyStages, int64_t valueStages, GroupOrder order,
    AttentionScheduleAttr, bool masked, int64_t stringWarps,
    int64_t stringEntries, int64_t shortWarps, int64_t againSmBlocks) {
  if (failed(verifyWgmma(emitError, engine))) return failure();
  if (blockQ < 64 || blockQ > 256 || blockQ % 64 != 0)
    return emitError() << "(C1) 'block_q' must be 64, 128, 192 or 256, got "
                       << blockQ;
  if (failed(verifyBlockK(emitError, blockK)) ||
      failed(verifyRings(emitError, keyStages, valueStages)))
    return failure();
  if (order == GroupOrder::PingPong && blockQ < 128)
    return emitError()
           << "(C3) ping_pong needs a 'block_q' of 128 or more, got " << blockQ;
  if (masked && blockK % 32 != 0)
    return emitError()
           << "(C4) 'masked' needs a 'block_k' that is a multiple of "
              "32, got "
           << blockK;
  if (failed(verifyPowerOf2(emitError, "C5", "string_warps", stringWarps, 1,
                            32)) ||
      failed(verifyStep(emitError, "C5", "string_entries", stringEntries, 128,
                        1024)) ||
      failed(verifyRange(emitError, "C5", "short_warps", shortWarps, 1, 32)))
    return failure();
  return verifyRange(emitError, "C6", "again_sm_blocks", againSmBlocks, 1, 16);
}

namespace {

/// What the kernels of unions are told, and those that make them.
struct UnionNumbers {
  int64_t queries, groups, keyStages, valueStages, producers, table, chunk;
  int64_t listWarps, listEntries, listWords, listSmBlocks, againSmBlocks;
};

}  // namespace

static LogicalResult verifyUnion(EmitError emitError, Engine engine,
                                 const UnionNumbers& n) {
  if (failed(verifyWgmma(emitError, engine))) return failure();
  if (n.queries < 2 || n.queries > 32)
    return emitError() << "(C1) 'queries' must be in [2, 32], got "
                       << n.queries;
  if (n.table < 1024 || n.table > 32768 || n.table % 1024 != 0)
    return emitError() << "(C1) 'table' must be a multiple of 1024 in "
                          "[1024, 32768], got "
                       << n.table;
  if (failed(verifyRings(emitError, n.keyStages, n.valueStages)))
    return failure();
  if (n.producers < 4 || n.producers > 12 || n.producers % 4 != 0)
    return emitError() << "(C3) 'producers' must be 4, 8 or 12, got "
                       << n.producers;
  if (n.chunk < n.queries || n.chunk % n.queries != 0)
    return emitError() << "(C3) 'chunk' must be a positive multiple of the "
                       << n.queries << " queries of a block, got " << n.chunk;
  if (n.groups < 1 || n.groups > 2)
    return emitError() << "(C4) 'groups' must be 1 or 2, got " << n.groups;
  if (n.queries % n.groups != 0)
    return emitError() << "(C4) 'groups' must divide the " << n.queries
                       << " queries of a block, got " << n.groups;
  if (failed(
          verifyPowerOf2(emitError, "C5", "list_warps", n.listWarps, 1, 32)) ||
      failed(verifyStep(emitError, "C6", "list_entries", n.listEntries, 32,
                        1024)) ||
      failed(
          verifyStep(emitError, "C6", "list_words", n.listWords, 32, 1024)) ||
      failed(verifyRange(emitError, "C7", "list_sm_blocks", n.listSmBlocks, 1,
                         16)))
    return failure();
  return verifyRange(emitError, "C7", "again_sm_blocks", n.againSmBlocks, 1,
                     16);
}

LogicalResult UnionScheduleAttr::verify(
    EmitError emitError, Engine engine, int64_t queries, int64_t groups,
    int64_t blockK, int64_t keyStages, int64_t valueStages, int64_t producers,
    int64_t table, int64_t chunk, AttentionScheduleAttr, int64_t listWarps,
    int64_t listEntries, int64_t listWords, int64_t listSmBlocks,
    int64_t againSmBlocks) {
  if (blockK < 32 || blockK > 256 || blockK % 32 != 0)
    return emitError() << "(C1) 'block_k' must be a multiple of 32 in "
                          "[32, 256], got "
                       << blockK;
  return verifyUnion(
      emitError, engine,
      {queries, groups, keyStages, valueStages, producers, table, chunk,
       listWarps, listEntries, listWords, listSmBlocks, againSmBlocks});
}

LogicalResult UnionGradScheduleAttr::verify(
    EmitError emitError, Engine engine, int64_t queries, int64_t groups,
    int64_t keyStages, int64_t valueStages, int64_t producers, int64_t table,
    int64_t chunk, GatherGradScheduleAttr, int64_t listWarps,
    int64_t listEntries, int64_t listWords, int64_t listSmBlocks,
    int64_t againSmBlocks, int64_t keyChunks) {
  if (failed(verifyRange(emitError, "C8", "key_chunks", keyChunks, 1, 64)))
    return failure();
  return verifyUnion(
      emitError, engine,
      {queries, groups, keyStages, valueStages, producers, table, chunk,
       listWarps, listEntries, listWords, listSmBlocks, againSmBlocks});
}

LogicalResult GatherGradScheduleAttr::verify(EmitError emitError, Engine engine,
                                             int64_t blockK, int64_t columns) {
  if (engine == Engine::Wgmma)
    return emitError() << "(C1) 'engine' must be fma or mma_sync, got "
                       << stringifyEngine(engine);
  if (failed(verifyPowerOf2(emitError, "C1", "block_k", blockK, 16, 64)))
    return failure();
  return verifyPowerOf2(emitError, "C2", "columns", columns, 16, 64);
}

LogicalResult ScoreScheduleAttr::verify(EmitError emitError, Engine engine,
                                        int64_t blockQ, int64_t blockK,
                                        int64_t span, int64_t stages,
                                        int64_t producers, int64_t consumers,
                                        int64_t pairs, bool boxes,
                                        int64_t keptHeads, int64_t headTile) {
  int64_t unit = engine == Engine::Wgmma ? 8 : 16;
  if (failed(verifyBlockK(emitError, blockK, unit)) ||
      failed(verifyRing(emitError, stages, producers, consumers)))
    return failure();
  bool isHalf = engine == Engine::Wgmma && blockQ == 8 * consumers;
  if (blockQ != 16 * consumers && !isHalf)
    return emitError() << "(C1) 'block_q' must be 16 times the " << consumers
                       << " consumers, got " << blockQ;
  if (span < 1)
    return emitError() << "(C3) 'span' must be at least 1, got " << span;
  if (engine == Engine::Wgmma && consumers % 4 != 0)
    return emitError() << "(C4) wgmma needs a multiple of 4 consumers, got "
                       << consumers;
  if (pairs < 1 || pairs > 4)
    return emitError() << "(C5) 'pairs' must be in [1, 4], got " << pairs;
  if (pairs != kDefaultPairs && !isHalf)
    return emitError() << "(C5) 'pairs' is of warps with 8 queries, got "
                       << pairs << " where they have 16";
  if (boxes && (engine != Engine::Wgmma || producers == 0))
    return emitError() << "(C6) 'boxes' needs wgmma and producers, got "
                       << stringifyEngine(engine) << " and " << producers
                       << " producers";
  if (headTile > 0 && (producers == 0 || boxes))
    return emitError() << "(C8) 'head_tile' needs producers and no boxes, got "
                       << producers << " producers and boxes = "
                       << (boxes ? "true" : "false");
  if (isHalf && headTile % 2 != 0)
    return emitError()
           << "(C8) 'head_tile' must be even with 8 queries a warp, "
              "got "
           << headTile;
  if (failed(verifyRange(emitError, "C8", "head_tile", headTile, 0, 64)))
    return failure();
  return verifyRange(emitError, "C7", "kept_heads", keptHeads, 0, 64);
}

ScoreScheduleAttr ScoreScheduleAttr::withSpan(int64_t span) const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), span,
             getStages(), getProducers(), getConsumers(), getPairs(),
             getBoxes(), getKeptHeads(), getHeadTile());
}

ScoreScheduleAttr ScoreScheduleAttr::withoutBoxes() const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), getSpan(),
             getStages(), getProducers(), getConsumers(), getPairs(),
             /*boxes=*/false, getKeptHeads(), getHeadTile());
}

ScoreScheduleAttr ScoreScheduleAttr::withHeadTile(int64_t heads) const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), getSpan(),
             getStages(), getProducers(), getConsumers(), getPairs(),
             getBoxes(), getKeptHeads(), heads);
}

LogicalResult TopKScheduleAttr::verify(EmitError emitError, int64_t warps,
                                       int64_t bins, int64_t capacity,
                                       int64_t chunk, int64_t smWarps,
                                       int64_t step, int64_t keptStep) {
  if (failed(verifyRange(emitError, "C1", "warps", warps, 1, 32)) ||
      failed(verifyPowerOf2(emitError, "C2", "bins", bins, 256, 8192)) ||
      failed(verifyRange(emitError, "C3", "capacity", capacity, 32, 16384)))
    return failure();
  if (chunk < 1)
    return emitError() << "(C4) 'chunk' must be at least 1, got " << chunk;
  if (failed(verifyRange(emitError, "C5", "sm_warps", smWarps, 1, 64)) ||
      failed(verifyStep(emitError, "C6", "step", step, 32, kMostStep)))
    return failure();
  return verifyStep(emitError, "C6", "kept_step", keptStep, 32, kMostStep);
}

TopKScheduleAttr TopKScheduleAttr::withWarps(int64_t warps) const {
  return get(getContext(), warps, getBins(), getCapacity(), getChunk(),
             getSmWarps(), getStep(), getKeptStep());
}

TopKScheduleAttr TopKScheduleAttr::withBins(int64_t bins) const {
  return get(getContext(), getWarps(), bins, getCapacity(), getChunk(),
             getSmWarps(), getStep(), getKeptStep());
}

TopKScheduleAttr TopKScheduleAttr::withCapacity(int64_t capacity) const {
  return get(getContext(), getWarps(), getBins(), capacity, getChunk(),
             getSmWarps(), getStep(), getKeptStep());
}

TopKScheduleAttr TopKScheduleAttr::withChunk(int64_t chunk) const {
  return get(getContext(), getWarps(), getBins(), getCapacity(), chunk,
             getSmWarps(), getStep(), getKeptStep());
}

TopKScheduleAttr TopKScheduleAttr::withSmWarps(int64_t warps) const {
  return get(getContext(), getWarps(), getBins(), getCapacity(), getChunk(),
             warps, getStep(), getKeptStep());
}

int64_t TopKScheduleAttr::getSmBlocks() const {
  return std::clamp<int64_t>(getSmWarps() / getWarps(), 1, kMostSmBlocks);
}

LogicalResult SelectScheduleAttr::verify(EmitError emitError, ScoreScheduleAttr,
                                         TopKScheduleAttr,
                                         int64_t flaggedSpans) {
  return verifyRange(emitError, "C1", "flagged_spans", flaggedSpans, 1, 64);
}

LogicalResult ShortRowsScheduleAttr::verify(EmitError emitError, int64_t rows,
                                            int64_t cells, SelectScheduleAttr,
                                            int64_t vectors, int64_t smWarps,
                                            int64_t rowSmWarps) {
  if (failed(verifyRange(emitError, "C1", "rows", rows, 1, 32)) ||
      failed(verifyRange(emitError, "C2", "cells", cells, 0, 32)) ||
      failed(verifyRange(emitError, "C3", "vectors", vectors, 1, 16)) ||
      failed(verifyRange(emitError, "C4", "sm_warps", smWarps, 1, 64)))
    return failure();
  return verifyRange(emitError, "C4", "row_sm_warps", rowSmWarps, 1, 64);
}

LogicalResult OnePassScheduleAttr::verify(
    EmitError emitError, ScoreScheduleAttr scores, SelectScheduleAttr,
    int64_t sample, int64_t rank, int64_t capacity, int64_t chunk,
    int64_t smBlocks, int64_t staged, int64_t threadCandidates,
    int64_t candidateBins, int64_t sampleBlocks, int64_t leastSpan,
    int64_t boundWarps, bool) {
  if (sample < 2 || sample > 1024)
    return emitError() << "(C1) 'sample' must be in [2, 1024], got " << sample;
  if (rank < 1)
    return emitError() << "(C2) 'rank' must be at least 1, got " << rank;
  if (capacity < 32 || capacity > 16384)
    return emitError() << "(C3) 'capacity' must be in [32, 16384], got "
                       << capacity;
  if (rank > capacity / sample)
    return emitError() << "(C3) 'capacity' must be at least rank * sample, got "
                       << capacity << " for " << rank << " * " << sample;
  if (chunk < 1)
    return emitError() << "(C4) 'chunk' must be at least 1, got " << chunk;
  if (scores.getEngine() == Engine::Fma || scores.getBlockK() > 64)
    return emitError() << "(C5) expected scores by mma_sync or wgmma in tiles "
                          "of at most 64 keys, got "
                       << scores;
  if (failed(verifyRange(emitError, "C6", "sm_blocks", smBlocks, 0, 64)))
    return failure();
  if (staged < 4 || staged > 64 || staged % 2 != 0)
    return emitError()
           << "(C7) 'staged' must be an even number in [4, 64], got " << staged;
  if (failed(verifyRange(emitError, "C8", "thread_candidates", threadCandidates,
                         1, 32)))
    return failure();
  if (capacity > kMostThreads * threadCandidates)
    return emitError() << "(C8) 'thread_candidates' must be at least "
                       << llvm::divideCeil(capacity, kMostThreads)
                       << " for a capacity of " << capacity << ", got "
                       << threadCandidates;
  if (failed(verifyPowerOf2(emitError, "C9", "candidate_bins", candidateBins,
                            256, 8192)) ||
      failed(verifyRange(emitError, "C10", "sample_blocks", sampleBlocks, 1,
                         64)) ||
      failed(verifyRange(emitError, "C10", "least_span", leastSpan, 1, 64)))
    return failure();
  return verifyRange(emitError, "C11", "bound_warps", boundWarps, 1, 64);
}

static LogicalResult verifyLists(EmitError emitError, int64_t sample,
                                 int64_t rank, int64_t capacity) {
  if (rank == 0 && sample == 0 && capacity == 0) return success();
  if (rank < 1)
    return emitError() << "(C4) 'rank' must be at least 1, or 0 with 'sample' "
                          "and 'capacity', got "
                       << rank;
  if (sample < 2 || sample > 1024)
    return emitError() << "(C4) 'sample' must be in [2, 1024], got " << sample;
  if (capacity < 32 || capacity > 16384)
    return emitError() << "(C4) 'capacity' must be in [32, 16384], got "
                       << capacity;
  if (rank > capacity / sample)
    return emitError() << "(C4) 'capacity' must be at least rank * sample, got "
                       << capacity << " for " << rank << " * " << sample;
  return success();
}

LogicalResult SplitSelectScheduleAttr::verify(
    EmitError emitError, Engine engine, int64_t blockK, int64_t span,
    int64_t stages, int64_t producers, int64_t consumers, int64_t sample,
    int64_t rank, int64_t capacity, TopKScheduleAttr rows, int64_t cluster,
    int64_t staged, int64_t smBlocks, bool deferred, int64_t threadCandidates,
    int64_t candidateBins, int64_t sampleBlocks, int64_t boundWarps,
    int64_t clusterKeys, int64_t clusterWarps, int64_t clusterSmBlocks,
    int64_t rowCells) {
  if (engine == Engine::Wgmma)
    return emitError() << "(C1) 'engine' must be fma or mma_sync, got wgmma";
  if (failed(verifyRing(emitError, stages, producers, consumers)))
    return failure();
  if (blockK < 32 || blockK > 512 || blockK % (32 * consumers) != 0)
    return emitError() << "(C1) 'block_k' must be a multiple of "
                       << 32 * consumers << ", 32 keys for each of "
                       << consumers << " consumers, in [32, 512], got "
                       << blockK;
  if (span < 1)
    return emitError() << "(C3) 'span' must be at least 1, got " << span;
  if (failed(verifyLists(emitError, sample, rank, capacity))) return failure();
  if (failed(verifyRange(emitError, "C5", "thread_candidates", threadCandidates,
                         1, 32)))
    return failure();
  if (int64_t room = 32 * threadCandidates * rows.getWarps(); capacity > room)
    return emitError() << "(C5) the " << rows.getWarps()
                       << " warps of 'rows' hold up to " << room
                       << " candidates, got " << capacity;
  bool hasRows = rank > 0 || rowCells > 0;
  if (cluster != 0 && (!hasRows || !llvm::is_contained({2, 4, 8}, cluster)))
    return emitError() << "(C6) 'cluster' must be 0, or 2, 4 or 8 with lists "
                          "or 'row_cells', got "
                       << cluster;
  if (staged < 2 || staged > 256 || staged % 2 != 0)
    return emitError() << "(C7) 'staged' must be an even number from 2 to 256, "
                          "got "
                       << staged;
  if (failed(verifyRange(emitError, "C8", "sm_blocks", smBlocks, 1, 16)) ||
      failed(verifyRange(emitError, "C8", "cluster_sm_blocks", clusterSmBlocks,
                         1, 16)))
    return failure();
  if (deferred && rank == 0)
    return emitError() << "(C9) 'deferred' needs lists, whose bounds it waits "
                          "for: expected a rank above 0, got 0";
  if (deferred && span > kMostDeferred / blockK)
    return emitError() << "(C9) 'deferred' must have a span of at most "
                       << kMostDeferred / blockK << " tiles of " << blockK
                       << " keys, got " << span;
  if (failed(verifyPowerOf2(emitError, "C10", "candidate_bins", candidateBins,
                            256, 8192)) ||
      failed(verifyRange(emitError, "C11", "sample_blocks", sampleBlocks, 1,
                         64)) ||
      failed(verifyRange(emitError, "C11", "bound_warps", boundWarps, 1, 64)) ||
      failed(
          verifyRange(emitError, "C12", "cluster_warps", clusterWarps, 1, 8)) ||
      failed(verifyRange(emitError, "C13", "row_cells", rowCells, 0, 16)))
    return failure();
  if (rowCells > 0 && rank > 0)
    return emitError() << "(C13) 'row_cells' must be 0 with lists, which are "
                          "read in place of rows, got "
                       << rowCells;
  return verifyStep(emitError, "C12", "cluster_keys", clusterKeys,
                    32 * clusterWarps, 512);
}

/// One team, which has nothing to do before its keys are there.
SplitSelectScheduleAttr SplitSelectScheduleAttr::ofSample() const {
  return get(getContext(), getEngine(), getClusterKeys(), /*span=*/1,
             /*stages=*/1, /*producers=*/0, getClusterWarps(), getSample(),
             getRank(), getCapacity(), getRows(), getCluster(), getStaged(),
             /*sm_blocks=*/1, /*deferred=*/false, getThreadCandidates(),
             getCandidateBins(), getSampleBlocks(), getBoundWarps(),
             getClusterKeys(), getClusterWarps(), getClusterSmBlocks(),
             getRowCells());
}

SplitSelectScheduleAttr SplitSelectScheduleAttr::withRowCells(
    int64_t cells) const {
  return get(getContext(), getEngine(), getBlockK(), getSpan(), getStages(),
             getProducers(), getConsumers(), getSample(), getRank(),
             getCapacity(), getRows(), getCluster(), getStaged(), getSmBlocks(),
             getDeferred(), getThreadCandidates(), getCandidateBins(),
             getSampleBlocks(), getBoundWarps(), getClusterKeys(),
             getClusterWarps(), getClusterSmBlocks(), cells);
}

SplitSelectScheduleAttr SplitSelectScheduleAttr::withCluster(
    int64_t cluster, int64_t keys) const {
  return get(getContext(), getEngine(), getBlockK(), getSpan(), getStages(),
             getProducers(), getConsumers(), getSample(), getRank(),
             getCapacity(), getRows(), cluster, getStaged(), getSmBlocks(),
             getDeferred(), getThreadCandidates(), getCandidateBins(),
             getSampleBlocks(), getBoundWarps(), keys, getClusterWarps(),
             getClusterSmBlocks(), getRowCells());
}

LogicalResult SplitAttentionScheduleAttr::verify(
    EmitError emitError, int64_t entries, int64_t perBlock,
    AttentionScheduleAttr part, int64_t cluster, int64_t mergeWarps,
    bool prefetch) {
  if (entries < 1 || entries % part.getBlockK() != 0)
    return emitError() << "(C1) 'entries' must be a positive multiple of the "
                       << part.getBlockK() << " keys of a tile, got "
                       << entries;
  if (failed(verifyRange(emitError, "C2", "per_block", perBlock, 1, 64)))
    return failure();
  if (!llvm::is_contained({0, 2, 4, 8, 16}, cluster))
    return emitError() << "(C3) 'cluster' must be 0, 2, 4, 8 or 16, got "
                       << cluster;
  return verifyRange(emitError, "C4", "merge_warps", mergeWarps, 1, 32);
}
