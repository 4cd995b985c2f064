// What streams and their rings become: loops, buffers, slots and phases.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))' --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' -o %t
#four = #gsa_tile.team<0, 4>
#six = #gsa_tile.team<0, 6>
#load = #gsa_tile.team<0, 2>
#mma = #gsa_tile.team<2, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<16x32xbf16, swizzle>
!ring = !gsa_tile.tile_ring<3 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
!single = !gsa_tile.tile_ring<1 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
!lhs = !gsa_tile.frag<16x32xbf16, lhs>
!acc = !gsa_tile.frag<16x16xf32, acc>

// Two warps fill three stages, four read them. What needs no slot comes before
// the slot is acquired.
// REMARK: [Passed] TileRing {{.*}}Remark=loaders, bytes=3072, engine=cp_async, stages=3
// REMARK: [Passed] Pipelined {{.*}}Remark=loaders, groups=1, loaders=2, rings=1
// CHECK-LABEL: @loaders
// CHECK: %[[BUFFER:.*]] = gsa_tile.smem_alloc : <3x16x32xbf16, swizzle>
// CHECK-NEXT: %[[RING:.*]] = gsa_tile.ring_alloc producers 2 consumers 4 : <3>
// CHECK-NEXT: gsa_tile.sync <0, 6>
// CHECK-NOT: cursor
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %arg1 step
// CHECK-NEXT: gsa_tile.roles {
// CHECK-NEXT: role <"load", team = <0, 2>> {
// CHECK-NEXT: %[[VIEW:.*]] = gsa_tile.strided_rows
// CHECK-NEXT: %[[IN:.*]] = gsa_tile.ring_acquire %[[RING]][%[[I]]]
// CHECK-NEXT: %[[TO:.*]] = gsa_tile.stage %[[BUFFER]][%[[IN]]]
// CHECK-NEXT: gsa_tile.copy_rows %[[VIEW]][%[[I]]] {{.*}} to %[[TO]] by <0, 2>
// CHECK-NEXT: gsa_tile.ring_commit %[[RING]][%[[I]]] : <3>
// CHECK-NEXT: }
// CHECK-NEXT: role <"compute", team = <2, 4>> {
// CHECK-NEXT: %[[OUT:.*]] = gsa_tile.ring_wait %[[RING]][%[[I]]]
// CHECK-NEXT: %[[FROM:.*]] = gsa_tile.stage %[[BUFFER]][%[[OUT]]]
// CHECK-NEXT: gsa_tile.mma_nt %{{.*}}, %{{.*}}, %[[FROM]]
// CHECK-NEXT: gsa_tile.ring_release %[[RING]][%[[I]]]
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.return
gsa_tile.kernel @loaders(%x: !in, %n: index) attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #six
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 2> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
  }
  gsa_tile.return
}

// Without loaders there are neither ring nor roles: all warps fill, meet, read
// and meet. Steps of the stream go.
// REMARK: [Passed] TileRing {{.*}}Remark=no_loaders, bytes=1024, engine=cp_async, stages=1
// REMARK: [Passed] Pipelined {{.*}}Remark=no_loaders, groups=1, loaders=0, rings=1
// CHECK-LABEL: @no_loaders
// CHECK-NOT: ring
// CHECK: %[[BUFFER:.*]] = gsa_tile.smem_alloc : <16x32xbf16, swizzle>
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %arg1 step
// CHECK-NEXT: gsa_tile.strided_rows
// CHECK-NEXT: gsa_tile.copy_rows %{{.*}}[%[[I]]] {{.*}} to %[[BUFFER]] by <0, 4>
// CHECK-NEXT: gsa_tile.copy_wait <0, 4>
// CHECK-NEXT: gsa_tile.mma_nt %{{.*}}, %{{.*}}, %[[BUFFER]]
// CHECK-NEXT: gsa_tile.sync <0, 4>
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.return
gsa_tile.kernel @no_loaders(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !single
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 0> rings(%ring : !single) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #four vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.await %t : !tile
    gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    gsa_tile.release %t : !tile
  }
  gsa_tile.return
}

