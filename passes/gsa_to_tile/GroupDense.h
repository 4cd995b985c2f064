//===- GroupDense.h - dense attention by warpgroups ------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_GROUPDENSE_H
#define GSA_PASSES_GSATOTILE_GROUPDENSE_H

#include "dialect/Gsa/GsaOps.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// Replaces a dense_attention that has a dense_schedule by its kernels:
/// attention by warpgroups, and by rows for what that cannot do.
LogicalResult lowerGroupDense(DenseAttentionOp op, ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_GROUPDENSE_H
