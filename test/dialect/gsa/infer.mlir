// RUN: gsa-opt %s -split-input-file -verify-diagnostics | FileCheck %s

// Result types follow from the operands. A written result type may know fewer
// sizes than the operands (less static) or more (more static); it may not
// contradict them, nor one result another.

// CHECK-LABEL: @less_static
func.func @less_static(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                       %v: tensor<2x5x4x6xf32>, %i: tensor<2x3x7xi32>,
                       %c: tensor<2x3xi32>, %p: tensor<2x3xi64>,
                       %gk: tensor<2x5x4x8xf32>) {
  // CHECK: -> tensor<?x3x?xf32>
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<?x3x?xf32>
  // CHECK: -> (tensor<?x?xf32>, tensor<?x3xi32>)
  %1:2 = gsa.row_statistics %0
    : (tensor<?x3x?xf32>) -> (tensor<?x?xf32>, tensor<?x3xi32>)
  // CHECK: -> tensor<?x3xi32>
  %2 = gsa.adaptive_k %c policy <fixed, base = 2>
    : (tensor<2x3xi32>) -> tensor<?x3xi32>
  // CHECK: -> (tensor<?x?x?xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %3:3 = gsa.topk %0, %2 slots 4
    : (tensor<?x3x?xf32>, tensor<?x3xi32>)
    -> (tensor<?x?x?xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  // CHECK: -> (tensor<?x?x2xi32>, tensor<?x3xi32>, tensor<2x?xi32>)
  %4:3 = gsa.select %q, %k policy <fixed, base = 2>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>)
    -> (tensor<?x?x2xi32>, tensor<?x3xi32>, tensor<2x?xi32>)
  // CHECK: -> (tensor<?x3x?x6xf32>, tensor<2x?x?xf32>)
  %5:2 = gsa.gather_attention %q, %gk, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x4x8xf32>, tensor<2x5x4x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<?x3x?x6xf32>, tensor<2x?x?xf32>)
  // CHECK: -> (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>)
  %6:2 = gsa.dense_attention %q, %gk, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x4x8xf32>, tensor<2x5x4x6xf32>)
    -> (tensor<?x?x?x?xf32>, tensor<?x?x?xf32>)
  // CHECK: -> (tensor<2x?x4x6xf32>, tensor<?x4x?xf32>)
  %p0:2 = gsa.partial_attention %q, %gk, %v first 0 size 2
      {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x4x8xf32>, tensor<2x5x4x6xf32>)
    -> (tensor<2x?x4x6xf32>, tensor<?x4x?xf32>)
  // CHECK: -> (tensor<?x3x4x6xbf16>, tensor<2x4x?xf32>)
  %p1:2 = gsa.merge_attention %p0#0, %p0#0 lse %p0#1, %p0#1
      {element_type = bf16}
    : (tensor<2x?x4x6xf32>, tensor<2x?x4x6xf32>, tensor<?x4x?xf32>,
       tensor<?x4x?xf32>) -> (tensor<?x3x4x6xbf16>, tensor<2x4x?xf32>)
  // CHECK: gsa.paged_rows
  // CHECK-SAME: -> tensor<?x45x4x?xf32>
  %pool = tensor.empty() : tensor<7x9x4x8xf32>
  %table = tensor.empty() : tensor<2x5xi32>
  %r = gsa.paged_rows %pool, %table
    : (tensor<7x9x4x8xf32>, tensor<2x5xi32>) -> tensor<?x45x4x?xf32>
  // CHECK: gsa.append_rows
  // CHECK-SAME: -> tensor<7x?x4x8xf32>
  %rows = tensor.empty() : tensor<2x3x4x8xf32>
  %lengths = tensor.empty() : tensor<2xi32>
  %a = gsa.append_rows %rows to %pool, %table lengths %lengths
    : (tensor<2x3x4x8xf32>, tensor<7x9x4x8xf32>, tensor<2x5xi32>,
       tensor<2xi32>) -> tensor<7x?x4x8xf32>
  // CHECK: gsa.gate
  // CHECK-SAME: -> tensor<?x3x4x?xf32>
  %7 = gsa.gate %q, %q
    : (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) -> tensor<?x3x4x?xf32>
  // CHECK: gsa.rope
  // CHECK-SAME: -> tensor<?x?x?x?xf32>
  %8 = gsa.rope %q, %p
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<?x?x?x?xf32>
  return
}

