// RUN: gsa-opt %s --gsa-drop-empty --canonicalize | FileCheck %s
// RUN: gsa-opt %s --gsa-drop-empty --remarks-filter=gsa.fold -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: remark: [Passed] DroppedEmpty | Category:gsa.fold{{.*}}gsa.gate
// REMARK: remark: [Passed] DroppedEmpty | Category:gsa.fold{{.*}}linalg.exp
// REMARK-NOT: DroppedEmpty

// Everything that has no elements becomes an empty tensor.
// CHECK-LABEL: func.func @nothing(
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<2x0x4x8xf32>
// CHECK-NEXT: return %[[EMPTY]]
func.func @nothing(%x: tensor<2x0x4x8xf32>) -> tensor<2x0x4x8xf32> {
  %0 = gsa.gate %x, %x
    : (tensor<2x0x4x8xf32>, tensor<2x0x4x8xf32>) -> tensor<2x0x4x8xf32>
  %e = tensor.empty() : tensor<2x0x4x8xf32>
  %1 = linalg.exp ins(%0 : tensor<2x0x4x8xf32>) outs(%e : tensor<2x0x4x8xf32>)
    -> tensor<2x0x4x8xf32>
  return %1 : tensor<2x0x4x8xf32>
}

// Attention over no keys has rows to return, and the mean of no rows is 0.
// CHECK-LABEL: func.func @filled(
// CHECK: gsa.dense_attention
// CHECK: gsa.stat_mean
func.func @filled(%q: tensor<1x3x4x8xf32>, %k: tensor<1x0x4x8xf32>, %s: tensor<1x0xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>, tensor<f32>) {
  %o, %l = gsa.dense_attention %q, %k, %k
    : (tensor<1x3x4x8xf32>, tensor<1x0x4x8xf32>, tensor<1x0x4x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %m = gsa.stat_mean %s : (tensor<1x0xf32>) -> tensor<f32>
  return %o, %l, %m : tensor<1x3x4x8xf32>, tensor<1x4x3xf32>, tensor<f32>
}

// Whether a dynamic size is 0 is not known.
// CHECK-LABEL: func.func @dynamic(
// CHECK: gsa.gate
func.func @dynamic(%x: tensor<?x0x4x8xf32>) -> tensor<?x0x4x8xf32> {
  %0 = gsa.gate %x, %x
    : (tensor<?x0x4x8xf32>, tensor<?x0x4x8xf32>) -> tensor<?x0x4x8xf32>
  return %0 : tensor<?x0x4x8xf32>
}
