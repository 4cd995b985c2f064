// REQUIRES: gsa-translate, host-cxx
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa-to-tile,canonicalize,cse,gsa_tile.kernel(gsa-tile-plan-smem),gsa-tile-finalize)' \
// RUN:   | gsa-translate --gsa-tile-to-emu > %t.cc
// RUN: FileCheck %s < %t.cc
// RUN: %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc

// The step by step selection of one row, as the device runs it.
// CHECK: GSA_EMU_KERNEL(topk),
func.func @main(%s: tensor<2x3x1000xf32>, %k: tensor<2x3xi32>)
    -> (tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 16 {
      gsa.schedule = #gsa.topk_schedule<warps = 4, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x1000xf32>, tensor<2x3xi32>)
      -> (tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %i, %c, %n : tensor<2x3x16xi32>, tensor<2x3xi32>, tensor<2x3xi32>
}
