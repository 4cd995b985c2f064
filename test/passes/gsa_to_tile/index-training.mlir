// What trains an indexer: kernels for each query, cells in memory in between.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --canonicalize --cse -o %t
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %s --split-input-file --gsa-to-cuda=arch=sm_90a -o %t.cuda
// RUN: %if nvrtc %{ gsa-translate --split-input-file --resource-usage --refuse-spills %t.cuda | FileCheck %s --check-prefix=USAGE %}

// USAGE-NOT: {{error|warning}}
// USAGE: index_kl_shares registers=

// The gradient of the loss over lists: 70 slots in tiles of 64, 2 groups of heads.

// CHECK-LABEL: gsa_tile.kernel @index_kl_shares
// CHECK: gsa_tile.copy_rows {{.*}} to <1x72xi32, linear>
// CHECK: gsa_tile.load_rowvec
// CHECK-NEXT: gsa_tile.put_rowvec {{.*}} to <2x16xf32, linear>
// CHECK: gsa_tile.stream
// CHECK: gsa_tile.listed_rows
// CHECK: compute
// CHECK: gsa_tile.set_lanes
// CHECK: gsa_tile.mma_nt
// CHECK-NEXT: gsa_tile.log_sum_columns {{.*}} heads 3 less
// CHECK: gsa_tile.store_scores
// CHECK-LABEL: gsa_tile.kernel @index_kl_scores
// CHECK: gsa_tile.score_columns {{.*}} heads 4 by
// CHECK-LABEL: gsa_tile.kernel @index_kl_cells
// CHECK: gsa_tile.for_each
// CHECK: arith.cmpi ult
// One text for both sums of exponentials.
// CHECK-LABEL: gsa_tile.kernel @log_sum_exp
// CHECK: gsa_tile.exp_row
// CHECK: math.log
// CHECK-NOT: gsa_tile.kernel @log_sum_exp
// CHECK-LABEL: gsa_tile.kernel @index_kl_scores_grad
// CHECK-COUNT-2: math.exp
// CHECK-LABEL: gsa_tile.kernel @index_scores_grad
// CHECK: compute
// CHECK: gsa_tile.mma_nt
// CHECK: gsa_tile.affine_rows
// CHECK-NEXT: gsa_tile.slope {{.*}} <sigmoid>
// CHECK-NEXT: gsa_tile.activate {{.*}} <sigmoid>
// CHECK-NEXT: gsa_tile.weigh_columns
// CHECK-NEXT: gsa_tile.add_partial_sums
// CHECK-NEXT: gsa_tile.scale_rows
// CHECK-NEXT: gsa_tile.weigh_columns
// CHECK-NEXT: gsa_tile.add_partial_sums
// CHECK: gsa_tile.mma_nn
// CHECK: gsa_tile.put_frag
// CHECK: gsa_tile.load_lhs_transposed
// CHECK: gsa_tile.mma_nn
// CHECK: gsa_tile.accumulate_rows {{.*}} to <f32, listed, accumulate>
// Behind the stream: warps in their order.
// CHECK: gsa_tile.join_partial_sums
// CHECK: gsa_tile.take_frag
// CHECK-NEXT: gsa_tile.add_scaled
// CHECK: gsa_tile.store_rows
// CHECK: gsa_tile.sum_rows
// CHECK-LABEL: gsa_tile.kernel @index_key_grad
// CHECK: arith.truncf
// CHECK-LABEL: gsa_tile.kernel @index_weights_grad
// CHECK-LABEL: gsa_tile.kernel @index_bias_grad
// CHECK: gsa_tile.sum_row
// Gradients of keys start at 0; chunks of 5 queries.
// CHECK-LABEL: func.func @main
// CHECK: linalg.fill
// CHECK: scf.for
// CHECK: scf.for {{.*}} step %c5
// CHECK: memref.alloc() : memref<5x70xf32>
#s = #gsa.training_schedule<block_k = 64, stages = 2, producers = 2,
    consumers = 2, row_warps = 2, chunk = 5>
