// Roles of loops become roles of the kernel: each gets of its code what its
// warps run.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles))' --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-assign-roles))' | FileCheck %s

#all = #gsa_tile.team<0, 7>
#load = #gsa_tile.team<0, 5>
#mma = #gsa_tile.team<5, 2>
!in = !gsa_tile.global<bf16, read>
!out = !gsa_tile.global<f32, write>
!view = !gsa_tile.rows<bf16, strided, read>
!to = !gsa_tile.rows<f32, strided, write>
!tile = !gsa_tile.smem<16x32xbf16, swizzle>
!ring = !gsa_tile.tile_ring<3 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
!lhs = !gsa_tile.frag<16x32xbf16, lhs>
!acc = !gsa_tile.frag<16x16xf32, acc>

// What all seven warps do stays with them, up to the first op that some do. The
// number of a warp within one role goes with that role, and so does what is
// computed from it; what only reads goes to whoever needs it; tiles stay with
// all. What touches registers, and what has effects and no team, is of the last
// role.
// REMARK: [Passed] Role {{.*}}Remark="sum, load", first_warp=0, warps=5
// REMARK: [Passed] Role {{.*}}Remark="sum, compute", first_warp=5, warps=2
// CHECK-LABEL: @sum
// CHECK-SAME: warps = 7
// CHECK: gsa_tile.load %
// CHECK: gsa_tile.copy_rows {{.*}} by <0, 7>
// CHECK: gsa_tile.copy_wait <0, 7>
// CHECK-NOT: warp_rank
// CHECK: gsa_tile.smem_alloc : <16x16xf32, linear>
// CHECK-NEXT: gsa_tile.roles {
// CHECK-NEXT: role <"load", team = <0, 5>> {
// CHECK-NOT: frag
// CHECK-NOT: warp_rank
// CHECK: scf.for
// CHECK-NEXT: arith.muli
// CHECK-NEXT: gsa_tile.at
// CHECK-NEXT: gsa_tile.strided_rows
// CHECK-NEXT: gsa_tile.ring_acquire
// CHECK-NEXT: gsa_tile.stage
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} by <0, 5>
// CHECK-NEXT: gsa_tile.ring_commit
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: role <"compute", team = <5, 2>> {
// CHECK: %[[RANK:.*]] = gsa_tile.warp_rank <5, 2>
// CHECK-NEXT: %[[ROW:.*]] = arith.muli %[[RANK]]
// CHECK: gsa_tile.frag_alloc
// CHECK: gsa_tile.load_lhs %{{.*}}[%[[ROW]]]
// CHECK: scf.for
// CHECK-NEXT: gsa_tile.ring_wait
// CHECK-NEXT: gsa_tile.stage
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.ring_release
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.put_frag
// CHECK-NEXT: gsa_tile.sync <5, 2> barrier 1
// CHECK: gsa_tile.store_rows
// CHECK-NEXT: gsa_tile.store %
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: gsa_tile.return
gsa_tile.kernel @sum(%x: !in, %y: !out, %sizes: !gsa_tile.global<i32, read>)
    attributes {warps = 7 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %word = gsa_tile.load %sizes[%c0] : !gsa_tile.global<i32, read>, index
  %n = arith.index_cast %word : i32 to index
  %first = gsa_tile.smem_alloc : !tile
  %ring = gsa_tile.tile_ring : !ring
  %rank = gsa_tile.warp_rank #mma
  %row = arith.muli %rank, %c16 : index
  %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.copy_rows %rows[%c0] columns %c32 to %first by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.load_lhs %first[%row] to %lhs : !tile to !lhs
  gsa_tile.stream below %n <loaders = 5> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %begin = arith.muli %i, %c16 : index
    %from = gsa_tile.at %x[%begin, %c0] sizes [%c32] : !in
    %v = gsa_tile.strided_rows %from pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%c0] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
  }
  %parts = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xf32, linear>
  gsa_tile.put_frag %acc to %parts[%c0] : !acc to !gsa_tile.smem<16x16xf32, linear>
  gsa_tile.sync #mma barrier 1
  %to = gsa_tile.strided_rows %y pitch %pitch count %c16 : !out to !to
  gsa_tile.store_rows %acc columns %c16 to %to[%row] : !acc to !to
  gsa_tile.store %zero, %y[%c0] : !out, index
  gsa_tile.return
}

