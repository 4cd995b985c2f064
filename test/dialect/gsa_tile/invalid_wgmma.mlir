// RUN: gsa-opt %s --split-input-file --verify-diagnostics

gsa_tile.kernel @wgmma_nt_c1() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x264xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<264x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected an accumulator of at most 256 columns, got 264}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x264xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<264x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c1_type() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected an f32 accumulator of layout acc and 16 rows, got '!gsa_tile.frag<16x64xbf16, acc>'}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xbf16, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c2() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  // expected-error @+1 {{expected 'rhs' to be a single stage of f16 or bf16 of layout swizzle_128b, or swizzle with rows of 128, 64 or 32 bytes, got '!gsa_tile.smem<64x64xbf16, linear>'}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c2_panel() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x128xbf16, swizzle>
  // expected-error @+1 {{expected 'rhs' to be a single stage of f16 or bf16 of layout swizzle_128b, or swizzle with rows of 128, 64 or 32 bytes, got '!gsa_tile.smem<64x128xbf16, swizzle>'}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x128xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c2_staged() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to be a single stage}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c2_float() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x32xf32, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x32xf32, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to be a single stage of f16 or bf16}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x32xf32, swizzle_128b>, !gsa_tile.smem<64x32xf32, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c2_rows() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<68x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have a multiple of 8 rows, a group of the swizzle, got 68 (nearest: 64 or 72)}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<68x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c3() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'lhs' of the element type of 'rhs', 'bf16', got '!gsa_tile.smem<64x64xf16, swizzle_128b>'}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c3_layout() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, acc>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected a fragment 'lhs' of layout lhs, got '!gsa_tile.frag<16x64xbf16, acc>'}}
  gsa_tile.wgmma_nt %acc, %lhs, %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c3_row() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected no 'lhs_row': a fragment 'lhs' holds the rows of its warp}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c3_no_row() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected a 'lhs_row' for the tile 'lhs', '!gsa_tile.smem<64x64xbf16, swizzle_128b>'}}
  gsa_tile.wgmma_nt %acc, %lhs, %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c3_tile() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'lhs' to be a single stage of f16 or bf16 of layout swizzle_128b}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, linear>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c4() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x32xbf16, swizzle>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected panels of 128 bytes of a 'lhs' that is transposed, got '!gsa_tile.smem<64x32xbf16, swizzle>'}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] {transposed_lhs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x32xbf16, swizzle>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c4_fragment() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected a tile as 'lhs' that is transposed, got '!gsa_tile.frag<16x64xbf16, lhs>'}}
  gsa_tile.wgmma_nt %acc, %lhs, %rhs[%c0] {transposed_lhs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c4_rows() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<72x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected a 'lhs' that is transposed to have a multiple of 16 rows, got 72 (nearest: 64 or 80)}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] {transposed_lhs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<72x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c5() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<48x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 64 or more rows of 'lhs', got 48}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<48x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c6() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x128xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have 64 columns, the k of 'lhs', got 128}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x128xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c6_rows() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x72xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have 72 or more rows, the columns of 'acc', got 64}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x72xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_c6_transposed() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have 32 columns, the k of 'lhs', got 64}}
  gsa_tile.wgmma_nt %acc, %lhs[%c0], %rhs[%c0] {transposed_lhs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<32x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c1() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x320xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x320xbf16, swizzle_128b>
  // expected-error @+1 {{expected an accumulator of at most 256 columns, got 320}}
  gsa_tile.wgmma_nn %acc, %lhs, %rhs[%c0] : !gsa_tile.frag<16x320xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x320xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c6() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x72xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have 72 or more columns, those of 'acc', got 64}}
  gsa_tile.wgmma_nn %acc, %lhs, %rhs[%c0] : !gsa_tile.frag<16x72xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c6_rows() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x80xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have 80 or more rows, the k of 'lhs', got 64}}
  gsa_tile.wgmma_nn %acc, %lhs, %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x80xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c6_transposed() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<128x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @+1 {{expected 'rhs' to have 128 or more rows, the k of 'lhs', got 64}}
  gsa_tile.wgmma_nn %acc, %lhs[%c0], %rhs[%c0] {transposed_lhs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<128x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c2()
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  // expected-error @below {{expected 'rhs' to be a single stage of f16 or bf16 of layout swizzle_128b}}
  gsa_tile.wgmma_nn %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c3()
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @below {{expected 'lhs' of the element type of 'rhs', 'bf16', got '!gsa_tile.smem<64x64xf16, swizzle_128b>'}}
  gsa_tile.wgmma_nn %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c4()
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x32xbf16, swizzle>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @below {{expected panels of 128 bytes of a 'lhs' that is transposed, got '!gsa_tile.smem<64x32xbf16, swizzle>'}}
  gsa_tile.wgmma_nn %acc, %lhs[%c0], %rhs[%c0] {transposed_lhs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x32xbf16, swizzle>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nn_c5()
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xbf16, swizzle_128b>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @below {{expected 64 or more rows of 'lhs', got 32}}
  gsa_tile.wgmma_nn %acc, %lhs[%c0], %rhs[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<32x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}
