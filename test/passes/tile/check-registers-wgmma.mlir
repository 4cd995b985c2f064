// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-registers))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s

// A product that does not accumulate overwrites its sum: the two of a step (32
// registers each) never live together. One that accumulates reads what is from
// the step before.

!acc = !gsa_tile.frag<16x64xf32, acc>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

// CHECK: [Passed] RegistersChecked {{.*}}Remark="overwrites, all warps", fragments=32
gsa_tile.kernel @overwrites(%n: index, %y: !gsa_tile.global<f32, write>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 64 : i64
  %tile = gsa_tile.smem_alloc : !tile
  %a = gsa_tile.frag_alloc : !acc
  %b = gsa_tile.frag_alloc : !acc
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.wgmma_fence
    gsa_tile.wgmma_nt %a, %tile[%c0], %tile[%c0] {accumulate = false} : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0, %a : !acc
    %y_rows = gsa_tile.strided_rows %y pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
    gsa_tile.store_rows %a columns %c16 to %y_rows[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
    gsa_tile.wgmma_fence
    gsa_tile.wgmma_nn %b, %tile[%c0], %tile[%c0] {accumulate = false} : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0, %b : !acc
    %y_rows_1 = gsa_tile.strided_rows %y pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
    gsa_tile.store_rows %b columns %c16 to %y_rows_1[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
  }
  gsa_tile.return
}

// CHECK: [Passed] RegistersChecked {{.*}}Remark="accumulates, all warps", fragments=64
gsa_tile.kernel @accumulates(%n: index, %y: !gsa_tile.global<f32, write>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 64 : i64
  %tile = gsa_tile.smem_alloc : !tile
  %a = gsa_tile.frag_alloc : !acc
  %b = gsa_tile.frag_alloc : !acc
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.wgmma_fence
    gsa_tile.wgmma_nt %a, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0, %a : !acc
    %y_rows_2 = gsa_tile.strided_rows %y pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
    gsa_tile.store_rows %a columns %c16 to %y_rows_2[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
    gsa_tile.wgmma_fence
    gsa_tile.wgmma_nn %b, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0, %b : !acc
    %y_rows_3 = gsa_tile.strided_rows %y pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
    gsa_tile.store_rows %b columns %c16 to %y_rows_3[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
  }
  gsa_tile.return
}

// A left operand in registers (16) is read until the product was waited for, so
// it lives beside the other one, which is made before that; with the sums of
// both (32 each) 96.
// CHECK: [Passed] RegistersChecked {{.*}}Remark="in_flight, all warps", fragments=96
gsa_tile.kernel @in_flight(%y: !gsa_tile.global<f32, write>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %tile = gsa_tile.smem_alloc : !tile
  %a = gsa_tile.frag_alloc : !acc
  %b = gsa_tile.frag_alloc : !acc
  %left = gsa_tile.frag_alloc : !lhs
  %next = gsa_tile.frag_alloc : !lhs
  gsa_tile.fill %a, %zero : !acc
  gsa_tile.fill %b, %zero : !acc
  gsa_tile.convert %b to %left : !acc to !lhs
  gsa_tile.wgmma_fence %left : !lhs
  gsa_tile.wgmma_nn %a, %left, %tile[%c0] : !acc, !lhs, !tile
  gsa_tile.wgmma_commit
  gsa_tile.convert %b to %next : !acc to !lhs
  gsa_tile.wgmma_wait 0, %a : !acc
  gsa_tile.wgmma_fence %next : !lhs
  gsa_tile.wgmma_nn %a, %next, %tile[%c0] : !acc, !lhs, !tile
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0, %a : !acc
  %y_rows = gsa_tile.strided_rows %y pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %a columns %c16 to %y_rows[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}
