//===- ScoreKernel.h - the kernel of indexer scores ------------*- C++ -*-===//
//
// Internal to IndexScores.cpp, which has its scores, and ScoreCandidates.cpp,
// what it does with them where they go to lists of candidates.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_SCOREKERNEL_H
#define GSA_PASSES_GSATOTILE_SCOREKERNEL_H

#include "passes/gsa_to_tile/IndexScores.h"
#include "passes/gsa_to_tile/KernelScalars.h"

namespace mlir::gsa {

class ScoreKernel : KernelScalars {
 public:
  ScoreKernel(const IndexerSource& source, ScoreScheduleAttr schedule,
              const ScoreRows& rows, Value span, Location loc,
              ToTileContext& context, KernelBuilder& kernel)
      : KernelScalars(kernel.body(), loc),
        source(source),
        schedule(schedule),
        rows(rows),
        hostSpan(span),
        element(source.queryType().getElementType()),
        teams(schedule),
        kernel(kernel) {
    addArguments(context);
  }

  void emit();

 private:
  /// Some columns of queries and keys: what one left operand holds.
  struct Chunk {
    int64_t first, columns;
    SmallVector<Value> queries;  ///< A tile for each part of a step.
    Value lhs;
  };
  /// A step of the stream: a tile of keys with some heads.
  struct Step {
    Value tile;       ///< Its number.
    Value firstHead;  ///< Null if a step has all heads.
  };
  Step stepOf(Value number, Value firstTile);
  /// Keys of a tile.
  struct KeyRange {
    Value first, count;
  };

  void addArguments(ToTileContext& context);
  Value number(int64_t value) { return kernel.index(value); }
  Value fragment(int64_t rows, int64_t columns, Type type,
                 gsa_tile::FragLayout layout);
  gsa_tile::SmemType tileOf(int64_t rows, int64_t columns);
  bool usesWgmma() const { return schedule.getEngine() == Engine::Wgmma; }
  bool isCausal() const { return source.mask == Mask::Causal; }
  /// 2 sigmoid(x) - 1 = tanh(x / 2): half the instructions of the units that
  /// the kernel waits for.
  bool usesTanh() const {
    return rows.ranksOnly && source.scoreActivation == ScoreActivation::Sigmoid;
  }
  /// Queries of some heads at a time come through the ring, with the tile of
  /// keys: a tile takes as many steps of the stream as there are such groups of
  /// heads.
  bool streamsHeads() const {
    return schedule.getHeadTile() > 0 &&
           schedule.getHeadTile() < source.heads();
  }
  int64_t headsOfStep() const {
    return streamsHeads() ? schedule.getHeadTile() : source.heads();
  }
  int64_t stepsOfTile() const { return source.heads() / headsOfStep(); }
  /// Heads of a step are multiplied in parts: one by one, or two whose rows
  /// take turns.
  bool isPaired() const { return schedule.getFragmentHeads() == 2; }
  int64_t parts() const { return headsOfStep() / schedule.getFragmentHeads(); }
  /// Weights and offsets of all heads stay in registers.
  bool keepsWeights() const {
    return source.heads() <= schedule.getKeptHeads() && !streamsHeads();
  }
  /// A lane has all heads of a query: of the last ones it activates a column
  /// and stages its hits before it goes on.
  bool stagesProducts() const { return isPaired() && pairs && !streamsHeads(); }
  /// The last part of a tile becomes scores while the first product of the next
  /// one is under way, so that a warp never waits for products alone.
  bool lags() const {
    return usesWgmma() && rows.candidates && schedule.getProducers() > 0 &&
           products.size() == 2 && parts() % 2 == 0 && !streamsHeads();
  }
  /// Whether the last part is not added beside the others.
  bool leavesLast() const { return lags() || stagesProducts(); }
  Value productOf(int64_t part) const {
    return products[part % static_cast<int64_t>(products.size())];
  }
  gsa_tile::Activation productActivation() const;

  void emitPosition();
  Value emitFlags();
  void emitQueries();
  void emitStart();
  /// The first head of a part of this step.
  Value headOf(int64_t part);
  void copyQueries(Value tile, Value head, const Chunk& chunk,
                   gsa_tile::TeamAttr team);
  void loadWeights(int64_t part, Value target);
  Value headOffset(Value head);
  Value offsetsOf(int64_t part);
  int64_t vectorBytes() const;
  KeyRange keyRange(Value tile);
  void emitStream(Value firstTile, Value tiles);
  void emitLoad(gsa_tile::StreamOp stream, Value firstTile);
  void emitCompute(gsa_tile::StreamOp stream, Value firstTile);
  void emitParts(ValueRange keyTiles, Value firstTile);
  void emitProduct(int64_t part, ValueRange keyTiles);
  void waitForProduct(int64_t part, int64_t pending);
  void emitLagged(Value firstTile);
  void finishTile(const KeyRange& range);
  void addPart(int64_t part, Value product);
  void emitHiddenTiles(Value firstTile, Value endTile);
  Value lastKeyOfWarp();
  void store(const KeyRange& range);
  void storeTile(const KeyRange& range);
  Value allocateRows(StringRef name);
  Value startSum(StringRef name);
  void flagRows(Value sums);
  void emitBounds();
  void append(const KeyRange& range);
  void stageProduct(Value row, const KeyRange& range, Value last, Value check,
                    bool someHidden);
  void drain();
  void finishRows();
  void emitUnits(Value first, Value end, Value limit);
  void finishMoments(Value span);
  Value skipTiles(Value tiles, Value limit);

  const IndexerSource& source;
  ScoreScheduleAttr schedule;
  const ScoreRows& rows;
  Value hostSpan;  ///< Tiles of a span, or null: as the schedule has them.
  Type element;
  KernelTeams teams;
  KernelBuilder& kernel;

  // Arguments.
  KernelRows keyRows;  ///< Unless they come in boxes.
  Value query, key, weights, bias, lengths, scores, flags;
  Value bounds, counts, pairs, capacity, skipBelow;
  Value sums, squares, spans;
  Value firstBatch, begin, count, queries, keys, visibleKeys, bufferRows;
  Value scoredKeys;  ///< Columns: all keys, or those of the sample.
  Value firstFlag, onlyFlagged;
  Value spanTiles;  ///< Of a block's span.
  Value rowPitch;   ///< Of the buffer of scores.
  // Position of the block and of the warp.
  Value keysOfBatch;  ///< Sk, or fewer where lengths say so.
  Value zero, part, batch, firstRow, firstQuery, warpRank, warpRow, groupRow;
  Value rowsOfBlock, isBusy;
  // Storage.
  SmallVector<Chunk> chunks;
  SmallVector<Value> partWeights, partOffsets, products;
  Value noOffsets;    ///< In place of offsets, where there is no bias.
  Value stepOffsets;  ///< Those of a part, where not all parts have their own.
  Value firstHead;    ///< Of the step.
  Value ring, sum, scaleValue, zeroValue;
  /// Row vectors, of candidates: bounds, sums that say whether scores are
  /// finite, moments.
  Value boundRows, checkSums, rowSums, rowSquares;
  /// Hits that are not in the lists yet.
  Value staged, stagedBytes;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_SCOREKERNEL_H
