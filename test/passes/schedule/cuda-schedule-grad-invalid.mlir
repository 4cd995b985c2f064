// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @grad_f32(%q: tensor<1x40x8x64xf32>, %k: tensor<1x90x2x64xf32>,
    %v: tensor<1x90x2x64xf32>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xf32>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xf32>, tensor<1x90x2x64xf32>, tensor<1x90x2x64xf32>) {
  // expected-error @+1 {{has an illegal schedule: engine wgmma multiplies f16 and bf16, got f32; use #gsa.gather_grad_schedule}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = fma, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x64xf32>, tensor<1x90x2x64xf32>, tensor<1x90x2x64xf32>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xf32>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xf32>, tensor<1x90x2x64xf32>, tensor<1x90x2x64xf32>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xf32>, tensor<1x90x2x64xf32>, tensor<1x90x2x64xf32>
}

// -----

func.func @grad_rows(%q: tensor<1x40x12x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x12x64xbf16>, %l: tensor<1x12x40xf32>)
    -> (tensor<1x40x12x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: 16 queries x 6 heads of a group = 96 rows, at most 64; legal: up to 10 queries}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x12x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x12x64xbf16>,
       tensor<1x12x40xf32>, tensor<1x12x40xf32>)
    -> (tensor<1x40x12x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x12x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_key_chunks(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x3000x2x64xbf16>,
    %v: tensor<1x3000x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: key_chunks 4 > 3 pieces of 1024 keys (table)}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>, key_chunks = 4>}
    : (tensor<1x40x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>
}

// -----

func.func @grad_no_queries(%q: tensor<1x40x80x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x80x64xbf16>, %l: tensor<1x80x40xf32>)
    -> (tensor<1x40x80x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: 2 queries x 40 heads of a group = 80 rows, at most 64; legal: #gsa.gather_grad_schedule}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 2, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 4, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x80x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x80x64xbf16>,
       tensor<1x80x40xf32>, tensor<1x80x40xf32>)
    -> (tensor<1x40x80x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x80x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_kind(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{expected a #gsa.gather_grad_schedule or #gsa.union_grad_schedule as}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_head_size(%q: tensor<1x40x8x264xbf16>, %k: tensor<1x90x2x264xbf16>,
    %v: tensor<1x90x2x264xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x264xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x264xbf16>, tensor<1x90x2x264xbf16>, tensor<1x90x2x264xbf16>) {
  // expected-error @+1 {{has an illegal schedule: head size 264 > 256}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x264xbf16>, tensor<1x90x2x264xbf16>, tensor<1x90x2x264xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x264xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x264xbf16>, tensor<1x90x2x264xbf16>, tensor<1x90x2x264xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x264xbf16>, tensor<1x90x2x264xbf16>, tensor<1x90x2x264xbf16>
}

// -----

func.func @grad_engine(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: engine fma has no kernel for elements of bf16; expected mma_sync}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.gather_grad_schedule<engine = fma, block_k = 16, columns = 64>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_per_query_engine(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: per_query: engine fma has no kernel for elements of bf16; expected mma_sync}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = fma, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_lengths(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>, %n: tensor<1xi32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: #gsa.union_grad_schedule has no kernel for a number of keys that the device alone knows; use #gsa.gather_grad_schedule}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l lengths %n
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>, tensor<1xi32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_no_keys(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x0xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: there are no keys to share}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x0xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_vectors(%q: tensor<1x40x8x60xbf16>, %k: tensor<1x90x2x60xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x60xbf16>, tensor<1x90x2x60xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: rows of keys and values must be whole vectors of 16 bytes}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x60xbf16>, tensor<1x90x2x60xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x60xbf16>, tensor<1x90x2x60xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x60xbf16>, tensor<1x90x2x60xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_split_rows(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x64xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: 2 groups of 8 queries x 4 heads have 32 rows each, expected 64; legal: queries = 32, or groups = 1}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, groups = 2, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x64xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>
}

// -----

func.func @grad_split_depth(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %v: tensor<1x90x2x128xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x8x128xbf16>, %l: tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x128xbf16>) {
  // expected-error @+1 {{has an illegal schedule: 2 groups make the sums of keys and of values alike, heads of 64 and values of 128 differ; legal: groups = 1}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 32, groups = 2, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 64, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x128xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x8x128xbf16>,
       tensor<1x8x40xf32>, tensor<1x8x40xf32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x128xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x128xbf16>
}

// -----

func.func @grad_heads(%q: tensor<1x40x65536x64xbf16>, %k: tensor<1x90x32768x64xbf16>,
    %v: tensor<1x90x32768x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>,
    %o: tensor<1x40x65536x64xbf16>, %l: tensor<1x65536x40xf32>)
    -> (tensor<1x40x65536x64xbf16>, tensor<1x90x32768x64xbf16>, tensor<1x90x32768x64xbf16>) {
  // expected-error @+1 {{has an illegal schedule: heads 65536 > 65535}}
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_k = 16, columns = 64>>}
    : (tensor<1x40x65536x64xbf16>, tensor<1x90x32768x64xbf16>, tensor<1x90x32768x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>, tensor<1x40x65536x64xbf16>,
       tensor<1x65536x40xf32>, tensor<1x65536x40xf32>)
    -> (tensor<1x40x65536x64xbf16>, tensor<1x90x32768x64xbf16>, tensor<1x90x32768x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x40x65536x64xbf16>, tensor<1x90x32768x64xbf16>, tensor<1x90x32768x64xbf16>
}
