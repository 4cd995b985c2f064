// RUN: gsa-opt %s --gsa-differentiate --split-input-file --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --gsa-differentiate=save=lists --split-input-file | FileCheck %s --check-prefix=LISTS
// RUN: gsa-opt %s --gsa-differentiate=save=attention --split-input-file | FileCheck %s --check-prefix=ATTENTION
// RUN: gsa-opt %s --gsa-differentiate --split-input-file --remarks-filter="gsa.gradient" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// The function stays as it is. The backward function has the arguments that it
// reads, gradients of results and, if anything is saved, that; it returns the
// gradients that there are.

// CHECK-LABEL: func.func @main(
// CHECK: gsa.gate
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME: %[[Q:.*]]: tensor<1x3x2x4xf32> {gsa.name = "q"}, %[[K:.*]]: tensor<1x5x1x4xf32> {gsa.name = "k"}, %[[IQ:.*]]: tensor<1x3x1x4xf32> {gsa.name = "arg2"}, %[[IK:.*]]: tensor<1x5x4xf32> {gsa.name = "index_key"}, %[[Z:.*]]: tensor<1x3x2x4xf32> {gsa.name = "gate"}, %[[D:.*]]: tensor<1x3x2x4xf32> {gsa.name = "output_grad"}, %[[DL:.*]]: tensor<1x2x3xf32> {gsa.name = "result1_grad"})
// CHECK-SAME: -> (tensor<1x3x2x4xf32> {gsa.name = "q_grad"}, tensor<1x5x1x4xf32> {gsa.name = "k_grad"}, tensor<1x3x2x4xf32> {gsa.name = "gate_grad"})
// CHECK: %[[I:.*]], %[[C:.*]], %{{.*}} = gsa.select %[[IQ]], %[[IK]]
// CHECK: %[[O:.*]], %[[L:.*]] = gsa.gather_attention %[[Q]], %[[K]], %[[K]] indices %[[I]], %[[C]]
// CHECK-NOT: gsa.gate %
// CHECK: %[[DO:.*]], %[[DZ:.*]] = gsa.gate_grad %[[O]], %[[Z]] output_grad %[[D]] {activation = #gsa.gate_activation<tanh>}
// CHECK: %[[S:.*]] = gsa.attention_row_sums %[[O]], %[[DO]] lse_grad %[[DL]]
// CHECK: %[[DQ:.*]], %[[DK:.*]], %[[DV:.*]] = gsa.gather_attention_grad %[[Q]], %[[K]], %[[K]] indices %[[I]], %[[C]] output_grad %[[DO]] lse %[[L]] row_sums %[[S]] {scale = 2.500000e-01 : f64}
// The key is also the value: both gradients, added and rounded once.
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[DK]], %[[DV]] :
// CHECK: arith.addf
// CHECK: return %[[DQ]], %[[SUM]], %[[DZ]]

// Lists are results of the forward function and arguments of the backward one;
// the index operands are not needed then.
// LISTS-LABEL: func.func @main_forward(
// LISTS-SAME: -> (tensor<1x3x2x4xf32> {gsa.name = "output"}, tensor<1x2x3xf32>, tensor<1x3xi32> {gsa.name = "saved0"}, tensor<1x3x2xi32> {gsa.name = "saved1"})
// LISTS-LABEL: func.func @main_backward(
// LISTS-NOT: "arg2"
// LISTS-NOT: gsa.select
// LISTS: gsa.gather_attention %
// LISTS-NOT: gsa.select
// LISTS: return

// ATTENTION-LABEL: func.func @main_backward(
// ATTENTION-SAME: "saved3"
// ATTENTION-NOT: gsa.gather_attention %
// ATTENTION: gsa.gather_attention_grad
// ATTENTION: return

