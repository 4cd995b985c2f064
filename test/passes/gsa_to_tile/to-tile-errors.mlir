// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

func.func @no_lowering(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %empty = tensor.empty() : tensor<2x3xf32>
  // expected-error @+1 {{no lowering to gsa_tile for linalg.softmax}}
  %0 = linalg.softmax dimension(1) ins(%x : tensor<2x3xf32>)
      outs(%empty : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @gradient(%x: tensor<2x3x4x6xf16>) -> tensor<2x3x4x6xf16> {
  // expected-error @+1 {{'gsa.gate_grad' op has no kernels: gradients run on the CPU target only so far; compile the function with this op for the target 'cpu'}}
  %0:2 = gsa.gate_grad %x, %x output_grad %x
      : (tensor<2x3x4x6xf16>, tensor<2x3x4x6xf16>, tensor<2x3x4x6xf16>)
      -> (tensor<2x3x4x6xf16>, tensor<2x3x4x6xf16>)
  return %0#0 : tensor<2x3x4x6xf16>
}
