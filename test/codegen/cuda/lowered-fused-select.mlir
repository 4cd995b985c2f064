// REQUIRES: nvrtc
// RUN: gsa-opt %s -o %t.mlir --pass-pipeline='builtin.module(gsa-to-tile,canonicalize,cse,gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-plan-smem{arch=sm_86}),gsa-tile-finalize)'
// RUN: gsa-translate --resource-usage --refuse-spills %t.mlir | FileCheck %s

// The kernels of gsa.select, with a budget of each kind, compile for every
// architecture and keep out of local memory: 3 of scores, 3 of selection, one
// of statistics, one mean.

// CHECK-COUNT-48: stack=0 spill_stores=0 spill_loads=0 static_smem=0
// CHECK-NOT: stack=

func.func @entropy(%q: tensor<2x100x4x64xbf16>, %k: tensor<2x200x64xbf16>,
                   %w: tensor<2x100x4xbf16>, %b: tensor<4xf32>)
    -> (tensor<2x100x32xi32>, tensor<2x100xi32>, tensor<2x100xi32>) {
  %i, %c, %n = gsa.select %q, %k weights %w bias %b
      policy #gsa.k_policy<entropy, base = 16, max = 32> {
      gsa.schedule = #gsa.select_schedule<
        scores = <engine = mma_sync, block_q = 128, block_k = 64, span = 2,
                  stages = 1, producers = 0, consumers = 8>,
        topk = <warps = 8, bins = 2048, capacity = 4096, chunk = 32>>}
      : (tensor<2x100x4x64xbf16>, tensor<2x200x64xbf16>, tensor<2x100x4xbf16>,
         tensor<4xf32>)
      -> (tensor<2x100x32xi32>, tensor<2x100xi32>, tensor<2x100xi32>)
  return %i, %c, %n
      : tensor<2x100x32xi32>, tensor<2x100xi32>, tensor<2x100xi32>
}

func.func @upstream(%q: tensor<2x100x4x64xf16>, %k: tensor<2x200x64xf16>)
    -> (tensor<2x100x24xi32>, tensor<2x100xi32>, tensor<2x100xi32>) {
  %i, %c, %n = gsa.select %q, %k
      policy #gsa.k_policy<upstream_variance, base = 16, max = 32> {
      sink = 4 : i64, local = 8 : i64,
      gsa.schedule = #gsa.select_schedule<
        scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                  stages = 1, producers = 0, consumers = 2>,
        topk = <warps = 16, bins = 8192, capacity = 1024, chunk = 32>>}
      : (tensor<2x100x4x64xf16>, tensor<2x200x64xf16>)
      -> (tensor<2x100x24xi32>, tensor<2x100xi32>, tensor<2x100xi32>)
  return %i, %c, %n
      : tensor<2x100x24xi32>, tensor<2x100xi32>, tensor<2x100xi32>
}

func.func @orth(%q: tensor<1x40x1x16xf32>, %k: tensor<1x40x16xf32>)
    -> (tensor<1x40x16xi32>, tensor<1x40xi32>, tensor<1x40xi32>) {
  %i, %c, %n = gsa.select %q, %k
      policy #gsa.k_policy<orth, base = 8, max = 16> {
      gsa.schedule = #gsa.select_schedule<
        scores = <engine = fma, block_q = 16, block_k = 32, span = 4,
                  stages = 1, producers = 0, consumers = 1>,
        topk = <warps = 1, bins = 256, capacity = 64, chunk = 64>>}
      : (tensor<1x40x1x16xf32>, tensor<1x40x16xf32>)
      -> (tensor<1x40x16xi32>, tensor<1x40xi32>, tensor<1x40xi32>)
  return %i, %c, %n : tensor<1x40x16xi32>, tensor<1x40xi32>, tensor<1x40xi32>
}
