// RUN: gsa-opt %s --gsa-mark-zones --split-input-file | FileCheck %s

// A call where the zone changes, and one that ends the last zone.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["gates", "dense_attention"]
// CHECK: %[[GATES:.*]] = arith.constant 0 : i64
// CHECK-NEXT: call @gsa_cpu_zone(%[[GATES]])
// CHECK-NEXT: gsa.gate
// CHECK: %[[DENSE:.*]] = arith.constant 1 : i64
// CHECK-NEXT: call @gsa_cpu_zone(%[[DENSE]])
// CHECK-NEXT: gsa.dense_attention
// CHECK: %[[END:.*]] = arith.constant -1 : i64
// CHECK-NEXT: call @gsa_cpu_zone(%[[END]])
// CHECK-NEXT: return
func.func @main(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x2x8xf32>,
                %v: tensor<1x3x2x8xf32>, %g: tensor<1x3x2x8xf32>)
    -> tensor<1x2x4x8xf32> {
  %gated = gsa.gate %v, %g
      : (tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>) -> tensor<1x3x2x8xf32>
  %o, %lse = gsa.dense_attention %q, %k, %gated
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  return %o : tensor<1x2x4x8xf32>
}

// -----

// A gate that is an operand of attention is part of its zone; parts are in the
// zone of what they are parts of.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["sparse_attention", "dense_attention", "merge_attention"]
func.func @main(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x2x8xf32>,
                %v: tensor<1x3x2x8xf32>, %i: tensor<1x2x3xi32>,
                %c: tensor<1x2xi32>, %g: tensor<1x2x4x8xf32>)
    -> tensor<1x2x4x8xf32> {
  %o, %lse = gsa.gather_attention %q, %k, %v indices %i, %c gate %g
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>,
         tensor<1x2x3xi32>, tensor<1x2xi32>, tensor<1x2x4x8xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  %o0, %lse0 = gsa.partial_attention %q, %k, %v indices %i, %c first 0 size 2
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>,
         tensor<1x2x3xi32>, tensor<1x2xi32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  %o1, %lse1 = gsa.partial_attention %q, %k, %v first 2 size 1
      {mask = #gsa.mask<none>}
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  %y, %l = gsa.merge_attention %o, %o0, %o1 lse %lse, %lse0, %lse1
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>,
         tensor<1x4x2xf32>, tensor<1x4x2xf32>, tensor<1x4x2xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x4x2xf32>)
  return %y : tensor<1x2x4x8xf32>
}

// -----

// The gradients of attention are one zone; those of gates are in that of gates.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["gates", "attention_gradient"]
func.func @main(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x2x8xf32>,
                %o: tensor<1x2x4x8xf32>, %l: tensor<1x4x2xf32>)
    -> tensor<1x2x4x8xf32> {
  %d:2 = gsa.gate_grad %o, %o output_grad %o
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
  %s = gsa.attention_row_sums %o, %d#0
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>) -> tensor<1x4x2xf32>
  %g:3 = gsa.dense_attention_grad %q, %k, %k output_grad %d#0 lse %l row_sums %s
      : (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>,
         tensor<1x2x4x8xf32>, tensor<1x4x2xf32>, tensor<1x4x2xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>)
  return %g#0 : tensor<1x2x4x8xf32>
}

// -----

// What trains the indexer: its loss, and the gradients of that and of scores.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["index_loss", "index_gradient"]
func.func @main(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x8xf32>,
                %k4: tensor<1x3x2x8xf32>, %l: tensor<1x4x2xf32>,
                %g: tensor<1x2x3xf32>) -> tensor<1x3x8xf32> {
  %0 = gsa.index_kl %q, %k attention %q, %k4 lse %l {mask = #gsa.mask<causal>}
      : (tensor<1x2x4x8xf32>, tensor<1x3x8xf32>, tensor<1x2x4x8xf32>,
         tensor<1x3x2x8xf32>, tensor<1x4x2xf32>) -> tensor<1x2xf32>
  %1:4 = gsa.index_kl_grad %q, %k attention %q, %k4 lse %l loss_grad %0
      {mask = #gsa.mask<causal>}
      : (tensor<1x2x4x8xf32>, tensor<1x3x8xf32>, tensor<1x2x4x8xf32>,
         tensor<1x3x2x8xf32>, tensor<1x4x2xf32>, tensor<1x2xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x3x8xf32>, tensor<1x2x4xf32>, tensor<4xf32>)
  %2:4 = gsa.index_scores_grad %1#0, %1#1 scores_grad %g
      {mask = #gsa.mask<causal>}
      : (tensor<1x2x4x8xf32>, tensor<1x3x8xf32>, tensor<1x2x3xf32>)
      -> (tensor<1x2x4x8xf32>, tensor<1x3x8xf32>, tensor<1x2x4xf32>, tensor<4xf32>)
  return %2#1 : tensor<1x3x8xf32>
}

// -----

// Pages and appended rows are zones of their own.
// CHECK-LABEL: func.func @main
// CHECK-SAME: gsa.zones = ["append_rows", "paged_rows"]
func.func @main(%x: tensor<2x1x8xf32>, %p: tensor<7x4x8xf32>,
                %t: tensor<2x3xi32>, %n: tensor<2xi32>) -> tensor<2x12x8xf32> {
  %0 = gsa.append_rows %x to %p, %t lengths %n
      : (tensor<2x1x8xf32>, tensor<7x4x8xf32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<7x4x8xf32>
  %1 = gsa.paged_rows %0, %t
      : (tensor<7x4x8xf32>, tensor<2x3xi32>) -> tensor<2x12x8xf32>
  return %1 : tensor<2x12x8xf32>
}
