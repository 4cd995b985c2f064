//===- GatherAttention.h - attention over one token's keys -----*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_GATHERATTENTION_H
#define GSA_PASSES_GSATOTILE_GATHERATTENTION_H

#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// What a block of attention over one token's list handles: heads
/// `group * ratio + firstRow` and following ones of a token.
struct GatherBlock {
  Value batch, token, group, firstRow;
  /// Of a part of the list: its first entry, the most that it has, and the
  /// batch of the arrays of results that it goes to. Otherwise null and 0.
  Value firstEntry, resultBatch;
  int64_t entries = 0;
  /// Heads of the block at most; null: all that a block has.
  Value heads = {};
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