// REMARK: NoGradient{{.*}}gsa.select has no gradient: its lists are constants
// REMARK: NoGradient{{.*}}no result depends on 'arg2', but through a selection or as the target of an indexer
// REMARK: NoGradient{{.*}}no result depends on 'index_key', but through a selection or as the target of an indexer
// REMARK: Differentiated{{.*}}main, gradients=3, saved=0
func.func @main(%q: tensor<1x3x2x4xf32> {gsa.name = "q"},
                %k: tensor<1x5x1x4xf32> {gsa.name = "k"},
                %iq: tensor<1x3x1x4xf32>,
                %ik: tensor<1x5x4xf32> {gsa.name = "index_key"},
                %z: tensor<1x3x2x4xf32> {gsa.name = "gate"})
    -> (tensor<1x3x2x4xf32> {gsa.name = "output"}, tensor<1x2x3xf32>) {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 2>
      : (tensor<1x3x1x4xf32>, tensor<1x5x4xf32>)
      -> (tensor<1x3x2xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  %o, %l = gsa.gather_attention %q, %k, %k indices %i, %c {scale = 0.25 : f64}
      : (tensor<1x3x2x4xf32>, tensor<1x5x1x4xf32>, tensor<1x5x1x4xf32>,
         tensor<1x3x2xi32>, tensor<1x3xi32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x2x3xf32>)
  %g = gsa.gate %o, %z {activation = #gsa.gate_activation<tanh>}
      : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %g, %l : tensor<1x3x2x4xf32>, tensor<1x2x3xf32>
}

// -----

// A projection with a bias in bf16: the gradient of the bias is summed up in f32
// and rounded once; nothing is made of the output, which nothing reads.
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xbf16> {gsa.name = "x"}, %[[W:.*]]: tensor<4x8xbf16> {gsa.name = "w"}, %[[D:.*]]: tensor<?x4xbf16> {gsa.name = "y_grad"})
// CHECK: %[[DX:.*]] = linalg.contract indexing_maps = [#[[NM:.*]], #[[MK:.*]], #[[NK:.*]]] ins(%[[D]], %[[W]] :
// CHECK: %[[DW:.*]] = linalg.contract indexing_maps = [#[[NM]], #[[NK]], #[[MK]]] ins(%[[D]], %[[X]] :
// CHECK: %[[DB:.*]] = linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]} ins(%[[D]] : tensor<?x4xbf16>) outs(%{{.*}} : tensor<4xf32>)
// CHECK: arith.extf
// CHECK: arith.addf
// CHECK: %[[ROUNDED:.*]] = linalg.generic {{.*}} ins(%[[DB]] : tensor<4xf32>) outs(%{{.*}} : tensor<4xbf16>)
// CHECK: return %[[DX]], %[[DW]], %[[ROUNDED]]
func.func @main(%x: tensor<?x8xbf16> {gsa.name = "x"},
                %w: tensor<4x8xbf16> {gsa.name = "w"},
                %b: tensor<4xbf16> {gsa.name = "b"})
    -> (tensor<?x4xbf16> {gsa.name = "y"}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xbf16>
  %e = tensor.empty(%n) : tensor<?x4xbf16>
  %bias = linalg.broadcast ins(%b : tensor<4xbf16>) outs(%e : tensor<?x4xbf16>)
      dimensions = [0]
  %y = linalg.contract
      indexing_maps = [affine_map<(n, m, k) -> (n, k)>,
                       affine_map<(n, m, k) -> (m, k)>,
                       affine_map<(n, m, k) -> (n, m)>]
      ins(%x, %w : tensor<?x8xbf16>, tensor<4x8xbf16>)
      outs(%bias : tensor<?x4xbf16>) -> tensor<?x4xbf16>
  return %y : tensor<?x4xbf16>
}

// -----

// Reshapes and casts go back; an argument that is returned has the gradient of
// the result; a result twice has the sum of both.
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME: %[[A:.*]]: tensor<?x12xf32> {gsa.name = "result0_grad"}, %[[B:.*]]: tensor<?x12xf32> {gsa.name = "result1_grad"}, %[[X:.*]]: tensor<5xf32> {gsa.name = "result2_grad"})
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[B]] :
// CHECK: %[[EXPANDED:.*]] = tensor.expand_shape {{.*}} : tensor<?x12xf32> into tensor<?x3x4xf32>
// CHECK: %[[COLLAPSED:.*]] = tensor.collapse_shape {{.*}} into tensor<24x?xf32>
// CHECK: return %{{.*}}, %[[X]] : tensor<24x4xf32>, tensor<5xf32>
func.func @main(%x: tensor<24x4xf32>, %y: tensor<5xf32>)
    -> (tensor<?x12xf32>, tensor<?x12xf32>, tensor<5xf32>) {
  %d = tensor.cast %x : tensor<24x4xf32> to tensor<24x?xf32>
  %c4 = arith.constant 4 : index
  %e = tensor.expand_shape %d [[0, 1], [2]] output_shape [8, 3, %c4]
      : tensor<24x?xf32> into tensor<8x3x?xf32>
  %f = tensor.cast %e : tensor<8x3x?xf32> to tensor<?x3x4xf32>
  %c = tensor.collapse_shape %f [[0], [1, 2]]
      : tensor<?x3x4xf32> into tensor<?x12xf32>
  return %c, %c, %y : tensor<?x12xf32>, tensor<?x12xf32>, tensor<5xf32>
}

