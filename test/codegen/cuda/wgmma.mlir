// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-emu %s > %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// A text names the products that its kernels use, each once, and a product
// prints what differs from the defaults of its function.

// CHECK: #include <gsa/device/tile.cuh>
// CHECK-EMPTY:
// CHECK-NEXT: using namespace gsa::dev;
// CHECK-NEXT: GSA_WGMMA(72, bf16);
// CHECK-NEXT: GSA_WGMMA(128, bf16);
// CHECK-NEXT: GSA_WGMMA(128, f16);
// CHECK-NOT: GSA_WGMMA

!acc = !gsa_tile.frag<16x128xf32, acc>
!less = !gsa_tile.frag<16x72xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
!keys = !gsa_tile.smem<128x64xbf16, swizzle_128b>
!values = !gsa_tile.smem<64x128xbf16, swizzle_128b>
!half = !gsa_tile.smem<128x64xf16, swizzle_128b>

// CHECK: void products(
gsa_tile.kernel @products(%out: !gsa_tile.global<f32, write>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %pitch = arith.constant 128 : i64
  %sum = gsa_tile.frag_alloc : !acc
  %less = gsa_tile.frag_alloc : !less
  %weights = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.smem_alloc at 0 : !keys
  %values = gsa_tile.smem_alloc at 16384 : !values
  %half = gsa_tile.smem_alloc at 32768 : !half
  // CHECK: wgmma_fence();
  gsa_tile.wgmma_fence
  // CHECK-NEXT: wgmma_nt<false>([[SUM:.*]], [[KEYS:.*]], 0, [[KEYS]], 0);
  gsa_tile.wgmma_nt %sum, %keys[%c0], %keys[%c0] {accumulate = false} : !acc, !keys, !keys
  // CHECK-NEXT: wgmma_nt<false>([[LESS:.*]], [[KEYS]], 64, [[KEYS]], 16);
  gsa_tile.wgmma_nt %less, %keys[%c64], %keys[%c16] {accumulate = false} : !less, !keys, !keys
  // CHECK-NEXT: wgmma_nt([[SUM]], [[HALF:.*]], 0, [[HALF]], 0);
  gsa_tile.wgmma_nt %sum, %half[%c0], %half[%c0] : !acc, !half, !half
  gsa_tile.wgmma_commit
  // CHECK: wgmma_wait<1>([[SUM]], [[LESS]]);
  gsa_tile.wgmma_wait 1, %sum, %less : !acc, !less
  // CHECK-NEXT: wgmma_fence([[WEIGHTS:.*]], [[SUM]]);
  gsa_tile.wgmma_fence %weights, %sum : !lhs, !acc
  // CHECK-NEXT: wgmma_nt([[LESS]], [[WEIGHTS]], [[KEYS]], 0);
  gsa_tile.wgmma_nt %less, %weights, %keys[%c0] : !less, !lhs, !keys
  // CHECK-NEXT: wgmma_nn([[SUM]], [[WEIGHTS]], [[VALUES:.*]], 0);
  gsa_tile.wgmma_nn %sum, %weights, %values[%c0] : !acc, !lhs, !values
  // CHECK-NEXT: wgmma_nn<false>([[SUM]], [[KEYS]], 64, [[VALUES]], 0);
  gsa_tile.wgmma_nn %sum, %keys[%c64], %values[%c0] {accumulate = false} : !acc, !keys, !values
  // CHECK-NEXT: wgmma_nn<true, true>([[SUM]], [[VALUES]], 64, [[VALUES]], 0);
  gsa_tile.wgmma_nn %sum, %values[%c64], %values[%c0] {transposed_lhs = true} : !acc, !values, !values
  // CHECK-NEXT: wgmma_nn<false, true>([[SUM]], [[VALUES]], 0, [[VALUES]], 0);
  gsa_tile.wgmma_nn %sum, %values[%c0], %values[%c0] {accumulate = false, transposed_lhs = true} : !acc, !values, !values
  // CHECK-NEXT: wgmma_commit();
  gsa_tile.wgmma_commit
  // CHECK-NEXT: wgmma_wait<0>();
  gsa_tile.wgmma_wait 0
  %out_rows = gsa_tile.strided_rows %out pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %sum columns %c128 to %out_rows[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// CHECK: void again(
gsa_tile.kernel @again() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %sum = gsa_tile.frag_alloc : !acc
  %keys = gsa_tile.smem_alloc at 0 : !keys
  gsa_tile.wgmma_fence
  // CHECK: wgmma_nt<false>(
  gsa_tile.wgmma_nt %sum, %keys[%c0], %keys[%c0] {accumulate = false} : !acc, !keys, !keys
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}
