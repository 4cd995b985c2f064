// A kernel that the bulk copy engine feeds goes through the whole path: the
// launch maps two buffers, the second of which has two leading dimensions, and
// a ring of their boxes is filled by one warp and multiplied by a warpgroup.
// 100 and 150 rows are no multiples of the box: what is outside is zeros.
// emu/tensor_map_test.cc runs it on data and on a GPU the test of the same
// kernel in cuda/device_test.cc.

// RUN: gsa-run %s --target emu --arch sm_90a --stop-after program | FileCheck %s
// RUN: gsa-run %s --target emu --arch sm_90a | FileCheck %s --check-prefix=OUT

// CHECK: other: tile_scores<<<2x1x1, 160, 24624>>>(map of bf16 100x64 every 128 bytes at input 0 + 0 bytes, box 64x64 swizzle 128, map of bf16 150x64 every 128 bytes at input 1 + 0 bytes, box 64x64 swizzle 128, output 0 + 0 bytes, 100, 3)
// CHECK: void tile_scores(
// CHECK-NEXT: const __grid_constant__ tensor_map queries,
// CHECK-NEXT: const __grid_constant__ tensor_map keys,

// OUT: host emulation of sm_90a
// OUT: scores: f32[100, 192]

#load = #gsa_tile.team<4, 1>
#mma = #gsa_tile.team<0, 4>
!map = !gsa_tile.tensormap<64x64xbf16, swizzle_128b>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!one = !gsa_tile.smem<1x64x64xbf16, swizzle_128b>
!tiles = !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
!scores = !gsa_tile.frag<16x64xf32, acc>

// scores[m, 64 i + n] = sum_k queries[m, k] keys[64 i + n, k] for i < tiles.
gsa_tile.kernel @tile_scores(%queries: !map loc("queries"),
                             %keys: !map loc("keys"),
                             %out: !gsa_tile.global<f32, write> loc("out"),
                             %rows: index loc("rows"),
                             %tiles: index loc("tiles"))
    attributes {warps = 5 : i64, shared_bytes = 24624 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %block = gsa_tile.block_id 0
  %first = arith.muli %block, %c64 : index loc("first")
  %q = gsa_tile.smem_alloc at 0 : !one loc("q_tiles")
  %k = gsa_tile.smem_alloc at 8192 : !tiles loc("k_tiles")
  %q_full = gsa_tile.ring_alloc producers 1 consumers 4 at 24576 : !gsa_tile.ring<1> loc("q_full")
  %k_full = gsa_tile.ring_alloc producers 1 consumers 4 at 24592 : !gsa_tile.ring<2> loc("k_full")
  gsa_tile.sync <0, 5>
  gsa_tile.roles {
    role <"load", team = <4, 1>> {
      %q_slot = gsa_tile.ring_acquire %q_full[%c0] : !gsa_tile.ring<1>
      %q_tile = gsa_tile.stage %q[%q_slot] : !one
      gsa_tile.tma_load %queries[%first, %c0] to %q_tile by #load arrives %q_full[%c0] of !gsa_tile.ring<1> : !map to !tile
      gsa_tile.ring_commit %q_full[%c0] {asynchronous = false} : !gsa_tile.ring<1>
      scf.for %i = %c0 to %tiles step %c1 {
        %slot = gsa_tile.ring_acquire %k_full[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %k[%slot] : !tiles
        %row = arith.muli %i, %c64 : index
        gsa_tile.tma_load %keys[%row, %c0] to %tile by #load arrives %k_full[%i] of !gsa_tile.ring<2> : !map to !tile
        gsa_tile.ring_commit %k_full[%i] {asynchronous = false} : !gsa_tile.ring<2>
      }
    }
    role <"mma", team = <0, 4>> {
      %rank = gsa_tile.warp_rank #mma
      %within = arith.muli %rank, %c16 : index
      %row = arith.addi %first, %within : index loc("row")
      %left = arith.subi %rows, %row : index loc("left")
      %width = arith.muli %tiles, %c64 : index loc("width")
      %pitch = arith.index_cast %width : index to i64
      %scores = gsa_tile.frag_alloc : !scores loc("scores")
      %q_slot = gsa_tile.ring_wait %q_full[%c0] : !gsa_tile.ring<1>
      %q_tile = gsa_tile.stage %q[%q_slot] : !one
      scf.for %i = %c0 to %tiles step %c1 {
        %slot = gsa_tile.ring_wait %k_full[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %k[%slot] : !tiles
        gsa_tile.fill %scores, %zero : !scores
        gsa_tile.wgmma_fence %scores : !scores
        gsa_tile.wgmma_nt %scores, %q_tile[%c0], %tile[%c0] : !scores, !tile, !tile
        gsa_tile.wgmma_commit
        gsa_tile.wgmma_wait 0
        gsa_tile.ring_release %k_full[%i] : !gsa_tile.ring<2>
        %column = arith.muli %i, %c64 : index
        %to = gsa_tile.at %out[%row, %column] sizes [%width] : !gsa_tile.global<f32, write>
        %to_rows = gsa_tile.strided_rows %to pitch %pitch count %left : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
        gsa_tile.store_rows %scores columns %c64 to %to_rows[%c0] : !scores to !gsa_tile.rows<f32, strided, write>
      }
      gsa_tile.ring_release %q_full[%c0] : !gsa_tile.ring<1>
    }
  }
  gsa_tile.return
}

func.func @main(%q: tensor<100x64xbf16> {gsa.name = "queries"},
                %k: tensor<2x75x64xbf16> {gsa.name = "keys"})
    -> (tensor<100x192xf32> {gsa.name = "scores"}) {
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %rows = arith.constant 100 : index
  %queries = bufferization.to_buffer %q read_only : tensor<100x64xbf16> to memref<100x64xbf16>
  %keys = bufferization.to_buffer %k read_only : tensor<2x75x64xbf16> to memref<2x75x64xbf16>
  %out = memref.alloc() : memref<100x192xf32>
  gsa_tile.launch @tile_scores grid(%c2) args(%queries, %keys, %out, %rows, %c3)
      : memref<100x64xbf16>, memref<2x75x64xbf16>, memref<100x192xf32>, index, index
  %scores = bufferization.to_tensor %out restrict writable : memref<100x192xf32> to tensor<100x192xf32>
  return %scores : tensor<100x192xf32>
}
