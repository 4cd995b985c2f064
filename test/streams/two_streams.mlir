// Two streams that share a ring of two stages, in a loop: the phases of the ring
// go on. out[0] is the sum of the tiles of `a`, out[1] of those of `b`, each
// three times over. 3 and 4 tiles: both odd and even numbers of them come by.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' | FileCheck %s

// CHECK: %[[CURSOR:.*]] = gsa_tile.cursor_alloc
// CHECK: role <"load", team = <0, 2>> {
// CHECK: scf.for
// CHECK: %[[BASE:.*]] = gsa_tile.cursor_get %[[CURSOR]]
// CHECK: scf.for %[[I:.*]] =
// CHECK: arith.addi %[[BASE]], %[[I]]
// CHECK: gsa_tile.cursor_advance %[[CURSOR]]
// CHECK: gsa_tile.cursor_get %[[CURSOR]]
// CHECK: role <"compute", team = <2, 4>> {

#load = #gsa_tile.team<0, 2>
#compute = #gsa_tile.team<2, 4>
#block = #gsa_tile.team<0, 6>
!tile = !gsa_tile.smem<64x32xf32, swizzle>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x32xf32, swizzle>>
!rows = !gsa_tile.rows<f32, strided, read>
!acc = !gsa_tile.frag<16x32xf32, acc>

gsa_tile.kernel @sums(%a: !gsa_tile.global<f32, read> loc("a"),
                      %b: !gsa_tile.global<f32, read> loc("b"),
                      %out: !gsa_tile.global<f32, write> loc("out"),
                      %na: index loc("tiles_a"), %nb: index loc("tiles_b"))
    attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %p32 = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %ring = gsa_tile.tile_ring : !ring loc("ring")
  gsa_tile.sync #block
  %rank = gsa_tile.warp_rank #compute
  %row = arith.muli %rank, %c16 : index loc("warp_row")
  %part = gsa_tile.frag_alloc : !acc loc("part")
  %sum_a = gsa_tile.frag_alloc : !acc loc("sum_a")
  %sum_b = gsa_tile.frag_alloc : !acc loc("sum_b")
  %ones = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("ones")
  gsa_tile.fill %sum_a, %zero : !acc
  gsa_tile.fill %sum_b, %zero : !acc
  gsa_tile.fill_rows %ones, %one : !gsa_tile.rowvec<16xf32>
  %rows_a = arith.muli %na, %c64 : index
  %rows_b = arith.muli %nb, %c64 : index
  scf.for %round = %c0 to %c3 step %c1 {
    gsa_tile.stream below %na <loaders = 2> rings(%ring : !ring) load {
    ^bb0(%i: index, %t: !tile):
      %first = arith.muli %i, %c64 : index
      %view = gsa_tile.strided_rows %a pitch %p32 count %rows_a : !gsa_tile.global<f32, read> to !rows
      gsa_tile.copy_rows %view[%first] columns %c32 to %t by #load vector 16 : !rows, index to !tile
    } compute {
    ^bb0(%i: index, %t: !tile loc("tiles")):
      gsa_tile.take_frag %t[%row] to %part : !tile to !acc
      gsa_tile.add_scaled %sum_a, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
    }
    gsa_tile.stream below %nb <loaders = 2> rings(%ring : !ring) load {
    ^bb0(%i: index, %t: !tile):
      %first = arith.muli %i, %c64 : index
      %view = gsa_tile.strided_rows %b pitch %p32 count %rows_b : !gsa_tile.global<f32, read> to !rows
      gsa_tile.copy_rows %view[%first] columns %c32 to %t by #load vector 16 : !rows, index to !tile
    } compute {
    ^bb0(%i: index, %t: !tile):
      gsa_tile.take_frag %t[%row] to %part : !tile to !acc
      gsa_tile.add_scaled %sum_b, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
    }
  }
  %c128 = arith.constant 128 : index
  %to = gsa_tile.strided_rows %out pitch %p32 count %c128 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %sum_a columns %c32 to %to[%row] : !acc to !gsa_tile.rows<f32, strided, write>
  %row_b = arith.addi %row, %c64 : index
  gsa_tile.store_rows %sum_b columns %c32 to %to[%row_b] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

func.func @main(%a: tensor<192x32xf32> {gsa.name = "a"},
                %b: tensor<256x32xf32> {gsa.name = "b"})
    -> (tensor<2x64x32xf32> {gsa.name = "sums"}) {
  %c1 = arith.constant 1 : index
  %na = arith.constant 3 : index
  %nb = arith.constant 4 : index
  %ab = bufferization.to_buffer %a read_only : tensor<192x32xf32> to memref<192x32xf32>
  %bb = bufferization.to_buffer %b read_only : tensor<256x32xf32> to memref<256x32xf32>
  %out = memref.alloc() : memref<2x64x32xf32>
  gsa_tile.launch @sums grid(%c1) args(%ab, %bb, %out, %na, %nb)
      : memref<192x32xf32>, memref<256x32xf32>, memref<2x64x32xf32>, index, index
  %result = bufferization.to_tensor %out restrict writable : memref<2x64x32xf32> to tensor<2x64x32xf32>
  return %result : tensor<2x64x32xf32>
}
