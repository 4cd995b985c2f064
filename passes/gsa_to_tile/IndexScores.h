//===- IndexScores.h - kernels of indexer scores ---------------*- C++ -*-===//
//
// The kernel that gsa.index_scores and gsa.select share: scores of some rows of
// queries against all keys that they may see.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_INDEXSCORES_H
#define GSA_PASSES_GSATOTILE_INDEXSCORES_H

#include <optional>

#include "dialect/Gsa/GsaOps.h"
#include "passes/gsa_to_tile/RowStorage.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// What the indexer computes; operands are buffers.
struct IndexerSource {
  Value query;          ///< [B, Sq, Hi, Di]
  RowStorage keyRows;   ///< [B, Sk, Di]
  Value weights, bias;  ///< [B, Sq, Hi], [Hi]; null: all 1, all 0.
  Value lengths;        ///< [B] of i32; null: Sk each.
  double scale;
  ScoreActivation scoreActivation;
  WeightActivation weightActivation;
  Mask mask;

  MemRefType queryType() const { return cast<MemRefType>(query.getType()); }
  int64_t batches() const { return queryType().getDimSize(0); }
  int64_t queries() const { return queryType().getDimSize(1); }
  int64_t heads() const { return queryType().getDimSize(2); }
  int64_t depth() const { return queryType().getDimSize(3); }
  int64_t keys() const { return keyRows.rows; }
  /// Vectors in which keys are copied.
  int64_t keyVectorBytes() const {
    return getVectorBytes(queryType().getElementType(), keyRows.vectorUnit());
  }
};

/// The operands of an index_scores or select op as buffers.
IndexerSource makeIndexerSource(IndexScoresOp op, ToTileContext& context);
IndexerSource makeIndexerSource(SelectOp op, ToTileContext& context);

/// Sums of the visible scores of each query from `begin` on, and of their
/// squares, for each span of keys. Buffers [rows, spans] of f32.
struct RowMoments {
  Value sums, squares;
};

/// Lists of candidates (GsaTileCandidateOps.td), one for each query from
/// `begin` on. Buffers.
struct CandidateLists {
  Value bounds;  ///< [rows] of f32; null if there are no lists.
  /// [rows] of i32, 0 at the start. Of rows whose scores are not all finite it
  /// becomes very large.
  Value counts;
  Value pairs;  ///< [rows, capacity, 2] of i32, or null.
  int64_t capacity = 0;
  /// Hits that a lane stages beside those of a tile before it appends them.
  int64_t staged = 0;
  /// Blocks whose queries all see at most so many keys have nothing to do, if
  /// not 0.
  int64_t skipBelow = 0;
};

/// Some rows of scores. Values are host indices.
struct ScoreRows {
  Value batch;  ///< First batch.
  int64_t batches = 1;
  Value begin;       ///< First query.
  Value count;       ///< Number of queries.
  Value keys;        ///< No query sees a key from here on.
  Value scores;      ///< Buffer [..., rows, Sk] of f32; null with candidates.
  int64_t rows = 0;  ///< Rows of the buffer per batch, at least count.
  /// Columns of the buffer, a host index; null: one for each scored key.
  Value pitch;
  /// Whether hidden cells become -inf. Otherwise only those are written that
  /// are in a tile with a visible one.
  bool fillHidden = false;

  /// Scores as lists of candidates have them: in their order, but twice the
  /// score less the sum of the weights where the activation is a sigmoid.
  bool ranksOnly = false;
  /// Only keys 0, sample, 2 sample, ... are scored, and hidden ones as well.
  /// The buffer has a column for each.
  int64_t sample = 1;
  /// Scores go to the lists instead of the buffer. Needs `ranksOnly`.
  std::optional<CandidateLists> candidates;
  /// Beside lists, or without bounds and pairs instead of them.
  std::optional<RowMoments> moments;
  /// Buffer of i32, or null: flag `firstFlag` (host index) + i is that of query
  /// i. Blocks of queries without flags, all of them 0, do nothing.
  Value flags, firstFlag;
  /// With flags, a host index: 1, or 0 if flags do not count, so that one
  /// kernel serves both; null: 1.
  Value onlyFlagged;
  /// Tiles of a block's span, a host index; null: as the schedule has them.
  Value span;
  /// If not 0, the scores are shared out among about so many blocks, by spans
  /// that the host makes, instead of spans as the schedule has them. Moments
  /// are those of the schedule's spans all the same.
  int64_t blocks = 0;
  /// The fewest tiles of a span that the host makes: a block loads its queries
  /// for it.
  int64_t leastSpan = 1;
};

/// That of the device library.
gsa_tile::Activation toActivation(ScoreActivation activation);

/// Keys of a span, of which there are spans from key 0 on.
int64_t getSpanKeys(ScoreScheduleAttr schedule);

/// Launches the kernel at the context's insertion point, as `name`.
void launchIndexScores(const IndexerSource& source, ScoreScheduleAttr schedule,
                       const ScoreRows& rows, Location loc,
                       ToTileContext& context, StringRef name = "index_scores");

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_INDEXSCORES_H
