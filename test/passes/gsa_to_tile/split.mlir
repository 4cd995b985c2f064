// Few queries: keys and lists split among blocks.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --canonicalize --cse -o %t
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %s --split-input-file --gsa-to-cuda=arch=sm_90a -o %t.cuda
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --remarks-filter="gsa.schedule" -o %t.out 2>&1 | FileCheck %s --check-prefix=REMARK

// Scores of 2 x 2 rows of 500 keys, samples of 125, lists of 64 pairs.
// REMARK: SelectWorkspace
// REMARK-SAME: bytes=12080, rows=4

// CHECK-LABEL: gsa_tile.kernel @split_sample
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.score_columns %{{.*}} heads 4 by
// CHECK: gsa_tile.store_scores
// CHECK-NOT: gsa_tile.append_cells
// The second query, with the same keys.
// CHECK: gsa_tile.mma_nt
// CHECK: gsa_tile.store_scores
// CHECK-LABEL: gsa_tile.kernel @split_bounds
// CHECK: gsa_tile.histogram_row
// CHECK-LABEL: gsa_tile.kernel @split_scores
// CHECK: gsa_tile.stream
// CHECK-COUNT-2: gsa_tile.append_cells
// CHECK: gsa_tile.flush_cells
// CHECK: gsa_tile.flush_cells
// From the list, or from the row.
// CHECK-LABEL: gsa_tile.kernel @split_select
// CHECK: gsa_tile.clear_shared
// CHECK: gsa_tile.fetch_candidates
// CHECK: scf.if
// CHECK: gsa_tile.range_candidates
// CHECK: } else {
// CHECK: gsa_tile.scan_row
// CHECK-LABEL: func.func @select(
// CHECK: gsa_tile.launch @split_sample
// CHECK: gsa_tile.launch @split_bounds
// CHECK: gsa_tile.launch @split_scores
// CHECK: gsa_tile.launch @split_select
// CHECK-NOT: gsa_tile.launch
func.func @select(%q: tensor<2x2x4x64xbf16>, %k: tensor<2x500x64xbf16>,
    %w: tensor<2x2x4xbf16>, %b: tensor<4xf32>, %n: tensor<2xi32>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>) {
  %r:3 = gsa.select %q, %k weights %w bias %b lengths %n policy <fixed, base = 20>
    {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 2, sample = 4, rank = 10, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<2x2x4x64xbf16>, tensor<2x500x64xbf16>, tensor<2x2x4xbf16>,
       tensor<4xf32>, tensor<2xi32>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>)
  return %r#0, %r#1, %r#2 : tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>
}

// -----

// A cluster of 8 blocks for each sequence has sample and bounds: blocks 0 and 1
// of it have those of its two queries.
// CHECK-LABEL: gsa_tile.kernel @split_sample
// CHECK-SAME: cluster = 8
// CHECK: gsa_tile.store_scores
// CHECK: gsa_tile.cluster_sync 8
// CHECK: scf.if
// CHECK: gsa_tile.load_row
// CHECK: gsa_tile.histogram_candidates
// CHECK: gsa_tile.drop_below
// CHECK: gsa_tile.histogram_candidates
// CHECK-NOT: gsa_tile.kernel @split_bounds
// CHECK-LABEL: func.func @cluster(
// CHECK: gsa_tile.launch @split_sample
// CHECK-SAME: grid(%c8{{.*}}, %c2
// CHECK: gsa_tile.launch @split_scores
// CHECK: gsa_tile.launch @split_select
// CHECK-NOT: gsa_tile.launch
func.func @cluster(%q: tensor<2x2x4x64xbf16>, %k: tensor<2x500x64xbf16>,
    %w: tensor<2x2x4xbf16>, %b: tensor<4xf32>, %n: tensor<2xi32>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>) {
  %r:3 = gsa.select %q, %k weights %w bias %b lengths %n policy <fixed, base = 20>
    {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 2, sample = 4, rank = 10, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = 8, sm_blocks = 3>}
    : (tensor<2x2x4x64xbf16>, tensor<2x500x64xbf16>, tensor<2x2x4xbf16>,
       tensor<4xf32>, tensor<2xi32>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>)
  return %r#0, %r#1, %r#2 : tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>
}