// In a loop with work of all warps: each role has the loop, and the barriers of
// all in it. Cursors are made before the roles, also where the ring is made late.
// CHECK-LABEL: @in_a_loop
// CHECK: gsa_tile.ring_alloc
// CHECK-NEXT: %[[CURSOR:.*]] = gsa_tile.cursor_alloc
// CHECK-NEXT: gsa_tile.roles {
// CHECK-NEXT: role <"load", team = <0, 5>> {
// CHECK-NOT: fill
// CHECK: gsa_tile.sync <0, 7>
// CHECK: scf.for
// CHECK-NEXT: gsa_tile.sync <0, 7>
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} by <0, 7>
// CHECK-NEXT: gsa_tile.copy_wait <0, 7>
// CHECK: gsa_tile.cursor_get %[[CURSOR]]
// CHECK: scf.for
// CHECK: gsa_tile.ring_commit
// CHECK: gsa_tile.cursor_advance %[[CURSOR]]
// CHECK: role <"compute", team = <5, 2>> {
// CHECK: gsa_tile.fill
// CHECK: gsa_tile.sync <0, 7>
// CHECK: scf.for
// CHECK-NEXT: gsa_tile.sync <0, 7>
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} by <0, 7>
// CHECK-NEXT: gsa_tile.copy_wait <0, 7>
// CHECK: gsa_tile.cursor_get %[[CURSOR]]
// CHECK: scf.for
// CHECK: gsa_tile.ring_release
// CHECK: gsa_tile.cursor_advance %[[CURSOR]]
gsa_tile.kernel @in_a_loop(%x: !in, %n: index) attributes {warps = 7 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %shared = gsa_tile.smem_alloc : !tile
  %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.fill %acc, %zero : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #all
  scf.for %round = %c0 to %n step %c1 {
    gsa_tile.sync #all
    gsa_tile.copy_rows %rows[%round] columns %c32 to %shared by #all vector 16 : !view, index to !tile
    gsa_tile.copy_wait #all
    gsa_tile.stream below %n <loaders = 5> rings(%ring : !ring) load {
    ^bb0(%i: index, %t: !tile):
      gsa_tile.copy_rows %rows[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
    } compute {
    ^bb0(%i: index, %t: !tile):
      gsa_tile.load_lhs %shared[%c0] to %lhs : !tile to !lhs
      gsa_tile.mma_nt %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// A branch goes to the role whose ops it holds; what it gives to other warps
// would have to be the same there.
// CHECK-LABEL: @branch
// CHECK: gsa_tile.roles {
// CHECK: role <"load", team = <0, 5>> {
// CHECK-NOT: scf.if
// CHECK: role <"compute", team = <5, 2>> {
// CHECK: scf.if
// CHECK: scf.if
// CHECK-NEXT: gsa_tile.fill
gsa_tile.kernel @branch(%x: !in, %n: index) attributes {warps = 7 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #all
  %rank = gsa_tile.warp_rank #mma
  %some = arith.cmpi eq, %n, %c0 : index
  %row = scf.if %some -> index {
    scf.yield %rank : index
  } else {
    scf.yield %c0 : index
  }
  %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  scf.if %some {
    gsa_tile.fill %acc, %zero : !acc
  }
  gsa_tile.stream below %n <loaders = 5> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.copy_rows %rows[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.load_lhs %t[%row] to %lhs : !tile to !lhs
  }
  gsa_tile.return
}

// A loop over elements is spread over the lanes of all warps: all roles run it.
// CHECK-LABEL: @elements
// CHECK: gsa_tile.for_each
// CHECK: gsa_tile.roles {
// CHECK: role <"load", team = <0, 5>> {
// CHECK: gsa_tile.ring_commit
// CHECK: gsa_tile.for_each
// CHECK: role <"compute", team = <5, 2>> {
// CHECK: gsa_tile.ring_release
// CHECK: gsa_tile.for_each
gsa_tile.kernel @elements(%x: !in, %y: !out, %n: index, %size: i64)
    attributes {warps = 7 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  gsa_tile.for_each %e below %size {
    gsa_tile.store %zero, %y[%e] : !out, i64
  }
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #all
  %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 5> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.copy_rows %rows[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
  }
  gsa_tile.for_each %e below %size {
    gsa_tile.store %zero, %y[%e] : !out, i64
  }
  gsa_tile.return
}

// Without roles in loops nothing is changed.
// CHECK-LABEL: @plain
// CHECK: gsa_tile.frag_alloc
// CHECK-NEXT: gsa_tile.fill
// CHECK-NEXT: gsa_tile.return
// REMARK-NOT: plain
gsa_tile.kernel @plain() attributes {warps = 7 : i64} {
  %zero = arith.constant 0.0 : f32
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.return
}