// -----

// CHECK-LABEL: @more_static
func.func @more_static(%s: tensor<?x3x?xf32>, %k: tensor<2x?xi32>) {
  // CHECK: -> (tensor<9x3xf32>, tensor<?x3xi32>)
  %0:2 = gsa.row_statistics %s
    : (tensor<?x3x?xf32>) -> (tensor<9x3xf32>, tensor<?x3xi32>)
  // Each operand knows a part: B from the budget, Sq from the scores.
  // CHECK: -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  %1:3 = gsa.topk %s, %k slots 4
    : (tensor<?x3x?xf32>, tensor<2x?xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

// The slots of each policy: base; min(max, floor(1.5 base)) but at least min;
// max.
// CHECK-LABEL: @slots
func.func @slots(%q: tensor<1x2x4x8xf32>, %k: tensor<1x5x8xf32>,
                 %n: tensor<f32>) {
  // CHECK: tensor<1x2x5xi32>
  %0:3 = gsa.select %q, %k policy <fixed, base = 5>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x5xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  // CHECK: tensor<1x2x7xi32>
  %1:3 = gsa.select %q, %k policy <upstream_variance, base = 5, max = 100>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x7xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  // CHECK: tensor<1x2x6xi32>
  %2:3 = gsa.select %q, %k policy <upstream_variance, base = 5, max = 6>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x6xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  // CHECK: tensor<1x2x9xi32>
  %3:3 = gsa.select %q, %k
      policy <upstream_variance, base = 5, min = 9, max = 12>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x9xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  // CHECK: tensor<1x2x12xi32>
  %4:3 = gsa.select %q, %k normaliser %n policy <paper_ema, base = 5, max = 12>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>, tensor<f32>)
    -> (tensor<1x2x12xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  // CHECK: tensor<1x2x11xi32>
  %5:3 = gsa.select %q, %k policy <entropy, base = 5, max = 11>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x11xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  // CHECK: tensor<1x2x10xi32>
  %6:3 = gsa.select %q, %k policy <orth, base = 5, max = 10>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x10xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  return
}

// -----

func.func @contradicts_operands(%s: tensor<2x3x5xf32>) {
  // expected-error @+1 {{'gsa.row_statistics' op (C1) expected 'value' to be 'tensor<2x3xf32>', got 'tensor<2x4xf32>'}}
  %0:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32>) -> (tensor<2x4xf32>, tensor<2x3xi32>)
  return
}

// -----

func.func @contradicts_other_result(%s: tensor<?x3x5xf32>) {
  // expected-error @+1 {{'gsa.row_statistics' op (C1) expected B = 2 (from 'value') in dimension 0 of 'visible', got 4}}
  %0:2 = gsa.row_statistics %s
    : (tensor<?x3x5xf32>) -> (tensor<2x3xf32>, tensor<4x3xi32>)
  return
}

// -----

func.func @wrong_accumulator(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x8xf16>) {
  // expected-error @+1 {{(C1) expected 'scores' to be 'tensor<2x3x5xf32>', got 'tensor<2x3x5xf64>'}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>) -> tensor<2x3x5xf64>
  return
}

// -----

func.func @wrong_slots(%q: tensor<1x2x4x8xf32>, %k: tensor<1x5x8xf32>) {
  // expected-error @+1 {{(C1) expected 'indices' to be 'tensor<1x2x5xi32>', got 'tensor<1x2x6xi32>'}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 5>
    : (tensor<1x2x4x8xf32>, tensor<1x5x8xf32>)
    -> (tensor<1x2x6xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  return
}

// -----

func.func @encoded_result(%x: tensor<1x2x4x8xf32>) {
  // expected-error @+1 {{(C1) expected 'output' to be 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x8xf32, "blocked">'}}
  %0 = gsa.gate %x, %x : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
    -> tensor<1x2x4x8xf32, "blocked">
  return
}
