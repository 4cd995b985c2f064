//===- ScoreTile.h - index scores of a block of queries --------*- C++ -*-===//
//
// The inner loops that gsa.select and gsa.index_scores share. Keys are packed
// once per call, in the order in which the tiles read them; then scores are
// computed block by block of `rows` queries into a strip that holds one row
// per query, so that memory grows with Sk and not with Sq * Sk.
//
// Every score is computed by the same operations in the same order, wherever
// its cell lies in a tile and whatever block and task it belongs to.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_TO_CPU_SCORETILE_H
#define GSA_PASSES_GSA_TO_CPU_SCORETILE_H

#include "passes/gsa_to_cpu/LoopEmitter.h"

namespace mlir::gsa {

/// Operands and attributes of the indexer.
struct IndexerSpec {
  Value query, key, weights, bias;  ///< Tensors; the last two may be null.
  double scale;
  ScoreActivation scoreActivation;
  WeightActivation weightActivation;
  Mask mask;

  /// From an op that has them all (gsa.index_scores, gsa.select).
  template <typename OpTy>
  static IndexerSpec from(OpTy op) {
    auto type = cast<RankedTensorType>(op.getQuery().getType());
    return {op.getQuery(),
            op.getKey(),
            op.getWeights(),
            op.getBias(),
            getScaleOrDefault(op.getScale(), type.getDimSize(3)),
            op.getScoreActivation(),
            op.getWeightActivation(),
            op.getMask()};
  }
};

/// Emits the score computation of one op.
class ScoreTile {
 public:
  /// Fetches the operands. Emits nothing that costs time.
  ScoreTile(LoopEmitter& emitter, const IndexerSpec& spec);

  int64_t batches() const { return numBatches; }
  int64_t queries() const { return numQueries; }
  int64_t keys() const { return numKeys; }
  int64_t rows() const { return e.schedule().getRows(); }
  /// Row blocks of all batch elements.
  int64_t blocks() const { return numBatches * blocksPerBatch; }
  /// Elements of a row of the strip: the keys, rounded up to whole tiles, and
  /// one vector more, so that rows do not all map to one set of the cache.
  int64_t stripSize() const { return panels * panelKeys + e.lanes(); }

  /// Packs the keys, on all tasks.
  void packKeys();
  /// Creates the scratch buffers of one task.
  void allocate();

  /// Position of block `block`: batch element and first query, and how many
  /// of its rows exist (index values).
  struct Block {
    Value batch, firstQuery, numRows;
  };
  Block locate(Value block);

  /// Number of keys that query `query` may see (index).
  Value visibleKeys(Value query);

  /// Computes scores[r][s] for the rows of the block and all keys that one of
  /// them may see. Cells beyond a row's own visible keys hold numbers of no
  /// meaning.
  void computeBlock(const Block& block);

  /// memref<rows x stripSize x A>.
  Value scores() const { return strip; }

 private:
  void packPanel(Value batch, Value panel);
  void packQueries(const Block& block);
  void computePanel(const Block& block, Value panel);
  SmallVector<Value> dotProducts(const Block& block, Value panel, Value head);
  void addHead(Value panel, Value head, ArrayRef<Value> dots);

  LoopEmitter& e;
  IndexerSpec spec;
  int64_t numBatches, numQueries, numKeys, numHeads, headSize;
  int64_t panels, panelKeys, blocksPerBatch;
  Value query, key, weights, bias;  ///< Operands as buffers.
  Value packedKeys;                 ///< [B, panels, Di, panelKeys] of A.
  Value packedQueries;  ///< [Hi, Di, rows] of A, of the task's block.
  Value packedWeights;  ///< [Hi, rows] of A, activated.
  Value strip;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_TO_CPU_SCORETILE_H
