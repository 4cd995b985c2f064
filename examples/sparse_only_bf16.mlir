//===- sparse_only_bf16.mlir - the same in the shapes of a GPU ------------===//
//
// Selection and sparse attention of sparse_only.mlir in bf16 with heads of 128:
// H = 8, G = 2, D = 128, Hi = 4, Di = 64, 256 keys per query. The guide
// docs/guides/follow-a-decision.md follows one number of its schedule.
//
//   gsa-run examples/sparse_only_bf16.mlir --seq 1024 --compare
//
//===----------------------------------------------------------------------===//

func.func @main(
    %q: tensor<?x?x8x128xbf16> {gsa.name = "query"},
    %k: tensor<?x?x2x128xbf16> {gsa.name = "key"},
    %v: tensor<?x?x2x128xbf16> {gsa.name = "value"},
    %iq: tensor<?x?x4x64xbf16> {gsa.name = "index_query"},
    %ik: tensor<?x?x64xbf16> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"})
    -> (tensor<?x?x8x128xbf16> {gsa.name = "output"},
        tensor<?x8x?xf32> {gsa.name = "lse"},
        tensor<?x?x256xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"}) {
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw
      policy <fixed, base = 256>
      : (tensor<?x?x4x64xbf16>, tensor<?x?x64xbf16>, tensor<?x?x4xf32>)
      -> (tensor<?x?x256xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      : (tensor<?x?x8x128xbf16>, tensor<?x?x2x128xbf16>,
         tensor<?x?x2x128xbf16>, tensor<?x?x256xi32>, tensor<?x?xi32>)
      -> (tensor<?x?x8x128xbf16>, tensor<?x8x?xf32>)
  return %output, %lse, %indices, %counts
      : tensor<?x?x8x128xbf16>, tensor<?x8x?xf32>, tensor<?x?x256xi32>,
        tensor<?x?xi32>
}
