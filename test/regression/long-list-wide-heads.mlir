// A list that does not fit into shared memory puts the stream into a loop. What
// each of its tiles overwrites was then counted as if it lived through both
// loops, so that wide heads of f32 were scheduled and then had no kernel.
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_80 | FileCheck %s

// CHECK: gsa.schedule = #gsa.attention_schedule<engine = fma
func.func @main(%q: tensor<1x64x32x194xf32>, %k: tensor<1x20000x1x194xf32>,
    %v: tensor<1x20000x1x194xf32>, %i: tensor<1x64x10000xi32>,
    %c: tensor<1x64xi32>) -> tensor<1x64x32x194xf32> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      : (tensor<1x64x32x194xf32>, tensor<1x20000x1x194xf32>,
         tensor<1x20000x1x194xf32>, tensor<1x64x10000xi32>, tensor<1x64xi32>)
      -> (tensor<1x64x32x194xf32>, tensor<1x32x64xf32>)
  return %out : tensor<1x64x32x194xf32>
}
