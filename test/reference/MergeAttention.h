//===- MergeAttention.h - attention from its parts --------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_MERGEATTENTION_H_
#define GSA_TEST_REFERENCE_MERGEATTENTION_H_

#include <vector>

#include "test/reference/GatherAttention.h"

namespace gsa::reference {

/// Attention over some of the keys. The tensors must outlive this struct.
struct AttentionPart {
  const Tensor<double>& output;  ///< [B, Sq, H, Dv]
  const Tensor<double>& lse;     ///< [B, H, Sq]
};

/// Attention over the keys of all parts, which have none in common. A part with
/// an lse of -inf is none, whatever its output; one of NaN or +inf makes the
/// row NaN. Throws without parts, or if their shapes differ.
AttentionResult MergeAttention(const std::vector<AttentionPart>& parts);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_MERGEATTENTION_H_
