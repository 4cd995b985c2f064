// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

func.func @no_lowering(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %empty = tensor.empty() : tensor<2x3xf32>
  // expected-error @+1 {{no lowering to gsa_tile for linalg.softmax}}
  %0 = linalg.softmax dimension(1) ins(%x : tensor<2x3xf32>)
      outs(%empty : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
