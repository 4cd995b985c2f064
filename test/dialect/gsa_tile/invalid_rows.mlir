// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of views of rows and of the ops that take them, by label.

gsa_tile.kernel @strided_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows like their array '!gsa_tile.global<bf16, read>', got '!gsa_tile.rows<f16, strided, read>'}}
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<f16, strided, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @strided_rows_c1_write(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows like their array '!gsa_tile.global<bf16, read>', got '!gsa_tile.rows<bf16, strided, write>'}}
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @strided_rows_c1_accumulate(%x: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows like their array '!gsa_tile.global<f32, read>', got '!gsa_tile.rows<f32, strided, accumulate>'}}
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @strided_rows_c1_kind(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows of kind strided, got '!gsa_tile.rows<bf16, paged, read>'}}
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, paged, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @two_level_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows of kind two_level, got '!gsa_tile.rows<bf16, strided, read>'}}
  %v = gsa_tile.two_level_rows %x pitch %pitch, %pitch per 8 count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @two_level_rows_c2(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{attribute 'per' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  %v = gsa_tile.two_level_rows %x pitch %pitch, %pitch per 0 count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, two_level, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @interleaved_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows of kind interleaved, got '!gsa_tile.rows<bf16, strided, read>'}}
  %v = gsa_tile.interleaved_rows %x pitch %pitch, %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected rows like their array '!gsa_tile.global<bf16, read>', got '!gsa_tile.rows<f32, listed, read>'}}
  %v = gsa_tile.listed_rows %x pitch %pitch list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.smem<1x64xi32, linear> to !gsa_tile.rows<f32, listed, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_rows_c2(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi64, linear>
  // expected-error @below {{expected lists and tables of i32, got '!gsa_tile.smem<1x64xi64, linear>'}}
  %v = gsa_tile.listed_rows %x pitch %pitch list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.smem<1x64xi64, linear> to !gsa_tile.rows<bf16, listed, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @paged_rows_c1(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected rows of kind paged, got '!gsa_tile.rows<bf16, listed, read>'}}
  %v = gsa_tile.paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 step 1 limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i32, read> to !gsa_tile.rows<bf16, listed, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @paged_rows_c2(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{attribute 'page' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  %v = gsa_tile.paged_rows %x pitch %pitch table %table pages %n of 0 apart 16 step 1 limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i32, read> to !gsa_tile.rows<bf16, paged, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @paged_rows_c2_table(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<i64, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  // expected-error @below {{expected lists and tables of i32, got '!gsa_tile.global<i64, read>'}}
  %v = gsa_tile.paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 step 1 limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i64, read> to !gsa_tile.rows<bf16, paged, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_paged_rows_c1(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected rows of kind paged, got '!gsa_tile.rows<bf16, listed, read>'}}
  %v = gsa_tile.listed_paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i32, read>, !gsa_tile.smem<1x64xi32, linear> to !gsa_tile.rows<bf16, listed, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_paged_rows_c2(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xf32, linear>
  // expected-error @below {{expected lists and tables of i32, got '!gsa_tile.smem<1x64xf32, linear>'}}
  %v = gsa_tile.listed_paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i32, read>, !gsa_tile.smem<1x64xf32, linear> to !gsa_tile.rows<bf16, paged, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_paged_rows_c2_table(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected lists and tables of i32, got '!gsa_tile.global<f32, read>'}}
  %v = gsa_tile.listed_paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<f32, read>, !gsa_tile.smem<1x64xi32, linear> to !gsa_tile.rows<bf16, paged, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @listed_paged_rows_c2_page(%x: !gsa_tile.global<bf16, read>, %table: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{attribute 'page' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  %v = gsa_tile.listed_paged_rows %x pitch %pitch table %table pages %n of -1 apart 16 list %list end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.global<i32, read>, !gsa_tile.smem<1x64xi32, linear> to !gsa_tile.rows<bf16, paged, read>
  gsa_tile.return
}

// -----

// expected-error @below {{expected rows of f32 to accumulate, got 'bf16'}}
func.func private @rows_c1(!gsa_tile.rows<bf16, strided, accumulate>)

// -----

// expected-error @below {{expected at most 16 vectors for each of 32 threads, got 65 x 8}}
func.func private @found_rows_c1(!gsa_tile.found_rows<65 x 8 by <0, 1>>)

// -----

// expected-error @below {{expected at least one row and unit}}
func.func private @found_rows_c1_none(!gsa_tile.found_rows<0 x 8 by <0, 1>>)

// -----

// Rows of fewer than the tile has.
gsa_tile.kernel @copy_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %f = gsa_tile.find_rows %v[%n] for 32 x 8 by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.found_rows<32 x 8 by <0, 4>>
  // expected-error @below {{expected rows found as '!gsa_tile.found_rows<64 x 8 by <0, 4>>', got '!gsa_tile.found_rows<32 x 8 by <0, 4>>'}}
  gsa_tile.copy_rows %v[%f] columns %n to %t by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, !gsa_tile.found_rows<32 x 8 by <0, 4>> to !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

// Found for vectors of 8 bytes, copied by 16.
gsa_tile.kernel @copy_rows_c1_units(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %f = gsa_tile.find_rows %v[%n] for 64 x 16 by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.found_rows<64 x 16 by <0, 4>>
  // expected-error @below {{expected rows found as '!gsa_tile.found_rows<64 x 8 by <0, 4>>', got '!gsa_tile.found_rows<64 x 16 by <0, 4>>'}}
  gsa_tile.copy_rows %v[%f] columns %n to %t by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, !gsa_tile.found_rows<64 x 16 by <0, 4>> to !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

// Each thread finds the rows that it copies.
gsa_tile.kernel @copy_rows_c1_team(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %f = gsa_tile.find_rows %v[%n] for 64 x 8 by <0, 2> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.found_rows<64 x 8 by <0, 2>>
  // expected-error @below {{expected rows found as '!gsa_tile.found_rows<64 x 8 by <0, 4>>', got '!gsa_tile.found_rows<64 x 8 by <0, 2>>'}}
  gsa_tile.copy_rows %v[%f] columns %n to %t by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, !gsa_tile.found_rows<64 x 8 by <0, 2>> to !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @prefetch_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{attribute 'rows' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  gsa_tile.prefetch_rows %v[%n] columns %n rows 0 by <0, 4> : !gsa_tile.rows<bf16, strided, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @copy_rows_vector(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected vectors of 16, 8, 4 or 2 bytes that hold an element of 2 bytes, got 3}}
  gsa_tile.copy_rows %v[%c0] columns %n to %t by #gsa_tile.team<0, 4> vector 3 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @copy_rows_vector_element(%x: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
  // expected-error @below {{expected vectors of 16, 8, 4 or 2 bytes that hold an element of 4 bytes, got 2}}
  gsa_tile.copy_rows %v[%c0] columns %n to %t by #gsa_tile.team<0, 4> vector 2 : !gsa_tile.rows<f32, strided, read>, index to !gsa_tile.smem<64x64xf32, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @copy_rows_row(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x20xbf16, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected rows of whole vectors, got rows of 40 bytes and vectors of 16}}
  gsa_tile.copy_rows %v[%c0] columns %n to %t by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<64x20xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @copy_rows_element(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected rows and tile of one element type, got 'bf16' and 'f16'}}
  gsa_tile.copy_rows %v[%c0] columns %n to %t by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<64x64xf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @copy_rows_stages(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<2x64x64xbf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected a single stage, got '!gsa_tile.smem<2x64x64xbf16, swizzle>'}}
  gsa_tile.copy_rows %v[%c0] columns %n to %t by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<2x64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @bulk_rows_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected a linear tile with rows of a multiple of 16 bytes, got '!gsa_tile.smem<64x64xbf16, swizzle>'}}
  gsa_tile.bulk_rows %v[%c0] columns %n to %t by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @bulk_rows_c1_row(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x20xbf16, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected a linear tile with rows of a multiple of 16 bytes, got '!gsa_tile.smem<64x20xbf16, linear>'}}
  gsa_tile.bulk_rows %v[%c0] columns %n to %t by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.smem<64x20xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @bulk_rows_c2(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %ring = gsa_tile.ring_alloc producers 4 consumers 4 : !gsa_tile.ring<2>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected a ring and an iteration, or neither}}
  "gsa_tile.bulk_rows"(%t, %v, %c0, %n, %ring) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>, team = #gsa_tile.team<0, 4>}> : (!gsa_tile.smem<64x64xbf16, linear>, !gsa_tile.rows<bf16, strided, read>, index, index, !gsa_tile.ring<2>) -> ()
  gsa_tile.return
}

