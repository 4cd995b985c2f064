// RUN: gsa-opt %s --gsa-fuse-selection --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --gsa-fuse-selection --gsa-decompose="ops=select" --gsa-fuse-selection | FileCheck %s
// RUN: gsa-opt %s --gsa-fuse-selection --remarks-filter="gsa.fuse" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Fusing what a fusion decomposes to gives the same op again, so the two
// passes are inverse to each other (second RUN line).

//===----------------------------------------------------------------------===//
// One chain for each policy
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @fixed
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} policy <fixed, base = 4>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=fixed
func.func @fixed(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// Every attribute and operand of the parts arrives in the whole.
// CHECK-LABEL: @fixed_keeps_everything
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} weights %{{.*}} bias %{{.*}} policy <fixed, base = 4>
// CHECK-SAME: local = 2 : i64, mask = #gsa.mask<none>, scale = 2.500000e-01 : f64
// CHECK-SAME: score_activation = #gsa.score_activation<relu>, sink = 1 : i64
// CHECK-SAME: weight_activation = #gsa.weight_activation<identity>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=fixed
func.func @fixed_keeps_everything(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %w: tensor<2x3x4xf32>, %b: tensor<4xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k weights %w bias %b {
      scale = 0.25 : f64, score_activation = #gsa.score_activation<relu>,
      weight_activation = #gsa.weight_activation<identity>,
      mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x4xf32>,
       tensor<4xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4 {sink = 1 : i64, local = 2 : i64}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// The batch mean of its own statistic is part of the op.
// CHECK-LABEL: @upstream_variance
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} policy <upstream_variance, base = 3, max = 4>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=upstream_variance
func.func @upstream_variance(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {
      population = #gsa.population<zero_filled>, correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %2 = gsa.stat_mean %1#0 : (tensor<2x3xf32>) -> tensor<f32>
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %2
      policy <upstream_variance, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @upstream_variance_given_mean
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} normaliser %{{.*}} policy <upstream_variance, base = 3, max = 4>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=upstream_variance
func.func @upstream_variance_given_mean(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %m: tensor<f32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {
      population = #gsa.population<zero_filled>, correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %m
      policy <upstream_variance, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// A mean of other rows stays an operand.
// CHECK-LABEL: @upstream_variance_mean_of_other_rows
// CHECK-NEXT: %[[M:.*]] = gsa.stat_mean
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} normaliser %[[M]] policy
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=upstream_variance
func.func @upstream_variance_mean_of_other_rows(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %v: tensor<2x3xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {
      population = #gsa.population<zero_filled>, correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %2 = gsa.stat_mean %v : (tensor<2x3xf32>) -> tensor<f32>
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %2
      policy <upstream_variance, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @paper_ema
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} normaliser %{{.*}} policy <paper_ema, base = 3, max = 4>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=paper_ema
func.func @paper_ema(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %m: tensor<f32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %m
      policy <paper_ema, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @entropy
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} policy <entropy, base = 3, max = 4>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=entropy
func.func @entropy(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {statistic = #gsa.statistic<entropy>}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %1#0
      policy <entropy, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @orth
// CHECK-NEXT: gsa.select %{{.*}}, %{{.*}} policy <orth, base = 3, max = 4>
// CHECK-NEXT: return
// REMARK: [Passed] FusedSelection {{.*}}Remark=orth
func.func @orth(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %1#0
      policy <orth, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

//===----------------------------------------------------------------------===//
// What is not the definition of gsa.select stays, and the remark says why
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @scores_from_elsewhere
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the scores come from no gsa.index_scores"
func.func @scores_from_elsewhere(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %s: tensor<2x3x5xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %1:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %s, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @budget_from_elsewhere
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the budget comes from no gsa.adaptive_k"
func.func @budget_from_elsewhere(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %n: tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %4:3 = gsa.topk %0, %n slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @counts_from_elsewhere
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="visible keys are not counted on the same scores"
func.func @counts_from_elsewhere(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %n: tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %3 = gsa.adaptive_k %n
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @counts_of_other_scores
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="visible keys are not counted on the same scores"
func.func @counts_of_other_scores(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %s: tensor<2x3x5xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @scores_read_twice
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the scores have another user"
func.func @scores_read_twice(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3x5xf32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %0
    : tensor<2x3x4xi32>, tensor<2x3x5xf32>
}

// A training loop updates its running average from the statistic, which needs
// the scores.
// CHECK-LABEL: @statistics_read_twice
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistics have another user"
func.func @statistics_read_twice(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xf32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %1#0
    : tensor<2x3x4xi32>, tensor<2x3xf32>
}

// CHECK-LABEL: @budget_read_twice
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the budget has another user"
func.func @budget_read_twice(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %3
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @mean_read_twice
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistics have another user"
func.func @mean_read_twice(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<f32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {
      population = #gsa.population<zero_filled>, correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %2 = gsa.stat_mean %1#0 : (tensor<2x3xf32>) -> tensor<f32>
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %2
      policy <upstream_variance, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %2
    : tensor<2x3x4xi32>, tensor<f32>
}

// Only upstream_variance has a batch mean in its definition.
// CHECK-LABEL: @average_of_its_own_rows
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistics have another user"
func.func @average_of_its_own_rows(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %2 = gsa.stat_mean %1#0 : (tensor<2x3xf32>) -> tensor<f32>
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %2
      policy <paper_ema, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @order_by_score
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the order is by score"
func.func @order_by_score(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4 {order = #gsa.index_order<score>}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @more_slots
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the number of slots is not the policy's"
func.func @more_slots(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1
      policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 5
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x5xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x5xi32>, tensor<2x3xi32>
}

// The variance where the policy is defined by the entropy.
// CHECK-LABEL: @other_statistic
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistic is not the one that the policy defines"
func.func @other_statistic(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %1#0
      policy <entropy, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @other_population
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistic is not the one that the policy defines"
func.func @other_population(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %2 = gsa.stat_mean %1#0 : (tensor<2x3xf32>) -> tensor<f32>
  %3 = gsa.adaptive_k %1#1 statistic %1#0 normaliser %2
      policy <upstream_variance, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @other_correction
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistic is not the one that the policy defines"
func.func @other_correction(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %1#0
      policy <orth, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// CHECK-LABEL: @statistic_from_elsewhere
// CHECK-NOT: gsa.select
// CHECK: gsa.topk
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="the statistic is not the one that the policy defines"
func.func @statistic_from_elsewhere(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
    %v: tensor<2x3xf32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>) {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 statistic %v
      policy <orth, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0, %4#1
    : tensor<2x3x4xi32>, tensor<2x3xi32>
}

// A schedule that somebody wrote is of one kernel, which the whole does not have.
// CHECK-LABEL: @scores_scheduled
// CHECK-NOT: gsa.select
// CHECK: gsa.schedule = #gsa.
// CHECK-NOT: gsa.select
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="gsa.index_scores has a schedule of its own"
func.func @scores_scheduled(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> tensor<2x3x4xi32> {
  %0 = gsa.index_scores %q, %k {gsa.schedule =
      #gsa.score_schedule<engine = fma, block_q = 16, block_k = 16, span = 1,
                          stages = 1, producers = 0, consumers = 1>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0 : tensor<2x3x4xi32>
}

// CHECK-LABEL: @statistics_scheduled
// CHECK-NOT: gsa.select
// CHECK: gsa.schedule = #gsa.
// CHECK-NOT: gsa.select
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="gsa.row_statistics has a schedule of its own"
func.func @statistics_scheduled(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> tensor<2x3x4xi32> {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0 {gsa.schedule =
      #gsa.topk_schedule<warps = 2, bins = 256, capacity = 32, chunk = 7>}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0 : tensor<2x3x4xi32>
}

// CHECK-LABEL: @topk_scheduled
// CHECK-NOT: gsa.select
// CHECK: gsa.schedule = #gsa.
// CHECK-NOT: gsa.select
// CHECK: return
// REMARK: [Missed] NotFused {{.*}}Remark="gsa.topk has a schedule of its own"
func.func @topk_scheduled(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>)
    -> tensor<2x3x4xi32> {
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %1:2 = gsa.row_statistics %0
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %3 = gsa.adaptive_k %1#1 policy <fixed, base = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %4:3 = gsa.topk %0, %3 slots 4 {gsa.schedule =
      #gsa.topk_schedule<warps = 2, bins = 256, capacity = 32, chunk = 7>}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %4#0 : tensor<2x3x4xi32>
}
