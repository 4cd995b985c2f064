//===- IndexLoss.h - what a loss of the indexer is over --------*- C++ -*-===//

#ifndef GSA_PASSES_GSA_INDEXLOSS_H
#define GSA_PASSES_GSA_INDEXLOSS_H

#include "dialect/Gsa/GsaGradientOps.h"

namespace mlir::gsa {

/// Fails, with an error at the op, if the lists of a loss hold every visible
/// key whatever the scores are. Sizes that are not known are not judged: its
/// gradient, whose sizes may be known later, is judged by itself.
LogicalResult checkIndexLoss(IndexKlOp op);
LogicalResult checkIndexLoss(IndexKlGradOp op);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_INDEXLOSS_H
