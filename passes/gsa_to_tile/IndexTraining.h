//===- IndexTraining.h - kernels that train the indexer --------*- C++ -*-===//
//
// What the lowerings of gsa.index_kl, gsa.index_kl_grad and
// gsa.index_scores_grad share. They work on cells: a number of f32 for each
// slot of the lists of some queries, or for each key that these may see.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_INDEXTRAINING_H
#define GSA_PASSES_GSATOTILE_INDEXTRAINING_H

#include <algorithm>

#include "dialect/Gsa/GsaGradientOps.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/IndexScores.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/RowStorage.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// The host side of an op that trains the indexer: its operands as buffers.
class TrainingOperands {
 public:
  TrainingOperands(Operation* op, TrainingScheduleAttr schedule,
                   ToTileContext& context);

  Operation* op;
  TrainingScheduleAttr schedule;
  ToTileContext& context;
  IndexerForm form;
  IndexerSource source;
  Value indices, counts;  ///< Null without lists.
  int64_t cells;          ///< Of a row: slots of its list, or all keys.

  /// Heads of the indexer are the rows of so many products, one of which has
  /// those from `firstHead(part)` on.
  int64_t headParts() const {
    return llvm::divideCeil(source.heads(), TrainingScheduleAttr::kMostHeads);
  }
  static int64_t firstHead(int64_t part) {
    return part * TrainingScheduleAttr::kMostHeads;
  }
  int64_t headsOf(int64_t part) const {
    return std::min(source.heads() - firstHead(part),
                    TrainingScheduleAttr::kMostHeads);
  }

  Location loc() const { return op->getLoc(); }
  /// Schedule of kernels whose block has a row of cells.
  TopKScheduleAttr rowSchedule() const;
};

/// The kernel side of some queries of a batch: arguments that say which keys
/// they have.
class TrainingRows {
 public:
  TrainingRows(KernelBuilder& kernel, const TrainingOperands& operands,
               const QueryChunk& chunk);

  /// A query, where its keys end: slots of its list, or keys; and, of the keys
  /// that the slots name, the first number that is none.
  struct Row {
    Value inChunk, token, end, limit;
  };
  /// That of query `inChunk` (index) of the chunk.
  Row locate(KernelScalars& s, Value inChunk) const;
  /// Whether a slot of a row holds a key.
  Value holdsKey(KernelScalars& s, const Row& row, Value slot) const;
  /// Number of a row among those of all batches, i64.
  Value number(KernelScalars& s, const Row& row) const;
  /// A row of an array of cells of the chunk.
  Value cellsOf(KernelScalars& s, Value array, const Row& row) const;

  Value indices, counts, lengths;
  Value queries, keys, cells, batch, begin;

 private:
  bool isCausal;
};

/// What the kernels that stream the keys of a row by have in common.
class TrainingKernel {
 protected:
  /// A block of them has query `blockId(0)` of a chunk.
  TrainingKernel(const TrainingOperands& operands, const QueryChunk& chunk,
                 StringRef name);

  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;  ///< Columns padded to a multiple of 16.
    Value queries;           ///< Tile of the rows of a query's heads.
    Value lhs;
  };

  Value smem(StringRef name, int64_t rows, int64_t columns, Type type,
             gsa_tile::SmemLayout layout);
  Value fragment(StringRef name, int64_t columns, Type type,
                 gsa_tile::FragLayout layout);
  Value rowVector(StringRef name);

  /// The row, and its list in shared memory if there is room.
  void emitRow();
  /// Of `all` heads of an array of queries some neighbours.
  struct HeadRange {
    int64_t all;
    Value first;
    int64_t count;
  };
  /// Starts the copy of the rows of the query, heads, and makes room for keys:
  /// a ring of tiles, `most` columns of `depth` in each.
  void emitTiles(Value query, int64_t tileRows, const HeadRange& heads,
                 int64_t depth, int64_t most, int64_t keyVectorBytes);
  /// Waits for what was copied; from here on warps that compute have their
  /// keys.
  void emitStart();
  /// `body` by the first of the warps that compute; all of them see what it
  /// wrote behind.
  void emitConstants(llvm::function_ref<void()> body);
  void syncCompute();
  Value isFirstWarp();

  /// The keys of the row in some rows of an array, which count from `base`.
  Value view(const KernelRows& rows, Value base);
  Value maskView(const KernelRows& rows, Value base);
  /// Copies a tile of the keys of a group (null: of all).
  void copyKeys(gsa_tile::StreamOp stream, const KernelRows& rows, Value group,
                Value first, int64_t depth, int64_t vectorBytes);
  /// Products of 16 rows of the query's heads with the warp's keys.
  void multiply(Value products, Value firstRow, ValueRange keyTiles);

  /// Inserts at the end of a region of a stream while `body` runs.
  void inRegion(Region& region, llvm::function_ref<void()> body);

  const TrainingOperands& operands;
  TrainingScheduleAttr schedule;
  KernelBuilder kernel;
  KernelScalars s;
  KernelTeams teams;
  TrainingRows rows;
  Type f32;

  TrainingRows::Row row;
  Value list, warp, warpKey, tileRing;
  Type element;
  SmallVector<Chunk> chunks;
};

