//===- Lowerings.h - one function per op that becomes kernels --*- C++ -*-===//
//
// Each function replaces `op`, whose shapes are static, by kernels as its
// schedule says, with the tools of ToTile.h. One op, one file; the list in
// GsaToTile.cpp says which op goes where.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_LOWERINGS_H
#define GSA_PASSES_GSATOTILE_LOWERINGS_H

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {
class AttentionRowSumsOp;
class GateGradOp;
}  // namespace mlir::gsa

namespace mlir::gsa::tile {

LogicalResult lowerDenseAttention(DenseAttentionOp op, ToTileContext& context);
LogicalResult lowerGatherAttention(GatherAttentionOp op,
                                   ToTileContext& context);
LogicalResult lowerGatherAttentionGrad(GatherAttentionGradOp op,
                                       ToTileContext& context);
LogicalResult lowerIndexKl(IndexKlOp op, ToTileContext& context);
LogicalResult lowerIndexKlGrad(IndexKlGradOp op, ToTileContext& context);
LogicalResult lowerIndexScores(IndexScoresOp op, ToTileContext& context);
LogicalResult lowerIndexScoresGrad(IndexScoresGradOp op,
                                   ToTileContext& context);
LogicalResult lowerPartialAttention(PartialAttentionOp op,
                                    ToTileContext& context);
LogicalResult lowerRowStatistics(RowStatisticsOp op, ToTileContext& context);
LogicalResult lowerSelect(SelectOp op, ToTileContext& context);
LogicalResult lowerTopK(TopKOp op, ToTileContext& context);
/// Elementwise by its definition, as all ops whose cells do not depend on each
/// other.
LogicalResult lowerAdaptiveK(AdaptiveKOp op, ToTileContext& context);
LogicalResult lowerGate(GateOp op, ToTileContext& context);
LogicalResult lowerMergeAttention(MergeAttentionOp op, ToTileContext& context);

LogicalResult lowerAppendRows(AppendRowsOp op, ToTileContext& context);
LogicalResult lowerAttentionRowSums(AttentionRowSumsOp op,
                                    ToTileContext& context);
LogicalResult lowerGateGrad(GateGradOp op, ToTileContext& context);
LogicalResult lowerRope(RopeOp op, ToTileContext& context);
LogicalResult lowerStatMean(StatMeanOp op, ToTileContext& context);

/// Elementwise ops and products of matrices; see Elementwise.h, Contraction.h.
LogicalResult lowerLinalg(linalg::LinalgOp op, ToTileContext& context);

/// Replaces a gsa op by the kernels of the linalg ops that define it.
LogicalResult lowerByDefinition(linalg::AggregatedOpInterface op,
                                ToTileContext& context);

/// Any op that has one of the lowerings above; an op without, or one whose
/// shapes are not static, is an error.
LogicalResult lowerOp(Operation* op, ToTileContext& context);

}  // namespace mlir::gsa::tile

#endif  // GSA_PASSES_GSATOTILE_LOWERINGS_H
