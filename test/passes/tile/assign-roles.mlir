// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles))' --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

#all = #gsa_tile.team<0, 2>

// What is above the loop and not in registers stays with all seven warps; the
// address of a copy goes with the copy.
// CHECK-LABEL: @sum
// CHECK-SAME: warps = 7
// CHECK: gsa_tile.copy_rows {{.*}} by <0, 7>
// CHECK: gsa_tile.copy_wait <0, 7>
// CHECK-NOT: frag_alloc
// CHECK: gsa_tile.ring_alloc producers 5 consumers 2 : <3>
// CHECK-NEXT: gsa_tile.sync <0, 7>
// CHECK-NEXT: gsa_tile.roles {
// CHECK-NEXT: role <"load", team = <0, 5>> {
// CHECK-NEXT: scf.for
// CHECK-NEXT: arith.muli
// CHECK-NEXT: gsa_tile.at
// CHECK-NEXT: gsa_tile.ring_acquire
// CHECK-NEXT: gsa_tile.stage
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} by <0, 5>
// CHECK-NEXT: gsa_tile.ring_commit
// CHECK-NEXT: } {gsa_tile.main_loop}
// CHECK-NEXT: }
// CHECK-NEXT: role <"compute", team = <5, 2>> {
// CHECK-NEXT: gsa_tile.frag_alloc
// CHECK-NEXT: gsa_tile.frag_alloc
// CHECK-NEXT: gsa_tile.warp_rank <5, 2>
// CHECK-NEXT: gsa_tile.load_lhs
// CHECK-NEXT: scf.for
// CHECK-NEXT: gsa_tile.ring_wait
// CHECK-NEXT: gsa_tile.stage
// CHECK-NEXT: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.ring_release
// CHECK-NEXT: } {gsa_tile.main_loop}
// CHECK: gsa_tile.sync <5, 2> barrier 1
// CHECK: gsa_tile.store_rows
// CHECK: gsa_tile.return
// REMARK: [Passed] Roles {{.*}}Remark=sum, consumers=2, producers=5
gsa_tile.kernel @sum(%x: !gsa_tile.global<bf16, read>,
                     %y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 3 : i64,
                gsa_tile.producers = 5 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %first = gsa_tile.smem_alloc : !gsa_tile.smem<16x32xbf16, swizzle>
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<16x32xbf16, swizzle>
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xbf16, lhs>
  gsa_tile.copy_rows %x pitch %pitch rows %c16 columns %c32 to %first by #all vector 16 : !gsa_tile.global<bf16, read> to !gsa_tile.smem<16x32xbf16, swizzle>
  gsa_tile.copy_wait #all
  %rank = gsa_tile.warp_rank #all
  gsa_tile.load_lhs %first[%rank] to %lhs : !gsa_tile.smem<16x32xbf16, swizzle> to !gsa_tile.frag<16x32xbf16, lhs>
  scf.for %i = %c0 to %n step %c1 {
    %row = arith.muli %i, %c16 : index
    %from = gsa_tile.at %x[%row, %c0] sizes [%c32] : !gsa_tile.global<bf16, read>
    gsa_tile.copy_rows %from pitch %pitch rows %c16 columns %c32 to %tile by #all vector 16 : !gsa_tile.global<bf16, read> to !gsa_tile.smem<16x32xbf16, swizzle>
    gsa_tile.copy_wait #all
    gsa_tile.mma_nt %acc, %lhs, %tile[%c0] : !gsa_tile.frag<16x16xf32, acc>, !gsa_tile.frag<16x32xbf16, lhs>, !gsa_tile.smem<16x32xbf16, swizzle>
    gsa_tile.sync #all
  } {gsa_tile.main_loop}
  gsa_tile.sync #all
  gsa_tile.store_rows %acc to %y pitch %pitch rows %c16 columns %c16 : !gsa_tile.frag<16x16xf32, acc> to !gsa_tile.global<f32, write>
  gsa_tile.return
}

// Each warp copies from a place of its own: a producer has no such number.
// CHECK-LABEL: @own_place
// CHECK-SAME: warps = 2
// CHECK-NOT: roles
// REMARK: [Missed] NoRoles {{.*}}Remark="own_place: a copy depends on the number of the warp"
gsa_tile.kernel @own_place(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 2 : i64,
                gsa_tile.producers = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %pitch = arith.constant 16 : i64
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xbf16, swizzle>
  %rank = gsa_tile.warp_rank #all
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.copy_rows %x pitch %pitch rows %rank columns %c1 to %tile by #all vector 16 : !gsa_tile.global<bf16, read> to !gsa_tile.smem<16x16xbf16, swizzle>
    gsa_tile.copy_wait #all
    gsa_tile.sync #all
  } {gsa_tile.main_loop}
  gsa_tile.return
}

// CHECK-LABEL: @no_ring
// REMARK: [Missed] NoRoles {{.*}}Remark="no_ring: there is no ring"
gsa_tile.kernel @no_ring(%n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 1 : i64,
                gsa_tile.producers = 0 : i64} {
  gsa_tile.return
}
