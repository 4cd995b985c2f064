// RUN: gsa-opt %s --canonicalize | FileCheck %s

// gsa.rope at position 0 rotates by nothing and folds to its input, if the
// types are equal.

// CHECK-LABEL: @rope_position_zero(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x3x2x8xf32>
func.func @rope_position_zero(%x: tensor<1x3x2x8xf32>) -> tensor<1x3x2x8xf32> {
  // CHECK-NEXT: return %[[X]]
  %p = arith.constant dense<0> : tensor<1x3xi64>
  %0 = gsa.rope %x, %p
    : (tensor<1x3x2x8xf32>, tensor<1x3xi64>) -> tensor<1x3x2x8xf32>
  return %0 : tensor<1x3x2x8xf32>
}

// CHECK-LABEL: @rope_other_positions
func.func @rope_other_positions(%x: tensor<1x3x2x8xf32>)
    -> (tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>) {
  // CHECK-COUNT-2: gsa.rope
  %p = arith.constant dense<[[0, 1, 2]]> : tensor<1x3xi64>
  %0 = gsa.rope %x, %p
    : (tensor<1x3x2x8xf32>, tensor<1x3xi64>) -> tensor<1x3x2x8xf32>
  %one = arith.constant dense<1> : tensor<1x3xi64>
  %1 = gsa.rope %x, %one
    : (tensor<1x3x2x8xf32>, tensor<1x3xi64>) -> tensor<1x3x2x8xf32>
  return %0, %1 : tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>
}

// CHECK-LABEL: @rope_unknown_positions
func.func @rope_unknown_positions(%x: tensor<1x3x2x8xf32>,
                                  %p: tensor<1x3xi64>) -> tensor<1x3x2x8xf32> {
  // CHECK: gsa.rope
  %0 = gsa.rope %x, %p
    : (tensor<1x3x2x8xf32>, tensor<1x3xi64>) -> tensor<1x3x2x8xf32>
  return %0 : tensor<1x3x2x8xf32>
}

// A result type that knows less is not the input.
// CHECK-LABEL: @rope_other_type
func.func @rope_other_type(%x: tensor<1x3x2x8xf32>) -> tensor<?x3x2x8xf32> {
  // CHECK: gsa.rope
  %p = arith.constant dense<0> : tensor<1x3xi64>
  %0 = gsa.rope %x, %p
    : (tensor<1x3x2x8xf32>, tensor<1x3xi64>) -> tensor<?x3x2x8xf32>
  return %0 : tensor<?x3x2x8xf32>
}

// Constants without elements and constants whose data is a resource are left
// alone.
// CHECK-LABEL: @rope_odd_constants
func.func @rope_odd_constants(%x: tensor<0x3x2x8xf32>)
    -> (tensor<0x3x2x8xf32>, tensor<0x3x2x8xf32>) {
  %p = arith.constant dense<> : tensor<0x3xi64>
  %0 = gsa.rope %x, %p
    : (tensor<0x3x2x8xf32>, tensor<0x3xi64>) -> tensor<0x3x2x8xf32>
  // CHECK: gsa.rope
  %r = arith.constant dense_resource<positions> : tensor<0x3xi64>
  %1 = gsa.rope %x, %r
    : (tensor<0x3x2x8xf32>, tensor<0x3xi64>) -> tensor<0x3x2x8xf32>
  return %0, %1 : tensor<0x3x2x8xf32>, tensor<0x3x2x8xf32>
}

// Ops have no effects: unused ones go.
// CHECK-LABEL: @dead
func.func @dead(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // CHECK-NOT: gsa.
  // CHECK: return
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}
