//===- train_indexer.mlir - losses that train an indexer ------------------===//
//
// How far the scores of the indexer of a small layer are from its attention:
// model size M = 64, H = 4 query heads, G = 2 key heads, D = 16, Hi = 4 indexer
// heads, Di = 16. @main is the loss over the 16 keys that the indexer selects,
// @warm_up the one over all keys, for an indexer that cannot select yet. The
// scores of sigmoids are between 0 and 4, which a temperature of 1/8 makes
// contrasts of up to e^32. Gradients are of the indexer's parameters:
//
//   gsa-opt examples/train_indexer.mlir --gsa-differentiate -o train.mlir
//   gsa-run train.mlir --entry main_backward --seq 40 --compare
//
//===----------------------------------------------------------------------===//

#x = affine_map<(b, s, n, m) -> (b, s, m)>
#w = affine_map<(b, s, n, m) -> (n, m)>
#y = affine_map<(b, s, n, m) -> (b, s, n)>
#rows = affine_map<(b, s) -> (b, s)>
#all = affine_map<(b, s) -> ()>

func.func @main(
    %q: tensor<?x?x4x16xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x16xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x16xf32> {gsa.name = "value"},
    %hidden: tensor<?x?x64xf32> {gsa.name = "hidden_states"},
    %wiq: tensor<64x64xf32> {gsa.name = "indexer.q_proj.weight"},
    %wik: tensor<16x64xf32> {gsa.name = "indexer.k_proj.weight"},
    %wiw: tensor<4x64xf32> {gsa.name = "indexer.weight_proj.weight"},
    %ib: tensor<4xf32> {gsa.name = "indexer.bias"})
    -> (tensor<f32> {gsa.name = "loss"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %hidden, %c0 : tensor<?x?x64xf32>
  %S = tensor.dim %hidden, %c1 : tensor<?x?x64xf32>

  // The indexer: its queries, its one key head and the weights of its heads.
  %e64 = tensor.empty(%B, %S) : tensor<?x?x64xf32>
  %z64 = linalg.fill ins(%zero : f32) outs(%e64 : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  %e16 = tensor.empty(%B, %S) : tensor<?x?x16xf32>
  %z16 = linalg.fill ins(%zero : f32) outs(%e16 : tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  %e4 = tensor.empty(%B, %S) : tensor<?x?x4xf32>
  %z4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %iq_flat = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wiq : tensor<?x?x64xf32>, tensor<64x64xf32>)
      outs(%z64 : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  %iq = tensor.expand_shape %iq_flat [[0], [1], [2, 3]]
      output_shape [%B, %S, 4, 16]
      : tensor<?x?x64xf32> into tensor<?x?x4x16xf32>
  %ik = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wik : tensor<?x?x64xf32>, tensor<16x64xf32>)
      outs(%z16 : tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  %iw = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%hidden, %wiw : tensor<?x?x64xf32>, tensor<4x64xf32>)
      outs(%z4 : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>

  // A scale of 1/128 keeps sigmoids off their ends where hidden states and
  // parameters are random numbers around 1, as gsa-run makes them.
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %ib
      policy <fixed, base = 16> {scale = 0.0078125 : f64}
      : (tensor<?x?x4x16xf32>, tensor<?x?x16xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>)
      -> (tensor<?x?x16xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>,
         tensor<?x?x16xi32>, tensor<?x?xi32>)
      -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>)
  %of_rows = gsa.index_kl %iq, %ik weights %iw bias %ib attention %q, %k
      lse %lse indices %indices, %counts
      {temperature = 0.125 : f64, clip = 10.0 : f64, index_scale = 0.0078125 : f64}
      : (tensor<?x?x4x16xf32>, tensor<?x?x16xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>, tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>,
         tensor<?x4x?xf32>, tensor<?x?x16xi32>, tensor<?x?xi32>)
      -> tensor<?x?xf32>

  // The sum over rows; its gradient is what a caller makes of it.
  %room = tensor.empty() : tensor<f32>
  %start = linalg.fill ins(%zero : f32) outs(%room : tensor<f32>) -> tensor<f32>
  %loss = linalg.generic {indexing_maps = [#rows, #all],
      iterator_types = ["reduction", "reduction"]}
      ins(%of_rows : tensor<?x?xf32>) outs(%start : tensor<f32>) {
  ^bb0(%row: f32, %sum: f32):
    %next = arith.addf %sum, %row : f32
    linalg.yield %next : f32
  } -> tensor<f32>
  return %loss : tensor<f32>
}

func.func @warm_up(
    %q: tensor<?x?x4x16xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x16xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x16xf32> {gsa.name = "value"},
    %iq: tensor<?x?x4x16xf32> {gsa.name = "index_query"},
    %ik: tensor<?x?x16xf32> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"},
    %ib: tensor<4xf32> {gsa.name = "index_bias"})
    -> (tensor<?x?xf32> {gsa.name = "loss"}) {
  %output, %lse = gsa.dense_attention %q, %k, %v
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>)
      -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>)
  %loss = gsa.index_kl %iq, %ik weights %iw bias %ib attention %q, %k lse %lse
      {mask = #gsa.mask<causal>, temperature = 0.125 : f64}
      : (tensor<?x?x4x16xf32>, tensor<?x?x16xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>, tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>,
         tensor<?x4x?xf32>) -> tensor<?x?xf32>
  return %loss : tensor<?x?xf32>
}
