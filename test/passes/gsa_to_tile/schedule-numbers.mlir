// Numbers that schedules have defaults for, as other ones: warps, steps and
// blocks of the kernels beside the main ones.

// RUN: gsa-opt %s --split-input-file --gsa-trace-lists --gsa-to-tile=arch=sm_90a --canonicalize --cse | FileCheck %s

// CHECK: gsa_tile.kernel @union_lists({{.*}}min_blocks = 2 : i64, {{.*}}warps = 8 : i64
// CHECK: gsa_tile.check_list {{.*}} step 64
// CHECK: gsa_tile.mark_members {{.*}} step 64
// CHECK: gsa_tile.count_members {{.*}} step 32
// CHECK: gsa_tile.emit_members {{.*}} step 32
// CHECK-LABEL: func.func @union
// As many entries as 200 there may be, and 132 SMs.
// CHECK: gsa_tile.launch @gather_again {{.*}}grid(%c132
func.func @union(%q: tensor<2x400x8x64xbf16>, %k: tensor<2x200x2x64xbf16>,
    %v: tensor<2x200x2x64xbf16>, %i: tensor<2x400x24xi32>, %c: tensor<2x400xi32>)
    -> tensor<2x400x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = 16,
           block_k = 64, key_stages = 3, value_stages = 2, producers = 4,
           table = 16384, chunk = 400, per_query = <engine = mma_sync,
           block_q = 16, block_k = 32, stages = 2, producers = 4,
           consumers = 2>, list_warps = 8, list_entries = 64, list_words = 32,
           list_sm_blocks = 2, again_sm_blocks = 1>}
      : (tensor<2x400x8x64xbf16>, tensor<2x200x2x64xbf16>,
         tensor<2x200x2x64xbf16>, tensor<2x400x24xi32>, tensor<2x400xi32>)
      -> (tensor<2x400x8x64xbf16>, tensor<2x8x400xf32>)
  return %out : tensor<2x400x8x64xbf16>
}

// -----

// Two vectors of 8 numbers for each lane; blocks of 16 and of 4 warps; spans of
// 2 tiles, 4 of which are one of flagged rows.
// CHECK: gsa_tile.kernel @short_rows({{.*}}min_blocks = 1 : i64
// CHECK: gsa_tile.count_beyond {{.*}} step 512 by 8
// CHECK: gsa_tile.kernel @select_rows({{.*}}min_blocks = 2 : i64
// CHECK: gsa_tile.scan_row {{.*}} step 128
// CHECK: gsa_tile.kernel @select_long_rows({{.*}}min_blocks = 3 : i64
// CHECK: gsa_tile.kernel @member_strings({{.*}}warps = 8 : i64
// CHECK: gsa_tile.mark_keys {{.*}} step 128 by 4 : <8x
// CHECK: gsa_tile.launch @index_scores urgent grid({{.*}}%c1, %c8, %c1024)
// CHECK: gsa_tile.launch @member_strings {{.*}}grid(%c128
func.func @masked(%q: tensor<1x1024x8x128xbf16>, %k: tensor<1x1024x2x128xbf16>,
    %v: tensor<1x1024x2x128xbf16>, %iq: tensor<1x1024x4x64xbf16>,
    %ik: tensor<1x1024x64xbf16>) -> tensor<1x1024x8x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 512> {gsa.schedule =
      #gsa.short_rows_schedule<rows = 16, cells = 8, exact = <
        scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 2,
                  stages = 3, producers = 4, consumers = 4>,
        topk = <warps = 4, bins = 1024, capacity = 1024, chunk = 1024,
                sm_warps = 8, step = 128, kept_step = 32>,
        flagged_spans = 4>,
        vectors = 2, sm_warps = 16, row_sm_warps = 12>}
    : (tensor<1x1024x4x64xbf16>, tensor<1x1024x64xbf16>)
    -> (tensor<1x1024x512xi32>, tensor<1x1024xi32>, tensor<1x1024xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c {gsa.schedule =
      #gsa.dense_schedule<engine = wgmma, block_q = 128, block_k = 128,
        key_stages = 2, value_stages = 2, order = ping_pong, per_row = <engine =
        mma_sync, block_q = 16, block_k = 64, stages = 3, producers = 4,
        consumers = 4>, masked = true, string_warps = 8, string_entries = 128>}
    : (tensor<1x1024x8x128xbf16>, tensor<1x1024x2x128xbf16>,
       tensor<1x1024x2x128xbf16>, tensor<1x1024x512xi32>, tensor<1x1024xi32>)
    -> (tensor<1x1024x8x128xbf16>, tensor<1x8x1024xf32>)
  return %out : tensor<1x1024x8x128xbf16>
}

// -----

// A sample of 125 keys as two tiles of 64 by 2 warps; one candidate a thread.
// CHECK: gsa_tile.kernel @split_sample({{.*}}min_blocks = 1 : i64, {{.*}}warps = 2 : i64
// CHECK: gsa_tile.kernel @split_select(
// CHECK: gsa_tile.find_rank {{.*}} bins 512
// CHECK: gsa_tile.kernel @split_merge({{.*}}warps = 8 : i64
func.func @split(%iq: tensor<2x2x4x64xbf16>, %ik: tensor<2x500x64xbf16>,
    %q: tensor<2x2x8x64xbf16>, %k: tensor<2x500x2x64xbf16>)
    -> tensor<2x2x8x64xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 20> {gsa.schedule =
      #gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 2,
        stages = 2, producers = 4, consumers = 2, sample = 4, rank = 10,
        capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>,
        cluster = 8, thread_candidates = 1, candidate_bins = 512,
        cluster_keys = 64, cluster_warps = 2, cluster_sm_blocks = 1>}
    : (tensor<2x2x4x64xbf16>, tensor<2x500x64xbf16>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.split_attention_schedule<entries = 16, part = <engine = mma_sync,
        block_q = 16, block_k = 16, stages = 1, producers = 0, consumers = 1>,
        merge_warps = 8>}
    : (tensor<2x2x8x64xbf16>, tensor<2x500x2x64xbf16>, tensor<2x500x2x64xbf16>,
       tensor<2x2x20xi32>, tensor<2x2xi32>)
    -> (tensor<2x2x8x64xbf16>, tensor<2x8x2xf32>)
  return %out : tensor<2x2x8x64xbf16>
}
