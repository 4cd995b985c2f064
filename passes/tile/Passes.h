//===- Passes.h - passes on kernels ----------------------------*- C++ -*-===//

#ifndef GSA_PASSES_TILE_PASSES_H
#define GSA_PASSES_TILE_PASSES_H

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/tile/FragmentRegisters.h"

namespace mlir::gsa {

#define GEN_PASS_DECL
#include "passes/tile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/tile/Passes.h.inc"

}  // namespace mlir::gsa

#endif  // GSA_PASSES_TILE_PASSES_H
