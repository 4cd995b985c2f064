// RUN: gsa-opt %s --gsa-unroll-host --gsa-assign-lanes --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-unroll-host --gsa-assign-lanes --gsa-plan-workspace=alignment=256 --gsa-check-lanes --split-input-file | FileCheck %s --check-prefix=PLAN
// RUN: gsa-opt %s --gsa-unroll-host --gsa-assign-lanes --split-input-file --remarks-filter=gsa.lanes -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// Iterations take the lanes in turn, each with memory of its own for as long as
// another one may run beside it: the third has that of the first.
// REMARK: [Passed] Lanes {{.*}}lanes=2, steps=7, waits=1
// CHECK-LABEL: func.func @chunks
// CHECK-SAME: gsa.lanes = 2
// CHECK-COUNT-3: memref.alloc
// CHECK: gsa_tile.launch @use {{.*}}step<0, lane = 0 parts = [0, 0]>
// CHECK: gsa_tile.launch @use {{.*}}step<1, lane = 0 parts = [0, 0]>
// CHECK: gsa_tile.launch @use {{.*}}step<2, lane = 1 parts = [0, 1]>
// CHECK: gsa_tile.launch @use {{.*}}step<3, lane = 1 parts = [0, 1]>
// CHECK: gsa_tile.launch @use {{.*}}step<4, lane = 0 parts = [0, 2]>
// CHECK: gsa_tile.launch @use {{.*}}step<5, lane = 0 parts = [0, 2]>
// CHECK: memref.copy {{.*}}step<6, lane = 0 waits = [3]>
// PLAN-LABEL: func.func @chunks
// PLAN-SAME: gsa.workspace_bytes = 512
// PLAN: memref.view %{{.*}}[%c0{{[_0-9]*}}][] {gsa_tile.buffer = 0 : i64}
// PLAN: memref.view %{{.*}}[%c256{{[_0-9]*}}][] {gsa_tile.buffer = 1 : i64}
// PLAN: memref.view %{{.*}}[%c0{{[_0-9]*}}][] {gsa_tile.buffer = 2 : i64}
func.func @chunks(%in: memref<8xf32>, %out: memref<8xf32>, %copy: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    %scratch = memref.alloc() : memref<8xf32>
    gsa_tile.launch @use grid(%c1) args(%in, %scratch) : memref<8xf32>, memref<8xf32>
    gsa_tile.launch @use grid(%c1) args(%scratch, %out) : memref<8xf32>, memref<8xf32>
  } {gsa_tile.independent}
  memref.copy %out, %copy : memref<8xf32> to memref<8xf32>
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// Without the promise the iterations write one buffer, so that nothing runs side
// by side and there is one lane. Nothing is left of the steps.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: gsa.lanes = 1
// CHECK-NOT: gsa_tile.step
func.func @chain(%in: memref<8xf32>, %out: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    gsa_tile.launch @use grid(%c1) args(%in, %out) : memref<8xf32>, memref<8xf32>
  }
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// The kernel with the longest way to the end goes first, though it comes second
// in the text. Halves of a buffer are apart; who reads all of it waits for both.
// CHECK-LABEL: func.func @halves
// CHECK: gsa_tile.launch @use {{.*}}{gsa_tile.estimate = 9.000000e+01 : f64, gsa_tile.step = #gsa_tile.step<0, lane = 0>}
// CHECK: gsa_tile.launch @use {{.*}}{gsa_tile.step = #gsa_tile.step<1, lane = 1>}
// CHECK: gsa_tile.launch @use {{.*}}{gsa_tile.step = #gsa_tile.step<2, lane = 0 waits = [1]>}
// CHECK-NEXT: return
func.func @halves(%in: memref<8xf32>, %both: memref<2x8xf32>, %out: memref<2x8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  %first = memref.subview %both[0, 0] [1, 8] [1, 1]
      : memref<2x8xf32> to memref<8xf32, strided<[1]>>
  %second = memref.subview %both[1, 0] [1, 8] [1, 1]
      : memref<2x8xf32> to memref<8xf32, strided<[1], offset: 8>>
  gsa_tile.launch @use grid(%c1) args(%in, %first) : memref<8xf32>, memref<8xf32, strided<[1]>>
  gsa_tile.launch @use grid(%c1) args(%in, %second) {gsa_tile.estimate = 90.0}
      : memref<8xf32>, memref<8xf32, strided<[1], offset: 8>>
  gsa_tile.launch @use grid(%c1) args(%both, %out) : memref<2x8xf32>, memref<2x8xf32>
  return
}

// -----

// Products share the scratch of the library.
// CHECK-LABEL: func.func @products
// CHECK-SAME: gsa.lanes = 1
// CHECK-NOT: gsa_tile.step
func.func @products(%a: memref<8x8xf32>, %b: memref<8x8xf32>, %c: memref<8x8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  gsa_tile.gemm %a, %a into %b : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  gsa_tile.gemm %a, %a into %c : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}
gsa_tile.kernel @join(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, read>, %c: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// What needs both lanes is behind the one that ends last by the estimates,
// whatever was submitted last.
// CHECK-LABEL: func.func @latest_end
// CHECK: gsa_tile.launch @use {{.*}}step<0, lane = 0>
// CHECK: gsa_tile.launch @use urgent {{.*}}step<1, lane = 1>
// CHECK: gsa_tile.launch @use urgent {{.*}}step<2, lane = 1>
// CHECK: gsa_tile.launch @join {{.*}}step<3, lane = 0 waits = [2]>
func.func @latest_end(%in: memref<8xf32>, %long: memref<8xf32>, %first: memref<8xf32>, %short: memref<8xf32>, %out: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  gsa_tile.launch @use grid(%c1) args(%in, %long) {gsa_tile.estimate = 90.0 : f64} : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use urgent grid(%c1) args(%in, %first) {gsa_tile.estimate = 3.0 : f64} : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use urgent grid(%c1) args(%first, %short) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @join grid(%c1) args(%long, %short, %out) : memref<8xf32>, memref<8xf32>, memref<8xf32>
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// What a step needs may stand far before it.
// CHECK-LABEL: func.func @far
// CHECK: gsa_tile.launch @use {{.*}}step<0, lane = 0>
// CHECK: gsa_tile.launch @use {{.*}}step<5, lane = 1 waits = [0]>
func.func @far(%in: memref<8xf32>, %x: memref<8xf32>, %a: memref<8xf32>, %b: memref<8xf32>, %c: memref<8xf32>, %d: memref<8xf32>, %out: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  gsa_tile.launch @use grid(%c1) args(%in, %x) {gsa_tile.estimate = 90.0 : f64} : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%in, %a) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%in, %b) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%in, %c) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%in, %d) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%x, %out) : memref<8xf32>, memref<8xf32>
  return
}
