// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @dense_f32(%q: tensor<1x40x8x64xf32>, %k: tensor<1x90x2x64xf32>, %v: tensor<1x90x2x64xf32>) -> tensor<1x40x8x64xf32> {
  // expected-error @+1 {{has an illegal schedule: engine wgmma multiplies f16 and bf16, got f32; use #gsa.attention_schedule}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = fma, block_q = 16, block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x64xf32>, tensor<1x90x2x64xf32>, tensor<1x90x2x64xf32>) -> (tensor<1x40x8x64xf32>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xf32>
}

// -----

func.func @dense_row(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>, %v: tensor<1x90x2x64xbf16>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: per_row: engine fma has no kernel for elements of bf16; expected mma_sync}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = fma, block_q = 16, block_k = 32, stages = 1, producers = 0, consumers = 1>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @dense_keys(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x0x2x64xbf16>, %v: tensor<1x0x2x64xbf16>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: there are no keys}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x0x2x64xbf16>, tensor<1x0x2x64xbf16>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @dense_head(%q: tensor<1x40x8x80xbf16>, %k: tensor<1x90x2x80xbf16>, %v: tensor<1x90x2x64xbf16>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: head size 80 is no multiple of 64}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x8x80xbf16>, tensor<1x90x2x80xbf16>, tensor<1x90x2x64xbf16>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @dense_value(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>, %v: tensor<1x90x2x32xbf16>) -> tensor<1x40x8x32xbf16> {
  // expected-error @+1 {{has an illegal schedule: head size 32 is no multiple of 64}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x32xbf16>) -> (tensor<1x40x8x32xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x32xbf16>
}

// -----

func.func @dense_wide(%q: tensor<1x40x2x320xbf16>, %k: tensor<1x90x2x320xbf16>, %v: tensor<1x90x2x64xbf16>) -> tensor<1x40x2x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: head size 320 > 256}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x2x320xbf16>, tensor<1x90x2x320xbf16>, tensor<1x90x2x64xbf16>) -> (tensor<1x40x2x64xbf16>, tensor<1x2x40xf32>)
  return %out : tensor<1x40x2x64xbf16>
}

// -----

func.func @dense_heads(%q: tensor<1x1x65536x64xbf16>, %k: tensor<1x1x65536x64xbf16>, %v: tensor<1x1x65536x64xbf16>) -> tensor<1x1x65536x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: heads 65536 > 65535}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x1x65536x64xbf16>, tensor<1x1x65536x64xbf16>, tensor<1x1x65536x64xbf16>) -> (tensor<1x1x65536x64xbf16>, tensor<1x65536x1xf32>)
  return %out : tensor<1x1x65536x64xbf16>
}

// -----

func.func @dense_all_keys(%q: tensor<3000x1x2x64xbf16>, %k: tensor<3000x1000000x1x64xbf16>, %v: tensor<3000x1000000x1x64xbf16>) -> tensor<3000x1x2x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: keys of all batches 3000000000 > 2147483647}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<3000x1x2x64xbf16>, tensor<3000x1000000x1x64xbf16>, tensor<3000x1000000x1x64xbf16>) -> (tensor<3000x1x2x64xbf16>, tensor<3000x2x1xf32>)
  return %out : tensor<3000x1x2x64xbf16>
}

// -----

func.func @dense_warps(%q: tensor<3000x1000x60000x64xbf16>, %k: tensor<3000x1x1x64xbf16>, %v: tensor<3000x1x1x64xbf16>) -> tensor<3000x1000x60000x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: warps of all blocks 11520000000 > 2147483647}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<3000x1000x60000x64xbf16>, tensor<3000x1x1x64xbf16>, tensor<3000x1x1x64xbf16>) -> (tensor<3000x1000x60000x64xbf16>, tensor<3000x60000x1000xf32>)
  return %out : tensor<3000x1000x60000x64xbf16>
}

// -----

func.func @dense_shared(%q: tensor<1x400x8x128xbf16>, %k: tensor<1x900x2x128xbf16>, %v: tensor<1x900x2x128xbf16>) -> tensor<1x400x8x128xbf16> {
  // expected-error @+1 {{has an illegal schedule: shared memory}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 128, key_stages = 4, value_stages = 3, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x400x8x128xbf16>, tensor<1x900x2x128xbf16>, tensor<1x900x2x128xbf16>) -> (tensor<1x400x8x128xbf16>, tensor<1x8x400xf32>)
  return %out : tensor<1x400x8x128xbf16>
}

// -----

func.func @dense_registers(%q: tensor<1x400x8x256xbf16>, %k: tensor<1x900x2x256xbf16>, %v: tensor<1x900x2x256xbf16>) -> tensor<1x400x8x256xbf16> {
  // expected-error @+1 {{has an illegal schedule: registers of a}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 16, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x400x8x256xbf16>, tensor<1x900x2x256xbf16>, tensor<1x900x2x256xbf16>) -> (tensor<1x400x8x256xbf16>, tensor<1x8x400xf32>)
  return %out : tensor<1x400x8x256xbf16>
}

// -----

func.func @dense_lengths(%q: tensor<1x400x8x128xbf16>, %k: tensor<1x900x2x128xbf16>, %v: tensor<1x900x2x128xbf16>, %n: tensor<1xi32>) -> tensor<1x400x8x128xbf16> {
  // expected-error @+1 {{has an illegal schedule: #gsa.dense_schedule has no kernel for a number of keys that the device alone knows; use #gsa.attention_schedule}}
  %out, %lse = gsa.dense_attention %q, %k, %v lengths %n {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 128, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x400x8x128xbf16>, tensor<1x900x2x128xbf16>, tensor<1x900x2x128xbf16>, tensor<1xi32>) -> (tensor<1x400x8x128xbf16>, tensor<1x8x400xf32>)
  return %out : tensor<1x400x8x128xbf16>
}
