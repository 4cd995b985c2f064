// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --emit-bytecode | gsa-opt | FileCheck %s

// Every form of a product of a warpgroup survives a round trip.

!acc = !gsa_tile.frag<16x72xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
!tile = !gsa_tile.smem<128x64xbf16, swizzle_128b>
!wide = !gsa_tile.smem<64x128xbf16, swizzle_128b>
!narrow = !gsa_tile.smem<80x32xf16, swizzle>

// CHECK-LABEL: gsa_tile.kernel @products
gsa_tile.kernel @products() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %tile = gsa_tile.smem_alloc : !tile
  %wide = gsa_tile.smem_alloc : !wide
  %narrow = gsa_tile.smem_alloc : !narrow
  // CHECK: gsa_tile.wgmma_fence{{$}}
  gsa_tile.wgmma_fence
  // CHECK: gsa_tile.wgmma_fence %[[LHS:.*]], %[[ACC:.*]] : !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.frag<16x72xf32, acc>
  gsa_tile.wgmma_fence %lhs, %acc : !lhs, !acc
  // CHECK: gsa_tile.wgmma_nt %[[ACC]], %[[LHS]], %[[TILE:.*]][%[[C8:.*]]] : <16x72xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, <128x64xbf16, swizzle_128b>
  gsa_tile.wgmma_nt %acc, %lhs, %tile[%c8] : !acc, !lhs, !tile
  // CHECK: gsa_tile.wgmma_nt %[[ACC]], %[[TILE]][%[[C8]]], %[[TILE]][%[[C0:.*]]] {accumulate = false} :
  gsa_tile.wgmma_nt %acc, %tile[%c8], %tile[%c0] {accumulate = false} : !acc, !tile, !tile
  // CHECK: gsa_tile.wgmma_nt %[[ACC]], %[[WIDE:.*]][%[[C64:.*]]], %[[TILE]][%[[C0]]] {transposed_lhs = true} :
  gsa_tile.wgmma_nt %acc, %wide[%c64], %tile[%c0] {transposed_lhs = true} : !acc, !wide, !tile
  // CHECK: gsa_tile.wgmma_nt %{{.*}} : <16x72xf32, acc>, !gsa_tile.smem<80x32xf16, swizzle>, <80x32xf16, swizzle>
  gsa_tile.wgmma_nt %acc, %narrow[%c0], %narrow[%c0] : !acc, !narrow, !narrow
  // CHECK: gsa_tile.wgmma_nn %[[ACC]], %[[LHS]], %[[WIDE]][%[[C0]]] :
  gsa_tile.wgmma_nn %acc, %lhs, %wide[%c0] : !acc, !lhs, !wide
  // CHECK: gsa_tile.wgmma_nn %[[ACC]], %[[TILE]][%[[C0]]], %[[WIDE]][%[[C0]]] :
  gsa_tile.wgmma_nn %acc, %tile[%c0], %wide[%c0] : !acc, !tile, !wide
  // CHECK: gsa_tile.wgmma_nn %[[ACC]], %[[WIDE]][%[[C64]]], %[[WIDE]][%[[C0]]] {accumulate = false, transposed_lhs = true} :
  gsa_tile.wgmma_nn %acc, %wide[%c64], %wide[%c0] {accumulate = false, transposed_lhs = true} : !acc, !wide, !wide
  gsa_tile.wgmma_commit
  // CHECK: gsa_tile.wgmma_wait 1, %[[ACC]], %[[LHS]] : !gsa_tile.frag<16x72xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>
  gsa_tile.wgmma_wait 1, %acc, %lhs : !acc, !lhs
  // CHECK: gsa_tile.wgmma_wait 0{{$}}
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}
