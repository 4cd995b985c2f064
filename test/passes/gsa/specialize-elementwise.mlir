// RUN: gsa-opt %s --gsa-specialize-shapes="entry=gate shapes=1x3x4x8,1x3x4x8" | FileCheck %s
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=2x3x4,2x3x4" | FileCheck %s --check-prefix=CHAIN
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=choose shapes=2x3,,2x3" | FileCheck %s --check-prefix=CHOOSE
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=gate shapes=1x3x4x8,1x5x4x8" 2>&1 | FileCheck %s --check-prefix=CONTRADICTION
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=2x3x4,2x5x4" 2>&1 | FileCheck %s --check-prefix=LATER

// Arithmetic on tensors: all of its tensors have one shape, so what one of them
// knows reaches the others.

// CHECK-LABEL: func.func @gate(
// CHECK-NOT: ?
// CHECK: %[[T:.*]] = math.tanh %{{.*}} : tensor<1x3x4x8xf32>
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %{{.*}}, %[[T]] : tensor<1x3x4x8xf32>
// CHECK-NEXT: return %[[Y]] : tensor<1x3x4x8xf32>
// CONTRADICTION: [[# @LINE + 4]]:8: error: 'arith.mulf' op expected tensors of one shape, got {{.*}}tensor<1x5x4x8xf32>
func.func @gate(%x: tensor<?x?x4x8xf32>, %g: tensor<?x?x4x8xf32>)
    -> tensor<?x?x4x8xf32> {
  %t = math.tanh %g : tensor<?x?x4x8xf32>
  %y = arith.mulf %x, %t : tensor<?x?x4x8xf32>
  return %y : tensor<?x?x4x8xf32>
}

// Through changes of the element type, constants of sizes that are computed,
// comparisons and named ops, in a chain.
// CHAIN-LABEL: func.func @chain(
// CHAIN-NOT: ?
// CHAIN: arith.extf %{{.*}} : tensor<2x3x4xbf16> to tensor<2x3x4xf32>
// CHAIN-NOT: ?
// CHAIN: arith.select %{{.*}} : tensor<2x3x4xi1>, tensor<2x3x4xf32>
// CHAIN-NOT: ?
// CHAIN: linalg.map { math.absf } ins(%{{.*}} : tensor<2x3x4xf32>)
// CHAIN-NOT: ?
// CHAIN: linalg.elementwise {{.*}} -> tensor<2x3x4xf32>
// CHAIN-NOT: ?
// CHAIN: return %{{.*}} : tensor<2x3x4xbf16>
// LATER: error: {{.*}} op expected tensors of one shape, got
func.func @chain(%x: tensor<?x?x4xbf16>, %g: tensor<?x?x4xbf16>)
    -> tensor<?x?x4xbf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %w = arith.extf %g : tensor<?x?x4xbf16> to tensor<?x?x4xf32>
  %v = arith.extf %x : tensor<?x?x4xbf16> to tensor<?x?x4xf32>
  %b = tensor.dim %w, %c0 : tensor<?x?x4xf32>
  %s = tensor.dim %w, %c1 : tensor<?x?x4xf32>
  %e = tensor.empty(%b, %s) : tensor<?x?x4xf32>
  %ones = tensor.splat %one[%b, %s] : tensor<?x?x4xf32>
  %n = arith.negf %w : tensor<?x?x4xf32>
  %p = math.exp %n : tensor<?x?x4xf32>
  %d = arith.addf %ones, %p : tensor<?x?x4xf32>
  %isLarge = arith.cmpf oge, %d, %v : tensor<?x?x4xf32>
  %m = arith.select %isLarge, %d, %v : tensor<?x?x4xi1>, tensor<?x?x4xf32>
  %a = linalg.map { math.absf } ins(%m : tensor<?x?x4xf32>)
      outs(%e : tensor<?x?x4xf32>)
  %t = linalg.elementwise kind=#linalg.elementwise_kind<tanh>
      ins(%a : tensor<?x?x4xf32>) outs(%e : tensor<?x?x4xf32>)
      -> tensor<?x?x4xf32>
  %y = arith.truncf %t : tensor<?x?x4xf32> to tensor<?x?x4xbf16>
  return %y : tensor<?x?x4xbf16>
}

// A scalar among the operands has no sizes.
// CHOOSE-LABEL: func.func @choose(
// CHOOSE: arith.select %{{.*}} : tensor<2x3xf32>
// CHOOSE-NEXT: return %{{.*}} : tensor<2x3xf32>
func.func @choose(%x: tensor<?x?xf32>, %c: i1, %y: tensor<?x?xf32>)
    -> tensor<?x?xf32> {
  %z = arith.select %c, %x, %y : tensor<?x?xf32>
  return %z : tensor<?x?xf32>
}
