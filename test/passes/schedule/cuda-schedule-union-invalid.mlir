// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @union_f32(%q: tensor<1x40x8x64xf32>, %k: tensor<1x90x2x64xf32>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xf32> {
  // expected-error @+1 {{has an illegal schedule: engine wgmma multiplies f16 and bf16}}
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
  // expected-error @+1 {{has an illegal schedule: rows of a block 96 > 64}}
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
  // expected-error @+1 {{expected a #gsa.attention_schedule or #gsa.union_schedule as}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @union_lengths(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>,
    %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>, %n: tensor<1xi32>)
    -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: shared keys have no kernel for a number of keys that the device alone knows}}
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
