// RUN: gsa-opt %s --gsa-to-cuda="stop-after=tile" | FileCheck %s

// A chain of arithmetic on tensors is one kernel: what is between its ops stays
// in registers, and the result of a comparison needs no tensor of its own.

// CHECK-COUNT-1: gsa_tile.kernel @map
// CHECK: gsa_tile.for_each
// CHECK: %[[G:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK: math.exp
// CHECK: %[[C:.*]] = arith.cmpf ogt, %[[G]], %{{.*}} : f32
// CHECK: arith.select %[[C]]
// CHECK: gsa_tile.store
// CHECK-NOT: gsa_tile.kernel
// CHECK: func.func @main
// CHECK-COUNT-1: gsa_tile.launch
// CHECK-NOT: gsa_tile.launch
func.func @main(%x: tensor<2x3xbf16>, %g: tensor<2x3xbf16>)
    -> tensor<2x3xbf16> {
  %one = arith.constant dense<1.0> : tensor<2x3xf32>
  %zero = arith.constant dense<0.0> : tensor<2x3xf32>
  %gw = arith.extf %g : tensor<2x3xbf16> to tensor<2x3xf32>
  %xw = arith.extf %x : tensor<2x3xbf16> to tensor<2x3xf32>
  %n = arith.negf %gw : tensor<2x3xf32>
  %e = math.exp %n : tensor<2x3xf32>
  %d = arith.addf %one, %e : tensor<2x3xf32>
  %q = arith.divf %xw, %d : tensor<2x3xf32>
  %isLarge = arith.cmpf ogt, %gw, %zero : tensor<2x3xf32>
  %z = arith.select %isLarge, %q, %xw : tensor<2x3xi1>, tensor<2x3xf32>
  %y = arith.truncf %z : tensor<2x3xf32> to tensor<2x3xbf16>
  return %y : tensor<2x3xbf16>
}
