// REQUIRES: nvrtc
// RUN: gsa-opt %s -o %t.mlir --pass-pipeline='builtin.module(gsa-cuda-schedule{arch=sm_90a},gsa-to-tile{arch=sm_90a},canonicalize,cse,gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-plan-smem{arch=sm_90a},gsa-tile-budget-registers{arch=sm_90a}),gsa-tile-finalize)'
// RUN: gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.mlir | FileCheck %s
// RUN: gsa-translate --gsa-tile-to-cuda %t.mlir | FileCheck %s --check-prefix=CUDA

// The kernels of a long selection keep out of local memory. The registers that
// the blocks of the pass are launched with are few for warps that hold products,
// so warps that copy give them theirs.

// CHECK-COUNT-12: stack=0 spill_stores=0 spill_loads=0 static_smem=0
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

// With moments of rows, for budgets by their variance: the largest of these
// kernels.
func.func @adaptive(%q: tensor<1x65536x4x64xf16>, %k: tensor<1x65536x64xf16>,
                    %w: tensor<1x65536x4xf16>, %b: tensor<4xf32>,
                    %mean: tensor<f32>)
    -> (tensor<1x65536x3072xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>) {
  %i, %c, %n = gsa.select %q, %k weights %w bias %b normaliser %mean
      policy #gsa.k_policy<upstream_variance, base = 2048, max = 4096> {sink = 4 : i64, local = 64 : i64}
      : (tensor<1x65536x4x64xf16>, tensor<1x65536x64xf16>,
         tensor<1x65536x4xf16>, tensor<4xf32>, tensor<f32>)
      -> (tensor<1x65536x3072xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>)
  return %i, %c, %n
      : tensor<1x65536x3072xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>
}
