// RUN: gsa-opt %s --canonicalize | FileCheck %s
// RUN: gsa-opt %s --canonicalize --remarks-filter="gsa.fold" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Each pattern of GsaCanonicalize.cpp where it applies and where it must not.

//===----------------------------------------------------------------------===//
// The causal mask of a single query
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @single_query
func.func @single_query(%q: tensor<2x1x4x8xf32>, %k: tensor<2x?x8xf32>,
                        %aq: tensor<2x1x4x8xf32>, %ak: tensor<2x?x2x8xf32>)
    -> (tensor<2x1x?xf32>, tensor<2x1x3xi32>, tensor<2x1x4x8xf32>) {
  // CHECK: gsa.index_scores
  // CHECK-SAME: mask = #gsa.mask<none>
  %0 = gsa.index_scores %q, %k
    : (tensor<2x1x4x8xf32>, tensor<2x?x8xf32>) -> tensor<2x1x?xf32>
  // CHECK: gsa.select
  // CHECK-SAME: mask = #gsa.mask<none>
  %1:3 = gsa.select %q, %k policy <fixed, base = 3>
    : (tensor<2x1x4x8xf32>, tensor<2x?x8xf32>)
    -> (tensor<2x1x3xi32>, tensor<2x1xi32>, tensor<2x1xi32>)
  // CHECK: gsa.dense_attention
  // CHECK-SAME: mask = #gsa.mask<none>
  %2:2 = gsa.dense_attention %aq, %ak, %ak
    : (tensor<2x1x4x8xf32>, tensor<2x?x2x8xf32>, tensor<2x?x2x8xf32>)
    -> (tensor<2x1x4x8xf32>, tensor<2x4x1xf32>)
  return %0, %1#0, %2#0
    : tensor<2x1x?xf32>, tensor<2x1x3xi32>, tensor<2x1x4x8xf32>
}

// CHECK-LABEL: @more_queries
func.func @more_queries(%q: tensor<2x2x4x8xf32>, %d: tensor<2x?x4x8xf32>,
                        %k: tensor<2x5x8xf32>, %ak: tensor<2x5x2x8xf32>)
    -> (tensor<2x2x5xf32>, tensor<2x?x5xf32>, tensor<2x2x4x8xf32>) {
  // CHECK-NOT: mask
  %0 = gsa.index_scores %q, %k
    : (tensor<2x2x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x2x5xf32>
  %1 = gsa.index_scores %d, %k
    : (tensor<2x?x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x?x5xf32>
  %2:2 = gsa.dense_attention %q, %ak, %ak
    : (tensor<2x2x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>)
    -> (tensor<2x2x4x8xf32>, tensor<2x4x2xf32>)
  // CHECK: return
  return %0, %1, %2#0
    : tensor<2x2x5xf32>, tensor<2x?x5xf32>, tensor<2x2x4x8xf32>
}

//===----------------------------------------------------------------------===//
// A bias of zeros
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @zero_bias
func.func @zero_bias(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                     %w: tensor<2x3x4xf32>)
    -> (tensor<2x3x5xf32>, tensor<2x3x2xi32>) {
  // CHECK-NOT: bias
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %minus = arith.constant dense<-0.0> : tensor<4xf32>
  // CHECK: gsa.index_scores %{{.*}}, %{{.*}} weights %{{.*}} :
  %0 = gsa.index_scores %q, %k weights %w bias %zero
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x4xf32>,
       tensor<4xf32>) -> tensor<2x3x5xf32>
  // CHECK: gsa.select %{{.*}}, %{{.*}} policy
  %1:3 = gsa.select %q, %k bias %minus policy <fixed, base = 2>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf32>)
    -> (tensor<2x3x2xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %0, %1#0 : tensor<2x3x5xf32>, tensor<2x3x2xi32>
}

// CHECK-LABEL: @other_bias
func.func @other_bias(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x5xf32>, tensor<2x3x5xf32>, tensor<2x3x5xf32>) {
  // CHECK-COUNT-3: gsa.index_scores {{.*}} bias
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %mixed = arith.constant dense<[0.0, 0.0, 0.0, 0.5]> : tensor<4xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<4xf32>
  %0 = gsa.index_scores %q, %k bias %one
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf32>)
    -> tensor<2x3x5xf32>
  %1 = gsa.index_scores %q, %k bias %mixed
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf32>)
    -> tensor<2x3x5xf32>
  %2 = gsa.index_scores %q, %k bias %nan
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf32>)
    -> tensor<2x3x5xf32>
  return %0, %1, %2
    : tensor<2x3x5xf32>, tensor<2x3x5xf32>, tensor<2x3x5xf32>
}

