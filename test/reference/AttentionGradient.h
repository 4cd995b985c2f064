//===- AttentionGradient.h - gradients of attention -------------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_ATTENTIONGRADIENT_H_
#define GSA_TEST_REFERENCE_ATTENTIONGRADIENT_H_

#include "test/reference/DenseAttention.h"
#include "test/reference/GatherAttention.h"

namespace gsa::reference {

/// <output[b,t,j], output_grad[b,t,j]> - lse_grad[b,j,t], [B, H, Sq]. Both
/// outputs are [B, Sq, H, Dv]; `lse_grad`, [B, H, Sq], may be null for 0.
Tensor<double> AttentionRowSums(const Tensor<double>& output,
                                const Tensor<double>& output_grad,
                                const Tensor<double>* lse_grad = nullptr);

/// What comes to attention from behind it. The tensors must outlive this
/// struct.
struct AttentionUpstream {
  const Tensor<double>& output_grad;  ///< [B, Sq, H, Dv]
  const Tensor<double>& lse;          ///< [B, H, Sq], of the forward function
  const Tensor<double>& row_sums;     ///< [B, H, Sq], of AttentionRowSums
};

/// Gradients of the operands of attention, of their shapes.
struct AttentionGradients {
  Tensor<double> query, key, value;
};

/// Gradients of GatherAttention with these options, whose range must be that of
/// all entries. With `rounding`, logits are rounded to the accumulator type,
/// and the gradients of query and key are moved, up or down, by what is to be
/// expected of the rounding of each <output_grad, v> there, the errors being
/// independent. A head of a row whose lse is -inf takes no part in anything.
AttentionGradients GatherAttentionGradient(
    const AttentionOperands& operands, const Tensor<int32_t>& indices,
    const Tensor<int32_t>& counts, const AttentionUpstream& upstream,
    const GatherAttentionOptions& options = {});

/// Gradients of DenseAttention with these options, whose range must be that of
/// all keys.
AttentionGradients DenseAttentionGradient(
    const AttentionOperands& operands, const AttentionUpstream& upstream,
    const DenseAttentionOptions& options = {});

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_ATTENTIONGRADIENT_H_
