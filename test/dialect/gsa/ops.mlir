// RUN: gsa-opt %s --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --emit-bytecode | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC

// Every op in its shortest form and with everything it can carry; pretty,
// generic and bytecode forms all come back as the same text.

// GENERIC: "gsa.index_scores"(%{{[a-z0-9]+}}, %{{[a-z0-9]+}}) <{mask = #gsa.mask<causal>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>

// CHECK-LABEL: @index_scores
func.func @index_scores(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                        %w: tensor<2x3x4xf32>, %b: tensor<4xf32>) {
  // CHECK: gsa.index_scores %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  // CHECK: gsa.index_scores %{{[a-z0-9]+}}, %{{[a-z0-9]+}} weights %{{[a-z0-9]+}} bias %{{[a-z0-9]+}}
  // CHECK-SAME: mask = #gsa.mask<none>
  // CHECK-SAME: scale = 2.500000e-01 : f64
  // CHECK-SAME: score_activation = #gsa.score_activation<relu>
  // CHECK-SAME: weight_activation = #gsa.weight_activation<identity>
  %1 = gsa.index_scores %q, %k weights %w bias %b {
      scale = 0.25 : f64, score_activation = #gsa.score_activation<relu>,
      weight_activation = #gsa.weight_activation<identity>,
      mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x4xf32>,
       tensor<4xf32>) -> tensor<2x3x5xf32>
  // CHECK: gsa.index_scores %{{[a-z0-9]+}}, %{{[a-z0-9]+}} bias
  // CHECK-SAME: score_activation = #gsa.score_activation<identity>
  %2 = gsa.index_scores %q, %k bias %b {
      score_activation = #gsa.score_activation<identity>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf32>)
    -> tensor<2x3x5xf32>
  return
}

// Narrow data, accumulator in f32; weights and bias may have either type.
// CHECK-LABEL: @index_scores_narrow
func.func @index_scores_narrow(%q: tensor<?x?x4x8xbf16>, %k: tensor<?x?x8xbf16>,
                               %w: tensor<?x?x4xf32>, %b: tensor<4xbf16>) {
  // CHECK: gsa.index_scores
  // CHECK-SAME: -> tensor<?x?x?xf32>
  %0 = gsa.index_scores %q, %k weights %w bias %b
    : (tensor<?x?x4x8xbf16>, tensor<?x?x8xbf16>, tensor<?x?x4xf32>,
       tensor<4xbf16>) -> tensor<?x?x?xf32>
  return
}

// CHECK-LABEL: @row_statistics
func.func @row_statistics(%s: tensor<2x3x5xf32>, %d: tensor<2x3x5xf64>) {
  // CHECK: gsa.row_statistics %{{[a-z0-9]+}} : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  %0:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  // CHECK: gsa.row_statistics
  // CHECK-SAME: correction = 1 : i64
  // CHECK-SAME: population = #gsa.population<zero_filled>
  %1:2 = gsa.row_statistics %s {
      population = #gsa.population<zero_filled>, correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  // CHECK: gsa.row_statistics
  // CHECK-SAME: statistic = #gsa.statistic<entropy>
  // CHECK-SAME: (tensor<2x3xf64>, tensor<2x3xi32>)
  %2:2 = gsa.row_statistics %d {statistic = #gsa.statistic<entropy>}
    : (tensor<2x3x5xf64>) -> (tensor<2x3xf64>, tensor<2x3xi32>)
  return
}

// CHECK-LABEL: @stat_mean
func.func @stat_mean(%v: tensor<2x3xf32>) {
  // CHECK: gsa.stat_mean %{{[a-z0-9]+}} : (tensor<2x3xf32>) -> tensor<f32>
  %0 = gsa.stat_mean %v : (tensor<2x3xf32>) -> tensor<f32>
  return
}

// CHECK-LABEL: @adaptive_k
func.func @adaptive_k(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>,
                      %m: tensor<f32>) {
  // CHECK: gsa.adaptive_k %{{[a-z0-9]+}} policy <fixed, base = 3> : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %0 = gsa.adaptive_k %n policy <fixed, base = 3>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  // CHECK: gsa.adaptive_k %{{[a-z0-9]+}} statistic %{{[a-z0-9]+}} normaliser %{{[a-z0-9]+}} policy <upstream_variance, base = 3, max = 4>
  %1 = gsa.adaptive_k %n statistic %v normaliser %m
      policy <upstream_variance, base = 3, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  // CHECK: gsa.adaptive_k %{{[a-z0-9]+}} statistic %{{[a-z0-9]+}} policy <entropy, base = 3, min = 2, max = 4, temperature = 5.000000e-01>
  %2 = gsa.adaptive_k %n statistic %v
      policy <entropy, base = 3, min = 2, max = 4, temperature = 0.5>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  return
}

// CHECK-LABEL: @topk
func.func @topk(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // CHECK: gsa.topk %{{[a-z0-9]+}}, %{{[a-z0-9]+}} slots 4 : (tensor<2x3x5xf32>, tensor<2x3xi32>) -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %0:3 = gsa.topk %s, %k slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  // More slots than keys are allowed: a plan may be made for longer rows.
  // CHECK: gsa.topk %{{[a-z0-9]+}}, %{{[a-z0-9]+}} slots 9 {local = 2 : i64, sink = 1 : i64}
  %1:3 = gsa.topk %s, %k slots 9 {sink = 1 : i64, local = 2 : i64}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  // CHECK: gsa.topk %{{[a-z0-9]+}}, %{{[a-z0-9]+}} slots 2 {order = #gsa.index_order<score>}
  %2:3 = gsa.topk %s, %k slots 2 {order = #gsa.index_order<score>}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x2xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// CHECK-LABEL: @select
func.func @select(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x8xf16>,
                  %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %n: tensor<f32>) {
  // CHECK: gsa.select %{{[a-z0-9]+}}, %{{[a-z0-9]+}} policy <fixed, base = 3> : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>)
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  // CHECK: gsa.select %{{[a-z0-9]+}}, %{{[a-z0-9]+}} weights %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} normaliser %{{[a-z0-9]+}} policy <paper_ema, base = 3, max = 4>
  // CHECK-SAME: assume_finite
  // CHECK-SAME: local = 1 : i64
  // CHECK-SAME: sink = 2 : i64
  %1:3 = gsa.select %q, %k weights %w bias %b normaliser %n
      policy <paper_ema, base = 3, max = 4>
      {sink = 2 : i64, local = 1 : i64, assume_finite}
    : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>,
       tensor<4xf32>, tensor<f32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  // The batch mean of upstream_variance may be left to the op.
  // CHECK: gsa.select %{{[a-z0-9]+}}, %{{[a-z0-9]+}} policy <upstream_variance, base = 3, max = 9>
  // CHECK-SAME: tensor<2x3x4xi32>
  %2:3 = gsa.select %q, %k policy <upstream_variance, base = 3, max = 9>
    : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// CHECK-LABEL: @gather_attention
func.func @gather_attention(%q: tensor<2x3x4x8xbf16>, %k: tensor<2x5x2x8xbf16>,
                            %v: tensor<2x5x2x6xbf16>, %i: tensor<2x3x7xi32>,
                            %c: tensor<2x3xi32>) {
  // CHECK: gsa.gather_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : ({{.*}}) -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xbf16>, tensor<2x5x2x8xbf16>, tensor<2x5x2x6xbf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  // CHECK: gsa.gather_attention
  // CHECK-SAME: {scale = -5.000000e-01 : f64}
  %1:2 = gsa.gather_attention %q, %k, %v indices %i, %c {scale = -0.5 : f64}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x2x8xbf16>, tensor<2x5x2x6xbf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  return
}

// CHECK-LABEL: @dense_attention
func.func @dense_attention(%q: tensor<2x3x4x8xf64>, %k: tensor<2x5x1x8xf64>,
                           %v: tensor<2x5x1x6xf64>) {
  // CHECK: gsa.dense_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : ({{.*}}) -> (tensor<2x3x4x6xf64>, tensor<2x4x3xf64>)
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf64>, tensor<2x5x1x8xf64>, tensor<2x5x1x6xf64>)
    -> (tensor<2x3x4x6xf64>, tensor<2x4x3xf64>)
  // CHECK: gsa.dense_attention
  // CHECK-SAME: {mask = #gsa.mask<none>, scale = 1.000000e+00 : f64}
  %1:2 = gsa.dense_attention %q, %k, %v {
      scale = 1.0 : f64, mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf64>, tensor<2x5x1x8xf64>, tensor<2x5x1x6xf64>)
    -> (tensor<2x3x4x6xf64>, tensor<2x4x3xf64>)
  return
}

// Gates and lengths of attention and selection.
// CHECK-LABEL: @gated_attention
func.func @gated_attention(%q: tensor<2x3x4x8xbf16>, %k: tensor<2x5x2x8xbf16>,
                           %v: tensor<2x5x2x6xbf16>, %i: tensor<2x3x7xi32>,
                           %c: tensor<2x3xi32>, %g: tensor<2x3x4x6xbf16>,
                           %h: tensor<2x3x4xf32>, %n: tensor<2xi32>) {
  // CHECK: gsa.gather_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} gate %{{[a-z0-9]+}} : (
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c gate %g
    : (tensor<2x3x4x8xbf16>, tensor<2x5x2x8xbf16>, tensor<2x5x2x6xbf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  // CHECK: gsa.gather_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} gate %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} {gate_activation = #gsa.gate_activation<tanh>} : (
  %1:2 = gsa.gather_attention %q, %k, %v indices %i, %c gate %h lengths %n
      {gate_activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x2x8xbf16>, tensor<2x5x2x6xbf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4xf32>, tensor<2xi32>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  // CHECK: gsa.dense_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} gate %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} {gate_activation = #gsa.gate_activation<silu>, mask = #gsa.mask<none>} : (
  %2:2 = gsa.dense_attention %q, %k, %v gate %h lengths %n
      {gate_activation = #gsa.gate_activation<silu>, mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xbf16>, tensor<2x5x2x8xbf16>, tensor<2x5x2x6xbf16>,
       tensor<2x3x4xf32>, tensor<2xi32>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  // CHECK: gsa.dense_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} : (
  %3:2 = gsa.dense_attention %q, %k, %v lengths %n
    : (tensor<2x3x4x8xbf16>, tensor<2x5x2x8xbf16>, tensor<2x5x2x6xbf16>,
       tensor<2xi32>) -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  return
}

// CHECK-LABEL: @lengths_of_selection
func.func @lengths_of_selection(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                                %b: tensor<4xf32>, %m: tensor<f32>,
                                %n: tensor<2xi32>) {
  // CHECK: gsa.index_scores %{{[a-z0-9]+}}, %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} : (
  %0 = gsa.index_scores %q, %k bias %b lengths %n
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf32>, tensor<2xi32>)
    -> tensor<2x3x5xf32>
  // CHECK: gsa.select %{{[a-z0-9]+}}, %{{[a-z0-9]+}} normaliser %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} policy <paper_ema, base = 3, max = 4> : (
  %1:3 = gsa.select %q, %k normaliser %m lengths %n
      policy <paper_ema, base = 3, max = 4>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<f32>, tensor<2xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// CHECK-LABEL: @partial_attention
func.func @partial_attention(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>,
                             %v: tensor<2x5x2x6xf16>, %i: tensor<2x3x7xi32>,
                             %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // CHECK: gsa.partial_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} first 2 size 9 {mask = #gsa.mask<causal>} : ({{.*}}) -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  %0:2 = gsa.partial_attention %q, %k, %v first 2 size 9
      {mask = #gsa.mask<causal>}
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  // CHECK: gsa.partial_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} indices %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} first 0 size 1 {scale = 5.000000e-01 : f64} : (
  %1:2 = gsa.partial_attention %q, %k, %v indices %i, %c lengths %n first 0
      size 1 {scale = 0.5 : f64}
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// CHECK-LABEL: @merge_attention
func.func @merge_attention(%o: tensor<2x3x4x6xf32>, %l: tensor<2x4x3xf32>,
                           %g: tensor<2x3x4xf16>) {
  // CHECK: gsa.merge_attention %{{[a-z0-9]+}} lse %{{[a-z0-9]+}} : (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>) -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  %0:2 = gsa.merge_attention %o lse %l
    : (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  // CHECK: gsa.merge_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lse %{{[a-z0-9]+}}, %{{[a-z0-9]+}} gate %{{[a-z0-9]+}} {element_type = f16, gate_activation = #gsa.gate_activation<tanh>} : ({{.*}}) -> (tensor<2x3x4x6xf16>, tensor<2x4x3xf32>)
  %1:2 = gsa.merge_attention %o, %o lse %l, %l gate %g
      {element_type = f16, gate_activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>, tensor<2x4x3xf32>,
       tensor<2x4x3xf32>, tensor<2x3x4xf16>)
    -> (tensor<2x3x4x6xf16>, tensor<2x4x3xf32>)
  return
}

// CHECK-LABEL: @paged_rows
func.func @paged_rows(%p: tensor<7x16x2x8xbf16>, %i: tensor<7x16x6xbf16>,
                      %h: tensor<7x2x16x8xbf16>, %t: tensor<2x3xi32>) {
  // CHECK: gsa.paged_rows %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<7x16x2x8xbf16>, tensor<2x3xi32>) -> tensor<2x48x2x8xbf16>
  %0 = gsa.paged_rows %p, %t
    : (tensor<7x16x2x8xbf16>, tensor<2x3xi32>) -> tensor<2x48x2x8xbf16>
  // CHECK: gsa.paged_rows %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<7x16x6xbf16>, tensor<2x3xi32>) -> tensor<2x48x6xbf16>
  %1 = gsa.paged_rows %i, %t
    : (tensor<7x16x6xbf16>, tensor<2x3xi32>) -> tensor<2x48x6xbf16>
  // CHECK: gsa.paged_rows %{{[a-z0-9]+}}, %{{[a-z0-9]+}} {heads_first} : (tensor<7x2x16x8xbf16>, tensor<2x3xi32>) -> tensor<2x48x2x8xbf16>
  %2 = gsa.paged_rows %h, %t {heads_first}
    : (tensor<7x2x16x8xbf16>, tensor<2x3xi32>) -> tensor<2x48x2x8xbf16>
  return
}

// CHECK-LABEL: @append_rows
func.func @append_rows(%x: tensor<2x3x2x8xbf16>, %y: tensor<2x3x6xf32>,
                       %p: tensor<7x16x2x8xbf16>, %h: tensor<7x2x16x8xbf16>,
                       %c: tensor<2x48x6xf32>, %t: tensor<2x3xi32>,
                       %n: tensor<2xi32>) {
  // CHECK: gsa.append_rows %{{[a-z0-9]+}} to %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} : (tensor<2x3x2x8xbf16>, tensor<7x16x2x8xbf16>, tensor<2x3xi32>, tensor<2xi32>) -> tensor<7x16x2x8xbf16>
  %0 = gsa.append_rows %x to %p, %t lengths %n
    : (tensor<2x3x2x8xbf16>, tensor<7x16x2x8xbf16>, tensor<2x3xi32>,
       tensor<2xi32>) -> tensor<7x16x2x8xbf16>
  // CHECK: gsa.append_rows %{{[a-z0-9]+}} to %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} : (tensor<2x3x6xf32>, tensor<2x48x6xf32>, tensor<2xi32>) -> tensor<2x48x6xf32>
  %1 = gsa.append_rows %y to %c lengths %n
    : (tensor<2x3x6xf32>, tensor<2x48x6xf32>, tensor<2xi32>)
    -> tensor<2x48x6xf32>
  // CHECK: gsa.append_rows %{{[a-z0-9]+}} to %{{[a-z0-9]+}}, %{{[a-z0-9]+}} lengths %{{[a-z0-9]+}} counts %{{[a-z0-9]+}} {heads_first} : (tensor<2x3x2x8xbf16>, tensor<7x2x16x8xbf16>, tensor<2x3xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<7x2x16x8xbf16>
  %2 = gsa.append_rows %x to %h, %t lengths %n counts %n {heads_first}
    : (tensor<2x3x2x8xbf16>, tensor<7x2x16x8xbf16>, tensor<2x3xi32>,
       tensor<2xi32>, tensor<2xi32>) -> tensor<7x2x16x8xbf16>
  return
}

// A result that is the new value of an argument.
// CHECK-LABEL: @updates
// CHECK-SAME: -> (tensor<2x48x6xf32> {gsa.name = "cache", gsa.updates = "cache"})
func.func @updates(%y: tensor<2x3x6xf32>,
                   %c: tensor<2x48x6xf32> {gsa.name = "cache"},
                   %n: tensor<2xi32>)
    -> (tensor<2x48x6xf32> {gsa.name = "cache", gsa.updates = "cache"}) {
  %0 = gsa.append_rows %y to %c lengths %n
    : (tensor<2x3x6xf32>, tensor<2x48x6xf32>, tensor<2xi32>)
    -> tensor<2x48x6xf32>
  return %0 : tensor<2x48x6xf32>
}

// CHECK-LABEL: @gate
func.func @gate(%x: tensor<2x3x4x8xf16>, %l: tensor<2x3x4x8xf16>,
                %h: tensor<2x3x4xf32>) {
  // CHECK: gsa.gate %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<2x3x4x8xf16>, tensor<2x3x4x8xf16>) -> tensor<2x3x4x8xf16>
  %0 = gsa.gate %x, %l
    : (tensor<2x3x4x8xf16>, tensor<2x3x4x8xf16>) -> tensor<2x3x4x8xf16>
  // CHECK: gsa.gate %{{[a-z0-9]+}}, %{{[a-z0-9]+}} {activation = #gsa.gate_activation<tanh>} : (tensor<2x3x4x8xf16>, tensor<2x3x4xf32>)
  %1 = gsa.gate %x, %h {activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x8xf16>, tensor<2x3x4xf32>) -> tensor<2x3x4x8xf16>
  // CHECK: activation = #gsa.gate_activation<silu>
  %2 = gsa.gate %x, %h {activation = #gsa.gate_activation<silu>}
    : (tensor<2x3x4x8xf16>, tensor<2x3x4xf32>) -> tensor<2x3x4x8xf16>
  return
}

// CHECK-LABEL: @rope
func.func @rope(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // CHECK: gsa.rope %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  %0 = gsa.rope %x, %p
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  // CHECK: gsa.rope
  // CHECK-SAME: base = 5.000000e+05 : f64
  // CHECK-SAME: interleaved
  // CHECK-SAME: rotary_dim = 4 : i64
  // CHECK-SAME: scaling = #gsa.rope_scaling<yarn, factor = 8.000000e+00, original_max_position = 8192>
  %1 = gsa.rope %x, %p {
      base = 500000.0 : f64, rotary_dim = 4 : i64, interleaved,
      scaling = #gsa.rope_scaling<yarn, factor = 8.0,
                                  original_max_position = 8192>}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// CHECK-LABEL: @attention
func.func @attention(
    %q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>,
    %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
    %ik: tensor<2x5x7xf32>, %w: tensor<2x3x3xf32>, %b: tensor<3xf32>,
    %vg: tensor<2x5x2x6xf32>, %og: tensor<2x3x4x6xf32>, %n: tensor<f32>) {
  // CHECK: gsa.attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} positions %{{[a-z0-9]+}}, %{{[a-z0-9]+}} index %{{[a-z0-9]+}}, %{{[a-z0-9]+}} policy <fixed, base = 3> :
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  // CHECK: gsa.attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} positions %{{[a-z0-9]+}}, %{{[a-z0-9]+}} index %{{[a-z0-9]+}}, %{{[a-z0-9]+}} weights %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} value_gate %{{[a-z0-9]+}} output_gate %{{[a-z0-9]+}} normaliser %{{[a-z0-9]+}} policy <upstream_variance, base = 3, max = 4>
  // CHECK-SAME: assume_finite
  // CHECK-SAME: gate_activation = #gsa.gate_activation<tanh>
  // CHECK-SAME: index_scale = 5.000000e-01 : f64
  // CHECK-SAME: rope_base = 1.000000e+02 : f64
  // CHECK-SAME: rope_interleaved
  // CHECK-SAME: rope_scaling = #gsa.rope_scaling<ntk, factor = 2.000000e+00>
  // CHECK-SAME: rotary_dim = 6 : i64
  // CHECK-SAME: softmax_scale = 2.500000e-01 : f64
  %1:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      weights %w bias %b value_gate %vg output_gate %og normaliser %n
      policy <upstream_variance, base = 3, max = 4> {
        softmax_scale = 0.25 : f64, index_scale = 0.5 : f64,
        score_activation = #gsa.score_activation<relu>,
        weight_activation = #gsa.weight_activation<identity>,
        gate_activation = #gsa.gate_activation<tanh>, mask = #gsa.mask<none>,
        sink = 1 : i64, local = 1 : i64, rope_base = 100.0 : f64,
        rotary_dim = 6 : i64, rope_interleaved,
        rope_scaling = #gsa.rope_scaling<ntk, factor = 2.0>, assume_finite}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>,
       tensor<2x5x7xf32>, tensor<2x3x3xf32>, tensor<3xf32>,
       tensor<2x5x2x6xf32>, tensor<2x3x4x6xf32>, tensor<f32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x4xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}
