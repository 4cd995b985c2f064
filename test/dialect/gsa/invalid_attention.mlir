// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of gather and dense attention;
// the name of a function is the op and the label.

func.func @gather_attention_c1(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                               %v: tensor<2x6x2x6xf32>, %i: tensor<2x3x7xi32>,
                               %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'value', got 6}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x6x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c1_groups(%q: tensor<2x3x4x8xf32>,
                                      %k: tensor<2x5x2x8xf32>,
                                      %v: tensor<2x5x1x6xf32>,
                                      %i: tensor<2x3x7xi32>,
                                      %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C1) expected G = 2 (from 'key') in dimension 2 of 'value', got 1}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x1x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c1_indices(%q: tensor<2x3x4x8xf32>,
                                       %k: tensor<2x5x2x8xf32>,
                                       %v: tensor<2x5x2x6xf32>,
                                       %i: tensor<2x2x7xi32>,
                                       %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 1 of 'indices', got 2}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x2x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c1_counts(%q: tensor<2x3x4x8xf32>,
                                      %k: tensor<2x5x2x8xf32>,
                                      %v: tensor<2x5x2x6xf32>,
                                      %i: tensor<2x3x7xi32>,
                                      %c: tensor<2x4xi32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 1 of 'counts', got 4}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x4xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c2(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                               %v: tensor<2x5x2x6xf16>, %i: tensor<2x3x7xi32>,
                               %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'value', got 'f16'}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c3(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x3x8xf32>,
                               %v: tensor<2x5x3x6xf32>, %i: tensor<2x3x7xi32>,
                               %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 3}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x3x8xf32>, tensor<2x5x3x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c3_fewer_heads(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x8x8xf32>, %v: tensor<2x5x8x6xf32>, %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 8}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x8x8xf32>, tensor<2x5x8x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c3_empty(%q: tensor<2x3x4x8xf32>,
                                     %k: tensor<2x5x0x8xf32>,
                                     %v: tensor<2x5x0x6xf32>,
                                     %i: tensor<2x3x7xi32>,
                                     %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) expected G to be at least 1, got 0}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x0x8xf32>, tensor<2x5x0x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c3_empty_value(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x0xf32>, %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) expected Dv to be at least 1, got 0}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x0xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c4(%q: tensor<2x3x4x?xf32>, %k: tensor<2x5x2x?xf32>,
                               %v: tensor<2x5x2x6xf32>, %i: tensor<2x3x7xi32>,
                               %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x?xf32>, tensor<2x5x2x?xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c4_infinite(%q: tensor<2x3x4x8xf32>,
                                        %k: tensor<2x5x2x8xf32>,
                                        %v: tensor<2x5x2x6xf32>,
                                        %i: tensor<2x3x7xi32>,
                                        %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got INF}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c {scale = 0x7FF0000000000000 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c1(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                              %v: tensor<2x6x2x6xf32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'value', got 6}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x6x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c1_groups(%q: tensor<2x3x4x8xf32>,
                                     %k: tensor<2x5x2x8xf32>,
                                     %v: tensor<2x5x1x6xf32>) {
  // expected-error @+1 {{(C1) expected G = 2 (from 'key') in dimension 2 of 'value', got 1}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x1x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c2(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                              %v: tensor<2x5x2x6xf16>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'value', got 'f16'}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf16>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c3(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x3x8xf32>,
                              %v: tensor<2x5x3x6xf32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 3}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x3x8xf32>, tensor<2x5x3x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c3_fewer_heads(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x8x8xf32>, %v: tensor<2x5x8x6xf32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 8}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x8x8xf32>, tensor<2x5x8x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c3_empty(%q: tensor<2x3x4x8xf32>,
                                    %k: tensor<2x5x0x8xf32>,
                                    %v: tensor<2x5x0x6xf32>) {
  // expected-error @+1 {{(C3) expected G to be at least 1, got 0}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x0x8xf32>, tensor<2x5x0x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c3_empty_value(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x0xf32>) {
  // expected-error @+1 {{(C3) expected Dv to be at least 1, got 0}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x0xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c4(%q: tensor<2x3x4x?xf32>, %k: tensor<2x5x2x?xf32>,
                              %v: tensor<2x5x2x6xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<2x3x4x?xf32>, tensor<2x5x2x?xf32>, tensor<2x5x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c4_infinite(%q: tensor<2x3x4x8xf32>,
                                       %k: tensor<2x5x2x8xf32>,
                                       %v: tensor<2x5x2x6xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got INF}}
  %0:2 = gsa.dense_attention %q, %k, %v {scale = 0x7FF0000000000000 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c1_lengths(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>, %n: tensor<1xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 1}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c lengths %n
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<1xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @gather_attention_c5(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                               %v: tensor<2x5x2x6xf32>, %i: tensor<2x3x7xi32>,
                               %c: tensor<2x3xi32>, %g: tensor<2x3x4x8xf32>) {
  // expected-error @+1 {{(C5) expected size 6 in dimension 3 of 'gate', got 8}}
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c gate %g
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4x8xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c1_lengths(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 3}}
  %0:2 = gsa.dense_attention %q, %k, %v lengths %n
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<3xi32>) -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @dense_attention_c5(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>,
                              %v: tensor<2x5x2x6xf16>, %g: tensor<2x3x4xbf16>) {
  // expected-error @+1 {{(C5) expected element type 'f16' or 'f32' for 'gate', got 'bf16'}}
  %0:2 = gsa.dense_attention %q, %k, %v gate %g
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
       tensor<2x3x4xbf16>) -> (tensor<2x3x4x6xf16>, tensor<2x4x3xf32>)
  return
}