func.func @main(%iq: tensor<2x8x4x24xbf16>, %ik: tensor<2x90x24xbf16>,
                %w: tensor<2x8x4xf32>, %b: tensor<4xbf16>,
                %q: tensor<2x8x6x40xbf16>, %k: tensor<2x90x2x40xbf16>,
                %l: tensor<2x6x8xf32>, %g: tensor<2x8xf32>,
                %i: tensor<2x8x70xi32>, %c: tensor<2x8xi32>)
    -> (tensor<2x8x4x24xbf16>, tensor<2x90x24xbf16>, tensor<2x8x4xf32>, tensor<4xbf16>) {
  %0:4 = gsa.index_kl_grad %iq, %ik weights %w bias %b attention %q, %k lse %l
      loss_grad %g indices %i, %c {temperature = 0.25 : f64, gsa.schedule = #s}
      : (tensor<2x8x4x24xbf16>, tensor<2x90x24xbf16>, tensor<2x8x4xf32>,
         tensor<4xbf16>, tensor<2x8x6x40xbf16>, tensor<2x90x2x40xbf16>,
         tensor<2x6x8xf32>, tensor<2x8xf32>, tensor<2x8x70xi32>, tensor<2x8xi32>)
      -> (tensor<2x8x4x24xbf16>, tensor<2x90x24xbf16>, tensor<2x8x4xf32>, tensor<4xbf16>)
  return %0#0, %0#1, %0#2, %0#3 : tensor<2x8x4x24xbf16>, tensor<2x90x24xbf16>, tensor<2x8x4xf32>, tensor<4xbf16>
}

// -----

// With a clip sums of what it does not cut are needed.

// CHECK-LABEL: gsa_tile.kernel @index_kl_uncut
// CHECK: arith.cmpf ogt
// CHECK-LABEL: gsa_tile.kernel @sum_of_cells
// CHECK-LABEL: gsa_tile.kernel @index_kl_scores_grad
#s = #gsa.training_schedule<block_k = 32, stages = 1, producers = 0,
    consumers = 1, row_warps = 1, chunk = 8>
func.func @main(%iq: tensor<1x8x1x16xf32>, %ik: tensor<1x9x16xf32>,
                %q: tensor<1x8x2x16xf32>, %k: tensor<1x9x1x16xf32>,
                %l: tensor<1x2x8xf32>, %g: tensor<1x8xf32>)
    -> tensor<1x9x16xf32> {
  %0:4 = gsa.index_kl_grad %iq, %ik attention %q, %k lse %l loss_grad %g
      {clip = 8.0 : f64, mask = #gsa.mask<causal>, gsa.schedule = #s}
      : (tensor<1x8x1x16xf32>, tensor<1x9x16xf32>, tensor<1x8x2x16xf32>,
         tensor<1x9x1x16xf32>, tensor<1x2x8xf32>, tensor<1x8xf32>)
      -> (tensor<1x8x1x16xf32>, tensor<1x9x16xf32>, tensor<1x8x1xf32>, tensor<1xf32>)
  return %0#1 : tensor<1x9x16xf32>
}

// -----

// The mean over heads needs the lse of each head over the list itself; an
// indexer of relu; the loss alone.

// CHECK-LABEL: gsa_tile.kernel @index_kl_lse
// CHECK: gsa_tile.mask_rows
// CHECK-NEXT: gsa_tile.softmax_update
// CHECK: gsa_tile.softmax_merge
// CHECK: gsa_tile.softmax_finish
// CHECK-LABEL: gsa_tile.kernel @index_kl_heads
// CHECK: gsa_tile.for_each
// CHECK-LABEL: gsa_tile.kernel @index_kl_shares
// CHECK: gsa_tile.log_sum_columns {{.*}} heads 16 less
// CHECK: gsa_tile.log_sum_columns {{.*}} heads 1 less
// CHECK-LABEL: gsa_tile.kernel @index_kl_terms
// CHECK-NOT: gsa_tile.kernel @index_scores_grad
#s = #gsa.training_schedule<block_k = 64, stages = 2, producers = 1,
    consumers = 2, row_warps = 1, chunk = 8>
func.func @main(%iq: tensor<1x8x1x16xf16>, %ik: tensor<1x9x16xf16>,
                %q: tensor<1x8x17x16xf16>, %k: tensor<1x9x1x16xf16>,
                %l: tensor<1x17x8xf32>, %i: tensor<1x8x5xi32>, %c: tensor<1x8xi32>)
    -> tensor<1x8xf32> {
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %i, %c
      {mean_heads, score_activation = #gsa.score_activation<relu>,
       gsa.schedule = #s}
      : (tensor<1x8x1x16xf16>, tensor<1x9x16xf16>, tensor<1x8x17x16xf16>,
         tensor<1x9x1x16xf16>, tensor<1x17x8xf32>, tensor<1x8x5xi32>,
         tensor<1x8xi32>) -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}

// -----

// More heads of the indexer than a product has rows: one text, launched for each
// 16 of them.

// CHECK-LABEL: gsa_tile.kernel @index_scores_grad
// CHECK-NOT: gsa_tile.kernel @index_scores_grad
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: gsa_tile.launch @index_scores_grad
#s = #gsa.training_schedule<block_k = 32, stages = 1, producers = 0,
    consumers = 1, row_warps = 1, chunk = 8>
func.func @main(%q: tensor<1x8x32x16xbf16>, %k: tensor<1x9x16xbf16>,
                %g: tensor<1x8x9xf32>) -> tensor<1x9x16xbf16> {
  %0:4 = gsa.index_scores_grad %q, %k scores_grad %g
      {mask = #gsa.mask<none>, gsa.schedule = #s}
      : (tensor<1x8x32x16xbf16>, tensor<1x9x16xbf16>, tensor<1x8x9xf32>)
      -> (tensor<1x8x32x16xbf16>, tensor<1x9x16xbf16>, tensor<1x8x32xf32>, tensor<32xf32>)
  return %0#1 : tensor<1x9x16xbf16>
}
