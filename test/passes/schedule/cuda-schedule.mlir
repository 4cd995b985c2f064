// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a | FileCheck %s --check-prefixes=CHECK,HOPPER
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_86 | FileCheck %s --check-prefixes=CHECK,AMPERE
// RUN: gsa-opt %s --gsa-cuda-schedule --gsa-cuda-schedule | FileCheck %s --check-prefixes=CHECK,HOPPER
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_86 --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: not gsa-opt %s --gsa-cuda-schedule=arch=sm_90 2>&1 | FileCheck %s --check-prefix=ARCH
// RUN: not gsa-opt %s --gsa-cuda-schedule=arch=hopper 2>&1 | FileCheck %s --check-prefixes=FAR
// ARCH: error: gsa-cuda-schedule: architecture: expected one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120, got 'sm_90'; did you mean 'sm_90a'?
// ARCH-NOT: see current operation
// FAR: got 'hopper'
// FAR-NOT: did you mean

// The parts of select: score kernels of one chunk of queries; a chunk's scores
// take at most 512 MiB. Where there is wgmma, long rows are selected in one pass,
// with 256 MiB of candidates.
// REMARK: [Missed] NoCandidate {{.*}}#gsa.one_pass_schedule: engine wgmma needs sm_90a, not sm_86
// CHECK-LABEL: @select(
// HOPPER: gsa.schedule = #gsa.one_pass_schedule<scores = <engine = wgmma, block_q = 128, block_k = 64, span = 64, stages = 4, producers = 4, consumers = 16, boxes = true>, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = {{[0-9]+}}, stages = {{[23]}}, producers = 4, consumers = 4>, topk = <warps = 8, bins = 2048, capacity = 4096, chunk = 1024>>, sample = 16, rank = 182, capacity = 4096, chunk = 8192, sm_blocks = 2>
// AMPERE: gsa.schedule = #gsa.select_schedule<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = {{[0-9]+}}, stages = {{[23]}}, producers = 4, consumers = 4>, topk = <warps = 8, bins = 2048, capacity = 4096, chunk = 1024>>
func.func @select(%q: tensor<1x131072x4x64xbf16>, %k: tensor<1x131072x64xbf16>)
    -> tensor<1x131072x2048xi32> {
  %0:3 = gsa.select %q, %k policy <fixed, base = 2048>
    : (tensor<1x131072x4x64xbf16>, tensor<1x131072x64xbf16>)
    -> (tensor<1x131072x2048xi32>, tensor<1x131072xi32>, tensor<1x131072xi32>)
  return %0#0 : tensor<1x131072x2048xi32>
}

// Two blocks of 2 stages are better than one block of 3; where an SM holds one
// block anyway, 3 stages are tried first.
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.attention_schedule<
// CHECK-LABEL: @gather(
// HOPPER: gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>
// AMPERE: gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, stages = 3, producers = 4, consumers = 2>
func.func @gather(%q: tensor<1x9x32x128xbf16>, %k: tensor<1x4096x8x128xbf16>,
    %v: tensor<1x4096x8x128xbf16>, %i: tensor<1x9x2048xi32>, %c: tensor<1x9xi32>)
    -> tensor<1x9x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x9x32x128xbf16>, tensor<1x4096x8x128xbf16>,
       tensor<1x4096x8x128xbf16>, tensor<1x9x2048xi32>, tensor<1x9xi32>)
    -> (tensor<1x9x32x128xbf16>, tensor<1x32x9xf32>)
  return %out : tensor<1x9x32x128xbf16>
}

// f32 runs on the FFMA engine. Few keys: one small tile, no ring.
// CHECK-LABEL: @small(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = fma, block_q = 16, block_k = 16, stages = 1, producers = 0, consumers = 1>
func.func @small(%q: tensor<1x3x2x8xf32>, %k: tensor<1x5x2x8xf32>,
    %v: tensor<1x5x2x8xf32>) -> tensor<1x3x2x8xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x2x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x8xf32>)
    -> (tensor<1x3x2x8xf32>, tensor<1x2x3xf32>)
  return %out : tensor<1x3x2x8xf32>
}

// What an op says wins.
// CHECK-LABEL: @given(
// CHECK: gsa.schedule = #gsa.topk_schedule<warps = 2, bins = 256, capacity = 32, chunk = 7>
func.func @given(%s: tensor<1x9x100xf32>, %k: tensor<1x9xi32>)
    -> tensor<1x9x8xi32> {
  %0:3 = gsa.topk %s, %k slots 8 {gsa.schedule =
      #gsa.topk_schedule<warps = 2, bins = 256, capacity = 32, chunk = 7>}
    : (tensor<1x9x100xf32>, tensor<1x9xi32>)
    -> (tensor<1x9x8xi32>, tensor<1x9xi32>, tensor<1x9xi32>)
  return %0#0 : tensor<1x9x8xi32>
}

// Long rows of f32: on sm_86 the first candidates need too much shared memory.
// CHECK-LABEL: @wide(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = fma
// REMARK: [Missed] TileRejected {{.*}}shared memory {{[0-9]+}} > 101376 bytes on sm_86
// REMARK: [Passed] Scheduled {{.*}}gsa.dense_attention heuristic
func.func @wide(%q: tensor<1x64x2x128xf32>, %k: tensor<1x500x2x128xf32>)
    -> tensor<1x64x2x128xf32> {
  %out, %lse = gsa.dense_attention %q, %k, %k
    : (tensor<1x64x2x128xf32>, tensor<1x500x2x128xf32>, tensor<1x500x2x128xf32>)
    -> (tensor<1x64x2x128xf32>, tensor<1x2x64xf32>)
  return %out : tensor<1x64x2x128xf32>
}
