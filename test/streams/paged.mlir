// Rows in pages of 16: out[0] is the sum of the first 200 positions of a paged
// sequence, by their place in a tile of 64; out[1] that of 100 listed positions,
// of which -1 and those from 200 on do not exist. Rows are looked up once for
// the two halves of their columns.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' | FileCheck %s

// CHECK: role <"load"
// CHECK: %[[VIEW:.*]] = gsa_tile.paged_rows
// CHECK: %[[FOUND:.*]] = gsa_tile.find_rows %[[VIEW]]
// CHECK: gsa_tile.copy_rows %[[VIEW]][%[[FOUND]]]
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]]
// CHECK: gsa_tile.listed_paged_rows

#load = #gsa_tile.team<0, 4>
#compute = #gsa_tile.team<4, 4>
#block = #gsa_tile.team<0, 8>
!tile = !gsa_tile.smem<64x16xf32, swizzle>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x16xf32, swizzle>, !gsa_tile.smem<64x16xf32, swizzle>>
!list = !gsa_tile.smem<1x100xi32, linear>
!rows = !gsa_tile.rows<f32, paged, read>
!found = !gsa_tile.found_rows<64 x 4 by <0, 4>>
!acc = !gsa_tile.frag<16x16xf32, acc>

gsa_tile.kernel @sums(%data: !gsa_tile.global<f32, read> loc("data"),
                      %table: !gsa_tile.global<i32, read> loc("table"),
                      %list: !gsa_tile.global<i32, read> loc("list"),
                      %out: !gsa_tile.global<f32, write> loc("out"))
    attributes {warps = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c20 = arith.constant 20 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c100 = arith.constant 100 : index
  %c128 = arith.constant 128 : index
  %c200 = arith.constant 200 : index
  %p32 = arith.constant 32 : i64
  %p100 = arith.constant 100 : i64
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %entries = gsa_tile.smem_alloc : !list loc("entries")
  %list_row = gsa_tile.strided_rows %list pitch %p100 count %c1 : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
  gsa_tile.copy_rows %list_row[%c0] columns %c100 to %entries by #block vector 16 : !gsa_tile.rows<i32, strided, read>, index to !list
  %ring = gsa_tile.tile_ring : !ring loc("ring")
  gsa_tile.copy_wait #block
  %rank = gsa_tile.warp_rank #compute
  %row = arith.muli %rank, %c16 : index loc("warp_row")
  %part = gsa_tile.frag_alloc : !acc loc("part")
  %left = gsa_tile.frag_alloc : !acc loc("left")
  %right = gsa_tile.frag_alloc : !acc loc("right")
  %ones = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("ones")
  gsa_tile.fill_rows %ones, %one : !gsa_tile.rowvec<16xf32>
  %half = gsa_tile.at %data[%c16] sizes[] : !gsa_tile.global<f32, read>
  %to = gsa_tile.strided_rows %out pitch %p32 count %c128 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  %half_out = gsa_tile.at %out[%c16] sizes[] : !gsa_tile.global<f32, write>
  %half_to = gsa_tile.strided_rows %half_out pitch %p32 count %c128 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>

  gsa_tile.fill %left, %zero : !acc
  gsa_tile.fill %right, %zero : !acc
  gsa_tile.stream below %c4 <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %a: !tile, %b: !tile):
    %first = arith.muli %i, %c64 : index
    %view_a = gsa_tile.paged_rows %data pitch %p32 table %table pages %c20 of 16 apart 16 step 1 limit %c200 : !gsa_tile.global<f32, read>, !gsa_tile.global<i32, read> to !rows
    %view_b = gsa_tile.paged_rows %half pitch %p32 table %table pages %c20 of 16 apart 16 step 1 limit %c200 : !gsa_tile.global<f32, read>, !gsa_tile.global<i32, read> to !rows
    %found = gsa_tile.find_rows %view_a[%first] for 64 x 4 by #load : !rows to !found
    gsa_tile.copy_rows %view_a[%found] columns %c16 to %a by #load vector 16 : !rows, !found to !tile
    gsa_tile.copy_rows %view_b[%found] columns %c16 to %b by #load vector 16 : !rows, !found to !tile
  } compute {
  ^bb0(%i: index, %a: !tile loc("a"), %b: !tile loc("b")):
    gsa_tile.take_frag %a[%row] to %part : !tile to !acc
    gsa_tile.add_scaled %left, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
    gsa_tile.take_frag %b[%row] to %part : !tile to !acc
    gsa_tile.add_scaled %right, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
  }
  gsa_tile.store_rows %left columns %c16 to %to[%row] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %right columns %c16 to %half_to[%row] : !acc to !gsa_tile.rows<f32, strided, write>

  gsa_tile.fill %left, %zero : !acc
  gsa_tile.fill %right, %zero : !acc
  gsa_tile.stream below %c2 <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %a: !tile, %b: !tile):
    %first = arith.muli %i, %c64 : index
    %view_a = gsa_tile.listed_paged_rows %data pitch %p32 table %table pages %c20 of 16 apart 16 list %entries end %c100 limit %c200 : !gsa_tile.global<f32, read>, !gsa_tile.global<i32, read>, !list to !rows
    %view_b = gsa_tile.listed_paged_rows %half pitch %p32 table %table pages %c20 of 16 apart 16 list %entries end %c100 limit %c200 : !gsa_tile.global<f32, read>, !gsa_tile.global<i32, read>, !list to !rows
    %found = gsa_tile.find_rows %view_a[%first] for 64 x 4 by #load : !rows to !found
    gsa_tile.copy_rows %view_a[%found] columns %c16 to %a by #load vector 16 : !rows, !found to !tile
    gsa_tile.copy_rows %view_b[%first] columns %c16 to %b by #load vector 16 : !rows, index to !tile
  } compute {
  ^bb0(%i: index, %a: !tile, %b: !tile):
    gsa_tile.take_frag %a[%row] to %part : !tile to !acc
    gsa_tile.add_scaled %left, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
    gsa_tile.take_frag %b[%row] to %part : !tile to !acc
    gsa_tile.add_scaled %right, %part, %ones : !acc, !gsa_tile.rowvec<16xf32>
  }
  %row_b = arith.addi %row, %c64 : index
  gsa_tile.store_rows %left columns %c16 to %to[%row_b] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %right columns %c16 to %half_to[%row_b] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

func.func @main(%data: tensor<320x32xf32> {gsa.name = "data"},
                %table: tensor<13xi32> {gsa.name = "table"},
                %list: tensor<100xi32> {gsa.name = "list"})
    -> (tensor<2x64x32xf32> {gsa.name = "sums"}) {
  %c1 = arith.constant 1 : index
  %db = bufferization.to_buffer %data read_only : tensor<320x32xf32> to memref<320x32xf32>
  %tb = bufferization.to_buffer %table read_only : tensor<13xi32> to memref<13xi32>
  %lb = bufferization.to_buffer %list read_only : tensor<100xi32> to memref<100xi32>
  %out = memref.alloc() : memref<2x64x32xf32>
  gsa_tile.launch @sums grid(%c1) args(%db, %tb, %lb, %out)
      : memref<320x32xf32>, memref<13xi32>, memref<100xi32>, memref<2x64x32xf32>
  %result = bufferization.to_tensor %out restrict writable : memref<2x64x32xf32> to tensor<2x64x32xf32>
  return %result : tensor<2x64x32xf32>
}
