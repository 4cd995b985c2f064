// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// One case or more for each labelled constraint of the attributes; the name of
// a function is the attribute and the label. An illegal attribute is refused
// where it is written, before any op sees it.

func.func @k_policy_c1() attributes {
  // expected-error @+1 {{(C1) 'base' must be in [1, 1073741824], got 0}}
  a = #gsa.k_policy<fixed, base = 0>} { return }

// -----

func.func @k_policy_c1_negative() attributes {
  // expected-error @+1 {{(C1) 'base' must be in [1, 1073741824], got -3}}
  a = #gsa.k_policy<orth, base = -3, max = 4>} { return }

// -----

func.func @k_policy_c1_huge() attributes {
  // expected-error @+1 {{(C1) 'base' must be in [1, 1073741824], got 9223372036854775807}}
  a = #gsa.k_policy<fixed, base = 9223372036854775807>} { return }

// -----

func.func @k_policy_c2() attributes {
  // expected-error @+1 {{(C2) expected 1 <= min <= max <= 1073741824, got min = 0 and max = 4}}
  a = #gsa.k_policy<entropy, base = 3, min = 0, max = 4>} { return }

// -----

func.func @k_policy_c2_order() attributes {
  // expected-error @+1 {{(C2) expected 1 <= min <= max <= 1073741824, got min = 5 and max = 4}}
  a = #gsa.k_policy<entropy, base = 3, min = 5, max = 4>} { return }

// -----

func.func @k_policy_c2_huge() attributes {
  // expected-error @+1 {{(C2) expected 1 <= min <= max <= 1073741824, got min = 1 and max = 1073741825}}
  a = #gsa.k_policy<entropy, base = 3, max = 1073741825>} { return }

// -----

func.func @k_policy_c3() attributes {
  // expected-error @+1 {{(C3) 'temperature' must be finite and not negative, got -1.000000e+00}}
  a = #gsa.k_policy<entropy, base = 3, max = 4, temperature = -1.0>} { return }

// -----

func.func @k_policy_c3_infinite() attributes {
  // expected-error @+1 {{(C3) 'temperature' must be finite and not negative, got INF}}
  a = #gsa.k_policy<entropy, base = 3, max = 4,
                    temperature = 0x7FF0000000000000>} { return }

// -----

func.func @k_policy_c3_nan() attributes {
  // expected-error @+1 {{(C3) 'temperature' must be finite and not negative, got nan}}
  a = #gsa.k_policy<entropy, base = 3, max = 4,
                    temperature = 0x7FF8000000000001>} { return }

// -----

func.func @k_policy_c4() attributes {
  // expected-error @+1 {{(C4) policy 'entropy' must state 'max', the largest budget}}
  a = #gsa.k_policy<entropy, base = 3>} { return }

// -----

func.func @k_policy_c4_fixed() attributes {
  // expected-error @+1 {{(C4) policy 'fixed' takes 'base' alone, got 'max' beside it}}
  a = #gsa.k_policy<fixed, base = 3, max = 4>} { return }

// -----

func.func @k_policy_c4_fixed_temperature() attributes {
  // expected-error @+1 {{(C4) policy 'fixed' takes 'base' alone, got 'temperature' beside it}}
  a = #gsa.k_policy<fixed, base = 3, temperature = 2.0>} { return }

// -----

// Also with the values that they have if they are not stated.

func.func @k_policy_c4_fixed_min() attributes {
  // expected-error @+1 {{(C4) policy 'fixed' takes 'base' alone, got 'min' beside it}}
  a = #gsa.k_policy<fixed, base = 3, min = 1>} { return }

// -----

func.func @k_policy_c4_fixed_max() attributes {
  // expected-error @+1 {{(C4) policy 'fixed' takes 'base' alone, got 'max' beside it}}
  a = #gsa.k_policy<fixed, max = 1073741824, base = 3>} { return }

// -----

func.func @k_policy_no_base() attributes {
  // expected-error @+1 {{a budget policy must state 'base'}}
  a = #gsa.k_policy<orth, max = 4>} { return }

// -----

func.func @k_policy_unknown_field() attributes {
  // expected-error @+1 {{a budget policy has no field 'maximum', it takes 'base', 'min', 'max', 'temperature'}}
  a = #gsa.k_policy<orth, base = 3, maximum = 4>} { return }

// -----

func.func @k_policy_twice() attributes {
  // expected-error @+1 {{'base' is given twice}}
  a = #gsa.k_policy<fixed, base = 3, base = 4>} { return }

// -----

func.func @rope_scaling_c1() attributes {
  // expected-error @+1 {{(C1) 'factor' must be finite and at least 1, got 5.000000e-01}}
  a = #gsa.rope_scaling<yarn, factor = 0.5>} { return }

// -----

func.func @rope_scaling_c1_nan() attributes {
  // expected-error @+1 {{(C1) 'factor' must be finite and at least 1, got nan}}
  a = #gsa.rope_scaling<ntk, factor = 0x7FF8000000000001>} { return }

// -----

func.func @rope_scaling_c2() attributes {
  // expected-error @+1 {{(C2) 'original_max_position' must be at least 1, got 0}}
  a = #gsa.rope_scaling<yarn, factor = 2.0, original_max_position = 0>} {
  return
}

// -----

func.func @rope_scaling_c3() attributes {
  // expected-error @+1 {{(C3) expected beta_fast > beta_slow > 0, got 1.000000e+00 and 1.000000e+00}}
  a = #gsa.rope_scaling<yarn, factor = 2.0, beta_fast = 1.0>} { return }

// -----

func.func @rope_scaling_c3_zero() attributes {
  // expected-error @+1 {{(C3) expected beta_fast > beta_slow > 0, got 3.200000e+01 and 0.000000e+00}}
  a = #gsa.rope_scaling<yarn, factor = 2.0, beta_slow = 0.0>} { return }

// -----

func.func @rope_scaling_c3_infinite() attributes {
  // expected-error @+1 {{(C3) expected beta_fast > beta_slow > 0, got INF and 1.000000e+00}}
  a = #gsa.rope_scaling<yarn, factor = 2.0, beta_fast = 0x7FF0000000000000>} {
  return
}

// -----

func.func @cpu_schedule_c1() attributes {
  // expected-error @+1 {{(C1) 'tasks' must be in [1, 4096], got 0}}
  a = #gsa.cpu_schedule<tasks = 0, lanes = 8, rows = 1, vectors = 1>} { return }

// -----

func.func @cpu_schedule_c2() attributes {
  // expected-error @+1 {{(C2) 'lanes' must be a power of two in [1, 64], got 12}}
  a = #gsa.cpu_schedule<tasks = 1, lanes = 12, rows = 1, vectors = 1>} {
  return
}

// -----

func.func @cpu_schedule_c3() attributes {
  // expected-error @+1 {{(C3) expected rows and vectors of at least 1 with rows * vectors <= 64, got 8 and 9}}
  a = #gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 8, vectors = 9>} { return }

// -----

func.func @cpu_schedule_c3_huge() attributes {
  // expected-error @+1 {{(C3) expected rows and vectors of at least 1 with rows * vectors <= 64, got 4 and 4611686018427387905}}
  a = #gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 4,
                        vectors = 4611686018427387905>} { return }

// -----

func.func @cpu_schedule_c4() attributes {
  // expected-error @+1 {{(C4) expected block_rows in [1, 4096], block_keys in [1, 65536], value_vectors in [1, 16] and prefetch in [0, 1024], got 16, 0, 4 and 16}}
  a = #gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 8, vectors = 2,
                        block_keys = 0>} { return }

// -----

func.func @one_pass_schedule_of_constraint_1() attributes {
  // expected-error @+1 {{(C1) 'sample' must be in [2, 1024], got 1}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 1, rank = 8, capacity = 64, chunk = 8>} { return }

// -----

func.func @one_pass_schedule_of_constraint_2() attributes {
  // expected-error @+1 {{(C2) 'rank' must be at least 1, got 0}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 0, capacity = 64, chunk = 8>} { return }

// -----

func.func @one_pass_schedule_of_constraint_3() attributes {
  // expected-error @+1 {{(C3) 'capacity' must be in [32, 16384], got 16}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 1, capacity = 16, chunk = 8>} { return }

// -----

func.func @one_pass_schedule_rank() attributes {
  // expected-error @+1 {{(C3) 'capacity' must be at least rank * sample, got 64 for 17 * 4}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 17, capacity = 64, chunk = 8>} { return }

// -----

func.func @one_pass_schedule_of_constraint_4() attributes {
  // expected-error @+1 {{(C4) 'chunk' must be at least 1, got 0}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 64, chunk = 0>} { return }

// -----

func.func @one_pass_schedule_of_constraint_5() attributes {
  // expected-error @+1 {{(C5) expected scores by mma_sync or wgmma in tiles of at most 64 keys, got}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 128, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 64, chunk = 8>} { return }

// -----

func.func private @rope_scaling_without_factor() attributes {
  // expected-error @+1 {{struct is missing required parameter: factor}}
  a = #gsa.rope_scaling<yarn, beta_fast = 16.0>}

// -----

func.func @lists_c1() attributes {
  // expected-error @+1 {{(C1) 'least' must not be negative, got -1}}
  a = #gsa.lists<mask = causal, least = -1>} { return }

// -----

func.func @short_rows() attributes {
  // expected-error @+1 {{(C1) 'rows' must be in [1, 32], got 33}}
  a = #gsa.short_rows_schedule<rows = 33, cells = 16, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>>} { return }

// -----

func.func @short_rows_cells() attributes {
  // expected-error @+1 {{(C2) 'cells' must be in [0, 32], got 33}}
  a = #gsa.short_rows_schedule<rows = 16, cells = 33, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>>} { return }

// -----

func.func @one_pass_schedule_of_constraint_6() attributes {
  // expected-error @+1 {{(C6) 'sm_blocks' must be in [0, 64], got 65}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 2048, chunk = 8, sm_blocks = 65>} { return }

// -----

func.func @one_pass_schedule_of_constraint_7() attributes {
  // expected-error @+1 {{(C7) 'staged' must be an even number in [4, 64], got 5}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 2048, chunk = 8, staged = 5>} { return }

// -----

func.func @one_pass_schedule_of_constraint_8() attributes {
  // expected-error @+1 {{(C8) 'thread_candidates' must be in [1, 32], got 33}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 2048, chunk = 8, thread_candidates = 33>} { return }

// -----

func.func @one_pass_schedule_few_candidates() attributes {
  // expected-error @+1 {{(C8) 'thread_candidates' must be at least 2 for a capacity of 2048, got 1}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 2048, chunk = 8, thread_candidates = 1>} { return }

// -----

func.func @one_pass_schedule_of_constraint_9() attributes {
  // expected-error @+1 {{(C9) 'candidate_bins' must be a power of two in [256, 8192], got 1000}}
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 2048, chunk = 8, candidate_bins = 1000>} { return }

// -----

func.func @score_schedule_of_constraint_5() attributes {
  // expected-error @+1 {{(C5) 'pairs' must be in [1, 4], got 5}}
  a = #gsa.score_schedule<engine = wgmma, block_q = 32, block_k = 64, span = 1, stages = 2,
    producers = 4, consumers = 4, pairs = 5>} { return }

// -----

func.func @score_schedule_pairs() attributes {
  // expected-error @+1 {{(C5) 'pairs' is of warps with 8 queries, got 1 where they have 16}}
  a = #gsa.score_schedule<engine = wgmma, block_q = 64, block_k = 64, span = 1, stages = 2,
    producers = 4, consumers = 4, pairs = 1>} { return }

// -----

func.func @score_schedule_of_constraint_6() attributes {
  // expected-error @+1 {{(C6) 'boxes' needs wgmma and producers, got mma_sync and 4 producers}}
  a = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 1, stages = 2,
    producers = 4, consumers = 4, boxes = true>} { return }
