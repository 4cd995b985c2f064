// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of the gradient ops; the name of
// a function is the op and the label.

func.func @gather_attention_grad_c1(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x6x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'value', got 6}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x6x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x6x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c1_output_grad(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x8xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected Dv = 6 (from 'value') in dimension 3 of 'output_grad', got 8}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x8xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c1_lse(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x3x4xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected H = 4 (from 'query') in dimension 1 of 'lse', got 3}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x3x4xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c1_row_sums(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x2xf32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 2 of 'row_sums', got 2}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x2xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c1_lengths(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>,
    %n: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 3}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s lengths %n
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>,
       tensor<3xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c1_counts(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x4xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 1 of 'counts', got 4}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x4xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c2(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf32>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'key', got 'f32'}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf32>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c2_output_grad(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf32>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'output_grad', got 'f32'}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf32>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c3(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x3x8xf16>,
    %v: tensor<2x5x3x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 3}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x3x8xf16>,
       tensor<2x5x3x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x3x8xf16>, tensor<2x5x3x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c3_empty(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x0xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x0xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C3) expected Dv to be at least 1, got 0}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x0xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x0xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x0xf16>)
  return
}

// -----

func.func @gather_attention_grad_c4(
    %q: tensor<2x3x4x?xf16>,
    %k: tensor<2x5x2x?xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x?xf16>,
       tensor<2x5x2x?xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x?xf16>, tensor<2x5x2x?xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c4_finite(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got 1.000000e+39}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s {scale = 1.0e39 : f64}
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c5(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf64>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C5) expected element type 'f32' for 'lse', got 'f64'}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf64>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @gather_attention_grad_c5_row_sums(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf64>) {
  // expected-error @+1 {{(C5) expected element type 'f32' for 'row_sums', got 'f64'}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>,
       tensor<2x3xi32>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf64>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c1(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x6x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'value', got 6}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x6x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x6x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c1_output_grad(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x8xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected Dv = 6 (from 'value') in dimension 3 of 'output_grad', got 8}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x8xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c1_lse(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x3x4xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected H = 4 (from 'query') in dimension 1 of 'lse', got 3}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x3x4xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c1_row_sums(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x2xf32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 2 of 'row_sums', got 2}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x2xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c1_lengths(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>,
    %n: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 3}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s lengths %n
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>,
       tensor<3xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c2(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf32>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'key', got 'f32'}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf32>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c2_output_grad(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf32>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'output_grad', got 'f32'}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf32>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c3(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x3x8xf16>,
    %v: tensor<2x5x3x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 3}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x3x8xf16>,
       tensor<2x5x3x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x3x8xf16>, tensor<2x5x3x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c3_empty(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x0xf16>,
    %o: tensor<2x3x4x0xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C3) expected Dv to be at least 1, got 0}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x0xf16>,
       tensor<2x3x4x0xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x0xf16>)
  return
}

// -----

func.func @dense_attention_grad_c4(
    %q: tensor<2x3x4x?xf16>,
    %k: tensor<2x5x2x?xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x?xf16>,
       tensor<2x5x2x?xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x?xf16>, tensor<2x5x2x?xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c4_finite(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got 1.000000e+39}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s {scale = 1.0e39 : f64}
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c5(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf64>,
    %s: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C5) expected element type 'f32' for 'lse', got 'f64'}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf64>,
       tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @dense_attention_grad_c5_row_sums(
    %q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>,
    %v: tensor<2x5x2x6xf16>,
    %o: tensor<2x3x4x6xf16>,
    %l: tensor<2x4x3xf32>,
    %s: tensor<2x4x3xf64>) {
  // expected-error @+1 {{(C5) expected element type 'f32' for 'row_sums', got 'f64'}}
  %0:3 = gsa.dense_attention_grad %q, %k, %v output_grad %o lse %l
      row_sums %s
    : (tensor<2x3x4x8xf16>,
       tensor<2x5x2x8xf16>,
       tensor<2x5x2x6xf16>,
       tensor<2x3x4x6xf16>,
       tensor<2x4x3xf32>,
       tensor<2x4x3xf64>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return
}

// -----

func.func @attention_row_sums_c1(%o: tensor<2x3x4x6xf32>,
                                 %p: tensor<2x3x4x5xf32>) {
  // expected-error @+1 {{(C1) expected Dv = 6 (from 'output') in dimension 3 of 'output_grad', got 5}}
  %0 = gsa.attention_row_sums %o, %p
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x5xf32>) -> tensor<2x4x3xf32>
  return
}

// -----

func.func @attention_row_sums_c2(%o: tensor<2x3x4x6xf16>,
                                 %p: tensor<2x3x4x6xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'output_grad', got 'f32'}}
  %0 = gsa.attention_row_sums %o, %p
    : (tensor<2x3x4x6xf16>, tensor<2x3x4x6xf32>) -> tensor<2x4x3xf32>
  return
}

// -----

func.func @attention_row_sums_c3(%o: tensor<2x3x4x6xf64>,
                                 %l: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C3) expected element type 'f64' for 'lse_grad', got 'f32'}}
  %0 = gsa.attention_row_sums %o, %o lse_grad %l
    : (tensor<2x3x4x6xf64>, tensor<2x3x4x6xf64>, tensor<2x4x3xf32>)
    -> tensor<2x4x3xf64>
  return
}

// -----

func.func @gate_grad_c1(%x: tensor<2x3x4x6xf32>, %y: tensor<2x3x5x6xf32>) {
  // expected-error @+1 {{(C1) expected H = 4 (from 'input') in dimension 2 of 'output_grad', got 5}}
  %0:2 = gsa.gate_grad %x, %x output_grad %y
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>, tensor<2x3x5x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>)
  return
}

// -----

func.func @gate_grad_c1_logits(%x: tensor<2x3x4x6xf32>,
                               %z: tensor<2x3x6xf32>) {
  // expected-error @+1 {{(C1) expected size 4 in dimension 2 of 'logits', got 6}}
  %0:2 = gsa.gate_grad %x, %z output_grad %x
    : (tensor<2x3x4x6xf32>, tensor<2x3x6xf32>, tensor<2x3x4x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x3x6xf32>)
  return
}

// -----

func.func @gate_grad_c2(%x: tensor<2x3x4x6xf16>, %z: tensor<2x3x4xbf16>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'logits', got 'bf16'}}
  %0:2 = gsa.gate_grad %x, %z output_grad %x
    : (tensor<2x3x4x6xf16>, tensor<2x3x4xbf16>, tensor<2x3x4x6xf16>)
    -> (tensor<2x3x4x6xf16>, tensor<2x3x4xbf16>)
  return
}

// -----

func.func @gate_grad_c2_output_grad(%x: tensor<2x3x4x6xf16>,
                                    %y: tensor<2x3x4x6xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'output_grad', got 'f32'}}
  %0:2 = gsa.gate_grad %x, %x output_grad %y
    : (tensor<2x3x4x6xf16>, tensor<2x3x4x6xf16>, tensor<2x3x4x6xf32>)
    -> (tensor<2x3x4x6xf16>, tensor<2x3x4x6xf16>)
  return
}

// -----

func.func @unknown_attribute(%x: tensor<2x3x4x6xf32>) {
  // expected-error @+1 {{'activaton'}}
  %0:2 = gsa.gate_grad %x, %x output_grad %x
      {activaton = #gsa.gate_activation<silu>}
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>)
  return
}
