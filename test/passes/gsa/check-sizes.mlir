// RUN: gsa-opt %s --gsa-check-sizes --split-input-file --verify-diagnostics

// Sizes whose product no 64-bit number of bytes holds would wrap around in
// everything that multiplies them.

func.func @legal(%a: tensor<281474976710656xf64>, %b: tensor<0x281474976710656xf32>,
                 %c: tensor<?x16777216x16777216xf32>, %d: tensor<f32>) {
  return
}

// -----

// expected-error @+1 {{'func.func' op expected tensors of at most 2^48 elements, got 'tensor<281474976710657xi8>'}}
func.func @argument(%a: tensor<281474976710657xi8>) { return }

// -----

// expected-error @+1 {{expected tensors of at most 2^48 elements, got 'tensor<4294967296x4294967296xf32>'}}
func.func @wraps(%a: tensor<4294967296x4294967296xf32>) { return }

// -----

// expected-error @+1 {{expected tensors of at most 2^48 elements, got 'tensor<0x9223372036854775807x1x1xf32>'}}
func.func @empty(%a: tensor<0x9223372036854775807x1x1xf32>) { return }

// -----

func.func @constant() {
  // expected-error @+1 {{'arith.constant' op expected tensors of at most 2^48 elements, got}}
  %0 = arith.constant dense<1.0> : tensor<4611686018427387904x8xf32>
  return
}

// -----

// A budget above the keys is legal, as long as its lists fit.
func.func @budgets(%q: tensor<1x64x4x8xf32>, %k: tensor<1x64x8xf32>,
                   %s: tensor<1x64x64xf32>, %n: tensor<1x64xi32>) {
  %0:3 = gsa.select %q, %k policy <fixed, base = 16777216>
    : (tensor<1x64x4x8xf32>, tensor<1x64x8xf32>)
    -> (tensor<1x64x16777216xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  // expected-error @+1 {{'gsa.topk' op expected at most 2^30 slots in all where a list has more than 4 times as many as there are keys, got 16777217 slots for 64 keys, 1073741888 in all; a budget of 64 keeps the same keys}}
  %1:3 = gsa.topk %s, %n slots 16777217
    : (tensor<1x64x64xf32>, tensor<1x64xi32>)
    -> (tensor<1x64x16777217xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return
}

// -----

func.func @select(%q: tensor<1x64x4x8xf32>, %k: tensor<1x64x8xf32>) {
  // expected-error @+1 {{'gsa.select' op expected at most 2^30 slots in all}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 1000000000>
    : (tensor<1x64x4x8xf32>, tensor<1x64x8xf32>)
    -> (tensor<1x64x1000000000xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return
}

// -----

// Keys that could fill a quarter of a list, and sizes that nothing bounds.
func.func @many_keys(%q: tensor<1x8x4x8xf32>, %k: tensor<1x250000000x8xf32>,
                     %l: tensor<?x?x4x8xf32>, %m: tensor<?x?x8xf32>) {
  %0:3 = gsa.select %q, %k policy <fixed, base = 1000000000>
    : (tensor<1x8x4x8xf32>, tensor<1x250000000x8xf32>)
    -> (tensor<1x8x1000000000xi32>, tensor<1x8xi32>, tensor<1x8xi32>)
  %1:3 = gsa.select %l, %m policy <fixed, base = 1000000000>
    : (tensor<?x?x4x8xf32>, tensor<?x?x8xf32>)
    -> (tensor<?x?x1000000000xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  return
}
