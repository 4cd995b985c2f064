//===- GatherAttention.h - attention over one token's keys -----*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_GATHERATTENTION_H
#define GSA_PASSES_GSATOTILE_GATHERATTENTION_H

#include <functional>

#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// What a block of attention over one token's list handles: heads
/// `group * ratio + firstRow` and following ones of a token.
struct GatherBlock {
  Value batch, token, group, firstRow;
  /// Of a range of the list: its first entry and the most that it has.
  /// Otherwise null and 0.
  Value firstEntry;
  int64_t entries = 0;
  /// Parts of `partEntries` entries, one after another, each with a result of
  /// its own; null: one, of all entries.
  Value parts;
  int64_t partEntries = 0;
  /// The batch of the arrays of results that part i goes to; null: `batch`.
  std::function<Value(KernelScalars&, Value part)> resultBatch = {};
  /// The keys, from `prefetched` on, that the block asks for before it has the
  /// list; 0: none.
  Value prefetched;
  int64_t prefetchedKeys = 0;
  /// Heads of the block at most; null: all that a block has.
  Value heads = {};
  /// The arrays of results; those of the kernel by default.
  std::optional<AttentionResults> results = {};
  /// What follows behind a barrier of the warps that compute, with the rows of
  /// the block; or, with several of them, of all blocks of its cluster.
  int64_t cluster = 1;
  std::function<void(KernelScalars&, const KernelTeams&, const AttentionRows&)>
      atEnd = {};
};

/// Emits attention over the list of `block.token`, of up to `slots` entries,
/// at the end of the kernel's body.
void emitGather(int64_t slots, AttentionScheduleAttr schedule, Location loc,
                AttentionKernel& kernel, const GatherBlock& block);

/// Blocks for the heads of a group.
int64_t countRowBlocks(const AttentionShape& shape,
                       AttentionScheduleAttr schedule);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_GATHERATTENTION_H
