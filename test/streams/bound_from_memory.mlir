// A stream whose number of tiles is read on the device: out[s] is the sum of the
// first lengths[s] rows of sequence s, by their place in a tile of 64.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' | FileCheck %s

// CHECK: %[[LENGTH:.*]] = gsa_tile.load
// CHECK: role <"load", team = <0, 1>> {
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[TILES:.*]] step
// CHECK: role <"compute", team = <1, 4>> {
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[TILES]] step

#load = #gsa_tile.team<0, 1>
#compute = #gsa_tile.team<1, 4>
#block = #gsa_tile.team<0, 5>
!tile = !gsa_tile.smem<64x32xf32, swizzle>
!ring = !gsa_tile.tile_ring<3 by cp_async, !gsa_tile.smem<64x32xf32, swizzle>>
!rows = !gsa_tile.rows<f32, strided, read>
!acc = !gsa_tile.frag<16x32xf32, acc>

gsa_tile.kernel @sums(%data: !gsa_tile.global<f32, read> loc("data"),
                      %lengths: !gsa_tile.global<i32, read> loc("lengths"),
                      %out: !gsa_tile.global<f32, write> loc("out"),
                      %capacity: index loc("capacity"))
    attributes {warps = 5 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c63 = arith.constant 63 : index
  %c64 = arith.constant 64 : index
  %p32 = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %s = gsa_tile.block_id 0
  %word = gsa_tile.load %lengths[%s] : !gsa_tile.global<i32, read>, index
  %length = arith.index_cast %word : i32 to index loc("length")
  %up = arith.addi %length, %c63 : index
  %tiles = arith.divui %up, %c64 : index loc("tiles")
  %ring = gsa_tile.tile_ring : !ring loc("ring")
  gsa_tile.sync #block
  %rank = gsa_tile.warp_rank #compute
  %row = arith.muli %rank, %c16 : index loc("warp_row")
  %part = gsa_tile.frag_alloc : !acc loc("part")
  %sum = gsa_tile.frag_alloc : !acc loc("sum")
  %ones = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("ones")
  gsa_tile.fill %sum, %zero : !acc
  gsa_tile.fill_rows %ones, %one : !gsa_tile.rowvec<16xf32>
  %from = gsa_tile.at %data[%s, %c0, %c0] sizes[%capacity, %c32] : !gsa_tile.global<f32, read>
  gsa_tile.stream below %tiles <loaders = 1> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %first = arith.muli %i, %c64 : index
    %view = gsa_tile.strided_rows %from pitch %p32 count %length : !gsa_tile.global<f32, read> to !rows
    gsa_tile.copy_rows %view[%first] columns %c32 to %t by #load vector 16 : !rows, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile loc("tiles")):
    gsa_tile.take_frag %t[%row] to %part : !tile to !acc
    gsa_tile.add_scaled %sum, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
  }
  %to = gsa_tile.at %out[%s, %c0, %c0] sizes[%c64, %c32] : !gsa_tile.global<f32, write>
  %to_rows = gsa_tile.strided_rows %to pitch %p32 count %c64 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %sum columns %c32 to %to_rows[%row] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

func.func @main(%data: tensor<5x400x32xf32> {gsa.name = "data"},
                %lengths: tensor<5xi32> {gsa.name = "lengths"})
    -> (tensor<5x64x32xf32> {gsa.name = "sums"}) {
  %c5 = arith.constant 5 : index
  %capacity = arith.constant 400 : index
  %db = bufferization.to_buffer %data read_only : tensor<5x400x32xf32> to memref<5x400x32xf32>
  %lb = bufferization.to_buffer %lengths read_only : tensor<5xi32> to memref<5xi32>
  %out = memref.alloc() : memref<5x64x32xf32>
  gsa_tile.launch @sums grid(%c5) args(%db, %lb, %out, %capacity)
      : memref<5x400x32xf32>, memref<5xi32>, memref<5x64x32xf32>, index
  %result = bufferization.to_tensor %out restrict writable : memref<5x64x32xf32> to tensor<5x64x32xf32>
  return %result : tensor<5x64x32xf32>
}
