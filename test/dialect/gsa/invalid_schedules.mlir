// What holds of a schedule for every op and device, and for an op on every device.
// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{(C1) 'block_q' must be 16, 32, 64 or 128, got 48}}
func.func private @c1_of_attention_schedule() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 48, block_k = 64, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C1) 'block_k' must be a multiple of 16 in [16, 256], got 40}}
func.func private @c1_of_attention_schedule_keys() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 40, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C2) 'stages' must be in [1, 8], got 9}}
func.func private @c2_of_attention_schedule() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 9, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C2) without producers there is one stage, got 2}}
func.func private @c2_of_attention_schedule_ring() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 0, consumers = 4>}

// -----

// expected-error @+1 {{(C3) expected at least one consumer and at most 32 warps, got 4 producers and 32 consumers}}
func.func private @c3_of_attention_schedule() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 32>}

// -----

// expected-error @+1 {{(C3) 'consumers' must be a multiple of block_q / 16 = 4, got 6}}
func.func private @c3_of_attention_schedule_rows() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 64, block_k = 64, stages = 2, producers = 4, consumers = 6>}

// -----

// expected-error @+1 {{(C3) 'block_k' must be divisible by 16 times the 4 parts of keys, got 32}}
func.func private @c3_of_attention_schedule_split() attributes {s = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C1) 'block_q' must be 16 times the 4 consumers, got 32}}
func.func private @c1_of_score_schedule() attributes {s = #gsa.score_schedule<engine = mma_sync, block_q = 32, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C1) 'block_k' must be a multiple of 16 in [16, 256], got 72}}
func.func private @c1_of_score_schedule_keys() attributes {s = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 72, span = 2, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C1) 'block_k' must be a multiple of 8 in [8, 256], got 76}}
func.func private @c1_of_score_schedule_wgmma() attributes {s = #gsa.score_schedule<engine = wgmma, block_q = 64, block_k = 76, span = 2, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C2) 'stages' must be in [1, 8], got 0}}
func.func private @c2_of_score_schedule() attributes {s = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 0, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C3) 'span' must be at least 1, got 0}}
func.func private @c3_of_score_schedule() attributes {s = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 0, stages = 2, producers = 4, consumers = 4>}

// -----

// expected-error @+1 {{(C4) wgmma needs a multiple of 4 consumers, got 2}}
func.func private @c4_of_score_schedule() attributes {s = #gsa.score_schedule<engine = wgmma, block_q = 32, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 2>}

// -----

// expected-error @+1 {{(C1) 'warps' must be in [1, 32], got 33}}
func.func private @c1_of_topk_schedule() attributes {s = #gsa.topk_schedule<warps = 33, bins = 256, capacity = 64, chunk = 1>}

// -----

// expected-error @+1 {{(C2) 'bins' must be a power of two in [256, 8192], got 300}}
func.func private @c2_of_topk_schedule() attributes {s = #gsa.topk_schedule<warps = 8, bins = 300, capacity = 64, chunk = 1>}

// -----

// expected-error @+1 {{(C3) 'capacity' must be in [32, 16384], got 16385}}
func.func private @c3_of_topk_schedule() attributes {s = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 16385, chunk = 1>}

// -----

// expected-error @+1 {{(C4) 'chunk' must be at least 1, got 0}}
func.func private @c4_of_topk_schedule() attributes {s = #gsa.topk_schedule<warps = 8, bins = 256, capacity = 64, chunk = 0>}

// -----

// The kind is one that the op admits, but no engine of it multiplies f32.
func.func @misfit(%q: tensor<1x5x2x4xf32>, %k: tensor<1x5x4xf32>) {
  // expected-error @+1 {{'gsa.index_scores' op has an illegal schedule: engine mma_sync has no kernel for elements of f32; expected fma}}
  %0 = gsa.index_scores %q, %k {gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 4>}
      : (tensor<1x5x2x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x5xf32>
  return
}

// -----

func.func @misfit_of_attention(%q: tensor<1x5x2x16xbf16>, %k: tensor<1x5x2x16xbf16>) {
  // expected-error @+1 {{'gsa.dense_attention' op has an illegal schedule: engine fma has no kernel for elements of bf16; expected mma_sync}}
  %0, %1 = gsa.dense_attention %q, %k, %k {gsa.schedule = #gsa.attention_schedule<engine = fma, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>}
      : (tensor<1x5x2x16xbf16>, tensor<1x5x2x16xbf16>, tensor<1x5x2x16xbf16>)
     -> (tensor<1x5x2x16xbf16>, tensor<1x2x5xf32>)
  return
}

// -----

func.func @misfit_of_a_part(%q: tensor<1x5x2x4xf64>, %k: tensor<1x5x4xf64>) {
  // expected-error @+1 {{'gsa.select' op has an illegal schedule: no kernel for elements of f64}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 4> {gsa.schedule =
      #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 4>,
                           topk = <warps = 8, bins = 256, capacity = 64, chunk = 1>>}
      : (tensor<1x5x2x4xf64>, tensor<1x5x4xf64>)
     -> (tensor<1x5x4xi32>, tensor<1x5xi32>, tensor<1x5xi32>)
  return
}
