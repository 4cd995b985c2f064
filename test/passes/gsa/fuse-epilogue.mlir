// RUN: gsa-opt %s --gsa-fuse-epilogue --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --gsa-fuse-epilogue --gsa-fuse-epilogue | FileCheck %s
// RUN: gsa-opt %s --gsa-fuse-epilogue --remarks-filter="gsa.fuse" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// The gate becomes an operand; the attention op moves down to where it was, past
// the definition of the logits.
// CHECK-LABEL: @gather(
// CHECK: %[[LOGITS:.*]] = arith.addf
// CHECK-NEXT: %[[OUT:.*]], %[[LSE:.*]] = gsa.gather_attention %{{.*}} indices %{{.*}}, %{{.*}} gate %[[LOGITS]] :
// CHECK-NEXT: return %[[OUT]], %[[LSE]]
// REMARK: [Passed] FusedEpilogue {{.*}}Remark=gsa.gather_attention
func.func @gather(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>, %i: tensor<1x3x4xi32>, %c: tensor<1x3xi32>,
    %l: tensor<1x3x4x8xf32>) -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>) {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>,
       tensor<1x3x4xi32>, tensor<1x3xi32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %logits = arith.addf %l, %l : tensor<1x3x4x8xf32>
  %gated = gsa.gate %out, %logits
    : (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>) -> tensor<1x3x4x8xf32>
  return %gated, %lse : tensor<1x3x4x8xf32>, tensor<1x4x3xf32>
}

// One logit per head, and an activation.
// CHECK-LABEL: @dense_per_head(
// CHECK: gsa.dense_attention {{.*}} gate %{{.*}} {gate_activation = #gsa.gate_activation<silu>} :
// CHECK-NEXT: return
// REMARK: [Passed] FusedEpilogue {{.*}}Remark=gsa.dense_attention
func.func @dense_per_head(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>, %l: tensor<1x3x4xf32>) -> tensor<1x3x4x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %gated = gsa.gate %out, %l {activation = #gsa.gate_activation<silu>}
    : (tensor<1x3x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4x8xf32>
  return %gated : tensor<1x3x4x8xf32>
}

// A value gate has no attention above it.
// CHECK-LABEL: @value_gate(
// CHECK: gsa.gate
// REMARK: [Missed] NotFused {{.*}}the input is not the output of an attention op
func.func @value_gate(%v: tensor<1x5x2x8xf32>, %l: tensor<1x5x2x8xf32>)
    -> tensor<1x5x2x8xf32> {
  %gated = gsa.gate %v, %l
    : (tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>) -> tensor<1x5x2x8xf32>
  return %gated : tensor<1x5x2x8xf32>
}

// CHECK-LABEL: @other_user(
// CHECK: gsa.gate
// REMARK: [Missed] NotFused {{.*}}the output of attention has another user
func.func @other_user(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>, %l: tensor<1x3x4x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>) {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %gated = gsa.gate %out, %l
    : (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>) -> tensor<1x3x4x8xf32>
  return %gated, %out : tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>
}

// The logits depend on lse, so attention cannot move past its reader.
// CHECK-LABEL: @lse_first(
// CHECK: gsa.gate
// REMARK: [Missed] NotFused {{.*}}lse is read before the gate
func.func @lse_first(%q: tensor<1x4x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>) -> tensor<1x4x4x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x4x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x4x4x8xf32>, tensor<1x4x4xf32>)
  %logits = arith.negf %lse : tensor<1x4x4xf32>
  %gated = gsa.gate %out, %logits
    : (tensor<1x4x4x8xf32>, tensor<1x4x4xf32>) -> tensor<1x4x4x8xf32>
  return %gated : tensor<1x4x4x8xf32>
}

// Merged parts have their gate in the merge; the schedule stays on attention.
// CHECK-LABEL: @merged(
// CHECK: %[[OUT:.*]], %{{.*}} = gsa.merge_attention %{{.*}}, %{{.*}} lse %{{.*}}, %{{.*}} gate %{{[a-z0-9]+}} {element_type = bf16} :
// CHECK-NEXT: return %[[OUT]]
// REMARK: [Passed] FusedEpilogue {{.*}}Remark=gsa.merge_attention
func.func @merged(%o: tensor<1x3x4x8xf32>, %l: tensor<1x4x3xf32>,
    %g: tensor<1x3x4x8xbf16>) -> tensor<1x3x4x8xbf16> {
  %out, %lse = gsa.merge_attention %o, %o lse %l, %l {element_type = bf16}
    : (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>, tensor<1x4x3xf32>,
       tensor<1x4x3xf32>) -> (tensor<1x3x4x8xbf16>, tensor<1x4x3xf32>)
  %gated = gsa.gate %out, %g
    : (tensor<1x3x4x8xbf16>, tensor<1x3x4x8xbf16>) -> tensor<1x3x4x8xbf16>
  return %gated : tensor<1x3x4x8xbf16>
}

// One gate after another: the first becomes an operand. Sizes that the gate
// forgot stay forgotten for its users.
// CHECK-LABEL: @two_gates(
// CHECK: %[[OUT:.*]], %{{.*}} = gsa.dense_attention {{.*}} gate
// CHECK-NEXT: %[[CAST:.*]] = tensor.cast %[[OUT]] : tensor<1x3x4x8xf32> to tensor<1x?x4x8xf32>
// CHECK-NEXT: gsa.gate %[[CAST]]
// REMARK: [Passed] FusedEpilogue {{.*}}Remark=gsa.dense_attention
// REMARK: [Missed] NotFused {{.*}}the input is not the output of an attention op
func.func @two_gates(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>, %g: tensor<1x3x4xf32>) -> tensor<1x?x4x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %one = gsa.gate %out, %g
    : (tensor<1x3x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x?x4x8xf32>
  %two = gsa.gate %one, %g
    : (tensor<1x?x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x?x4x8xf32>
  return %two : tensor<1x?x4x8xf32>
}

// CHECK-LABEL: @has_gate(
// CHECK: gsa.dense_attention {{.*}} gate
// CHECK-NEXT: gsa.gate
// REMARK: [Missed] NotFused {{.*}}attention has a gate already
func.func @has_gate(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>, %g: tensor<1x3x4xf32>) -> tensor<1x3x4x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v gate %g
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>,
       tensor<1x3x4xf32>) -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %two = gsa.gate %out, %g
    : (tensor<1x3x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4x8xf32>
  return %two : tensor<1x3x4x8xf32>
}

// CHECK-LABEL: @own_gate(
// CHECK: gsa.gate
// REMARK: [Missed] NotFused {{.*}}the output of attention is its own gate
func.func @own_gate(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>) -> tensor<1x3x4x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %gated = gsa.gate %out, %out
    : (tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32>) -> tensor<1x3x4x8xf32>
  return %gated : tensor<1x3x4x8xf32>
}

// CHECK-LABEL: @other_block(
// CHECK: scf.if
// CHECK: gsa.gate
// REMARK: [Missed] NotFused {{.*}}attention is in another block
func.func @other_block(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>, %g: tensor<1x3x4xf32>, %c: i1)
    -> tensor<1x3x4x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x3x4x8xf32>, tensor<1x4x3xf32>)
  %r = scf.if %c -> tensor<1x3x4x8xf32> {
    %gated = gsa.gate %out, %g
      : (tensor<1x3x4x8xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4x8xf32>
    scf.yield %gated : tensor<1x3x4x8xf32>
  } else {
    scf.yield %q : tensor<1x3x4x8xf32>
  }
  return %r : tensor<1x3x4x8xf32>
}
