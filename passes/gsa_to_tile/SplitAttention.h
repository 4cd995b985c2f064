//===- SplitAttention.h - attention of few queries -------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_SPLITATTENTION_H
#define GSA_PASSES_GSATOTILE_SPLITATTENTION_H

#include "dialect/Gsa/GsaOps.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// Lowers `op` as its #gsa.split_attention_schedule says.
LogicalResult lowerSplitAttention(GatherAttentionOp op, ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_SPLITATTENTION_H
