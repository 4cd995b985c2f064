// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops that write and read lists of candidates.

gsa_tile.kernel @add_partial_sums_c1() attributes {warps = 1 : i64} {
  %sums = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  // expected-error @below {{fragment: expected f32 of layout acc, got '!gsa_tile.frag<16x64xbf16, lhs>'}}
  gsa_tile.add_partial_sums %sums, %x : !gsa_tile.rowvec<16xf32>, !gsa_tile.frag<16x64xbf16, lhs>
  gsa_tile.return
}

// -----

gsa_tile.kernel @add_partial_moments_c1() attributes {warps = 1 : i64} {
  %sums = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xi32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  // expected-error @below {{sums: expected f32, got '!gsa_tile.rowvec<16xi32>'}}
  gsa_tile.add_partial_moments %sums, %sums, %x : !gsa_tile.rowvec<16xi32>, !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.return
}

// -----

gsa_tile.kernel @join_partial_sums_c1() attributes {warps = 1 : i64} {
  %sums = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xi32>
  // expected-error @below {{sums: expected f32, got '!gsa_tile.rowvec<16xi32>'}}
  gsa_tile.join_partial_sums %sums : !gsa_tile.rowvec<16xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c1(%list: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x128xf32, acc>
  // expected-error @below {{expected scores of at most 64 columns, got 128}}
  gsa_tile.append_candidates %x above %bounds to %list, %list[%n below %n] capacity %n column %n : !gsa_tile.frag<16x128xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c1_bounds(%list: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xi32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  // expected-error @below {{bounds: expected f32, got '!gsa_tile.rowvec<16xi32>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %list[%n below %n] capacity %n column %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c2(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<f32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  // expected-error @below {{counts: expected i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<f32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @flag_rows_c1(%counts: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %sums = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  // expected-error @below {{counts: expected i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.flag_rows %sums to %counts[%n below %n] : !gsa_tile.rowvec<16xf32> to !gsa_tile.global<f32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_candidates_c1(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  // expected-error @below {{bitmap: expected one row of i32, got '!gsa_tile.smem<2x256xi32, linear>'}}
  gsa_tile.mark_candidates %bitmap, %list count %n forced %n, %n below %n by <0, 1> : !gsa_tile.smem<2x256xi32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_bits_c1(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected a positive multiple of 32 columns, got 40}}
  gsa_tile.count_bits %bits, %bitmap[%n to %n] step 40 : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_bits_c2(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected lanes of 2xi32, got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.count_bits %bits, %bitmap[%n to %n] step 32 : !gsa_tile.lanes<1xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @scan_bits_c1(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %before = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xf32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{before: expected one row of i32, got '!gsa_tile.smem<1x256xf32, linear>'}}
  gsa_tile.scan_bits %before, %bits, %bitmap[%n to %n] step 32 : !gsa_tile.smem<1x256xf32, linear>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @place_candidates_c1(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xi64, linear>
  // expected-error @below {{keys: expected one row of i32, got '!gsa_tile.smem<1x128xi64, linear>'}}
  gsa_tile.place_candidates %list count %n forced %n, %n below %n at %bitmap, %bitmap to %keys, %bitmap by <0, 1> : !gsa_tile.global<i32, read> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x128xi64, linear>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}
