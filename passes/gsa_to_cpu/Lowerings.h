//===- Lowerings.h - one function per op that lowers to loops --*- C++ -*-===//
//
// Each function replaces `op`, whose shapes are static, by loops over buffers
// as its schedule says.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_TO_CPU_LOWERINGS_H
#define GSA_PASSES_GSA_TO_CPU_LOWERINGS_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::gsa {

LogicalResult lowerIndexScores(IndexScoresOp op, CpuScheduleAttr schedule,
                               IRRewriter& rewriter);
LogicalResult lowerSelect(SelectOp op, CpuScheduleAttr schedule,
                          IRRewriter& rewriter);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_TO_CPU_LOWERINGS_H
