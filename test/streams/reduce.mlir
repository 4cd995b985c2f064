// Rows of tiles are added to listed rows of f32 by the bulk engine: out[j] is the
// sum of all rows of `data` whose entry of `list` is j, over 3 blocks of two
// tiles each.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' | FileCheck %s

// CHECK: gsa_tile.fence_async
// CHECK-NEXT: gsa_tile.reduce_rows
// CHECK-NEXT: gsa_tile.reduce_wait

#block = #gsa_tile.team<0, 4>
!tile = !gsa_tile.smem<64x32xf32, linear>
!in = !gsa_tile.smem<64x32xf32, swizzle>
!ring = !gsa_tile.tile_ring<1 by cp_async, !gsa_tile.smem<64x32xf32, swizzle>>
!list = !gsa_tile.smem<1x128xi32, linear>
!acc = !gsa_tile.frag<16x32xf32, acc>

gsa_tile.kernel @clear(%out: !gsa_tile.global<f32, write> loc("out"),
                       %count: i64 loc("count")) attributes {warps = 8 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.for_each %i below %count {
    gsa_tile.store %zero, %out[%i] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}

gsa_tile.kernel @scatter(%data: !gsa_tile.global<f32, read> loc("data"),
                         %list: !gsa_tile.global<i32, read> loc("list"),
                         %out: !gsa_tile.global<f32, write> loc("out"),
                         %targets: index loc("targets"))
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %p32 = arith.constant 32 : i64
  %p128 = arith.constant 128 : i64
  %block = gsa_tile.block_id 0
  %entries = gsa_tile.smem_alloc : !list loc("entries")
  %first = arith.muli %block, %c128 : index loc("first")
  %list_at = gsa_tile.at %list[%first] sizes[] : !gsa_tile.global<i32, read>
  %list_row = gsa_tile.strided_rows %list_at pitch %p128 count %c1 : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
  gsa_tile.copy_rows %list_row[%c0] columns %c128 to %entries by #block vector 16 : !gsa_tile.rows<i32, strided, read>, index to !list
  %ring = gsa_tile.tile_ring : !ring loc("ring")
  %staging = gsa_tile.smem_alloc : !tile loc("staging")
  gsa_tile.copy_wait #block
  %rank = gsa_tile.warp_rank #block
  %row = arith.muli %rank, %c16 : index loc("warp_row")
  %part = gsa_tile.frag_alloc : !acc loc("part")
  %data_at = gsa_tile.at %data[%first, %c0] sizes[%c32] : !gsa_tile.global<f32, read>
  gsa_tile.stream below %c2 <loaders = 0> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !in):
    %position = arith.muli %i, %c64 : index
    %view = gsa_tile.strided_rows %data_at pitch %p32 count %c128 : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
    gsa_tile.copy_rows %view[%position] columns %c32 to %t by #block vector 16 : !gsa_tile.rows<f32, strided, read>, index to !in
  } compute {
  ^bb0(%i: index, %t: !in loc("tile")):
    %position = arith.muli %i, %c64 : index
    gsa_tile.take_frag %t[%row] to %part : !in to !acc
    gsa_tile.put_frag %part to %staging[%row] : !acc to !tile
    gsa_tile.sync #block
    %sums = gsa_tile.listed_rows %out pitch %p32 list %entries end %c128 limit %targets : !gsa_tile.global<f32, write>, !list to !gsa_tile.rows<f32, listed, accumulate>
    gsa_tile.fence_async
    gsa_tile.reduce_rows %staging columns %c32 to %sums[%position] by #block : !tile to !gsa_tile.rows<f32, listed, accumulate>
    gsa_tile.reduce_wait #block
  }
  gsa_tile.return
}

func.func @main(%data: tensor<384x32xf32> {gsa.name = "data"},
                %list: tensor<384xi32> {gsa.name = "list"})
    -> (tensor<50x32xf32> {gsa.name = "sums"}) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %targets = arith.constant 50 : index
  %count = arith.constant 1600 : i64
  %db = bufferization.to_buffer %data read_only : tensor<384x32xf32> to memref<384x32xf32>
  %lb = bufferization.to_buffer %list read_only : tensor<384xi32> to memref<384xi32>
  %out = memref.alloc() : memref<50x32xf32>
  gsa_tile.launch @clear grid(%c1) args(%out, %count) : memref<50x32xf32>, i64
  gsa_tile.launch @scatter grid(%c3) args(%db, %lb, %out, %targets)
      : memref<384x32xf32>, memref<384xi32>, memref<50x32xf32>, index
  %result = bufferization.to_tensor %out restrict writable : memref<50x32xf32> to tensor<50x32xf32>
  return %result : tensor<50x32xf32>
}
