//===- Attention.h - the Gated Sparse Attention block -----------*- C++ -*-===//

#ifndef GSA_TEST_REFERENCE_ATTENTION_H_
#define GSA_TEST_REFERENCE_ATTENTION_H_

#include <cstdint>
#include <optional>

#include "test/reference/Rope.h"
#include "test/reference/Select.h"
#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

/// Operands of the block. The tensors must outlive this struct.
struct BlockOperands {
  const Tensor<double>& query;                  ///< [B, Sq, H, D], not rotated
  const Tensor<double>& key;                    ///< [B, Sk, G, D], not rotated
  const Tensor<double>& value;                  ///< [B, Sk, G, Dv], not gated
  const Tensor<int64_t>& positions;             ///< [B, Sq]
  const Tensor<int64_t>& key_positions;         ///< [B, Sk]
  IndexOperands index;                          ///< Operands of selection
  const Tensor<double>* value_gate = nullptr;   ///< [B, Sk, G, Dv]
  const Tensor<double>* output_gate = nullptr;  ///< [B, Sq, H, Dv]
};

struct AttentionOptions {
  SelectOptions select;
  std::optional<double> softmax_scale;  ///< Absent: 1 / sqrt(D).
  GateActivation gate_activation = GateActivation::kSigmoid;
  RopeOptions rope;
  int num_threads = 1;  ///< Also of the selection.
};

struct BlockResult {
  Tensor<double> output;   ///< [B, Sq, H, Dv], gated
  Tensor<double> lse;      ///< [B, H, Sq], without the gate
  SelectResult selection;  ///< Indices, counts, status and budgets
};

/// Everything between the projections of a GSA layer.
BlockResult Attention(const BlockOperands& operands,
                      const AttentionOptions& options);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_ATTENTION_H_
