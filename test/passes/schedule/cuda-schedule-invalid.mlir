// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @head_size(%q: tensor<1x3x2x320xbf16>, %k: tensor<1x5x2x320xbf16>)
    -> tensor<1x3x2x320xbf16> {
  // expected-error @+1 {{has no legal schedule on sm_90a: head size 320 > 256}}
  %out, %lse = gsa.dense_attention %q, %k, %k
    : (tensor<1x3x2x320xbf16>, tensor<1x5x2x320xbf16>, tensor<1x5x2x320xbf16>)
    -> (tensor<1x3x2x320xbf16>, tensor<1x2x3xf32>)
  return %out : tensor<1x3x2x320xbf16>
}

// -----

func.func @f64(%q: tensor<1x3x2x8xf64>, %k: tensor<1x5x8xf64>)
    -> tensor<1x3x5xf64> {
  // expected-error @+1 {{has no legal schedule on sm_90a: no kernel for elements of f64}}
  %0 = gsa.index_scores %q, %k
    : (tensor<1x3x2x8xf64>, tensor<1x5x8xf64>) -> tensor<1x3x5xf64>
  return %0 : tensor<1x3x5xf64>
}

// -----

func.func @given(%q: tensor<1x3x2x128xf32>, %k: tensor<1x500x2x128xf32>)
    -> tensor<1x3x2x128xf32> {
  // expected-error @+1 {{has an illegal schedule: shared memory 1081408 > 232448 bytes on sm_90a}}
  %out, %lse = gsa.dense_attention %q, %k, %k {gsa.schedule =
      #gsa.attention_schedule<engine = fma, block_q = 64, block_k = 256,
                              stages = 4, producers = 4, consumers = 4>}
    : (tensor<1x3x2x128xf32>, tensor<1x500x2x128xf32>, tensor<1x500x2x128xf32>)
    -> (tensor<1x3x2x128xf32>, tensor<1x2x3xf32>)
  return %out : tensor<1x3x2x128xf32>
}

// -----

func.func @kind(%q: tensor<1x3x2x8xf32>, %k: tensor<1x5x8xf32>)
    -> tensor<1x3x5xf32> {
  // expected-error @+1 {{expected a #gsa.score_schedule as 'gsa.schedule', got}}
  %0 = gsa.index_scores %q, %k {gsa.schedule =
      #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x3x2x8xf32>, tensor<1x5x8xf32>) -> tensor<1x3x5xf32>
  return %0 : tensor<1x3x5xf32>
}

// -----

func.func @dynamic(%q: tensor<1x?x2x8xf32>, %k: tensor<1x5x8xf32>)
    -> tensor<1x?x5xf32> {
  // expected-error @+1 {{cannot be scheduled: expected static shapes, got 'tensor<1x?x2x8xf32>'}}
  %0 = gsa.index_scores %q, %k
    : (tensor<1x?x2x8xf32>, tensor<1x5x8xf32>) -> tensor<1x?x5xf32>
  return %0 : tensor<1x?x5xf32>
}

// -----

func.func @one_pass_entropy(%q: tensor<1x64x2x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: one pass has no kernel for budgets that depend on entropy; use #gsa.select_schedule}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<entropy, base = 8, max = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

func.func @one_pass_slots(%q: tensor<1x64x2x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x65xi32> {
  // expected-error @+1 {{has an illegal schedule: slots 65 > 64, the candidates of a row}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 65>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x65xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x65xi32>
}

// -----

func.func @one_pass_f32(%q: tensor<1x64x2x64xf32>, %k: tensor<1x64x64xf32>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: one pass has kernels for elements of f16 and bf16, got f32; use #gsa.select_schedule}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = fma, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x64xf32>, tensor<1x64x64xf32>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

func.func @one_pass_exact_engine(%q: tensor<1x64x2x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: exact: engine fma has no kernel for elements of bf16; expected mma_sync or wgmma}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = fma, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

// Of two parts of one kind a reason names the one that it is about.
func.func @one_pass_scores_refused(%q: tensor<1x64x2x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: scores: engine wgmma needs a multiple of 4 producers}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 6, consumers = 4>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

func.func @one_pass_depth(%q: tensor<1x64x2x264xbf16>, %k: tensor<1x64x264xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: indexer depth 264 > 256}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x264xbf16>, tensor<1x64x264xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

func.func @part(%q: tensor<1x64x2x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{bytes on sm_90a, in #gsa.score_schedule<engine = mma_sync, block_q = 128, block_k = 256,}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.select_schedule<
      scores = <engine = mma_sync, block_q = 128, block_k = 256, span = 1,
                stages = 8, producers = 4, consumers = 8>,
      topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>}
    : (tensor<1x64x2x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

func.func @one_pass_lengths(%q: tensor<1x64x2x64xbf16>, %k: tensor<1x64x64xbf16>,
    %n: tensor<1xi32>) -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: #gsa.one_pass_schedule has no kernel for a number of keys that the device alone knows; use #gsa.select_schedule}}
  %0:3 = gsa.select %q, %k lengths %n policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 64, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x2x64xbf16>, tensor<1x64x64xbf16>, tensor<1xi32>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

// A box is a panel of 64 columns.
func.func @boxes_of_columns(%q: tensor<1x64x4x32xbf16>, %k: tensor<1x64x32xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: scores: boxes need a multiple of 64 columns of keys, not 32}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 32, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4, boxes = true>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x4x32xbf16>, tensor<1x64x32xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}

// -----

// Behind the keys of a batch a box has those of the next one.
func.func @boxes_of_batches(%q: tensor<2x64x4x64xbf16>, %k: tensor<2x70x64xbf16>)
    -> tensor<2x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: scores: boxes of the keys of several batches need whole tiles of 64, not 70 keys}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 32, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4, boxes = true>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<2x64x4x64xbf16>, tensor<2x70x64xbf16>)
    -> (tensor<2x64x16xi32>, tensor<2x64xi32>, tensor<2x64xi32>)
  return %0#0 : tensor<2x64x16xi32>
}

// -----

// A step of the stream has as many heads as the others.
func.func @head_tile(%q: tensor<1x64x6x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x64xf32> {
  // expected-error @+1 {{has an illegal schedule: head_tile must divide the 6 indexer heads, got 4}}
  %0 = gsa.index_scores %q, %k
    {gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 32,
      block_k = 32, span = 1, stages = 2, producers = 4, consumers = 2,
      head_tile = 4>}
    : (tensor<1x64x6x64xbf16>, tensor<1x64x64xbf16>) -> tensor<1x64x64xf32>
  return %0 : tensor<1x64x64xf32>
}

// -----

// A fragment has the products of two heads for 8 queries.
func.func @odd_heads(%q: tensor<1x64x3x64xbf16>, %k: tensor<1x64x64xbf16>)
    -> tensor<1x64x16xi32> {
  // expected-error @+1 {{has an illegal schedule: scores: 8 queries a warp need an even number of indexer heads, not 3}}
  %0:3 = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16>
    {gsa.schedule = #gsa.one_pass_schedule<
      scores = <engine = wgmma, block_q = 32, block_k = 64, span = 1,
                stages = 2, producers = 4, consumers = 4>,
      exact = <scores = <engine = mma_sync, block_q = 64, block_k = 32,
                         span = 1, stages = 2, producers = 4, consumers = 4>,
               topk = <warps = 2, bins = 256, capacity = 64, chunk = 8>>,
      sample = 4, rank = 8, capacity = 64, chunk = 96>}
    : (tensor<1x64x3x64xbf16>, tensor<1x64x64xbf16>)
    -> (tensor<1x64x16xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x16xi32>
}
