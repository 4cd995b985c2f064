// RUN: gsa-opt %s --gsa-unroll-host --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-unroll-host=most=5 --split-input-file --remarks-filter=gsa.lanes -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

gsa_tile.kernel @score(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// A step for each iteration, with the buffers that the iteration makes. Bounds
// of the loop within depend on the number of the iteration.
// REMARK: [Missed] LanesRejected {{.*}}there are more than 5 steps
// CHECK-LABEL: func.func @chunks
// CHECK-SAME: gsa.lanes = 2
// CHECK-NOT: scf.for
// CHECK: %[[A:.*]] = memref.alloc() : memref<8xf32>
// CHECK: gsa_tile.launch @score {{.*}} args(%arg0, %[[A]], {{.*}}) {gsa_tile.step = #gsa_tile.step<0, lane = 0 parts = [0, 0]>}
// CHECK: gsa_tile.launch @score {{.*}} args(%[[A]], %arg1, {{.*}}) {gsa_tile.step = #gsa_tile.step<1, lane = 0 parts = [0, 0]>}
// CHECK: %[[B:.*]] = memref.alloc() : memref<8xf32>
// CHECK: gsa_tile.launch @score {{.*}} args(%arg0, %[[B]], {{.*}}) {gsa_tile.step = #gsa_tile.step<2, lane = 0 parts = [0, 1]>}
// CHECK: gsa_tile.launch @score {{.*}} args(%[[B]], %arg1, {{.*}}) {gsa_tile.step = #gsa_tile.step<3, lane = 0 parts = [0, 1]>}
// CHECK: gsa_tile.launch @score {{.*}} args(%[[B]], %arg1, {{.*}}) {gsa_tile.step = #gsa_tile.step<4, lane = 0 parts = [0, 1]>}
// CHECK: memref.copy %arg0, %arg2 {gsa_tile.step = #gsa_tile.step<5, lane = 0>}
// CHECK-NEXT: return
func.func @chunks(%in: memref<8xf32>, %out: memref<8xf32>, %copy: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c4 {
    %scratch = memref.alloc() : memref<8xf32>
    gsa_tile.launch @score grid(%c1) args(%in, %scratch, %i) : memref<8xf32>, memref<8xf32>, index
    %end = arith.addi %i, %c4 : index
    %pieces = arith.divui %end, %c4 : index
    scf.for %j = %c0 to %pieces step %c1 {
      gsa_tile.launch @score grid(%c1) args(%scratch, %out, %j) : memref<8xf32>, memref<8xf32>, index
    }
  } {gsa_tile.independent}
  %some = arith.cmpi slt, %c4, %c8 : index
  scf.if %some {
    memref.copy %in, %copy : memref<8xf32> to memref<8xf32>
  }
  return
}

// -----

gsa_tile.kernel @score(%a: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// A joined loop goes on with the iterations of the one before; without it, a
// loop is one of its own.
// CHECK-LABEL: func.func @joined
// CHECK: step<0, lane = 0 parts = [0, 0]>
// CHECK: step<1, lane = 0 parts = [0, 1]>
// CHECK: step<2, lane = 0 parts = [0, 2]>
// CHECK: step<3, lane = 0 parts = [1, 0]>
func.func @joined(%in: memref<8xf32>) attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %i = %c0 to %c2 step %c1 {
    gsa_tile.launch @score grid(%c1) args(%in) : memref<8xf32>
  } {gsa_tile.independent}
  scf.for %i = %c0 to %c1 step %c1 {
    gsa_tile.launch @score grid(%c1) args(%in) : memref<8xf32>
  } {gsa_tile.independent, gsa_tile.joined}
  scf.for %i = %c0 to %c1 step %c1 {
    gsa_tile.launch @score grid(%c1) args(%in) : memref<8xf32>
  } {gsa_tile.independent}
  return
}

// -----

gsa_tile.kernel @score(%a: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// One lane: loops stay loops.
// CHECK-LABEL: func.func @one
// CHECK: scf.for
// CHECK-NOT: gsa_tile.step
func.func @one(%in: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    gsa_tile.launch @score grid(%c1) args(%in) : memref<8xf32>
  }
  return
}

// -----

// REMARK: [Missed] LanesRejected {{.*}}an upper bound is not known when the plan is made
// CHECK-LABEL: func.func @bound
// CHECK-SAME: gsa.lanes = 1
// CHECK: scf.for
func.func @bound(%n: index) attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
  }
  return
}

// -----

// REMARK: [Missed] LanesRejected {{.*}}a loop carries values
// CHECK-LABEL: func.func @carries
// CHECK-SAME: gsa.lanes = 1
// CHECK: scf.for
func.func @carries(%in: memref<8xf32>) attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = scf.for %i = %c0 to %c1 step %c1 iter_args(%x = %in) -> memref<8xf32> {
    scf.yield %x : memref<8xf32>
  }
  return
}

// -----

// REMARK: [Missed] LanesRejected {{.*}}a lower bound is not known when the plan is made
// CHECK-LABEL: func.func @begin
// CHECK-SAME: gsa.lanes = 1
func.func @begin(%n: index) attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  scf.for %i = %n to %c1 step %c1 {
  }
  return
}

// -----

// REMARK: [Missed] LanesRejected {{.*}}a step is not known when the plan is made
// CHECK-LABEL: func.func @step
// CHECK-SAME: gsa.lanes = 1
func.func @step(%n: index) attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %c1 step %n {
  }
  return
}

// -----

// REMARK: [Missed] LanesRejected {{.*}}the function has several blocks
// CHECK-LABEL: func.func @blocks
// CHECK-SAME: gsa.lanes = 1
func.func @blocks() attributes {gsa.lanes = 2 : i64} {
  cf.br ^end
^end:
  return
}
