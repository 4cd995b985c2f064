// RUN: gsa-opt %s --gsa-cpu-separate-results | FileCheck %s
// RUN: gsa-opt %s --gsa-to-cpu | FileCheck %s --check-prefix=LLVM
// RUN: gsa-opt %s --gsa-to-cpu=reference | FileCheck %s --check-prefix=LLVM

// A value that is returned twice used to crash the bufferisation.

// LLVM: llvm.func @main
// CHECK-LABEL: @main(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>
func.func @main(%x: tensor<4xf32>, %n: f32)
    -> (tensor<4xf32>, tensor<4xf32>, f32, f32, tensor<4xf32>,
        tensor<4xf32>) {
  // CHECK: %[[Y:.*]] = arith.addf
  // CHECK: %[[Y2:.*]] = bufferization.alloc_tensor() copy(%[[Y]])
  // CHECK: %[[X2:.*]] = bufferization.alloc_tensor() copy(%[[X]])
  // CHECK: return %[[Y]], %[[Y2]], %{{.*}}, %{{.*}}, %[[X]], %[[X2]]
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0, %0, %n, %n, %x, %x
    : tensor<4xf32>, tensor<4xf32>, f32, f32, tensor<4xf32>, tensor<4xf32>
}

// A result in the memory of an argument is none of the copies.
// CHECK-LABEL: @updates(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>
// CHECK: %[[FIRST:.*]] = bufferization.alloc_tensor() copy(%[[X]])
// CHECK: %[[LAST:.*]] = bufferization.alloc_tensor() copy(%[[X]])
// CHECK: return %[[FIRST]], %[[X]], %[[LAST]]
func.func private @updates(%x: tensor<4xf32> {gsa.name = "x"})
    -> (tensor<4xf32>, tensor<4xf32> {gsa.updates = "x"}, tensor<4xf32>) {
  return %x, %x, %x : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
