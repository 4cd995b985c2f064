// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s

// Views of rows, and the ops that take them, survive a round trip.

#all = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!table = !gsa_tile.global<i32, read>
!list = !gsa_tile.smem<1x128xi32, linear>
!tile = !gsa_tile.smem<64x64xbf16, swizzle>
!plain = !gsa_tile.smem<64x64xbf16, linear>
!sums = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
!vec = !gsa_tile.rowvec<16xf32>

// CHECK-LABEL: gsa_tile.kernel @views
gsa_tile.kernel @views(%x: !in, %table: !table, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %outer = arith.constant 512 : i64
  %list = gsa_tile.smem_alloc : !list
  %tile = gsa_tile.smem_alloc : !tile
  // CHECK: gsa_tile.strided_rows %arg0 pitch %{{.*}} count %arg2 : <bf16, read> to <bf16, strided, read>
  %a = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.two_level_rows %arg0 pitch %{{.*}}, %{{.*}} per 8 count %arg2 : <bf16, read> to <bf16, two_level, read>
  %b = gsa_tile.two_level_rows %x pitch %outer, %pitch per 8 count %n : !in to !gsa_tile.rows<bf16, two_level, read>
  // CHECK: gsa_tile.interleaved_rows %arg0 pitch %{{.*}}, %{{.*}} count %arg2 : <bf16, read> to <bf16, interleaved, read>
  %turns = gsa_tile.interleaved_rows %x pitch %outer, %pitch count %n : !in to !gsa_tile.rows<bf16, interleaved, read>
  gsa_tile.copy_rows %turns[%c0] columns %c64 to %tile by #all vector 16 : !gsa_tile.rows<bf16, interleaved, read>, index to !tile
  // CHECK: gsa_tile.listed_rows %arg0 pitch %{{.*}} list %{{.*}} end %arg2 limit %arg2 : <bf16, read>, !gsa_tile.smem<1x128xi32, linear> to <bf16, listed, read>
  %c = gsa_tile.listed_rows %x pitch %pitch list %list end %n limit %n : !in, !list to !gsa_tile.rows<bf16, listed, read>
  // CHECK: gsa_tile.paged_rows %arg0 pitch %{{.*}} table %arg1 pages %arg2 of 16 apart 16 step 1 limit %arg2 : <bf16, read>, <i32, read> to <bf16, paged, read>
  %d = gsa_tile.paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 step 1 limit %n : !in, !table to !gsa_tile.rows<bf16, paged, read>
  // CHECK: gsa_tile.listed_paged_rows %arg0 pitch %{{.*}} table %arg1 pages %arg2 of 16 apart 16 list %{{.*}} end %arg2 limit %arg2 : <bf16, read>, <i32, read>, !gsa_tile.smem<1x128xi32, linear> to <bf16, paged, read>
  %e = gsa_tile.listed_paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 list %list end %n limit %n : !in, !table, !list to !gsa_tile.rows<bf16, paged, read>
  // CHECK: gsa_tile.copy_rows %{{.*}}[%{{.*}}] columns %{{.*}} to %{{.*}} by <0, 4> vector 16 : <bf16, strided, read>, index to <64x64xbf16, swizzle>
  gsa_tile.copy_rows %a[%c0] columns %c64 to %tile by #all vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !tile
  gsa_tile.copy_rows %b[%c0] columns %c64 to %tile by #all vector 16 : !gsa_tile.rows<bf16, two_level, read>, index to !tile
  gsa_tile.copy_rows %c[%c0] columns %c64 to %tile by #all vector 16 : !gsa_tile.rows<bf16, listed, read>, index to !tile
  gsa_tile.copy_rows %d[%c0] columns %c64 to %tile by #all vector 16 : !gsa_tile.rows<bf16, paged, read>, index to !tile
  // CHECK: %[[FOUND:.*]] = gsa_tile.find_rows %{{.*}}[%{{.*}}] for 64 x 8 by <0, 4> : <bf16, paged, read> to <64 x 8 by <0, 4>>
  %found = gsa_tile.find_rows %e[%c0] for 64 x 8 by #all : !gsa_tile.rows<bf16, paged, read> to !gsa_tile.found_rows<64 x 8 by <0, 4>>
  // CHECK: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]] columns %{{.*}} : <bf16, paged, read>, !gsa_tile.found_rows<64 x 8 by <0, 4>> to <64x64xbf16, swizzle>
  gsa_tile.copy_rows %e[%found] columns %c64 to %tile by #all vector 16 : !gsa_tile.rows<bf16, paged, read>, !gsa_tile.found_rows<64 x 8 by <0, 4>> to !tile
  gsa_tile.return
}

