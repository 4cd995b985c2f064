// RUN: gsa-opt %s --gsa-cpu-parallel-to-runtime --split-input-file \
// RUN:   --verify-diagnostics | FileCheck %s
// RUN: not gsa-opt %s --gsa-cpu-parallel-to-runtime --split-input-file  \
// RUN:   --remarks-filter=gsa.cpu -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// The buffer, the index and the vector travel in the closure; the constant is
// repeated in the task.
// REMARK: remark: [Passed] OutlinedTasks | Category:gsa.cpu{{.*}}captures=3
// CHECK: func.func private @gsa_cpu_parallel(!llvm.ptr, !llvm.ptr, i64)
// CHECK: func.func private @entry_task(%[[CLOSURE:.*]]: !llvm.ptr, %[[TASK:.*]]: i64) {
// CHECK-DAG: llvm.load
// CHECK-DAG: arith.index_cast %[[TASK]] : i64 to index
// CHECK-DAG: arith.constant 2.0{{.*}} : f32
// CHECK: vector.store
// CHECK: return
// CHECK-LABEL: func.func @entry(
// CHECK: llvm.alloca {{.*}} {alignment = 64 : i64}
// CHECK: scf.for
// CHECK-NOT: llvm.alloca
// CHECK-COUNT-3: llvm.store
// CHECK: %[[F:.*]] = {{(func\.)?}}constant @entry_task : (!llvm.ptr, i64) -> ()
// CHECK: call @gsa_cpu_parallel
// CHECK-NOT: scf.parallel
func.func @entry(%out: memref<4x8xf32>, %v: vector<8xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %n step %c1 {
    scf.parallel (%t) = (%c0) to (%c4) step (%c1) {
      %wide = vector.broadcast %two : f32 to vector<8xf32>
      %sum = arith.addf %v, %wide : vector<8xf32>
      %row = arith.addi %t, %i : index
      vector.store %sum, %out[%row, %c0] : memref<4x8xf32>, vector<8xf32>
      scf.reduce
    } {gsa.tasks}
  }
  return
}

// -----

// Without the attribute, a loop is not the pool's business.
// CHECK-LABEL: func.func @plain
// CHECK: scf.parallel
// CHECK-NOT: gsa_cpu_parallel
func.func @plain(%out: memref<4xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.parallel (%t) = (%c0) to (%c4) step (%c1) {
    memref.store %x, %out[%t] : memref<4xf32>
    scf.reduce
  }
  return
}

// -----

func.func @offset(%out: memref<4xf32>, %x: f32) {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{expected a task loop over [0, N) with step 1 and no reductions}}
  scf.parallel (%t) = (%c1) to (%c4) step (%c1) {
    memref.store %x, %out[%t] : memref<4xf32>
    scf.reduce
  } {gsa.tasks}
  return
}

// -----

func.func @count(%out: memref<4xf32>, %x: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected a constant number of tasks}}
  scf.parallel (%t) = (%c0) to (%n) step (%c1) {
    memref.store %x, %out[%t] : memref<4xf32>
    scf.reduce
  } {gsa.tasks}
  return
}

// -----

func.func @nested(%out: memref<4xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.parallel (%t) = (%c0) to (%c4) step (%c1) {
    // expected-error @+1 {{task loops cannot be nested}}
    scf.parallel (%u) = (%c0) to (%c4) step (%c1) {
      memref.store %x, %out[%u] : memref<4xf32>
      scf.reduce
    } {gsa.tasks}
    scf.reduce
  } {gsa.tasks}
  return
}

// -----

func.func @type(%out: memref<4xf32>, %x: tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{cannot pass a value of type 'tensor<4xf32>' to a task}}
  scf.parallel (%t) = (%c0) to (%c4) step (%c1) {
    %v = tensor.extract %x[%t] : tensor<4xf32>
    memref.store %v, %out[%t] : memref<4xf32>
    scf.reduce
  } {gsa.tasks}
  return
}
