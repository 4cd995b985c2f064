// Gradients of attention over lists with keys in ranges: unions say how many of
// their keys lie in the pieces before, the same kernel is launched for each range,
// and what ranges add to gradients of queries is added up in f32.

// RUN: gsa-opt %s --gsa-to-tile=arch=sm_90a --canonicalize --cse -o %t.lowered
// RUN: FileCheck %s --input-file %t.lowered
// RUN: gsa-opt %s --gsa-to-cuda=arch=sm_90a -o %t.final
// RUN: gsa-translate --gsa-tile-to-cuda %t.final | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %t.final | FileCheck %s --check-prefix=USAGE %}

// USAGE-DAG: sm_90a union_gradient registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0
// USAGE-DAG: sm_90a round_query_sums registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// The count behind each piece, and that of all behind the last key.
// CHECK-LABEL: gsa_tile.kernel @union_lists(
// CHECK: %[[PIECES:.*]] = gsa_tile.at %arg5[
// CHECK: gsa_tile.emit_members
// CHECK: gsa_tile.store %{{.*}}, %[[PIECES]][
// CHECK: gsa_tile.fill_span %{{.*}} to %[[PIECES]][

// Tiles from the first one that begins in the range on; the pieces of the range
// are the last two arguments.
// CHECK-LABEL: gsa_tile.kernel @union_gradient(
// CHECK: %[[COUNTS:.*]] = gsa_tile.at %arg16[
// CHECK: %[[LOADED:.*]] = gsa_tile.load %[[COUNTS]][
// CHECK: %[[BEFORE:.*]] = arith.index_cast %[[LOADED]]
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi eq, %arg24, %c0
// CHECK: %[[KEYS:.*]] = arith.select %[[IS_FIRST]], %c0, %[[BEFORE]]
// CHECK: %[[FIRST:.*]] = arith.divui %[[KEYS]], %c64
// CHECK: arith.cmpi eq, %arg25, %arg22
// CHECK: %[[TILES:.*]] = arith.subi %{{.*}}, %[[FIRST]]
// CHECK: %[[ANY:.*]] = arith.cmpi sgt, %[[TILES]], %c0
// CHECK: %[[READS:.*]] = arith.ori %[[IS_FIRST]], %[[ANY]]
// CHECK: %[[ROWS:.*]] = arith.select %[[READS]], %{{.*}}, %c0
// CHECK: gsa_tile.two_level_rows {{.*}} count %[[ROWS]]
// CHECK: %[[STEPS:.*]] = arith.select %{{.*}}, %c0, %[[TILES]]
// CHECK: gsa_tile.stream below %[[STEPS]]
// CHECK: ^bb0(%[[STEP:.*]]: index, %{{.*}}
// CHECK: arith.addi %[[FIRST]], %[[STEP]]
// CHECK: } compute {
// CHECK: gsa_tile.reduce_tile {{.*}} to <f32, listed, accumulate>
// CHECK: gsa_tile.reduce_tile_wait
// CHECK: gsa_tile.put_frag
// CHECK: gsa_tile.fence_async
// CHECK: gsa_tile.reduce_tile {{.*}} to <f32, two_level, accumulate>
// CHECK: gsa_tile.reduce_tile_wait
// CHECK-NOT: gsa_tile.store_rows

// CHECK-LABEL: gsa_tile.kernel @round_query_sums(

// Three pieces of 1024 keys in two ranges.
// CHECK-LABEL: func.func @ranges
// CHECK: gsa_tile.launch @union_lists
// CHECK: gsa_tile.launch @clear_sums
// CHECK: gsa_tile.launch @union_gradient grid({{.*}}, %c0, %c1)
// CHECK: gsa_tile.launch @union_gradient grid({{.*}}, %c1, %c3)
// CHECK: gsa_tile.launch @round_query_sums
// CHECK: gsa_tile.launch @gradient_again

// CUDA-LABEL: void union_gradient(
// CUDA: int arg24,
// CUDA: reduce_tile(
func.func @ranges(%q: tensor<1x80x8x64xbf16>, %k: tensor<1x3000x2x64xbf16>,
    %v: tensor<1x3000x2x64xbf16>, %i: tensor<1x80x60xi32>, %c: tensor<1x80xi32>,
    %o: tensor<1x80x8x64xbf16>, %l: tensor<1x8x80xf32>)
    -> (tensor<1x80x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      {gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 32, groups = 2, key_stages = 1, value_stages = 1, producers = 4, table = 1024, chunk = 64, per_query = <engine = mma_sync, block_k = 16, columns = 64>, key_chunks = 2>}
    : (tensor<1x80x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>,
       tensor<1x80x60xi32>, tensor<1x80xi32>, tensor<1x80x8x64xbf16>,
       tensor<1x8x80xf32>, tensor<1x8x80xf32>)
    -> (tensor<1x80x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x80x8x64xbf16>, tensor<1x3000x2x64xbf16>, tensor<1x3000x2x64xbf16>
}
