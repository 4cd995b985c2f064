// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of the selection ops;
// the name of a function is the op and the label.

func.func @index_scores_c1(%q: tensor<2x3x4x8xf32>, %k: tensor<3x5x8xf32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'key', got 3}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<3x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c1_head_size(%q: tensor<2x3x4x8xf32>,
                                     %k: tensor<2x5x7xf32>) {
  // expected-error @+1 {{(C1) expected Di = 8 (from 'query') in dimension 2 of 'key', got 7}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x7xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c1_weights(%q: tensor<2x3x4x8xf32>,
                                   %k: tensor<2x5x8xf32>,
                                   %w: tensor<2x3x3xf32>) {
  // expected-error @+1 {{(C1) expected Hi = 4 (from 'query') in dimension 2 of 'weights', got 3}}
  %0 = gsa.index_scores %q, %k weights %w
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x3xf32>)
    -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c1_bias(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                                %b: tensor<5xf32>) {
  // expected-error @+1 {{(C1) expected Hi = 4 (from 'query') in dimension 0 of 'bias', got 5}}
  %0 = gsa.index_scores %q, %k bias %b
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<5xf32>)
    -> tensor<2x3x5xf32>
  return
}

// -----

// The query leaves Hi open; weights and bias contradict each other.
func.func @index_scores_c1_between_others(%q: tensor<2x3x?x8xf32>,
    %k: tensor<2x5x8xf32>, %w: tensor<2x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{(C1) expected Hi = 3 (from 'weights') in dimension 0 of 'bias', got 4}}
  %0 = gsa.index_scores %q, %k weights %w bias %b
    : (tensor<2x3x?x8xf32>, tensor<2x5x8xf32>, tensor<2x3x3xf32>, tensor<4xf32>)
    -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c1_encoding(%q: tensor<2x3x4x8xf32, "blocked">,
                                    %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C1) expected 'query' to be a plain tensor, got encoding "blocked"}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32, "blocked">, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c2(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf16>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'key', got 'f16'}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf16>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c2_weights(%q: tensor<2x3x4x8xbf16>,
                                   %k: tensor<2x5x8xbf16>,
                                   %w: tensor<2x3x4xf16>) {
  // expected-error @+1 {{(C2) expected element type 'bf16' or 'f32' for 'weights', got 'f16'}}
  %0 = gsa.index_scores %q, %k weights %w
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xf16>)
    -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c2_bias(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                                %b: tensor<4xf64>) {
  // expected-error @+1 {{(C2) expected element type 'f32' or 'f32' for 'bias', got 'f64'}}
  %0 = gsa.index_scores %q, %k bias %b
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<4xf64>)
    -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c3(%q: tensor<2x3x0x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C3) expected Hi to be at least 1, got 0}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x0x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c3_head_size(%q: tensor<2x3x4x0xf32>,
                                     %k: tensor<2x5x0xf32>) {
  // expected-error @+1 {{(C3) expected Di to be at least 1, got 0}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x0xf32>, tensor<2x5x0xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c4(%q: tensor<2x3x4x?xf32>, %k: tensor<2x5x?xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0 = gsa.index_scores %q, %k
    : (tensor<2x3x4x?xf32>, tensor<2x5x?xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c4_infinite(%q: tensor<2x3x4x8xf32>,
                                    %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got -INF}}
  %0 = gsa.index_scores %q, %k {scale = 0xFFF0000000000000 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @index_scores_c4_nan(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got nan}}
  %0 = gsa.index_scores %q, %k {scale = 0x7FF8000000000000 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

// Finite as f64, infinite in the type in which it is used.
func.func @index_scores_c4_overflow(%q: tensor<2x3x4x8xf32>,
                                    %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be finite in 'f32', got 1.000000e+300}}
  %0 = gsa.index_scores %q, %k {scale = 1.0e300 : f64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @row_statistics_c1(%s: tensor<2x3x5xf32, "blocked">) {
  // expected-error @+1 {{(C1) expected 'scores' to be a plain tensor, got encoding "blocked"}}
  %0:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32, "blocked">) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return
}

// -----

func.func @row_statistics_c2(%s: tensor<2x3x5xf32>) {
  // expected-error @+1 {{(C2) 'correction' must be 0 or 1, got 2}}
  %0:2 = gsa.row_statistics %s {correction = 2 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return
}

// -----

func.func @row_statistics_c2_negative(%s: tensor<2x3x5xf32>) {
  // expected-error @+1 {{(C2) 'correction' must be 0 or 1, got -1}}
  %0:2 = gsa.row_statistics %s {correction = -1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return
}

// -----

func.func @row_statistics_c3(%s: tensor<2x3x5xf32>) {
  // expected-error @+1 {{(C3) statistic 'entropy' needs population 'visible' and correction 0, got 'zero_filled' and 0}}
  %0:2 = gsa.row_statistics %s {
      statistic = #gsa.statistic<entropy>,
      population = #gsa.population<zero_filled>}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return
}

// -----

func.func @row_statistics_c3_correction(%s: tensor<2x3x5xf32>) {
  // expected-error @+1 {{(C3) statistic 'entropy' needs population 'visible' and correction 0, got 'visible' and 1}}
  %0:2 = gsa.row_statistics %s {
      statistic = #gsa.statistic<entropy>, correction = 1 : i64}
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return
}

// -----

func.func @stat_mean_c1(%v: tensor<2x3xf32, "blocked">) {
  // expected-error @+1 {{(C1) expected 'values' to be a plain tensor, got encoding "blocked"}}
  %0 = gsa.stat_mean %v
    : (tensor<2x3xf32, "blocked">) -> tensor<f32>
  return
}

// -----

func.func @adaptive_k_c1(%n: tensor<2x3xi32>, %v: tensor<2x4xf32>) {
  // expected-error @+1 {{(C1) expected Sq = 3 (from 'visible') in dimension 1 of 'statistic', got 4}}
  %0 = gsa.adaptive_k %n statistic %v
      policy <entropy, base = 2, max = 4>
    : (tensor<2x3xi32>, tensor<2x4xf32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @adaptive_k_c2(%n: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) policy 'orth' needs the operand 'statistic'}}
  %0 = gsa.adaptive_k %n
      policy <orth, base = 2, max = 4>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @adaptive_k_c3(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>) {
  // expected-error @+1 {{(C3) policy 'paper_ema' needs operand 'normaliser'}}
  %0 = gsa.adaptive_k %n statistic %v
      policy <paper_ema, base = 2, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @adaptive_k_c3_upstream(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>) {
  // expected-error @+1 {{(C3) policy 'upstream_variance' needs operand 'normaliser'}}
  %0 = gsa.adaptive_k %n statistic %v
      policy <upstream_variance, base = 2, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @adaptive_k_c3_superfluous(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>,
                                     %m: tensor<f32>) {
  // expected-error @+1 {{(C3) policy 'entropy' takes no operand 'normaliser'}}
  %0 = gsa.adaptive_k %n statistic %v normaliser %m
      policy <entropy, base = 2, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @adaptive_k_c3_fixed(%n: tensor<2x3xi32>, %m: tensor<f32>) {
  // expected-error @+1 {{(C3) policy 'fixed' takes no operand 'normaliser'}}
  %0 = gsa.adaptive_k %n normaliser %m
      policy <fixed, base = 2>
    : (tensor<2x3xi32>, tensor<f32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @adaptive_k_c4(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>,
                         %m: tensor<f64>) {
  // expected-error @+1 {{(C4) expected element type 'f32' for 'normaliser', got 'f64'}}
  %0 = gsa.adaptive_k %n statistic %v normaliser %m
      policy <paper_ema, base = 2, max = 4>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f64>) -> tensor<2x3xi32>
  return
}

// -----

func.func @topk_c1(%s: tensor<2x3x5xf32>, %k: tensor<1x3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'scores') in dimension 0 of 'k', got 1}}
  %0:3 = gsa.topk %s, %k slots 4
    : (tensor<2x3x5xf32>, tensor<1x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c2(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) 'slots' must be in [1, 2^30], got 0}}
  %0:3 = gsa.topk %s, %k slots 0
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c2_negative(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) 'slots' must be in [1, 2^30], got -1}}
  %0:3 = gsa.topk %s, %k slots -1
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c2_least(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) 'slots' must be in [1, 2^30], got -9223372036854775808}}
  %0:3 = gsa.topk %s, %k slots -9223372036854775808
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c2_huge(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) 'slots' must be in [1, 2^30], got 1073741825}}
  %0:3 = gsa.topk %s, %k slots 1073741825
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c2_greatest(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C2) 'slots' must be in [1, 2^30], got 9223372036854775807}}
  %0:3 = gsa.topk %s, %k slots 9223372036854775807
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c3(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) 'sink' and 'local' must be in [0, 2^30], got -1 and 0}}
  %0:3 = gsa.topk %s, %k slots 4 {sink = -1 : i64}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c3_local(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) 'sink' and 'local' must be in [0, 2^30], got 1 and -7}}
  %0:3 = gsa.topk %s, %k slots 4 {sink = 1 : i64, local = -7 : i64}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c3_huge(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C3) 'sink' and 'local' must be in [0, 2^30], got 0 and 9223372036854775807}}
  %0:3 = gsa.topk %s, %k slots 4 {local = 9223372036854775807 : i64}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @topk_c4(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{(C4) order 'score' cannot be combined with forced keys, got sink = 1 and local = 0}}
  %0:3 = gsa.topk %s, %k slots 4 {
      sink = 1 : i64, order = #gsa.index_order<score>}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c1(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                     %b: tensor<3xf32>) {
  // expected-error @+1 {{(C1) expected Hi = 4 (from 'query') in dimension 0 of 'bias', got 3}}
  %0:3 = gsa.select %q, %k bias %b policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<3xf32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c2(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xbf16>) {
  // expected-error @+1 {{(C2) expected element type 'f32' for 'key', got 'bf16'}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xbf16>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c3(%q: tensor<2x3x4x0xf32>, %k: tensor<2x5x0xf32>) {
  // expected-error @+1 {{(C3) expected Di to be at least 1, got 0}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    : (tensor<2x3x4x0xf32>, tensor<2x5x0xf32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c4(%q: tensor<2x3x4x?xf32>, %k: tensor<2x5x?xf32>) {
  // expected-error @+1 {{(C4) 'scale' must be given when the head size is dynamic}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    : (tensor<2x3x4x?xf32>, tensor<2x5x?xf32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c5(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C5) policy 'paper_ema' needs operand 'normaliser'}}
  %0:3 = gsa.select %q, %k policy <paper_ema, base = 3, max = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c5_superfluous(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                                 %n: tensor<f32>) {
  // expected-error @+1 {{(C5) policy 'fixed' takes no operand 'normaliser'}}
  %0:3 = gsa.select %q, %k normaliser %n policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<f32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c5_type(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x8xf16>,
                          %n: tensor<f64>) {
  // expected-error @+1 {{(C5) expected element type 'f32' for 'normaliser', got 'f64'}}
  %0:3 = gsa.select %q, %k normaliser %n policy <upstream_variance, base = 2, max = 3>
    : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<f64>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @select_c6(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{(C6) 'sink' and 'local' must be in [0, 2^30], got 0 and -1}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 3> {local = -1 : i64}
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @index_scores_c1_lengths(%q: tensor<2x3x4x8xf32>,
                                   %k: tensor<2x5x8xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 3}}
  %0 = gsa.index_scores %q, %k lengths %n
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<3xi32>)
    -> tensor<2x3x5xf32>
  return
}

// -----

func.func @select_c1_lengths(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>,
                             %n: tensor<3xi32>) {
  // expected-error @+1 {{(C1) expected B = 2 (from 'query') in dimension 0 of 'lengths', got 3}}
  %0:3 = gsa.select %q, %k lengths %n policy <fixed, base = 3>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>, tensor<3xi32>)
    -> (tensor<2x3x3xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}
