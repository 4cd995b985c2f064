//===- GsaGradientOps.h - gradients, and what trains ----------------------===//

#ifndef GSA_DIALECT_GSA_GSAGRADIENTOPS_H
#define GSA_DIALECT_GSA_GSAGRADIENTOPS_H

#include "dialect/Gsa/GsaOps.h"

#define GET_OP_CLASSES
#include "dialect/Gsa/GsaGradientOps.h.inc"

namespace mlir::gsa {

/// Whether `op` is one of the ops of GsaGradientOps.td, but the loss of the
/// indexer, which a forward function has.
bool isGradient(Operation* op);

/// What gsa.index_scores_grad, gsa.index_kl and gsa.index_kl_grad read of the
/// indexer and of the keys of a row, whatever the ops call it.
struct IndexerForm {
  Operation* op = nullptr;
  Value query, key, weights, bias;  ///< Null where the op has none.
  Value indices, counts;  ///< Null: the keys are those that the mask shows.
  Value lengths;
  std::optional<llvm::APFloat> scaleGiven;
  ScoreActivation scoreActivation = ScoreActivation::Sigmoid;
  WeightActivation weightActivation = WeightActivation::Sigmoid;
  Mask mask = Mask::None;  ///< Of keys without lists.

  static IndexerForm of(Operation* op);
  /// The factor of dot products. The head size is static, or the op says it.
  double scale() const;
};

/// What the indexer's loss and its gradient read of attention.
struct IndexTarget {
  Value query, key, lse;
  std::optional<llvm::APFloat> scaleGiven;
  bool meanHeads = false;
  double temperature = 1.0;
  std::optional<double> clip;

  /// Of a gsa.index_kl or gsa.index_kl_grad.
  static IndexTarget of(Operation* op);
  double scale() const;
};

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSAGRADIENTOPS_H
