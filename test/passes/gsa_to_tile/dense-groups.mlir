// The two kernels of dense attention by warpgroups: boxes of keys and values for
// 192 rows of a head, and by rows what is out of range there.

// RUN: gsa-opt %s --gsa-fuse-epilogue --gsa-to-tile=arch=sm_90a --canonicalize --cse -o %t.lowered
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-fuse-epilogue --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: gsa-translate --gsa-tile-to-cuda %t.final | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}
// RUN: not gsa-opt %s --gsa-to-tile=arch=sm_80 2>&1 | FileCheck %s --check-prefix=SM80

// SM80: error: 'gsa.dense_attention' op has an illegal schedule: engine wgmma needs sm_90a, not sm_80

// USAGE-COUNT-4: sm_90a {{(group_attention|dense_again).*}} registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// CHECK-LABEL: gsa_tile.kernel @group_attention(
// CHECK-SAME: !gsa_tile.tensormap<80x64xbf16, swizzle_128b>
// CHECK: gsa_tile.copy_rows
// CHECK: gsa_tile.prefetch_rows {{.*}} rows 192 by <0, 16>
// CHECK: gsa_tile.fence_async
// CHECK: gsa_tile.stream below {{.*}} <loaders = 4, groups = 3> rings
// CHECK: gsa_tile.tma_load {{.*}} : <80x64xbf16, swizzle_128b> to <80x128xbf16, swizzle_128b>
// CHECK: gsa_tile.lagged
// CHECK: gsa_tile.tma_load
// CHECK: } compute {
// CHECK: gsa_tile.await
// CHECK: gsa_tile.lagged
// CHECK: gsa_tile.await
// CHECK: gsa_tile.wgmma_nt {{.*}} {accumulate = false}
// CHECK: gsa_tile.lagged
// CHECK: gsa_tile.wgmma_nn
// CHECK: arith.cmpi sge
// CHECK-NEXT: scf.if
// CHECK: gsa_tile.mask_causal
// CHECK: gsa_tile.softmax_step
// CHECK: gsa_tile.scale_rows
// CHECK: gsa_tile.any_out_of_range
// CHECK: gsa_tile.store
// Logits and rows lie over the rings, which all warps have read.
// CHECK: gsa_tile.sync
// CHECK: gsa_tile.copy_rows
// CHECK: gsa_tile.copy_wait
// CHECK-NOT: gsa_tile.gate_rows
// CHECK: gsa_tile.put_frag
// CHECK: gsa_tile.gate_tile {{.*}} rows %[[COUNT:[^ ]*]] by
// CHECK: gsa_tile.store_tile {{.*}} rows %[[COUNT]] columns

// A block looks at the flags of all its places at once. Storage stands before the loops.
// CHECK-LABEL: gsa_tile.kernel @dense_again(
// CHECK: gsa_tile.any_set
// CHECK: gsa_tile.tile_ring
// CHECK: scf.for
// CHECK: scf.if
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.mma_nn_causal
// CHECK: gsa_tile.gate_rows
// CHECK-NOT: gsa_tile.tile_ring

// Turns around the products. All rows of a warp see the same keys.
// CHECK-LABEL: gsa_tile.kernel @group_attention_0(
// CHECK: gsa_tile.stream below {{.*}} <loaders = 4, groups = 2, order = ping_pong> rings
// CHECK: } compute {
// CHECK: gsa_tile.turn_wait <4, 8> groups 2 barrier 2
// CHECK-NEXT: gsa_tile.await
// CHECK: gsa_tile.wgmma_nt
// CHECK: gsa_tile.wgmma_nn
// CHECK: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.turn_pass <4, 8> groups 2 barrier 2
// CHECK-NEXT: gsa_tile.wgmma_wait 1
// CHECK: gsa_tile.mask_causal {{.*}}rows_per_query = 16

// CHECK-LABEL: func.func @both
// CHECK-DAG: memref.collapse_shape {{.*}} memref<2x900x2x128xbf16> into memref<1800x256xbf16>
// CHECK: gsa_tile.launch @group_attention grid(%c12{{[^,]*}}, %c2{{[^,]*}}, %c2
// CHECK: gsa_tile.launch @dense_again brief grid(

// The last products are committed by themselves, others together with those of
// the keys behind them.
// CUDA: void group_attention(
// CUDA: const __grid_constant__ tensor_map
// CUDA: tma_load<team<0, 4>>(
// CUDA: wgmma_nt<false>(
// CUDA-NEXT: wgmma_commit();
// CUDA-NEXT: wgmma_wait<0>(
// CUDA: for (
// CUDA: wgmma_nt<false>(
// CUDA-NEXT: wgmma_commit();
// CUDA-NEXT: wgmma_nn(
// CUDA-NEXT: wgmma_commit();
// CUDA-NEXT: wgmma_wait<1>(
// CUDA-NOT: wgmma_commit();
// CUDA: wgmma_wait<0>(
// CUDA: wgmma_nn(
// CUDA-NEXT: wgmma_commit();
// CUDA-NEXT: wgmma_wait<0>(
// CUDA: void dense_again(
func.func @both(%q: tensor<2x500x8x128xbf16>, %k: tensor<2x900x2x128xbf16>,
    %v: tensor<2x900x2x128xbf16>, %g: tensor<2x500x8x128xbf16>)
    -> (tensor<2x500x8x128xbf16>, tensor<2x500x8x128xbf16>) {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>,
       gsa.schedule = #gsa.dense_schedule<engine = wgmma, block_q = 192,
           block_k = 80, key_stages = 2, value_stages = 2, order = free,
           per_row = <engine = mma_sync, block_q = 16, block_k = 64,
           stages = 2, producers = 4, consumers = 4>>}
    : (tensor<2x500x8x128xbf16>, tensor<2x900x2x128xbf16>, tensor<2x900x2x128xbf16>)
    -> (tensor<2x500x8x128xbf16>, tensor<2x8x500xf32>)
  %gated = gsa.gate %out, %g
    : (tensor<2x500x8x128xbf16>, tensor<2x500x8x128xbf16>) -> tensor<2x500x8x128xbf16>
  %all, %lse_of_all = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<none>,
       gsa.schedule = #gsa.dense_schedule<engine = wgmma, block_q = 128,
           block_k = 128, key_stages = 2, value_stages = 2, order = ping_pong,
           per_row = <engine = mma_sync, block_q = 16, block_k = 64,
           stages = 2, producers = 4, consumers = 4>>}
    : (tensor<2x500x8x128xbf16>, tensor<2x900x2x128xbf16>, tensor<2x900x2x128xbf16>)
    -> (tensor<2x500x8x128xbf16>, tensor<2x8x500xf32>)
  return %gated, %all : tensor<2x500x8x128xbf16>, tensor<2x500x8x128xbf16>
}
