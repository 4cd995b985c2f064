// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What #gsa.union_schedule may say.

func.func @union_engine() attributes {
  // expected-error @+1 {{(C1) 'engine' must be wgmma, got mma_sync}}
  a = #gsa.union_schedule<engine = mma_sync, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_queries() attributes {
  // expected-error @+1 {{(C1) 'queries' must be in [2, 32], got 33}}
  a = #gsa.union_schedule<engine = wgmma, queries = 33, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 33, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_block_k() attributes {
  // expected-error @+1 {{(C1) 'block_k' must be a multiple of 32 in [32, 256], got 48}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 48, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_table() attributes {
  // expected-error @+1 {{(C1) 'table' must be a multiple of 1024 in [1024, 32768], got 1536}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 1536, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_keys() attributes {
  // expected-error @+1 {{(C2) 'key_stages' must be in [1, 8], got 0}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 0, value_stages = 3, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_values() attributes {
  // expected-error @+1 {{(C2) 'value_stages' must be in [1, 8], got 9}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 9, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_producers() attributes {
  // expected-error @+1 {{(C3) 'producers' must be 4, 8 or 12, got 6}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 6, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_chunk() attributes {
  // expected-error @+1 {{(C3) 'chunk' must be a positive multiple of the 16 queries of a block, got 24}}
  a = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 24, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }

// -----

func.func @union_groups() attributes {
  // expected-error @+1 {{(C4) 'groups' must be 1 or 2, got 3}}
  a = #gsa.union_schedule<engine = wgmma, queries = 18, groups = 3, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1026, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }


// -----

func.func @union_groups_odd() attributes {
  // expected-error @+1 {{(C4) 'groups' must divide the 15 queries of a block, got 2}}
  a = #gsa.union_schedule<engine = wgmma, queries = 15, groups = 2, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = 1050, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>} { return }
