// RUN: gsa-opt %s --gsa-differentiate="function=layer inputs=w outputs=y" | FileCheck %s
// RUN: not gsa-opt %s --gsa-differentiate="function=layer inputs=v" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not gsa-opt %s --gsa-differentiate="function=layer save=list" 2>&1 | FileCheck %s --check-prefix=SAVE
// RUN: not gsa-opt %s --gsa-differentiate="function=layer outputs=counts" 2>&1 | FileCheck %s --check-prefix=INTEGER
// RUN: not gsa-opt %s --gsa-differentiate="function=layer inputs=u" 2>&1 | FileCheck %s --check-prefix=UNREACHED
// RUN: not gsa-opt %s --gsa-differentiate="function=layer inputs=w outputs=other" 2>&1 | FileCheck %s --check-prefix=CONSTANT
// RUN: gsa-opt %s --gsa-differentiate="function=choice save=all" | FileCheck %s --check-prefix=ALL
// RUN: not gsa-opt %s --gsa-differentiate="function=taken save=all" 2>&1 | FileCheck %s --check-prefix=TAKEN

// What is not asked for has no gradient, and what only that needs is not there.

// UNKNOWN: error: gsa-differentiate: option 'inputs' names arguments of @layer: expected one of x, w, u, n, got 'v'; did you mean 'x'?
// SAVE: for the --save option: expected one of none, lists, attention, all, got 'list'; did you mean 'lists'?
// INTEGER: error: gsa-differentiate: 'counts' in option 'outputs' has no gradient: expected a ranked tensor of floats, got 'tensor<2xi32>'
// UNREACHED: error: gsa-differentiate: 'u' in option 'inputs' has no gradient: no differentiated result depends on it, but through a selection or as the target of an indexer
// CONSTANT: error: gsa-differentiate: 'other' in option 'outputs' depends on no differentiated argument, but through a selection or as the target of an indexer

// CHECK-LABEL: func.func @layer_backward(
// CHECK-SAME: %[[X:.*]]: tensor<2xf32> {gsa.name = "x"}, %[[D:.*]]: tensor<2xf32> {gsa.name = "y_grad"})
// CHECK-SAME: -> (tensor<2xf32> {gsa.name = "w_grad"})
// CHECK: %[[G:.*]] = linalg.generic {{.*}} ins(%[[D]], %[[X]] :
// CHECK-NOT: linalg.generic
// CHECK: return %[[G]]
func.func @layer(%x: tensor<2xf32> {gsa.name = "x"},
                 %w: tensor<2xf32> {gsa.name = "w"},
                 %u: tensor<2xf32> {gsa.name = "u"},
                 %n: tensor<2xi32> {gsa.name = "n"})
    -> (tensor<2xf32> {gsa.name = "y"}, tensor<2xf32> {gsa.name = "other"},
        tensor<2xi32> {gsa.name = "counts"}) {
  %y = arith.mulf %x, %w : tensor<2xf32>
  %z = math.exp %x : tensor<2xf32>
  return %y, %z, %n : tensor<2xf32>, tensor<2xf32>, tensor<2xi32>
}

// A comparison is computed again: no function returns i1. What is made of a
// private function is there to be called from outside.
// ALL-LABEL: func.func @choice_forward(
// ALL-SAME: -> (tensor<2xf32> {gsa.name = "y"}, tensor<2xf32> {gsa.name = "saved0"})
// ALL-LABEL: func.func @choice_backward(
// ALL-SAME: tensor<2xf32> {gsa.name = "saved0"})
// ALL: arith.cmpf
func.func private @choice(%x: tensor<2xf32> {gsa.name = "x"},
                          %w: tensor<2xf32> {gsa.name = "w"})
    -> (tensor<2xf32> {gsa.name = "y"}) {
  %z = math.exp %x : tensor<2xf32>
  %c = arith.cmpf ogt, %z, %w : tensor<2xf32>
  %y = arith.select %c, %w, %z : tensor<2xi1>, tensor<2xf32>
  return %y : tensor<2xf32>
}

// TAKEN: error: gsa-differentiate: @taken_forward would have two results named 'saved0'; rename the result of @taken
func.func @taken(%x: tensor<2xf32> {gsa.name = "x"},
                 %w: tensor<2xf32> {gsa.name = "w"})
    -> (tensor<2xf32> {gsa.name = "saved0"}) {
  %z = math.exp %x : tensor<2xf32>
  %y = arith.mulf %z, %w : tensor<2xf32>
  return %y : tensor<2xf32>
}
