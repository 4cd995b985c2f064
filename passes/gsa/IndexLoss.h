//===- IndexLoss.h - what a loss of the indexer is over --------*- C++ -*-===//

#ifndef GSA_PASSES_GSA_INDEXLOSS_H
#define GSA_PASSES_GSA_INDEXLOSS_H

#include "dialect/Gsa/GsaGradientOps.h"

namespace mlir::gsa {

/// Fails, with an error at the op, if the lists of a loss hold every visible
/// key whatever the scores are. Sizes that are not known are not judged.
LogicalResult checkIndexLoss(IndexKlOp op);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_INDEXLOSS_H
