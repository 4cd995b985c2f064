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
