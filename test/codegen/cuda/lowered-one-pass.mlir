// REQUIRES: nvrtc
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a -o %t.mlir
// RUN: gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.mlir | FileCheck %s
// RUN: gsa-translate --gsa-tile-to-cuda %t.mlir | FileCheck %s --check-prefix=CUDA

// The kernels of a long selection keep out of local memory. The registers that
// the blocks of the pass are launched with are few for warps that hold products,
// so warps that copy give them theirs.

// CHECK-COUNT-6: stack=0 spill_stores=0 spill_loads=0 static_smem=0
// CHECK-NOT: stack=

// CUDA-LABEL: void append_scores(
// CUDA: set_max_registers<32, false>();
// CUDA: set_max_registers<112, true>();

func.func @main(%q: tensor<1x65536x4x64xbf16>, %k: tensor<1x65536x64xbf16>,
                %w: tensor<1x65536x4xbf16>, %b: tensor<4xf32>)
    -> (tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>) {
  %i, %c, %n = gsa.select %q, %k weights %w bias %b
      policy #gsa.k_policy<fixed, base = 2048> {assume_finite}
      : (tensor<1x65536x4x64xbf16>, tensor<1x65536x64xbf16>,
         tensor<1x65536x4xbf16>, tensor<4xf32>)
      -> (tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>)
  return %i, %c, %n
      : tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>
}
