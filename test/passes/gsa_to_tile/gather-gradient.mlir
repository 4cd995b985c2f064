// The gradient by query: a warp has the heads of a query and goes through their
// list; what it adds to keys and values is added in memory.

// RUN: gsa-opt %s --gsa-to-tile=arch=sm_80 --canonicalize --cse | FileCheck %s
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_80 -o %t.final
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_80 %t.final | FileCheck %s --check-prefix=USAGE %}

// USAGE: sm_80 gather_gradient registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// CHECK-LABEL: gsa_tile.kernel @gather_gradient(
// CHECK-SAME: warps = 1
// CHECK: gsa_tile.load_rowvec
// CHECK-COUNT-4: gsa_tile.drop_rows
// CHECK: gsa_tile.stream below {{.*}}loaders = 0
// CHECK: } compute {
// Two parts of 64 and of 32 columns.
// CHECK: gsa_tile.mma_nt {{.*}}<16x64xbf16, lhs>
// CHECK: gsa_tile.mma_nt {{.*}}<16x32xbf16, lhs>
// CHECK: gsa_tile.mask_rows
// CHECK: gsa_tile.softmax_grad
// CHECK: gsa_tile.load_lhs_transposed
// CHECK: gsa_tile.accumulate_rows
// CHECK: gsa_tile.store_rows
func.func @by_query(%q: tensor<1x40x8x96xbf16>, %k: tensor<1x90x2x96xbf16>,
    %v: tensor<1x90x2x96xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x96xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x96xbf16>, tensor<1x90x2x96xbf16>, tensor<1x90x2x96xbf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.gather_grad_schedule<engine = mma_sync, block_k = 16, columns = 64>}
    : (tensor<1x40x8x96xbf16>, tensor<1x90x2x96xbf16>, tensor<1x90x2x96xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x96xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x96xbf16>, tensor<1x90x2x96xbf16>, tensor<1x90x2x96xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x96xbf16>, tensor<1x90x2x96xbf16>, tensor<1x90x2x96xbf16>
}
