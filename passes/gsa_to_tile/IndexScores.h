//===- IndexScores.h - kernels of indexer scores ---------------*- C++ -*-===//
//
// The kernel that gsa.index_scores and gsa.select share: scores of some rows of
// queries against all keys that they may see.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_INDEXSCORES_H
#define GSA_PASSES_GSATOTILE_INDEXSCORES_H

#include "dialect/Gsa/GsaOps.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// What the indexer computes; operands are buffers.
struct IndexerSource {
  Value query, key;     ///< [B, Sq, Hi, Di], [B, Sk, Di]
  Value weights, bias;  ///< [B, Sq, Hi], [Hi]; null: all 1, all 0.
  double scale;
  ScoreActivation scoreActivation;
  WeightActivation weightActivation;
  Mask mask;

  MemRefType queryType() const { return cast<MemRefType>(query.getType()); }
  int64_t batches() const { return queryType().getDimSize(0); }
  int64_t queries() const { return queryType().getDimSize(1); }
  int64_t heads() const { return queryType().getDimSize(2); }
  int64_t depth() const { return queryType().getDimSize(3); }
  int64_t keys() const { return cast<MemRefType>(key.getType()).getDimSize(1); }
};

/// The operands of an index_scores or select op as buffers.
IndexerSource makeIndexerSource(IndexScoresOp op, ToTileContext& context);
IndexerSource makeIndexerSource(SelectOp op, ToTileContext& context);

/// Some rows of scores. Values are host indices.
struct ScoreRows {
  Value batch;  ///< First batch.
  int64_t batches;
  Value begin;   ///< First query.
  Value count;   ///< Number of queries.
  Value keys;    ///< No query sees a key from here on.
  Value scores;  ///< Buffer [..., rows, Sk] of f32.
  int64_t rows;  ///< Rows of the buffer per batch, at least count.
  /// Whether hidden cells become -inf. Otherwise only those are written that
  /// are in a tile with a visible one.
  bool fillHidden;
};

/// Launches the kernel at the context's insertion point.
void launchIndexScores(const IndexerSource& source, ScoreScheduleAttr schedule,
                       const ScoreRows& rows, Location loc,
                       ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_INDEXSCORES_H
