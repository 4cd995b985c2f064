// RUN: gsa-opt %s -split-input-file -verify-diagnostics | FileCheck %s

// Result types are inferred from the operands; a written result type may know
// fewer sizes or more sizes, but none that contradict.

// CHECK-LABEL: @less_static
// CHECK: gsa.stat_mean
func.func @less_static(%x: tensor<2x5xf32>) -> tensor<f32> {
  %0 = gsa.stat_mean %x : (tensor<2x5xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}
