// A stream with a part that is one tile behind: the first tile without it
// before the loop, that of the last tile behind the loop, and cursors, because
// rings are gone through in three places.

// RUN: gsa-opt %s --verify-roundtrip -o %t
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))' --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' -o %t

#load = #gsa_tile.team<0, 2>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<16x32xbf16, swizzle>
!ring = !gsa_tile.tile_ring<3 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
!pair = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
!lhs = !gsa_tile.frag<16x32xbf16, lhs>
!acc = !gsa_tile.frag<16x16xf32, acc>

// CHECK-LABEL: @lagged
// CHECK: %[[KEYS:.*]] = gsa_tile.smem_alloc : <3x16x32xbf16, swizzle>
// CHECK-NEXT: %[[RING:.*]] = gsa_tile.ring_alloc producers 2 consumers 4 : <3>
// CHECK-NEXT: gsa_tile.cursor_alloc
// CHECK: %[[PAIR:.*]] = gsa_tile.ring_alloc producers 2 consumers 4 : <2>
// CHECK-NEXT: gsa_tile.cursor_alloc
// CHECK: %[[FIRST:.*]] = gsa_tile.cursor_get
// CHECK-NEXT: %[[OTHER:.*]] = gsa_tile.cursor_get
// CHECK: %[[ANY:.*]] = arith.cmpi sgt, %arg2, %c0

// The first tile alone.
// CHECK: scf.if %[[ANY]] {
// CHECK: %[[AT:.*]] = arith.addi %[[FIRST]], %c0
// CHECK: gsa_tile.ring_acquire %[[RING]][%[[AT]]]
// CHECK: gsa_tile.ring_commit %[[RING]][%[[AT]]]
// CHECK-NOT: gsa_tile.ring_acquire %[[PAIR]][
// CHECK-NOT: gsa_tile.mma_nt
// CHECK: gsa_tile.load_lhs

// Tile i and what is of tile i - 1, in the order of the text.
// CHECK: scf.for %[[I:.*]] = %c1{{.*}} to %arg2
// CHECK-NEXT: %[[BEFORE:.*]] = arith.subi %[[I]], %c1
// CHECK-NEXT: %[[AT:.*]] = arith.addi %[[FIRST]], %[[I]]
// CHECK-NEXT: %[[LAG:.*]] = arith.addi %[[OTHER]], %[[BEFORE]]
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[I]]]
// CHECK-NEXT: gsa_tile.ring_commit %[[RING]][%[[AT]]]
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[BEFORE]]]
// CHECK-NEXT: gsa_tile.ring_commit %[[PAIR]][%[[LAG]]]
// CHECK: role <"compute"
// CHECK: gsa_tile.ring_wait %[[RING]][%[[AT]]]
// CHECK: gsa_tile.ring_wait %[[PAIR]][%[[LAG]]]
// CHECK: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.ring_release %[[PAIR]][%[[LAG]]]
// CHECK-NEXT: gsa_tile.load_lhs
// CHECK-NEXT: gsa_tile.ring_release %[[RING]][%[[AT]]]

// What is of the last tile.
// CHECK: %[[LAST:.*]] = arith.subi %arg2, %c1
// CHECK-NEXT: scf.if %[[ANY]] {
// CHECK-NEXT: %[[LAG:.*]] = arith.addi %[[OTHER]], %[[LAST]]
// CHECK-NOT: gsa_tile.ring_acquire %[[RING]][
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[LAST]]]
// CHECK-NEXT: gsa_tile.ring_commit %[[PAIR]][%[[LAG]]]
// CHECK: gsa_tile.ring_wait %[[PAIR]][%[[LAG]]]
// CHECK: gsa_tile.mma_nt
// CHECK-NOT: gsa_tile.load_lhs
// CHECK-COUNT-4: gsa_tile.cursor_advance
gsa_tile.kernel @lagged(%k: !in, %v: !in, %n: index) attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !pair
  gsa_tile.sync <0, 6>
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 2> rings(%keys, %values : !ring, !pair) load {
  ^bb0(%i: index, %a: !tile, %b: !tile):
    %x = gsa_tile.strided_rows %k pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %x[%i] columns %c32 to %a by #load vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%before: index):
      %y = gsa_tile.strided_rows %v pitch %pitch count %n : !in to !view
      gsa_tile.copy_rows %y[%before] columns %c32 to %b by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %a: !tile, %b: !tile):
    gsa_tile.await %a : !tile
    gsa_tile.lagged {
    ^bb0(%before: index):
      gsa_tile.await %b : !tile
      gsa_tile.mma_nt %acc, %lhs, %b[%c0] : !acc, !lhs, !tile
      gsa_tile.release %b : !tile
    }
    gsa_tile.load_lhs %a[%c0] to %lhs : !tile to !lhs
  }
  gsa_tile.return
}
