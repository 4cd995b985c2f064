// Projections in f16 and bf16 sum up in f32 and round once; others stay.

// RUN: gsa-opt %s --pass-pipeline='builtin.module(func.func(gsa-cpu-widen-sums))' | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @projection
// CHECK-SAME: %[[X:.*]]: tensor<4x8xbf16>, %[[W:.*]]: tensor<6x8xbf16>, %[[INIT:.*]]: tensor<4x6xbf16>
// CHECK: %[[START:.*]] = arith.extf %[[INIT]] : tensor<4x6xbf16> to tensor<4x6xf32>
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK-SAME: ins(%[[X]], %[[W]] : {{.*}}) outs(%[[START]] : tensor<4x6xf32>)
// CHECK: ^bb0(%[[A:.*]]: bf16, %[[B:.*]]: bf16, %[[C:.*]]: f32):
// CHECK-DAG: %[[AW:.*]] = arith.extf %[[A]] : bf16 to f32
// CHECK-DAG: %[[BW:.*]] = arith.extf %[[B]] : bf16 to f32
// CHECK: %[[P:.*]] = arith.mulf %[[AW]], %[[BW]] : f32
// CHECK: %[[S:.*]] = arith.addf %[[C]], %[[P]] : f32
// CHECK: linalg.yield %[[S]] : f32
// CHECK: %[[R:.*]] = arith.truncf %[[SUM]] : tensor<4x6xf32> to tensor<4x6xbf16>
// CHECK: return %[[R]]
func.func @projection(%x: tensor<4x8xbf16>, %w: tensor<6x8xbf16>,
                      %init: tensor<4x6xbf16>) -> tensor<4x6xbf16> {
  %0 = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %w : tensor<4x8xbf16>, tensor<6x8xbf16>)
      outs(%init : tensor<4x6xbf16>) -> tensor<4x6xbf16>
  return %0 : tensor<4x6xbf16>
}

// CHECK-LABEL: @f16
// CHECK: arith.truncf {{.*}} : tensor<4x6xf32> to tensor<4x6xf16>
func.func @f16(%x: tensor<4x8xf16>, %w: tensor<8x6xf16>,
               %init: tensor<4x6xf16>) -> tensor<4x6xf16> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf16>, tensor<8x6xf16>)
      outs(%init : tensor<4x6xf16>) -> tensor<4x6xf16>
  return %0 : tensor<4x6xf16>
}

// An accumulator that is wide already, and a sum without products.
// CHECK-LABEL: @others
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @others(%x: tensor<4x8xbf16>, %w: tensor<6x8xbf16>,
                  %init: tensor<4x6xf32>, %sums: tensor<4xbf16>)
    -> (tensor<4x6xf32>, tensor<4xbf16>) {
  %0 = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %w : tensor<4x8xbf16>, tensor<6x8xbf16>)
      outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = linalg.reduce ins(%x : tensor<4x8xbf16>) outs(%sums : tensor<4xbf16>)
      dimensions = [1]
      (%a: bf16, %b: bf16) {
        %2 = arith.addf %a, %b : bf16
        linalg.yield %2 : bf16
      }
  return %0, %1 : tensor<4x6xf32>, tensor<4xbf16>
}
