// A split union: two warpgroups share what is loaded, and each passes over
// blocks that are not its own.

// RUN: gsa-opt %s --gsa-to-tile=arch=sm_90a --canonicalize --cse --remarks-filter="gsa.schedule" -o %t.lowered 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: FileCheck %s --input-file %t.final --check-prefix=FINAL
// RUN: gsa-translate --gsa-tile-to-cuda %t.final | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}

// A tile of 32 queries has room for all 200 keys apart, and for 200 in common.
// REMARK: [Passed] UnionWorkspace {{.*}}capacity=640, queries=64

// USAGE-DAG: sm_90a union_lists registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a union_attention registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// Three kinds of keys, in blocks of their own, and the order of all blocks.
// CHECK-LABEL: gsa_tile.kernel @union_lists(
// CHECK: gsa_tile.count_kinds {{.*}} half 16 : <3xi32>
// CHECK: gsa_tile.emit_kinds {{.*}} half 16
// CHECK: gsa_tile.transpose_members {{.*}} strings 32 block 128
// CHECK: scf.for
// CHECK-COUNT-4: gsa_tile.store %{{.*}} : <i32, write>, index

// Rows of a block are looked up once for keys and values. Nothing is lagged, and
// waits and releases stand outside of what a group does of its own tiles.
// CHECK-LABEL: gsa_tile.kernel @union_attention(
// CHECK: gsa_tile.copy_rows {{.*}} : <bf16, two_level, read>, index to <128x64xbf16, swizzle_128b>
// CHECK: gsa_tile.look_up
// CHECK: gsa_tile.stream below %{{.*}} <loaders = 4, groups = 2>
// CHECK-COUNT-2: gsa_tile.load %{{.*}} : <i32, read>, index
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[ROWS:.*]]] columns
// CHECK: gsa_tile.bulk_rows
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[ROWS]]] columns
// CHECK: gsa_tile.look_up {{.*}} to %[[ROWS]]
// CHECK: } compute {
// CHECK-NOT: gsa_tile.lagged
// CHECK: %[[OWN:.*]] = arith.cmpi ne
// CHECK: gsa_tile.await %[[KEYS:.*]] : <
// CHECK-NEXT: scf.if %[[OWN]] {
// CHECK: gsa_tile.wgmma_nt
// CHECK: gsa_tile.wgmma_wait 0
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.release %[[KEYS]] : <
// CHECK-NEXT: gsa_tile.await %[[STRINGS:.*]] : <
// CHECK-NEXT: scf.if %[[OWN]] {
// CHECK: gsa_tile.mask_bits {{.*}}rows_per_string = 4
// CHECK-NEXT: gsa_tile.softmax_step
// CHECK-NEXT: gsa_tile.scale_rows
// CHECK: }
// CHECK-NEXT: gsa_tile.release %[[STRINGS]] : <
// CHECK-NEXT: gsa_tile.await %[[VALUES:.*]] : <
// CHECK-NEXT: scf.if %[[OWN]] {
// CHECK: gsa_tile.wgmma_nn
// CHECK: gsa_tile.wgmma_wait 0
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.release %[[VALUES]] : <
// CHECK: gsa_tile.append

// Registers of the warps that load go to those that compute.
// FINAL: gsa_tile.kernel @union_attention(
// FINAL: role <"load", team = <0, 4>, registers = 72>
// FINAL: role <"compute", team = <4, 8>, registers = {{[0-9]+}}>

// One copy of each product in the text.
// CUDA: void union_attention(
// CUDA-COUNT-1: wgmma_nt<false>(
// CUDA-COUNT-1: wgmma_nn(
// CUDA-NOT: wgmma_n
// CUDA: void gather_again(
func.func @split(%q: tensor<2x70x8x64xbf16>, %k: tensor<2x200x2x64xbf16>,
    %v: tensor<2x200x2x64xbf16>, %i: tensor<2x70x24xi32>, %c: tensor<2x70xi32>)
    -> tensor<2x70x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = 32,
           groups = 2, block_k = 128, key_stages = 3, value_stages = 3,
           producers = 4, table = 16384, chunk = 64, per_query = <engine =
           mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4,
           consumers = 2>>}
      : (tensor<2x70x8x64xbf16>, tensor<2x200x2x64xbf16>,
         tensor<2x200x2x64xbf16>, tensor<2x70x24xi32>, tensor<2x70xi32>)
      -> (tensor<2x70x8x64xbf16>, tensor<2x8x70xf32>)
  return %out : tensor<2x70x8x64xbf16>
}
