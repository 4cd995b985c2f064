//===- GroupDense.h - dense attention by warpgroups ------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_GROUPDENSE_H
#define GSA_PASSES_GSATOTILE_GROUPDENSE_H

#include "dialect/Gsa/GsaOps.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// Replaces a dense_attention, or a gather_attention whose lists are known
/// (gsa.lists), that has a dense_schedule by its kernels: attention by
/// warpgroups, and by rows or lists for what that cannot do.
LogicalResult lowerGroupDense(Operation* op, ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_GROUPDENSE_H
