//===- GsaScheduleAttrs.cpp - what holds on every device ------------------===//

#include "dialect/Gsa/GsaDialect.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::gsa;

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

/// Threads of the largest block.
static constexpr int64_t kMostThreads = 1024;

static LogicalResult verifyRing(EmitError emitError, int64_t stages,
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

LogicalResult AttentionScheduleAttr::verify(EmitError emitError, Engine,
                                            int64_t blockQ, int64_t blockK,
                                            int64_t stages, int64_t producers,
                                            int64_t consumers) {
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
  return success();
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

LogicalResult DenseScheduleAttr::verify(EmitError emitError, Engine engine,
                                        int64_t blockQ, int64_t blockK,
                                        int64_t keyStages, int64_t valueStages,
                                        GroupOrder order, AttentionScheduleAttr,
                                        bool masked) {
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
  return success();
}

LogicalResult UnionScheduleAttr::verify(EmitError emitError, Engine engine,
                                        int64_t queries, int64_t groups,
                                        int64_t blockK, int64_t keyStages,
                                        int64_t valueStages, int64_t producers,
                                        int64_t table, int64_t chunk,
                                        AttentionScheduleAttr) {
  if (failed(verifyWgmma(emitError, engine))) return failure();
  if (queries < 2 || queries > 32)
    return emitError() << "(C1) 'queries' must be in [2, 32], got " << queries;
  if (blockK < 32 || blockK > 256 || blockK % 32 != 0)
    return emitError() << "(C1) 'block_k' must be a multiple of 32 in "
                          "[32, 256], got "
                       << blockK;
  if (table < 1024 || table > 32768 || table % 1024 != 0)
    return emitError() << "(C1) 'table' must be a multiple of 1024 in "
                          "[1024, 32768], got "
                       << table;
  if (failed(verifyRings(emitError, keyStages, valueStages))) return failure();
  if (producers < 4 || producers > 12 || producers % 4 != 0)
    return emitError() << "(C3) 'producers' must be 4, 8 or 12, got "
                       << producers;
  if (chunk < queries || chunk % queries != 0)
    return emitError() << "(C3) 'chunk' must be a positive multiple of the "
                       << queries << " queries of a block, got " << chunk;
  if (groups < 1 || groups > 2)
    return emitError() << "(C4) 'groups' must be 1 or 2, got " << groups;
  if (queries % groups != 0)
    return emitError() << "(C4) 'groups' must divide the " << queries
                       << " queries of a block, got " << groups;
  return success();
}

LogicalResult ScoreScheduleAttr::verify(EmitError emitError, Engine engine,
                                        int64_t blockQ, int64_t blockK,
                                        int64_t span, int64_t stages,
                                        int64_t producers, int64_t consumers,
                                        int64_t pairs, bool boxes) {
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
  return success();
}

ScoreScheduleAttr ScoreScheduleAttr::withSpan(int64_t span) const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), span,
             getStages(), getProducers(), getConsumers(), getPairs(),
             getBoxes());
}

ScoreScheduleAttr ScoreScheduleAttr::withoutBoxes() const {
  return get(getContext(), getEngine(), getBlockQ(), getBlockK(), getSpan(),
             getStages(), getProducers(), getConsumers(), getPairs(),
             /*boxes=*/false);
}

LogicalResult TopKScheduleAttr::verify(EmitError emitError, int64_t warps,
                                       int64_t bins, int64_t capacity,
                                       int64_t chunk) {
  if (warps < 1 || warps > 32)
    return emitError() << "(C1) 'warps' must be in [1, 32], got " << warps;
  if (bins < 256 || bins > 8192 || !llvm::isPowerOf2_64(bins))
    return emitError() << "(C2) 'bins' must be a power of two in [256, 8192], "
                          "got "
                       << bins;
  if (capacity < 32 || capacity > 16384)
    return emitError() << "(C3) 'capacity' must be in [32, 16384], got "
                       << capacity;
  if (chunk < 1)
    return emitError() << "(C4) 'chunk' must be at least 1, got " << chunk;
  return success();
}

LogicalResult SelectScheduleAttr::verify(EmitError, ScoreScheduleAttr,
                                         TopKScheduleAttr) {
  return success();
}

