// Few queries against many keys: keys and lists are split among blocks, with
// lengths and without; and why not where that does not pay.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t --check-prefixes=CHECK,HOPPER
// RUN: gsa-opt %t --gsa-cuda-schedule=arch=sm_90a | FileCheck %s --check-prefixes=CHECK,HOPPER
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_80 | FileCheck %s --check-prefixes=CHECK,AMPERE
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_89 | FileCheck %s --check-prefixes=CHECK,AMPERE

// CHECK-LABEL: @decode(
// A cluster samples 2048 keys; three blocks of scores for an SM, of three tiles,
// whose scores wait for the bound.
// HOPPER: gsa.select {{.*}}#gsa.split_select_schedule<engine = mma_sync, block_k = 128, span = 3, stages = 4, {{.*}}sample = 64, rank = 64, capacity = 6656, {{.*}}cluster = 8, {{.*}}sm_blocks = 3, deferred = true>
// AMPERE: gsa.select {{.*}}#gsa.split_select_schedule<engine = mma_sync, {{.*}}sample = 16, rank = 182, capacity = 4096
// CHECK: gsa.gather_attention {{.*}}#gsa.split_attention_schedule<entries = 128, part = <engine = mma_sync, block_q = 16, block_k = {{(64, stages = 2|32, stages = 3)}}, producers = 4, consumers = 2>>
// REMARK: [Passed] Scheduled {{.*}}gsa.select heuristic #gsa.split_select_schedule<
// REMARK: [Missed] Costlier {{.*}}#gsa.attention_schedule<
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.split_attention_schedule<
func.func @decode(%iq: tensor<1x1x4x64xbf16>, %ik: tensor<1x131072x64xbf16>,
    %q: tensor<1x1x32x128xbf16>, %k: tensor<1x131072x8x128xbf16>,
    %n: tensor<1xi32>) -> tensor<1x1x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik lengths %n policy <fixed, base = 2048>
    : (tensor<1x1x4x64xbf16>, tensor<1x131072x64xbf16>, tensor<1xi32>)
    -> (tensor<1x1x2048xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c lengths %n
    : (tensor<1x1x32x128xbf16>, tensor<1x131072x8x128xbf16>,
       tensor<1x131072x8x128xbf16>, tensor<1x1x2048xi32>, tensor<1x1xi32>,
       tensor<1xi32>) -> (tensor<1x1x32x128xbf16>, tensor<1x32x1xf32>)
  return %out : tensor<1x1x32x128xbf16>
}

// The last bits of a row follow from its parts: they are the same in a batch,
// where a block has several of them.
// CHECK-LABEL: @batch(
// CHECK: gsa.gather_attention {{.*}}#gsa.split_attention_schedule<entries = 128, per_block = 16, part = <engine = mma_sync, block_q = 16, block_k = {{(64, stages = 2, producers = 2|32, stages = 3, producers = 4)}}, consumers = 2>>
func.func @batch(%q: tensor<128x1x32x128xbf16>, %k: tensor<128x16384x8x128xbf16>,
    %i: tensor<128x1x2048xi32>, %c: tensor<128x1xi32>)
    -> tensor<128x1x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<128x1x32x128xbf16>, tensor<128x16384x8x128xbf16>,
       tensor<128x16384x8x128xbf16>, tensor<128x1x2048xi32>,
       tensor<128x1xi32>) -> (tensor<128x1x32x128xbf16>, tensor<128x32x1xf32>)
  return %out : tensor<128x1x32x128xbf16>
}

// Eight sequences: three blocks of an SM have so many keys each that scores do not
// wait.
// CHECK-LABEL: @batch_of_8(
// HOPPER: gsa.select {{.*}}#gsa.split_select_schedule<{{.*}}sm_blocks = 3>
// HOPPER: gsa.gather_attention {{.*}}#gsa.split_attention_schedule<entries = 128, per_block = 4, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 2, consumers = 2>>
func.func @batch_of_8(%iq: tensor<8x1x4x64xbf16>, %ik: tensor<8x131072x64xbf16>,
    %q: tensor<8x1x32x128xbf16>, %k: tensor<8x131072x8x128xbf16>)
    -> tensor<8x1x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 2048>
    : (tensor<8x1x4x64xbf16>, tensor<8x131072x64xbf16>)
    -> (tensor<8x1x2048xi32>, tensor<8x1xi32>, tensor<8x1xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<8x1x32x128xbf16>, tensor<8x131072x8x128xbf16>,
       tensor<8x131072x8x128xbf16>, tensor<8x1x2048xi32>, tensor<8x1xi32>)
    -> (tensor<8x1x32x128xbf16>, tensor<8x32x1xf32>)
  return %out : tensor<8x1x32x128xbf16>
}

