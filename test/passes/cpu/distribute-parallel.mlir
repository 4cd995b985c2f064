// RUN: gsa-opt %s --gsa-cpu-distribute-parallel='tasks=3 min-work=100' \
// RUN:   --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-distribute-parallel='tasks=3 min-work=100' --split-input-file \
// RUN:   --remarks-filter=gsa.cpu -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --gsa-cpu-distribute-parallel --split-input-file \
// RUN:   | FileCheck %s --check-prefix=ONE

// 5 x 7 iterations over three tasks: both dimensions are flattened. The inner
// parallel loop runs inside its task.
// REMARK: remark: [Passed] Distributed | Category:gsa.cpu{{.*}}distributed over tasks{{.*}}iterations=35{{.*}}tasks=3
// CHECK-LABEL: func.func @flatten
// CHECK: scf.parallel (%[[T:.*]]) = (%c0{{.*}}) to (%c3{{.*}})
// CHECK: %[[LO:.*]] = arith.divui
// CHECK: %[[HI:.*]] = arith.divui
// CHECK: scf.for %[[I:.*]] = %[[LO]] to %[[HI]]
// CHECK: arith.remui %[[I]]
// CHECK: scf.for
// CHECK: memref.store
// CHECK: gsa.tasks
// ONE-LABEL: func.func @flatten
// ONE-NOT: scf.parallel
func.func @flatten(%out: memref<5x7x9xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c7 = arith.constant 7 : index
  %c9 = arith.constant 9 : index
  scf.parallel (%i, %j) = (%c0, %c0) to (%c5, %c7) step (%c1, %c1) {
    scf.parallel (%k) = (%c0) to (%c9) step (%c1) {
      memref.store %x, %out[%i, %j, %k] : memref<5x7x9xf32>
      scf.reduce
    }
    scf.reduce
  }
  return
}

// -----

// REMARK: remark: [Missed] NotDistributed | Category:gsa.cpu{{.*}}kept sequential: it has too little work
// CHECK-LABEL: func.func @small
// CHECK-NOT: scf.parallel
// CHECK: scf.for
func.func @small(%out: memref<8xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    memref.store %x, %out[%i] : memref<8xf32>
    scf.reduce
  }
  return
}

// -----

// Already a task loop: untouched, whatever its length.
// CHECK-LABEL: func.func @tasks
// CHECK: scf.parallel (%{{.*}}) = (%c0) to (%c8)
// CHECK-NOT: scf.for
// CHECK: gsa.tasks
// ONE-LABEL: func.func @tasks
// ONE: scf.parallel
func.func @tasks(%out: memref<8xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    memref.store %x, %out[%i] : memref<8xf32>
    scf.reduce
  } {gsa.tasks}
  return
}
