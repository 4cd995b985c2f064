//===- SyncCheck.h - parts of gsa-tile-check-sync --------------*- C++ -*-===//
//
// The pass checks rings and the tiles of their slots, tiles that teams share,
// and what is in flight beside the program. Each part is a function.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_TILE_SYNCCHECK_H
#define GSA_PASSES_TILE_SYNCCHECK_H

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa {

/// The role that runs an op: its region, or null for all warps.
Region* getRoleRegion(Operation* op);
/// Team and name of such a region.
gsa_tile::TeamAttr getRoleTeam(Region* role);
StringRef getRoleName(Region* role);

/// What an op does to a value, by its effects. Ops without known effects do
/// everything.
bool writesTo(Operation* op, Value value);
bool readsFrom(Operation* op, Value value);

/// The allocation of a tile, also of a stage of one.
Value getTileStorage(Value tile);

/// Rings: pairs of steps, who takes them and how often, and what is done to
/// stages meanwhile. Counts rings in `count`.
LogicalResult checkRings(gsa_tile::KernelOp kernel, int64_t& count);

/// Products in flight and the registers they use, and shared memory that the
/// asynchronous proxy reads.
LogicalResult checkAsync(gsa_tile::KernelOp kernel);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_TILE_SYNCCHECK_H