// A short context: the blocks of a cluster have all scores of a sequence, and one of
// them selects. Of more sequences than there are SMs for, another kernel does.
// CHECK-LABEL: @short_context(
// HOPPER: gsa.select {{.*}}#gsa.split_select_schedule<{{.*}}rank = 0, {{.*}}cluster = 8, {{.*}}cluster_keys = 512, row_cells = 16>
// CHECK: gsa.select {{.*}}#gsa.split_select_schedule<{{.*}}warps = 32, {{.*}}row_cells = 4>
func.func @short_context(%iq: tensor<1x1x4x64xbf16>, %ik: tensor<1x4096x64xbf16>,
    %jq: tensor<32x1x4x64xbf16>, %jk: tensor<32x4096x64xbf16>)
    -> (tensor<1x1x2048xi32>, tensor<32x1x2048xi32>) {
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 2048>
    : (tensor<1x1x4x64xbf16>, tensor<1x4096x64xbf16>)
    -> (tensor<1x1x2048xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  %1:3 = gsa.select %jq, %jk policy <fixed, base = 2048>
    : (tensor<32x1x4x64xbf16>, tensor<32x4096x64xbf16>)
    -> (tensor<32x1x2048xi32>, tensor<32x1xi32>, tensor<32x1xi32>)
  return %0#0, %1#0 : tensor<1x1x2048xi32>, tensor<32x1x2048xi32>
}

// Budgets by a statistic of all scores read them all.
// CHECK-LABEL: @statistic(
// CHECK: gsa.select {{.*}}#gsa.split_select_schedule<{{.*}}sample = 0, rank = 0, capacity = 0
func.func @statistic(%iq: tensor<4x1x4x64xf32>, %ik: tensor<4x65536x64xf32>)
    -> tensor<4x1x2048xi32> {
  %0:3 = gsa.select %iq, %ik policy <entropy, base = 1024, max = 2048>
    : (tensor<4x1x4x64xf32>, tensor<4x65536x64xf32>)
    -> (tensor<4x1x2048xi32>, tensor<4x1xi32>, tensor<4x1xi32>)
  return %0#0 : tensor<4x1x2048xi32>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.split_select_schedule: queries 9 > 8: there is work for all SMs without splitting keys; use #gsa.select_schedule
// REMARK: [Missed] NoCandidate {{.*}}#gsa.split_select_schedule: keys 1024 < 4096: too few to split
// REMARK: [Missed] NoCandidate {{.*}}#gsa.split_select_schedule: split rows have no kernel for a mean over all rows; use #gsa.select_schedule
// CHECK-LABEL: @others(
// CHECK-COUNT-3: gsa.select {{.*}}#gsa.select_schedule<
func.func @others(%iq: tensor<1x9x4x64xbf16>, %ik: tensor<1x16384x64xbf16>,
    %jq: tensor<1x1x4x64xbf16>, %jk: tensor<1x1024x64xbf16>)
    -> (tensor<1x9x512xi32>, tensor<1x1x512xi32>, tensor<1x1x512xi32>) {
  %0:3 = gsa.select %iq, %ik policy <fixed, base = 512>
    : (tensor<1x9x4x64xbf16>, tensor<1x16384x64xbf16>)
    -> (tensor<1x9x512xi32>, tensor<1x9xi32>, tensor<1x9xi32>)
  %1:3 = gsa.select %jq, %jk policy <fixed, base = 512>
    : (tensor<1x1x4x64xbf16>, tensor<1x1024x64xbf16>)
    -> (tensor<1x1x512xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  %2:3 = gsa.select %jq, %ik policy <upstream_variance, base = 384, max = 512>
    : (tensor<1x1x4x64xbf16>, tensor<1x16384x64xbf16>)
    -> (tensor<1x1x512xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %0#0, %1#0, %2#0
    : tensor<1x9x512xi32>, tensor<1x1x512xi32>, tensor<1x1x512xi32>
}

// A list that one block reads soon enough.
// CHECK-LABEL: @short_list(
// CHECK: #gsa.attention_schedule<
// REMARK: [Missed] NoCandidate {{.*}}#gsa.split_attention_schedule: slots 64 < 512: too few to split
func.func @short_list(%q: tensor<1x1x32x128xbf16>, %k: tensor<1x4096x8x128xbf16>,
    %i: tensor<1x1x64xi32>, %c: tensor<1x1xi32>) -> tensor<1x1x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x1x32x128xbf16>, tensor<1x4096x8x128xbf16>,
       tensor<1x4096x8x128xbf16>, tensor<1x1x64xi32>, tensor<1x1xi32>)
    -> (tensor<1x1x32x128xbf16>, tensor<1x32x1xf32>)
  return %out : tensor<1x1x32x128xbf16>
}
