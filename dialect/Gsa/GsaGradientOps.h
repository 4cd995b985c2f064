//===- GsaGradientOps.h - gradients of attention and gates ----------------===//

#ifndef GSA_DIALECT_GSA_GSAGRADIENTOPS_H
#define GSA_DIALECT_GSA_GSAGRADIENTOPS_H

#include "dialect/Gsa/GsaOps.h"

#define GET_OP_CLASSES
#include "dialect/Gsa/GsaGradientOps.h.inc"

namespace mlir::gsa {

/// Whether `op` is one of the ops of GsaGradientOps.td.
bool isGradient(Operation* op);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSAGRADIENTOPS_H
