//===- Attention.cc - the Gated Sparse Attention block --------------------===//
//
//   1. v <- gate(v, value_gate)            the gate of the key's token
//   2. q <- rope(q, positions), k <- rope(k, key_positions)
//   3. selection by the indexer, which gets no positions
//   4. attention over the selected keys
//   5. o <- gate(o, output_gate)           the gate of the query's token
//
//===----------------------------------------------------------------------===//

#include "test/reference/Attention.h"

#include "test/reference/Gate.h"
#include "test/reference/GatherAttention.h"

namespace gsa::reference {

BlockResult Attention(const BlockOperands& operands,
                      const AttentionOptions& options) {
  Tensor<double> value =
      operands.value_gate
          ? Gate(operands.value, *operands.value_gate, options.gate_activation)
          : operands.value;
  Tensor<double> query = Rope(operands.query, operands.positions, options.rope);
  Tensor<double> key = Rope(operands.key, operands.key_positions, options.rope);
  CheckAttentionOperands({query, key, value}, options.softmax_scale);
  RequireShape("index query", operands.index.query,
               {query.dim(0), query.dim(1), operands.index.query.dim(2),
                operands.index.query.dim(3)});
  RequireShape("index key", operands.index.key,
               {key.dim(0), key.dim(1), operands.index.key.dim(2)});

  SelectOptions select = options.select;
  select.num_threads = options.num_threads;
  SelectResult selection = Select(operands.index, select);
  AttentionResult attended =
      GatherAttention({query, key, value}, selection.indices, selection.counts,
                      {options.softmax_scale, options.num_threads});
  if (operands.output_gate) {
    attended.output =
        Gate(attended.output, *operands.output_gate, options.gate_activation);
  }
  return {std::move(attended.output), std::move(attended.lse),
          std::move(selection)};
}

}  // namespace gsa::reference
