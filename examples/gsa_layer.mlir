//===- gsa_layer.mlir - a Gated Sparse Attention layer --------------------===//
//
// The whole published layer, from the normalised hidden states to the output
// projection: model size M = 512, H = 8 query heads, G = 2 key heads, D = 64,
// Hi = 4 indexer heads, Di = 64. Each query keeps between 128 and 768 keys,
// around 512. Parameters carry the names of the published state dict, so a
// safetensors file with those names can be bound to them.
//
//   gsa-run examples/gsa_layer.mlir --seq 4096 --compare
//
//===----------------------------------------------------------------------===//

// A projection y = x W^T with x [B, S, in], W [out, in] and y [B, S, out].
#x = affine_map<(b, s, n, m) -> (b, s, m)>
#w = affine_map<(b, s, n, m) -> (n, m)>
#y = affine_map<(b, s, n, m) -> (b, s, n)>
// One number per token.
#token = affine_map<(b, s) -> (b, s)>

func.func @main(
    %hidden: tensor<?x?x512xf32> {gsa.name = "hidden_states"},
    %wq: tensor<512x512xf32> {gsa.name = "q_proj.weight"},
    %wk: tensor<128x512xf32> {gsa.name = "k_proj.weight"},
    %wv: tensor<128x512xf32> {gsa.name = "v_proj.weight"},
    %wo: tensor<512x512xf32> {gsa.name = "o_proj.weight"},
    %ib: tensor<4xf32> {gsa.name = "indexer.bias"},
    %wiq: tensor<256x512xf32> {gsa.name = "indexer.q_proj.weight"},
    %wik: tensor<64x512xf32> {gsa.name = "indexer.k_proj.weight"},
    %wiw: tensor<4x512xf32> {gsa.name = "indexer.weight_proj.weight"},
    %biw: tensor<4xf32> {gsa.name = "indexer.weight_proj.bias"},
    %wg2: tensor<128x512xf32> {gsa.name = "value_gate.gate_proj.weight"},
    %bg2: tensor<128xf32> {gsa.name = "value_gate.gate_proj.bias"},
    %wg1: tensor<512x512xf32> {gsa.name = "output_gate.gate_proj.weight"},
    %bg1: tensor<512xf32> {gsa.name = "output_gate.gate_proj.bias"})
    -> (tensor<?x?x512xf32> {gsa.name = "output"},
        tensor<?x8x?xf32> {gsa.name = "lse"},
        tensor<?x?x768xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"},
        tensor<?x?xi32> {gsa.name = "status"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %hidden, %c0 : tensor<?x?x512xf32>
  %S = tensor.dim %hidden, %c1 : tensor<?x?x512xf32>

  // Where the sums of projections without bias start.
  %zero_512_empty = tensor.empty(%B, %S) : tensor<?x?x512xf32>
  %zero_512 = linalg.fill ins(%zero : f32)
      outs(%zero_512_empty : tensor<?x?x512xf32>) -> tensor<?x?x512xf32>
  %zero_128_empty = tensor.empty(%B, %S) : tensor<?x?x128xf32>
  %zero_128 = linalg.fill ins(%zero : f32)
      outs(%zero_128_empty : tensor<?x?x128xf32>) -> tensor<?x?x128xf32>
  %zero_256_empty = tensor.empty(%B, %S) : tensor<?x?x256xf32>
  %zero_256 = linalg.fill ins(%zero : f32)
      outs(%zero_256_empty : tensor<?x?x256xf32>) -> tensor<?x?x256xf32>
  %zero_64_empty = tensor.empty(%B, %S) : tensor<?x?x64xf32>
  %zero_64 = linalg.fill ins(%zero : f32)
      outs(%zero_64_empty : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>

  // Queries, keys and values.
  %q_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wq : tensor<?x?x512xf32>, tensor<512x512xf32>)
      outs(%zero_512 : tensor<?x?x512xf32>) -> tensor<?x?x512xf32>
  %q = tensor.expand_shape %q_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 8, 64]
      : tensor<?x?x512xf32> into tensor<?x?x8x64xf32>
  %k_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wk : tensor<?x?x512xf32>, tensor<128x512xf32>)
      outs(%zero_128 : tensor<?x?x128xf32>) -> tensor<?x?x128xf32>
  %k = tensor.expand_shape %k_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 64]
      : tensor<?x?x128xf32> into tensor<?x?x2x64xf32>
  %v_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wv : tensor<?x?x512xf32>, tensor<128x512xf32>)
      outs(%zero_128 : tensor<?x?x128xf32>) -> tensor<?x?x128xf32>
  %v = tensor.expand_shape %v_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 64]
      : tensor<?x?x128xf32> into tensor<?x?x2x64xf32>

  // Logits of the two gates; a bias is where a projection's sum starts.
  %g2_bias_empty = tensor.empty(%B, %S) : tensor<?x?x128xf32>
  %g2_bias = linalg.broadcast ins(%bg2 : tensor<128xf32>)
      outs(%g2_bias_empty : tensor<?x?x128xf32>) dimensions = [0, 1]
  %g2_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wg2 : tensor<?x?x512xf32>, tensor<128x512xf32>)
      outs(%g2_bias : tensor<?x?x128xf32>) -> tensor<?x?x128xf32>
  %value_gate = tensor.expand_shape %g2_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 2, 64]
      : tensor<?x?x128xf32> into tensor<?x?x2x64xf32>
  %g1_bias_empty = tensor.empty(%B, %S) : tensor<?x?x512xf32>
  %g1_bias = linalg.broadcast ins(%bg1 : tensor<512xf32>)
      outs(%g1_bias_empty : tensor<?x?x512xf32>) dimensions = [0, 1]
  %g1_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wg1 : tensor<?x?x512xf32>, tensor<512x512xf32>)
      outs(%g1_bias : tensor<?x?x512xf32>) -> tensor<?x?x512xf32>
  %output_gate = tensor.expand_shape %g1_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 8, 64]
      : tensor<?x?x512xf32> into tensor<?x?x8x64xf32>

  // The indexer: its queries, its one key head and the weights of its heads.
  %iq_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wiq : tensor<?x?x512xf32>, tensor<256x512xf32>)
      outs(%zero_256 : tensor<?x?x256xf32>) -> tensor<?x?x256xf32>
  %iq = tensor.expand_shape %iq_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 4, 64]
      : tensor<?x?x256xf32> into tensor<?x?x4x64xf32>
  %ik = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wik : tensor<?x?x512xf32>, tensor<64x512xf32>)
      outs(%zero_64 : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  %iw_bias_empty = tensor.empty(%B, %S) : tensor<?x?x4xf32>
  %iw_bias = linalg.broadcast ins(%biw : tensor<4xf32>)
      outs(%iw_bias_empty : tensor<?x?x4xf32>) dimensions = [0, 1]
  %iw = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wiw : tensor<?x?x512xf32>, tensor<4x512xf32>)
      outs(%iw_bias : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>

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
      policy <upstream_variance, base = 512, min = 128, max = 768>
      : (tensor<?x?x8x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>,
         tensor<?x?xi64>, tensor<?x?xi64>,
         tensor<?x?x4x64xf32>, tensor<?x?x64xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>, tensor<?x?x2x64xf32>, tensor<?x?x8x64xf32>)
      -> (tensor<?x?x8x64xf32>, tensor<?x8x?xf32>,
          tensor<?x?x768xi32>, tensor<?x?xi32>, tensor<?x?xi32>)

  // Output projection.
  %flat = tensor.collapse_shape %attended [[0], [1], [2, 3]]
      : tensor<?x?x8x64xf32> into tensor<?x?x512xf32>
  %output = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%flat, %wo : tensor<?x?x512xf32>, tensor<512x512xf32>)
      outs(%zero_512 : tensor<?x?x512xf32>) -> tensor<?x?x512xf32>
  return %output, %lse, %indices, %counts, %status
      : tensor<?x?x512xf32>, tensor<?x8x?xf32>, tensor<?x?x768xi32>,
        tensor<?x?xi32>, tensor<?x?xi32>
}
