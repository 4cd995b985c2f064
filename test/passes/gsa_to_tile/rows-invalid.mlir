// What has no selection kernel says so.
// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

func.func @main(%s: tensor<1x3x50xf32>, %k: tensor<1x3xi32>)
    -> (tensor<1x3x5000xi32>, tensor<1x3xi32>, tensor<1x3xi32>) {
  // expected-error @below {{has an illegal schedule: slots in the order of scores 5000 > 4096}}
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
  // expected-error @below {{has an illegal schedule: no kernel for scores of f64; expected f32}}
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
  // expected-error @below {{has an illegal schedule: scores of a row 2147483647 > 2147459071}}
  %i, %c, %n = gsa.topk %s, %k slots 8 {
      gsa.schedule = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64,
                                        chunk = 1>}
      : (tensor<1x1x2147483647xf32>, tensor<1x1xi32>)
      -> (tensor<1x1x8xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i : tensor<1x1x8xi32>
}
