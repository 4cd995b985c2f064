// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What #gsa.union_grad_schedule and #gsa.gather_grad_schedule may say.

func.func @grad_engine() attributes {
  // expected-error @+1 {{(C1) 'engine' must be wgmma, got mma_sync}}
  a = #gsa.union_grad_schedule<engine = mma_sync, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_queries() attributes {
  // expected-error @+1 {{(C1) 'queries' must be in [2, 32], got 33}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 33, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 33, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_table() attributes {
  // expected-error @+1 {{(C1) 'table' must be a multiple of 1024 in [1024, 32768], got 1536}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1536, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_keys() attributes {
  // expected-error @+1 {{(C2) 'key_stages' must be in [1, 8], got 0}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 0, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_values() attributes {
  // expected-error @+1 {{(C2) 'value_stages' must be in [1, 8], got 9}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 9, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_producers() attributes {
  // expected-error @+1 {{(C3) 'producers' must be 4, 8 or 12, got 6}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 6, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_chunk() attributes {
  // expected-error @+1 {{(C3) 'chunk' must be a positive multiple of the 16 queries of a block, got 24}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 24, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_groups() attributes {
  // expected-error @+1 {{(C4) 'groups' must be 1 or 2, got 3}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 18, groups = 3, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1026, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_groups_odd() attributes {
  // expected-error @+1 {{(C4) 'groups' must divide the 15 queries of a block, got 2}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 15, groups = 2, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1050, per_query = <engine = mma_sync, block_k = 16, columns = 64>>} { return }

// -----

func.func @grad_list_warps() attributes {
  // expected-error @+1 {{(C5) 'list_warps' must be a power of two in [1, 32], got 12}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, list_warps = 12>} { return }

// -----

func.func @grad_list_entries() attributes {
  // expected-error @+1 {{(C6) 'list_entries' must be a multiple of 32 in [32, 1024], got 100}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, list_entries = 100>} { return }

// -----

func.func @grad_list_words() attributes {
  // expected-error @+1 {{(C6) 'list_words' must be a multiple of 32 in [32, 1024], got 1056}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, list_words = 1056>} { return }

// -----

func.func @grad_list_blocks() attributes {
  // expected-error @+1 {{(C7) 'list_sm_blocks' must be in [1, 16], got 0}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, list_sm_blocks = 0>} { return }

// -----

func.func @grad_again_blocks() attributes {
  // expected-error @+1 {{(C7) 'again_sm_blocks' must be in [1, 16], got 17}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, again_sm_blocks = 17>} { return }

// -----

func.func @grad_key_chunks() attributes {
  // expected-error @+1 {{(C8) 'key_chunks' must be in [1, 64], got 0}}
  a = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 16384, chunk = 1024, per_query = <engine = mma_sync, block_k = 16, columns = 64>, key_chunks = 0>} { return }

// -----

func.func @grad_gather_engine() attributes {
  // expected-error @+1 {{(C1) 'engine' must be fma or mma_sync, got wgmma}}
  a = #gsa.gather_grad_schedule<engine = wgmma, block_k = 16, columns = 64>} { return }

// -----

func.func @grad_gather_block_k() attributes {
  // expected-error @+1 {{(C1) 'block_k' must be a power of two in [16, 64], got 48}}
  a = #gsa.gather_grad_schedule<engine = mma_sync, block_k = 48, columns = 64>} { return }

// -----

func.func @grad_gather_columns() attributes {
  // expected-error @+1 {{(C2) 'columns' must be a power of two in [16, 64], got 128}}
  a = #gsa.gather_grad_schedule<engine = mma_sync, block_k = 16, columns = 128>} { return }
