// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of gsa.paged_rows and of
// gsa.append_rows; the name of a function is the op and the label.

func.func @paged_rows_other_rows(%p: tensor<7x16x2x8xf32>, %t: tensor<2x3xi32>) {
  // expected-error @+1 {{'gsa.paged_rows' op (C1) expected 'rows' to be 'tensor<2x48x2x8xf32>', got 'tensor<2x47x2x8xf32>'}}
  %0 = gsa.paged_rows %p, %t
    : (tensor<7x16x2x8xf32>, tensor<2x3xi32>) -> tensor<2x47x2x8xf32>
  return
}

// -----

func.func @paged_rows_other_heads(%p: tensor<7x16x2x8xf32>, %t: tensor<2x3xi32>) {
  // expected-error @+1 {{'gsa.paged_rows' op (C1) expected 'rows' to be 'tensor<2x6x16x8xf32>', got 'tensor<2x48x2x8xf32>'}}
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

// -----

func.func @append_rows_other_cache(%x: tensor<2x3x8xf32>, %c: tensor<2x9x8xf32>,
                                   %n: tensor<2xi32>) {
  // expected-error @+1 {{'gsa.append_rows' op (C1) expected 'updated' to be 'tensor<2x9x8xf32>', got 'tensor<2x8x8xf32>'}}
  %0 = gsa.append_rows %x to %c lengths %n
    : (tensor<2x3x8xf32>, tensor<2x9x8xf32>, tensor<2xi32>) -> tensor<2x8x8xf32>
  return
}

// -----

func.func @append_rows_c1(%x: tensor<2x3x2x8xf32>, %c: tensor<7x16x4x8xf32>,
                          %t: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected G = 4 (from 'cache') in dimension 2 of 'rows', got 2}}
  %0 = gsa.append_rows %x to %c, %t lengths %n
    : (tensor<2x3x2x8xf32>, tensor<7x16x4x8xf32>, tensor<2x3xi32>,
       tensor<2xi32>) -> tensor<7x16x4x8xf32>
  return
}

// -----

// Without a table a cache has the rows of each sequence.
func.func @append_rows_c1_sequences(%x: tensor<2x3x2x8xf32>,
                                    %c: tensor<7x16x2x8xf32>,
                                    %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected B = 7 (from 'cache') in dimension 0 of 'rows', got 2}}
  %0 = gsa.append_rows %x to %c lengths %n
    : (tensor<2x3x2x8xf32>, tensor<7x16x2x8xf32>, tensor<2xi32>)
    -> tensor<7x16x2x8xf32>
  return
}

// -----

func.func @append_rows_c1_rank(%x: tensor<2x3x8xf32>, %c: tensor<7x16x2x8xf32>,
                               %t: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected 'rows' of rank 4, as 'cache' has, got rank 3}}
  %0 = gsa.append_rows %x to %c, %t lengths %n
    : (tensor<2x3x8xf32>, tensor<7x16x2x8xf32>, tensor<2x3xi32>, tensor<2xi32>)
    -> tensor<7x16x2x8xf32>
  return
}

// -----

func.func @append_rows_c1_table(%x: tensor<2x3x8xf32>, %c: tensor<7x16x8xf32>,
                                %t: tensor<3x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'rows') in dimension 0 of 'table', got 3}}
  %0 = gsa.append_rows %x to %c, %t lengths %n
    : (tensor<2x3x8xf32>, tensor<7x16x8xf32>, tensor<3x3xi32>, tensor<2xi32>)
    -> tensor<7x16x8xf32>
  return
}

// -----

func.func @append_rows_c1_lengths(%x: tensor<2x3x8xf32>, %c: tensor<2x16x8xf32>,
                                  %n: tensor<1xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'cache') in dimension 0 of 'lengths', got 1}}
  %0 = gsa.append_rows %x to %c lengths %n
    : (tensor<2x3x8xf32>, tensor<2x16x8xf32>, tensor<1xi32>)
    -> tensor<2x16x8xf32>
  return
}

// -----

func.func @append_rows_c1_counts(%x: tensor<2x3x8xf32>, %c: tensor<2x16x8xf32>,
                                 %n: tensor<2xi32>, %m: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'cache') in dimension 0 of 'counts', got 3}}
  %0 = gsa.append_rows %x to %c lengths %n counts %m
    : (tensor<2x3x8xf32>, tensor<2x16x8xf32>, tensor<2xi32>, tensor<3xi32>)
    -> tensor<2x16x8xf32>
  return
}

// -----

func.func @append_rows_c1_many(%x: tensor<2x3x8xf32>,
                               %c: tensor<7x4294967296x8xf32>,
                               %t: tensor<2x4294967296xi32>,
                               %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected 4294967296 pages of 4294967296 rows to be less than 2^63 rows}}
  %0 = gsa.append_rows %x to %c, %t lengths %n
    : (tensor<2x3x8xf32>, tensor<7x4294967296x8xf32>, tensor<2x4294967296xi32>,
       tensor<2xi32>) -> tensor<7x4294967296x8xf32>
  return
}

// -----

func.func @append_rows_c2(%x: tensor<2x3x8xf32>, %c: tensor<2x16x8xbf16>,
                          %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected 'rows' of 'bf16', as 'cache' is, got 'f32'}}
  %0 = gsa.append_rows %x to %c lengths %n
    : (tensor<2x3x8xf32>, tensor<2x16x8xbf16>, tensor<2xi32>)
    -> tensor<2x16x8xbf16>
  return
}

// -----

func.func @append_rows_c3(%x: tensor<2x3x8xf32>, %c: tensor<2x16x8xf32>,
                          %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) 'heads_first' needs a cache of rank 4, got rank 3}}
  %0 = gsa.append_rows %x to %c lengths %n {heads_first}
    : (tensor<2x3x8xf32>, tensor<2x16x8xf32>, tensor<2xi32>)
    -> tensor<2x16x8xf32>
  return
}

// -----

func.func @append_rows_c4(%x: tensor<2x3x8xf32>, %c: tensor<7x0x8xf32>,
                          %t: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) expected pages of at least 1 row, got 0}}
  %0 = gsa.append_rows %x to %c, %t lengths %n
    : (tensor<2x3x8xf32>, tensor<7x0x8xf32>, tensor<2x3xi32>, tensor<2xi32>)
    -> tensor<7x0x8xf32>
  return
}
