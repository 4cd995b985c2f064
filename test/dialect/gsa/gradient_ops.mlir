// RUN: gsa-opt %s --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --emit-bytecode | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --cse | FileCheck %s --check-prefix=REIFY

// Every op of a backward function in its shortest form and with everything it
// can carry, with result types that know fewer sizes and more; and the sizes of
// results as values.

// CHECK-LABEL: @attention_row_sums
func.func @attention_row_sums(%o: tensor<2x3x4x6xbf16>, %l: tensor<2x4x3xf32>) {
  // CHECK: gsa.attention_row_sums %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>) -> tensor<2x4x3xf32>
  %0 = gsa.attention_row_sums %o, %o
    : (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>) -> tensor<2x4x3xf32>
  // CHECK: gsa.attention_row_sums %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lse_grad %{{[a-z0-9]+}} : ({{.*}}) -> tensor<?x4x?xf32>
  %1 = gsa.attention_row_sums %o, %o lse_grad %l
    : (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
    -> tensor<?x4x?xf32>
  return
}

// CHECK-LABEL: @gather_attention_grad
func.func @gather_attention_grad(
    %q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>, %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>, %c: tensor<2x3xi32>, %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>, %n: tensor<2xi32>, %d: tensor<?x?x4x?xf16>) {
  // CHECK: gsa.gather_attention_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} output_grad %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} row_sums %{{[a-z0-9]+}} : (
  // CHECK-SAME: -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>, tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  // The key knows the head size, lse the rows.
  // CHECK: gsa.gather_attention_grad {{.*}} row_sums %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} {scale = 5.000000e-01 : f64} : (
  // CHECK-SAME: -> (tensor<2x3x4x8xf16>, tensor<?x?x2x8xf16>, tensor<2x5x?x?xf16>)
  %1:3 = gsa.gather_attention_grad %d, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l lengths %n {scale = 0.5 : f64}
    : (tensor<?x?x4x?xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>, tensor<2x4x3xf32>, tensor<2xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<?x?x2x8xf16>, tensor<2x5x?x?xf16>)
  return
}

// CHECK-LABEL: @dense_attention_grad
func.func @dense_attention_grad(
    %q: tensor<2x3x4x8xf64>, %k: tensor<2x5x2x8xf64>, %v: tensor<2x5x2x6xf64>,
    %o: tensor<2x3x4x6xf64>, %l: tensor<2x4x3xf64>, %n: tensor<2xi32>) {
  // CHECK: gsa.dense_attention_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} output_grad %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} row_sums %{{[a-z0-9]+}} : (
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l row_sums %l
    : (tensor<2x3x4x8xf64>, tensor<2x5x2x8xf64>, tensor<2x5x2x6xf64>,
       tensor<2x3x4x6xf64>, tensor<2x4x3xf64>, tensor<2x4x3xf64>)
    -> (tensor<2x3x4x8xf64>, tensor<2x5x2x8xf64>, tensor<2x5x2x6xf64>)
  // CHECK: gsa.dense_attention_grad {{.*}} lengths %{{[a-z0-9]+}} {mask = #gsa.mask<none>, scale = -2.000000e+00 : f64} : (
  %1:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l row_sums %l
      lengths %n {mask = #gsa.mask<none>, scale = -2.0 : f64}
    : (tensor<2x3x4x8xf64>, tensor<2x5x2x8xf64>, tensor<2x5x2x6xf64>,
       tensor<2x3x4x6xf64>, tensor<2x4x3xf64>, tensor<2x4x3xf64>,
       tensor<2xi32>)
    -> (tensor<2x3x4x8xf64>, tensor<2x5x2x8xf64>, tensor<2x5x2x6xf64>)
  return
}

// CHECK-LABEL: @gate_grad
func.func @gate_grad(%x: tensor<2x3x4x6xbf16>, %z: tensor<2x3x4xf32>,
                     %e: tensor<?x3x4x6xbf16>) {
  // CHECK: gsa.gate_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}} output_grad %{{[a-z0-9]+}} : ({{.*}}) -> (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>)
  %0:2 = gsa.gate_grad %x, %e output_grad %x
    : (tensor<2x3x4x6xbf16>, tensor<?x3x4x6xbf16>, tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>)
  // CHECK: gsa.gate_grad {{.*}} {activation = #gsa.gate_activation<silu>} : ({{.*}}) -> (tensor<2x3x4x6xbf16>, tensor<2x?x4xf32>)
  %1:2 = gsa.gate_grad %x, %z output_grad %x
      {activation = #gsa.gate_activation<silu>}
    : (tensor<2x3x4x6xbf16>, tensor<2x3x4xf32>, tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x?x4xf32>)
  return
}

// CHECK-LABEL: @index_scores_grad
func.func @index_scores_grad(
    %q: tensor<2x3x4x8xbf16>, %k: tensor<2x5x8xbf16>, %w: tensor<2x3x4xf32>,
    %b: tensor<4xbf16>, %g: tensor<2x3x5xf32>, %s: tensor<2x3x7xf32>,
    %i: tensor<2x3x7xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // Without weights and a bias their gradients are in A(T).
  // CHECK: gsa.index_scores_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}} scores_grad %{{[a-z0-9]+}} {mask = #gsa.mask<causal>} : (
  // CHECK-SAME: -> (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>, tensor<4xf32>)
  %0:4 = gsa.index_scores_grad %q, %k scores_grad %g {mask = #gsa.mask<causal>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x5xf32>)
    -> (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>,
        tensor<4xf32>)
  // CHECK: gsa.index_scores_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}} weights %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} scores_grad %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} {scale = 5.000000e-01 : f64, score_activation = #gsa.score_activation<relu>, weight_activation = #gsa.weight_activation<identity>} : (
  // CHECK-SAME: -> (tensor<2x3x4x8xbf16>, tensor<?x5x8xbf16>, tensor<2x3x4xf32>, tensor<?xbf16>)
  %1:4 = gsa.index_scores_grad %q, %k weights %w bias %b scores_grad %s
      indices %i, %c lengths %n
      {scale = 0.5 : f64, score_activation = #gsa.score_activation<relu>,
       weight_activation = #gsa.weight_activation<identity>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>,
       tensor<4xbf16>, tensor<2x3x7xf32>, tensor<2x3x7xi32>, tensor<2x3xi32>,
       tensor<2xi32>)
    -> (tensor<2x3x4x8xbf16>, tensor<?x5x8xbf16>, tensor<2x3x4xf32>,
        tensor<?xbf16>)
  return
}

// CHECK-LABEL: @index_kl
func.func @index_kl(
    %iq: tensor<2x3x4x8xbf16>, %ik: tensor<2x5x8xbf16>, %w: tensor<2x3x4xf32>,
    %b: tensor<4xbf16>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>,
    %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>,
    %n: tensor<2xi32>, %g: tensor<2x3xf32>) {
  // CHECK: gsa.index_kl %{{[a-z0-9]+}}, %{{[a-z0-9]+}} attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} {mask = #gsa.mask<none>} : (
  // CHECK-SAME: -> tensor<2x3xf32>
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x6x7xf16>,
       tensor<2x5x2x7xf16>, tensor<2x6x3xf32>) -> tensor<2x3xf32>
  // CHECK: gsa.index_kl %{{[a-z0-9]+}}, %{{[a-z0-9]+}} weights %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} {clip = 8.000000e+00 : f64, index_scale = 2.500000e-01 : f64, mean_heads, softmax_scale = 5.000000e-01 : f64, temperature = 1.250000e-01 : f64} : (
  // CHECK-SAME: -> tensor<?x3xf32>
  %1 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l
      indices %i, %c lengths %n
      {clip = 8.0 : f64, index_scale = 0.25 : f64, softmax_scale = 0.5 : f64,
       mean_heads, temperature = 0.125 : f64}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>,
       tensor<4xbf16>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>,
       tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
    -> tensor<?x3xf32>
  // CHECK: gsa.index_kl_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}} attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} loss_grad %{{[a-z0-9]+}} {mask = #gsa.mask<causal>} : (
  // CHECK-SAME: -> (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>, tensor<4xf32>)
  %2:4 = gsa.index_kl_grad %iq, %ik attention %q, %k lse %l loss_grad %g
      {mask = #gsa.mask<causal>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x6x7xf16>,
       tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>)
    -> (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>,
        tensor<4xf32>)
  // CHECK: gsa.index_kl_grad %{{[a-z0-9]+}}, %{{[a-z0-9]+}} weights %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} loss_grad %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} {mean_heads, score_activation = #gsa.score_activation<identity>, weight_activation = #gsa.weight_activation<identity>} : (
  // CHECK-SAME: -> (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>, tensor<4xbf16>)
  %3:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l
      loss_grad %g indices %i, %c lengths %n
      {score_activation = #gsa.score_activation<identity>,
       mean_heads,
       weight_activation = #gsa.weight_activation<identity>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>,
       tensor<4xbf16>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>,
       tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>,
       tensor<2xi32>)
    -> (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf32>,
        tensor<4xbf16>)
  return
}

// REIFY-LABEL: @sizes_of_attention(
// REIFY-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x4x8xf32>, %[[K:[a-z0-9]+]]: tensor<?x?x2x8xf32>
func.func @sizes_of_attention(
    %q: tensor<?x?x4x8xf32>, %k: tensor<?x?x2x8xf32>, %i: tensor<?x?x7xi32>,
    %c: tensor<?x?xi32>, %o: tensor<?x?x4x8xf32>, %l: tensor<?x4x?xf32>)
    -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %s = gsa.attention_row_sums %o, %o
    : (tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) -> tensor<?x4x?xf32>
  %0:3 = gsa.gather_attention_grad %q, %k, %k indices %i, %c output_grad %o
      lse %l row_sums %s
    : (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>,
       tensor<?x?x7xi32>, tensor<?x?xi32>, tensor<?x?x4x8xf32>,
       tensor<?x4x?xf32>, tensor<?x4x?xf32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>)
  // REIFY-DAG: %[[C0:.*]] = arith.constant 0 : index
  // REIFY-DAG: %[[C1:.*]] = arith.constant 1 : index
  // REIFY-DAG: %[[B:.*]] = tensor.dim %[[Q]], %[[C0]]
  // REIFY-DAG: %[[SQ:.*]] = tensor.dim %[[Q]], %[[C1]]
  // REIFY-DAG: %[[SK:.*]] = tensor.dim %[[K]], %[[C1]]
  %b = tensor.dim %0#1, %c0 : tensor<?x?x2x8xf32>
  %sq = tensor.dim %0#0, %c1 : tensor<?x?x4x8xf32>
  %sk = tensor.dim %0#2, %c1 : tensor<?x?x2x8xf32>
  %d = tensor.dim %0#2, %c2 : tensor<?x?x2x8xf32>
  // REIFY: return %[[B]], %[[SQ]], %[[SK]], %c2
  return %b, %sq, %sk, %d : index, index, index, index
}

// REIFY-LABEL: @sizes_of_gate(
// REIFY-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x?x6xf32>
func.func @sizes_of_gate(%x: tensor<?x?x?x6xf32>, %z: tensor<?x?x?xf32>)
    -> (index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %0:2 = gsa.gate_grad %x, %z output_grad %x
    : (tensor<?x?x?x6xf32>, tensor<?x?x?xf32>, tensor<?x?x?x6xf32>)
    -> (tensor<?x?x?x6xf32>, tensor<?x?x?xf32>)
  // REIFY-DAG: %[[B:.*]] = tensor.dim %[[X]], %{{.*}}
  // REIFY-DAG: %[[H:.*]] = tensor.dim %[[X]], %{{.*}}
  %b = tensor.dim %0#0, %c0 : tensor<?x?x?x6xf32>
  %h = tensor.dim %0#1, %c2 : tensor<?x?x?xf32>
  // REIFY: return %{{.*}}, %{{.*}}
  return %b, %h : index, index
}

// REIFY-LABEL: @sizes_of_the_indexer(
// REIFY-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x4x8xf32>, %[[K:[a-z0-9]+]]: tensor<?x?x8xf32>
func.func @sizes_of_the_indexer(
    %iq: tensor<?x?x4x8xf32>, %ik: tensor<?x?x8xf32>, %q: tensor<?x?x6x7xf32>,
    %k: tensor<?x?x2x7xf32>, %l: tensor<?x6x?xf32>)
    -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %loss = gsa.index_kl %iq, %ik attention %q, %k lse %l
      {mask = #gsa.mask<causal>}
    : (tensor<?x?x4x8xf32>, tensor<?x?x8xf32>, tensor<?x?x6x7xf32>,
       tensor<?x?x2x7xf32>, tensor<?x6x?xf32>) -> tensor<?x?xf32>
  %0:4 = gsa.index_kl_grad %iq, %ik attention %q, %k lse %l loss_grad %loss
      {mask = #gsa.mask<causal>}
    : (tensor<?x?x4x8xf32>, tensor<?x?x8xf32>, tensor<?x?x6x7xf32>,
       tensor<?x?x2x7xf32>, tensor<?x6x?xf32>, tensor<?x?xf32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x?x8xf32>, tensor<?x?x4xf32>,
        tensor<4xf32>)
  // REIFY-DAG: %[[B:.*]] = tensor.dim %[[Q]], %{{.*}}
  // REIFY-DAG: %[[SK:.*]] = tensor.dim %[[K]], %{{.*}}
  %b = tensor.dim %loss, %c0 : tensor<?x?xf32>
  %sq = tensor.dim %0#2, %c1 : tensor<?x?x4xf32>
  %sk = tensor.dim %0#1, %c1 : tensor<?x?x8xf32>
  %h = tensor.dim %0#2, %c2 : tensor<?x?x4xf32>
  // REIFY: return %{{.*}}, %{{.*}}, %[[SK]], %c4
  return %b, %sq, %sk, %h : index, index, index, index
}