// -----

// Named linalg ops are generics: a reduction, an elementwise op.
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME: %[[X:.*]]: tensor<3x4xf32> {gsa.name = "arg0"}, %[[D:.*]]: tensor<3xf32> {gsa.name = "result0_grad"})
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[D]] : tensor<3xf32>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[X]] : tensor<3x4xf32>, tensor<3x4xf32>)
// CHECK: math.exp
func.func @main(%x: tensor<3x4xf32>) -> tensor<3xf32> {
  %zero = arith.constant dense<0.0> : tensor<3xf32>
  %e = tensor.empty() : tensor<3x4xf32>
  %y = linalg.exp ins(%x : tensor<3x4xf32>) outs(%e : tensor<3x4xf32>)
      -> tensor<3x4xf32>
  %s = linalg.reduce { arith.addf } ins(%y : tensor<3x4xf32>)
      outs(%zero : tensor<3xf32>) dimensions = [1]
  return %s : tensor<3xf32>
}

// -----

// Only the lse has a gradient: the output's is 0.
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME: %[[D:.*]]: tensor<?x2x?xf16> {gsa.name = "result0_grad"})
// CHECK: %[[Z:.*]] = linalg.fill {{.*}} -> tensor<?x?x2x4xf32>
// CHECK: gsa.attention_row_sums %{{.*}}, %[[Z]] lse_grad %{{.*}}
// CHECK: gsa.dense_attention_grad {{.*}} output_grad %[[Z]] lse %{{.*}} lengths %{{.*}} {mask = #gsa.mask<none>}
func.func @main(%q: tensor<?x?x2x4xf32>, %k: tensor<?x?x1x4xf32>,
                %n: tensor<?xi32>) -> tensor<?x2x?xf16> {
  %o, %l = gsa.dense_attention %q, %k, %k lengths %n {mask = #gsa.mask<none>}
      : (tensor<?x?x2x4xf32>, tensor<?x?x1x4xf32>, tensor<?x?x1x4xf32>,
         tensor<?xi32>) -> (tensor<?x?x2x4xf32>, tensor<?x2x?xf32>)
  %t = arith.truncf %l : tensor<?x2x?xf32> to tensor<?x2x?xf16>
  return %t : tensor<?x2x?xf16>
}

// -----

// The gradient of a scale: terms and their sum in f32, rounded once.
// CHECK-LABEL: func.func @main_backward(
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]}
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: %[[P:.*]] = arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %{{.*}}, %[[P]] : f32
// CHECK-NEXT: linalg.yield %[[S]] : f32
func.func @main(%x: tensor<4xbf16>, %s: tensor<bf16>) -> tensor<4xbf16> {
  %e = tensor.empty() : tensor<4xbf16>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
        affine_map<(i) -> ()>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%x, %s : tensor<4xbf16>, tensor<bf16>) outs(%e : tensor<4xbf16>) {
  ^bb0(%a: bf16, %b: bf16, %old: bf16):
    %p = arith.mulf %a, %b : bf16
    linalg.yield %p : bf16
  } -> tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// -----

