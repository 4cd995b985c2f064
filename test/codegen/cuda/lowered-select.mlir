// REQUIRES: nvrtc
// RUN: gsa-opt %s -o %t.mlir --pass-pipeline='builtin.module(gsa-to-tile,canonicalize,cse,gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-plan-smem{arch=sm_86}),gsa-tile-finalize)'
// RUN: gsa-translate --resource-usage --refuse-spills %t.mlir | FileCheck %s

// The kernels that selection is lowered to compile for every architecture and
// keep out of local memory.

// CHECK-COUNT-36: stack=0 spill_stores=0 spill_loads=0 static_smem=0
// CHECK-NOT: stack=

func.func @scores(%q: tensor<2x100x2x64xbf16>, %k: tensor<2x300x64xbf16>,
                  %w: tensor<2x100x2xbf16>, %b: tensor<2xf32>)
    -> tensor<2x100x300xf32> {
  %0 = gsa.index_scores %q, %k weights %w bias %b {
      gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 32,
          block_k = 64, span = 2, stages = 3, producers = 4, consumers = 2>}
      : (tensor<2x100x2x64xbf16>, tensor<2x300x64xbf16>, tensor<2x100x2xbf16>,
         tensor<2xf32>) -> tensor<2x100x300xf32>
  return %0 : tensor<2x100x300xf32>
}

func.func @scores_fma(%q: tensor<1x7x1x77xf32>, %k: tensor<1x9x77xf32>)
    -> tensor<1x7x9xf32> {
  %0 = gsa.index_scores %q, %k {mask = #gsa.mask<none>,
      score_activation = #gsa.score_activation<identity>,
      gsa.schedule = #gsa.score_schedule<engine = fma, block_q = 16,
          block_k = 16, span = 1, stages = 1, producers = 0, consumers = 1>}
      : (tensor<1x7x1x77xf32>, tensor<1x9x77xf32>) -> tensor<1x7x9xf32>
  return %0 : tensor<1x7x9xf32>
}

func.func @variance(%s: tensor<2x3x77xf32>)
    -> (tensor<2x3xf32>, tensor<2x3xi32>) {
  %v, %n = gsa.row_statistics %s {
      population = #gsa.population<zero_filled>, correction = 1 : i64,
      gsa.schedule = #gsa.topk_schedule<warps = 2, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return %v, %n : tensor<2x3xf32>, tensor<2x3xi32>
}

func.func @entropy(%s: tensor<2x3x77xf32>)
    -> (tensor<2x3xf32>, tensor<2x3xi32>) {
  %v, %n = gsa.row_statistics %s {
      statistic = #gsa.statistic<entropy>,
      gsa.schedule = #gsa.topk_schedule<warps = 2, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return %v, %n : tensor<2x3xf32>, tensor<2x3xi32>
}

func.func @topk(%s: tensor<2x3x1000xf32>, %k: tensor<2x3xi32>)
    -> (tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 16 {sink = 2 : i64, local = 3 : i64,
      gsa.schedule = #gsa.topk_schedule<warps = 4, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x1000xf32>, tensor<2x3xi32>)
      -> (tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %i, %c, %n : tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>
}

func.func @sorted(%s: tensor<1x3x50xf32>, %k: tensor<1x3xi32>)
    -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 5 {
      order = #gsa.index_order<score>,
      gsa.schedule = #gsa.topk_schedule<warps = 1, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<1x3x50xf32>, tensor<1x3xi32>)
      -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  return %i, %c, %n : tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>
}
