// RUN: gsa-opt %s --gsa-mark-zones --split-input-file | FileCheck %s

// A call where the zone changes, and one that ends the last zone.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["gates", "dense_attention"]
// CHECK: %[[GATES:.*]] = arith.constant 0 : i64
// CHECK-NEXT: call @gsa_cpu_zone(%[[GATES]])
// CHECK-NEXT: gsa.gate
// CHECK: %[[DENSE:.*]] = arith.constant 1 : i64
// CHECK-NEXT: call @gsa_cpu_zone(%[[DENSE]])
// CHECK-NEXT: gsa.dense_attention
// CHECK: %[[END:.*]] = arith.constant -1 : i64
// CHECK-NEXT: call @gsa_cpu_zone(%[[END]])
// CHECK-NEXT: return
func.func @main(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x2x8xf32>,
                %v: tensor<1x3x2x8xf32>, %g: tensor<1x3x2x8xf32>)
    -> tensor<1x2x4x8xf32> {
  %gated = gsa.gate %v, %g
      : (tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>) -> tensor<1x3x2x8xf32>
  %o, %lse = gsa.dense_attention %q, %k, %gated
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  return %o : tensor<1x2x4x8xf32>
}

// -----

// A gate that attention applies in its epilogue is part of its zone.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["sparse_attention"]
func.func @main(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x2x8xf32>,
                %v: tensor<1x3x2x8xf32>, %i: tensor<1x2x3xi32>,
                %c: tensor<1x2xi32>, %g: tensor<1x2x4x8xf32>)
    -> tensor<1x2x4x8xf32> {
  %o, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>,
         tensor<1x2x3xi32>, tensor<1x2xi32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  %y = gsa.gate %o, %g {gsa.fused_into_producer}
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}
