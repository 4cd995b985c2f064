// The kernels of rows that take all keys, and of attention over their lists.

// RUN: gsa-opt %s --gsa-trace-lists --gsa-to-tile=arch=sm_90a --canonicalize --cse --remarks-filter="gsa.schedule" -o %t.lowered 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-trace-lists --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: FileCheck %s --check-prefix=LANES --input-file %t.final
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}

// USAGE-DAG: sm_90a {{short_rows.*}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a {{group_attention.*}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a {{listed_again.*}} stack=0 spill_stores=0 spill_loads=0

// REMARK: [Passed] ShortRows {{.*}}rows that see no more keys than their budget select all of them, unless a score is not finite{{.*}}of=1024, rows=1024

// Lists are on their way to memory while numbers are counted.
// CHECK: gsa_tile.kernel @short_rows(
// CHECK: gsa_tile.list_all
// CHECK: gsa_tile.count_beyond
// CHECK: gsa_tile.store_totals

// Flagged rows have the kernels of all rows, which a number tells apart.
// CHECK: gsa_tile.kernel @index_scores(
// CHECK: %[[ANY:.*]] = gsa_tile.any_set
// CHECK: arith.ori %[[ANY]]
// CHECK: gsa_tile.kernel @select_rows(
// CHECK: %[[ANY:.*]] = gsa_tile.any_set
// CHECK: arith.ori %[[ANY]]
// CHECK-NOT: gsa_tile.kernel @select_

// CHECK: gsa_tile.kernel @short_lists(
// CHECK: gsa_tile.any_short {{.*}} step 1
// CHECK: gsa_tile.store
// CHECK: gsa_tile.kernel @group_attention(
// CHECK-NOT: gsa_tile.any_short
// CHECK: gsa_tile.any_out_of_range
// CHECK: gsa_tile.kernel @listed_again(
// CHECK-COUNT-2: gsa_tile.any_set
// CHECK: gsa_tile.listed_rows

// CHECK: func.func @all(
// CHECK: gsa_tile.launch @short_rows urgent
// CHECK: gsa_tile.launch @index_scores urgent
// CHECK: gsa_tile.launch @select_rows urgent
// CHECK-NOT: gsa_tile.launch @index_scores
// CHECK: gsa_tile.launch @short_lists urgent
// CHECK: gsa_tile.launch @group_attention grid
// CHECK: gsa_tile.launch @listed_again brief grid

// Attention to all keys takes no list: it runs beside the kernels that make
// them, and first; but the SMs that it leaves are those of the others. What is
// done again begins while it ends.
// LANES-LABEL: func.func @all
// LANES-SAME: gsa.lanes = 2
// LANES: gsa_tile.launch @group_attention {{.*}}gsa_tile.estimate{{.*}}step<0, lane = 0>
// LANES: gsa_tile.launch @short_rows urgent {{.*}}step<1, lane = 1 parts
// LANES: gsa_tile.launch @index_scores {{.*}}step<2, lane = 1 parts
// LANES: gsa_tile.launch @select_rows {{.*}}step<3, lane = 1 parts
// LANES: gsa_tile.launch @short_lists {{.*}}step<4, lane = 1>
// LANES: gsa_tile.launch @listed_again brief dependent {{.*}}step<5, lane = 0 waits = [4]>
func.func @all(%q: tensor<1x1024x8x128xbf16>, %k: tensor<1x1024x2x128xbf16>,
    %v: tensor<1x1024x2x128xbf16>, %iq: tensor<1x1024x4x64xbf16>,
    %ik: tensor<1x1024x64xbf16>) -> tensor<1x1024x8x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 1024> {gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2, stages = 3, producers = 4, consumers = 4>, topk = <warps = 4, bins = 1024, capacity = 1024, chunk = 1024>>>}
    : (tensor<1x1024x4x64xbf16>, tensor<1x1024x64xbf16>)
    -> (tensor<1x1024x1024xi32>, tensor<1x1024xi32>, tensor<1x1024xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 128, key_stages = 2, value_stages = 2, order = ping_pong, per_row = <engine = mma_sync, block_q = 16, block_k = 64, stages = 3, producers = 4, consumers = 4>>}
    : (tensor<1x1024x8x128xbf16>, tensor<1x1024x2x128xbf16>, tensor<1x1024x2x128xbf16>,
       tensor<1x1024x1024xi32>, tensor<1x1024xi32>)
    -> (tensor<1x1024x8x128xbf16>, tensor<1x8x1024xf32>)
  return %out : tensor<1x1024x8x128xbf16>
}
