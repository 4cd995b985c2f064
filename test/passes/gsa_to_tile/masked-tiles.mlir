// Rows that have a choice, read once, and attention over tiles of all keys, of which
// strings of bits hide those that are in no list.

// RUN: gsa-opt %s --gsa-trace-lists --gsa-to-tile=arch=sm_90a --canonicalize --cse --remarks-filter="gsa.schedule" -o %t.lowered 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-trace-lists --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}

// USAGE-DAG: sm_90a {{select_long_rows.*}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a {{member_strings.*}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a {{masked_attention.*}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a {{listed_again.*}} stack=0 spill_stores=0 spill_loads=0

// REMARK: [Passed] ShortRows {{.*}}of=1024, rows=512
// REMARK: [Passed] MaskedTiles {{.*}}bytes=262144

// CHECK: gsa_tile.kernel @select_long_rows(
// CHECK: gsa_tile.load_row
// CHECK: gsa_tile.histogram_candidates

// CHECK: gsa_tile.kernel @member_strings(
// CHECK: gsa_tile.mark_keys {{.*}} step 256 by 4
// CHECK: gsa_tile.store_strings
// CHECK: gsa_tile.kernel @masked_attention(
// CHECK: gsa_tile.bulk_rows
// CHECK: gsa_tile.mask_bits {{.*}} {rows_per_string = 1 : i64}
// CHECK-NOT: gsa_tile.any_short

// CHECK: func.func @half(
// CHECK: gsa_tile.launch @short_rows
// CHECK: gsa_tile.launch @index_scores
// CHECK: gsa_tile.launch @select_long_rows
// CHECK: gsa_tile.launch @select_rows
// CHECK: gsa_tile.launch @member_strings
// CHECK: gsa_tile.launch @masked_attention
func.func @half(%q: tensor<1x1024x8x128xbf16>, %k: tensor<1x1024x2x128xbf16>,
    %v: tensor<1x1024x2x128xbf16>, %iq: tensor<1x1024x4x64xbf16>,
    %ik: tensor<1x1024x64xbf16>) -> tensor<1x1024x8x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 512> {gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 4, bins = 1024, capacity = 1024, chunk = 1024>>>}
    : (tensor<1x1024x4x64xbf16>, tensor<1x1024x64xbf16>)
    -> (tensor<1x1024x512xi32>, tensor<1x1024xi32>, tensor<1x1024xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 128, key_stages = 2, value_stages = 2, order = ping_pong, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 3, producers = 4, consumers = 4>, masked = true>}
    : (tensor<1x1024x8x128xbf16>, tensor<1x1024x2x128xbf16>, tensor<1x1024x2x128xbf16>,
       tensor<1x1024x512xi32>, tensor<1x1024xi32>)
    -> (tensor<1x1024x8x128xbf16>, tensor<1x8x1024xf32>)
  return %out : tensor<1x1024x8x128xbf16>
}
