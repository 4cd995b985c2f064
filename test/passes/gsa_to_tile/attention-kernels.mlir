// What kernels of attention look like where they differ: more rows than a
// tile, lists that do not fit, wide heads in f32, masks, a gate, no loaders.

// RUN: gsa-opt %s --gsa-fuse-epilogue --gsa-to-tile --canonicalize --cse -o %t.lowered
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %t.lowered --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync,gsa-tile-plan-smem),gsa-tile-finalize)' --remarks-filter="gsa.tile" -o %t.final 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %t.final | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-emu %t.final > %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// USAGE-COUNT-24: stack=0 spill_stores=0 spill_loads=0

// 20 heads of a group are two blocks of rows, and the list comes in segments
// of a multiple of 48 entries: the stream stands in a loop, where the phases of
// its ring go on.
// CHECK-LABEL: gsa_tile.kernel @gather_attention(
// CHECK: arith.remui
// CHECK: %[[LIST:.*]] = gsa_tile.smem_alloc : <1x8160xi32, linear>
// CHECK: %[[RING:.*]] = gsa_tile.tile_ring : <2 by cp_async, !gsa_tile.smem<48x48xf16, swizzle>, !gsa_tile.smem<48x48xf16, swizzle>>
// CHECK: scf.for
// CHECK: gsa_tile.copy_rows {{.*}} to %[[LIST]] by <0, 2>
// CHECK: gsa_tile.stream below %{{.*}} <loaders = 1> rings(%[[RING]]
// CHECK: gsa_tile.listed_rows {{.*}} list %[[LIST]]
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} by <0, 1>
// CHECK: } compute {
// CHECK: %[[ROWS:.*]] = gsa_tile.listed_rows {{.*}} list %[[LIST]]
// CHECK-NEXT: gsa_tile.mask_rows %{{.*}}, %[[ROWS]]
// CHECK-NOT: gsa_tile.put_frag
// CHECK: gsa_tile.softmax_finish
// CHECK: gsa_tile.launch @gather_attention grid(%c7, %c2, %c1)
// REMARK: Pipelined {{.*}}Remark=gather_attention, groups=1, loaders=1, rings=1
// REMARK: Role {{.*}}Remark="gather_attention, load", first_warp=0, warps=1
func.func @segments(%q: tensor<1x7x20x40xf16>, %k: tensor<1x50x1x40xf16>,
    %v: tensor<1x50x1x40xf16>, %i: tensor<1x7x9000xi32>, %c: tensor<1x7xi32>)
    -> tensor<1x7x20x40xf16> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 48, stages = 2, producers = 1, consumers = 1>}
      : (tensor<1x7x20x40xf16>, tensor<1x50x1x40xf16>, tensor<1x50x1x40xf16>,
         tensor<1x7x9000xi32>, tensor<1x7xi32>)
      -> (tensor<1x7x20x40xf16>, tensor<1x20x7xf32>)
  return %out : tensor<1x7x20x40xf16>
}

// A gate with one logit per head; the state of one warp joins that of the other.
// Keys and values are tiles of one shape, whose rows are looked up once.
// CHECK-LABEL: gsa_tile.kernel @gather_attention_0(
// CHECK: %[[FOUND:.*]] = gsa_tile.find_rows {{.*}} for 32 x 16 by <0, 2>
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]]
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]]
// Of 16 rows two exist.
// CHECK: gsa_tile.put_frag {{.*}} {rows = 8 : i64} {{.*}} to <16x64xf32, swizzle>
// CHECK: gsa_tile.take_frag {{.*}} {rows = 8 : i64}
// CHECK: gsa_tile.softmax_merge
// CHECK: gsa_tile.gate_rows {{.*}} <tanh> {per_row = true}
// REMARK: Role {{.*}}Remark="gather_attention_0, load", first_warp=0, warps=2
// REMARK: Role {{.*}}Remark="gather_attention_0, compute", first_warp=2, warps=2
func.func @gated(%q: tensor<1x7x4x64xf32>, %k: tensor<1x50x2x64xf32>,
    %v: tensor<1x50x2x64xf32>, %i: tensor<1x7x32xi32>, %c: tensor<1x7xi32>,
    %g: tensor<1x7x4xf32>) -> tensor<1x7x4x64xf32> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.attention_schedule<engine = fma, block_q = 16, block_k = 32, stages = 2, producers = 2, consumers = 2>}
      : (tensor<1x7x4x64xf32>, tensor<1x50x2x64xf32>, tensor<1x50x2x64xf32>,
         tensor<1x7x32xi32>, tensor<1x7xi32>)
      -> (tensor<1x7x4x64xf32>, tensor<1x4x7xf32>)
  %gated = gsa.gate %out, %g {activation = #gsa.gate_activation<tanh>}
      : (tensor<1x7x4x64xf32>, tensor<1x7x4xf32>) -> tensor<1x7x4x64xf32>
  return %gated : tensor<1x7x4x64xf32>
}

// Queries of 128 f32 are read from shared memory in halves, for each tile. All
// warps fill: there is neither ring nor role.
// REMARK: TileRing {{.*}}Remark=dense_attention, bytes=32768, engine=cp_async, stages=1
// REMARK: Pipelined {{.*}}Remark=dense_attention, groups=1, loaders=0, rings=1
// CHECK-LABEL: gsa_tile.kernel @dense_attention(
// CHECK: gsa_tile.stream below %{{.*}} <loaders = 0>
// CHECK: gsa_tile.copy_rows {{.*}} to <32x64xf32, swizzle>
// CHECK: gsa_tile.copy_rows {{.*}} to <32x64xf32, swizzle>
// CHECK: gsa_tile.copy_rows {{.*}} to <32x128xf32, swizzle>
// CHECK: gsa_tile.load_lhs
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.load_lhs
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK: gsa_tile.mask_rows
// CHECK: gsa_tile.mma_nn %
func.func @full(%q: tensor<1x70x4x128xf32>, %k: tensor<1x50x2x128xf32>,
    %v: tensor<1x50x2x128xf32>) -> tensor<1x70x4x128xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<none>, gsa.schedule = #gsa.attention_schedule<engine = fma, block_q = 64, block_k = 32, stages = 1, producers = 0, consumers = 4>}
      : (tensor<1x70x4x128xf32>, tensor<1x50x2x128xf32>, tensor<1x50x2x128xf32>)
      -> (tensor<1x70x4x128xf32>, tensor<1x4x70xf32>)
  return %out : tensor<1x70x4x128xf32>
}

// CHECK-LABEL: gsa_tile.kernel @dense_attention_1(
// CHECK: gsa_tile.mask_causal
// CHECK-NEXT: gsa_tile.mask_rows
// CHECK: gsa_tile.mma_nn_causal
func.func @causal(%q: tensor<1x70x4x80xbf16>, %k: tensor<1x50x2x80xbf16>,
    %v: tensor<1x50x2x80xbf16>) -> tensor<1x70x4x80xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 64, block_k = 64, stages = 2, producers = 4, consumers = 4>}
      : (tensor<1x70x4x80xbf16>, tensor<1x50x2x80xbf16>, tensor<1x50x2x80xbf16>)
      -> (tensor<1x70x4x80xbf16>, tensor<1x4x70xf32>)
  return %out : tensor<1x70x4x80xbf16>
}
