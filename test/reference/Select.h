//===- Select.h - fused selection -------------------------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_SELECT_H_
#define GSA_TEST_REFERENCE_SELECT_H_

#include <cstdint>
#include <optional>

#include "test/reference/IndexScores.h"
#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

struct SelectOptions {
  KPolicy policy;
  std::optional<double> scale;  ///< Absent: 1 / sqrt(Di).
  ScoreActivation score_activation = ScoreActivation::kSigmoid;
  WeightActivation weight_activation = WeightActivation::kSigmoid;
  Mask mask = Mask::kCausal;
  int64_t sink = 0;
  int64_t local = 0;
  /// Required for paper_ema, optional for upstream_variance (absent: the mean
  /// over all rows of the batch), refused otherwise.
  std::optional<double> normaliser;
  int num_threads = 1;
  /// The accumulator type: steps of a score and a statistic that it cannot hold
  /// are infinite. The default holds what a double holds.
  FloatFormat range = {};

  /// The part that the indexer reads.
  IndexScoresOptions ScoreOptions() const;
};

struct SelectResult {
  Tensor<int32_t> indices;   ///< [B, Sq, K], ascending, then -1; K = slots
  Tensor<int32_t> counts;    ///< [B, Sq]
  Tensor<int32_t> status;    ///< [B, Sq], NaN scores of the row
  Tensor<int32_t> visible;   ///< [B, Sq], visible cells
  Tensor<double> statistic;  ///< [B, Sq], 0 for the policy fixed
  Tensor<double> raw;        ///< [B, Sq], raw budget, see AdaptiveK.h
  Tensor<int32_t> k;         ///< [B, Sq], budget before it is cut to K
  double normaliser = 0.0;   ///< The one in use; 0 if the policy has none.
};

/// IndexScores, RowStatistics, AdaptiveK and TopK one row after the other.
/// Holds one row of scores per thread, so memory is linear in Sk.
SelectResult Select(const IndexOperands& operands,
                    const SelectOptions& options);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_SELECT_H_