/// Of these the ones whose rows are heads of the indexer, those of a part.
class IndexerKernel : protected TrainingKernel {
 protected:
  IndexerKernel(const TrainingOperands& operands, const QueryChunk& chunk,
                int64_t part, StringRef name);

  /// Row, tiles of at most so many columns, and the start.
  void emitIndexer(int64_t columns);
  /// Row vectors of activated weights, and of what is added to products.
  void loadWeights(Value target);
  void loadOffsets(Value target);
  /// Tiles of the row.
  Value countTiles();
  /// The load of its stream, and the first key of a warp in its tiles.
  void emitLoad(gsa_tile::StreamOp stream);
  Value firstKey(gsa_tile::StreamOp stream);

  const IndexerSource& source;
  KernelRows keyRows;
  Value query, weights, bias;
  HeadRange heads;
};

/// Launches kernels that write cells of a chunk [rows, cells]: log a of each
/// key, and what a part of the heads adds to its score.
void launchShares(const TrainingOperands& operands, const QueryChunk& chunk,
                  Value lse, Value shares);
void launchScores(const TrainingOperands& operands, const QueryChunk& chunk,
                  int64_t part, Value scores);

/// The lse of each head over the keys of its row [B,H,Sq], for heads that the
/// op's own lse lets take part; -inf for others, NaN where that is.
Value launchOwnLse(const TrainingOperands& operands);
/// The op's own lse, less the largest finite one of its row.
Value launchNearLse(const TrainingOperands& operands);

/// Gradients of the scores of a chunk.
class TrainingGradients {
 public:
  TrainingGradients(const TrainingOperands& operands);

  /// Adds those of queries whose scores' gradients are `cells` [rows, cells].
  void launch(const QueryChunk& chunk, Value cells);
  /// Rounds what was summed up; replaces the op.
  void finish();

  // Buffers; sums are of f32, those of the bias [Hi, B * Sq].
  Value queryGrad, keySums, weightSums, biasSums;

 private:
  Value roundKeys();
  Value roundWeights();
  Value sumBias();

  const TrainingOperands& operands;
};

/// Kernels that write a number for each cell, row or other element.
class CellKernels {
 public:
  CellKernels(const TrainingOperands& operands, const IndexTarget& target);

  /// Cells of slots that hold no key become -inf; the scores of parts are added
  /// to those of the first one and divided by the temperature.
  void mask(const QueryChunk& chunk, Value shares, ValueRange scores);
  /// log(sum of exp) of each row of cells, [rows].
  Value sumOfExp(const QueryChunk& chunk, Value cells);
  /// The sum of each row of cells, to [batches, queries] or [rows].
  void sum(const QueryChunk& chunk, Value cells, Value target, bool ofAll);

  /// Of shares, scores and what sumOfExp gave for both: shares become the terms
  /// of the loss, or the p that `clip` does not cut; scores the gradients of
  /// scores, with the sums of such p (null: no clip).
  struct Distributions {
    Value shares, scores, lseOfShares, lseOfScores;
  };
  void makeTerms(const QueryChunk& chunk, const Distributions& cells);
  void makeUncut(const QueryChunk& chunk, const Distributions& cells);
  void makeGradients(const QueryChunk& chunk, const Distributions& cells,
                     Value lossGrad, Value covered);

 private:
  struct Cell;
  void forCells(const QueryChunk& chunk, const Distributions& cells,
                StringRef name,
                llvm::function_ref<void(KernelBuilder&)> addArguments,
                llvm::function_ref<void(KernelScalars&, const Cell&)> body);

  const TrainingOperands& operands;
  const IndexTarget& target;
};

/// A kernel with `count` elements, each computed by itself: `body(s, i)` with
/// i in i64, behind the arguments that it has.
void emitForEach(KernelBuilder& kernel, Location loc, Value count,
                 llvm::function_ref<void(KernelScalars&, Value)> body);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_INDEXTRAINING_H
