// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What #gsa.training_schedule may say.

func.func @training_block_k() attributes {
  // expected-error @+1 {{(C1) 'block_k' must be a multiple of 32 for each of 4 consumers in [32, 256], got 64}}
  a = #gsa.training_schedule<block_k = 64, stages = 2, producers = 4, consumers = 4, row_warps = 8, chunk = 16>} { return }

// -----

func.func @training_stages() attributes {
  // expected-error @+1 {{(C2) 'stages' must be in [1, 8], got 9}}
  a = #gsa.training_schedule<block_k = 128, stages = 9, producers = 4, consumers = 4, row_warps = 8, chunk = 16>} { return }

// -----

func.func @training_ring() attributes {
  // expected-error @+1 {{(C2) without producers there is one stage, got 2}}
  a = #gsa.training_schedule<block_k = 128, stages = 2, producers = 0, consumers = 4, row_warps = 8, chunk = 16>} { return }

// -----

func.func @training_warps() attributes {
  // expected-error @+1 {{(C3) expected at least one consumer and at most 32 warps, got 4 producers and 0 consumers}}
  a = #gsa.training_schedule<block_k = 128, stages = 2, producers = 4, consumers = 0, row_warps = 8, chunk = 16>} { return }

// -----

func.func @training_row_warps() attributes {
  // expected-error @+1 {{(C4) 'row_warps' must be in [1, 32], got 33}}
  a = #gsa.training_schedule<block_k = 128, stages = 2, producers = 4, consumers = 4, row_warps = 33, chunk = 16>} { return }

// -----

func.func @training_chunk() attributes {
  // expected-error @+1 {{(C5) 'chunk' must be at least 1, got 0}}
  a = #gsa.training_schedule<block_k = 128, stages = 2, producers = 4, consumers = 4, row_warps = 8, chunk = 0>} { return }
