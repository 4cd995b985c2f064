//===- ScoreTile.h - index scores of a block of queries --------*- C++ -*-===//
//
// The loops that gsa.select and gsa.index_scores share. Scores are computed by
// register tiles of `rows` queries by `vectors` vectors of keys into a strip
// that holds one row per query, so that memory grows with Sk and not with
// Sq * Sk. Keys are transposed panel by panel, one panel being the keys of a
// tile. There are two orders:
//
//   many queries  all panels are packed first, in parallel; then each task
//                 computes blocks of `rows` queries over all their keys and
//                 hands each row on while it is in the cache
//   few queries   (one block holds them all) tasks share the keys: each packs
//                 a panel and computes its scores at once; rows are handed on
//                 when all panels are done
//
// Every score is computed by the same operations in the same order, wherever
// its cell lies in a tile and whatever schedule is in force.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_TO_CPU_SCORETILE_H
#define GSA_PASSES_GSA_TO_CPU_SCORETILE_H

#include "passes/gsa_to_cpu/LoopEmitter.h"

namespace mlir::gsa {

/// Operands and attributes of the indexer.
struct IndexerSpec {
  /// Tensors; null where the op has no such operand.
  Value query, key, weights, bias, lengths;
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
            op.getLengths(),
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

  const Size& batches() const { return numBatches; }
  const Size& queries() const { return numQueries; }
  const Size& keys() const { return numKeys; }
  int64_t rows() const { return e.schedule().getRows(); }
  /// Elements of a row of the strip: at most as many keys, rounded up to whole
  /// tiles, and one vector more, so that rows do not all map to one set of the
  /// cache.
  int64_t stripSize() const { return panels.bound * panelKeys + e.lanes(); }

  /// Packs what all rows need. Call once, before forEachRow.
  void prepare();

  /// One row of scores (index values): strip[strip][0 .. limit) are the scores
  /// of the keys that query `query` of `batch` may see.
  struct Row {
    Value strip, batch, query, limit;
  };
  /// Computes the scores of all rows and calls `body` for each, on all tasks;
  /// `allocate` creates the scratch buffers of one task that `body` needs.
  /// What lies behind the limit of a row has no meaning and may be written, up
  /// to the end of the row's last vector. May be called more than once.
  void forEachRow(llvm::function_ref<void()> allocate,
                  llvm::function_ref<void(const Row&)> body);

  /// The strip, memref<... x stripSize x A>.
  Value scores() const { return strip; }

 private:
  /// `numRows` queries from `firstQuery` on, at most `rows`; their strip rows
  /// start at `strip`, their packed queries are in `slot`.
  struct Block {
    Value batch, firstQuery, numRows, strip, slot;
  };
  Block locate(Value block);
  /// Number of keys that `query` of `batch` may see.
  Value visibleKeys(Value batch, Value query);

  void allocateQueries(int64_t slots);
  void packPanel(Value batch, Value panel);
  void packQueries(const Block& block);
  void forEachRowOfBlocks(llvm::function_ref<void()> allocate,
                          llvm::function_ref<void(const Row&)> body);
  void computeByPanels();
  void computeBlock(const Block& block);
  void computePanel(const Block& block, Value panel);
  SmallVector<Value> dotProducts(const Block& block, Value panel, Value head);
  void addHead(const Block& block, Value first, Value head,
               ArrayRef<Value> dots);
  /// Indices of a packed key: {batch, panel, d, j}, or {0, 0, d, j} where each
  /// task holds one panel.
  SmallVector<Value> packedIndex(Value batch, Value panel, Value d, Value j);

  LoopEmitter& e;
  IndexerSpec spec;
  Size numBatches, numQueries, numKeys;
  int64_t numHeads, headSize, panelKeys;
  Size panels, blocksPerBatch;
  Value query, key, weights, bias, lengths;  ///< Operands as buffers.
  bool sharesKeys;                           ///< Few queries, see above.
  Value packedKeys;     ///< [B, panels, Di, panelKeys] of A, or [1, 1, ...].
  Value packedQueries;  ///< [slots, Hi, Di, rows] of A.
  Value packedWeights;  ///< [slots, Hi, rows] of A, activated.
  Value strip;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_TO_CPU_SCORETILE_H
