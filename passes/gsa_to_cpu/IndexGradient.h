//===- IndexGradient.h - training of the indexer to loops ------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOCPU_INDEXGRADIENT_H
#define GSA_PASSES_GSATOCPU_INDEXGRADIENT_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::gsa::cpu {

/// Replaces a gsa.index_scores_grad, gsa.index_kl or gsa.index_kl_grad by loops
/// over buffers. Its memory grows with the number of keys, not with that of
/// pairs of queries and keys.
LogicalResult lowerIndexGradient(Operation* op, CpuScheduleAttr schedule,
                                 RewriterBase& rewriter);

}  // namespace mlir::gsa::cpu

#endif  // GSA_PASSES_GSATOCPU_INDEXGRADIENT_H
