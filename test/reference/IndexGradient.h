//===- IndexGradient.h - training of the indexer ----------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_INDEXGRADIENT_H_
#define GSA_TEST_REFERENCE_INDEXGRADIENT_H_

#include <optional>

#include "test/reference/IndexScores.h"

namespace gsa::reference {

/// The keys of each row: the first counts[b,t] entries of indices[b,t] that are
/// keys. The tensors must outlive this struct.
struct IndexLists {
  const Tensor<int32_t>& indices;  ///< [B, Sq, K]
  const Tensor<int32_t>& counts;   ///< [B, Sq]
};

struct IndexGradientOptions {
  /// The mask is that of rows without lists.
  IndexScoresOptions scores;
  const IndexLists* lists = nullptr;  ///< Null: all keys that the mask shows.
  /// The accumulator type, for the rounded evaluation: numbers of a row are
  /// rounded to it, and sums moved by what rounding each of their terms may do.
  /// Absent: everything in float64.
  std::optional<FloatFormat> rounding = std::nullopt;
  /// With it, what the gradients of logits are rounded to before they multiply
  /// queries and keys.
  std::optional<FloatFormat> factors = std::nullopt;
};

/// Of the shapes of the operands; of weights that are 1, and biases that are 0,
/// where there are none.
struct IndexGradients {
  Tensor<double> query, key, weights, bias;
};

/// From the gradients of scores, [B, Sq, K] with lists and [B, Sq, Sk] without.
IndexGradients IndexScoresGradient(const IndexOperands& operands,
                                   const Tensor<double>& scores_grad,
                                   const IndexGradientOptions& options = {});

/// How the heads of attention make one distribution.
enum class KlTarget { kSum, kMean };

/// What the indexer learns. The tensors must outlive this struct.
struct TargetOperands {
  const Tensor<double>& query;  ///< [B, Sq, H, D]
  const Tensor<double>& key;    ///< [B, Sk, G, D], H a multiple of G
  const Tensor<double>& lse;    ///< [B, H, Sq]
};

struct IndexKlOptions {
  IndexGradientOptions index;
  std::optional<double> softmax_scale;  ///< Absent: 1 / sqrt(D).
  KlTarget target = KlTarget::kSum;
  double temperature = 1.0;
  std::optional<double> clip;  ///< Absent: no ratio is cut.
};

/// The divergence of each row, [B, Sq].
Tensor<double> IndexKl(const IndexOperands& operands,
                       const TargetOperands& target,
                       const IndexKlOptions& options = {});

/// From the gradients of the rows' divergences, [B, Sq].
IndexGradients IndexKlGradient(const IndexOperands& operands,
                               const TargetOperands& target,
                               const Tensor<double>& loss_grad,
                               const IndexKlOptions& options = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_INDEXGRADIENT_H_
