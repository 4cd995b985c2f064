// Whether queries share keys: where blocks of several queries fill the GPU and
// it multiplies by warpgroups.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %t --gsa-cuda-schedule=arch=sm_90a | FileCheck %s
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_80 --remarks-filter="gsa.schedule" -o %t.80 2>&1 | FileCheck %s --check-prefix=AMPERE
// RUN: FileCheck %s --input-file %t.80 --check-prefix=BY-QUERY
// BY-QUERY-NOT: union_schedule

// 16 queries of 4 heads are the 64 rows of a warpgroup; two of them are no faster.
// CHECK-LABEL: @shared(
// CHECK: gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64, key_stages = 3, value_stages = 3, producers = 4, table = 16384, chunk = {{[0-9]+}}, per_query = <engine = mma_sync, block_q = 16,
// REMARK: [Missed] Costlier {{.*}}#gsa.attention_schedule<{{.*}}best_us={{[0-9.]+}}, cost_us={{[0-9.]+}}
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.union_schedule<
// AMPERE: [Missed] NoCandidate {{.*}}#gsa.union_schedule: engine wgmma needs sm_90a, not sm_80
// AMPERE: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.attention_schedule<
func.func @shared(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %i: tensor<1x8192x2048xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>, tensor<1x8192x2048xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}

// Six heads: 10 queries, 60 of the rows, behind which no second group begins.
// CHECK-LABEL: @six_heads(
// CHECK: #gsa.union_schedule<engine = wgmma, queries = 10,
// CHECK-SAME: chunk = {{[0-9]*}}0,
func.func @six_heads(%q: tensor<2x4100x12x64xf16>, %k: tensor<2x9000x2x64xf16>,
    %i: tensor<2x4100x512xi32>, %c: tensor<2x4100xi32>)
    -> tensor<2x4100x12x64xf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<2x4100x12x64xf16>, tensor<2x9000x2x64xf16>,
       tensor<2x9000x2x64xf16>, tensor<2x4100x512xi32>, tensor<2x4100xi32>)
    -> (tensor<2x4100x12x64xf16>, tensor<2x12x4100xf32>)
  return %out : tensor<2x4100x12x64xf16>
}

// One head of a group: a word has bits for 32 queries.
// CHECK-LABEL: @one_head(
// CHECK: #gsa.union_schedule<engine = wgmma, queries = 32,
func.func @one_head(%q: tensor<1x8192x8x64xbf16>, %k: tensor<1x8192x8x64xbf16>,
    %i: tensor<1x8192x64xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x8x64xbf16>, tensor<1x8192x8x64xbf16>,
       tensor<1x8192x8x64xbf16>, tensor<1x8192x64xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x8x64xbf16>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x64xbf16>
}

// Too few queries for blocks of 16 to fill the GPU.
// REMARK: [Missed] NoCandidate {{.*}}#gsa.union_schedule: 32 blocks of 16 queries < 2 x 132 SMs: too few to fill the device
// CHECK-LABEL: @few(
// CHECK: gsa.schedule = #gsa.attention_schedule<
func.func @few(%q: tensor<1x64x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %i: tensor<1x64x2048xi32>, %c: tensor<1x64xi32>)
    -> tensor<1x64x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x64x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>, tensor<1x64x2048xi32>, tensor<1x64xi32>)
    -> (tensor<1x64x32x128xbf16>, tensor<1x32x64xf32>)
  return %out : tensor<1x64x32x128xbf16>
}

// More heads of a group than rows: no two queries share a block.
// REMARK: [Missed] NoCandidate {{.*}}#gsa.union_schedule: 2 queries x 40 heads of a group = 80 rows, at most 64
// CHECK-LABEL: @many_heads(
// CHECK: gsa.schedule = #gsa.attention_schedule<
func.func @many_heads(%q: tensor<1x8192x40x64xbf16>, %k: tensor<1x8192x1x64xbf16>,
    %i: tensor<1x8192x64xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x40x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x40x64xbf16>, tensor<1x8192x1x64xbf16>,
       tensor<1x8192x1x64xbf16>, tensor<1x8192x64xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x40x64xbf16>, tensor<1x40x8192xf32>)
  return %out : tensor<1x8192x40x64xbf16>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.union_schedule: engine wgmma multiplies f16 and bf16, got f32; use #gsa.attention_schedule
// CHECK-LABEL: @f32(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = fma
func.func @f32(%q: tensor<1x8192x8x64xf32>, %k: tensor<1x8192x2x64xf32>,
    %i: tensor<1x8192x64xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x8x64xf32> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x8x64xf32>, tensor<1x8192x2x64xf32>,
       tensor<1x8192x2x64xf32>, tensor<1x8192x64xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x8x64xf32>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x64xf32>
}

// REMARK: [Missed] TileRejected {{.*}}rows of keys and values must be whole vectors of 16 bytes
// CHECK-LABEL: @odd_depth(
// CHECK: gsa.schedule = #gsa.attention_schedule<
func.func @odd_depth(%q: tensor<1x8192x8x36xbf16>, %k: tensor<1x8192x2x36xbf16>,
    %i: tensor<1x8192x64xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x8x36xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x8x36xbf16>, tensor<1x8192x2x36xbf16>,
       tensor<1x8192x2x36xbf16>, tensor<1x8192x64xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x8x36xbf16>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x36xbf16>
}

// What an op says stays.
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention given #gsa.attention_schedule<
// CHECK-LABEL: @given(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>
func.func @given(%q: tensor<1x8192x8x64xbf16>, %k: tensor<1x8192x2x64xbf16>,
    %i: tensor<1x8192x64xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32,
                              stages = 2, producers = 4, consumers = 2>}
    : (tensor<1x8192x8x64xbf16>, tensor<1x8192x2x64xbf16>,
       tensor<1x8192x2x64xbf16>, tensor<1x8192x64xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x8x64xbf16>, tensor<1x8x8192xf32>)
  return %out : tensor<1x8192x8x64xbf16>
}
