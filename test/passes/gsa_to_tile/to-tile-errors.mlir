// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

func.func @no_lowering(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %empty = tensor.empty() : tensor<2x3xf32>
  // expected-error @+1 {{no lowering to gsa_tile for linalg.softmax}}
  %0 = linalg.softmax dimension(1) ins(%x : tensor<2x3xf32>)
      outs(%empty : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @dense_gradient(%q: tensor<1x2x4x8xf16>, %k: tensor<1x3x2x8xf16>,
                          %l: tensor<1x4x2xf32>) -> tensor<1x2x4x8xf16> {
  // expected-error @+1 {{'gsa.dense_attention_grad' op has no kernels: this gradient runs on the CPU target only so far; compile the function with this op for the target 'cpu'}}
  %0:3 = gsa.dense_attention_grad %q, %k, %k output_grad %q lse %l row_sums %l
      : (tensor<1x2x4x8xf16>, tensor<1x3x2x8xf16>, tensor<1x3x2x8xf16>,
         tensor<1x2x4x8xf16>, tensor<1x4x2xf32>, tensor<1x4x2xf32>)
      -> (tensor<1x2x4x8xf16>, tensor<1x3x2x8xf16>, tensor<1x3x2x8xf16>)
  return %0#0 : tensor<1x2x4x8xf16>
}
