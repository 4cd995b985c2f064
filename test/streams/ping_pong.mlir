// Attention of 128 rows to 300 keys by two warpgroups that take turns: keys,
// values and membership words stream through rings of their own, the words by
// the bulk engine. Row r sees key j if bit r / 4 of words[j] is set.
// unit/differential/stream_kernels_test.cc runs it in emulation and on a GPU.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync,gsa-tile-plan-smem,gsa-tile-check-registers))' | FileCheck %s
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync,gsa-tile-plan-smem),gsa-tile-finalize)' -o %t.mlir
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.mlir | FileCheck %s --check-prefix=USAGE %}

// CHECK: gsa_tile.ring_alloc producers 4 consumers 8 {{.*}} : <2>
// CHECK: gsa_tile.ring_alloc producers 4 consumers 8 {{.*}} : <2>
// CHECK: gsa_tile.ring_alloc producers 4 consumers 8 {{.*}} : <3>
// CHECK: role <"load", team = <0, 4>> {
// CHECK: gsa_tile.ring_commit {{.*}}{asynchronous = false} : <3>
// CHECK: role <"compute", team = <4, 8>> {
// CHECK: gsa_tile.turn_start <4, 8> groups 2 barrier 2
// CHECK: gsa_tile.turn_wait
// CHECK: gsa_tile.turn_pass
// CHECK: gsa_tile.turn_end
// USAGE: sm_90a attend registers={{[0-9]+}} stack=0

#load = #gsa_tile.team<0, 4>
#compute = #gsa_tile.team<4, 8>
#block = #gsa_tile.team<0, 12>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!queries = !gsa_tile.smem<128x64xbf16, swizzle_128b>
!words = !gsa_tile.smem<1x64xi32, linear>
!tiles = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, swizzle_128b>>
!members = !gsa_tile.tile_ring<3 by bulk, !gsa_tile.smem<1x64xi32, linear>>
!rows = !gsa_tile.rows<bf16, strided, read>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
!vec = !gsa_tile.rowvec<16xf32>