LogicalResult ShortRowsScheduleAttr::verify(EmitError emitError, int64_t rows,
                                            int64_t cells, SelectScheduleAttr) {
  if (rows < 1 || rows > 32)
    return emitError() << "(C1) 'rows' must be in [1, 32], got " << rows;
  if (cells < 0 || cells > 32)
    return emitError() << "(C2) 'cells' must be in [0, 32], got " << cells;
  return success();
}

LogicalResult OnePassScheduleAttr::verify(
    EmitError emitError, ScoreScheduleAttr scores, SelectScheduleAttr,
    int64_t sample, int64_t rank, int64_t capacity, int64_t chunk,
    int64_t smBlocks, int64_t staged, int64_t threadCandidates,
    int64_t candidateBins) {
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
  if (smBlocks < 0 || smBlocks > 64)
    return emitError() << "(C6) 'sm_blocks' must be in [0, 64], got "
                       << smBlocks;
  if (staged < 4 || staged > 64 || staged % 2 != 0)
    return emitError()
           << "(C7) 'staged' must be an even number in [4, 64], got " << staged;
  if (threadCandidates < 1 || threadCandidates > 32)
    return emitError() << "(C8) 'thread_candidates' must be in [1, 32], got "
                       << threadCandidates;
  if (capacity > kMostThreads * threadCandidates)
    return emitError() << "(C8) 'thread_candidates' must be at least "
                       << llvm::divideCeil(capacity, kMostThreads)
                       << " for a capacity of " << capacity << ", got "
                       << threadCandidates;
  if (candidateBins < 256 || candidateBins > 8192 ||
      !llvm::isPowerOf2_64(candidateBins))
    return emitError() << "(C9) 'candidate_bins' must be a power of two in "
                          "[256, 8192], got "
                       << candidateBins;
  return success();
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
    int64_t staged, int64_t smBlocks, bool deferred) {
  if (engine == Engine::Wgmma)
    return emitError() << "(C1) 'engine' must be fma or mma_sync, got wgmma";
  if (failed(verifyRing(emitError, stages, producers, consumers)))
    return failure();
  if (blockK < 32 || blockK > 256 || blockK % (32 * consumers) != 0)
    return emitError() << "(C1) 'block_k' must be a multiple of "
                       << 32 * consumers << ", 32 keys for each of "
                       << consumers << " consumers, in [32, 256], got "
                       << blockK;
  if (span < 1)
    return emitError() << "(C3) 'span' must be at least 1, got " << span;
  if (failed(verifyLists(emitError, sample, rank, capacity))) return failure();
  if (capacity > 512 * rows.getWarps())
    return emitError() << "(C5) the " << rows.getWarps()
                       << " warps of 'rows' hold up to "
                       << 512 * rows.getWarps() << " candidates, got "
                       << capacity;
  if (cluster != 0 && (rank == 0 || !llvm::is_contained({2, 4, 8}, cluster)))
    return emitError() << "(C6) 'cluster' must be 0, or 2, 4 or 8 with lists, "
                          "got "
                       << cluster;
  if (staged < 2 || staged > 256 || staged % 2 != 0)
    return emitError() << "(C7) 'staged' must be an even number from 2 to 256, "
                          "got "
                       << staged;
  if (smBlocks < 1 || smBlocks > 16)
    return emitError() << "(C8) 'sm_blocks' must be in [1, 16], got "
                       << smBlocks;
  if (deferred && rank == 0)
    return emitError() << "(C9) 'deferred' needs lists, whose bounds it waits "
                          "for: expected a rank above 0, got 0";
  if (deferred && span > kMostDeferred / blockK)
    return emitError() << "(C9) 'deferred' must have a span of at most "
                       << kMostDeferred / blockK << " tiles of " << blockK
                       << " keys, got " << span;
  return success();
}

LogicalResult SplitAttentionScheduleAttr::verify(EmitError emitError,
                                                 int64_t entries,
                                                 int64_t perBlock,
                                                 AttentionScheduleAttr part,
                                                 int64_t cluster) {
  if (entries < 1 || entries % part.getBlockK() != 0)
    return emitError() << "(C1) 'entries' must be a positive multiple of the "
                       << part.getBlockK() << " keys of a tile, got "
                       << entries;
  if (perBlock < 1 || perBlock > 64)
    return emitError() << "(C2) 'per_block' must be in [1, 64], got "
                       << perBlock;
  if (!llvm::is_contained({0, 2, 4, 8, 16}, cluster))
    return emitError() << "(C3) 'cluster' must be 0, 2, 4, 8 or 16, got "
                       << cluster;
  return success();
}
