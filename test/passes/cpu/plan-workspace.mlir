// RUN: gsa-opt %s --gsa-plan-workspace --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not gsa-opt %s --gsa-plan-workspace --split-input-file \
// RUN:   --remarks-filter=gsa.workspace -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// %a and %c are never live together and share bytes; %b overlaps both.
// REMARK: remark:  [Analysis] WorkspacePlan | Category:gsa.workspace{{.*}}bytes=512{{.*}}bytes-without-reuse=768
// CHECK-LABEL: func.func @reuse(
// CHECK-SAME: %[[WS:[a-z0-9]+]]: memref<?xi8>) attributes {gsa.workspace_bytes = 512 : i64}
// CHECK-NOT: memref.alloc
// CHECK: %[[A:.*]] = arith.constant 0 : index
// CHECK: memref.view %[[WS]][%[[A]]][] : memref<?xi8> to memref<64xf32>
// CHECK: %[[B:.*]] = arith.constant 256 : index
// CHECK: memref.view %[[WS]][%[[B]]][] : memref<?xi8> to memref<64xf32>
// CHECK: %[[C:.*]] = arith.constant 0 : index
// CHECK: memref.view %[[WS]][%[[C]]][] : memref<?xi8> to memref<64xf32>
// CHECK-NOT: memref.dealloc
func.func @reuse(%in: memref<64xf32>, %out: memref<64xf32>) {
  %a = memref.alloc() : memref<64xf32>
  linalg.copy ins(%in : memref<64xf32>) outs(%a : memref<64xf32>)
  %b = memref.alloc() : memref<64xf32>
  linalg.copy ins(%a : memref<64xf32>) outs(%b : memref<64xf32>)
  memref.dealloc %a : memref<64xf32>
  %c = memref.alloc() : memref<64xf32>
  linalg.copy ins(%b : memref<64xf32>) outs(%c : memref<64xf32>)
  linalg.copy ins(%c : memref<64xf32>) outs(%out : memref<64xf32>)
  return
}

// -----

// Live together for the time of one op.
// CHECK-LABEL: func.func @meet(
// CHECK-SAME: gsa.workspace_bytes = 512 : i64
func.func @meet(%in: memref<64xf32>, %out: memref<64xf32>) {
  %a = memref.alloc() : memref<64xf32>
  memref.copy %in, %a : memref<64xf32> to memref<64xf32>
  %b = memref.alloc() : memref<64xf32>
  memref.copy %a, %b : memref<64xf32> to memref<64xf32>
  memref.copy %b, %out : memref<64xf32> to memref<64xf32>
  return
}

// -----

// %a is used in the loop, so it lives as long as the loop: %b, allocated in
// the loop, may not share its bytes although its last use comes later.
// CHECK-LABEL: func.func @loop(
// CHECK-SAME: gsa.workspace_bytes = 128 : i64
func.func @loop(%in: memref<4xf32>, %out: memref<4xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<4xf32>
  linalg.copy ins(%in : memref<4xf32>) outs(%a : memref<4xf32>)
  scf.for %i = %c0 to %n step %c1 {
    linalg.copy ins(%a : memref<4xf32>) outs(%out : memref<4xf32>)
    %b = memref.alloc() : memref<4xf32>
    linalg.copy ins(%out : memref<4xf32>) outs(%b : memref<4xf32>)
    linalg.copy ins(%b : memref<4xf32>) outs(%out : memref<4xf32>)
  }
  return
}

// -----

// A use through a view keeps the buffer alive.
// CHECK-LABEL: func.func @view(
// CHECK-SAME: gsa.workspace_bytes = 128 : i64
func.func @view(%out: memref<2xf32>) {
  %a = memref.alloc() : memref<4xf32>
  %s = memref.subview %a[0] [2] [1] : memref<4xf32> to memref<2xf32, strided<[1]>>
  %b = memref.alloc() : memref<2xf32>
  linalg.copy ins(%s : memref<2xf32, strided<[1]>>) outs(%b : memref<2xf32>)
  linalg.copy ins(%b : memref<2xf32>) outs(%out : memref<2xf32>)
  return
}

// -----

// Three tasks, each with its own 64 bytes.
// CHECK-LABEL: func.func @tasks(
// CHECK-SAME: gsa.workspace_bytes = 192 : i64
// CHECK: scf.parallel (%[[T:.*]]) =
// CHECK: %[[STRIDE:.*]] = arith.constant 64 : index
// CHECK: arith.muli %[[T]], %[[STRIDE]]
// CHECK: memref.view
func.func @tasks(%out: memref<3x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %f = arith.constant 1.0 : f32
  scf.parallel (%t) = (%c0) to (%c3) step (%c1) {
    %a = memref.alloc() : memref<4xf32>
    memref.store %f, %a[%c0] : memref<4xf32>
    %v = memref.load %a[%c0] : memref<4xf32>
    memref.store %v, %out[%t, %c0] : memref<3x4xf32>
    scf.reduce
  } {gsa.tasks}
  return
}

