//===- FuseEpilogue.h - gates in the epilogue of attention -----*- C++ -*-===//
//
// How gsa-fuse-epilogue tells the lowering of attention about an output gate.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_FUSEEPILOGUE_H
#define GSA_PASSES_GSA_FUSEEPILOGUE_H

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"

namespace mlir::gsa {

/// The gate that the lowering of `attention` (gather_attention or
/// dense_attention) must apply, or null. The gate is the only user of the
/// output, and all of its operands are available at the gate; so the lowering
/// builds at the gate, and replaces the gate's result and the attention op's
/// lse.
GateOp getFusedGate(Operation* attention);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_FUSEEPILOGUE_H
