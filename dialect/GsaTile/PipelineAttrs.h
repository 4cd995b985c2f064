//===- PipelineAttrs.h - what lowerings tell later stages ------*- C++ -*-===//
//
// Discardable attributes: what a kernel was made for, and how its loops shall
// be compiled.
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

/// Whether passes alone write the attribute of `op`, as they do all of the
/// above but in kernels, which may be given with loops that stay loops.
bool isAttributeOfPasses(Operation* op, llvm::StringRef name);

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_PIPELINEATTRS_H
