// The kernels of the gradient of attention over lists: sums in f32 that begin
// with 0, unions of lists, gradients by them, what is done again by query, and
// the rounding of the sums.

// RUN: gsa-opt %s --gsa-to-tile=arch=sm_90a --canonicalize --cse --remarks-filter="gsa.schedule" -o %t.lowered 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: gsa-translate --gsa-tile-to-cuda %t.final | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}
// RUN: not gsa-opt %s --gsa-to-tile=arch=sm_80 2>&1 | FileCheck %s --check-prefix=SM80

// SM80: error: 'gsa.gather_attention_grad' op has an illegal schedule: engine wgmma needs sm_90a, not sm_80

// REMARK: [Passed] UnionWorkspace {{.*}}capacity=256, queries=64

// USAGE-DAG: sm_90a union_gradient registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a gradient_again registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// CHECK-LABEL: gsa_tile.kernel @clear_sums(
// CHECK-LABEL: gsa_tile.kernel @union_lists(

// CHECK-LABEL: gsa_tile.kernel @union_gradient(
// CHECK: gsa_tile.any_not_finite {{.*}} by <0, 12>
// CHECK: gsa_tile.look_up
// CHECK: gsa_tile.stream below
// CHECK: gsa_tile.copy_rows
// CHECK: gsa_tile.copy_rows
// CHECK: gsa_tile.bulk_rows
// CHECK: gsa_tile.look_up
// CHECK: } compute {
// CHECK-COUNT-3: gsa_tile.await
// CHECK: gsa_tile.wgmma_nt {{.*}}accumulate = false
// CHECK: gsa_tile.wgmma_nt {{.*}}accumulate = false
// CHECK: gsa_tile.mask_bits {{.*}}rows_per_string = 4
// CHECK: gsa_tile.softmax_grad
// CHECK: gsa_tile.sync
// CHECK: gsa_tile.put_frag
// CHECK: gsa_tile.put_frag
// CHECK: gsa_tile.sync
// CHECK: gsa_tile.fence_async
// What is added to the gradients of queries, and a sum of the group's own.
// CHECK: gsa_tile.wgmma_nn
// CHECK: %[[LEFT:.*]] = gsa_tile.part_of
// CHECK: gsa_tile.wgmma_nn {{.*}}, %[[LEFT]][{{.*}}transposed_lhs = true
// CHECK: gsa_tile.reduce_tile_wait
// CHECK: gsa_tile.put_frag
// CHECK: gsa_tile.fence_async
// CHECK: gsa_tile.reduce_tile {{.*}} to <f32, listed, accumulate>
// CHECK: gsa_tile.any_out_of_range
// CHECK: gsa_tile.append
// CHECK: gsa_tile.append
// CHECK: gsa_tile.store_rows

// Storage stands before the loops.
// CHECK-LABEL: gsa_tile.kernel @gradient_again(
// CHECK: gsa_tile.tile_ring
// CHECK: scf.for
// CHECK: gsa_tile.drop_rows
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.softmax_grad
// CHECK: scf.if
// CHECK: gsa_tile.load_lhs_transposed
// CHECK: gsa_tile.accumulate_rows
// CHECK-NOT: gsa_tile.tile_ring

// Gradients of keys are scaled when they are rounded, those of values are not.
// CHECK-LABEL: gsa_tile.kernel @round_sums(
// CHECK: arith.mulf
// CHECK-LABEL: gsa_tile.kernel @round_sums_0(
// CHECK-NOT: arith.mulf

// CUDA-LABEL: void union_gradient(
// CUDA: softmax_grad({{.*}}, 0.125f, 16);
// CUDA: reduce_tile({{.*}}, 64);

// CHECK-LABEL: func.func @shared
func.func @shared(%q: tensor<1x80x8x64xbf16>, %k: tensor<1x200x2x64xbf16>,
    %v: tensor<1x200x2x64xbf16>, %i: tensor<1x80x60xi32>, %c: tensor<1x80xi32>,
    %o: tensor<1x80x8x64xbf16>, %l: tensor<1x8x80xf32>)
    -> (tensor<1x80x8x64xbf16>, tensor<1x200x2x64xbf16>, tensor<1x200x2x64xbf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 32, groups = 2, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 64, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x80x8x64xbf16>, tensor<1x200x2x64xbf16>, tensor<1x200x2x64xbf16>,
       tensor<1x80x60xi32>, tensor<1x80xi32>, tensor<1x80x8x64xbf16>,
       tensor<1x8x80xf32>, tensor<1x8x80xf32>)
    -> (tensor<1x80x8x64xbf16>, tensor<1x200x2x64xbf16>, tensor<1x200x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x80x8x64xbf16>, tensor<1x200x2x64xbf16>, tensor<1x200x2x64xbf16>
}