// -----

// Without lists there are two kernels.
// CHECK-NOT: @split_bounds
// CHECK-LABEL: func.func @rows(
// CHECK: gsa_tile.launch @split_scores
// CHECK: gsa_tile.launch @split_select
func.func @rows(%q: tensor<1x1x3x20xf32>, %k: tensor<1x90x20xf32>)
    -> (tensor<1x1x20xi32>, tensor<1x1xi32>, tensor<1x1xi32>) {
  %r:3 = gsa.select %q, %k policy <entropy, base = 10, max = 20>
    {gsa.schedule = #gsa.split_select_schedule<engine = fma, block_k = 32, span = 1, stages = 1, producers = 0, consumers = 1, sample = 0, rank = 0, capacity = 0, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>>}
    : (tensor<1x1x3x20xf32>, tensor<1x90x20xf32>)
    -> (tensor<1x1x20xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %r#0, %r#1, %r#2 : tensor<1x1x20xi32>, tensor<1x1xi32>, tensor<1x1xi32>
}

// -----

// 5 parts of 128 of 600 entries, two of them in a block, merged by one kernel. A
// part begins with an empty state, its list is in shared memory from the start.
// REMARK: SplitList {{.*}}another kernel merges the parts of a list
// REMARK-SAME: parts=5, per_block=2
// CHECK-LABEL: gsa_tile.kernel @split_gather_attention
// CHECK: gsa_tile.copy_rows
// CHECK: scf.for
// CHECK: gsa_tile.fill_rows
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.store_rows
// CHECK-NOT: gsa_tile.gate_rows
// CHECK: gsa_tile.store_rowvec
// CHECK-NOT: gsa_tile.merge_parts
// CHECK-LABEL: gsa_tile.kernel @split_merge
// CHECK: gsa_tile.merge_parts {{.*}} gate {{.*}} <sigmoid> to
// CHECK-LABEL: func.func @attention(
// CHECK: gsa_tile.launch @split_gather_attention brief
// CHECK: gsa_tile.launch @split_merge brief
// CHECK-NOT: gsa_tile.launch
func.func @attention(%q: tensor<2x1x8x64xbf16>, %k: tensor<2x900x2x64xbf16>,
    %i: tensor<2x1x600xi32>, %c: tensor<2x1xi32>, %g: tensor<2x1x8x64xbf16>,
    %n: tensor<2xi32>) -> (tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>) {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c gate %g lengths %n
    {gsa.schedule = #gsa.split_attention_schedule<entries = 128, per_block = 2, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>}
    : (tensor<2x1x8x64xbf16>, tensor<2x900x2x64xbf16>, tensor<2x900x2x64xbf16>,
       tensor<2x1x600xi32>, tensor<2x1xi32>, tensor<2x1x8x64xbf16>, tensor<2xi32>)
    -> (tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>)
  return %out, %lse : tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>
}

// -----

// A block with all parts merges them behind a barrier of those that compute.
// REMARK: SplitList {{.*}}a block merges the parts of its list
// REMARK-SAME: parts=5, per_block=5
// CHECK-LABEL: gsa_tile.kernel @split_gather_attention
// CHECK: scf.for
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.sync <4, 4> barrier 1
// CHECK: gsa_tile.merge_parts {{.*}} by <4, 4>
// CHECK-LABEL: func.func @whole(
// CHECK: gsa_tile.launch @split_gather_attention brief
// CHECK-NOT: gsa_tile.launch
func.func @whole(%q: tensor<2x1x8x64xbf16>, %k: tensor<2x900x2x64xbf16>,
    %i: tensor<2x1x600xi32>, %c: tensor<2x1xi32>, %g: tensor<2x1x8xf32>)
    -> tensor<2x1x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c gate %g
    {gsa.schedule = #gsa.split_attention_schedule<entries = 128, per_block = 8, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>}
    : (tensor<2x1x8x64xbf16>, tensor<2x900x2x64xbf16>, tensor<2x900x2x64xbf16>,
       tensor<2x1x600xi32>, tensor<2x1xi32>, tensor<2x1x8xf32>)
    -> (tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>)
  return %out : tensor<2x1x8x64xbf16>
}

// -----

// A cluster of 4 blocks with two parts each, but the last, merges them: all warps
// wait for those of the others, and a block has the rows of one head of 4.
// REMARK: SplitList {{.*}}a cluster merges the parts of its list
// REMARK-SAME: cluster=4, parts=7, per_block=2
// CHECK-LABEL: gsa_tile.kernel @split_gather_attention
// CHECK-SAME: cluster = 4
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.cluster_sync 4
// CHECK-NOT: gsa_tile.stream
// CHECK: gsa_tile.merge_parts {{.*}} gate {{.*}} <sigmoid> to {{.*}} by <4, 2>
// CHECK-NOT: gsa_tile.kernel
// CHECK-LABEL: func.func @clustered(
// CHECK: gsa_tile.launch @split_gather_attention brief grid(%c4{{[^,]*}}, %c2
// CHECK-NOT: gsa_tile.launch
func.func @clustered(%q: tensor<2x1x8x64xbf16>, %k: tensor<2x900x2x64xbf16>,
    %i: tensor<2x1x800xi32>, %c: tensor<2x1xi32>, %g: tensor<2x1x8x64xbf16>)
    -> tensor<2x1x8x64xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c gate %g
    {gsa.schedule = #gsa.split_attention_schedule<entries = 128, per_block = 2, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 4, producers = 4, consumers = 2>, cluster = 4>}
    : (tensor<2x1x8x64xbf16>, tensor<2x900x2x64xbf16>, tensor<2x900x2x64xbf16>,
       tensor<2x1x800xi32>, tensor<2x1xi32>, tensor<2x1x8x64xbf16>)
    -> (tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>)
  return %out : tensor<2x1x8x64xbf16>
}

// -----

// Deferred scores: a block has those of its span in shared memory before it
// touches bounds, scores or lists. Warps that load meet no barrier but the first.
// CHECK-LABEL: gsa_tile.kernel @split_scores
// CHECK: gsa_tile.tile_ring
// CHECK-NEXT: gsa_tile.sync <0, 6>
// CHECK: gsa_tile.copy_wait <4, 2> barrier 1
// CHECK-NOT: gsa_tile.load %
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.put_lanes
// CHECK-NOT: gsa_tile.store_scores
// CHECK: gsa_tile.load %
// CHECK: scf.for
// CHECK: gsa_tile.take_lanes
// CHECK-NEXT: gsa_tile.at
// CHECK-NEXT: gsa_tile.store_scores
// CHECK-NEXT: gsa_tile.append_cells
// CHECK: gsa_tile.flush_cells
// CHECK-LABEL: func.func @deferred(
func.func @deferred(%q: tensor<2x1x4x64xbf16>, %k: tensor<2x500x64xbf16>)
    -> (tensor<2x1x20xi32>, tensor<2x1xi32>, tensor<2x1xi32>) {
  %r:3 = gsa.select %q, %k policy <fixed, base = 20>
    {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 2, sample = 4, rank = 10, capacity = 64, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = 8, deferred = true>}
    : (tensor<2x1x4x64xbf16>, tensor<2x500x64xbf16>)
    -> (tensor<2x1x20xi32>, tensor<2x1xi32>, tensor<2x1xi32>)
  return %r#0, %r#1, %r#2 : tensor<2x1x20xi32>, tensor<2x1xi32>, tensor<2x1xi32>
}

// -----

// A row is read once: what its block clears it clears before the scores are there.
// CHECK-LABEL: gsa_tile.kernel @split_select
// CHECK: gsa_tile.clear_shared
// CHECK: gsa_tile.load_row
// CHECK: scf.if
// CHECK: gsa_tile.histogram_candidates
// CHECK: } else {
// CHECK: gsa_tile.scan_row
// CHECK-LABEL: func.func @held(
// CHECK: gsa_tile.launch @split_scores
// CHECK: gsa_tile.launch @split_select
func.func @held(%q: tensor<1x1x3x20xf32>, %k: tensor<1x90x20xf32>)
    -> (tensor<1x1x20xi32>, tensor<1x1xi32>, tensor<1x1xi32>) {
  %r:3 = gsa.select %q, %k policy <fixed, base = 20>
    {gsa.schedule = #gsa.split_select_schedule<engine = fma, block_k = 32, span = 1, stages = 1, producers = 0, consumers = 1, sample = 0, rank = 0, capacity = 0, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, row_cells = 2>}
    : (tensor<1x1x3x20xf32>, tensor<1x90x20xf32>)
    -> (tensor<1x1x20xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %r#0, %r#1, %r#2 : tensor<1x1x20xi32>, tensor<1x1xi32>, tensor<1x1xi32>
}

// -----

// A cluster has the scores of a sequence, and blocks 0 and 1 of it its two rows.
// CHECK-LABEL: gsa_tile.kernel @split_cluster_select
// CHECK-SAME: cluster = 8
// CHECK: gsa_tile.store_scores
// CHECK: gsa_tile.clear_shared
// CHECK: gsa_tile.cluster_sync 8
// CHECK: scf.if
// CHECK: gsa_tile.load_row
// CHECK-LABEL: func.func @cluster_rows(
// CHECK: gsa_tile.launch @split_cluster_select
// CHECK-SAME: grid(%c8{{.*}}, %c2
// CHECK-NOT: gsa_tile.launch
func.func @cluster_rows(%q: tensor<2x2x4x64xbf16>, %k: tensor<2x500x64xbf16>,
    %n: tensor<2xi32>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>) {
  %r:3 = gsa.select %q, %k lengths %n policy <fixed, base = 20>
    {gsa.schedule = #gsa.split_select_schedule<engine = mma_sync, block_k = 64, span = 2, stages = 2, producers = 4, consumers = 2, sample = 0, rank = 0, capacity = 0, rows = <warps = 2, bins = 256, capacity = 64, chunk = 1>, cluster = 8, cluster_keys = 64, cluster_warps = 2, row_cells = 8>}
    : (tensor<2x2x4x64xbf16>, tensor<2x500x64xbf16>, tensor<2xi32>)
    -> (tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>)
  return %r#0, %r#1, %r#2 : tensor<2x2x20xi32>, tensor<2x2xi32>, tensor<2x2xi32>
}

// -----

// 5 parts in 3 blocks, each of which asks for a third of 900 keys and values before
// it has its list.
// CHECK-LABEL: gsa_tile.kernel @split_gather_attention
// CHECK: gsa_tile.prefetch_rows {{.*}} rows 300 by
// CHECK: gsa_tile.prefetch_rows {{.*}} rows 300 by
// CHECK: gsa_tile.copy_rows {{.*}}xi32
// CHECK-LABEL: func.func @prefetched(
func.func @prefetched(%q: tensor<2x1x8x64xbf16>, %k: tensor<2x900x2x64xbf16>,
    %i: tensor<2x1x600xi32>, %c: tensor<2x1xi32>)
    -> (tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>) {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    {gsa.schedule = #gsa.split_attention_schedule<entries = 128, per_block = 2, part = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>, prefetch = true>}
    : (tensor<2x1x8x64xbf16>, tensor<2x900x2x64xbf16>, tensor<2x900x2x64xbf16>,
       tensor<2x1x600xi32>, tensor<2x1xi32>)
    -> (tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>)
  return %out, %lse : tensor<2x1x8x64xbf16>, tensor<2x8x1xf32>
}