// Two rings, of 2 and 3 stages; the second is waited for late and given up
// early. Where a ring says nothing, its tiles are held throughout.
// REMARK: [Passed] Pipelined {{.*}}Remark=two_rings, groups=1, loaders=2, rings=2
// CHECK-LABEL: @two_rings
// CHECK: %[[KEYS:.*]] = gsa_tile.smem_alloc : <2x16x32xbf16, swizzle>
// CHECK-NEXT: %[[A:.*]] = gsa_tile.ring_alloc producers 2 consumers 4 : <2>
// CHECK-NEXT: %[[VALUES:.*]] = gsa_tile.smem_alloc : <3x16x32xbf16, swizzle>
// CHECK-NEXT: %[[B:.*]] = gsa_tile.ring_alloc producers 2 consumers 4 : <3>
// CHECK: role <"load"
// CHECK: gsa_tile.ring_acquire %[[A]]
// CHECK: gsa_tile.copy_rows
// CHECK-NEXT: gsa_tile.ring_commit %[[A]]
// CHECK: gsa_tile.ring_acquire %[[B]]
// CHECK: gsa_tile.copy_rows
// CHECK-NEXT: gsa_tile.ring_commit %[[B]]
// CHECK: role <"compute"
// CHECK-NEXT: %[[OUT:.*]] = gsa_tile.ring_wait %[[A]]
// CHECK-NEXT: gsa_tile.stage %[[KEYS]][%[[OUT]]]
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK-NEXT: %[[LATE:.*]] = gsa_tile.ring_wait %[[B]]
// CHECK-NEXT: %[[FROM:.*]] = gsa_tile.stage %[[VALUES]][%[[LATE]]]
// CHECK-NEXT: gsa_tile.load_lhs %[[FROM]]
// CHECK-NEXT: gsa_tile.ring_release %[[B]]
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.ring_release %[[A]]
gsa_tile.kernel @two_rings(%x: !in, %n: index) attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %a = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
  %b = gsa_tile.tile_ring : !ring
  gsa_tile.sync #six
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 2> rings(%a, %b : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>, !ring) load {
  ^bb0(%i: index, %k: !tile, %v: !tile):
    %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %rows[%i] columns %c32 to %k by #load vector 16 : !view, index to !tile
    gsa_tile.copy_rows %rows[%i] columns %c32 to %v by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %k: !tile, %v: !tile):
    gsa_tile.mma_nt %acc, %lhs, %k[%c0] : !acc, !lhs, !tile
    gsa_tile.await %v : !tile
    gsa_tile.load_lhs %v[%c0] to %lhs : !tile to !lhs
    gsa_tile.release %v : !tile
    gsa_tile.mma_nt %acc, %lhs, %k[%c0] : !acc, !lhs, !tile
  }
  gsa_tile.return
}

// The tiles of one ring have one slot. Ordinary stores have landed when the warp
// commits, so that the commit waits for nothing more.
// REMARK: [Passed] TileRing {{.*}}Remark=stores, bytes=4096, engine=stores, stages=2
// CHECK-LABEL: @stores
// CHECK: %[[SLOT:.*]] = gsa_tile.ring_acquire
// CHECK-NEXT: gsa_tile.stage %{{.*}}[%[[SLOT]]]
// CHECK-NEXT: gsa_tile.stage %{{.*}}[%[[SLOT]]]
// CHECK-NEXT: gsa_tile.copy_rows
// CHECK-NEXT: gsa_tile.copy_rows
// CHECK-NEXT: gsa_tile.ring_commit {{.*}} {asynchronous = false}
gsa_tile.kernel @stores(%x: !in, %n: index) attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 33 : i64
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by stores, !gsa_tile.smem<16x32xbf16, swizzle>, !gsa_tile.smem<16x32xbf16, swizzle>>
  gsa_tile.sync #six
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 2> rings(%ring : !gsa_tile.tile_ring<2 by stores, !gsa_tile.smem<16x32xbf16, swizzle>, !gsa_tile.smem<16x32xbf16, swizzle>>) load {
  ^bb0(%i: index, %t: !tile, %u: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #load vector 2 : !view, index to !tile
    gsa_tile.copy_rows %v[%i] columns %c32 to %u by #load vector 2 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile, %u: !tile):
    gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
    gsa_tile.mma_nt %acc, %lhs, %u[%c0] : !acc, !lhs, !tile
  }
  gsa_tile.return
}

// The bytes of bulk copies arrive at the ring's barrier. Boxes of tensor maps are
// in pipeline-tma.mlir.
// REMARK: [Passed] TileRing {{.*}}Remark=bulk, bytes=2048, engine=bulk, stages=2
// CHECK-LABEL: @bulk
// CHECK: scf.for %[[I:.*]] =
// CHECK: gsa_tile.bulk_rows {{.*}} by <0, 2> arrives %[[RING:.*]][%[[I]]] of !gsa_tile.ring<2>
// CHECK: gsa_tile.bulk_rows {{.*}} by <0, 2> arrives %[[RING]][%[[I]]] of !gsa_tile.ring<2>
// CHECK-NEXT: gsa_tile.ring_commit %[[RING]][%[[I]]] {asynchronous = false}
gsa_tile.kernel @bulk(%x: !in, %n: index) attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<16x16xbf16, linear>, !gsa_tile.smem<16x16xbf16, linear>>
  gsa_tile.sync #six
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
  gsa_tile.stream below %n <loaders = 2> rings(%ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<16x16xbf16, linear>, !gsa_tile.smem<16x16xbf16, linear>>) load {
  ^bb0(%i: index, %t: !gsa_tile.smem<16x16xbf16, linear>, %u: !gsa_tile.smem<16x16xbf16, linear>):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.bulk_rows %v[%i] columns %c16 to %t by #load : !view to !gsa_tile.smem<16x16xbf16, linear>
    gsa_tile.bulk_rows %v[%i] columns %c16 to %u by #load : !view to !gsa_tile.smem<16x16xbf16, linear>
  } compute {
  ^bb0(%i: index, %t: !gsa_tile.smem<16x16xbf16, linear>, %u: !gsa_tile.smem<16x16xbf16, linear>):
    gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, linear> to !gsa_tile.frag<16x16xbf16, lhs>
    gsa_tile.load_lhs %u[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, linear> to !gsa_tile.frag<16x16xbf16, lhs>
  }
  gsa_tile.return
}