// -----

gsa_tile.kernel @find_rows_result(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected a result of type '!gsa_tile.found_rows<64 x 8 by <0, 4>>', got '!gsa_tile.found_rows<64 x 4 by <0, 4>>'}}
  %f = gsa_tile.find_rows %v[%n] for 64 x 8 by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.found_rows<64 x 4 by <0, 4>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @find_rows_many(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  // expected-error @below {{expected at most 16 vectors for each of 128 threads, got 512 x 8}}
  %f = gsa_tile.find_rows %v[%n] for 512 x 8 by <0, 4> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.found_rows<64 x 8 by <0, 4>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_tile_c1(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // expected-error @below {{expected rows that accumulate, got '!gsa_tile.rows<f32, strided, write>'}}
  gsa_tile.reduce_tile %t[%n] columns %n to %v[%n] : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_tile_c2(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected a linear tile with rows of a multiple of 16 bytes, got '!gsa_tile.smem<64x64xf32, swizzle>'}}
  gsa_tile.reduce_tile %t[%n] columns %n to %v[%n] : !gsa_tile.smem<64x64xf32, swizzle> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_tile_c2_row(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x6xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected a linear tile with rows of a multiple of 16 bytes, got '!gsa_tile.smem<64x6xf32, linear>'}}
  gsa_tile.reduce_tile %t[%n] columns %n to %v[%n] : !gsa_tile.smem<64x6xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_tile_c2_element(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected rows and tile of one element type, got 'f32' and 'bf16'}}
  gsa_tile.reduce_tile %t[%n] columns %n to %v[%n] : !gsa_tile.smem<64x64xbf16, linear> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_rows_c1(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // expected-error @below {{expected rows that accumulate, got '!gsa_tile.rows<f32, strided, write>'}}
  gsa_tile.reduce_rows %t columns %n to %v[%c0] by <0, 4> : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_rows_c2(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, swizzle>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected a linear tile with rows of a multiple of 16 bytes, got '!gsa_tile.smem<64x64xf32, swizzle>'}}
  gsa_tile.reduce_rows %t columns %n to %v[%c0] by <0, 4> : !gsa_tile.smem<64x64xf32, swizzle> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_rows_c2_row(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x6xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected a linear tile with rows of a multiple of 16 bytes, got '!gsa_tile.smem<64x6xf32, linear>'}}
  gsa_tile.reduce_rows %t columns %n to %v[%c0] by <0, 4> : !gsa_tile.smem<64x6xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @reduce_rows_c2_element(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected rows and tile of one element type, got 'f32' and 'bf16'}}
  gsa_tile.reduce_rows %t columns %n to %v[%c0] by <0, 4> : !gsa_tile.smem<64x64xbf16, linear> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @accumulate_rows_c1(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // expected-error @below {{expected rows that accumulate, got '!gsa_tile.rows<f32, strided, write>'}}
  gsa_tile.accumulate_rows %f columns %n to %v[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @accumulate_rows_c2(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, lhs>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected a fragment of f32 of layout acc, got '!gsa_tile.frag<16x64xf32, lhs>'}}
  gsa_tile.accumulate_rows %f columns %n to %v[%c0] : !gsa_tile.frag<16x64xf32, lhs> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @accumulate_rows_c2_element(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, acc>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected a fragment of f32 of layout acc, got '!gsa_tile.frag<16x64xbf16, acc>'}}
  gsa_tile.accumulate_rows %f columns %n to %v[%c0] : !gsa_tile.frag<16x64xbf16, acc> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_lhs_transposed_c1(%n: index) attributes {warps = 4 : i64} {
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xf16, lhs>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xbf16, linear>
  // expected-error @below {{expected a fragment of layout lhs and one stage of its element type, got '!gsa_tile.frag<16x16xf16, lhs>' and '!gsa_tile.smem<16x16xbf16, linear>'}}
  gsa_tile.load_lhs_transposed %t[%n, %n] to %f : !gsa_tile.smem<16x16xbf16, linear> to !gsa_tile.frag<16x16xf16, lhs>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_lhs_transposed_c1_layout(%n: index) attributes {warps = 4 : i64} {
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xf32, acc>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xf32, linear>
  // expected-error @below {{expected a fragment of layout lhs and one stage of its element type, got '!gsa_tile.frag<16x16xf32, acc>'}}
  gsa_tile.load_lhs_transposed %t[%n, %n] to %f : !gsa_tile.smem<16x16xf32, linear> to !gsa_tile.frag<16x16xf32, acc>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_lhs_transposed_c2(%n: index) attributes {warps = 4 : i64} {
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xbf16, lhs>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xbf16, linear>
  // expected-error @below {{expected a tile of at least 32x16, got '!gsa_tile.smem<16x16xbf16, linear>'}}
  gsa_tile.load_lhs_transposed %t[%n, %n] to %f : !gsa_tile.smem<16x16xbf16, linear> to !gsa_tile.frag<16x32xbf16, lhs>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_rows_c1(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected rows that are written, got '!gsa_tile.rows<f32, strided, accumulate>'}}
  gsa_tile.store_rows %f columns %n to %v[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_tile_c1(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  // expected-error @below {{expected rows that are written, got '!gsa_tile.rows<f32, strided, accumulate>'}}
  gsa_tile.store_tile %t[%c0] rows %n columns %n to %v[%c0] vector 16 : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_tile_c2(%x: !gsa_tile.global<bf16, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x12xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write>
  // expected-error @below {{expected vectors of 2 to 16 bytes that a row of 24 bytes is whole ones of, got 16}}
  gsa_tile.store_tile %t[%c0] rows %n columns %n to %v[%c0] vector 16 : !gsa_tile.smem<16x12xf32, linear> to !gsa_tile.rows<bf16, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_tile_c2_element(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // expected-error @below {{expected vectors of 4 to 16 bytes that a row of 256 bytes is whole ones of, got 2}}
  gsa_tile.store_tile %t[%c0] rows %n columns %n to %v[%c0] vector 2 : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_tile_c2_wide(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // expected-error @below {{expected vectors of 4 to 16 bytes that a row of 256 bytes is whole ones of, got 32}}
  gsa_tile.store_tile %t[%c0] rows %n columns %n to %v[%c0] vector 32 : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_tile_c2_odd(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 48 : i64
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x48xf32, linear>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // expected-error @below {{expected vectors of 4 to 16 bytes that a row of 192 bytes is whole ones of, got 12}}
  gsa_tile.store_tile %t[%c0] rows %n columns %n to %v[%c0] vector 12 : !gsa_tile.smem<16x48xf32, linear> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @gate_tile_c1_columns(%n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x12xf32, linear>
  // expected-error @below {{expected two tiles of one shape with a multiple of 8 columns, got}}
  gsa_tile.gate_tile %t[%c0] rows %n by %t <sigmoid> : !gsa_tile.smem<16x12xf32, linear> by !gsa_tile.smem<16x12xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @gate_tile_c1_rows(%n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  %g = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xf32, linear>
  // expected-error @below {{expected two tiles of one shape with a multiple of 8 columns, got}}
  gsa_tile.gate_tile %t[%c0] rows %n by %g <sigmoid> : !gsa_tile.smem<16x64xf32, linear> by !gsa_tile.smem<32x64xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @gate_tile_c1(%n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, swizzle>
  %g = gsa_tile.smem_alloc : !gsa_tile.smem<16x32xbf16, swizzle>
  // expected-error @below {{expected two tiles of one shape with a multiple of 8 columns, got '!gsa_tile.smem<16x64xf32, swizzle>' and '!gsa_tile.smem<16x32xbf16, swizzle>'}}
  gsa_tile.gate_tile %t[%c0] rows %n by %g <sigmoid> : !gsa_tile.smem<16x64xf32, swizzle> by !gsa_tile.smem<16x32xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @gate_tile_c2(%n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xbf16, swizzle>
  // expected-error @below {{expected a target of f32, got '!gsa_tile.smem<16x64xbf16, swizzle>'}}
  gsa_tile.gate_tile %t[%c0] rows %n by %t <sigmoid> : !gsa_tile.smem<16x64xbf16, swizzle> by !gsa_tile.smem<16x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_rowvec_c1(%x: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %pitch = arith.constant 64 : i64
  %c0 = arith.constant 0 : index
  %f = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, read>
  // expected-error @below {{expected rows that are written, got '!gsa_tile.rows<f32, strided, read>'}}
  gsa_tile.store_rowvec %f to %v[%c0] : !gsa_tile.rowvec<16xf32> to !gsa_tile.rows<f32, strided, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mask_words_c1(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %w = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi64, linear>
  // expected-error @below {{expected words of i32, got '!gsa_tile.smem<1x64xi64, linear>'}}
  gsa_tile.mask_words %f, %w[%c0, %c0] row %c0 {rows_per_bit = 4 : i64} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<1x64xi64, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @tma_load_c1(%m: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, linear>
  // expected-error @below {{expected a target like the box '!gsa_tile.tensormap<64x64xbf16, swizzle_128b>', or several side by side, got '!gsa_tile.smem<64x64xbf16, linear>'}}
  gsa_tile.tma_load %m[%c0, %c0] to %t by <0, 4> : !gsa_tile.tensormap<64x64xbf16, swizzle_128b> to !gsa_tile.smem<64x64xbf16, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @tma_load_c2(%m: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // expected-error @below {{expected a ring and an iteration, or neither}}
  "gsa_tile.tma_load"(%t, %m, %c0, %c0, %c0) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1>, team = #gsa_tile.team<0, 4>}> : (!gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.tensormap<64x64xbf16, swizzle_128b>, index, index, index) -> ()
  gsa_tile.return
}

// -----

func.func @merge_parts_c1(%x: !gsa_tile.global<f32, read>, %n: index, %p: i64) {
  %rows = gsa_tile.strided_rows %x pitch %p count %n : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
  // expected-error @below {{expected rows that are written, got '!gsa_tile.rows<f32, strided, read>'}}
  gsa_tile.merge_parts %n of %rows step %p, %rows step %p columns %n <identity> to %rows, %rows by <0, 4> : !gsa_tile.rows<f32, strided, read>, !gsa_tile.rows<f32, strided, read> to !gsa_tile.rows<f32, strided, read>, !gsa_tile.rows<f32, strided, read>
  return
}

// -----

gsa_tile.kernel @put_frag_c1() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, swizzle>
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  // expected-error @below {{expected 8 or 16 rows, got 4}}
  gsa_tile.put_frag %f to %t[%c0] {rows = 4 : i64} : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.smem<16x64xf32, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @take_frag_c1() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, swizzle>
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  // expected-error @below {{expected 8 or 16 rows, got 0}}
  gsa_tile.take_frag %t[%c0] to %f {rows = 0 : i64} : !gsa_tile.smem<16x64xf32, swizzle> to !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.return
}
