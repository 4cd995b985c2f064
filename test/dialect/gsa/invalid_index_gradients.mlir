// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// One case or more for each constraint of what trains the indexer.

func.func @index_scores_grad_c1(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x9xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Di = 8 (from 'query') in dimension 2 of 'key', got 9}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x9xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x9xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c1_counts(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x4xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 1 of 'counts', got 4}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x4xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c1_slots(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x5xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected size 9 in dimension 2 of 'scores_grad', got 5}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x5xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c1_keys(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected size 5 in dimension 2 of 'scores_grad', got 9}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g lengths %n
      {mask = #gsa.mask<none>}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c1_rows(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x4x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected size 3 in dimension 1 of 'scores_grad', got 4}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x4x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c2(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xbf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'key', got 'bf16'}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c2_weights(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xbf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'weights', got 'bf16'}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xbf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xbf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c2_bias(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf64>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'bias', got 'f64'}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf64>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf64>)
  return
}

// -----

func.func @index_scores_grad_c2_scores_grad(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf64>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'scores_grad', got 'f64'}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf64>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c3(%iq: tensor<2x3x0x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x0xf16>, %b: tensor<0xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected Hi to be at least 1, got 0}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x0x8xf16>, tensor<2x5x8xf16>, tensor<2x3x0xf16>, tensor<0xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x0x8xf16>, tensor<2x5x8xf16>, tensor<2x3x0xf16>, tensor<0xf32>)
  return
}

// -----

