// RUN: gsa-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --cse | FileCheck %s

// The sizes of each result are expressed by sizes of operands (the first one
// that names the dimension) or by attributes, never by computing the result.

// CHECK-LABEL: @index_scores(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x?x8xf32>, %[[K:[a-z0-9]+]]: tensor<?x?x8xf32>
func.func @index_scores(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x8xf32>)
    -> (index, index, index) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = gsa.index_scores %q, %k
    : (tensor<?x?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x?xf32>
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[Q]], %[[C0]]
  // CHECK-DAG: %[[SQ:.*]] = tensor.dim %[[Q]], %[[C1]]
  // CHECK-DAG: %[[SK:.*]] = tensor.dim %[[K]], %[[C1]]
  %b = tensor.dim %0, %c0 : tensor<?x?x?xf32>
  %sq = tensor.dim %0, %c1 : tensor<?x?x?xf32>
  %sk = tensor.dim %0, %c2 : tensor<?x?x?xf32>
  // CHECK: return %[[B]], %[[SQ]], %[[SK]]
  return %b, %sq, %sk : index, index, index
}

// A size that some operand knows is a constant.
// CHECK-LABEL: @topk(
// CHECK-SAME: %[[S:[a-z0-9]+]]: tensor<?x3x?xf32>, %{{.*}}: tensor<2x?xi32>
func.func @topk(%s: tensor<?x3x?xf32>, %k: tensor<2x?xi32>)
    -> (index, index, index) {
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : index
  // CHECK-DAG: %[[C7:.*]] = arith.constant 7 : index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0:3 = gsa.topk %s, %k slots 7
    : (tensor<?x3x?xf32>, tensor<2x?xi32>)
    -> (tensor<?x?x?xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %b = tensor.dim %0#0, %c0 : tensor<?x?x?xi32>
  %sq = tensor.dim %0#1, %c1 : tensor<?x?xi32>
  %slots = tensor.dim %0#0, %c2 : tensor<?x?x?xi32>
  // CHECK: return %[[C2]], %[[C3]], %[[C7]]
  return %b, %sq, %slots : index, index, index
}

// CHECK-LABEL: @row_statistics(
// CHECK-SAME: %[[S:[a-z0-9]+]]: tensor<?x?x?xf32>
func.func @row_statistics(%s: tensor<?x?x?xf32>) -> (index, index) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0:2 = gsa.row_statistics %s
    : (tensor<?x?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi32>)
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[S]], %[[C0]]
  // CHECK-DAG: %[[SQ:.*]] = tensor.dim %[[S]], %[[C1]]
  %b = tensor.dim %0#0, %c0 : tensor<?x?xf32>
  %sq = tensor.dim %0#1, %c1 : tensor<?x?xi32>
  // CHECK: return %[[B]], %[[SQ]]
  return %b, %sq : index, index
}

// CHECK-LABEL: @adaptive_k(
// CHECK-SAME: %[[N:[a-z0-9]+]]: tensor<?x?xi32>
func.func @adaptive_k(%n: tensor<?x?xi32>) -> index {
  // CHECK: %[[C1:.*]] = arith.constant 1 : index
  %c1 = arith.constant 1 : index
  %0 = gsa.adaptive_k %n policy <fixed, base = 2>
    : (tensor<?x?xi32>) -> tensor<?x?xi32>
  // CHECK: %[[SQ:.*]] = tensor.dim %[[N]], %[[C1]]
  %sq = tensor.dim %0, %c1 : tensor<?x?xi32>
  // CHECK: return %[[SQ]]
  return %sq : index
}

