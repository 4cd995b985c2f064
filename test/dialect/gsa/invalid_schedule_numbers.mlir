// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Numbers of kernels that a schedule has unless it says otherwise.

func.func @attention_found_rows() attributes {
  // expected-error @+1 {{(C4) 'found_rows' must be in [0, 16], got 17}}
  a = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4, found_rows = 17>} { return }

// -----

func.func @union_list_warps() attributes {
  // expected-error @+1 {{(C5) 'list_warps' must be a power of two in [1, 32], got 12}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, list_warps = 12>} { return }

// -----

func.func @union_list_entries() attributes {
  // expected-error @+1 {{(C6) 'list_entries' must be a multiple of 32 in [32, 1024], got 48}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, list_entries = 48>} { return }

// -----

func.func @union_list_words() attributes {
  // expected-error @+1 {{(C6) 'list_words' must be a multiple of 32 in [32, 1024], got 2048}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, list_words = 2048>} { return }

// -----

func.func @union_list_sm_blocks() attributes {
  // expected-error @+1 {{(C7) 'list_sm_blocks' must be in [1, 16], got 0}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, list_sm_blocks = 0>} { return }

// -----

func.func @union_again_sm_blocks() attributes {
  // expected-error @+1 {{(C7) 'again_sm_blocks' must be in [1, 16], got 17}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, again_sm_blocks = 17>} { return }

// -----

func.func @dense_string_warps() attributes {
  // expected-error @+1 {{(C5) 'string_warps' must be a power of two in [1, 32], got 64}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, string_warps = 64>} { return }

// -----

func.func @dense_string_entries() attributes {
  // expected-error @+1 {{(C5) 'string_entries' must be a multiple of 128 in [128, 1024], got 96}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, string_entries = 96>} { return }

// -----

func.func @dense_short_warps() attributes {
  // expected-error @+1 {{(C5) 'short_warps' must be in [1, 32], got 33}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, short_warps = 33>} { return }

// -----

func.func @dense_again_sm_blocks() attributes {
  // expected-error @+1 {{(C6) 'again_sm_blocks' must be in [1, 16], got 0}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, again_sm_blocks = 0>} { return }

// -----

func.func @score_kept_heads() attributes {
  // expected-error @+1 {{(C7) 'kept_heads' must be in [0, 64], got -1}}
  a = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4, kept_heads = -1>} { return }

// -----

func.func @score_head_tile() attributes {
  // expected-error @+1 {{(C8) 'head_tile' must be in [0, 64], got 65}}
  a = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4, head_tile = 65>} { return }

// -----

func.func @score_head_tile_ring() attributes {
  // expected-error @+1 {{(C8) 'head_tile' needs producers and no boxes, got 0 producers and boxes = false}}
  a = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 1, producers = 0, consumers = 4, head_tile = 2>} { return }

// -----

func.func @score_head_tile_boxes() attributes {
  // expected-error @+1 {{(C8) 'head_tile' needs producers and no boxes, got 4 producers and boxes = true}}
  a = #gsa.score_schedule<engine = wgmma, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4, boxes = true, head_tile = 2>} { return }

// -----

func.func @score_head_tile_pairs() attributes {
  // expected-error @+1 {{(C8) 'head_tile' must be even with 8 queries a warp, got 3}}
  a = #gsa.score_schedule<engine = wgmma, block_q = 32, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4, head_tile = 3>} { return }

// -----

func.func @topk_sm_warps() attributes {
  // expected-error @+1 {{(C5) 'sm_warps' must be in [1, 64], got 65}}
  a = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 1, sm_warps = 65>} { return }

// -----

func.func @topk_step() attributes {
  // expected-error @+1 {{(C6) 'step' must be a multiple of 32 in [32, 256], got 512}}
  a = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 1, step = 512>} { return }

// -----

func.func @topk_kept_step() attributes {
  // expected-error @+1 {{(C6) 'kept_step' must be a multiple of 32 in [32, 256], got 40}}
  a = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 1, kept_step = 40>} { return }

// -----

func.func @select_flagged_spans() attributes {
  // expected-error @+1 {{(C1) 'flagged_spans' must be in [1, 64], got 0}}
  a = #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>, flagged_spans = 0>} { return }

// -----

func.func @short_rows_vectors() attributes {
  // expected-error @+1 {{(C3) 'vectors' must be in [1, 16], got 17}}
  a = #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, vectors = 17>} { return }

// -----

func.func @short_rows_sm_warps() attributes {
  // expected-error @+1 {{(C4) 'sm_warps' must be in [1, 64], got 0}}
  a = #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, sm_warps = 0>} { return }

// -----

func.func @short_rows_row_sm_warps() attributes {
  // expected-error @+1 {{(C4) 'row_sm_warps' must be in [1, 64], got 65}}
  a = #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, row_sm_warps = 65>} { return }

// -----

func.func @one_pass_sample_blocks() attributes {
  // expected-error @+1 {{(C10) 'sample_blocks' must be in [1, 64], got 0}}
  a = #gsa.one_pass_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, sample = 4, rank = 8, capacity = 64, chunk = 96, sample_blocks = 0>} { return }

// -----

func.func @one_pass_least_span() attributes {
  // expected-error @+1 {{(C10) 'least_span' must be in [1, 64], got 65}}
  a = #gsa.one_pass_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, sample = 4, rank = 8, capacity = 64, chunk = 96, least_span = 65>} { return }

// -----

func.func @one_pass_bound_warps() attributes {
  // expected-error @+1 {{(C11) 'bound_warps' must be in [1, 64], got 65}}
  a = #gsa.one_pass_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>, sample = 4, rank = 8, capacity = 64, chunk = 96, bound_warps = 65>} { return }

// -----

func.func @split_select_thread_candidates() attributes {
  // expected-error @+1 {{(C5) 'thread_candidates' must be in [1, 32], got 33}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, thread_candidates = 33>} { return }

// -----

func.func @split_select_thread_candidates_room() attributes {
  // expected-error @+1 {{(C5) the 8 warps of 'rows' hold up to 2048 candidates, got 4096}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, thread_candidates = 8>} { return }

// -----

func.func @split_select_cluster_sm_blocks() attributes {
  // expected-error @+1 {{(C8) 'cluster_sm_blocks' must be in [1, 16], got 17}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, cluster_sm_blocks = 17>} { return }

// -----

func.func @split_select_candidate_bins() attributes {
  // expected-error @+1 {{(C10) 'candidate_bins' must be a power of two in [256, 8192], got 128}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, candidate_bins = 128>} { return }

// -----

func.func @split_select_sample_blocks() attributes {
  // expected-error @+1 {{(C11) 'sample_blocks' must be in [1, 64], got 0}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, sample_blocks = 0>} { return }

// -----

func.func @split_select_bound_warps() attributes {
  // expected-error @+1 {{(C11) 'bound_warps' must be in [1, 64], got 0}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, bound_warps = 0>} { return }

// -----

func.func @split_select_cluster_warps() attributes {
  // expected-error @+1 {{(C12) 'cluster_warps' must be in [1, 8], got 9}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, cluster_warps = 9>} { return }

// -----

func.func @split_select_cluster_keys() attributes {
  // expected-error @+1 {{(C12) 'cluster_keys' must be a multiple of 256 in [256, 512], got 128}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, cluster_keys = 128>} { return }

// -----

func.func @split_attention_merge_warps() attributes {
  // expected-error @+1 {{(C4) 'merge_warps' must be in [1, 32], got 33}}
  a = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, merge_warps = 33>} { return }
