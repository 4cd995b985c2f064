// What has no selection kernel says so.
// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

func.func @main(%s: tensor<1x3x50xf32>, %k: tensor<1x3xi32>)
    -> (tensor<1x3x5000xi32>, tensor<1x3xi32>, tensor<1x3xi32>) {
  // expected-error @below {{order = score has a kernel for at most 4096 slots, got 5000}}
  %i, %c, %n = gsa.topk %s, %k slots 5000 {
      order = #gsa.index_order<score>,
      gsa.schedule = #gsa.topk_schedule<warps = 1, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<1x3x50xf32>, tensor<1x3xi32>)
      -> (tensor<1x3x5000xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  return %i, %c, %n : tensor<1x3x5000xi32>, tensor<1x3xi32>, tensor<1x3xi32>
}

// -----

func.func @main(%s: tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>) {
  // expected-error @below {{expected a #gsa.topk_schedule as 'gsa.schedule', got none}}
  %v, %n = gsa.row_statistics %s
      : (tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return %v, %n : tensor<2x3xf32>, tensor<2x3xi32>
}

// -----

func.func @main(%s: tensor<2x3x77xf64>) -> (tensor<2x3xf64>, tensor<2x3xi32>) {
  // expected-error @below {{has no kernel for these scores: expected f32, got 'f64'}}
  %v, %n = gsa.row_statistics %s {
      gsa.schedule = #gsa.topk_schedule<warps = 2, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x77xf64>) -> (tensor<2x3xf64>, tensor<2x3xi32>)
  return %v, %n : tensor<2x3xf64>, tensor<2x3xi32>
}

// -----

// Positions within a row are 32-bit numbers.
func.func @main(%s: tensor<1x1x2147483647xf32>, %k: tensor<1x1xi32>)
    -> tensor<1x1x8xi32> {
  // expected-error @below {{has a kernel for rows of at most 2147459071 scores, got 2147483647}}
  %i, %c, %n = gsa.topk %s, %k slots 8 {
      gsa.schedule = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64,
                                        chunk = 1>}
      : (tensor<1x1x2147483647xf32>, tensor<1x1xi32>)
      -> (tensor<1x1x8xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i : tensor<1x1x8xi32>
}
