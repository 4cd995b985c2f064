// RUN: gsa-opt %s --gsa-check-index-loss --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not gsa-opt %s --split-input-file --gsa-to-cpu 2>&1 | FileCheck %s --check-prefix=PIPELINE

// PIPELINE: error: 'gsa.index_kl' op trains nothing

// A budget below the number of keys, lists from elsewhere, and all keys.
// CHECK-LABEL: @fine
// CHECK-COUNT-3: gsa.index_kl
func.func @fine(%iq: tensor<1x3x2x4xf32>, %ik: tensor<1x5x4xf32>,
                %q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>,
                %l: tensor<1x2x3xf32>, %i: tensor<1x3x9xi32>,
                %c: tensor<1x3xi32>)
    -> (tensor<1x3xf32>, tensor<1x3xf32>, tensor<1x3xf32>) {
  %s:3 = gsa.select %iq, %ik policy <upstream_variance, base = 8, min = 4, max = 12>
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>)
      -> (tensor<1x3x12xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x12xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  %1 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %i, %c
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x9xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  %2 = gsa.index_kl %iq, %ik attention %q, %k lse %l {mask = #gsa.mask<causal>}
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>) -> tensor<1x3xf32>
  return %0, %1, %2 : tensor<1x3xf32>, tensor<1x3xf32>, tensor<1x3xf32>
}

// -----

// Nothing is said of a size that is not known.
// CHECK-LABEL: @unknown
func.func @unknown(%iq: tensor<1x3x2x4xf32>, %ik: tensor<1x?x4xf32>,
                   %q: tensor<1x3x2x4xf32>, %k: tensor<1x?x1x4xf32>,
                   %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %s:3 = gsa.select %iq, %ik policy <fixed, base = 8>
      : (tensor<1x3x2x4xf32>, tensor<1x?x4xf32>)
      -> (tensor<1x3x8xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x?x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x?x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x8xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

func.func @main(%iq: tensor<1x3x2x4xf32>, %ik: tensor<1x5x4xf32>,
                %q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>,
                %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %s:3 = gsa.select %iq, %ik policy <fixed, base = 5>
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>)
      -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  // expected-error @+1 {{'gsa.index_kl' op trains nothing: its lists hold every visible key whatever the scores, as the budget of its selection, at least 5, covers all of the 5 keys; expected a smaller budget, or the loss over all visible keys, with a 'mask' in place of 'indices'}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x5xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// A top-k whose budget another op makes; a cast between.
func.func @topk(%x: tensor<1x3x5xf32>, %v: tensor<1x3xi32>,
                %iq: tensor<1x3x2x4xf32>, %ik: tensor<1x5x4xf32>,
                %q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>,
                %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %b = gsa.adaptive_k %v policy <fixed, base = 7>
      : (tensor<1x3xi32>) -> tensor<1x3xi32>
  %s:3 = gsa.topk %x, %b slots 6
      : (tensor<1x3x5xf32>, tensor<1x3xi32>)
      -> (tensor<1x3x6xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  %i = tensor.cast %s#0 : tensor<1x3x6xi32> to tensor<1x?x6xi32>
  // expected-error @+1 {{as the budget of its selection, at least 6, covers all of the 5 keys}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %i, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>, tensor<1x?x6xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// Keys that are kept before others, whatever their scores: two and three of
// them fill a budget of 5, though there are 9 keys.
func.func @forced(%iq: tensor<1x3x2x4xf32>, %ik: tensor<1x9x4xf32>,
                  %q: tensor<1x3x2x4xf32>, %k: tensor<1x9x1x4xf32>,
                  %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %s:3 = gsa.select %iq, %ik policy <entropy, base = 4, min = 1, max = 5>
      {sink = 2 : i64, local = 3 : i64}
      : (tensor<1x3x2x4xf32>, tensor<1x9x4xf32>)
      -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  // expected-error @+1 {{trains nothing: which keys its lists hold does not depend on the scores, as 'sink' and 'local' of its selection force 5 keys into a budget of at most 5; expected a larger budget, or fewer forced keys, or the loss over all visible keys}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x9x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x9x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x5xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// All of 5 keys are forced, and rows that keep fewer keep the first of them.
func.func @all_forced(%x: tensor<1x3x5xf32>, %b: tensor<1x3xi32>,
                      %iq: tensor<1x3x2x4xf32>, %ik: tensor<1x5x4xf32>,
                      %q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>,
                      %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %s:3 = gsa.topk %x, %b slots 9 {local = 5 : i64}
      : (tensor<1x3x5xf32>, tensor<1x3xi32>)
      -> (tensor<1x3x9xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  // expected-error @+1 {{trains nothing: which keys its lists hold does not depend on the scores, as 'sink' and 'local' of its selection force all of the 5 keys; expected fewer forced keys}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x9xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

// One of five keys of a row of 9 is chosen by its score.
func.func @nearly_forced(%iq: tensor<1x3x2x4xf32>, %ik: tensor<1x9x4xf32>,
                         %q: tensor<1x3x2x4xf32>, %k: tensor<1x9x1x4xf32>,
                         %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %s:3 = gsa.select %iq, %ik policy <fixed, base = 5>
      {sink = 2 : i64, local = 2 : i64}
      : (tensor<1x3x2x4xf32>, tensor<1x9x4xf32>)
      -> (tensor<1x3x5xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x9x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x9x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x5xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}
