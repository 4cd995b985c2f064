// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What #gsa.split_select_schedule and #gsa.split_attention_schedule may say.

func.func @split_engine() attributes {
  // expected-error @+1 {{(C1) 'engine' must be fma or mma_sync, got wgmma}}
  a = #gsa.split_select_schedule<engine = wgmma, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_block_k() attributes {
  // expected-error @+1 {{(C1) 'block_k' must be a multiple of 128, 32 keys for each of 4 consumers, in [32, 512], got 64}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_ring() attributes {
  // expected-error @+1 {{(C2) without producers there is one stage, got 4}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 0, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_span() attributes {
  // expected-error @+1 {{(C3) 'span' must be at least 1, got 0}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 0, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_rank() attributes {
  // expected-error @+1 {{(C4) 'rank' must be at least 1, or 0 with 'sample' and 'capacity', got 0}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 0, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_sample() attributes {
  // expected-error @+1 {{(C4) 'sample' must be in [2, 1024], got 1}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 1, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_capacity() attributes {
  // expected-error @+1 {{(C4) 'capacity' must be in [32, 16384], got 16}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 16, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_list() attributes {
  // expected-error @+1 {{(C4) 'capacity' must be at least rank * sample, got 1024 for 100 * 16}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 1024, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_rows() attributes {
  // expected-error @+1 {{(C5) the 8 warps of 'rows' hold up to 4096 candidates, got 8192}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 8192, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>>} { return }

// -----

func.func @split_cluster() attributes {
  // expected-error @+1 {{(C6) 'cluster' must be 0, or 2, 4 or 8 with lists or 'row_cells', got 16}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, cluster = 16>} { return }

// -----

func.func @split_staged() attributes {
  // expected-error @+1 {{(C7) 'staged' must be an even number from 2 to 256, got 7}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, staged = 7>} { return }

// -----

func.func @split_sm_blocks() attributes {
  // expected-error @+1 {{(C8) 'sm_blocks' must be in [1, 16], got 0}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, sm_blocks = 0>} { return }

// -----

func.func @split_entries() attributes {
  // expected-error @+1 {{(C1) 'entries' must be a positive multiple of the 64 keys of a tile, got 100}}
  a = #gsa.split_attention_schedule<entries = 100, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>} { return }

// -----

func.func @split_per_block() attributes {
  // expected-error @+1 {{(C2) 'per_block' must be in [1, 64], got 65}}
  a = #gsa.split_attention_schedule<entries = 128, per_block = 65, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>} { return }

// -----

func.func @split_deferred_lists() attributes {
  // expected-error @+1 {{(C9) 'deferred' needs lists, whose bounds it waits for: expected a rank above 0, got 0}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 0, rank = 0, capacity = 0, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, deferred = true>} { return }

// -----

func.func @split_deferred_span() attributes {
  // expected-error @+1 {{(C9) 'deferred' must have a span of at most 128 tiles of 128 keys, got 129}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 129, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, deferred = true>} { return }

// -----

func.func @split_attention_cluster() attributes {
  // expected-error @+1 {{(C3) 'cluster' must be 0, 2, 4, 8 or 16, got 3}}
  a = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, cluster = 3>} { return }

// -----

func.func @split_cluster_rows() attributes {
  // expected-error @+1 {{(C6) 'cluster' must be 0, or 2, 4 or 8 with lists or 'row_cells', got 8}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 0, rank = 0, capacity = 0, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, cluster = 8>} { return }

// -----

func.func @split_row_cells() attributes {
  // expected-error @+1 {{(C13) 'row_cells' must be in [0, 16], got 17}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 0, rank = 0, capacity = 0, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, row_cells = 17>} { return }

// -----

func.func @split_row_cells_lists() attributes {
  // expected-error @+1 {{(C13) 'row_cells' must be 0 with lists, which are read in place of rows, got 4}}
  a = #gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 100, capacity = 4096, rows = <warps = 8, bins = 256, capacity = 64, chunk = 1>, row_cells = 4>} { return }
