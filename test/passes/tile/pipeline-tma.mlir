// Boxes of a tensor map fill a ring; a warpgroup multiplies them from shared
// memory, and gives up the slot when the products have read it.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' --verify-roundtrip | FileCheck %s

#load = #gsa_tile.team<0, 4>
!map = !gsa_tile.tensormap<64x64xbf16, swizzle_128b>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!ring = !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>>
!acc = !gsa_tile.frag<16x64xf32, acc>

// CHECK: %[[RING:.*]] = gsa_tile.ring_alloc producers 4 consumers 4 : <2>
// CHECK: role <"load", team = <0, 4>> {
// CHECK: scf.for %[[I:.*]] =
// CHECK-NEXT: %[[SLOT:.*]] = gsa_tile.ring_acquire %[[RING]][%[[I]]]
// CHECK-NEXT: %[[A:.*]] = gsa_tile.stage %{{.*}}[%[[SLOT]]]
// CHECK-NEXT: %[[B:.*]] = gsa_tile.stage %{{.*}}[%[[SLOT]]]
// CHECK-NEXT: gsa_tile.tma_load %arg0{{.*}} to %[[A]] by <0, 4> arrives %[[RING]][%[[I]]] of !gsa_tile.ring<2>
// CHECK-NEXT: gsa_tile.tma_load %arg1{{.*}} to %[[B]] by <0, 4> arrives %[[RING]][%[[I]]] of !gsa_tile.ring<2>
// CHECK-NEXT: gsa_tile.ring_commit %[[RING]][%[[I]]] {asynchronous = false}
// CHECK: role <"compute", team = <4, 4>> {
// CHECK: gsa_tile.wgmma_wait 0
// CHECK-NEXT: gsa_tile.ring_release
gsa_tile.kernel @boxes(%a: !map, %b: !map, %n: index)
    attributes {warps = 8 : i64} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.sync #gsa_tile.team<0, 8>
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %x: !tile, %y: !tile):
    gsa_tile.tma_load %a[%i, %c0] to %x by #load : !map to !tile
    gsa_tile.tma_load %b[%i, %c0] to %y by #load : !map to !tile
  } compute {
  ^bb0(%i: index, %x: !tile, %y: !tile):
    gsa_tile.wgmma_nt %acc, %x[%c0], %y[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0
  }
  gsa_tile.return
}
