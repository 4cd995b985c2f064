// The three kernels of attention that shares keys: the unions of a chunk of
// queries, attention over them, and by query what that could not do.

// RUN: gsa-opt %s --gsa-fuse-epilogue --gsa-to-tile=arch=sm_90a --canonicalize --cse --remarks-filter="gsa.schedule" -o %t.lowered 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-fuse-epilogue --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: gsa-translate --gsa-tile-to-cuda %t.final | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}
// RUN: not gsa-opt %s --gsa-to-tile=arch=sm_80 2>&1 | FileCheck %s --check-prefix=SM80

// SM80: error: 'gsa.gather_attention' op has an illegal schedule: engine wgmma needs sm_90a, not sm_80

// Two tiles of 16 queries, of which each has room for all 200 keys in blocks.
// REMARK: [Passed] UnionWorkspace {{.*}}bytes=5196, capacity=256, queries=32

// USAGE-DAG: sm_90a union_lists registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a union_attention registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a gather_again registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// CHECK-LABEL: gsa_tile.kernel @union_lists(
// CHECK: gsa_tile.check_list
// CHECK: gsa_tile.mark_members {{.*}} : <1x16384xi32, linear>
// CHECK: gsa_tile.count_members
// CHECK: gsa_tile.emit_members
// CHECK: gsa_tile.transpose_members {{.*}} strings 16 block 64

// Keys of a tile are loaded and weighed while the values of the one before are
// multiplied.
// CHECK-LABEL: gsa_tile.kernel @union_attention(
// CHECK: gsa_tile.look_up
// CHECK: gsa_tile.stream below
// CHECK: gsa_tile.copy_rows
// CHECK: gsa_tile.bulk_rows
// CHECK: gsa_tile.lagged
// CHECK: gsa_tile.keep_found
// CHECK: gsa_tile.look_up
// CHECK: } compute {
// CHECK: gsa_tile.await
// CHECK: gsa_tile.lagged
// CHECK: gsa_tile.await
// CHECK: gsa_tile.wgmma_nt
// CHECK: gsa_tile.lagged
// CHECK: gsa_tile.wgmma_nn
// CHECK: gsa_tile.mask_bits {{.*}}rows_per_string = 4
// CHECK: gsa_tile.softmax_step
// CHECK: gsa_tile.scale_rows
// CHECK: gsa_tile.softmax_close
// CHECK: gsa_tile.any_out_of_range
// CHECK: gsa_tile.append
// CHECK: gsa_tile.gate_rows {{.*}}per_row = true

// Storage stands before the loops.
// CHECK-LABEL: gsa_tile.kernel @gather_again(
// CHECK: gsa_tile.tile_ring
// CHECK: scf.for
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.gate_rows
// CHECK-NOT: gsa_tile.tile_ring

// CHECK-LABEL: func.func @shared
// CHECK: scf.for
// CHECK: scf.for
// CHECK: gsa_tile.launch @union_lists grid(%{{[^,]*}})
// CHECK: gsa_tile.launch @union_attention grid(%{{.*}}, %c2
// CHECK: gsa_tile.launch @gather_again grid(%c16

// CUDA: void union_lists(
// CUDA: void union_attention(
// CUDA: softmax_step(
// CUDA: void gather_again(
func.func @shared(%q: tensor<2x40x8x64xbf16>, %k: tensor<2x200x2x64xbf16>,
    %v: tensor<2x200x2x64xbf16>, %i: tensor<2x40x24xi32>, %c: tensor<2x40xi32>,
    %g: tensor<2x40x8xbf16>) -> tensor<2x40x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = 16,
           block_k = 64, key_stages = 3, value_stages = 2, producers = 4,
           table = 16384, chunk = 32, per_query = <engine = mma_sync,
           block_q = 16, block_k = 32, stages = 2, producers = 4,
           consumers = 2>>}
      : (tensor<2x40x8x64xbf16>, tensor<2x200x2x64xbf16>,
         tensor<2x200x2x64xbf16>, tensor<2x40x24xi32>, tensor<2x40xi32>)
      -> (tensor<2x40x8x64xbf16>, tensor<2x8x40xf32>)
  %gated = gsa.gate %out, %g
      : (tensor<2x40x8x64xbf16>, tensor<2x40x8xbf16>) -> tensor<2x40x8x64xbf16>
  return %gated : tensor<2x40x8x64xbf16>
}
