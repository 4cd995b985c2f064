// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of gsa.paged_rows; the name of a
// function is the op and the label.

func.func @paged_rows_other_rows(%p: tensor<7x16x2x8xf32>, %t: tensor<2x3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{'gsa.paged_rows' op inferred type(s) 'tensor<2x48x2x8xf32>' are incompatible with return type(s) of operation 'tensor<2x47x2x8xf32>'}}
  %0 = gsa.paged_rows %p, %t
    : (tensor<7x16x2x8xf32>, tensor<2x3xi32>) -> tensor<2x47x2x8xf32>
  return
}

// -----

func.func @paged_rows_other_heads(%p: tensor<7x16x2x8xf32>, %t: tensor<2x3xi32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{'gsa.paged_rows' op inferred type(s) 'tensor<2x6x16x8xf32>' are incompatible with return type(s) of operation 'tensor<2x48x2x8xf32>'}}
  %0 = gsa.paged_rows %p, %t {heads_first}
    : (tensor<7x16x2x8xf32>, tensor<2x3xi32>) -> tensor<2x48x2x8xf32>
  return
}

// -----

func.func @paged_rows_c1(%p: tensor<7x4294967296x2x8xf32>,
                         %t: tensor<2x4294967296xi32>) {
  // expected-error @+1 {{(C1) expected 4294967296 pages of 4294967296 rows to be less than 2^63 rows}}
  %0 = gsa.paged_rows %p, %t
    : (tensor<7x4294967296x2x8xf32>, tensor<2x4294967296xi32>)
    -> tensor<2x?x2x8xf32>
  return
}

// -----

func.func @paged_rows_c2(%p: tensor<7x0x2x8xf32>, %t: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) expected pages of at least 1 row, got 0}}
  %0 = gsa.paged_rows %p, %t
    : (tensor<7x0x2x8xf32>, tensor<2x3xi32>) -> tensor<2x0x2x8xf32>
  return
}

// -----

func.func @paged_rows_c3(%p: tensor<7x16x8xf32>, %t: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) 'heads_first' needs a pool of rank 4, got rank 3}}
  %0 = gsa.paged_rows %p, %t {heads_first}
    : (tensor<7x16x8xf32>, tensor<2x3xi32>) -> tensor<2x48x8xf32>
  return
}
