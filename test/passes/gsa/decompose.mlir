// RUN: gsa-opt %s --gsa-decompose=aggregates-only | FileCheck %s --check-prefix=BLOCK
// RUN: gsa-opt %s --gsa-decompose="ops=attention,select" | FileCheck %s --check-prefix=SELECT
// RUN: gsa-opt %s --gsa-decompose="ops=gate" | FileCheck %s --check-prefix=GATE
// RUN: gsa-opt %s --gsa-decompose --canonicalize --cse --verify-roundtrip | FileCheck %s --check-prefix=ALL
// RUN: gsa-opt %s --gsa-decompose=aggregates-only --remarks-filter="gsa.*" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: not gsa-opt %s --gsa-decompose="ops=gate,gaet" 2>&1 | FileCheck %s --check-prefix=NAME

// NAME: error: gsa-decompose: option 'ops': expected one of {{.*}}dense_attention, {{.*}}gate, {{.*}}, got 'gaet'; did you mean 'gate'?
// NAME-NOT: see current operation

// REMARK: remark: [Passed] Decomposed | Category:gsa.decompose
// REMARK-SAME: Remark=gsa.attention
// REMARK: remark: [Passed] Decomposed
// REMARK-NOT: Decomposed

// A schedule goes with its op, and a remark says so.
// RUN: gsa-opt %s --gsa-decompose="ops=topk" --remarks-filter="gsa.decompose" -o %t 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// SCHEDULE: remark: [Missed] NotScheduled | Category:gsa.decompose
// SCHEDULE-SAME: Remark="gsa.topk runs by its definition", schedule="#gsa.topk_schedule<warps = 2,

// The definition of a GSA block, in this order.
// BLOCK-LABEL: @block(
// BLOCK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x3x4x8xf32>, %[[K:[a-z0-9]+]]: tensor<1x5x2x8xf32>, %[[V:[a-z0-9]+]]: tensor<1x5x2x6xf32>,
// BLOCK-SAME: %[[P:[a-z0-9]+]]: tensor<1x3xi64>, %[[KP:[a-z0-9]+]]: tensor<1x5xi64>,
// BLOCK-SAME: %[[IQ:[a-z0-9]+]]: tensor<1x3x3x7xf32>, %[[IK:[a-z0-9]+]]: tensor<1x5x7xf32>, %[[W:[a-z0-9]+]]: tensor<1x3x3xf32>, %[[B:[a-z0-9]+]]: tensor<3xf32>,
// BLOCK-SAME: %[[VG:[a-z0-9]+]]: tensor<1x5x2x6xf32>, %[[OG:[a-z0-9]+]]: tensor<1x3x4x6xf32>
// BLOCK: %[[GV:.*]] = gsa.gate %[[V]], %[[VG]] {activation = #gsa.gate_activation<tanh>}
// BLOCK: %[[RQ:.*]] = gsa.rope %[[Q]], %[[P]] {base = 1.000000e+02 : f64, rotary_dim = 6 : i64}
// BLOCK: %[[RK:.*]] = gsa.rope %[[K]], %[[KP]] {base = 1.000000e+02 : f64, rotary_dim = 6 : i64}
// BLOCK: %[[I:.*]], %[[C:.*]], %[[S:.*]] = gsa.select %[[IQ]], %[[IK]] weights %[[W]] bias %[[B]] policy <upstream_variance, base = 3, max = 4>
// BLOCK-SAME: {local = 1 : i64, scale = 5.000000e-01 : f64}
// BLOCK: %[[O:.*]], %[[L:.*]] = gsa.gather_attention %[[RQ]], %[[RK]], %[[GV]] indices %[[I]], %[[C]] {scale = 2.500000e-01 : f64}
// BLOCK: %[[GO:.*]] = gsa.gate %[[O]], %[[OG]] {activation = #gsa.gate_activation<tanh>}
// BLOCK: return %[[GO]], %[[L]], %[[I]], %[[C]], %[[S]]

// SELECT-LABEL: @block
// SELECT: %[[I:.*]] = gsa.index_scores
// SELECT: %[[V:.*]], %[[N:.*]] = gsa.row_statistics %[[I]] {correction = 1 : i64, population = #gsa.population<zero_filled>}
// SELECT: %[[M:.*]] = gsa.stat_mean %[[V]]
// SELECT: %[[BUDGET:.*]] = gsa.adaptive_k %[[N]] statistic %[[V]] normaliser %[[M]] policy <upstream_variance, base = 3, max = 4>
// SELECT: gsa.topk %[[I]], %[[BUDGET]] slots 4 {local = 1 : i64}
// SELECT: gsa.gather_attention

