// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a
// RUN: not gsa-opt %s --split-input-file --gsa-cuda-schedule=arch=sm_80 2>&1 | FileCheck %s --check-prefix=AMPERE

// What makes a schedule illegal and is in no other file: one case for a reason.

func.func @masked_keys(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x70000x2x64xbf16>, %i: tensor<1x40x40xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xbf16> {
  // expected-error @below {{has an illegal schedule: keys of masked tiles 70000 > 65536}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.lists = #gsa.lists<mask = causal, least = 40>, gsa.schedule = #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>, masked = true>}
    : (tensor<1x40x8x64xbf16>, tensor<1x70000x2x64xbf16>, tensor<1x70000x2x64xbf16>, tensor<1x40x40xi32>, tensor<1x40xi32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @slots_of_a_list(%q: tensor<1x1x8x64xbf16>, %k: tensor<1x90x2x64xbf16>, %i: tensor<1x1x2147483647xi32>, %c: tensor<1x1xi32>) -> tensor<1x1x8x64xbf16> {
  // expected-error @below {{has no legal schedule on sm_90a: slots of a list of keys 2147483647 > 2147459071}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x1x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x1x2147483647xi32>, tensor<1x1xi32>)
    -> (tensor<1x1x8x64xbf16>, tensor<1x8x1xf32>)
  return %out : tensor<1x1x8x64xbf16>
}

// -----

func.func @registers(%q: tensor<1x40x8x128xbf16>, %k: tensor<1x90x2x128xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x128xbf16> {
  // expected-error @below {{has an illegal schedule: registers of a block}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 128, block_k = 64, stages = 1, producers = 0, consumers = 32>}
    : (tensor<1x40x8x128xbf16>, tensor<1x90x2x128xbf16>, tensor<1x90x2x128xbf16>, tensor<1x40x9xi32>, tensor<1x40xi32>)
    -> (tensor<1x40x8x128xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x128xbf16>
}

// -----

func.func @no_keys(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x0x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xbf16> {
  // expected-error @below {{has an illegal schedule: there are no keys to share}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 2, value_stages = 2, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x0x2x64xbf16>, tensor<1x0x2x64xbf16>, tensor<1x40x9xi32>, tensor<1x40xi32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @all_parts(%q: tensor<2000x1x8x64xbf16>, %k: tensor<2000x4096x2x64xbf16>, %i: tensor<2000x1x2048xi32>, %c: tensor<2000x1xi32>) -> tensor<2000x1x8x64xbf16> {
  // expected-error @below {{has an illegal schedule: parts of all sequences 128000 > 65535}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule = #gsa.split_attention_schedule<entries = 32, per_block = 1, part = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<2000x1x8x64xbf16>, tensor<2000x4096x2x64xbf16>, tensor<2000x4096x2x64xbf16>, tensor<2000x1x2048xi32>, tensor<2000x1xi32>)
    -> (tensor<2000x1x8x64xbf16>, tensor<2000x8x1xf32>)
  return %out : tensor<2000x1x8x64xbf16>
}

// -----

func.func @parts_of_a_block(%q: tensor<1x1x8x64xbf16>, %k: tensor<1x65536x2x64xbf16>, %i: tensor<1x1x16384xi32>, %c: tensor<1x1xi32>) -> tensor<1x1x8x64xbf16> {
  // expected-error @below {{has an illegal schedule: entries of a block's parts 16384 > 8192}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule = #gsa.split_attention_schedule<entries = 4096, per_block = 4, part = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x1x8x64xbf16>, tensor<1x65536x2x64xbf16>, tensor<1x65536x2x64xbf16>, tensor<1x1x16384xi32>, tensor<1x1xi32>)
    -> (tensor<1x1x8x64xbf16>, tensor<1x8x1xf32>)
  return %out : tensor<1x1x8x64xbf16>
}

// -----

func.func @spans(%q: tensor<1x64x4x64xbf16>, %k: tensor<1x1050000x64xbf16>) -> tensor<1x64x16xi32> {
  // expected-error @below {{has an illegal schedule: spans of keys 65625 > 65535}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 16, span = 1, stages = 2, producers = 4, consumers = 4>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x64x4x64xbf16>, tensor<1x1050000x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %i : tensor<1x64x16xi32>
}

// -----

func.func @chunk(%q: tensor<1x64x4x64xbf16>, %k: tensor<1x1050000x64xbf16>) -> tensor<1x64x16xi32> {
  // expected-error @below {{has an illegal schedule: scores of a chunk 4200000000 > 536870912 bytes}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 100, stages = 2, producers = 4, consumers = 4>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 1000>>}
    : (tensor<1x64x4x64xbf16>, tensor<1x1050000x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %i : tensor<1x64x16xi32>
}

// -----

func.func @pages_and_boxes(%q: tensor<1x64x4x64xbf16>, %pool: tensor<9x16x64xbf16>, %table: tensor<1x4xi32>) -> tensor<1x64x16xi32> {
  %k = gsa.paged_rows %pool, %table : (tensor<9x16x64xbf16>, tensor<1x4xi32>) -> tensor<1x64x64xbf16>
  // expected-error @below {{has an illegal schedule: boxes have no kernel for keys in pages}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.select_schedule<scores = <engine = wgmma, block_q = 32, block_k = 64, span = 1, stages = 2, producers = 4, consumers = 4, boxes = true>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x64x4x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %i : tensor<1x64x16xi32>
}

// -----

func.func @pool(%q: tensor<1x64x4x64xbf16>, %pool: tensor<33554432x64x64xbf16>, %table: tensor<1x4xi32>) -> tensor<1x64x16xi32> {
  %k = gsa.paged_rows %pool, %table : (tensor<33554432x64x64xbf16>, tensor<1x4xi32>) -> tensor<1x256x64xbf16>
  // expected-error @below {{rows of a pool 2147483648 > 2147483647}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 4>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x64x4x64xbf16>, tensor<1x256x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %i : tensor<1x64x16xi32>
}

// -----

func.func @elements(%q: tensor<1x8x4x64xbf16>, %k: tensor<1x40000000x64xbf16>) -> tensor<1x8x16xi32> {
  // expected-error @below {{has an illegal schedule: elements of keys 2560000000 > 2147483647}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.short_rows_schedule<rows = 16, cells = 0, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 100, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 1>>>}
    : (tensor<1x8x4x64xbf16>, tensor<1x40000000x64xbf16>)
    -> (tensor<1x8x16xi32>, tensor<1x8xi32>, tensor<1x8xi32>)
  return %i : tensor<1x8x16xi32>
}

// -----

func.func @statistic(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x64x64xbf16>) -> tensor<1x4x16xi32> {
  // expected-error @below {{has an illegal schedule: lists of candidates have no kernel for budgets that follow a statistic of all scores; use rank = 0}}
  %i, %c, %s = gsa.select %q, %k policy #gsa.k_policy<entropy, base = 8, max = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x4x4x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @held_statistic(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x64x64xbf16>) -> tensor<1x4x16xi32> {
  // expected-error @below {{has an illegal schedule: rows that are read once have no kernel for budgets that follow a statistic of all scores; use row_cells = 0}}
  %i, %c, %s = gsa.select %q, %k policy #gsa.k_policy<entropy, base = 8, max = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 0, rank = 0, capacity = 0, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, row_cells = 1>}
    : (tensor<1x4x4x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @held_keys(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x65x64xbf16>) -> tensor<1x4x16xi32> {
  // expected-error @below {{has an illegal schedule: keys 65 > 64, the scores that the block of a row holds; use row_cells = 0}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 0, rank = 0, capacity = 0, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, row_cells = 1>}
    : (tensor<1x4x4x64xbf16>, tensor<1x65x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @heads(%q: tensor<1x4x17x64xbf16>, %k: tensor<1x64x64xbf16>) -> tensor<1x4x16xi32> {
  // expected-error @below {{has an illegal schedule: indexer heads 17 > 16, the rows of a product; use #gsa.select_schedule}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x4x17x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @all_scores(%q: tensor<64x8x4x64xbf16>, %k: tensor<64x1048576x64xbf16>) -> tensor<64x8x16xi32> {
  // expected-error @below {{has an illegal schedule: scores of all rows 2147483648 > 536870912 bytes}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<64x8x4x64xbf16>, tensor<64x1048576x64xbf16>)
    -> (tensor<64x8x16xi32>, tensor<64x8xi32>, tensor<64x8xi32>)
  return %i : tensor<64x8x16xi32>
}

// -----

func.func @slots(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x128x64xbf16>) -> tensor<1x4x65xi32> {
  // expected-error @below {{has an illegal schedule: slots 65 > 64, the candidates of a row}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 65> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x4x4x64xbf16>, tensor<1x128x64xbf16>)
    -> (tensor<1x4x65xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x65xi32>
}

// -----

func.func @cluster_queries(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x64x64xbf16>) -> tensor<1x4x16xi32> {
  // expected-error @below {{has an illegal schedule: queries 4 > 2, the blocks of a cluster, each of which has a row}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = 2>}
    : (tensor<1x4x4x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @cluster_sample(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x65536x64xbf16>) -> tensor<1x4x16xi32> {
  // expected-error @below {{has an illegal schedule: sampled keys 16384 > 4096, those that a block holds; use a larger sample step}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = 8>}
    : (tensor<1x4x4x64xbf16>, tensor<1x65536x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @cluster(%q: tensor<1x4x4x64xbf16>, %k: tensor<1x64x64xbf16>) -> tensor<1x4x16xi32> {
  // AMPERE: has an illegal schedule: clusters need sm_90a or later, not sm_80; use cluster = 0
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 16> {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 32, span = 1, stages = 2, producers = 4, consumers = 1, sample = 4, rank = 8, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = 8>}
    : (tensor<1x4x4x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x4x16xi32>, tensor<1x4xi32>, tensor<1x4xi32>)
  return %i : tensor<1x4x16xi32>
}

// -----

func.func @cluster_parts(%q: tensor<1x1x8x64xbf16>, %k: tensor<1x900x2x64xbf16>,
    %i: tensor<1x1x600xi32>, %c: tensor<1x1xi32>) -> tensor<1x1x8x64xbf16> {
  // AMPERE: has an illegal schedule: clusters need sm_90a or later, not sm_80; use cluster = 0
  // expected-error @below {{has an illegal schedule: blocks of a list: got 5, expected the 8 of a cluster; use another per_block, or cluster = 0}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    {gsa.schedule = #gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, cluster = 8>}
    : (tensor<1x1x8x64xbf16>, tensor<1x900x2x64xbf16>, tensor<1x900x2x64xbf16>,
       tensor<1x1x600xi32>, tensor<1x1xi32>)
    -> (tensor<1x1x8x64xbf16>, tensor<1x8x1xf32>)
  return %out : tensor<1x1x8x64xbf16>
}