//===----------------------------------------------------------------------===//
// The statistic of a fixed budget
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @unused_statistic
func.func @unused_statistic(%s: tensor<2x3x5xf32>)
    -> (tensor<2x3xi32>, tensor<2x3xi32>) {
  %0:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  // CHECK: gsa.adaptive_k %{{.*}} policy <fixed, base = 3>
  %1 = gsa.adaptive_k %0#1 statistic %0#0 policy <fixed, base = 3>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  // CHECK: gsa.adaptive_k %{{.*}} statistic %{{.*}} policy <entropy
  %2 = gsa.adaptive_k %0#1 statistic %0#0 policy <entropy, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  return %1, %2 : tensor<2x3xi32>, tensor<2x3xi32>
}

//===----------------------------------------------------------------------===//
// Gates of constant logits
//===----------------------------------------------------------------------===//

// sigmoid(0) = (tanh(0) + 1) / 2 = 0.5.
// CHECK-LABEL: @gate_of_zero_logits(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x3x4xf16>
func.func @gate_of_zero_logits(%x: tensor<1x2x3x4xf16>)
    -> (tensor<1x2x3x4xf16>, tensor<1x2x3x4xf16>) {
  // CHECK-DAG: %[[HALF:.*]] = {{.*}}5.000000e-01{{.*}}f16
  // CHECK-NOT: gsa.gate
  // CHECK-COUNT-2: arith.mulf %[[X]]
  %zero = arith.constant dense<0.0> : tensor<1x2x3x4xf16>
  %heads = arith.constant dense<-0.0> : tensor<1x2x3xf32>
  %0 = gsa.gate %x, %zero
    : (tensor<1x2x3x4xf16>, tensor<1x2x3x4xf16>) -> tensor<1x2x3x4xf16>
  %1 = gsa.gate %x, %heads {activation = #gsa.gate_activation<tanh>}
    : (tensor<1x2x3x4xf16>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf16>
  return %0, %1 : tensor<1x2x3x4xf16>, tensor<1x2x3x4xf16>
}

// silu(0) = 0; the product stays because 0 * NaN is NaN.
// CHECK-LABEL: @gate_of_zero_silu(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x3x4xf32>
func.func @gate_of_zero_silu(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  // CHECK: %[[ZERO:.*]] = {{.*}}0.000000e+00
  // CHECK: %[[Y:.*]] = arith.mulf %[[X]], %{{.*}}
  // CHECK: return %[[Y]]
  %zero = arith.constant dense<0.0> : tensor<1x2x3xf32>
  %0 = gsa.gate %x, %zero {activation = #gsa.gate_activation<silu>}
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return %0 : tensor<1x2x3x4xf32>
}

// A saturated gate is open.
// CHECK-LABEL: @gate_of_infinite_logits(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x3x4xf32>
func.func @gate_of_infinite_logits(%x: tensor<1x2x3x4xf32>)
    -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) {
  // CHECK-NOT: gsa.gate
  // CHECK: return %[[X]], %[[X]]
  %inf = arith.constant dense<0x7F800000> : tensor<1x2x3xf32>
  %0 = gsa.gate %x, %inf
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  %1 = gsa.gate %x, %inf {activation = #gsa.gate_activation<tanh>}
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return %0, %1 : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>
}

// Sizes of the factor follow the input.
// CHECK-LABEL: @gate_of_dynamic_size(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x2x?x4xf32>
func.func @gate_of_dynamic_size(%x: tensor<?x2x?x4xf32>)
    -> tensor<?x2x?x4xf32> {
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[H:.*]] = tensor.dim %[[X]], %c2
  // CHECK: tensor.splat %{{.*}}[%[[B]], %[[H]]] : tensor<?x2x?x4xf32>
  %zero = arith.constant dense<0.0> : tensor<1x2x3xf32>
  %0 = gsa.gate %x, %zero
    : (tensor<?x2x?x4xf32>, tensor<1x2x3xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// CHECK-LABEL: @gate_stays
func.func @gate_stays(%x: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf32>)
    -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>,
        tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<?x2x3x4xf32>) {
  // CHECK-COUNT-6: gsa.gate
  %one = arith.constant dense<1.0> : tensor<1x2x3xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<1x2x3xf32>
  %inf = arith.constant dense<0x7F800000> : tensor<1x2x3xf32>
  %minus = arith.constant dense<0xFF800000> : tensor<1x2x3xf32>
  %zero = arith.constant dense<0.0> : tensor<1x2x3xf32>
  %0 = gsa.gate %x, %l
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  %1 = gsa.gate %x, %one
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  %2 = gsa.gate %x, %nan
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  // silu(inf) is inf, not 1; sigmoid(-inf) * inf is NaN.
  %3 = gsa.gate %x, %inf {activation = #gsa.gate_activation<silu>}
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  %4 = gsa.gate %x, %minus
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  // The result type knows less than the input's.
  %5 = gsa.gate %x, %zero
    : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<?x2x3x4xf32>
  return %0, %1, %2, %3, %4, %5
    : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>,
      tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<?x2x3x4xf32>
}

//===----------------------------------------------------------------------===//
// A budget that covers all keys is dense attention
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @budget_covers_all_keys(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x3x4x8xf32>, %[[K:[a-z0-9]+]]: tensor<2x5x2x8xf32>
func.func @budget_covers_all_keys(%q: tensor<2x3x4x8xf32>,
                                  %k: tensor<2x5x2x8xf32>,
                                  %iq: tensor<2x3x1x4xf32>,
                                  %ik: tensor<2x5x4xf32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>, tensor<2x3x4x8xf32>) {
  // The selection goes with its last user.
  // CHECK-NOT: gsa.select
  // CHECK: %[[O:.*]], %[[L:.*]] = gsa.dense_attention %[[Q]], %[[K]], %[[K]] {scale = 5.000000e-01 : f64}
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 5> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1 {scale = 0.5 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  // An adaptive budget covers all keys if its least value does; the mask is
  // that of the selection.
  // CHECK: gsa.dense_attention %[[Q]], %[[K]], %[[K]] {mask = #gsa.mask<none>}
  %2:3 = gsa.select %iq, %ik policy <entropy, base = 7, min = 6, max = 9>
      {assume_finite, mask = #gsa.mask<none>}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %3:2 = gsa.gather_attention %q, %k, %k indices %2#0, %2#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x9xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  // CHECK: return %[[O]], %[[L]]
  return %1#0, %1#1, %3#0
    : tensor<2x3x4x8xf32>, tensor<2x4x3xf32>, tensor<2x3x4x8xf32>
}

// The gate goes along; lengths must be those that the selection has seen.
// CHECK-LABEL: @budget_covers_all_keys_of_lengths(
// CHECK-SAME: %[[G:[a-z0-9]+]]: tensor<2x3x4xf32>, %[[N:[a-z0-9]+]]: tensor<2xi32>
func.func @budget_covers_all_keys_of_lengths(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %iq: tensor<2x3x1x4xf32>, %ik: tensor<2x5x4xf32>,
    %g: tensor<2x3x4xf32>, %n: tensor<2xi32>, %m: tensor<2xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) {
  // CHECK: gsa.dense_attention {{.*}} gate %[[G]] lengths %[[N]] {gate_activation = #gsa.gate_activation<tanh>}
  // CHECK: gsa.dense_attention {{.*}} lengths %[[N]] :
  // CHECK: gsa.gather_attention {{.*}} lengths
  %0:3 = gsa.select %iq, %ik lengths %n policy <fixed, base = 5> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>, tensor<2xi32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1 gate %g lengths %n
      {gate_activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3x4xf32>, tensor<2xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  %2:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  %3:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1 lengths %m
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %1#0, %2#0, %3#0
    : tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>
}

// A single query sees every key, of a range and of lengths as well.
// CHECK-LABEL: @partial_of_single_query
func.func @partial_of_single_query(%q: tensor<2x1x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %n: tensor<2xi32>) -> tensor<2x1x4x8xf32> {
  // CHECK: gsa.partial_attention {{.*}} first 1 size 3 {mask = #gsa.mask<none>}
  %0:2 = gsa.partial_attention %q, %k, %k lengths %n first 1 size 3
      {mask = #gsa.mask<causal>}
    : (tensor<2x1x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2xi32>) -> (tensor<2x1x4x8xf32>, tensor<2x4x1xf32>)
  return %0#0 : tensor<2x1x4x8xf32>
}

// REMARK-COUNT-4: [Passed] DenseAttention {{.*}}Remark="the selection holds every visible key"
// REMARK-NOT: DenseAttention
// What has a schedule runs by it, on a CPU or a GPU.
// CHECK-LABEL: @budget_covers_all_keys_of_a_schedule
func.func @budget_covers_all_keys_of_a_schedule(%q: tensor<2x3x4x8xf32>,
                                                %k: tensor<2x5x2x8xf32>,
                                                %iq: tensor<2x3x1x4xf32>,
                                                %ik: tensor<2x5x4xf32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) {
  // CHECK: gsa.gather_attention
  // CHECK-SAME: gsa.schedule = #gsa.attention_schedule
  // CHECK: gsa.gather_attention
  // CHECK-SAME: gsa.schedule = #gsa.cpu_schedule
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 5> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1 {gsa.schedule =
      #gsa.attention_schedule<engine = fma, block_q = 16, block_k = 16,
                              stages = 1, producers = 0, consumers = 1>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  %2:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1 {gsa.schedule =
      #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %1#0, %2#0 : tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>
}

// Not a promise of finite inputs; one slot short; a minimum below the keys.
// CHECK-LABEL: @budget_may_miss_keys
func.func @budget_may_miss_keys(%q: tensor<2x3x4x8xf32>,
                                %k: tensor<2x5x2x8xf32>,
                                %iq: tensor<2x3x1x4xf32>,
                                %ik: tensor<2x5x4xf32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) {
  // CHECK-COUNT-3: gsa.gather_attention
  // CHECK-NOT: gsa.dense_attention
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 5>
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  %2:3 = gsa.select %iq, %ik policy <fixed, base = 4> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %3:2 = gsa.gather_attention %q, %k, %k indices %2#0, %2#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x4xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  %4:3 = gsa.select %iq, %ik policy <orth, base = 9, min = 4, max = 9>
      {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %5:2 = gsa.gather_attention %q, %k, %k indices %4#0, %4#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x9xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %1#0, %3#0, %5#0
    : tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>
}

// Selection ran over more keys than attention has: all five keys need not be
// among the five it keeps.
// CHECK-LABEL: @selection_over_other_keys
func.func @selection_over_other_keys(%q: tensor<2x3x4x8xf32>,
                                     %k: tensor<2x5x2x8xf32>,
                                     %iq: tensor<2x3x1x4xf32>,
                                     %ik: tensor<2x6x4xf32>,
                                     %id: tensor<2x?x4xf32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) {
  // CHECK-COUNT-2: gsa.gather_attention
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 5> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x6x4xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %0#0, %0#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  %2:3 = gsa.select %iq, %id policy <fixed, base = 5> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x?x4xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %3:2 = gsa.gather_attention %q, %k, %k indices %2#0, %2#1
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %1#0, %3#0 : tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>
}

// Indices of a selection with the counts of something else.
// CHECK-LABEL: @counts_of_another
func.func @counts_of_another(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                             %iq: tensor<2x3x1x4xf32>, %ik: tensor<2x5x4xf32>,
                             %c: tensor<2x3xi32>) -> tensor<2x3x4x8xf32> {
  // CHECK: gsa.gather_attention
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 5> {assume_finite}
    : (tensor<2x3x1x4xf32>, tensor<2x5x4xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %0#0, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x5xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %1#0 : tensor<2x3x4x8xf32>
}
