// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops on fragments whose rows are those of two heads in turn,
// and of fragments of half as many rows.

gsa_tile.kernel @fill_halves_c1(%f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  // expected-error @below {{expected a row vector of 16 rows, got '!gsa_tile.rowvec<8xf32>'}}
  gsa_tile.fill_halves %x, %f, %f : !gsa_tile.rowvec<8xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @affine_rows_c1(%f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %y = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  // expected-error @below {{expected f32 and as many offsets as rows, got '!gsa_tile.frag<16x64xf32, acc>' and '!gsa_tile.rowvec<8xf32>'}}
  gsa_tile.affine_rows %x, %f, %y : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<8xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @add_row_pairs_c1() attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %y = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  // expected-error @below {{expected f32 of layout acc, 16 rows to add to 8 of as many columns, got '!gsa_tile.frag<16x64xf32, acc>' with '!gsa_tile.rowvec<16xf32>' to '!gsa_tile.frag<16x64xf32, acc>'}}
  gsa_tile.add_row_pairs %x, %x, %y : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
  gsa_tile.return
}

// -----

// frag_c1: half as many rows are for sums alone.
// expected-error @below {{layout lhs has 16 rows, got 8}}
gsa_tile.kernel @frag_c1(%x: !gsa_tile.frag<8x64xbf16, lhs>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_nt_rows() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<8x64xf32, acc>
  %q = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @below {{expected an f32 accumulator of layout acc and 16 rows, got '!gsa_tile.frag<8x64xf32, acc>'}}
  gsa_tile.wgmma_nt %x, %q[%c0], %q[%c0] {accumulate = false} : !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.return
}
