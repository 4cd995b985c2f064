//===- gsa_layer_conformance.mlir - the layer of the conformance vector ---===//
//
// The published Gated Sparse Attention layer at the sizes of the conformance
// vector: M = 8, H = 4 query heads, G = 2 key heads, D = 2, Hi = 2 indexer
// heads, Di = 4, budgets of 1 to 4 keys around 3, all in f64. With its inputs
// the published layer gives the counts 1 2 2 2 3 4. The module is
// gsa_layer.mlir with other sizes.
//
//   gsa-run examples/gsa_layer_conformance.mlir --seq 6 \
//       --workload conformance --compare
//
//===----------------------------------------------------------------------===//

// A projection y = x W^T with x [B, S, in], W [out, in] and y [B, S, out].
#x = affine_map<(b, s, n, m) -> (b, s, m)>
#w = affine_map<(b, s, n, m) -> (n, m)>
#y = affine_map<(b, s, n, m) -> (b, s, n)>
// One number per token.
#token = affine_map<(b, s) -> (b, s)>

func.func @main(
    %hidden: tensor<?x?x8xf64> {gsa.name = "hidden_states"},
    %wq: tensor<8x8xf64> {gsa.name = "q_proj.weight"},
    %wk: tensor<4x8xf64> {gsa.name = "k_proj.weight"},
    %wv: tensor<4x8xf64> {gsa.name = "v_proj.weight"},
    %wo: tensor<8x8xf64> {gsa.name = "o_proj.weight"},
    %ib: tensor<2xf64> {gsa.name = "indexer.bias"},
    %wiq: tensor<8x8xf64> {gsa.name = "indexer.q_proj.weight"},
    %wik: tensor<4x8xf64> {gsa.name = "indexer.k_proj.weight"},
    %wiw: tensor<2x8xf64> {gsa.name = "indexer.weight_proj.weight"},
    %biw: tensor<2xf64> {gsa.name = "indexer.weight_proj.bias"},
    %wg2: tensor<4x8xf64> {gsa.name = "value_gate.gate_proj.weight"},
    %bg2: tensor<4xf64> {gsa.name = "value_gate.gate_proj.bias"},
    %wg1: tensor<8x8xf64> {gsa.name = "output_gate.gate_proj.weight"},
    %bg1: tensor<8xf64> {gsa.name = "output_gate.gate_proj.bias"})
    -> (tensor<?x?x8xf64> {gsa.name = "output"},
        tensor<?x4x?xf64> {gsa.name = "lse"},
        tensor<?x?x4xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"},
        tensor<?x?xi32> {gsa.name = "status"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %hidden, %c0 : tensor<?x?x8xf64>
  %S = tensor.dim %hidden, %c1 : tensor<?x?x8xf64>

  // Where the sums of projections without bias start.
  %zero_8_empty = tensor.empty(%B, %S) : tensor<?x?x8xf64>
  %zero_8 = linalg.fill ins(%zero : f64)
      outs(%zero_8_empty : tensor<?x?x8xf64>) -> tensor<?x?x8xf64>
  %zero_4_empty = tensor.empty(%B, %S) : tensor<?x?x4xf64>
  %zero_4 = linalg.fill ins(%zero : f64)
      outs(%zero_4_empty : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>

  // Queries, keys and values.
  %q_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wq : tensor<?x?x8xf64>, tensor<8x8xf64>)
      outs(%zero_8 : tensor<?x?x8xf64>) -> tensor<?x?x8xf64>
  %q = tensor.expand_shape %q_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 4, 2]
      : tensor<?x?x8xf64> into tensor<?x?x4x2xf64>
  %k_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wk : tensor<?x?x8xf64>, tensor<4x8xf64>)
      outs(%zero_4 : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>
  %k = tensor.expand_shape %k_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 2]
      : tensor<?x?x4xf64> into tensor<?x?x2x2xf64>
  %v_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wv : tensor<?x?x8xf64>, tensor<4x8xf64>)
      outs(%zero_4 : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>
  %v = tensor.expand_shape %v_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 2]
      : tensor<?x?x4xf64> into tensor<?x?x2x2xf64>

  // Logits of the two gates; a bias is where a projection's sum starts.
  %g2_bias_empty = tensor.empty(%B, %S) : tensor<?x?x4xf64>
  %g2_bias = linalg.broadcast ins(%bg2 : tensor<4xf64>)
      outs(%g2_bias_empty : tensor<?x?x4xf64>) dimensions = [0, 1]
  %g2_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wg2 : tensor<?x?x8xf64>, tensor<4x8xf64>)
      outs(%g2_bias : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>
  %value_gate = tensor.expand_shape %g2_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 2]
      : tensor<?x?x4xf64> into tensor<?x?x2x2xf64>
  %g1_bias_empty = tensor.empty(%B, %S) : tensor<?x?x8xf64>
  %g1_bias = linalg.broadcast ins(%bg1 : tensor<8xf64>)
      outs(%g1_bias_empty : tensor<?x?x8xf64>) dimensions = [0, 1]
  %g1_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wg1 : tensor<?x?x8xf64>, tensor<8x8xf64>)
      outs(%g1_bias : tensor<?x?x8xf64>) -> tensor<?x?x8xf64>
  %output_gate = tensor.expand_shape %g1_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 4, 2]
      : tensor<?x?x8xf64> into tensor<?x?x4x2xf64>

  // The indexer: its queries, its one key head and the weights of its heads.
  %iq_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wiq : tensor<?x?x8xf64>, tensor<8x8xf64>)
      outs(%zero_8 : tensor<?x?x8xf64>) -> tensor<?x?x8xf64>
  %iq = tensor.expand_shape %iq_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 4]
      : tensor<?x?x8xf64> into tensor<?x?x2x4xf64>
  %ik = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wik : tensor<?x?x8xf64>, tensor<4x8xf64>)
      outs(%zero_4 : tensor<?x?x4xf64>) -> tensor<?x?x4xf64>
  %iw_bias_empty = tensor.empty(%B, %S) : tensor<?x?x2xf64>
  %iw_bias = linalg.broadcast ins(%biw : tensor<2xf64>)
      outs(%iw_bias_empty : tensor<?x?x2xf64>) dimensions = [0, 1]
  %iw = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wiw : tensor<?x?x8xf64>, tensor<2x8xf64>)
      outs(%iw_bias : tensor<?x?x2xf64>) -> tensor<?x?x2xf64>

  // Positions 0, 1, ... of each sequence.
  %positions_empty = tensor.empty(%B, %S) : tensor<?x?xi64>
  %positions = linalg.generic
      {indexing_maps = [#token], iterator_types = ["parallel", "parallel"]}
      outs(%positions_empty : tensor<?x?xi64>) {
  ^bb0(%unused: i64):
    %s = linalg.index 1 : index
    %position = arith.index_cast %s : index to i64
    linalg.yield %position : i64
  } -> tensor<?x?xi64>

  // Value gate, rotary embedding, selection, sparse attention, output gate.
  %attended, %lse, %indices, %counts, %status = gsa.attention %q, %k, %v
      positions %positions, %positions index %iq, %ik weights %iw bias %ib
      value_gate %value_gate output_gate %output_gate
      policy <upstream_variance, base = 3, min = 1, max = 4>
      : (tensor<?x?x4x2xf64>, tensor<?x?x2x2xf64>, tensor<?x?x2x2xf64>,
         tensor<?x?xi64>, tensor<?x?xi64>,
         tensor<?x?x2x4xf64>, tensor<?x?x4xf64>, tensor<?x?x2xf64>,
         tensor<2xf64>, tensor<?x?x2x2xf64>, tensor<?x?x4x2xf64>)
      -> (tensor<?x?x4x2xf64>, tensor<?x4x?xf64>,
          tensor<?x?x4xi32>, tensor<?x?xi32>, tensor<?x?xi32>)

  // Output projection.
  %flat = tensor.collapse_shape %attended [[0], [1], [2, 3]]
      : tensor<?x?x4x2xf64> into tensor<?x?x8xf64>
  %output = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%flat, %wo : tensor<?x?x8xf64>, tensor<8x8xf64>)
      outs(%zero_8 : tensor<?x?x8xf64>) -> tensor<?x?x8xf64>
  return %output, %lse, %indices, %counts, %status
      : tensor<?x?x8xf64>, tensor<?x4x?xf64>, tensor<?x?x4xi32>,
        tensor<?x?xi32>, tensor<?x?xi32>
}
