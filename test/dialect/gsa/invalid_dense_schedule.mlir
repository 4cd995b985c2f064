// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What #gsa.dense_schedule may say.

func.func @dense_engine() attributes {
  // expected-error @+1 {{(C1) 'engine' must be wgmma, got mma_sync}}
  a = #gsa.dense_schedule<engine = mma_sync, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @dense_block_q() attributes {
  // expected-error @+1 {{(C1) 'block_q' must be 64, 128, 192 or 256, got 96}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 96, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @dense_block_k() attributes {
  // expected-error @+1 {{(C1) 'block_k' must be a multiple of 16 in [16, 256], got 72}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 72, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @dense_keys() attributes {
  // expected-error @+1 {{(C2) 'key_stages' must be in [1, 8], got 0}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 0, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @dense_values() attributes {
  // expected-error @+1 {{(C2) 'value_stages' must be in [1, 8], got 9}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 9, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @dense_order() attributes {
  // expected-error @+1 {{(C3) ping_pong needs a 'block_q' of 128 or more, got 64}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 64, block_k = 64, key_stages = 2, value_stages = 2, order = ping_pong, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @dense_masked() attributes {
  // expected-error @+1 {{(C4) 'masked' needs a 'block_k' that is a multiple of 32, got 80}}
  a = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 80, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>, masked = true>} { return }
