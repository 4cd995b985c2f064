// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops on keys that queries share.

gsa_tile.kernel @check_list_c1(%list: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<f32, read>'}}
  gsa_tile.check_list %x, %list[%n to %n] step 64 limit %n : !gsa_tile.lanes<1xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @check_list_c1_columns(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.check_list %x, %list[%n to %n] step 48 limit %n : !gsa_tile.lanes<1xi32>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @check_list_c2(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected lanes of 1xi32, got '!gsa_tile.lanes<2xi32>'}}
  gsa_tile.check_list %x, %list[%n to %n] step 64 limit %n : !gsa_tile.lanes<2xi32>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_members_c1(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected a positive multiple of 32 columns, got 0}}
  %m = gsa_tile.mark_members %t, %list[%n to %n] step 0 first %n bit %n : !gsa_tile.smem<1x1024xi32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_members_c2(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<2x1024xi32, linear>
  // expected-error @below {{expected a table of one row of i32, got '!gsa_tile.smem<2x1024xi32, linear>'}}
  %m = gsa_tile.mark_members %t, %list[%n to %n] step 32 first %n bit %n : !gsa_tile.smem<2x1024xi32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_members_c1(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xf32, linear>
  // expected-error @below {{expected a table of one row of i32, got '!gsa_tile.smem<1x1024xf32, linear>'}}
  gsa_tile.count_members %x, %t[%n to %n] step 32 : !gsa_tile.lanes<1xi32>, !gsa_tile.smem<1x1024xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_members_c2(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected lanes of 1xi32, got '!gsa_tile.lanes<1xf32>'}}
  gsa_tile.count_members %x, %t[%n to %n] step 32 : !gsa_tile.lanes<1xf32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_members_c1(%out: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected lanes of 1xi32, got '!gsa_tile.lanes<2xi32>'}}
  gsa_tile.emit_members %out, %out, %x, %t[%n to %n] step 32 first %n : !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_members_c2(%out: !gsa_tile.global<i32, write>, %words: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.emit_members %out, %words, %x, %t[%n to %n] step 32 first %n : !gsa_tile.global<i32, write>, !gsa_tile.global<f32, write>, !gsa_tile.lanes<1xi32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_kinds_c1(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<2x1024xi32, linear>
  // expected-error @below {{expected a table of one row of i32, got '!gsa_tile.smem<2x1024xi32, linear>'}}
  gsa_tile.count_kinds %x, %t[%n to %n] step 32 half 16 : !gsa_tile.lanes<3xi32>, !gsa_tile.smem<2x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_kinds_c2(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected lanes of 3xi32, got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.count_kinds %x, %t[%n to %n] step 32 half 16 : !gsa_tile.lanes<1xi32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_kinds_c3(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected a half of 1 to 31 queries, got 32}}
  gsa_tile.count_kinds %x, %t[%n to %n] step 32 half 32 : !gsa_tile.lanes<3xi32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_kinds_c1(%out: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.emit_kinds %out, %out, %x, %t[%n to %n] step 48 half 16 first %n : !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>, !gsa_tile.lanes<3xi32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_kinds_c2(%out: !gsa_tile.global<i32, write>, %words: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x1024xi32, linear>
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.emit_kinds %out, %words, %x, %t[%n to %n] step 32 half 16 first %n : !gsa_tile.global<i32, write>, !gsa_tile.global<f32, write>, !gsa_tile.lanes<3xi32>, !gsa_tile.smem<1x1024xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @transpose_members_c1(%out: !gsa_tile.global<i64, write>, %words: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<i64, write>'}}
  gsa_tile.transpose_members %words[%n] to %out strings 16 block 64 : !gsa_tile.global<i32, write> to !gsa_tile.global<i64, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @transpose_members_c2(%out: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected at least one string, got 0}}
  gsa_tile.transpose_members %out[%n] to %out strings 0 block 64 : !gsa_tile.global<i32, write> to !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @transpose_members_c2_block(%out: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected blocks of a positive multiple of 32 keys, got 48}}
  gsa_tile.transpose_members %out[%n] to %out strings 16 block 48 : !gsa_tile.global<i32, write> to !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_c1(%out: !gsa_tile.global<i32, write>, %count: !gsa_tile.global<i64, write>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<i64, write>'}}
  gsa_tile.append %n to %out count %count : !gsa_tile.global<i32, write>, !gsa_tile.global<i64, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mask_bits_c1(%n: index) attributes {warps = 1 : i64} {
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %w = gsa_tile.smem_alloc : !gsa_tile.smem<1x32xi64, linear>
  // expected-error @below {{expected linear words of i32, got '!gsa_tile.smem<1x32xi64, linear>'}}
  gsa_tile.mask_bits %f, %w[%n] row %n {rows_per_string = 4 : i64} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<1x32xi64, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mask_bits_c2(%n: index) attributes {warps = 1 : i64} {
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x48xf32, acc>
  %w = gsa_tile.smem_alloc : !gsa_tile.smem<1x32xi32, linear>
  // expected-error @below {{expected a multiple of 32 columns, got 48}}
  gsa_tile.mask_bits %f, %w[%n] row %n {rows_per_string = 4 : i64} : !gsa_tile.frag<16x48xf32, acc>, !gsa_tile.smem<1x32xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mask_bits_rows(%n: index) attributes {warps = 1 : i64} {
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %w = gsa_tile.smem_alloc : !gsa_tile.smem<1x32xi32, linear>
  // expected-error @below {{attribute 'rows_per_string' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  gsa_tile.mask_bits %f, %w[%n] row %n {rows_per_string = 0 : i64} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<1x32xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @look_up_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %found = gsa_tile.found_alloc : !gsa_tile.found_rows<64 x 8 by <0, 2>>
  // expected-error @below {{expected rows found by #gsa_tile.team<0, 4>, got '!gsa_tile.found_rows<64 x 8 by <0, 2>>'}}
  gsa_tile.look_up %rows[%n] to %found by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.found_rows<64 x 8 by <0, 2>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @keep_found_c1() attributes {warps = 4 : i64} {
  %found = gsa_tile.found_alloc : !gsa_tile.found_rows<64 x 8 by <0, 2>>
  // expected-error @below {{expected rows found by #gsa_tile.team<2, 2>, got '!gsa_tile.found_rows<64 x 8 by <0, 2>>'}}
  gsa_tile.keep_found %found to %found by <2, 2> : !gsa_tile.found_rows<64 x 8 by <0, 2>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_rows_list(%x: !gsa_tile.global<bf16, read>, %list: !gsa_tile.global<i64, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected lists and tables of i32, got '!gsa_tile.global<i64, read>'}}
  %rows = gsa_tile.listed_rows %x pitch %pitch list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i64, read> to !gsa_tile.rows<bf16, listed, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @any_not_finite_c1() attributes {warps = 4 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x12xbf16, linear>
  // expected-error @below {{expected a tile of floats with rows of whole 16-byte chunks, got '!gsa_tile.smem<16x12xbf16, linear>'}}
  %x = gsa_tile.any_not_finite %t by <0, 4> : !gsa_tile.smem<16x12xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @any_not_finite_c1_element() attributes {warps = 4 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xi32, linear>
  // expected-error @below {{expected a tile of floats with rows of whole 16-byte chunks, got '!gsa_tile.smem<16x64xi32, linear>'}}
  %x = gsa_tile.any_not_finite %t by <0, 4> : !gsa_tile.smem<16x64xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @any_not_finite_c2() attributes {warps = 8 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xbf16, linear>
  // expected-error @below {{expected all 8 warps of the block, got #gsa_tile.team<4, 4>}}
  %x = gsa_tile.any_not_finite %t by <4, 4> : !gsa_tile.smem<16x64xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @drop_rows_c1(%n: index) attributes {warps = 4 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x6xf32, linear>
  %lse = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  // expected-error @below {{expected a tile of floats with rows of whole 16-byte chunks, got '!gsa_tile.smem<64x6xf32, linear>'}}
  gsa_tile.drop_rows %t[%n] by %lse : !gsa_tile.smem<64x6xf32, linear> by !gsa_tile.rowvec<16xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @drop_rows_c1_stages(%n: index) attributes {warps = 4 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<2x64x64xbf16, swizzle>
  %lse = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  // expected-error @below {{expected a tile of floats with rows of whole 16-byte chunks, got '!gsa_tile.smem<2x64x64xbf16, swizzle>'}}
  gsa_tile.drop_rows %t[%n] by %lse : !gsa_tile.smem<2x64x64xbf16, swizzle> by !gsa_tile.rowvec<16xf32>
  gsa_tile.return
}
