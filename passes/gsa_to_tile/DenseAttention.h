//===- DenseAttention.h - dense attention over one head's keys -*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_DENSEATTENTION_H
#define GSA_PASSES_GSATOTILE_DENSEATTENTION_H

#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// What a block of dense attention handles: `rows` queries of a head, at most
/// block_q of the schedule.
struct DenseBlock {
  Value batch, head, firstQuery, rows;
};

/// Emits dense attention of the block's rows at the end of the kernel's body.
void emitDense(DenseAttentionOp op, AttentionScheduleAttr schedule,
               AttentionKernel& kernel, const DenseBlock& block);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_DENSEATTENTION_H
