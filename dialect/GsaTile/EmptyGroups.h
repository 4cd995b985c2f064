//===- EmptyGroups.h - commits without products ----------------*- C++ -*-===//

#ifndef GSA_DIALECT_GSATILE_EMPTYGROUPS_H
#define GSA_DIALECT_GSATILE_EMPTYGROUPS_H

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa_tile {

/// Removes commits of groups without products where the next wait is for all
/// groups or for all but that one: ptxas makes a product of nothing of each.
void dropEmptyGroups(KernelOp kernel);

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_EMPTYGROUPS_H
