//===- PipelineAttrs.h - what lowerings tell later stages ------*- C++ -*-===//
//
// Discardable attributes: what a kernel was made for, how its loops shall be
// compiled, and when the steps of the host run.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSATILE_PIPELINEATTRS_H
#define GSA_DIALECT_GSATILE_PIPELINEATTRS_H

#include "llvm/ADT/StringRef.h"

namespace mlir {
class Operation;
}  // namespace mlir

namespace mlir::gsa_tile {

/// On a kernel, string: the op that it was made for and its types, for whoever
/// reads the kernel. Other ops may share it.
inline constexpr llvm::StringLiteral kOriginAttr = "gsa_tile.origin";

/// Unit attribute of an scf.for that the compiler of the kernel shall not
/// unroll: its body holds what should be in flight together already.
inline constexpr llvm::StringLiteral kRolledAttr = "gsa_tile.rolled";

/// #gsa_tile.step on what becomes a step of the host program: a launch, a
/// product, a copy or a fill of memrefs.
inline constexpr llvm::StringLiteral kStepAttr = "gsa_tile.step";

/// On a launch, f64: how long all launches of its kernel for the op take, as
/// the model of the op's schedule has it, in microseconds.
inline constexpr llvm::StringLiteral kEstimateAttr = "gsa_tile.estimate";

/// Unit attribute of an scf.for of a host function: as those of an scf.forall,
/// its iterations write different parts of what they share, and none reads what
/// another one writes.
inline constexpr llvm::StringLiteral kIndependentAttr = "gsa_tile.independent";

/// Unit attribute of such a loop: its iterations are as independent of those of
/// the loop before it in the block as of each other.
inline constexpr llvm::StringLiteral kJoinedAttr = "gsa_tile.joined";

/// On a memref.view of the workspace, i64: which of the buffers that share the
/// workspace it is. Two views of one buffer have one number.
inline constexpr llvm::StringLiteral kBufferAttr = "gsa_tile.buffer";

/// Whether passes alone write the attribute of `op`, as they do all of the
/// above but in kernels, which may be given with loops that stay loops.
bool isAttributeOfPasses(Operation* op, llvm::StringRef name);

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_PIPELINEATTRS_H
