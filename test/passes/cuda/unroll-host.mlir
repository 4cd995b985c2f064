// RUN: gsa-opt %s --gsa-unroll-host --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not gsa-opt %s --gsa-unroll-host=most=5 --split-input-file --remarks-filter=gsa.lanes -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

gsa_tile.kernel @score(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// A step for each iteration, with the buffers that the iteration makes. Bounds
// of the loop within depend on the number of the iteration.
// REMARK: [Missed] LanesRejected {{.*}}most=5
// CHECK-LABEL: func.func @chunks
// CHECK-SAME: gsa.lanes = 2
// CHECK-NOT: scf.for
// CHECK: %[[A:.*]] = memref.alloc() : memref<8xf32>
// CHECK: gsa_tile.launch @score {{.*}} args(%arg0, %[[A]], {{.*}}) {gsa_tile.step = #gsa_tile.step<0, lane = 0, parts = [0, 0]>}
// CHECK: gsa_tile.launch @score {{.*}} args(%[[A]], %arg1, {{.*}}) {gsa_tile.step = #gsa_tile.step<1, lane = 0, parts = [0, 0]>}
// CHECK: %[[B:.*]] = memref.alloc() : memref<8xf32>
// CHECK: gsa_tile.launch @score {{.*}} args(%arg0, %[[B]], {{.*}}) {gsa_tile.step = #gsa_tile.step<2, lane = 0, parts = [0, 1]>}
// CHECK: gsa_tile.launch @score {{.*}} args(%[[B]], %arg1, {{.*}}) {gsa_tile.step = #gsa_tile.step<3, lane = 0, parts = [0, 1]>}
// CHECK: gsa_tile.launch @score {{.*}} args(%[[B]], %arg1, {{.*}}) {gsa_tile.step = #gsa_tile.step<4, lane = 0, parts = [0, 1]>}
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

func.func @bound(%n: index) attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected an upper bound that is known when the plan is made}}
  scf.for %i = %c0 to %n step %c1 {
  }
  return
}

// -----

func.func @carries(%in: memref<8xf32>) attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected a loop that carries no values, got 1}}
  %0 = scf.for %i = %c0 to %c1 step %c1 iter_args(%x = %in) -> memref<8xf32> {
    scf.yield %x : memref<8xf32>
  }
  return
}
