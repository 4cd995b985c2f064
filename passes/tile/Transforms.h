//===- Transforms.h - what passes on kernels do, as functions --*- C++ -*-===//
//
// For who needs a kernel's plan without a pass manager: a schedule is measured
// while another pass runs.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_TILE_TRANSFORMS_H
#define GSA_PASSES_TILE_TRANSFORMS_H

#include "dialect/GsaTile/GsaTileOps.h"

namespace mlir::gsa {

/// Whether remarks say what was done: not where a kernel is only measured.
enum class Remarks { Emit, Omit };

/// gsa-tile-pipeline on one kernel.
LogicalResult lowerStreams(gsa_tile::KernelOp kernel,
                           Remarks remarks = Remarks::Emit);
/// gsa-tile-assign-roles on one kernel; returns the roles that were given, none
/// if the kernel has none or had them.
FailureOr<ArrayAttr> assignRoles(gsa_tile::KernelOp kernel);
/// gsa-tile-plan-smem on one kernel, without a limit: sets the offsets of
/// allocations and `shared_bytes`.
void planSharedMemory(gsa_tile::KernelOp kernel);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_TILE_TRANSFORMS_H
