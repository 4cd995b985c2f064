//===- sparse_only.mlir - selection and sparse attention, no gates --------===//
//
// What is left of GSA without gates and rotary embedding: the indexer selects,
// attention runs over the selected keys only. Queries and keys are used as
// they come. H = 8, G = 2, D = 64, Hi = 4, Di = 64, 256 keys per query, of
// which the first 4 and the last 32 are always kept.
//
//   gsa-run examples/sparse_only.mlir --seq 1024 --compare
//
//===----------------------------------------------------------------------===//

func.func @main(
    %q: tensor<?x?x8x64xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x64xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x64xf32> {gsa.name = "value"},
    %iq: tensor<?x?x4x64xf32> {gsa.name = "index_query"},
    %ik: tensor<?x?x64xf32> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"},
    %ib: tensor<4xf32> {gsa.name = "index_bias"})
    -> (tensor<?x?x8x64xf32> {gsa.name = "output"},
        tensor<?x8x?xf32> {gsa.name = "lse"},
        tensor<?x?x256xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"}) {
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %ib
      policy <fixed, base = 256> {sink = 4 : i64, local = 32 : i64}
      : (tensor<?x?x4x64xf32>, tensor<?x?x64xf32>, tensor<?x?x4xf32>,
         tensor<4xf32>)
      -> (tensor<?x?x256xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      : (tensor<?x?x8x64xf32>, tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>,
         tensor<?x?x256xi32>, tensor<?x?xi32>)
      -> (tensor<?x?x8x64xf32>, tensor<?x8x?xf32>)
  return %output, %lse, %indices, %counts
      : tensor<?x?x8x64xf32>, tensor<?x8x?xf32>, tensor<?x?x256xi32>,
        tensor<?x?xi32>
}
