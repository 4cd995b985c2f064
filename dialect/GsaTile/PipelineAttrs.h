//===- PipelineAttrs.h - what lowerings tell gsa-tile-pipeline --*- C++ -*-===//
//
// A lowering emits a kernel of one team with single buffers, and says in these
// discardable attributes how its schedule wants it to run.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSATILE_PIPELINEATTRS_H
#define GSA_DIALECT_GSATILE_PIPELINEATTRS_H

#include "llvm/ADT/StringRef.h"

namespace mlir::gsa_tile {

/// On a kernel, i64: buffers of the ring, and the warps that shall fill them
/// beside the kernel's own. Without producers there is no ring.
inline constexpr llvm::StringLiteral kRingStagesAttr = "gsa_tile.stages";
inline constexpr llvm::StringLiteral kProducersAttr = "gsa_tile.producers";

/// Unit attribute of the scf.for over tiles, which gsa-tile-pipeline works on.
/// Its body is copies, copy_wait, uses, sync.
inline constexpr llvm::StringLiteral kMainLoopAttr = "gsa_tile.main_loop";

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_PIPELINEATTRS_H
