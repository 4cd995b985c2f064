//===- attention_only.mlir - the GSA block without its projections --------===//
//
// `gsa.attention` for a model that makes queries, keys, gate logits and index
// operands itself. There may be fewer queries than keys: query t then is token
// Sk - Sq + t, and the mask is aligned with the last key.
// H = 8, G = 2, D = 64, Hi = 4, Di = 64.
//
//   gsa-run examples/attention_only.mlir --seq 256 --keys 1024 --compare
//
//===----------------------------------------------------------------------===//

#token = affine_map<(b, s) -> (b, s)>

func.func @main(
    %q: tensor<?x?x8x64xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x64xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x64xf32> {gsa.name = "value"},
    %iq: tensor<?x?x4x64xf32> {gsa.name = "index_query"},
    %ik: tensor<?x?x64xf32> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"},
    %ib: tensor<4xf32> {gsa.name = "index_bias"},
    %value_gate: tensor<?x?x2x64xf32> {gsa.name = "value_gate"},
    %output_gate: tensor<?x?x8x64xf32> {gsa.name = "output_gate"})
    -> (tensor<?x?x8x64xf32> {gsa.name = "output"},
        tensor<?x8x?xf32> {gsa.name = "lse"},
        tensor<?x?x768xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"},
        tensor<?x?xi32> {gsa.name = "status"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %B = tensor.dim %q, %c0 : tensor<?x?x8x64xf32>
  %Sq = tensor.dim %q, %c1 : tensor<?x?x8x64xf32>
  %Sk = tensor.dim %k, %c1 : tensor<?x?x2x64xf32>
  %past = arith.subi %Sk, %Sq : index

  %positions_empty = tensor.empty(%B, %Sq) : tensor<?x?xi64>
  %positions = linalg.generic
      {indexing_maps = [#token], iterator_types = ["parallel", "parallel"]}
      outs(%positions_empty : tensor<?x?xi64>) {
  ^bb0(%unused: i64):
    %t = linalg.index 1 : index
    %token = arith.addi %t, %past : index
    %position = arith.index_cast %token : index to i64
    linalg.yield %position : i64
  } -> tensor<?x?xi64>
  %key_positions_empty = tensor.empty(%B, %Sk) : tensor<?x?xi64>
  %key_positions = linalg.generic
      {indexing_maps = [#token], iterator_types = ["parallel", "parallel"]}
      outs(%key_positions_empty : tensor<?x?xi64>) {
  ^bb0(%unused: i64):
    %s = linalg.index 1 : index
    %position = arith.index_cast %s : index to i64
    linalg.yield %position : i64
  } -> tensor<?x?xi64>

  %output, %lse, %indices, %counts, %status = gsa.attention %q, %k, %v
      positions %positions, %key_positions index %iq, %ik weights %iw bias %ib
      value_gate %value_gate output_gate %output_gate
      policy <upstream_variance, base = 512, min = 128, max = 768>
      : (tensor<?x?x8x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>,
         tensor<?x?xi64>, tensor<?x?xi64>,
         tensor<?x?x4x64xf32>, tensor<?x?x64xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>, tensor<?x?x2x64xf32>, tensor<?x?x8x64xf32>)
      -> (tensor<?x?x8x64xf32>, tensor<?x8x?xf32>,
          tensor<?x?x768xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  return %output, %lse, %indices, %counts, %status
      : tensor<?x?x8x64xf32>, tensor<?x8x?xf32>, tensor<?x?x768xi32>,
        tensor<?x?xi32>, tensor<?x?xi32>
}
