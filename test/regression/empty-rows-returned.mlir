// gsa-opt topk.mlir --gsa-to-cpu crashed with tensors that have no rows:
// counts and status are then the same value.
//
// RUN: gsa-opt %s --gsa-to-cpu | FileCheck %s
// CHECK: llvm.func @main

func.func @main(%s: tensor<0x3x5xf32>, %k: tensor<0x3xi32>)
    -> (tensor<0x3x4xi32>, tensor<0x3xi32>, tensor<0x3xi32>) {
  %0:3 = gsa.topk %s, %k slots 4
    : (tensor<0x3x5xf32>, tensor<0x3xi32>)
    -> (tensor<0x3x4xi32>, tensor<0x3xi32>, tensor<0x3xi32>)
  return %0#0, %0#1, %0#2
    : tensor<0x3x4xi32>, tensor<0x3xi32>, tensor<0x3xi32>
}
