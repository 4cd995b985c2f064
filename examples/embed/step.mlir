//===- step.mlir - what decode.c runs in each step ------------------------===//
//
// S new tokens of each of B sequences against caches with room for 512. H = 8,
// G = 2, D = 64, Hi = 4, Di = 32, 64 keys per query. B and S are each run's to
// say; the sizes of the caches are the model's. An engine whose caches lie in
// pages writes gsa.paged_rows between the pools and @attend's ops
// (../paged_decode.mlir).
//
//===----------------------------------------------------------------------===//

// What a cache keeps of new tokens: turned keys and gated values. Index keys
// are kept as they come.
func.func @project(
    %k: tensor<?x?x2x64xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x64xf32> {gsa.name = "value"},
    %gate: tensor<?x?x2x64xf32> {gsa.name = "value_gate"},
    %positions: tensor<?x?xi64> {gsa.name = "positions"})
    -> (tensor<?x?x2x64xf32> {gsa.name = "turned_key"},
        tensor<?x?x2x64xf32> {gsa.name = "gated_value"}) {
  %turned = gsa.rope %k, %positions
      : (tensor<?x?x2x64xf32>, tensor<?x?xi64>) -> tensor<?x?x2x64xf32>
  %gated = gsa.gate %v, %gate
      : (tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>) -> tensor<?x?x2x64xf32>
  return %turned, %gated : tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>
}

// The new tokens are the last of the `lengths` tokens of the caches.
func.func @attend(
    %q: tensor<?x?x8x64xf32> {gsa.name = "query"},
    %positions: tensor<?x?xi64> {gsa.name = "positions"},
    %iq: tensor<?x?x4x32xf32> {gsa.name = "index_query"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"},
    %gate: tensor<?x?x8x64xf32> {gsa.name = "output_gate"},
    %k: tensor<?x512x2x64xf32> {gsa.name = "key_cache"},
    %v: tensor<?x512x2x64xf32> {gsa.name = "value_cache"},
    %ik: tensor<?x512x32xf32> {gsa.name = "index_cache"},
    %lengths: tensor<?xi32> {gsa.name = "lengths"})
    -> (tensor<?x?x8x64xf32> {gsa.name = "output"},
        tensor<?x?xi32> {gsa.name = "status"}) {
  %turned = gsa.rope %q, %positions
      : (tensor<?x?x8x64xf32>, tensor<?x?xi64>) -> tensor<?x?x8x64xf32>
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw lengths %lengths
      policy <fixed, base = 64>
      : (tensor<?x?x4x32xf32>, tensor<?x512x32xf32>, tensor<?x?x4xf32>,
         tensor<?xi32>)
      -> (tensor<?x?x64xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %output, %lse = gsa.gather_attention %turned, %k, %v
      indices %indices, %counts gate %gate lengths %lengths
      : (tensor<?x?x8x64xf32>, tensor<?x512x2x64xf32>, tensor<?x512x2x64xf32>,
         tensor<?x?x64xi32>, tensor<?x?xi32>, tensor<?x?x8x64xf32>,
         tensor<?xi32>) -> (tensor<?x?x8x64xf32>, tensor<?x8x?xf32>)
  return %output, %status : tensor<?x?x8x64xf32>, tensor<?x?xi32>
}
