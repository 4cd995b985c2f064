// RUN: gsa-opt %s --gsa-decompose --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-decompose --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=NONE

// The structure of the definitions of what trains the indexer. What they compute
// is checked by running them (test/run/index_gradients.mlir).

// NONE-NOT: gsa.{{[a-z]}}

// CHECK-LABEL: @index_scores_grad
// CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<2x3x4xf32>
func.func @index_scores_grad(
    %q: tensor<2x3x4x8xf16>, %k: tensor<2x5x8xf16>, %w: tensor<2x3x4xf32>,
    %b: tensor<4xf16>, %g: tensor<2x3x7xf32>, %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf32>,
        tensor<4xf16>) {
  // One key head: logits of attention.
  // CHECK: tensor.expand_shape {{.*}} into tensor<2x5x1x8xf16>
  // CHECK: %[[DOTS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x4x7xf32>)
  // dz = grad * sigmoid(w) * s(z) s(-z), 0 in slots without a key.
  // CHECK: %[[DZ:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x4x7xf32>)
  // CHECK: tensor.extract %[[W]]
  // CHECK: tensor.extract %[[DOTS]]
  // CHECK: arith.addf
  // CHECK: arith.negf
  // CHECK: arith.mulf
  // Inverse lists, as in the gradient of attention.
  // CHECK: linalg.fill {{.*}} : tensor<2x5xi64>
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x5x1x8xf16>)
  // CHECK: tensor.extract %[[DZ]]
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x4x8xf16>)
  // CHECK: tensor.extract %[[DZ]]
  // CHECK: tensor.collapse_shape {{.*}} into tensor<2x5x8xf16>
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x4xf32>)
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4xf16>)
  // CHECK: tensor.extract %[[DZ]]
  // CHECK: arith.truncf {{.*}} : f32 to f16
  %0:4 = gsa.index_scores_grad %q, %k weights %w bias %b scores_grad %g
      indices %i, %c
    : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf32>,
       tensor<4xf16>, tensor<2x3x7xf32>, tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf32>,
        tensor<4xf16>)
  return %0#0, %0#1, %0#2, %0#3
    : tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf32>, tensor<4xf16>
}

// -----

// Without lists: those of all keys that a row sees. A ratio is cut, but not NaN.
// CHECK-LABEL: @index_kl
// CHECK-SAME: %[[N:[a-z0-9]+]]: tensor<2xi32>
func.func @index_kl(
    %iq: tensor<2x3x4x8xf32>, %ik: tensor<2x5x8xf32>, %q: tensor<2x3x6x7xf32>,
    %k: tensor<2x5x2x7xf32>, %l: tensor<2x6x3xf32>, %n: tensor<2xi32>)
    -> tensor<2x3xf32> {
  // CHECK: outs(%{{.*}} : tensor<2x3x5xi32>)
  // CHECK: outs(%{{.*}} : tensor<2x3xi32>)
  // CHECK: tensor.extract %[[N]]
  // Logits, those less the lse, the largest of each head, masses relative to it, a and
  // its sum.
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x6x5xf32>)
  // CHECK: %[[L:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x6x5xf32>)
  // CHECK: %[[MAX:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x6xf32>)
  // CHECK: arith.maxnumf
  // CHECK: %[[MASS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x6xf32>)
  // CHECK: tensor.extract %[[L]]
  // CHECK: tensor.extract %[[MAX]]
  // CHECK: math.exp
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x5xf32>)
  // CHECK: tensor.extract %[[MAX]]
  // CHECK: tensor.extract %[[MASS]]
  // CHECK: arith.divf
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3xf32>)
  // Scores over the temperature, and their log-sum-exp.
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x5xf32>)
  // CHECK: arith.divf %{{.*}}, %{{.*}} : f32
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3xf32>)
  // CHECK: math.log
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3xf32>)
  // CHECK: math.log
  // CHECK: arith.cmpf ogt
  // CHECK-NOT: tensor.extract %[[N]]
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l lengths %n
      {mask = #gsa.mask<causal>, mean_heads,
       temperature = 0.5 : f64, clip = 4.0 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x6x7xf32>,
       tensor<2x5x2x7xf32>, tensor<2x6x3xf32>, tensor<2xi32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Gradients of scores, and then those of the indexer.
// CHECK-LABEL: @index_kl_grad
func.func @index_kl_grad(
    %iq: tensor<2x3x4x8xf32>, %ik: tensor<2x5x8xf32>, %q: tensor<2x3x6x7xf32>,
    %k: tensor<2x5x2x7xf32>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>, %g: tensor<2x3xf32>) -> tensor<2x5x8xf32> {
  // CHECK: math.log
  // CHECK: %[[GRAD:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x7xf32>)
  // CHECK: math.exp
  // CHECK: arith.subf
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x3x4x7xf32>)
  // CHECK: tensor.extract %[[GRAD]]
  // CHECK: tensor.collapse_shape {{.*}} into tensor<2x5x8xf32>
  %0:4 = gsa.index_kl_grad %iq, %ik attention %q, %k lse %l loss_grad %g
      indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x6x7xf32>,
       tensor<2x5x2x7xf32>, tensor<2x6x3xf32>, tensor<2x3xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x4xf32>,
        tensor<4xf32>)
  return %0#1 : tensor<2x5x8xf32>
}
