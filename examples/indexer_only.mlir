//===- indexer_only.mlir - which keys does each query keep? ---------------===//
//
// The gated indexer by itself, for instance to study selections or to feed
// another attention kernel. Every query keeps its 512 best keys (all of them
// while it sees fewer). `gsa.select` never forms the [B, Sq, Sk] scores.
// Hi = 4, Di = 64.
//
//   gsa-run examples/indexer_only.mlir --seq 2048 --compare
//
//===----------------------------------------------------------------------===//

func.func @main(
    %iq: tensor<?x?x4x64xf32> {gsa.name = "index_query"},
    %ik: tensor<?x?x64xf32> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"},
    %ib: tensor<4xf32> {gsa.name = "index_bias"})
    -> (tensor<?x?x512xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"},
        tensor<?x?xi32> {gsa.name = "status"}) {
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %ib
      policy <fixed, base = 512>
      : (tensor<?x?x4x64xf32>, tensor<?x?x64xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>)
      -> (tensor<?x?x512xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  return %indices, %counts, %status
      : tensor<?x?x512xi32>, tensor<?x?xi32>, tensor<?x?xi32>
}
