// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --emit-bytecode | gsa-opt | FileCheck %s

// Streams, their rings, and what gsa-tile-pipeline makes of them, survive a
// round trip.

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle>
!words = !gsa_tile.smem<1x64xi32, linear>
!keys = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, swizzle>>
!both = !gsa_tile.tile_ring<3 by bulk, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

// CHECK-LABEL: gsa_tile.kernel @turns
gsa_tile.kernel @turns(%x: !in, %w: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  // CHECK: %[[KEYS:.*]] = gsa_tile.tile_ring : <2 by cp_async, !gsa_tile.smem<64x64xbf16, swizzle>>
  %keys = gsa_tile.tile_ring : !keys
  // CHECK: %[[BOTH:.*]] = gsa_tile.tile_ring : <3 by bulk, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>>
  %both = gsa_tile.tile_ring : !both
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  // CHECK: gsa_tile.stream below %arg2 <loaders = 4, groups = 2, order = ping_pong> rings(%[[KEYS]], %[[BOTH]] : !gsa_tile.tile_ring<2 by cp_async, {{.*}}>, !gsa_tile.tile_ring<3 by bulk, {{.*}}>) load {
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%keys, %both : !keys, !both) load {
  // CHECK-NEXT: ^bb0(%{{.*}}: index, %[[K:.*]]: !gsa_tile.smem<64x64xbf16, swizzle>, %{{.*}}: !gsa_tile.smem<1x64xi32, linear>, %{{.*}}: !gsa_tile.smem<1x64xi32, linear>):
  ^bb0(%i: index, %k: !tile, %a: !words, %b: !words):
    %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    // CHECK: gsa_tile.copy_rows {{.*}} to %[[K]] by <0, 4> vector 16
    gsa_tile.copy_rows %rows[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    %bits = gsa_tile.strided_rows %w pitch %pitch count %n : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
    // CHECK: gsa_tile.bulk_rows %{{.*}}[%{{.*}}] columns %{{.*}} to %{{.*}} by <0, 4> : <i32, strided, read> to <1x64xi32, linear>
    gsa_tile.bulk_rows %bits[%i] columns %c64 to %a by #load : !gsa_tile.rows<i32, strided, read> to !words
    gsa_tile.bulk_rows %bits[%i] columns %c64 to %b by #load : !gsa_tile.rows<i32, strided, read> to !words
  // CHECK: } compute {
  } compute {
  ^bb0(%i: index, %k: !tile, %a: !words, %b: !words):
    // CHECK: gsa_tile.turn_wait <4, 8> groups 2 barrier 2
    gsa_tile.turn_wait #mma groups 2 barrier 2
    // CHECK-NEXT: gsa_tile.await %[[K:.*]] : <64x64xbf16, swizzle>
    gsa_tile.await %k : !tile
    gsa_tile.mma_nt %acc, %lhs, %k[%c0] : !acc, !lhs, !tile
    // CHECK: gsa_tile.turn_pass <4, 8> groups 2 barrier 2
    gsa_tile.turn_pass #mma groups 2 barrier 2
    // CHECK-NEXT: gsa_tile.release %[[K]] : <64x64xbf16, swizzle>
    gsa_tile.release %k : !tile
    // Either tile of a ring names it.
    gsa_tile.await %b : !words
    %word = gsa_tile.load_shared %a[%c0, %i] : !words
    gsa_tile.release %a : !words
  }
  gsa_tile.return
}

// Defaults are not printed; a stream may stand in a loop or a branch, count
// from memory, and fill by one tile more than it reads.
// CHECK-LABEL: gsa_tile.kernel @nested
gsa_tile.kernel @nested(%x: !in, %sizes: !gsa_tile.global<i32, read>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<1 by stores, !gsa_tile.smem<64x64xbf16, swizzle>>
  scf.for %round = %c0 to %c64 step %c1 {
    %word = gsa_tile.load %sizes[%round] : !gsa_tile.global<i32, read>, index
    %n = arith.index_cast %word : i32 to index
    %some = arith.cmpi ne, %n, %c1 : index
    scf.if %some {
      // CHECK: gsa_tile.stream below %{{.*}} <loaders = 0> rings(
      gsa_tile.stream below %n <loaders = 0, groups = 1, order = free> rings(%ring : !gsa_tile.tile_ring<1 by stores, !gsa_tile.smem<64x64xbf16, swizzle>>) load {
      ^bb0(%i: index, %t: !tile):
        %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
        gsa_tile.copy_rows %rows[%i] columns %c64 to %t by #load vector 2 : !view, index to !tile
      } compute {
      ^bb0(%i: index, %t: !tile):
      }
    }
  }
  gsa_tile.return
}

// CHECK-LABEL: gsa_tile.kernel @lowered
gsa_tile.kernel @lowered(%n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = gsa_tile.ring_alloc producers 4 consumers 8 : !gsa_tile.ring<2>
  // CHECK: %[[CURSOR:.*]] = gsa_tile.cursor_alloc : !gsa_tile.cursor
  %cursor = gsa_tile.cursor_alloc : !gsa_tile.cursor
  gsa_tile.sync <0, 12>
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
      // CHECK: gsa_tile.cursor_get %[[CURSOR]]
      %base = gsa_tile.cursor_get %cursor : !gsa_tile.cursor
      scf.for %i = %c0 to %n step %c1 {
        %at = arith.addi %base, %i : index
        %slot = gsa_tile.ring_acquire %ring[%at] : !gsa_tile.ring<2>
        // CHECK: gsa_tile.ring_commit %{{.*}}[%{{.*}}] {asynchronous = false}
        gsa_tile.ring_commit %ring[%at] {asynchronous = false} : !gsa_tile.ring<2>
      }
      // CHECK: gsa_tile.cursor_advance %[[CURSOR]], %arg0
      gsa_tile.cursor_advance %cursor, %n : !gsa_tile.cursor
    }
    role <"compute", team = <4, 8>> {
      // CHECK: gsa_tile.turn_start <4, 8> groups 2 barrier 1
      gsa_tile.turn_start #mma groups 2 barrier 1
      // CHECK: gsa_tile.turn_end <4, 8> groups 2 barrier 1
      gsa_tile.turn_end #mma groups 2 barrier 1
    }
  }
  gsa_tile.return
}