// The loss of the indexer: gradients for the indexer alone, whatever is attended
// to; the lists and the lse are made again.
// CHECK-LABEL: func.func @main_backward(
// CHECK-SAME: "loss_grad"
// CHECK-SAME: -> (tensor<1x3x2x4xf32> {gsa.name = "iq_grad"}, tensor<1x5x4xf32> {gsa.name = "ik_grad"}, tensor<1x3x2xf32> {gsa.name = "w_grad"}, tensor<2xf32> {gsa.name = "b_grad"})
// CHECK: %[[I:.*]], %[[C:.*]], %{{.*}} = gsa.select
// CHECK: %{{.*}}, %[[L:.*]] = gsa.gather_attention
// CHECK: %[[G0:.*]], %[[G1:.*]], %[[G2:.*]], %[[G3:.*]] = gsa.index_kl_grad %{{.*}}, %{{.*}} weights %{{.*}} bias %{{.*}} attention %{{.*}}, %{{.*}} lse %[[L]] loss_grad %{{.*}} indices %[[I]], %[[C]] {clip = 4.000000e+00 : f64, index_scale = 5.000000e-01 : f64, mean_heads, softmax_scale = 2.500000e-01 : f64, temperature = 1.250000e-01 : f64}
// CHECK: return %[[G0]], %[[G1]], %[[G2]], %[[G3]]
// ATTENTION-LABEL: func.func @main_backward({{.*}}"loss_grad"
// ATTENTION-NOT: gsa.select
// ATTENTION-NOT: gsa.gather_attention
// ATTENTION: gsa.index_kl_grad
// ATTENTION: return
// REMARK: NoGradient{{.*}}no result depends on 'q', but through a selection or as the target of an indexer
func.func @main(%iq: tensor<1x3x2x4xf32> {gsa.name = "iq"},
                %ik: tensor<1x5x4xf32> {gsa.name = "ik"},
                %w: tensor<1x3x2xf32> {gsa.name = "w"},
                %b: tensor<2xf32> {gsa.name = "b"},
                %q: tensor<1x3x2x4xf32> {gsa.name = "q"},
                %k: tensor<1x5x1x4xf32> {gsa.name = "k"})
    -> (tensor<1x3xf32> {gsa.name = "loss"}) {
  %i, %c, %s = gsa.select %iq, %ik weights %w bias %b policy <fixed, base = 2>
      {scale = 0.5 : f64}
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2xf32>,
         tensor<2xf32>)
      -> (tensor<1x3x2xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  %o, %l = gsa.gather_attention %q, %k, %k indices %i, %c {scale = 0.25 : f64}
      : (tensor<1x3x2x4xf32>, tensor<1x5x1x4xf32>, tensor<1x5x1x4xf32>,
         tensor<1x3x2xi32>, tensor<1x3xi32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x2x3xf32>)
  %loss = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l
      indices %i, %c
      {clip = 4.0 : f64, index_scale = 0.5 : f64, softmax_scale = 0.25 : f64,
       mean_heads, temperature = 0.125 : f64}
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2xf32>,
         tensor<2xf32>, tensor<1x3x2x4xf32>, tensor<1x5x1x4xf32>,
         tensor<1x2x3xf32>, tensor<1x3x2xi32>, tensor<1x3xi32>)
      -> tensor<1x3xf32>
  return %loss : tensor<1x3xf32>
}

// -----

// Scores of all keys.
// CHECK-LABEL: func.func @main_backward(
// CHECK: %[[S0:.*]], %[[S1:.*]], %[[S2:.*]], %{{.*}} = gsa.index_scores_grad %{{.*}}, %{{.*}} weights %{{.*}} scores_grad %{{.*}} lengths %{{.*}} {mask = #gsa.mask<none>, score_activation = #gsa.score_activation<relu>}
// CHECK: return %[[S0]], %[[S1]], %[[S2]] :
func.func @main(%q: tensor<?x?x2x4xbf16>, %k: tensor<?x?x4xbf16>,
                %w: tensor<?x?x2xbf16>, %n: tensor<?xi32>) -> tensor<?x?x?xf32> {
  %0 = gsa.index_scores %q, %k weights %w lengths %n
      {mask = #gsa.mask<none>, score_activation = #gsa.score_activation<relu>}
      : (tensor<?x?x2x4xbf16>, tensor<?x?x4xbf16>, tensor<?x?x2xbf16>,
         tensor<?xi32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// -----

// A gate that is an operand of attention is made a gsa.gate of its output.
// CHECK-LABEL: func.func @main_backward(
// CHECK: %[[O:.*]], %[[L:.*]] = gsa.dense_attention %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : (
// CHECK: %[[DO:.*]], %[[DZ:.*]] = gsa.gate_grad %[[O]], %{{.*}} output_grad %{{.*}} {activation = #gsa.gate_activation<silu>}
// CHECK: gsa.attention_row_sums %[[O]], %[[DO]] lse_grad
// CHECK: gsa.dense_attention_grad
func.func @main(%q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>,
                %z: tensor<1x3x2xf32>)
    -> (tensor<1x3x2x4xf32>, tensor<1x2x3xf32>) {
  %o, %l = gsa.dense_attention %q, %k, %k gate %z
      {gate_activation = #gsa.gate_activation<silu>}
      : (tensor<1x3x2x4xf32>, tensor<1x5x1x4xf32>, tensor<1x5x1x4xf32>,
         tensor<1x3x2xf32>) -> (tensor<1x3x2x4xf32>, tensor<1x2x3xf32>)
  return %o, %l : tensor<1x3x2x4xf32>, tensor<1x2x3xf32>
}
