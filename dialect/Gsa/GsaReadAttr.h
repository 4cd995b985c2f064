//===- GsaReadAttr.h - a discardable attribute of lowerings ----*- C++ -*-===//
//
// Beside GsaAttrNames.h, for the few that know it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSAREADATTR_H
#define GSA_DIALECT_GSA_GSAREADATTR_H

#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

/// i64 attribute of a bufferization.to_buffer whose tensor has been made a
/// buffer before: how often. It says that the loops behind it read the tensor
/// there, and keeps it apart from the ops before it, which are its equals
/// otherwise: once they are one, bufferization sees no read behind the first
/// loops and lets others write to the memory in between.
inline constexpr llvm::StringLiteral kReadAttr = "gsa.read";

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSAREADATTR_H
