//===- Contraction.h - products of matrices --------------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_CONTRACTION_H
#define GSA_PASSES_GSATOTILE_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa::tile {

/// Whether `op` is a contraction in the sense of linalg, whatever the order of
/// its dimensions, and one of matrices: its result has a dimension of one
/// operand alone. Products without are sums like others.
bool isContraction(linalg::LinalgOp op);

/// Whether sums that start from `init` start from 0 (or from nothing).
bool startsFromZero(Value init);

/// Replaces a contraction on tensors of static shape by one gsa_tile.gemm.
///
/// Loops group into batch (in both operands and the result), rows (in one
/// operand), columns (in the other) and depth (summed). Each operand must hold
/// its groups one after the other, batch first, in any order of the other two;
/// the result batch, rows, columns. Sums that start from zeros overwrite the
/// result, all others are added to a copy of where they start. Elements are
/// f16, bf16 or f32, and the result may be f32; products of f32 are in full
/// f32. Everything else is an error at the op.
LogicalResult lowerContraction(linalg::LinalgOp op, ToTileContext& context);

/// Lets contractions and other sums that start from zeros start from nothing,
/// so that the zeros are never written.
void dropZeroInits(ModuleOp module, RewriterBase& rewriter);

}  // namespace mlir::gsa::tile

#endif  // GSA_PASSES_GSATOTILE_CONTRACTION_H
