// What no kernel reads from pages.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a -verify-diagnostics

func.func @other_reader(%p: tensor<30x48x2x64xf32>, %t: tensor<2x10xi32>,
    %n: tensor<2x480xi64>) -> tensor<2x480x2x64xf32> {
  // expected-error @+1 {{'gsa.paged_rows' op has no kernel where 'gsa.rope' reads its rows as operand 0; expected 'gsa.select', 'gsa.index_scores' or an attention op at its 'key' or 'value'}}
  %k = gsa.paged_rows %p, %t
    : (tensor<30x48x2x64xf32>, tensor<2x10xi32>) -> tensor<2x480x2x64xf32>
  %r = gsa.rope %k, %n
    : (tensor<2x480x2x64xf32>, tensor<2x480xi64>) -> tensor<2x480x2x64xf32>
  return %r : tensor<2x480x2x64xf32>
}

// -----

func.func @result(%p: tensor<30x48x64xf32>, %t: tensor<2x10xi32>)
    -> tensor<2x480x64xf32> {
  // expected-error @+1 {{has no kernel where 'func.return' reads its rows as operand 0}}
  %k = gsa.paged_rows %p, %t
    : (tensor<30x48x64xf32>, tensor<2x10xi32>) -> tensor<2x480x64xf32>
  return %k : tensor<2x480x64xf32>
}

// -----

// Pages of 9 rows, of which 8 are used: 13.5 rows of 8 elements apart.
func.func @uneven(%q: tensor<2x1x4x8xbf16>, %a: tensor<30x108xbf16>,
    %t: tensor<2x10xi32>) -> (tensor<2x1x4xi32>, tensor<2x1xi32>, tensor<2x1xi32>) {
  %s = tensor.extract_slice %a[0, 0][30, 96][1, 1]
    : tensor<30x108xbf16> to tensor<30x96xbf16>
  %p = tensor.expand_shape %s [[0], [1, 2]] output_shape [30, 12, 8]
    : tensor<30x96xbf16> into tensor<30x12x8xbf16>
  // expected-error @+1 {{has no kernel for a pool whose elements are 1, rows 8 and pages 108 elements apart; expected elements that are 1 and pages that are a multiple of rows apart}}
  %k = gsa.paged_rows %p, %t
    : (tensor<30x12x8xbf16>, tensor<2x10xi32>) -> tensor<2x120x8xbf16>
  %r:3 = gsa.select %q, %k policy <fixed, base = 4>
    : (tensor<2x1x4x8xbf16>, tensor<2x120x8xbf16>)
    -> (tensor<2x1x4xi32>, tensor<2x1xi32>, tensor<2x1xi32>)
  return %r#0, %r#1, %r#2 : tensor<2x1x4xi32>, tensor<2x1xi32>, tensor<2x1xi32>
}

// -----

func.func @boxes(%q: tensor<1x128x8x64xbf16>, %p: tensor<30x64x2x64xbf16>,
    %t: tensor<1x20xi32>) -> (tensor<1x128x8x64xbf16>, tensor<1x8x128xf32>) {
  %k = gsa.paged_rows %p, %t
    : (tensor<30x64x2x64xbf16>, tensor<1x20xi32>) -> tensor<1x1280x2x64xbf16>
  // expected-error @+1 {{#gsa.dense_schedule has no kernel for keys in pages; use #gsa.attention_schedule}}
  %o:2 = gsa.dense_attention %q, %k, %k {gsa.schedule = #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 64, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x128x8x64xbf16>, tensor<1x1280x2x64xbf16>, tensor<1x1280x2x64xbf16>)
    -> (tensor<1x128x8x64xbf16>, tensor<1x8x128xf32>)
  return %o#0, %o#1 : tensor<1x128x8x64xbf16>, tensor<1x8x128xf32>
}

// -----

func.func @range(%q: tensor<1x1x4x64xbf16>, %p: tensor<30x16x2x64xbf16>,
    %t: tensor<1x4xi32>, %n: tensor<1xi32>) -> tensor<1x1x4x64xf32> {
  %k = gsa.paged_rows %p, %t
    : (tensor<30x16x2x64xbf16>, tensor<1x4xi32>) -> tensor<1x64x2x64xbf16>
  // expected-error @+1 {{has no kernel for a range of keys in pages}}
  %o:2 = gsa.partial_attention %q, %k, %k first 0 size 64
    {mask = #gsa.mask<causal>, gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>}
    : (tensor<1x1x4x64xbf16>, tensor<1x64x2x64xbf16>, tensor<1x64x2x64xbf16>)
    -> (tensor<1x1x4x64xf32>, tensor<1x4x1xf32>)
  return %o#0 : tensor<1x1x4x64xf32>
}

// -----

// Rows of a pool that begin every 136 bytes.
func.func @union(%q: tensor<1x40x8x64xbf16>, %a: tensor<30x16x2x68xbf16>,
    %t: tensor<1x4xi32>, %i: tensor<1x40x9xi32>, %c: tensor<1x40xi32>)
    -> tensor<1x40x8x64xbf16> {
  %p = tensor.extract_slice %a[0, 0, 0, 0][30, 16, 2, 64][1, 1, 1, 1]
    : tensor<30x16x2x68xbf16> to tensor<30x16x2x64xbf16>
  %k = gsa.paged_rows %p, %t
    : (tensor<30x16x2x64xbf16>, tensor<1x4xi32>) -> tensor<1x64x2x64xbf16>
  // expected-error @+1 {{has no kernel over unions for rows that do not begin at multiples of 16 bytes, got multiples of 8}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 2, value_stages = 2, producers = 4, table = 1024, chunk = 32, per_query = <engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>>}
    : (tensor<1x40x8x64xbf16>, tensor<1x64x2x64xbf16>, tensor<1x64x2x64xbf16>,
       tensor<1x40x9xi32>, tensor<1x40xi32>)
    -> (tensor<1x40x8x64xbf16>, tensor<1x8x40xf32>)
  return %out : tensor<1x40x8x64xbf16>
}
