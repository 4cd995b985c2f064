// A lagged stream whose groups take turns at the products: for the first tile,
// and in the loop; what is of the last tile has no turn. A group of products
// that would be empty is not committed, and the wait for all but it is for all.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' --verify-roundtrip | FileCheck %s

#load = #gsa_tile.team<0, 4>
!map = !gsa_tile.tensormap<64x64xbf16, swizzle_128b>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!ring = !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<64x64xbf16, swizzle_128b>>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
!acc = !gsa_tile.frag<16x64xf32, acc>

// CHECK-LABEL: @turns
// CHECK: role <"compute"
// CHECK: gsa_tile.turn_start <4, 8> groups 2 barrier 2
// CHECK: scf.if
// CHECK: gsa_tile.turn_wait <4, 8> groups 2 barrier 2
// CHECK: gsa_tile.wgmma_nt
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.turn_pass
// CHECK-NEXT: gsa_tile.wgmma_wait 0
// CHECK: scf.for
// CHECK: gsa_tile.turn_wait
// CHECK: gsa_tile.wgmma_nt
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.wgmma_nn
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.turn_pass
// CHECK-NEXT: gsa_tile.wgmma_wait 1
// CHECK-NOT: gsa_tile.wgmma_commit
// CHECK: gsa_tile.wgmma_wait 0
// CHECK: scf.if
// CHECK-NOT: gsa_tile.turn_wait
// CHECK: gsa_tile.wgmma_nn
// CHECK-NEXT: gsa_tile.wgmma_commit
// CHECK-NEXT: gsa_tile.wgmma_wait 0
// CHECK: gsa_tile.turn_end
gsa_tile.kernel @turns(%a: !map, %b: !map, %n: index)
    attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  gsa_tile.sync #gsa_tile.team<0, 12>
  %scores = gsa_tile.frag_alloc : !acc
  %output = gsa_tile.frag_alloc : !acc
  %left = gsa_tile.frag_alloc : !lhs
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %v: !tile):
    gsa_tile.tma_load %a[%i, %c0] to %k by #load : !map to !tile
    gsa_tile.lagged {
    ^bb0(%before: index):
      gsa_tile.tma_load %b[%before, %c0] to %v by #load : !map to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %v: !tile):
    gsa_tile.turn_wait <4, 8> groups 2 barrier 2
    gsa_tile.await %k : !tile
    gsa_tile.lagged {
    ^bb0(%before: index):
      gsa_tile.await %v : !tile
      gsa_tile.wgmma_fence %left, %output : !lhs, !acc
    }
    gsa_tile.wgmma_fence %scores, %left : !acc, !lhs
    gsa_tile.wgmma_nt %scores, %left, %k[%c0] {accumulate = false} : !acc, !lhs, !tile
    gsa_tile.wgmma_commit
    gsa_tile.lagged {
    ^bb0(%before: index):
      gsa_tile.wgmma_nn %output, %left, %v[%c0] : !acc, !lhs, !tile
    }
    gsa_tile.wgmma_commit
    gsa_tile.turn_pass <4, 8> groups 2 barrier 2
    gsa_tile.wgmma_wait 1, %scores : !acc
    gsa_tile.release %k : !tile
    gsa_tile.lagged {
    ^bb0(%before: index):
      gsa_tile.wgmma_commit
      gsa_tile.wgmma_wait 0, %left, %output : !lhs, !acc
      gsa_tile.release %v : !tile
    }
    gsa_tile.convert %scores to %left : !acc to !lhs
  }
  gsa_tile.return
}
