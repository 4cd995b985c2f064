// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of attention in parts; the name
// of a function is the op and the label.

func.func @partial_attention_c1(%q: tensor<2x3x4x8xf32>,
                                %k: tensor<2x5x2x8xf32>,
                                %v: tensor<2x6x2x6xf32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'value', got 6}}
  %0:2 = gsa.partial_attention %q, %k, %v first 0 size 2 {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x6x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c1_lengths(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 3}}
  %0:2 = gsa.partial_attention %q, %k, %v lengths %n first 0 size 2
      {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<3xi32>) -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c2(%q: tensor<2x3x4x8xf16>,
                                %k: tensor<2x5x2x8xf32>,
                                %v: tensor<2x5x2x6xf16>) {
  // expected-error @+1 {{(C2) expected element type 'f16' for 'key', got 'f32'}}
  %0:2 = gsa.partial_attention %q, %k, %v first 0 size 2 {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf16>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c3(%q: tensor<2x3x4x8xf32>,
                                %k: tensor<2x5x3x8xf32>,
                                %v: tensor<2x5x3x6xf32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 3}}
  %0:2 = gsa.partial_attention %q, %k, %v first 0 size 2 {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x3x8xf32>, tensor<2x5x3x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c4(%q: tensor<2x3x4x?xf32>,
                                %k: tensor<2x5x2x?xf32>,
                                %v: tensor<2x5x2x6xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:2 = gsa.partial_attention %q, %k, %v first 0 size 2 {mask = #gsa.mask<none>}
    : (tensor<2x3x4x?xf32>, tensor<2x5x2x?xf32>, tensor<2x5x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c5(%q: tensor<2x3x4x8xf32>,
                                %k: tensor<2x5x2x8xf32>,
                                %v: tensor<2x5x2x6xf32>) {
  // expected-error @+1 {{(C5) 'first' must be in [0, 2^31) and 'size' in [1, 2^31), got -1 and 2}}
  %0:2 = gsa.partial_attention %q, %k, %v first -1 size 2 {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c5_size(%q: tensor<2x3x4x8xf32>,
                                     %k: tensor<2x5x2x8xf32>,
                                     %v: tensor<2x5x2x6xf32>) {
  // expected-error @+1 {{(C5) 'first' must be in [0, 2^31) and 'size' in [1, 2^31), got 2147483647 and 0}}
  %0:2 = gsa.partial_attention %q, %k, %v first 2147483647 size 0
      {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c6(%q: tensor<2x3x4x8xf32>,
                                %k: tensor<2x5x2x8xf32>,
                                %v: tensor<2x5x2x6xf32>) {
  // expected-error @+1 {{(C6) attention over all keys needs a 'mask'}}
  %0:2 = gsa.partial_attention %q, %k, %v first 0 size 2
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c6_lists(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %i: tensor<2x3x7xi32>,
    %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C6) attention over lists takes no 'mask'}}
  %0:2 = gsa.partial_attention %q, %k, %v indices %i, %c first 0 size 2
      {mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @partial_attention_c6_alone(%q: tensor<2x3x4x8xf32>,
    %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x2x6xf32>, %c: tensor<2x3xi32>) {
  // expected-error @+1 {{(C6) expected 'indices' and 'counts' together, got 'counts' alone}}
  %0:2 = "gsa.partial_attention"(%q, %k, %v, %c)
      <{first = 0 : i64, size = 2 : i64, mask = #gsa.mask<none>,
        operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0>}>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi32>) -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c1(%o: tensor<2x3x4x6xf32>, %p: tensor<2x3x4x5xf32>,
                              %l: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C1) expected Dv = 6 (from 'outputs') in dimension 3 of 'outputs', got 5}}
  %0:2 = gsa.merge_attention %o, %p lse %l, %l
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x5xf32>, tensor<2x4x3xf32>,
       tensor<2x4x3xf32>) -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c1_lse(%o: tensor<2x3x4x6xf32>,
                                  %l: tensor<2x3x4xf32>) {
  // expected-error @+1 {{(C1) expected H = 4 (from 'outputs') in dimension 1 of 'lses', got 3}}
  %0:2 = gsa.merge_attention %o lse %l
    : (tensor<2x3x4x6xf32>, tensor<2x3x4xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c2(%o: tensor<2x3x4x6xf32>, %l: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C2) expected as many lses as outputs, got 1 and 2}}
  %0:2 = gsa.merge_attention %o, %o lse %l
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c2_none() {
  // expected-error @+1 {{(C2) expected one part at least, got none}}
  %0:2 = "gsa.merge_attention"() <{operandSegmentSizes = array<i32: 0, 0, 0>}>
    : () -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c2_types(%o: tensor<2x3x4x6xf32>,
                                    %l: tensor<2x4x3xf64>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'lses', got 'f64'}}
  %0:2 = gsa.merge_attention %o lse %l
    : (tensor<2x3x4x6xf32>, tensor<2x4x3xf64>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c3(%o: tensor<2x3x4x6xf64>, %l: tensor<2x4x3xf64>) {
  // expected-error @+1 {{(C3) expected an 'element_type' that is summed up in 'f64', got 'bf16'}}
  %0:2 = gsa.merge_attention %o lse %l {element_type = bf16}
    : (tensor<2x3x4x6xf64>, tensor<2x4x3xf64>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf64>)
  return
}

// -----

func.func @merge_attention_c3_integer(%o: tensor<2x3x4x6xf32>,
                                      %l: tensor<2x4x3xf32>) {
  // expected-error @+1 {{(C3) expected an 'element_type' that is summed up in 'f32', got 'i32'}}
  %0:2 = gsa.merge_attention %o lse %l {element_type = i32}
    : (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c4(%o: tensor<2x3x4x6xf32>, %l: tensor<2x4x3xf32>,
                              %g: tensor<2x3x4x5xf32>) {
  // expected-error @+1 {{(C4) expected size 6 in dimension 3 of 'gate', got 5}}
  %0:2 = gsa.merge_attention %o lse %l gate %g
    : (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x4x5xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @merge_attention_c4_type(%o: tensor<2x3x4x6xf32>,
                                   %l: tensor<2x4x3xf32>,
                                   %g: tensor<2x3x4xf16>) {
  // expected-error @+1 {{(C4) expected element type 'bf16' or 'f32' for 'gate', got 'f16'}}
  %0:2 = gsa.merge_attention %o lse %l gate %g {element_type = bf16}
    : (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x4xf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  return
}
