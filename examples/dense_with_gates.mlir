//===- dense_with_gates.mlir - gated attention over all keys --------------===//
//
// The gates of GSA around ordinary causal attention: what a model uses before
// its indexer is trained, and what sparse attention is measured against.
// H = 8, G = 2, D = 64.
//
//   gsa-run examples/dense_with_gates.mlir --seq 1024 --compare
//
//===----------------------------------------------------------------------===//

#token = affine_map<(b, s) -> (b, s)>

func.func @main(
    %q: tensor<?x?x8x64xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x64xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x64xf32> {gsa.name = "value"},
    %value_gate: tensor<?x?x2x64xf32> {gsa.name = "value_gate"},
    %output_gate: tensor<?x?x8x64xf32> {gsa.name = "output_gate"})
    -> (tensor<?x?x8x64xf32> {gsa.name = "output"},
        tensor<?x8x?xf32> {gsa.name = "lse"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %B = tensor.dim %q, %c0 : tensor<?x?x8x64xf32>
  %S = tensor.dim %q, %c1 : tensor<?x?x8x64xf32>

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

  %gated = gsa.gate %v, %value_gate
      : (tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>) -> tensor<?x?x2x64xf32>
  %q_rotated = gsa.rope %q, %positions
      : (tensor<?x?x8x64xf32>, tensor<?x?xi64>) -> tensor<?x?x8x64xf32>
  %k_rotated = gsa.rope %k, %positions
      : (tensor<?x?x2x64xf32>, tensor<?x?xi64>) -> tensor<?x?x2x64xf32>
  %attended, %lse = gsa.dense_attention %q_rotated, %k_rotated, %gated
      : (tensor<?x?x8x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>)
      -> (tensor<?x?x8x64xf32>, tensor<?x8x?xf32>)
  %output = gsa.gate %attended, %output_gate
      : (tensor<?x?x8x64xf32>, tensor<?x?x8x64xf32>) -> tensor<?x?x8x64xf32>
  return %output, %lse : tensor<?x?x8x64xf32>, tensor<?x8x?xf32>
}
