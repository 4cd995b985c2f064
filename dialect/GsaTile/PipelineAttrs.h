//===- PipelineAttrs.h - what lowerings tell later stages ------*- C++ -*-===//
//
// A lowering emits a kernel of one team with single buffers, and says in these
// discardable attributes how its schedule wants it to run and how its loops
// shall be compiled.
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

/// On a kernel, string: the op that it was made for and its types, for whoever
/// reads the kernel. Other ops may share it.
inline constexpr llvm::StringLiteral kOriginAttr = "gsa_tile.origin";

/// Unit attribute of the scf.for over tiles, which gsa-tile-pipeline works on.
/// Its body is copies, copy_wait, uses, sync.
inline constexpr llvm::StringLiteral kMainLoopAttr = "gsa_tile.main_loop";

/// Unit attribute of an scf.for that the compiler of the kernel shall not
/// unroll: its body holds what should be in flight together already.
inline constexpr llvm::StringLiteral kRolledAttr = "gsa_tile.rolled";

/// Whether passes alone write the attribute, as they do all of the above.
bool isAttributeOfPasses(llvm::StringRef name);

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_PIPELINEATTRS_H
