// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))' --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

#all = #gsa_tile.team<0, 2>

// A tile that a loop fills and reads becomes a ring of three.
// CHECK-LABEL: @sum
// CHECK-SAME: warps = 2
// CHECK: %[[BUFFER:.*]] = gsa_tile.smem_alloc : <3x16x32xbf16, swizzle>
// CHECK: %[[RING:.*]] = gsa_tile.ring_alloc producers 2 consumers 2 : <3>
// CHECK-NEXT: gsa_tile.sync <0, 2>
// CHECK-NEXT: scf.for %[[I:.*]] =
// CHECK: %[[IN:.*]] = gsa_tile.ring_acquire %[[RING]][%[[I]]]
// CHECK-NEXT: %[[TO:.*]] = gsa_tile.stage %[[BUFFER]][%[[IN]]]
// CHECK-NEXT: gsa_tile.copy_rows {{.*}} to %[[TO]] by <0, 2>
// CHECK-NEXT: gsa_tile.ring_commit %[[RING]][%[[I]]]
// CHECK-NEXT: %[[OUT:.*]] = gsa_tile.ring_wait %[[RING]][%[[I]]]
// CHECK-NEXT: %[[FROM:.*]] = gsa_tile.stage %[[BUFFER]][%[[OUT]]]
// CHECK-NEXT: gsa_tile.mma_nt %{{.*}}, %{{.*}}, %[[FROM]]
// CHECK-NEXT: gsa_tile.ring_release %[[RING]][%[[I]]]
// CHECK-NEXT: } {gsa_tile.main_loop}
// REMARK: [Passed] Pipelined {{.*}}Remark=sum, bytes=3072, stages=3
gsa_tile.kernel @sum(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 3 : i64,
                gsa_tile.producers = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<16x32xbf16, swizzle>
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xbf16, lhs>
  scf.for %i = %c0 to %n step %c1 {
    %row = arith.muli %i, %c16 : index
    %from = gsa_tile.at %x[%row, %c0] sizes [%c32] : !gsa_tile.global<bf16, read>
    gsa_tile.copy_rows %from pitch %pitch rows %c16 columns %c32 to %tile by #all vector 16 : !gsa_tile.global<bf16, read> to !gsa_tile.smem<16x32xbf16, swizzle>
    gsa_tile.copy_wait #all
    gsa_tile.mma_nt %acc, %lhs, %tile[%c0] : !gsa_tile.frag<16x16xf32, acc>, !gsa_tile.frag<16x32xbf16, lhs>, !gsa_tile.smem<16x32xbf16, swizzle>
    gsa_tile.sync #all
  } {gsa_tile.main_loop}
  gsa_tile.return
}

// Ordinary stores fill the ring: they are there when the warp commits.
// CHECK-LABEL: @stored
// CHECK: gsa_tile.ring_commit {{.*}} {asynchronous = false}
gsa_tile.kernel @stored(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 2 : i64,
                gsa_tile.producers = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %pitch = arith.constant 3 : i64
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xbf16, swizzle>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.copy_rows %x pitch %pitch rows %c1 columns %c1 to %tile by #all vector 2 : !gsa_tile.global<bf16, read> to !gsa_tile.smem<16x16xbf16, swizzle>
    gsa_tile.copy_wait #all
    gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
    gsa_tile.sync #all
  } {gsa_tile.main_loop}
  gsa_tile.return
}

// CHECK-LABEL: @no_producers
// CHECK-NOT: ring
// REMARK: [Missed] NotPipelined {{.*}}Remark="no_producers: the schedule has no producers"
gsa_tile.kernel @no_producers(%n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 1 : i64,
                gsa_tile.producers = 0 : i64} {
  gsa_tile.return
}

// The tile is read after the loop, when a stage would have been filled again.
// CHECK-LABEL: @read_later
// CHECK-NOT: ring
// REMARK: [Missed] NotPipelined {{.*}}Remark="read_later: a copy's target is used outside of the loop"
gsa_tile.kernel @read_later(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 2 : i64,
                gsa_tile.producers = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %pitch = arith.constant 16 : i64
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xbf16, swizzle>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.copy_rows %x pitch %pitch rows %c1 columns %c1 to %tile by #all vector 16 : !gsa_tile.global<bf16, read> to !gsa_tile.smem<16x16xbf16, swizzle>
    gsa_tile.copy_wait #all
    gsa_tile.sync #all
  } {gsa_tile.main_loop}
  gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
  gsa_tile.return
}

// CHECK-LABEL: @nested
// CHECK-NOT: ring
// REMARK: [Missed] NotPipelined {{.*}}Remark="nested: the loop over tiles is nested"
gsa_tile.kernel @nested(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 2 : i64, gsa_tile.stages = 2 : i64,
                gsa_tile.producers = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %j = %c0 to %n step %c1 {
    scf.for %i = %c0 to %n step %c1 {
      gsa_tile.sync #all
    } {gsa_tile.main_loop}
  }
  gsa_tile.return
}