// CHECK-LABEL: @select(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x4x8xf32>
func.func @select(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x8xf32>)
    -> (index, index) {
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0:3 = gsa.select %q, %k policy <upstream_variance, base = 3, max = 64>
    : (tensor<?x?x4x8xf32>, tensor<?x?x8xf32>)
    -> (tensor<?x?x?xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  // CHECK: %[[SQ:.*]] = tensor.dim %[[Q]], %[[C1]]
  %sq = tensor.dim %0#2, %c1 : tensor<?x?xi32>
  %slots = tensor.dim %0#0, %c2 : tensor<?x?x?xi32>
  // CHECK: return %[[SQ]], %[[C4]]
  return %sq, %slots : index, index
}

// out [B,Sq,H,Dv] takes Dv from the value; lse [B,H,Sq] swaps H and Sq.
// CHECK-LABEL: @gather_attention(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x?x8xf32>, %[[K:[a-z0-9]+]]: tensor<?x?x?x8xf32>, %[[V:[a-z0-9]+]]: tensor<?x?x?x?xf32>
func.func @gather_attention(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>,
                            %v: tensor<?x?x?x?xf32>, %i: tensor<?x?x?xi32>,
                            %c: tensor<?x?xi32>) -> (index, index, index) {
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x?xf32>,
       tensor<?x?x?xi32>, tensor<?x?xi32>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>)
  // CHECK-DAG: %[[DV:.*]] = tensor.dim %[[V]], %[[C3]]
  // CHECK-DAG: %[[H:.*]] = tensor.dim %[[Q]], %[[C2]]
  // CHECK-DAG: %[[SQ:.*]] = tensor.dim %[[Q]], %[[C1]]
  %dv = tensor.dim %0#0, %c3 : tensor<?x?x?x?xf32>
  %h = tensor.dim %0#1, %c1 : tensor<?x?x?xf32>
  %sq = tensor.dim %0#1, %c2 : tensor<?x?x?xf32>
  // CHECK: return %[[DV]], %[[H]], %[[SQ]]
  return %dv, %h, %sq : index, index, index
}

// CHECK-LABEL: @dense_attention(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x?x8xf32>, %{{.*}}, %[[V:[a-z0-9]+]]: tensor<?x?x?x?xf32>
func.func @dense_attention(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>,
                           %v: tensor<?x?x?x?xf32>) -> index {
  // CHECK: %[[C3:.*]] = arith.constant 3 : index
  %c3 = arith.constant 3 : index
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x?xf32>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>)
  // CHECK: tensor.dim %[[V]], %[[C3]]
  %dv = tensor.dim %0#0, %c3 : tensor<?x?x?x?xf32>
  return %dv : index
}

// A size that the first part does not know may be known by another.
// CHECK-LABEL: @merge_attention(
// CHECK-SAME: %[[O:[a-z0-9]+]]: tensor<?x?x4x?xf32>
func.func @merge_attention(%o: tensor<?x?x4x?xf32>, %p: tensor<?x?x4x6xf32>,
                           %l: tensor<?x4x?xf32>) -> (index, index) {
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C6:.*]] = arith.constant 6 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %0:2 = gsa.merge_attention %o, %p lse %l, %l
    : (tensor<?x?x4x?xf32>, tensor<?x?x4x6xf32>, tensor<?x4x?xf32>,
       tensor<?x4x?xf32>) -> (tensor<?x?x4x?xf32>, tensor<?x4x?xf32>)
  // CHECK: %[[SQ:.*]] = tensor.dim %[[O]], %[[C1]]
  %sq = tensor.dim %0#0, %c1 : tensor<?x?x4x?xf32>
  %dv = tensor.dim %0#0, %c3 : tensor<?x?x4x?xf32>
  // CHECK: return %[[SQ]], %[[C6]]
  return %sq, %dv : index, index
}

// The rows of a sequence are those of its pages.
// CHECK-LABEL: @paged_rows(
// CHECK-SAME: %[[POOL:[a-z0-9]+]]: tensor<?x2x?x8xf32>, %[[TABLE:[a-z0-9]+]]: tensor<3x?xi32>
func.func @paged_rows(%pool: tensor<?x2x?x8xf32>, %table: tensor<3x?xi32>)
    -> (index, index) {
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = gsa.paged_rows %pool, %table {heads_first}
    : (tensor<?x2x?x8xf32>, tensor<3x?xi32>) -> tensor<3x?x?x8xf32>
  // CHECK-DAG: %[[PAGES:.*]] = tensor.dim %[[TABLE]], %[[C1]]
  // CHECK-DAG: %[[PAGE:.*]] = tensor.dim %[[POOL]], %[[C2]]
  // CHECK: %[[ROWS:.*]] = arith.muli %[[PAGES]], %[[PAGE]]
  %rows = tensor.dim %0, %c1 : tensor<3x?x?x8xf32>
  %heads = tensor.dim %0, %c2 : tensor<3x?x?x8xf32>
  // CHECK: return %[[ROWS]], %[[C2]]
  return %rows, %heads : index, index
}

