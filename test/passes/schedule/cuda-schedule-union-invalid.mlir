// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @union_f32(%q: tensor<1x40x8x64xf32>, %k: tensor<1x90x2x64xf32>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xf32> {
  // expected-error @+1 {{has an illegal schedule: engine wgmma multiplies f16 and bf16, got f32; use #gsa.attention_schedule}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = fma, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x64xf32>, tensor<1x90x2x64xf32>, tensor<1x90x2x64xf32>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x64xf32>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xf32>
}

// -----

func.func @union_rows(%q: tensor<1x40x12x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x12x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: 16 queries x 6 heads of a group = 96 rows, at most 64; legal: up to 10 queries}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x12x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x12x64xbf16>, tensor<1x12x40xf32>)
  return %out : tensor<1x40x12x64xbf16>
}

// -----

func.func @union_kind(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{expected a #gsa.attention_schedule or #gsa.union_schedule or}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @union_no_queries(%q: tensor<1x40x80x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x80x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: 2 queries x 40 heads of a group = 80 rows, at most 64; legal: #gsa.attention_schedule}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 2, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 4, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x80x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x80x64xbf16>, tensor<1x80x40xf32>)
  return %out : tensor<1x40x80x64xbf16>
}

// -----

// What no schedule takes is said of no part.
func.func @union_head_size(%q: tensor<1x40x8x264xbf16>, %k: tensor<1x90x2x264xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x264xbf16> {
  // expected-error @+1 {{has an illegal schedule: head size 264 > 256}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x264xbf16>, tensor<1x90x2x264xbf16>, tensor<1x90x2x264xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x264xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x264xbf16>
}

// -----

func.func @union_per_query_engine(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: per_query: engine fma has no kernel for elements of bf16; expected mma_sync}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = fma, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @union_per_query_refused(%q: tensor<1x40x65536x64xbf16>, %k: tensor<1x90x32768x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x65536x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: heads 65536 > 65535}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x65536x64xbf16>, tensor<1x90x32768x64xbf16>, tensor<1x90x32768x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x65536x64xbf16>, tensor<1x65536x40xf32>)
  return %out : tensor<1x40x65536x64xbf16>
}

// -----

func.func @union_lengths(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>, %n: tensor<1xi32>)
    -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: #gsa.union_schedule has no kernel for a number of keys that the device alone knows; use #gsa.attention_schedule}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c lengths %n
      {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1xi32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @split_rows(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: 2 groups of 8 queries x 4 heads have 32 rows each, expected 64; legal: queries = 32, or groups = 1}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 16, groups = 2, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 32, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @split_heads(%q: tensor<1x40x12x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x12x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: 2 groups of 10 queries x 6 heads have 60 rows each, expected 64; legal: groups = 1}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 20, groups = 2, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 40, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x12x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x12x64xbf16>, tensor<1x12x40xf32>)
  return %out : tensor<1x40x12x64xbf16>
}

// -----

func.func @split_one_head(%q: tensor<1x40x2x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x2x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: 2 groups of 16 queries x 1 heads have 16 rows each, expected 64; legal: groups = 1}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 32, groups = 2, block_k = 64,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 64, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x2x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x2x64xbf16>, tensor<1x2x40xf32>)
  return %out : tensor<1x40x2x64xbf16>
}

// -----

func.func @split_order(%q: tensor<1x64x8x64xbf16>, %k: tensor<1x2097152x2x64xbf16>,
    %i: tensor<1x64x65536xi32>, %c: tensor<1x64xi32>) -> tensor<1x64x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: the order of the blocks of a split union of 2097152 keys has no room in 32 bits; legal: groups = 1}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.union_schedule<engine = wgmma, queries = 32, groups = 2, block_k = 32,
          key_stages = 2, value_stages = 2, producers = 4, table = 1024,
          chunk = 64, per_query = <engine = mma_sync, block_q = 16,
          block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x64x8x64xbf16>, tensor<1x2097152x2x64xbf16>, tensor<1x2097152x2x64xbf16>,
       tensor<1x64x65536xi32>, tensor<1x64xi32>) -> (tensor<1x64x8x64xbf16>, tensor<1x8x64xf32>)
  return %out : tensor<1x64x8x64xbf16>
}
