// RUN: gsa-opt %s --gsa-decompose --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-decompose --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=NONE

// The structure of the definitions of gradients. What they compute is checked by
// running them (test/run/gradients.mlir).

// NONE-NOT: gsa.{{[a-z]}}

// A dot product per row and head, less the gradient of lse.
// CHECK-LABEL: @attention_row_sums
// CHECK-SAME: %[[L:[a-z0-9]+]]: tensor<2x4x3xf32>
func.func @attention_row_sums(%o: tensor<2x3x4x6xbf16>, %l: tensor<2x4x3xf32>)
    -> tensor<2x4x3xf32> {
  // CHECK: linalg.generic
  // CHECK: %[[B:.*]] = linalg.index 0
  // CHECK: %[[J:.*]] = linalg.index 1
  // CHECK: %[[T:.*]] = linalg.index 2
  // CHECK: %[[SUM:.*]] = scf.for
  // CHECK: tensor.extract %{{.*}}[%[[B]], %[[T]], %[[J]], %{{.*}}]
  // CHECK: %[[GRAD:.*]] = tensor.extract %[[L]][%[[B]], %[[J]], %[[T]]]
  // CHECK: arith.subf %[[SUM]], %[[GRAD]]
  %0 = gsa.attention_row_sums %o, %o lse_grad %l
    : (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
    -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// -----

// CHECK-LABEL: @gather_attention_grad
func.func @gather_attention_grad(
    %q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>, %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>, %c: tensor<2x3xi32>, %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>) {
  // Logits, then p = exp(l - lse), which is 0 without a key.
  // CHECK: linalg.generic
  // CHECK: %[[P:.*]] = linalg.generic
  // CHECK: %[[LSE:.*]] = tensor.extract %{{.*}} : tensor<2x4x3xf32>
  // CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[LSE]]
  // CHECK: %[[NOTHING:.*]] = arith.ori %{{.*}}, %[[EMPTY]]
  // CHECK: math.exp
  // CHECK: arith.select %[[NOTHING]]
  // dl = p * (<output_grad, v> - row_sums)
  // CHECK: %[[DL:.*]] = linalg.generic
  // CHECK: %[[DP:.*]] = scf.for
  // CHECK: arith.subf %[[DP]]
  // CHECK: arith.mulf
  // The inverse lists, in order: how often each key is listed, where its places
  // begin, and the places.
  // CHECK: linalg.fill {{.*}} : tensor<2x5xi64>
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: arith.cmpi ult
  // CHECK: tensor.insert
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: tensor.insert
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: tensor.insert {{.*}} : tensor<2x5xi64>
  // CHECK: tensor.insert {{.*}} : tensor<2x3x7xi64>
  // Each cell of each gradient is a sum of its own, rounded once.
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel"]{{.*}} outs({{.*}} : tensor<2x3x4x8xf16>)
  // CHECK: tensor.extract %[[DL]]
  // CHECK: arith.truncf {{.*}} : f32 to f16
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel"]{{.*}} outs({{.*}} : tensor<2x5x2x8xf16>)
  // CHECK: tensor.extract %[[DL]]
  // CHECK: arith.truncf {{.*}} : f32 to f16
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel"]{{.*}} outs({{.*}} : tensor<2x5x2x6xf16>)
  // CHECK: tensor.extract %[[P]]
  // CHECK: arith.truncf {{.*}} : f32 to f16
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>, tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return %0#0, %0#1, %0#2
    : tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>
}

// -----

// Over all keys: the lists of attention over all keys, so lengths are in the
// counts.
// CHECK-LABEL: @dense_attention_grad
// CHECK-SAME: %[[N:[a-z0-9]+]]: tensor<2xi32>
func.func @dense_attention_grad(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>, %o: tensor<2x3x4x8xf32>,
    %l: tensor<2x4x3xf32>, %n: tensor<2xi32>) -> tensor<2x3x4x8xf32> {
  // CHECK: outs(%{{.*}} : tensor<2x3x5xi32>)
  // CHECK: outs(%{{.*}} : tensor<2x3xi32>)
  // CHECK: tensor.extract %[[N]]
  // CHECK: outs(%{{.*}} : tensor<2x3x4x5xf32>)
  // CHECK-NOT: tensor.extract %[[N]]
  %0:3 = gsa.dense_attention_grad %q, %k, %k output_grad %o lse %l row_sums %l
      lengths %n
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x4x8xf32>, tensor<2x4x3xf32>, tensor<2x4x3xf32>,
       tensor<2xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>)
  return %0#0 : tensor<2x3x4x8xf32>
}

// -----

// CHECK-LABEL: @gate_grad
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4x6xbf16>, %[[Z:[a-z0-9]+]]: tensor<2x3x4x6xf32>
func.func @gate_grad(%x: tensor<2x3x4x6xbf16>, %z: tensor<2x3x4x6xf32>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xf32>) {
  // CHECK: linalg.generic {{.*}} ins(%[[X]], %[[Z]] :
  // CHECK: arith.truncf {{.*}} : f32 to bf16
  // The slope is s(z) s(-z): 1 - s(z) would be 0 for large z.
  // CHECK: linalg.generic {{.*}} ins(%[[X]], %[[X]], %[[Z]] :
  // CHECK-NOT: arith.subf
  // CHECK: linalg.yield {{.*}} : f32
  %0:2 = gsa.gate_grad %x, %z output_grad %x
    : (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xf32>, tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xf32>)
  return %0#0, %0#1 : tensor<2x3x4x6xbf16>, tensor<2x3x4x6xf32>
}

// -----

// One logit for a head: the sum over the head.
// CHECK-LABEL: @gate_grad_per_head
func.func @gate_grad_per_head(%x: tensor<2x3x4x6xf32>, %z: tensor<2x3x4xf32>)
    -> tensor<2x3x4xf32> {
  // CHECK: outs(%{{.*}} : tensor<2x3x4xf32>)
  // CHECK: scf.for
  // CHECK: linalg.yield {{.*}} : f32
  %0:2 = gsa.gate_grad %x, %z output_grad %x
      {activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x6xf32>, tensor<2x3x4xf32>, tensor<2x3x4x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x3x4xf32>)
  return %0#1 : tensor<2x3x4xf32>
}