func.func @index_scores_grad_c4(%iq: tensor<2x3x4x?xf16>, %ik: tensor<2x5x?xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      : (tensor<2x3x4x?xf16>, tensor<2x5x?xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x?xf16>, tensor<2x5x?xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c4_finite(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got 1.000000e+39}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      {scale = 1.0e39 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c5(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x9xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C5) a gradient or a loss over lists takes no 'mask'}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g indices %i, %c lengths %n
      {mask = #gsa.mask<none>}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x9xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c5_mask(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %g: tensor<2x3x5xf32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C5) a gradient or a loss over all keys needs a 'mask'}}
  %0:4 = gsa.index_scores_grad %iq, %ik weights %w bias %b scores_grad %g lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x5xf32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_c1(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x9xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Di = 8 (from 'index_query') in dimension 2 of 'index_key', got 9}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x9xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c1_counts(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x4xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'index_query') in dimension 1 of 'counts', got 4}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x4xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c1_key(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x6x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'index_key') in dimension 1 of 'key', got 6}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x6x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c1_lse(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x3x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected H = 6 (from 'query') in dimension 1 of 'lse', got 3}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x3x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c2(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xbf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'index_key', got 'bf16'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c2_weights(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xbf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'index_weights', got 'bf16'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xbf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c2_bias(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf64>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'index_bias', got 'f64'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf64>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c3(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf32>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected element type 'f16' for 'key', got 'f32'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf32>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c3_lse(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf64>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected element type 'f32' for 'lse', got 'f64'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf64>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c3_indexer(%iq: tensor<2x3x4x8xf64>, %ik: tensor<2x5x8xf64>, %w: tensor<2x3x4xf64>, %b: tensor<4xf64>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected element type 'f64' for 'lse', got 'f32'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf64>, tensor<2x5x8xf64>, tensor<2x3x4xf64>, tensor<4xf64>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf64>
  return
}

// -----

func.func @index_kl_c4(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x4x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) expected the number of query heads to be a multiple of the number of key heads, got 6 and 4}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x4x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c4_empty(%iq: tensor<2x3x4x0xf16>, %ik: tensor<2x5x0xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) expected Di to be at least 1, got 0}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x0xf16>, tensor<2x5x0xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c5(%iq: tensor<2x3x4x?xf16>, %ik: tensor<2x5x?xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C5) 'index_scale' must be given when the head size is dynamic}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      : (tensor<2x3x4x?xf16>, tensor<2x5x?xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c5_softmax_scale(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C5) 'softmax_scale' must be finite in 'f32', got 1.000000e+39}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      {softmax_scale = 1.0e39 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c6(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C6) expected 'temperature' to be positive and finite in 'f32', got 0.000000e+00}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      {temperature = 0.0 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c6_small(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C6) expected 'temperature' to be positive and finite in 'f32', got 1.000000e-60}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      {temperature = 1.0e-60 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c6_clip(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C6) expected 'clip' to be positive and finite in 'f32', got -1.000000e+00}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      {clip = -1.0 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c7(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C7) a gradient or a loss over lists takes no 'mask'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l indices %i, %c lengths %n
      {mask = #gsa.mask<none>}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_c7_mask(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C7) a gradient or a loss over all keys needs a 'mask'}}
  %0 = gsa.index_kl %iq, %ik weights %w bias %b attention %q, %k lse %l lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2xi32>)
      -> tensor<2x3xf32>
  return
}

// -----

func.func @index_kl_grad_c1(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x9xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Di = 8 (from 'index_query') in dimension 2 of 'index_key', got 9}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x9xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x9xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c1_counts(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x4xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'index_query') in dimension 1 of 'counts', got 4}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x4xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c1_key(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x6x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'index_key') in dimension 1 of 'key', got 6}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x6x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c1_lse(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x3x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected H = 6 (from 'query') in dimension 1 of 'lse', got 3}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x3x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c1_loss_grad(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x5xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'index_query') in dimension 1 of 'loss_grad', got 5}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x5xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c2(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xbf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'index_key', got 'bf16'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c2_weights(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xbf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'index_weights', got 'bf16'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xbf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xbf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c2_bias(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf64>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'index_bias', got 'f64'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf64>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf64>)
  return
}

// -----

func.func @index_kl_grad_c2_loss_grad(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf64>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'loss_grad', got 'f64'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf64>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c3(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf32>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected element type 'f16' for 'key', got 'f32'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf32>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c3_lse(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf64>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected element type 'f32' for 'lse', got 'f64'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf64>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c3_indexer(%iq: tensor<2x3x4x8xf64>, %ik: tensor<2x5x8xf64>, %w: tensor<2x3x4xf64>, %b: tensor<4xf64>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C3) expected element type 'f64' for 'lse', got 'f32'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf64>, tensor<2x5x8xf64>, tensor<2x3x4xf64>, tensor<4xf64>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf64>, tensor<2x5x8xf64>, tensor<2x3x4xf64>, tensor<4xf64>)
  return
}

// -----

func.func @index_kl_grad_c4(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x4x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) expected the number of query heads to be a multiple of the number of key heads, got 6 and 4}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x4x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c4_empty(%iq: tensor<2x3x4x0xf16>, %ik: tensor<2x5x0xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C4) expected Di to be at least 1, got 0}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x0xf16>, tensor<2x5x0xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x0xf16>, tensor<2x5x0xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c5(%iq: tensor<2x3x4x?xf16>, %ik: tensor<2x5x?xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C5) 'index_scale' must be given when the head size is dynamic}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      : (tensor<2x3x4x?xf16>, tensor<2x5x?xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x?xf16>, tensor<2x5x?xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c5_softmax_scale(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C5) 'softmax_scale' must be finite in 'f32', got 1.000000e+39}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      {softmax_scale = 1.0e39 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c6(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C6) expected 'temperature' to be positive and finite in 'f32', got 0.000000e+00}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      {temperature = 0.0 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c6_small(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C6) expected 'temperature' to be positive and finite in 'f32', got 1.000000e-60}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      {temperature = 1.0e-60 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c6_clip(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C6) expected 'clip' to be positive and finite in 'f32', got -1.000000e+00}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      {clip = -1.0 : f64}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c7(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %i: tensor<2x3x9xi32>, %c: tensor<2x3xi32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C7) a gradient or a loss over lists takes no 'mask'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r indices %i, %c lengths %n
      {mask = #gsa.mask<none>}
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2x3x9xi32>, tensor<2x3xi32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_grad_c7_mask(%iq: tensor<2x3x4x8xf16>, %ik: tensor<2x5x8xf16>, %w: tensor<2x3x4xf16>, %b: tensor<4xf32>, %q: tensor<2x3x6x7xf16>, %k: tensor<2x5x2x7xf16>, %l: tensor<2x6x3xf32>, %r: tensor<2x3xf32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C7) a gradient or a loss over all keys needs a 'mask'}}
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l loss_grad %r lengths %n
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>, tensor<2x3x6x7xf16>, tensor<2x5x2x7xf16>, tensor<2x6x3xf32>, tensor<2x3xf32>, tensor<2xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>)
  return
}

// -----

func.func @index_scores_grad_c5_counts(%iq: tensor<2x3x4x8xf32>, %ik: tensor<2x5x8xf32>, %g: tensor<2x3x5xf32>, %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C5) expected 'indices' and 'counts' together, got 'counts' alone}}
  %0:4 = "gsa.index_scores_grad"(%iq, %ik, %g, %c)
      <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 1, 0, 1, 0>}>
      : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x5xf32>, tensor<2x3xi32>)
      -> (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @index_kl_c7_indices(%iq: tensor<2x3x4x8xf32>, %ik: tensor<2x5x8xf32>, %q: tensor<2x3x6x7xf32>, %k: tensor<2x5x2x7xf32>, %l: tensor<2x6x3xf32>, %i: tensor<2x3x9xi32>) {
  // expected-error @+1 {{(C7) expected 'indices' and 'counts' together, got 'indices' alone}}
  %0 = "gsa.index_kl"(%iq, %ik, %q, %k, %l, %i)
      <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 1, 1, 1, 1, 0, 0>}>
      : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x6x7xf32>, tensor<2x5x2x7xf32>, tensor<2x6x3xf32>, tensor<2x3x9xi32>)
      -> tensor<2x3xf32>
  return
}