// CHECK-LABEL: gsa_tile.kernel @uses
gsa_tile.kernel @uses(%x: !in, %y: !gsa_tile.global<bf16, write>,
                      %s: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %ring = gsa_tile.ring_alloc producers 4 consumers 4 : !gsa_tile.ring<1>
  %plain = gsa_tile.smem_alloc : !plain
  %part = gsa_tile.smem_alloc : !sums
  %words = gsa_tile.smem_alloc : !list
  %acc = gsa_tile.frag_alloc : !acc
  %vec = gsa_tile.rowvec_alloc : !vec
  %from = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !gsa_tile.rows<bf16, strided, read>
  // A view to read may be of an array that may be written.
  %own = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.strided_rows {{.*}} : <bf16, write> to <bf16, strided, write>
  %to = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write>
  // CHECK: gsa_tile.strided_rows {{.*}} : <f32, write> to <f32, strided, accumulate>
  %sums = gsa_tile.strided_rows %s pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  %lse = gsa_tile.strided_rows %s pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // Without a ring: stream.mlir.
  // CHECK: gsa_tile.bulk_rows %{{.*}}[%{{.*}}] columns %{{.*}} to %{{.*}} by <0, 4> arrives %{{.*}}[%{{.*}}] of !gsa_tile.ring<1> : <bf16, strided, read> to <64x64xbf16, linear>
  gsa_tile.bulk_rows %own[%c0] columns %c64 to %plain by #all arrives %ring[%c0] of !gsa_tile.ring<1> : !gsa_tile.rows<bf16, strided, read> to !plain
  // CHECK: gsa_tile.mask_rows %{{.*}}, %{{.*}}[%{{.*}}] : <16x64xf32, acc>, <bf16, strided, read>
  gsa_tile.mask_rows %acc, %from[%c0] : !acc, !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.mask_words %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] row %{{.*}} {rows_per_bit = 4 : i64} : <16x64xf32, acc>, <1x128xi32, linear>
  gsa_tile.mask_words %acc, %words[%c0, %c0] row %c0 {rows_per_bit = 4 : i64} : !acc, !list
  // CHECK: gsa_tile.gate_rows %{{.*}}, %{{.*}}[%{{.*}}] columns %{{.*}} <tanh> : <16x64xf32, acc>, <bf16, strided, read>
  gsa_tile.gate_rows %acc, %from[%c0] columns %c64 <tanh> : !acc, !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.gate_rows {{.*}} <silu> {per_row = true}
  gsa_tile.gate_rows %acc, %from[%c0] columns %c64 <silu> {per_row = true} : !acc, !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.gate_rows {{.*}} <silu> {pairs = true}
  gsa_tile.gate_rows %acc, %from[%c0] columns %c64 <silu> {pairs = true} : !acc, !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.prefetch_rows %{{.*}}[%{{.*}}] columns %{{.*}} rows 64 by <0, 4> : <bf16, strided, read>
  gsa_tile.prefetch_rows %from[%c0] columns %c64 rows 64 by <0, 4> : !gsa_tile.rows<bf16, strided, read>
  // CHECK: gsa_tile.load_rowvec %{{.*}}[%{{.*}}] to %{{.*}} : <bf16, strided, read> to <16xf32>
  gsa_tile.load_rowvec %from[%c0] to %vec : !gsa_tile.rows<bf16, strided, read> to !vec
  // CHECK: gsa_tile.store_rows %{{.*}} columns %{{.*}} to %{{.*}}[%{{.*}}] : <16x64xf32, acc> to <bf16, strided, write>
  gsa_tile.store_rows %acc columns %c64 to %to[%c0] : !acc to !gsa_tile.rows<bf16, strided, write>
  // CHECK: gsa_tile.load_lhs_transposed %{{.*}}[%{{.*}}, %{{.*}}] to %{{.*}} : <64x64xbf16, linear> to <16x64xbf16, lhs>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  gsa_tile.load_lhs_transposed %plain[%c0, %c0] to %lhs : !plain to !gsa_tile.frag<16x64xbf16, lhs>
  // CHECK: gsa_tile.accumulate_rows %{{.*}} columns %{{.*}} to %{{.*}}[%{{.*}}] : <16x64xf32, acc> to <f32, strided, accumulate>
  gsa_tile.accumulate_rows %acc columns %c64 to %sums[%c0] : !acc to !gsa_tile.rows<f32, strided, accumulate>
  // CHECK: gsa_tile.gate_tile %{{.*}}[%{{.*}}] rows %{{.*}} by %{{.*}} <silu> : <64x64xf32, linear> by <64x64xbf16, linear>
  gsa_tile.gate_tile %part[%c0] rows %n by %plain <silu> : !sums by !plain
  // CHECK: gsa_tile.store_tile %{{.*}}[%{{.*}}] rows %{{.*}} columns %{{.*}} to %{{.*}}[%{{.*}}] vector 8 : <64x64xf32, linear> to <bf16, strided, write>
  gsa_tile.store_tile %part[%c0] rows %n columns %c64 to %to[%c0] vector 8 : !sums to !gsa_tile.rows<bf16, strided, write>
  // CHECK: gsa_tile.put_frag %{{.*}} to %{{.*}}[%{{.*}}] {rows = 8 : i64} : <16x64xf32, acc> to <64x64xf32, linear>
  gsa_tile.put_frag %acc to %part[%c0] {rows = 8 : i64} : !acc to !sums
  // CHECK: gsa_tile.take_frag %{{.*}}[%{{.*}}] to %{{.*}} {rows = 8 : i64} : <64x64xf32, linear> to <16x64xf32, acc>
  gsa_tile.take_frag %part[%c0] to %acc {rows = 8 : i64} : !sums to !acc
  // CHECK: gsa_tile.store_rowvec %{{.*}} to %{{.*}}[%{{.*}}] : <16xf32> to <f32, strided, write>
  gsa_tile.store_rowvec %vec to %lse[%c0] : !vec to !gsa_tile.rows<f32, strided, write>
  // CHECK: gsa_tile.reduce_rows %{{.*}} columns %{{.*}} to %{{.*}}[%{{.*}}] by <0, 4> : <64x64xf32, linear> to <f32, strided, accumulate>
  gsa_tile.reduce_rows %part columns %c64 to %sums[%c0] by <0, 4> : !sums to !gsa_tile.rows<f32, strided, accumulate>
  // CHECK: gsa_tile.reduce_wait <0, 4>
  gsa_tile.reduce_wait <0, 4>
  // CHECK: gsa_tile.reduce_wait <0, 4> barrier 3
  gsa_tile.reduce_wait <0, 4> barrier 3
  // CHECK: %[[OWN:.*]] = gsa_tile.part_of %{{.*}}[%arg3] : <4x16x64xf32, linear>
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<4x16x64xf32, linear>
  %one = gsa_tile.part_of %buffer[%n] : !gsa_tile.smem<4x16x64xf32, linear>
  // CHECK-NEXT: gsa_tile.reduce_tile %[[OWN]][%{{.*}}] columns %{{.*}} to %{{.*}}[%arg3] : <16x64xf32, linear> to <f32, strided, accumulate>
  gsa_tile.reduce_tile %one[%c0] columns %c64 to %sums[%n] : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  // CHECK-NEXT: gsa_tile.reduce_tile_wait
  gsa_tile.reduce_tile_wait
  // CHECK-NEXT: gsa_tile.any_not_finite %{{.*}} by <0, 4> : <64x64xf32, linear>
  %odd = gsa_tile.any_not_finite %part by #all : !sums
  // CHECK-NEXT: gsa_tile.drop_rows %[[OWN]][%{{.*}}] by %{{.*}} : <16x64xf32, linear> by <16xf32>
  gsa_tile.drop_rows %one[%c0] by %vec : !gsa_tile.smem<16x64xf32, linear> by !vec
  gsa_tile.return
}