gsa_tile.kernel @attend(%q: !gsa_tile.global<bf16, read> loc("queries"),
                        %k: !gsa_tile.global<bf16, read> loc("keys"),
                        %v: !gsa_tile.global<bf16, read> loc("values"),
                        %w: !gsa_tile.global<i32, read> loc("words"),
                        %out: !gsa_tile.global<f32, write> loc("out"),
                        %keys: index loc("num_keys"))
    attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c63 = arith.constant 63 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %p64 = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %none = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.125 : f32
  %q_tile = gsa_tile.smem_alloc : !queries loc("q_tile")
  %q_rows = gsa_tile.strided_rows %q pitch %p64 count %c128 : !gsa_tile.global<bf16, read> to !rows
  gsa_tile.copy_rows %q_rows[%c0] columns %c64 to %q_tile by #block vector 16 : !rows, index to !queries
  %k_ring = gsa_tile.tile_ring : !tiles loc("k_ring")
  %v_ring = gsa_tile.tile_ring : !tiles loc("v_ring")
  %w_ring = gsa_tile.tile_ring : !members loc("w_ring")
  gsa_tile.copy_wait #block

  %rank = gsa_tile.warp_rank #compute
  %row = arith.muli %rank, %c16 : index loc("warp_row")
  %group = arith.divui %rank, %c4 : index
  %group_row = arith.muli %group, %c64 : index loc("group_row")
  %scores = gsa_tile.frag_alloc : !acc loc("scores")
  %weights = gsa_tile.frag_alloc : !lhs loc("weights")
  %sum = gsa_tile.frag_alloc : !acc loc("output")
  %max = gsa_tile.rowvec_alloc : !vec loc("maximum")
  %total = gsa_tile.rowvec_alloc : !vec loc("sum")
  gsa_tile.fill %sum, %zero : !acc
  gsa_tile.fill_rows %max, %none : !vec
  gsa_tile.fill_rows %total, %zero : !vec

  %up = arith.addi %keys, %c63 : index
  %tiles = arith.divui %up, %c64 : index loc("tiles")
  gsa_tile.stream below %tiles <loaders = 4, groups = 2, order = ping_pong>
      rings(%k_ring, %v_ring, %w_ring : !tiles, !tiles, !members) load {
  ^bb0(%i: index loc("tile"), %kt: !tile, %vt: !tile, %wt: !words):
    %first = arith.muli %i, %c64 : index loc("first_key")
    %k_rows = gsa_tile.strided_rows %k pitch %p64 count %keys : !gsa_tile.global<bf16, read> to !rows
    %v_rows = gsa_tile.strided_rows %v pitch %p64 count %keys : !gsa_tile.global<bf16, read> to !rows
    %w_first = gsa_tile.at %w[%first] sizes[] : !gsa_tile.global<i32, read>
    %w_rows = gsa_tile.strided_rows %w_first pitch %p64 count %c1 : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
    gsa_tile.copy_rows %k_rows[%first] columns %c64 to %kt by #load vector 16 : !rows, index to !tile
    gsa_tile.bulk_rows %w_rows[%c0] columns %c64 to %wt by #load : !gsa_tile.rows<i32, strided, read> to !words
    gsa_tile.copy_rows %v_rows[%first] columns %c64 to %vt by #load vector 16 : !rows, index to !tile
  } compute {
  ^bb0(%i: index loc("tile"), %kt: !tile loc("k_tile"), %vt: !tile loc("v_tile"), %wt: !words loc("w_tile")):
    gsa_tile.fill %scores, %zero : !acc
    gsa_tile.turn_wait #compute groups 2 barrier 2
    gsa_tile.await %kt : !tile
    gsa_tile.fence_async
    gsa_tile.wgmma_fence %scores : !acc
    gsa_tile.wgmma_nt %scores, %q_tile[%group_row], %kt[%c0] : !acc, !queries, !tile
    gsa_tile.wgmma_commit
    gsa_tile.turn_pass #compute groups 2 barrier 2
    gsa_tile.wgmma_wait 0
    gsa_tile.release %kt : !tile
    gsa_tile.await %wt : !words
    gsa_tile.mask_words %scores, %wt[%c0, %c0] row %row {rows_per_bit = 4} : !acc, !words
    gsa_tile.release %wt : !words
    gsa_tile.softmax_update %scores, %sum, %max, %total scale %scale : !acc, !acc, !vec
    gsa_tile.convert %scores to %weights : !acc to !lhs
    gsa_tile.await %vt : !tile
    gsa_tile.fence_async
    gsa_tile.wgmma_fence %weights : !lhs
    gsa_tile.wgmma_fence %sum : !acc
    gsa_tile.wgmma_nn %sum, %weights, %vt[%c0] : !acc, !lhs, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0
  }
  %lse = gsa_tile.rowvec_alloc : !vec
  gsa_tile.softmax_finish %sum, %lse, %max, %total scale %scale : !acc, !vec
  %out_rows = gsa_tile.strided_rows %out pitch %p64 count %c128 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %sum columns %c64 to %out_rows[%row] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

func.func @main(%q: tensor<128x64xbf16> {gsa.name = "queries"},
                %k: tensor<300x64xbf16> {gsa.name = "keys"},
                %v: tensor<300x64xbf16> {gsa.name = "values"},
                %w: tensor<320xi32> {gsa.name = "words"})
    -> (tensor<128x64xf32> {gsa.name = "output"}) {
  %c1 = arith.constant 1 : index
  %keys = arith.constant 300 : index
  %qb = bufferization.to_buffer %q read_only : tensor<128x64xbf16> to memref<128x64xbf16>
  %kb = bufferization.to_buffer %k read_only : tensor<300x64xbf16> to memref<300x64xbf16>
  %vb = bufferization.to_buffer %v read_only : tensor<300x64xbf16> to memref<300x64xbf16>
  %wb = bufferization.to_buffer %w read_only : tensor<320xi32> to memref<320xi32>
  %out = memref.alloc() : memref<128x64xf32>
  gsa_tile.launch @attend grid(%c1) args(%qb, %kb, %vb, %wb, %out, %keys)
      : memref<128x64xbf16>, memref<300x64xbf16>, memref<300x64xbf16>, memref<320xi32>, memref<128x64xf32>, index
  %result = bufferization.to_tensor %out restrict writable : memref<128x64xf32> to tensor<128x64xf32>
  return %result : tensor<128x64xf32>
}
