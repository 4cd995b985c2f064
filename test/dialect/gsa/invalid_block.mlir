// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of gsa.attention;
// the name of a function is the op and the label.

func.func @attention_c1(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                        %v: tensor<2x5x2x6xf32>, %p: tensor<2x4xi64>,
                        %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
                        %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 1 of 'positions', got 4}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x4xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c1_key_positions(%q: tensor<2x3x4x8xf32>,
                                      %k: tensor<2x5x2x8xf32>,
                                      %v: tensor<2x5x2x6xf32>,
                                      %p: tensor<2x3xi64>, %kp: tensor<2x3xi64>,
                                      %iq: tensor<2x3x3x7xf32>,
                                      %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'key_positions', got 3}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x3xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

// The indexer scores all keys, not only the new ones.
func.func @attention_c1_indexer(%q: tensor<2x3x4x8xf32>,
                                %k: tensor<2x5x2x8xf32>,
                                %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
                                %ik: tensor<2x3x7xf32>) {
  // expected-error @+1 {{(C1) expected Sk = 5 (from 'key') in dimension 1 of 'index_key', got 3}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x3x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c1_value_gate(%q: tensor<2x3x4x8xf32>,
                                   %k: tensor<2x5x2x8xf32>,
                                   %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                   %kp: tensor<2x5xi64>,
                                   %iq: tensor<2x3x3x7xf32>,
                                   %ik: tensor<2x5x7xf32>,
                                   %vg: tensor<2x5x2x1xf32>) {
  // expected-error @+1 {{(C1) expected Dv = 6 (from 'value') in dimension 3 of 'value_gate', got 1}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      value_gate %vg policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<2x5x2x1xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c1_output_gate(%q: tensor<2x3x4x8xf32>,
                                    %k: tensor<2x5x2x8xf32>,
                                    %v: tensor<2x5x2x6xf32>,
                                    %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                    %iq: tensor<2x3x3x7xf32>,
                                    %ik: tensor<2x5x7xf32>,
                                    %og: tensor<2x5x4x6xf32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'query') in dimension 1 of 'output_gate', got 5}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      output_gate %og policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<2x5x4x6xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c2(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf16>,
                        %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                        %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
                        %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'key', got 'f16'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_groups(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x3x8xf32>,
                               %v: tensor<2x5x3x6xf32>, %p: tensor<2x3xi64>,
                               %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
                               %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) expected the number of query heads to be a multiple of the number of key heads, got 4 and 3}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x3x8xf32>, tensor<2x5x3x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_empty(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                              %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                              %kp: tensor<2x5xi64>, %iq: tensor<2x3x0x7xf32>,
                              %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) expected Hi to be at least 1, got 0}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x0x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_head_size(%q: tensor<2x3x4x?xf32>,
                                  %k: tensor<2x5x2x?xf32>,
                                  %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                  %kp: tensor<2x5xi64>,
                                  %iq: tensor<2x3x3x7xf32>,
                                  %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) the head size must be static}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x?xf32>, tensor<2x5x2x?xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_odd_head_size(%q: tensor<2x3x4x7xf32>,
                                      %k: tensor<2x5x2x7xf32>,
                                      %v: tensor<2x5x2x6xf32>,
                                      %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                      %iq: tensor<2x3x3x7xf32>,
                                      %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) the rotated size must be even and in [2, 7], got 7}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x7xf32>, tensor<2x5x2x7xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_rotary_dim(%q: tensor<2x3x4x8xf32>,
                                   %k: tensor<2x5x2x8xf32>,
                                   %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                   %kp: tensor<2x5xi64>,
                                   %iq: tensor<2x3x3x7xf32>,
                                   %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) the rotated size must be even and in [2, 8], got 10}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3> {rotary_dim = 10 : i64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_rope_base(%q: tensor<2x3x4x8xf32>,
                                  %k: tensor<2x5x2x8xf32>,
                                  %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                  %kp: tensor<2x5xi64>,
                                  %iq: tensor<2x3x3x7xf32>,
                                  %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) 'rope_base' must be finite and greater than 1, got 5.000000e-01}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3> {rope_base = 0.5 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_ntk(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                            %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                            %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
                            %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) scaling 'ntk' needs a rotated size of at least 4, got 2}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3> {
      rotary_dim = 2 : i64, rope_scaling = #gsa.rope_scaling<ntk, factor = 2.0>}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_softmax_scale(%q: tensor<2x3x4x8xf32>,
                                      %k: tensor<2x5x2x8xf32>,
                                      %v: tensor<2x5x2x6xf32>,
                                      %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                      %iq: tensor<2x3x3x7xf32>,
                                      %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) 'softmax_scale' must be finite in 'f32', got nan}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3> {softmax_scale = 0x7FF8000000000000 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_index_scale(%q: tensor<2x3x4x8xf32>,
                                    %k: tensor<2x5x2x8xf32>,
                                    %v: tensor<2x5x2x6xf32>,
                                    %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                    %iq: tensor<2x3x3x?xf32>,
                                    %ik: tensor<2x5x?xf32>) {
  // expected-error @+1 {{(C3) 'index_scale' must be given when the head size is dynamic}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x?xf32>, tensor<2x5x?xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_sink(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                             %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                             %kp: tensor<2x5xi64>, %iq: tensor<2x3x3x7xf32>,
                             %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) 'sink' and 'local' must be in [0, 2^30], got -1 and 0}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3> {sink = -1 : i64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_normaliser(%q: tensor<2x3x4x8xf32>,
                                   %k: tensor<2x5x2x8xf32>,
                                   %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                   %kp: tensor<2x5xi64>,
                                   %iq: tensor<2x3x3x7xf32>,
                                   %ik: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C3) policy 'paper_ema' needs operand 'normaliser'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <paper_ema, base = 3, max = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_no_normaliser(%q: tensor<2x3x4x8xf32>,
                                      %k: tensor<2x5x2x8xf32>,
                                      %v: tensor<2x5x2x6xf32>,
                                      %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                      %iq: tensor<2x3x3x7xf32>,
                                      %ik: tensor<2x5x7xf32>, %n: tensor<f32>) {
  // expected-error @+1 {{(C3) policy 'fixed' takes no operand 'normaliser'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      normaliser %n policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<f32>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_normaliser_type(%q: tensor<2x3x4x8xf32>,
                                        %k: tensor<2x5x2x8xf32>,
                                        %v: tensor<2x5x2x6xf32>,
                                        %p: tensor<2x3xi64>,
                                        %kp: tensor<2x5xi64>,
                                        %iq: tensor<2x3x3x7xf32>,
                                        %ik: tensor<2x5x7xf32>,
                                        %n: tensor<f64>) {
  // expected-error @+1 {{(C3) expected element type 'f32' for 'normaliser', got 'f64'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      normaliser %n policy <paper_ema, base = 3, max = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<f64>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_index_key(%q: tensor<2x3x4x8xf32>,
                                  %k: tensor<2x5x2x8xf32>,
                                  %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                  %kp: tensor<2x5xi64>,
                                  %iq: tensor<2x3x3x7xf32>,
                                  %ik: tensor<2x5x7xbf16>) {
  // expected-error @+1 {{(C3) expected element type 'f32' for 'index_key', got 'bf16'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>,
       tensor<2x5x7xbf16>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_index_weights(%q: tensor<2x3x4x8xf32>,
                                      %k: tensor<2x5x2x8xf32>,
                                      %v: tensor<2x5x2x6xf32>,
                                      %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                      %iq: tensor<2x3x3x7xf32>,
                                      %ik: tensor<2x5x7xf32>,
                                      %w: tensor<2x3x3xf64>) {
  // expected-error @+1 {{(C3) expected element type 'f32' or 'f32' for 'index_weights', got 'f64'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      weights %w policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<2x3x3xf64>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_value_gate(%q: tensor<2x3x4x8xf32>,
                                   %k: tensor<2x5x2x8xf32>,
                                   %v: tensor<2x5x2x6xf32>, %p: tensor<2x3xi64>,
                                   %kp: tensor<2x5xi64>,
                                   %iq: tensor<2x3x3x7xf32>,
                                   %ik: tensor<2x5x7xf32>,
                                   %vg: tensor<2x5x2x6xf16>) {
  // expected-error @+1 {{(C3) expected element type 'f32' or 'f32' for 'value_gate', got 'f16'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      value_gate %vg policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<2x5x2x6xf16>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @attention_c3_output_gate(%q: tensor<2x3x4x8xf32>,
                                    %k: tensor<2x5x2x8xf32>,
                                    %v: tensor<2x5x2x6xf32>,
                                    %p: tensor<2x3xi64>, %kp: tensor<2x5xi64>,
                                    %iq: tensor<2x3x3x7xf32>,
                                    %ik: tensor<2x5x7xf32>,
                                    %og: tensor<2x3x4x6xbf16>) {
  // expected-error @+1 {{(C3) expected element type 'f32' or 'f32' for 'output_gate', got 'bf16'}}
  %0:5 = gsa.attention %q, %k, %v positions %p, %kp index %iq, %ik
      output_gate %og policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x6xf32>,
       tensor<2x3xi64>, tensor<2x5xi64>, tensor<2x3x3x7xf32>, tensor<2x5x7xf32>,
       tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xf32>, tensor<2x4x3xf32>, tensor<2x3x3xi32>,
        tensor<2x3xi32>, tensor<2x3xi32>)
  return
}