// Two groups that take turns, with the barriers that the stream names: the first
// turn is given before the loop, the last one is taken back behind it.
// REMARK: [Passed] Pipelined {{.*}}Remark=turns, groups=2, loaders=4, rings=1
// CHECK-LABEL: @turns
// CHECK: gsa_tile.turn_start <4, 8> groups 2 barrier 3
// CHECK: scf.for
// CHECK: role <"compute", team = <4, 8>> {
// CHECK: gsa_tile.turn_wait <4, 8> groups 2 barrier 3
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.turn_pass <4, 8> groups 2 barrier 3
// CHECK: gsa_tile.ring_release
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.turn_end <4, 8> groups 2 barrier 3
gsa_tile.kernel @turns(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #gsa_tile.team<0, 12>
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #four vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.turn_wait #gsa_tile.team<4, 8> groups 2 barrier 3
    gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    gsa_tile.turn_pass #gsa_tile.team<4, 8> groups 2 barrier 3
  }
  gsa_tile.return
}

// In a loop the ring's phases go on: iterations count from a cursor, which both
// sides advance.
// CHECK-LABEL: @in_a_loop
// CHECK: %[[RING:.*]] = gsa_tile.ring_alloc
// CHECK-NEXT: %[[CURSOR:.*]] = gsa_tile.cursor_alloc
// CHECK: scf.for
// CHECK: %[[BASE:.*]] = gsa_tile.cursor_get %[[CURSOR]]
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %arg1 step
// CHECK-NEXT: %[[AT:.*]] = arith.addi %[[BASE]], %[[I]]
// CHECK: gsa_tile.ring_acquire %[[RING]][%[[AT]]]
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[I]]]
// CHECK: gsa_tile.ring_commit %[[RING]][%[[AT]]]
// CHECK: gsa_tile.ring_wait %[[RING]][%[[AT]]]
// CHECK: gsa_tile.ring_release %[[RING]][%[[AT]]]
// CHECK: gsa_tile.roles {
// CHECK-NEXT: role <"load", team = <0, 2>> {
// CHECK-NEXT: gsa_tile.cursor_advance %[[CURSOR]], %arg1
// CHECK-NEXT: }
// CHECK-NEXT: role <"compute", team = <2, 4>> {
// CHECK-NEXT: gsa_tile.cursor_advance %[[CURSOR]], %arg1
gsa_tile.kernel @in_a_loop(%x: !in, %n: index, %rounds: index)
    attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #six
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  scf.for %round = %c0 to %rounds step %c1 {
    gsa_tile.stream below %n <loaders = 2> rings(%ring : !ring) load {
    ^bb0(%i: index, %t: !tile):
      %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
      gsa_tile.copy_rows %v[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
    } compute {
    ^bb0(%i: index, %t: !tile):
      gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// Two streams of one ring: the second begins where the first one ended. The
// ring is made once.
// REMARK: [Passed] TileRing {{.*}}Remark=two_streams
// REMARK-NOT: TileRing
// REMARK: [Passed] Pipelined {{.*}}Remark=two_streams
// REMARK: [Passed] Pipelined {{.*}}Remark=two_streams
// CHECK-LABEL: @two_streams
// CHECK: gsa_tile.ring_alloc
// CHECK-NEXT: %[[CURSOR:.*]] = gsa_tile.cursor_alloc
// CHECK-NOT: alloc producers
// CHECK: %[[FIRST:.*]] = gsa_tile.cursor_get %[[CURSOR]]
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %arg1 step
// CHECK-NEXT: arith.addi %[[FIRST]], %[[I]]
// CHECK-COUNT-2: gsa_tile.cursor_advance %[[CURSOR]], %arg1
// CHECK: %[[SECOND:.*]] = gsa_tile.cursor_get %[[CURSOR]]
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %arg2 step
// CHECK-NEXT: arith.addi %[[SECOND]], %[[J]]
// CHECK-COUNT-2: gsa_tile.cursor_advance %[[CURSOR]], %arg2
gsa_tile.kernel @two_streams(%x: !in, %n: index, %m: index)
    attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #six
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 2> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
  }
  gsa_tile.stream below %m <loaders = 2> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %m : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
  }
  gsa_tile.return
}

// A ring that no stream names is gone; a kernel without streams stays as it is.
// CHECK-LABEL: @unused
// CHECK-NEXT: gsa_tile.return
gsa_tile.kernel @unused() attributes {warps = 6 : i64} {
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.return
}
