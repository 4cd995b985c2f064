// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @scale(%iq: tensor<1x40x4x64xbf16>, %ik: tensor<1x40x64xbf16>) -> tensor<1x40x40xi32> {
  // expected-error @+1 {{has an illegal schedule: a scale above 2^32 makes infinite scores of small numbers; use #gsa.select_schedule}}
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 40> {scale = 1.0e10 : f64, gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>>}
    : (tensor<1x40x4x64xbf16>, tensor<1x40x64xbf16>) -> (tensor<1x40x40xi32>, tensor<1x40xi32>, tensor<1x40xi32>)
  return %i : tensor<1x40x40xi32>
}

// -----

func.func @lengths(%iq: tensor<1x40x4x64xbf16>, %ik: tensor<1x40x64xbf16>, %n: tensor<1xi32>) -> tensor<1x40x40xi32> {
  // expected-error @+1 {{has an illegal schedule: #gsa.short_rows_schedule has no kernel for a number of keys that the device alone knows; use #gsa.select_schedule or #gsa.split_select_schedule}}
  %i, %c, %s = gsa.select %iq, %ik lengths %n policy <fixed, base = 40> {gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>>}
    : (tensor<1x40x4x64xbf16>, tensor<1x40x64xbf16>, tensor<1xi32>) -> (tensor<1x40x40xi32>, tensor<1x40xi32>, tensor<1x40xi32>)
  return %i : tensor<1x40x40xi32>
}

// -----

func.func @masked_dense(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>, %v: tensor<1x90x2x64xbf16>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: masked is for gather_attention: dense attention has no lists}}
  %out, %lse = gsa.dense_attention %q, %k, %v {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>, masked = true>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @unknown_lists(%q: tensor<1x40x8x64xbf16>, %k: tensor<1x90x2x64xbf16>, %v: tensor<1x90x2x64xbf16>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>) -> tensor<1x40x8x64xbf16> {
  // expected-error @+1 {{has an illegal schedule: keys of a list are no tiles; expected lists of a gsa.select, which gsa-trace-lists finds}}
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x90x2x64xbf16>, tensor<1x40x9xi32>, tensor<1x40xi32>) -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}

// -----

func.func @cells(%iq: tensor<1x2000x4x64xbf16>, %ik: tensor<1x2000x64xbf16>) -> tensor<1x2000x40xi32> {
  // expected-error @+1 {{has an illegal schedule: warps of a row 63 > 32}}
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 40> {gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 1, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>>}
    : (tensor<1x2000x4x64xbf16>, tensor<1x2000x64xbf16>) -> (tensor<1x2000x40xi32>, tensor<1x2000xi32>, tensor<1x2000xi32>)
  return %i : tensor<1x2000x40xi32>
}

// -----

func.func @statistic(%iq: tensor<1x200x4x64xbf16>, %ik: tensor<1x200x64xbf16>) -> tensor<1x200x60xi32> {
  // expected-error @+1 {{has an illegal schedule: a budget that depends on a row's scores reads them more than once; legal: cells = 0}}
  %i, %c, %s = gsa.select %iq, %ik policy <orth, base = 40, min = 30, max = 60> {gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 8, exact = <scores = <engine = mma_sync, block_q = 32, block_k = 32, span = 2, stages = 2, producers = 1, consumers = 2>, topk = <warps = 2, bins = 256, capacity = 64, chunk = 32>>>}
    : (tensor<1x200x4x64xbf16>, tensor<1x200x64xbf16>) -> (tensor<1x200x60xi32>, tensor<1x200xi32>, tensor<1x200xi32>)
  return %i : tensor<1x200x60xi32>
}
