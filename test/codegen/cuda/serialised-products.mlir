// Products whose sums are touched while they are in flight: ptxas waits for
// each of them and says so, which is an error where kernels have to be fast.
// Only refused here: what a test emits is compiled once more by lit-kernels.

// REQUIRES: nvrtc
// RUN: %expect-exit 1 gsa-translate --resource-usage --refuse-spills --arch=sm_90a %s 2>&1 | FileCheck %s --check-prefix=REFUSED

// REFUSED: error: a kernel is slower than its text says on sm_90a: ptxas info : (C75{{[0-9]+}}) Potential Performance Loss: wgmma.mma_async

!acc = !gsa_tile.frag<16x64xf32, acc>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>

gsa_tile.kernel @touched(%out: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64, shared_bytes = 8192 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %half = arith.constant 0.5 : f32
  %sum = gsa_tile.frag_alloc : !acc
  %tile = gsa_tile.smem_alloc at 0 : !tile
  %zero = arith.constant 0.0 : f32
  gsa_tile.fill %sum, %zero : !acc
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.wgmma_fence %sum : !acc
    gsa_tile.wgmma_nt %sum, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.affine %sum, %half, %half : !acc
    gsa_tile.wgmma_wait 0, %sum : !acc
  }
  %rows = gsa_tile.strided_rows %out pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %sum columns %c64 to %rows[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}
