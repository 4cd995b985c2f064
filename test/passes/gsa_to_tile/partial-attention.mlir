// Kernels of ranges of keys and of lengths: the range is an argument, positions
// count from its first key, and what the length hides is as if it did not exist.

// RUN: gsa-opt %s --gsa-to-tile --canonicalize --cse -o %t.lowered
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %t.lowered --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync,gsa-tile-plan-smem),gsa-tile-finalize)' -o %t.final
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %t.final | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-emu %t.final > %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// USAGE-COUNT-4: stack=0 spill_stores=0 spill_loads=0

// Two ranges of one text: the list is copied from the range on, in vectors of 16
// bytes.
// CHECK-LABEL: gsa_tile.kernel @partial_gather_attention(
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: !gsa_tile.global<f32, write>
// CHECK-SAME: %[[FIRST:[a-z0-9]+]]: index, %[[SIZE:[a-z0-9]+]]: index)
// CHECK: %[[BEHIND:.*]] = arith.subi %{{.*}}, %[[FIRST]]
// CHECK: %[[POSITIVE:.*]] = arith.maxsi %[[BEHIND]]
// CHECK: %[[COUNT:.*]] = arith.minsi %[[POSITIVE]], %[[SIZE]]
// CHECK: gsa_tile.smem_alloc : <1x16xi32, linear>
// CHECK: gsa_tile.at {{.*}}%[[FIRST]]
// CHECK: gsa_tile.copy_rows {{.*}} vector 16
// CHECK-LABEL: func.func @lists
// CHECK: gsa_tile.launch @partial_gather_attention grid
// CHECK: gsa_tile.launch @partial_gather_attention grid
func.func @lists(%q: tensor<1x7x4x64xbf16>, %k: tensor<1x50x2x64xbf16>,
    %i: tensor<1x7x32xi32>, %c: tensor<1x7xi32>)
    -> (tensor<1x7x4x64xf32>, tensor<1x7x4x64xf32>) {
  %0, %l0 = gsa.partial_attention %q, %k, %k indices %i, %c first 8 size 16
      {gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 16, stages = 2, producers = 4, consumers = 1>}
    : (tensor<1x7x4x64xbf16>, tensor<1x50x2x64xbf16>, tensor<1x50x2x64xbf16>,
       tensor<1x7x32xi32>, tensor<1x7xi32>)
    -> (tensor<1x7x4x64xf32>, tensor<1x4x7xf32>)
  %1, %l1 = gsa.partial_attention %q, %k, %k indices %i, %c first 16 size 16
      {gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 16, stages = 2, producers = 4, consumers = 1>}
    : (tensor<1x7x4x64xbf16>, tensor<1x50x2x64xbf16>, tensor<1x50x2x64xbf16>,
       tensor<1x7x32xi32>, tensor<1x7xi32>)
    -> (tensor<1x7x4x64xf32>, tensor<1x4x7xf32>)
  return %0, %1 : tensor<1x7x4x64xf32>, tensor<1x7x4x64xf32>
}

// The mask is aligned to the length, which lies in [0, Sk].
// CHECK-LABEL: gsa_tile.kernel @partial_dense_attention(
// CHECK-SAME: %[[LENGTHS:[a-z0-9]+]]: !gsa_tile.global<i32, read>
// CHECK-SAME: %[[QUERIES:[a-z0-9]+]]: index, %[[KEYS:[a-z0-9]+]]: index, %[[FIRST:[a-z0-9]+]]: index, %[[SIZE:[a-z0-9]+]]: index)
// CHECK: %[[GIVEN:.*]] = gsa_tile.load %[[LENGTHS]]
// CHECK: arith.maxsi
// CHECK: %[[LENGTH:.*]] = arith.minsi %{{.*}}, %[[KEYS]]
// CHECK: arith.subi %[[LENGTH]], %[[QUERIES]]
// CHECK: %[[LAST:.*]] = arith.subi %{{.*}}, %[[FIRST]]
// CHECK: %[[END:.*]] = arith.minsi %{{.*}}, %[[SIZE]]
// CHECK: gsa_tile.at {{.*}}%[[FIRST]]
// CHECK: gsa_tile.mask_causal
func.func @keys(%q: tensor<2x20x4x64xbf16>, %k: tensor<2x50x2x64xbf16>,
    %n: tensor<2xi32>) -> tensor<2x20x4x64xf32> {
  %0, %l0 = gsa.partial_attention %q, %k, %k lengths %n first 33 size 100
      {mask = #gsa.mask<causal>, gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 32, block_k = 16, stages = 1, producers = 0, consumers = 2>}
    : (tensor<2x20x4x64xbf16>, tensor<2x50x2x64xbf16>, tensor<2x50x2x64xbf16>,
       tensor<2xi32>) -> (tensor<2x20x4x64xf32>, tensor<2x4x20xf32>)
  return %0 : tensor<2x20x4x64xf32>
}

// Scores of keys at or beyond the length are -inf without a causal mask as well:
// of all rows of a fragment the same.
// CHECK-LABEL: gsa_tile.kernel @index_scores(
// CHECK: gsa_tile.load
// CHECK: %[[LENGTH:.*]] = arith.minsi
// CHECK: %[[LAST:.*]] = arith.subi %[[LENGTH]]
// CHECK: gsa_tile.mask_causal %{{.*}} {rows_per_query = 16 : i64}
// CHECK: gsa_tile.store_rows
func.func @scores(%q: tensor<2x20x2x64xbf16>, %k: tensor<2x50x64xbf16>,
    %n: tensor<2xi32>) -> tensor<2x20x50xf32> {
  %0 = gsa.index_scores %q, %k lengths %n {mask = #gsa.mask<none>,
      gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 16, block_k = 16, span = 2, stages = 1, producers = 0, consumers = 1>}
    : (tensor<2x20x2x64xbf16>, tensor<2x50x64xbf16>, tensor<2xi32>)
    -> tensor<2x20x50xf32>
  return %0 : tensor<2x20x50xf32>
}

// A merge is an elementwise kernel for the output and one for the lse.
// CHECK-LABEL: func.func @merge
// CHECK: gsa_tile.launch @map
// CHECK: gsa_tile.launch @map_
func.func @merge(%o: tensor<1x7x4x64xf32>, %p: tensor<1x7x4x64xf32>,
    %l: tensor<1x4x7xf32>, %m: tensor<1x4x7xf32>)
    -> (tensor<1x7x4x64xbf16>, tensor<1x4x7xf32>) {
  %0:2 = gsa.merge_attention %o, %p lse %l, %m {element_type = bf16}
    : (tensor<1x7x4x64xf32>, tensor<1x7x4x64xf32>, tensor<1x4x7xf32>,
       tensor<1x4x7xf32>) -> (tensor<1x7x4x64xbf16>, tensor<1x4x7xf32>)
  return %0#0, %0#1 : tensor<1x7x4x64xbf16>, tensor<1x4x7xf32>
}
