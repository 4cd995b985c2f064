//===- step.mlir - what decode.c runs in each step ------------------------===//
//
// S new tokens of each of B sequences: appended to caches with room for 512, and
// attended with. H = 8, G = 2, D = 64, Hi = 4, Di = 32, 64 keys per query. B and S
// are each run's to say; the sizes of the caches are the model's. An engine whose
// caches lie in pages gives gsa.append_rows a table, and writes gsa.paged_rows
// between the updated pools and selection and attention (../paged_decode.mlir).
//
//===----------------------------------------------------------------------===//

// A cache keeps turned keys, gated values, and index keys as they come. The new
// tokens are the last of the `lengths` tokens that the caches then have.
func.func @step(
    %q: tensor<?x?x8x64xf32> {gsa.name = "query"},
    %k: tensor<?x?x2x64xf32> {gsa.name = "key"},
    %v: tensor<?x?x2x64xf32> {gsa.name = "value"},
    %value_gate: tensor<?x?x2x64xf32> {gsa.name = "value_gate"},
    %output_gate: tensor<?x?x8x64xf32> {gsa.name = "output_gate"},
    %iq: tensor<?x?x4x32xf32> {gsa.name = "index_query"},
    %ik: tensor<?x?x32xf32> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xf32> {gsa.name = "index_weights"},
    %positions: tensor<?x?xi64> {gsa.name = "positions"},
    %lengths: tensor<?xi32> {gsa.name = "lengths"},
    %keys: tensor<?x512x2x64xf32> {gsa.name = "key_cache"},
    %values: tensor<?x512x2x64xf32> {gsa.name = "value_cache"},
    %index_keys: tensor<?x512x32xf32> {gsa.name = "index_cache"})
    -> (tensor<?x?x8x64xf32> {gsa.name = "output"},
        tensor<?x?xi32> {gsa.name = "status"},
        tensor<?x512x2x64xf32> {gsa.name = "key_cache",
                                gsa.updates = "key_cache"},
        tensor<?x512x2x64xf32> {gsa.name = "value_cache",
                                gsa.updates = "value_cache"},
        tensor<?x512x32xf32> {gsa.name = "index_cache",
                              gsa.updates = "index_cache"}) {
  %turned_key = gsa.rope %k, %positions
      : (tensor<?x?x2x64xf32>, tensor<?x?xi64>) -> tensor<?x?x2x64xf32>
  %gated = gsa.gate %v, %value_gate
      : (tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>) -> tensor<?x?x2x64xf32>
  %k_now = gsa.append_rows %turned_key to %keys lengths %lengths
      : (tensor<?x?x2x64xf32>, tensor<?x512x2x64xf32>, tensor<?xi32>)
      -> tensor<?x512x2x64xf32>
  %v_now = gsa.append_rows %gated to %values lengths %lengths
      : (tensor<?x?x2x64xf32>, tensor<?x512x2x64xf32>, tensor<?xi32>)
      -> tensor<?x512x2x64xf32>
  %ik_now = gsa.append_rows %ik to %index_keys lengths %lengths
      : (tensor<?x?x32xf32>, tensor<?x512x32xf32>, tensor<?xi32>)
      -> tensor<?x512x32xf32>
  %turned = gsa.rope %q, %positions
      : (tensor<?x?x8x64xf32>, tensor<?x?xi64>) -> tensor<?x?x8x64xf32>
  %indices, %counts, %status = gsa.select %iq, %ik_now weights %iw
      lengths %lengths policy <fixed, base = 64>
      : (tensor<?x?x4x32xf32>, tensor<?x512x32xf32>, tensor<?x?x4xf32>,
         tensor<?xi32>)
      -> (tensor<?x?x64xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %output, %lse = gsa.gather_attention %turned, %k_now, %v_now
      indices %indices, %counts gate %output_gate lengths %lengths
      : (tensor<?x?x8x64xf32>, tensor<?x512x2x64xf32>, tensor<?x512x2x64xf32>,
         tensor<?x?x64xi32>, tensor<?x?xi32>, tensor<?x?x8x64xf32>,
         tensor<?xi32>) -> (tensor<?x?x8x64xf32>, tensor<?x8x?xf32>)
  return %output, %status, %k_now, %v_now, %ik_now
      : tensor<?x?x8x64xf32>, tensor<?x?xi32>, tensor<?x512x2x64xf32>,
        tensor<?x512x2x64xf32>, tensor<?x512x32xf32>
}
