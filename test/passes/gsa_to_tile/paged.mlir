// Rows in pages are views of pages: no copy, and no other kernel.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --canonicalize --cse | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-to-cuda=arch=sm_90a -o %t.cuda

// Scores of every key of the sequence in tiles of 64, of pages of 48; nothing
// behind its length.
// CHECK-LABEL: gsa_tile.kernel @index_scores
// CHECK-SAME: %[[KEYS:.*]]: !gsa_tile.global<bf16, read>, %[[TABLE:.*]]: !gsa_tile.global<i32, read>, %[[PAGES_OF_TABLE:.*]]: index, %[[PAGES:.*]]: index, %{{.*}}: !gsa_tile.global<i32, read>
// CHECK: gsa_tile.load
// CHECK: arith.maxsi
// CHECK-NEXT: %[[LENGTH:.*]] = arith.minsi
// CHECK: %[[ROW:.*]] = gsa_tile.at %[[TABLE]][%{{.*}}, %{{.*}}] sizes[%[[PAGES_OF_TABLE]]]
// CHECK: gsa_tile.paged_rows %{{.*}} table %[[ROW]] pages %[[PAGES]] of 48 apart 48 step 1 limit %[[LENGTH]]
// CHECK-LABEL: func.func @scores(
// CHECK-NOT: gsa.paged_rows
// CHECK-NOT: memref.alloc{{.*}}48x64xbf16
// CHECK: gsa_tile.launch @index_scores
func.func @scores(%q: tensor<2x33x4x64xbf16>, %p: tensor<30x48x64xbf16>,
    %t: tensor<2x10xi32>, %n: tensor<2xi32>) -> tensor<2x33x480xf32> {
  %k = gsa.paged_rows %p, %t
    : (tensor<30x48x64xbf16>, tensor<2x10xi32>) -> tensor<2x480x64xbf16>
  %s = gsa.index_scores %q, %k lengths %n
    {gsa.schedule = #gsa.score_schedule<engine = mma_sync, block_q = 64, block_k = 64, span = 4, stages = 2, producers = 4, consumers = 4>}
    : (tensor<2x33x4x64xbf16>, tensor<2x480x64xbf16>, tensor<2xi32>)
    -> tensor<2x33x480xf32>
  return %s : tensor<2x33x480xf32>
}

// -----

#part = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>

// Keys and values side by side in one pool: one lookup for both, pages as far
// apart as their rows say, and values from column 128 on.
// CHECK-LABEL: gsa_tile.kernel @gather_attention
// CHECK: %[[VIEW:.*]] = gsa_tile.listed_paged_rows %{{.*}} of 48 apart 48 list
// CHECK: %[[FOUND:.*]] = gsa_tile.find_rows %[[VIEW]]
// CHECK: gsa_tile.copy_rows %[[VIEW]][%[[FOUND]]]
// CHECK: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]]
// CHECK-LABEL: func.func @side_by_side(
// CHECK: memref.subview %{{.*}}[128]
// CHECK: gsa_tile.launch @gather_attention
func.func @side_by_side(%q: tensor<2x9x8x128xbf16>, %p: tensor<30x48x2x256xbf16>,
    %t: tensor<2x10xi32>, %i: tensor<2x9x64xi32>, %c: tensor<2x9xi32>)
    -> (tensor<2x9x8x128xbf16>, tensor<2x8x9xf32>) {
  %kp = tensor.extract_slice %p[0, 0, 0, 0][30, 48, 2, 128][1, 1, 1, 1]
    : tensor<30x48x2x256xbf16> to tensor<30x48x2x128xbf16>
  %vp = tensor.extract_slice %p[0, 0, 0, 128][30, 48, 2, 128][1, 1, 1, 1]
    : tensor<30x48x2x256xbf16> to tensor<30x48x2x128xbf16>
  %k = gsa.paged_rows %kp, %t
    : (tensor<30x48x2x128xbf16>, tensor<2x10xi32>) -> tensor<2x480x2x128xbf16>
  %v = gsa.paged_rows %vp, %t
    : (tensor<30x48x2x128xbf16>, tensor<2x10xi32>) -> tensor<2x480x2x128xbf16>
  %o:2 = gsa.gather_attention %q, %k, %v indices %i, %c {gsa.schedule = #part}
    : (tensor<2x9x8x128xbf16>, tensor<2x480x2x128xbf16>,
       tensor<2x480x2x128xbf16>, tensor<2x9x64xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x8x128xbf16>, tensor<2x8x9xf32>)
  return %o#0, %o#1 : tensor<2x9x8x128xbf16>, tensor<2x8x9xf32>
}

// -----

#part = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>

// Page by page, heads first: from page to page there are the rows of keys and
// values of all heads.
// CHECK-LABEL: gsa_tile.kernel @dense_attention
// CHECK: gsa_tile.paged_rows %{{.*}} of 48 apart 192 step 1 limit
// CHECK-LABEL: func.func @page_by_page(
// CHECK: memref.subview %{{.*}}[12288]
func.func @page_by_page(%q: tensor<2x9x8x128xbf16>,
    %p: tensor<30x2x2x48x128xbf16>, %t: tensor<2x10xi32>)
    -> (tensor<2x9x8x128xbf16>, tensor<2x8x9xf32>) {
  %kp = tensor.extract_slice %p[0, 0, 0, 0, 0][30, 1, 2, 48, 128][1, 1, 1, 1, 1]
    : tensor<30x2x2x48x128xbf16> to tensor<30x2x48x128xbf16>
  %vp = tensor.extract_slice %p[0, 1, 0, 0, 0][30, 1, 2, 48, 128][1, 1, 1, 1, 1]
    : tensor<30x2x2x48x128xbf16> to tensor<30x2x48x128xbf16>
  %k = gsa.paged_rows %kp, %t {heads_first}
    : (tensor<30x2x48x128xbf16>, tensor<2x10xi32>) -> tensor<2x480x2x128xbf16>
  %v = gsa.paged_rows %vp, %t {heads_first}
    : (tensor<30x2x48x128xbf16>, tensor<2x10xi32>) -> tensor<2x480x2x128xbf16>
  %o:2 = gsa.dense_attention %q, %k, %v {gsa.schedule = #part}
    : (tensor<2x9x8x128xbf16>, tensor<2x480x2x128xbf16>,
       tensor<2x480x2x128xbf16>)
    -> (tensor<2x9x8x128xbf16>, tensor<2x8x9xf32>)
  return %o#0, %o#1 : tensor<2x9x8x128xbf16>, tensor<2x8x9xf32>
}
