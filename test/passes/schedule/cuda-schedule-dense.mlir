// Which dense attention is by warpgroups, and how: where blocks of 192 queries
// fill the GPU as well as smaller ones, those.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %t --gsa-cuda-schedule=arch=sm_90a | FileCheck %s
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_80 --remarks-filter="gsa.schedule" -o %t.80 2>&1 | FileCheck %s --check-prefix=AMPERE
// RUN: FileCheck %s --input-file %t.80 --check-prefix=BY-ROWS
// BY-ROWS-NOT: dense_schedule

// CHECK-LABEL: @long(
// CHECK: gsa.schedule = #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 80, key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync, block_q = 16,
// REMARK: [Passed] Scheduled {{.*}}gsa.dense_attention heuristic #gsa.dense_schedule<
// AMPERE: [Missed] NoCandidate {{.*}}#gsa.dense_schedule: engine wgmma needs sm_90a, not sm_80
// AMPERE: [Passed] Scheduled {{.*}}gsa.dense_attention heuristic #gsa.attention_schedule<
func.func @long(%q: tensor<1x32768x32x128xbf16>, %k: tensor<1x32768x8x128xbf16>,
    %v: tensor<1x32768x8x128xbf16>) -> tensor<1x32768x32x128xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x32768x32x128xbf16>, tensor<1x32768x8x128xbf16>, tensor<1x32768x8x128xbf16>)
    -> (tensor<1x32768x32x128xbf16>, tensor<1x32x32768xf32>)
  return %out : tensor<1x32768x32x128xbf16>
}

// CHECK-LABEL: @middle(
// CHECK: #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 80,
func.func @middle(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %v: tensor<1x8192x8x128xbf16>) -> tensor<1x8192x32x128xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}

// 1.9 rounds of smaller blocks, 1.5 of larger ones.
// CHECK-LABEL: @short(
// CHECK: #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 128, key_stages = 2, value_stages = 2, order = ping_pong,
func.func @short(%q: tensor<1x1024x32x128xbf16>, %k: tensor<1x1024x8x128xbf16>,
    %v: tensor<1x1024x8x128xbf16>) -> tensor<1x1024x32x128xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x1024x32x128xbf16>, tensor<1x1024x8x128xbf16>, tensor<1x1024x8x128xbf16>)
    -> (tensor<1x1024x32x128xbf16>, tensor<1x32x1024xf32>)
  return %out : tensor<1x1024x32x128xbf16>
}

// CHECK-LABEL: @one_panel(
// CHECK: #gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 112,
func.func @one_panel(%q: tensor<1x32768x16x64xf16>, %k: tensor<1x32768x16x64xf16>,
    %v: tensor<1x32768x16x64xf16>) -> tensor<1x32768x16x64xf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<none>}
    : (tensor<1x32768x16x64xf16>, tensor<1x32768x16x64xf16>, tensor<1x32768x16x64xf16>)
    -> (tensor<1x32768x16x64xf16>, tensor<1x16x32768xf32>)
  return %out : tensor<1x32768x16x64xf16>
}

// Wide heads: the output leaves registers for few scores.
// CHECK-LABEL: @wide(
// CHECK: #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 80,
func.func @wide(%q: tensor<1x8192x24x256xbf16>, %k: tensor<1x8192x2x256xbf16>,
    %v: tensor<1x8192x2x256xbf16>) -> tensor<1x8192x24x256xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x8192x24x256xbf16>, tensor<1x8192x2x256xbf16>, tensor<1x8192x2x256xbf16>)
    -> (tensor<1x8192x24x256xbf16>, tensor<1x24x8192xf32>)
  return %out : tensor<1x8192x24x256xbf16>
}

// CHECK-LABEL: @two_widths(
// CHECK: #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 112,
func.func @two_widths(%q: tensor<1x8192x16x192xbf16>, %k: tensor<1x8192x16x192xbf16>,
    %v: tensor<1x8192x16x128xbf16>) -> tensor<1x8192x16x128xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x8192x16x192xbf16>, tensor<1x8192x16x192xbf16>, tensor<1x8192x16x128xbf16>)
    -> (tensor<1x8192x16x128xbf16>, tensor<1x16x8192xf32>)
  return %out : tensor<1x8192x16x128xbf16>
}

// Few queries: most rows of a block of 128 would be nobody's.
// REMARK: [Missed] NoCandidate {{.*}}#gsa.dense_schedule: queries 4 < 64: most rows of a block would be nobody's
// CHECK-LABEL: @few(
// CHECK: gsa.schedule = #gsa.attention_schedule<
func.func @few(%q: tensor<1x4x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %v: tensor<1x8192x8x128xbf16>) -> tensor<1x4x32x128xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x4x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>)
    -> (tensor<1x4x32x128xbf16>, tensor<1x32x4xf32>)
  return %out : tensor<1x4x32x128xbf16>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.dense_schedule: head size 80 is no multiple of 64
// CHECK-LABEL: @odd_depth(
// CHECK: gsa.schedule = #gsa.attention_schedule<
func.func @odd_depth(%q: tensor<1x8192x8x80xbf16>, %k: tensor<1x8192x2x80xbf16>,
    %v: tensor<1x8192x2x80xbf16>) -> tensor<1x8192x8x80xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x8192x8x80xbf16>, tensor<1x8192x2x80xbf16>, tensor<1x8192x2x80xbf16>)
    -> (tensor<1x8192x8x80xbf16>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x80xbf16>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.dense_schedule: engine wgmma multiplies f16 and bf16, got f32; use #gsa.attention_schedule
// CHECK-LABEL: @f32(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = fma
func.func @f32(%q: tensor<1x8192x8x64xf32>, %k: tensor<1x8192x2x64xf32>,
    %v: tensor<1x8192x2x64xf32>) -> tensor<1x8192x8x64xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>}
    : (tensor<1x8192x8x64xf32>, tensor<1x8192x2x64xf32>, tensor<1x8192x2x64xf32>)
    -> (tensor<1x8192x8x64xf32>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x64xf32>
}

// What an op says stays.
// REMARK: [Passed] Scheduled {{.*}}gsa.dense_attention given #gsa.attention_schedule<
// CHECK-LABEL: @given(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 64,
func.func @given(%q: tensor<1x8192x8x64xbf16>, %k: tensor<1x8192x2x64xbf16>,
    %v: tensor<1x8192x2x64xbf16>) -> tensor<1x8192x8x64xbf16> {
  %out, %lse = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<causal>,
       gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 64,
           block_k = 64, stages = 3, producers = 4, consumers = 4>}
    : (tensor<1x8192x8x64xbf16>, tensor<1x8192x2x64xbf16>, tensor<1x8192x2x64xbf16>)
    -> (tensor<1x8192x8x64xbf16>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x64xbf16>
}
