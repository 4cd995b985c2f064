// RUN: gsa-opt %s --gsa-place-results --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not gsa-opt %s --gsa-place-results --split-input-file --remarks-filter=gsa.host -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// An allocation is made in the argument, also when it is returned in another
// shape; the name follows the result.
// CHECK-LABEL: func.func @direct(
// CHECK-SAME: %[[X:.*]]: memref<6xf32>, %[[A:.*]]: memref<6xf32> {gsa.name = "a"}, %[[B:.*]]: memref<2x3xf32>)
// CHECK-SAME: gsa.outputs = 2 : i64
// CHECK-NOT: memref.alloc
// CHECK: linalg.copy ins(%[[X]] : memref<6xf32>) outs(%[[A]] : memref<6xf32>)
// CHECK: %[[FLAT:.*]] = memref.reinterpret_cast %[[B]] to offset: [0], sizes: [6], strides: [1]
// CHECK: linalg.copy ins(%[[A]] : memref<6xf32>) outs(%[[FLAT]] : memref<6xf32>)
// CHECK-NOT: memref.copy
// CHECK: return
func.func @direct(%x: memref<6xf32>)
    -> (memref<6xf32> {gsa.name = "a"}, memref<2x3xf32>) {
  %a = memref.alloc() : memref<6xf32>
  linalg.copy ins(%x : memref<6xf32>) outs(%a : memref<6xf32>)
  %b = memref.alloc() : memref<6xf32>
  linalg.copy ins(%a : memref<6xf32>) outs(%b : memref<6xf32>)
  %e = memref.expand_shape %b [[0, 1]] output_shape [2, 3]
      : memref<6xf32> into memref<2x3xf32>
  return %a, %e : memref<6xf32>, memref<2x3xf32>
}

// -----

// An argument, a part of a buffer and a buffer that is returned twice are
// copied.
// REMARK: remark: {{.*}}ResultCopied{{.*}}bytes=24
// REMARK: remark: {{.*}}ResultCopied{{.*}}bytes=24
// REMARK: remark: {{.*}}ResultCopied{{.*}}bytes=12
// CHECK-LABEL: func.func @copied(
// CHECK-SAME: %[[X:.*]]: memref<6xf32>, %[[R0:.*]]: memref<6xf32>, %[[R1:.*]]: memref<6xf32>, %[[R2:.*]]: memref<6xf32>, %[[R3:.*]]: memref<3xf32>)
// CHECK: linalg.fill ins({{.*}}) outs(%[[R1]] : memref<6xf32>)
// CHECK: %[[B:.*]] = memref.alloc() : memref<2x3xf32>
// CHECK: memref.copy %[[X]], %[[R0]]
// CHECK: memref.copy %[[R1]], %[[R2]]
// CHECK: memref.copy %{{.*}}, %[[R3]]
// CHECK-NEXT: return
func.func @copied(%x: memref<6xf32>)
    -> (memref<6xf32>, memref<6xf32>, memref<6xf32>, memref<3xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = memref.alloc() : memref<6xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<6xf32>)
  %b = memref.alloc() : memref<2x3xf32>
  linalg.fill ins(%zero : f32) outs(%b : memref<2x3xf32>)
  %row = memref.subview %b[0, 0] [1, 3] [1, 1]
      : memref<2x3xf32> to memref<3xf32, strided<[1]>>
  %part = memref.cast %row : memref<3xf32, strided<[1]>> to memref<3xf32>
  return %x, %a, %a, %part
      : memref<6xf32>, memref<6xf32>, memref<6xf32>, memref<3xf32>
}

// -----

func.func @strided(%x: memref<4xf32, strided<[2]>>)
    -> memref<4xf32, strided<[2]>> {
  // expected-error @+1 {{expected results that are dense buffers, got 'memref<4xf32, strided<[2]>>' for result #0}}
  return %x : memref<4xf32, strided<[2]>>
}

// -----

// expected-error @+1 {{expected one block, got 2}}
func.func @blocks(%a: memref<4xf32>) -> memref<4xf32> {
  cf.br ^end
^end:
  return %a : memref<4xf32>
}
