// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of gates and rotary embedding;
// the name of a function is the op and the label.

func.func @gate_c1(%x: tensor<2x3x4x8xf32>, %l: tensor<2x3x4x7xf32>) {
  // expected-error @+1 {{(C1) expected size 8 in dimension 3 of 'logits', got 7}}
  %0 = gsa.gate %x, %l
    : (tensor<2x3x4x8xf32>, tensor<2x3x4x7xf32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @gate_c1_per_head(%x: tensor<2x3x4x8xf32>, %l: tensor<2x3x1xf32>) {
  // expected-error @+1 {{(C1) expected size 4 in dimension 2 of 'logits', got 1}}
  %0 = gsa.gate %x, %l
    : (tensor<2x3x4x8xf32>, tensor<2x3x1xf32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @gate_c1_encoding(%x: tensor<2x3x4x8xf32>,
                            %l: tensor<2x3x4xf32, "blocked">) {
  // expected-error @+1 {{(C1) expected 'logits' to be a plain tensor, got encoding "blocked"}}
  %0 = gsa.gate %x, %l
    : (tensor<2x3x4x8xf32>, tensor<2x3x4xf32, "blocked">) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @gate_c2(%x: tensor<2x3x4x8xf16>, %l: tensor<2x3x4xbf16>) {
  // expected-error @+1 {{(C2) expected element type 'f16' or 'f32' for 'logits', got 'bf16'}}
  %0 = gsa.gate %x, %l
    : (tensor<2x3x4x8xf16>, tensor<2x3x4xbf16>) -> tensor<2x3x4x8xf16>
  return
}

// -----

func.func @rope_c1(%x: tensor<2x3x4x8xf32>, %p: tensor<2x4xi64>) {
  // expected-error @+1 {{(C1) expected S = 3 (from 'input') in dimension 1 of 'positions', got 4}}
  %0 = gsa.rope %x, %p
    : (tensor<2x3x4x8xf32>, tensor<2x4xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c2(%x: tensor<2x3x4x?xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C2) the head size must be static}}
  %0 = gsa.rope %x, %p
    : (tensor<2x3x4x?xf32>, tensor<2x3xi64>) -> tensor<2x3x4x?xf32>
  return
}

// -----

func.func @rope_c2_odd(%x: tensor<2x3x4x7xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C2) the rotated size must be even and in [2, 7], got 7}}
  %0 = gsa.rope %x, %p
    : (tensor<2x3x4x7xf32>, tensor<2x3xi64>) -> tensor<2x3x4x7xf32>
  return
}

// -----

func.func @rope_c2_zero(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C2) the rotated size must be even and in [2, 8], got 0}}
  %0 = gsa.rope %x, %p {rotary_dim = 0 : i64}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c2_negative(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C2) the rotated size must be even and in [2, 8], got -2}}
  %0 = gsa.rope %x, %p {rotary_dim = -2 : i64}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c2_too_large(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C2) the rotated size must be even and in [2, 8], got 10}}
  %0 = gsa.rope %x, %p {rotary_dim = 10 : i64}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c2_huge(%x: tensor<2x3x4x1099511627776xf32>,
                        %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C2) the rotated size must be even and in [2, 65536], got 1099511627776}}
  %0 = gsa.rope %x, %p
    : (tensor<2x3x4x1099511627776xf32>, tensor<2x3xi64>)
    -> tensor<2x3x4x1099511627776xf32>
  return
}

// -----

func.func @rope_c3(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C3) 'base' must be finite and greater than 1, got 1.000000e+00}}
  %0 = gsa.rope %x, %p {base = 1.0 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c3_negative(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C3) 'base' must be finite and greater than 1, got -1.000000e+04}}
  %0 = gsa.rope %x, %p {base = -10000.0 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c3_nan(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C3) 'base' must be finite and greater than 1, got nan}}
  %0 = gsa.rope %x, %p {base = 0x7FF8000000000000 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @rope_c4(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi64>) {
  // expected-error @+1 {{(C4) scaling 'ntk' needs a rotated size of at least 4, got 2}}
  %0 = gsa.rope %x, %p {rotary_dim = 2 : i64,
      scaling = #gsa.rope_scaling<ntk, factor = 2.0>}
    : (tensor<2x3x4x8xf32>, tensor<2x3xi64>) -> tensor<2x3x4x8xf32>
  return
}