// Sizes of a cache are its own; those that its rows state are known.
// CHECK-LABEL: @append_rows(
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<3x?x2x8xf32>, %[[CACHE:[a-z0-9]+]]: tensor<?x?x?x8xf32>
func.func @append_rows(%rows: tensor<3x?x2x8xf32>, %cache: tensor<?x?x?x8xf32>,
                       %lengths: tensor<?xi32>)
    -> (index, index, index) {
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = gsa.append_rows %rows to %cache lengths %lengths
    : (tensor<3x?x2x8xf32>, tensor<?x?x?x8xf32>, tensor<?xi32>)
    -> tensor<?x?x?x8xf32>
  // CHECK: %[[ROOM:.*]] = tensor.dim %[[CACHE]], %[[C1]]
  %batches = tensor.dim %0, %c0 : tensor<?x?x?x8xf32>
  %room = tensor.dim %0, %c1 : tensor<?x?x?x8xf32>
  %heads = tensor.dim %0, %c2 : tensor<?x?x?x8xf32>
  // CHECK: return %[[C3]], %[[ROOM]], %[[C2]]
  return %batches, %room, %heads : index, index, index
}

// CHECK-LABEL: @gate_and_rope(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x?x8xf32>
func.func @gate_and_rope(%x: tensor<?x?x?x8xf32>, %l: tensor<?x?x?xf32>,
                         %p: tensor<?x?xi64>) -> (index, index) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %0 = gsa.gate %x, %l
    : (tensor<?x?x?x8xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?x8xf32>
  %1 = gsa.rope %0, %p
    : (tensor<?x?x?x8xf32>, tensor<?x?xi64>) -> tensor<?x?x?x8xf32>
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %[[C0]]
  // CHECK-DAG: %[[H:.*]] = tensor.dim %[[X]], %[[C2]]
  %b = tensor.dim %1, %c0 : tensor<?x?x?x8xf32>
  %h = tensor.dim %1, %c2 : tensor<?x?x?x8xf32>
  // CHECK: return %[[B]], %[[H]]
  return %b, %h : index, index
}

// CHECK-LABEL: @attention(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x4x8xf32>, %{{.*}}, %{{.*}}: tensor<?x?x2x6xf32>
func.func @attention(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x2x8xf32>,
                     %v: tensor<?x?x2x6xf32>, %p: tensor<?x?xi64>,
                     %kp: tensor<?x?xi64>, %iq: tensor<?x?x3x7xf32>,
                     %ik: tensor<?x?x7xf32>) -> (index, index, index) {
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C6:.*]] = arith.constant 6 : index
  // CHECK-DAG: %[[C9:.*]] = arith.constant 9 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 9>
    : (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x6xf32>,
       tensor<?x?xi64>, tensor<?x?xi64>, tensor<?x?x3x7xf32>,
       tensor<?x?x7xf32>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xi32>,
        tensor<?x?xi32>, tensor<?x?xi32>)
  // CHECK: %[[SQ:.*]] = tensor.dim %[[Q]], %[[C1]]
  %sq = tensor.dim %0#3, %c1 : tensor<?x?xi32>
  %dv = tensor.dim %0#0, %c3 : tensor<?x?x?x?xf32>
  %slots = tensor.dim %0#2, %c2 : tensor<?x?x?xi32>
  // CHECK: return %[[SQ]], %[[C6]], %[[C9]]
  return %sq, %dv, %slots : index, index, index
}
