// gsa-reduce drops what the test does not need: the other function, weights,
// the normaliser with its policy, gates, attributes; and keeps what it needs.

// REQUIRES: gsa-reduce
// RUN: split-file %s %t

// RUN: gsa-reduce %t/select.mlir \
// RUN:   --reduction-tree='traversal-mode=0 test=%S/Inputs/has-bias-and-local.sh' \
// RUN:   2>%t.select | FileCheck %s --check-prefix=SELECT

// SELECT-NOT:   @other
// SELECT-LABEL: func.func @main
// SELECT-NEXT:    gsa.select %{{[a-z0-9]+}}, %{{[a-z0-9]+}} bias %{{[a-z0-9]+}}
// SELECT-SAME:      policy <fixed, base = 6> {local = 2 : i64} :
// SELECT-NEXT:    return

// RUN: gsa-reduce %t/attention.mlir \
// RUN:   --reduction-tree='traversal-mode=0 test=%S/Inputs/has-attention.sh' \
// RUN:   2>%t.attention | FileCheck %s --check-prefix=ATTENTION

// Without a pass nothing happens, which is said.
// RUN: gsa-reduce %t/select.mlir 2>&1 >%t.same | FileCheck %s --check-prefix=NOPASS
// NOPASS: gsa-reduce: nothing is reduced without --reduction-tree='traversal-mode=0 test=<script>'

// What candidates did wrong is no news where there is a result.
// RUN: cat %t.select %t.attention | count 0

// ATTENTION-LABEL: func.func @main
// ATTENTION-NOT:     gsa.gate
// ATTENTION-NOT:     gsa.rope
// ATTENTION:         gsa.attention
// ATTENTION-NOT:     weights
// ATTENTION-NOT:     gate
// ATTENTION-SAME:    policy <fixed, base = 3> :

// A module that is not interesting to begin with is refused.
// RUN: not gsa-reduce %t/attention.mlir \
// RUN:   --reduction-tree='traversal-mode=0 test=%S/Inputs/has-bias-and-local.sh' \
// RUN:   2>&1 | FileCheck %s --check-prefix=BORING
// BORING: the test does not find the input interesting

//--- select.mlir
func.func @other(%x: tensor<1x4x2x3xf32>, %l: tensor<1x4x2x3xf32>)
    -> tensor<1x4x2x3xf32> {
  %y = gsa.gate %x, %l : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>)
      -> tensor<1x4x2x3xf32>
  return %y : tensor<1x4x2x3xf32>
}
func.func @main(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x4xf32>,
                %w: tensor<1x9x2xf32>, %b: tensor<2xf32>, %n: tensor<f32>)
    -> (tensor<1x9x6xi32>, tensor<1x9xi32>) {
  %i, %c, %s = gsa.select %q, %k weights %w bias %b normaliser %n
      policy <upstream_variance, base = 4, min = 2, max = 8>
      {mask = #gsa.mask<none>, sink = 1 : i64, local = 2 : i64,
       score_activation = #gsa.score_activation<relu>, assume_finite}
      : (tensor<1x9x2x4xf32>, tensor<1x9x4xf32>, tensor<1x9x2xf32>,
         tensor<2xf32>, tensor<f32>)
      -> (tensor<1x9x6xi32>, tensor<1x9xi32>, tensor<1x9xi32>)
  return %i, %c : tensor<1x9x6xi32>, tensor<1x9xi32>
}

//--- attention.mlir
func.func @main(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x1x4xf32>,
                %v: tensor<1x9x1x4xf32>, %p: tensor<1x9xi64>,
                %iq: tensor<1x9x2x4xf32>, %ik: tensor<1x9x4xf32>,
                %iw: tensor<1x9x2xf32>, %vg: tensor<1x9x1x4xf32>,
                %og: tensor<1x9x2x4xf32>) -> tensor<1x9x2x4xf32> {
  %r = gsa.rope %q, %p : (tensor<1x9x2x4xf32>, tensor<1x9xi64>)
      -> tensor<1x9x2x4xf32>
  %o, %lse, %i, %c, %s = gsa.attention %r, %k, %v positions %p, %p
      index %iq, %ik weights %iw value_gate %vg output_gate %og
      policy <entropy, base = 3, max = 3> {rope_base = 500.0}
      : (tensor<1x9x2x4xf32>, tensor<1x9x1x4xf32>, tensor<1x9x1x4xf32>,
         tensor<1x9xi64>, tensor<1x9xi64>, tensor<1x9x2x4xf32>,
         tensor<1x9x4xf32>, tensor<1x9x2xf32>, tensor<1x9x1x4xf32>,
         tensor<1x9x2x4xf32>)
      -> (tensor<1x9x2x4xf32>, tensor<1x2x9xf32>, tensor<1x9x3xi32>,
          tensor<1x9xi32>, tensor<1x9xi32>)
  %y = gsa.gate %o, %og : (tensor<1x9x2x4xf32>, tensor<1x9x2x4xf32>)
      -> tensor<1x9x2x4xf32>
  return %y : tensor<1x9x2x4xf32>
}
