// RUN: gsa-opt %s --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --emit-bytecode | gsa-opt | FileCheck %s

// Attributes come back as written; parameters equal to their default are not
// printed; doubles round-trip exactly.

// CHECK-LABEL: @enums
func.func @enums() attributes {
  // CHECK-SAME: a = [#gsa.mask<none>, #gsa.mask<causal>]
  a = [#gsa.mask<none>, #gsa.mask<causal>],
  // CHECK-SAME: b = [#gsa.score_activation<sigmoid>, #gsa.score_activation<relu>, #gsa.score_activation<identity>]
  b = [#gsa.score_activation<sigmoid>, #gsa.score_activation<relu>,
       #gsa.score_activation<identity>],
  // CHECK-SAME: c = [#gsa.weight_activation<sigmoid>, #gsa.weight_activation<identity>]
  c = [#gsa.weight_activation<sigmoid>, #gsa.weight_activation<identity>],
  // CHECK-SAME: d = [#gsa.gate_activation<sigmoid>, #gsa.gate_activation<tanh>, #gsa.gate_activation<silu>]
  d = [#gsa.gate_activation<sigmoid>, #gsa.gate_activation<tanh>,
       #gsa.gate_activation<silu>],
  // CHECK-SAME: e = [#gsa.statistic<variance>, #gsa.statistic<entropy>]
  e = [#gsa.statistic<variance>, #gsa.statistic<entropy>],
  // CHECK-SAME: f = [#gsa.population<visible>, #gsa.population<zero_filled>]
  f = [#gsa.population<visible>, #gsa.population<zero_filled>],
  // CHECK-SAME: g = [#gsa.index_order<index>, #gsa.index_order<score>]
  g = [#gsa.index_order<index>, #gsa.index_order<score>]
} { return }

// CHECK-LABEL: @k_policy
func.func @k_policy() attributes {
  // CHECK-SAME: a = #gsa.k_policy<fixed, base = 7>
  a = #gsa.k_policy<fixed, base = 7>,
  // CHECK-SAME: b = #gsa.k_policy<fixed, base = 1073741824>
  b = #gsa.k_policy<fixed, base = 1073741824>,
  // CHECK-SAME: c = #gsa.k_policy<upstream_variance, base = 1024, min = 256, max = 4096>
  c = #gsa.k_policy<upstream_variance, base = 1024, min = 256, max = 4096>,
  // Parameters may be written in any order.
  // CHECK-SAME: d = #gsa.k_policy<paper_ema, base = 3, min = 2, max = 9>
  d = #gsa.k_policy<paper_ema, max = 9, temperature = 1.0, base = 3, min = 2>,
  // CHECK-SAME: e = #gsa.k_policy<entropy, base = 1, max = 1073741823, temperature = 1.000000e-01>
  e = #gsa.k_policy<entropy, base = 1, max = 1073741823, temperature = 0.1>,
  // CHECK-SAME: f = #gsa.k_policy<orth, base = 1, max = 1, temperature = 0.000000e+00>
  f = #gsa.k_policy<orth, base = 1, min = 1, max = 1, temperature = 0.0>
} { return }

// CHECK-LABEL: @rope_scaling
func.func @rope_scaling() attributes {
  // CHECK-SAME: a = #gsa.rope_scaling<ntk, factor = 8.000000e+00>
  a = #gsa.rope_scaling<ntk, factor = 8.0>,
  // CHECK-SAME: b = #gsa.rope_scaling<yarn, factor = 4.000000e+00, original_max_position = 32768, beta_fast = 1.600000e+01, beta_slow = 5.000000e-01>
  b = #gsa.rope_scaling<yarn, factor = 4.0, original_max_position = 32768,
                        beta_fast = 16.0, beta_slow = 0.5>
} { return }

// CHECK-LABEL: @union_schedule
func.func @union_schedule() attributes {
  // CHECK-SAME: a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>
  a = #gsa.union_schedule<engine = wgmma, queries = 16, groups = 1, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>,
  // CHECK-SAME: b = #gsa.union_schedule<engine = wgmma, queries = 32, groups = 2, block_k = 128,
  b = #gsa.union_schedule<engine = wgmma, queries = 32, groups = 2, block_k = 128, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// CHECK-LABEL: @grad_schedules
func.func @grad_schedules() attributes {
  // CHECK-SAME: a = #gsa.gather_grad_schedule<engine = mma_sync, block_k = 16, columns = 64>
  a = #gsa.gather_grad_schedule<engine = mma_sync, block_k = 16, columns = 64>,
  // CHECK-SAME: b = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 2, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>
  b = #gsa.union_grad_schedule<engine = wgmma, queries = 16, groups = 1, key_stages = 1, value_stages = 2, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>,
  // CHECK-SAME: c = #gsa.union_grad_schedule<engine = wgmma, queries = 32, groups = 2, {{.*}}, list_warps = 8, list_entries = 64, list_words = 256, list_sm_blocks = 2, again_sm_blocks = 1, key_chunks = 8>
  c = #gsa.union_grad_schedule<engine = wgmma, queries = 32, groups = 2, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, list_warps = 8, list_entries = 64, list_words = 256, list_sm_blocks = 2, again_sm_blocks = 1, key_chunks = 8>} { return }

// CHECK-LABEL: @cpu_schedule
func.func @cpu_schedule() attributes {
  // CHECK-SAME: a = #gsa.cpu_schedule<tasks = 2, lanes = 16, rows = 8, vectors = 2>
  a = #gsa.cpu_schedule<tasks = 2, lanes = 16, rows = 8, vectors = 2>
} { return }

// CHECK-LABEL: @one_pass_schedule
func.func @one_pass_schedule() attributes {
  // CHECK-SAME: a = #gsa.one_pass_schedule<scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1, stages = 2, producers = 4, consumers = 4>, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 4>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>, sample = 4, rank = 8, capacity = 64, chunk = 96>
  a = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 64, chunk = 96>,
  // CHECK-SAME: b = #gsa.one_pass_schedule<scores = <engine = wgmma, block_q = 32, block_k = 64, span = 1, stages = 2, producers = 4, consumers = 4, pairs = 1, boxes = true>, exact = {{.*}}, sample = 4, rank = 8, capacity = 64, chunk = 96, sm_blocks = 2, staged = 12, thread_candidates = 8, candidate_bins = 512>
  b = #gsa.one_pass_schedule<
    scores = <engine = wgmma, block_q = 32, block_k = 64, span = 1,
              stages = 2, producers = 4, consumers = 4, pairs = 1,
              boxes = true>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1,
                       stages = 2, producers = 4, consumers = 4>,
             topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
    sample = 4, rank = 8, capacity = 64, chunk = 96, sm_blocks = 2,
    staged = 12, thread_candidates = 8, candidate_bins = 512>
} { return }

// CHECK-LABEL: @split_schedules
func.func @split_schedules() attributes {
  // CHECK-SAME: a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>,
  // CHECK-SAME: b = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>
  b = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>,
  // CHECK-SAME: b4 = #gsa.split_attention_schedule<entries = 128, per_block = 4, part = <
  b4 = #gsa.split_attention_schedule<entries = 128, per_block = 4, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>,
  // CHECK-SAME: b8 = #gsa.split_attention_schedule<entries = 128, per_block = 2, part = <{{.*}}>, cluster = 8>
  b8 = #gsa.split_attention_schedule<entries = 128, per_block = 2, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, cluster = 8>,
  // CHECK-SAME: c = #gsa.split_select_schedule<engine = fma, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 0, rank = 0, capacity = 0, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>
  c = #gsa.split_select_schedule<engine = fma, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 0, rank = 0, capacity = 0, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>,
  // CHECK-SAME: d = #gsa.split_select_schedule<{{.*}}, deferred = true>
  d = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, deferred = true>} { return }

// What is so unless a schedule says otherwise is not printed.
// CHECK-LABEL: @schedule_numbers
func.func @schedule_numbers() attributes {
  // CHECK-SAME: a = #gsa.attention_schedule<{{.*}}, found_rows = 0, sm_blocks = 3>
  a = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4, found_rows = 0, sm_blocks = 3>,
  // CHECK-SAME: b = #gsa.union_schedule<{{.*}}, list_warps = 32, list_entries = 64, list_words = 256, list_sm_blocks = 2, again_sm_blocks = 1>
  b = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, list_warps = 32, list_entries = 64, list_words = 256, list_sm_blocks = 2, again_sm_blocks = 1>,
  // CHECK-SAME: c = #gsa.dense_schedule<{{.*}}, masked = true, string_warps = 8, string_entries = 128, short_warps = 8, again_sm_blocks = 4>
  c = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, masked = true, string_warps = 8, string_entries = 128, short_warps = 8, again_sm_blocks = 4>,
  // CHECK-SAME: d = #gsa.score_schedule<{{.*}}, kept_heads = 16, head_tile = 4>
  d = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4, kept_heads = 16, head_tile = 4>,
  // CHECK-SAME: e = #gsa.topk_schedule<{{.*}}, sm_warps = 48, step = 128, kept_step = 32>
  e = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 1, sm_warps = 48, step = 128, kept_step = 32>,
  // CHECK-SAME: f = #gsa.select_schedule<{{.*}}, flagged_spans = 4>
  f = #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>, flagged_spans = 4>,
  // CHECK-SAME: g = #gsa.short_rows_schedule<{{.*}}, vectors = 2, sm_warps = 16, row_sm_warps = 32>
  g = #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, vectors = 2, sm_warps = 16, row_sm_warps = 32>,
  // CHECK-SAME: h = #gsa.one_pass_schedule<{{.*}}, sample_blocks = 2, least_span = 4, bound_warps = 32, keep = true>
  h = #gsa.one_pass_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, sample = 4, rank = 8, capacity = 64, chunk = 96, sample_blocks = 2, least_span = 4, bound_warps = 32, keep = true>,
  // CHECK-SAME: i = #gsa.split_select_schedule<{{.*}}, thread_candidates = 32, candidate_bins = 512, sample_blocks = 8, bound_warps = 32, cluster_keys = 128, cluster_warps = 4, cluster_sm_blocks = 1>
  i = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, thread_candidates = 32, candidate_bins = 512, sample_blocks = 8, bound_warps = 32, cluster_keys = 128, cluster_warps = 4, cluster_sm_blocks = 1>,
  // CHECK-SAME: j = #gsa.split_attention_schedule<{{.*}}, merge_warps = 8>
  j = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, merge_warps = 8>,
  // CHECK-SAME: k = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>
  k = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, list_warps = 16, list_entries = 256, list_words = 128, list_sm_blocks = 3, again_sm_blocks = 2>,
  // CHECK-SAME: l = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 1>
  l = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 1, sm_warps = 32, step = 256, kept_step = 64>,
  // CHECK-SAME: m = #gsa.split_select_schedule<{{.*}}, cluster = 8, cluster_keys = 512, row_cells = 16>
  m = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 0, rank = 0, capacity = 0, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, cluster = 8, cluster_keys = 512, row_cells = 16>,
  // CHECK-SAME: n = #gsa.split_attention_schedule<{{.*}}, prefetch = true>
  n = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, prefetch = true>
} { return }
