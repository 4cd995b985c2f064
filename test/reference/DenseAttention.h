//===- DenseAttention.h - attention over all visible keys -------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_DENSEATTENTION_H_
#define GSA_TEST_REFERENCE_DENSEATTENTION_H_

#include <optional>

#include "test/reference/GatherAttention.h"
#include "test/reference/Types.h"

namespace gsa::reference {

struct DenseAttentionOptions {
  std::optional<double> scale;  ///< Absent: 1 / sqrt(D).
  Mask mask = Mask::kCausal;
  int num_threads = 1;
  std::optional<AttentionRounding> rounding =
      std::nullopt;     ///< As in GatherAttentionOptions.
  KeyRange range = {};  ///< Of the keys.
  /// [B], or null: the number of keys is lengths[b] instead of Sk.
  const Tensor<int32_t>* lengths = nullptr;
};

/// The keys of each row: those of the options' range that the mask shows, in
/// ascending order. The options' lengths must outlive the result.
KeyList VisibleKeyLists(const AttentionOperands& operands,
                        const DenseAttentionOptions& options);

/// Attention of each query over all keys that the mask shows; bitwise equal to
/// GatherAttention over the ascending list of those keys.
AttentionResult DenseAttention(const AttentionOperands& operands,
                               const DenseAttentionOptions& options = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_DENSEATTENTION_H_