// The names of `ops` are all that is rewritten: gsa.attention stays, and so
// do its gates.
// GATE-LABEL: @block
// GATE: gsa.attention
// GATE-LABEL: @gate_alone
// GATE-NOT: gsa.gate
// GATE: linalg.generic

// ALL-NOT: gsa.{{[a-z]}}
func.func @block(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
                 %v: tensor<1x5x2x6xf32>, %p: tensor<1x3xi64>,
                 %kp: tensor<1x5xi64>, %iq: tensor<1x3x3x7xf32>,
                 %ik: tensor<1x5x7xf32>, %w: tensor<1x3x3xf32>,
                 %b: tensor<3xf32>, %vg: tensor<1x5x2x6xf32>,
                 %og: tensor<1x3x4x6xf32>)
    -> (tensor<1x3x4x6xf32>, tensor<1x4x3xf32>, tensor<1x3x4xi32>,
        tensor<1x3xi32>, tensor<1x3xi32>) {
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      weights %w bias %b value_gate %vg output_gate %og
      policy <upstream_variance, base = 3, max = 4> {
        softmax_scale = 0.25 : f64, index_scale = 0.5 : f64, local = 1 : i64,
        gate_activation = #gsa.gate_activation<tanh>, rope_base = 100.0 : f64,
        rotary_dim = 6 : i64}
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x6xf32>,
       tensor<1x3xi64>, tensor<1x5xi64>, tensor<1x3x3x7xf32>,
       tensor<1x5x7xf32>, tensor<1x3x3xf32>, tensor<3xf32>,
       tensor<1x5x2x6xf32>, tensor<1x3x4x6xf32>)
    -> (tensor<1x3x4x6xf32>, tensor<1x4x3xf32>, tensor<1x3x4xi32>,
        tensor<1x3xi32>, tensor<1x3xi32>)
  return %0#0, %0#1, %0#2, %0#3, %0#4
    : tensor<1x3x4x6xf32>, tensor<1x4x3xf32>, tensor<1x3x4xi32>,
      tensor<1x3xi32>, tensor<1x3xi32>
}

// Without gates and with everything dynamic but the head sizes: no gate op.
// BLOCK-LABEL: @bare_block
// BLOCK-NOT: gsa.gate
// BLOCK: return
func.func @bare_block(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x2x8xf32>,
                      %p: tensor<?x?xi64>, %kp: tensor<?x?xi64>,
                      %iq: tensor<?x?x3x7xf32>, %ik: tensor<?x?x7xf32>)
    -> tensor<?x?x4x8xf32> {
  %0:5 = gsa.attention %q, %k, %k positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>,
       tensor<?x?xi64>, tensor<?x?xi64>, tensor<?x?x3x7xf32>, tensor<?x?x7xf32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>, tensor<?x?x3xi32>,
        tensor<?x?xi32>, tensor<?x?xi32>)
  return %0#0 : tensor<?x?x4x8xf32>
}

// BLOCK-LABEL: @gate_alone
// BLOCK: gsa.gate
func.func @gate_alone(%x: tensor<1x3x4x8xf32>, %l: tensor<1x3x4xf32>)
    -> tensor<1x3x4x8xf32> {
  %0 = gsa.gate %x, %l
    : (tensor<1x3x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4x8xf32>
  return %0 : tensor<1x3x4x8xf32>
}

// A result type that knows more than the operands gets a cast.
// ALL-LABEL: @more_static_result
// ALL: tensor.cast %{{.*}} : tensor<?x3x4x8xf32> to tensor<1x3x4x8xf32>
func.func @more_static_result(%x: tensor<?x3x4x8xf32>, %l: tensor<?x3x4xf32>)
    -> tensor<1x3x4x8xf32> {
  %0 = gsa.gate %x, %l
    : (tensor<?x3x4x8xf32>, tensor<?x3x4xf32>) -> tensor<1x3x4x8xf32>
  return %0 : tensor<1x3x4x8xf32>
}

func.func @scheduled(%s: tensor<1x9x100xf32>, %k: tensor<1x9xi32>)
    -> tensor<1x9x8xi32> {
  %0:3 = gsa.topk %s, %k slots 8 {gsa.schedule =
      #gsa.topk_schedule<warps = 2, bins = 256, capacity = 32, chunk = 7>}
    : (tensor<1x9x100xf32>, tensor<1x9xi32>)
    -> (tensor<1x9x8xi32>, tensor<1x9xi32>, tensor<1x9xi32>)
  return %0#0 : tensor<1x9x8xi32>
}
