// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s

// The ops of sm_90a survive a round trip.

// CHECK-LABEL: gsa_tile.kernel @product
gsa_tile.kernel @product(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 8 : i64} {
  %c0 = arith.constant 0 : index
  %q = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %k = gsa_tile.smem_alloc at 8192 : !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
  %ring = gsa_tile.ring_alloc producers 8 consumers 4 at 24576 : !gsa_tile.ring<2>
  gsa_tile.sync <0, 8>
  %slot = gsa_tile.ring_acquire %ring[%c0] : !gsa_tile.ring<2>
  %tile = gsa_tile.stage %k[%slot] : !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
  // CHECK: gsa_tile.tma_load %{{.*}}[%{{.*}}, %{{.*}}] to %{{.*}} by <0, 8> arrives %{{.*}}[%{{.*}}] of !gsa_tile.ring<2>
  gsa_tile.tma_load %a[%c0, %c0] to %tile by <0, 8> arrives %ring[%c0] of !gsa_tile.ring<2> : !gsa_tile.tensormap<64x64xbf16, swizzle_128b> to !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.ring_commit %ring[%c0] {asynchronous = false} : !gsa_tile.ring<2>
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  // CHECK: gsa_tile.fence_async
  gsa_tile.fence_async
  // CHECK: gsa_tile.wgmma_fence %{{.*}} : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.wgmma_fence %acc : !gsa_tile.frag<16x64xf32, acc>
  // CHECK: gsa_tile.wgmma_nt
  gsa_tile.wgmma_nt %acc, %q[%c0], %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // CHECK: gsa_tile.wgmma_nn
  gsa_tile.wgmma_nn %acc, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // CHECK: gsa_tile.wgmma_commit
  gsa_tile.wgmma_commit
  // CHECK: gsa_tile.wgmma_wait 0
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// In a stream a copy has no ring yet.
// CHECK-LABEL: gsa_tile.kernel @stream
gsa_tile.kernel @stream(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>, %n: index)
    attributes {warps = 8 : i64} {
  %c0 = arith.constant 0 : index
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<64x64xbf16, swizzle_128b>>
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<64x64xbf16, swizzle_128b>>) load {
  ^bb0(%i: index, %t: !gsa_tile.smem<64x64xbf16, swizzle_128b>):
    // CHECK: gsa_tile.tma_load %{{.*}}[%{{.*}}, %{{.*}}] to %{{.*}} by <0, 4> : <64x64xbf16, swizzle_128b> to <64x64xbf16, swizzle_128b>
    gsa_tile.tma_load %a[%i, %c0] to %t by <0, 4> : !gsa_tile.tensormap<64x64xbf16, swizzle_128b> to !gsa_tile.smem<64x64xbf16, swizzle_128b>
  } compute {
  ^bb0(%i: index, %t: !gsa_tile.smem<64x64xbf16, swizzle_128b>):
  }
  gsa_tile.return
}

// A tile of several panels is as many boxes.
// CHECK-LABEL: gsa_tile.kernel @panels
gsa_tile.kernel @panels(%a: !gsa_tile.tensormap<80x64xbf16, swizzle_128b>, %n: index)
    attributes {warps = 8 : i64} {
  %c0 = arith.constant 0 : index
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<80x192xbf16, swizzle_128b>>
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<80x192xbf16, swizzle_128b>>) load {
  ^bb0(%i: index, %t: !gsa_tile.smem<80x192xbf16, swizzle_128b>):
    // CHECK: gsa_tile.tma_load {{.*}} : <80x64xbf16, swizzle_128b> to <80x192xbf16, swizzle_128b>
    gsa_tile.tma_load %a[%i, %c0] to %t by <0, 4> : !gsa_tile.tensormap<80x64xbf16, swizzle_128b> to !gsa_tile.smem<80x192xbf16, swizzle_128b>
  } compute {
  ^bb0(%i: index, %t: !gsa_tile.smem<80x192xbf16, swizzle_128b>):
  }
  gsa_tile.return
}
