//===- IndexScores.h - scores of the gated indexer --------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_INDEXSCORES_H_
#define GSA_TEST_REFERENCE_INDEXSCORES_H_

#include <optional>
#include <vector>

#include "test/reference/Rounding.h"
#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

/// Operands of the indexer. The tensors must outlive this struct.
struct IndexOperands {
  const Tensor<double>& query;              ///< [B, Sq, Hi, Di]
  const Tensor<double>& key;                ///< [B, Sk, Di], one key head
  const Tensor<double>* weights = nullptr;  ///< [B, Sq, Hi]; absent: 1
  const Tensor<double>* bias = nullptr;     ///< [Hi]; absent: 0
  /// [B]; the number of keys is lengths[b] instead of Sk.
  const Tensor<int32_t>* lengths = nullptr;
};

struct IndexScoresOptions {
  std::optional<double> scale;  ///< Absent: 1 / sqrt(Di).
  ScoreActivation score_activation = ScoreActivation::kSigmoid;
  WeightActivation weight_activation = WeightActivation::kSigmoid;
  Mask mask = Mask::kCausal;
  int num_threads = 1;
  /// The accumulator type: a dot product, a logit, a term or a score that it
  /// cannot hold is infinite. The default holds what a double holds.
  FloatFormat range = {};
};

/// Throws unless the shapes of the operands agree and the scale is finite.
void CheckIndexOperands(const IndexOperands& operands,
                        const IndexScoresOptions& options);

/// The scores of query (b, t) against all Sk keys, -inf where the mask hides
/// the key. `row` is resized to Sk. The operands must have been checked.
void ScoreRow(const IndexOperands& operands, const IndexScoresOptions& options,
              int64_t b, int64_t t, std::vector<double>* row);

/// The scores of all pairs, [B, Sq, Sk].
Tensor<double> IndexScores(const IndexOperands& operands,
                           const IndexScoresOptions& options = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_INDEXSCORES_H_
