//===- paged_decode.mlir - one step of decoding over pages ----------------===//
//
// A token of each of B sequences against caches in pages of 64 tokens: keys and
// values side by side in one pool, index keys in another, one table of pages
// for both, lengths on the device. H = 8, G = 2, D = 128, Hi = 4, Di = 64, 256
// keys per query. The cache holds rotated keys and gated values; the token of
// the step is its last row already.
//
//   gsa-run examples/paged_decode.mlir --batch 2 --shape kv_pool=40x64x2x256 \
//     --shape index_pool=40x64x64 --shape table=2x16 --compare
//
//===----------------------------------------------------------------------===//

func.func @main(
    %q: tensor<?x1x8x128xbf16> {gsa.name = "query"},
    %kv: tensor<?x64x2x256xbf16> {gsa.name = "kv_pool"},
    %iq: tensor<?x1x4x64xbf16> {gsa.name = "index_query"},
    %ip: tensor<?x64x64xbf16> {gsa.name = "index_pool"},
    %iw: tensor<?x1x4xf32> {gsa.name = "index_weights"},
    %gate: tensor<?x1x8x128xbf16> {gsa.name = "output_gate"},
    %table: tensor<?x?xi32> {gsa.name = "table"},
    %lengths: tensor<?xi32> {gsa.name = "lengths"})
    -> (tensor<?x1x8x128xbf16> {gsa.name = "output"},
        tensor<?x8x1xf32> {gsa.name = "lse"},
        tensor<?x1xi32> {gsa.name = "status"}) {
  %c0 = arith.constant 0 : index
  %pages = tensor.dim %kv, %c0 : tensor<?x64x2x256xbf16>
  %k_pool = tensor.extract_slice %kv[0, 0, 0, 0][%pages, 64, 2, 128][1, 1, 1, 1]
      : tensor<?x64x2x256xbf16> to tensor<?x64x2x128xbf16>
  %v_pool = tensor.extract_slice %kv[0, 0, 0, 128][%pages, 64, 2, 128][1, 1, 1, 1]
      : tensor<?x64x2x256xbf16> to tensor<?x64x2x128xbf16>
  %k = gsa.paged_rows %k_pool, %table
      : (tensor<?x64x2x128xbf16>, tensor<?x?xi32>) -> tensor<?x?x2x128xbf16>
  %v = gsa.paged_rows %v_pool, %table
      : (tensor<?x64x2x128xbf16>, tensor<?x?xi32>) -> tensor<?x?x2x128xbf16>
  %ik = gsa.paged_rows %ip, %table
      : (tensor<?x64x64xbf16>, tensor<?x?xi32>) -> tensor<?x?x64xbf16>
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw lengths %lengths
      policy <fixed, base = 256>
      : (tensor<?x1x4x64xbf16>, tensor<?x?x64xbf16>, tensor<?x1x4xf32>,
         tensor<?xi32>)
      -> (tensor<?x1x256xi32>, tensor<?x1xi32>, tensor<?x1xi32>)
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      gate %gate lengths %lengths
      : (tensor<?x1x8x128xbf16>, tensor<?x?x2x128xbf16>,
         tensor<?x?x2x128xbf16>, tensor<?x1x256xi32>, tensor<?x1xi32>,
         tensor<?x1x8x128xbf16>, tensor<?xi32>)
      -> (tensor<?x1x8x128xbf16>, tensor<?x8x1xf32>)
  return %output, %lse, %status
      : tensor<?x1x8x128xbf16>, tensor<?x8x1xf32>, tensor<?x1xi32>
}
