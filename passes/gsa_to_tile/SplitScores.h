//===- SplitScores.h - scores of few queries -------------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_SPLITSCORES_H
#define GSA_PASSES_GSATOTILE_SPLITSCORES_H

#include <functional>

#include "passes/gsa_to_tile/IndexScores.h"

namespace mlir::gsa {

/// Where the scores of all rows go; row `batch * Sq + query`. Buffers.
struct SplitRows {
  Value scores;  ///< [B * Sq, ceil(Sk / sample)] of f32.
  /// Only keys 0, sample, 2 sample, ... are scored.
  int64_t sample = 1;
  /// Lists that scores at or above the bounds go to as well, or null: as
  /// CandidateLists.
  Value bounds, counts, pairs;
  int64_t capacity = 0;
};

/// What the sample of a row is for. Buffers of all rows, which are written.
struct SplitBounds {
  Value bounds;  ///< [B * Sq] of f32: the bound of each row.
  Value counts;  ///< [B * Sq] of i32: becomes 0.
  int64_t rank;  ///< That of the bound in the sample.
  /// Candidates of a row; one with no more keys needs no bound.
  int64_t capacity;
  int64_t bins;  ///< Of the histogram of the sample.
};

/// The row that a block of a cluster has; values of the kernel.
struct SplitRow {
  Value batch, query, queries, keys;
  Value number;  ///< Of all rows.
  Value limit;   ///< How many keys it sees.
  Value scores;  ///< Address of the first one.
};

/// What the block of a row does with the scores that its cluster wrote.
struct SplitRowUse {
  std::function<void(KernelBuilder&)> addArguments;
  /// By all blocks, before the scores of others are there.
  std::function<void(KernelBuilder&, const SplitRow&)> prepare;
  std::function<void(KernelBuilder&, const SplitRow&)> use;
};

/// Launches the kernel at the context's insertion point, as `name`: blocks of
/// `span` tiles of keys, for all queries of a sequence.
void launchSplitScores(const IndexerSource& source,
                       SplitSelectScheduleAttr schedule, int64_t span,
                       const SplitRows& rows, Location loc,
                       ToTileContext& context, StringRef name);

/// The same of a sample, by a cluster of blocks for each sequence, as
/// `schedule` says; and the bounds of the rows.
void launchSplitSample(const IndexerSource& source,
                       SplitSelectScheduleAttr schedule, const SplitRows& rows,
                       const SplitBounds& bounds, Location loc,
                       ToTileContext& context, StringRef name);

/// The same of all keys, and what is done with the rows.
void launchSplitRows(const IndexerSource& source,
                     SplitSelectScheduleAttr schedule, const SplitRows& rows,
                     const SplitRowUse& use, Location loc,
                     ToTileContext& context, StringRef name);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_SPLITSCORES_H