// -----

// The gap that %a leaves before %b is too small for %c.
// CHECK-LABEL: func.func @gap(
// CHECK-SAME: gsa.workspace_bytes = 256 : i64
func.func @gap(%in: memref<16xf32>, %large: memref<32xf32>, %out: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  linalg.copy ins(%in : memref<16xf32>) outs(%a : memref<16xf32>)
  %b = memref.alloc() : memref<16xf32>
  linalg.copy ins(%a : memref<16xf32>) outs(%b : memref<16xf32>)
  %c = memref.alloc() : memref<32xf32>
  linalg.copy ins(%large : memref<32xf32>) outs(%c : memref<32xf32>)
  linalg.copy ins(%c : memref<32xf32>) outs(%large : memref<32xf32>)
  linalg.copy ins(%b : memref<16xf32>) outs(%out : memref<16xf32>)
  return
}

// -----

// No allocation: the argument is there, and may be empty.
// CHECK-LABEL: func.func @none(
// CHECK-SAME: memref<?xi8>) attributes {gsa.workspace_bytes = 0 : i64}
func.func @none(%out: memref<4xf32>) {
  return
}

// -----

func.func @dynamic(%n: index) {
  // expected-error @+1 {{expected an allocation of static or bounded shape and identity layout, got 'memref<?xf32>'}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

// A size of an argument counts as its bound; the view has the size itself.
// CHECK-LABEL: func.func @bounded(
// CHECK-SAME: %[[IN:[a-z0-9]+]]: memref<?x4xf32>
// CHECK-SAME: gsa.workspace_bytes = 3264 : i64
// CHECK: %[[ROWS:.*]] = memref.dim %[[IN]]
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[ROWS]]] : memref<?xi8> to memref<?x4xf32>
// CHECK: memref.view %{{.*}}[%{{.*}}][%{{.*}}] : memref<?xi8> to memref<?xf32>
func.func @bounded(%in: memref<?x4xf32>, %out: memref<?x4xf32>)
    attributes {gsa.bounds = [array<i64: 100, 4>]} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c7 = arith.constant 7 : index
  %rows = memref.dim %in, %c0 : memref<?x4xf32>
  %a = memref.alloc(%rows) : memref<?x4xf32>
  %all = arith.muli %rows, %c4 : index
  %more = arith.addi %all, %c7 : index
  %b = memref.alloc(%more) : memref<?xf32>
  linalg.copy ins(%in : memref<?x4xf32>) outs(%a : memref<?x4xf32>)
  %f = arith.constant 1.0 : f32
  memref.store %f, %b[%c0] : memref<?xf32>
  linalg.copy ins(%a : memref<?x4xf32>) outs(%out : memref<?x4xf32>)
  return
}

// -----

func.func @unbounded(%in: memref<?x4xf32>, %other: memref<?xf32>)
    attributes {gsa.bounds = [array<i64: 100, 4>]} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %other, %c0 : memref<?xf32>
  // expected-error @+1 {{expected an allocation of static or bounded shape and identity layout, got 'memref<?xf32>'}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

// With one buffer for both, iteration i + 1 would overwrite what it reads.
func.func @carried(%in: memref<4xf32>, %out: memref<4xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %in) -> memref<4xf32> {
    // expected-error @+1 {{buffer is carried to the loop's next iteration; expected the loop to update its initial buffer in place}}
    %a = memref.alloc() : memref<4xf32>
    linalg.copy ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
    scf.yield %a : memref<4xf32>
  }
  linalg.copy ins(%r : memref<4xf32>) outs(%out : memref<4xf32>)
  return
}

// -----

func.func private @helper() {
  // expected-error @+1 {{allocation outside the entry function 'entry', in 'helper', which was not inlined (attribute 'no_inline', or a call of itself); write its ops in place of the call}}
  %a = memref.alloc() : memref<4xf32>
  return
}
func.func @entry() {
  call @helper() : () -> ()
  return
}

// -----

func.func @tasks(%out: memref<4xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected a constant number of tasks}}
  scf.parallel (%t) = (%c0) to (%n) step (%c1) {
    %a = memref.alloc() : memref<4xf32>
    linalg.copy ins(%out : memref<4xf32>) outs(%a : memref<4xf32>)
    scf.reduce
  } {gsa.tasks}
  return
}

// -----

func.func @large(%out: memref<4xf32>) {
  // expected-error @+1 {{buffer is too large: 'memref<35184372088832xf32>'}}
  %a = memref.alloc() : memref<35184372088832xf32>
  return
}
