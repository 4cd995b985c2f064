// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops on rows that take all keys.

gsa_tile.kernel @count_beyond_c1(%x: !gsa_tile.global<i32, read>, %n: index, %f: f32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected an array of floats and vectors of 2, 4, 8 or 16 bytes, got '!gsa_tile.global<i32, read>' by 4}}
  gsa_tile.count_beyond %s, %x[%n to %n] step 128 by 4 limit %f : !gsa_tile.lanes<1xi32>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_beyond_c1_vector(%x: !gsa_tile.global<bf16, read>, %n: index, %f: f32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected an array of floats and vectors of 2, 4, 8 or 16 bytes, got '!gsa_tile.global<bf16, read>' by 16}}
  gsa_tile.count_beyond %s, %x[%n to %n] step 512 by 16 limit %f : !gsa_tile.lanes<1xi32>, !gsa_tile.global<bf16, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_beyond_c2(%x: !gsa_tile.global<f32, read>, %n: index, %f: f32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected a positive multiple of 128 columns, got 192}}
  gsa_tile.count_beyond %s, %x[%n to %n] step 192 by 4 limit %f : !gsa_tile.lanes<1xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_beyond_c3(%x: !gsa_tile.global<f32, read>, %n: index, %f: f32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected lanes of 1x'i32', got '!gsa_tile.lanes<2xi32>'}}
  gsa_tile.count_beyond %s, %x[%n to %n] step 128 by 4 limit %f : !gsa_tile.lanes<2xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @list_all_c1(%x: !gsa_tile.global<i64, write>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<i64, write>'}}
  gsa_tile.list_all %x count %n slots %n by 4 : !gsa_tile.global<i64, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @list_all_c1_vector(%x: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected vectors of 1, 2 or 4 entries, got 8}}
  gsa_tile.list_all %x count %n slots %n by 8 : !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @any_set_c1(%x: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<f32, read>'}}
  %set = gsa_tile.any_set %x[%n to %n] : !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @any_short_c1(%x: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<f32, read>'}}
  %short = gsa_tile.any_short %x rows %n last %n step 1 : !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @any_short_c1_step(%x: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected a step of 0 or 1, got 2}}
  %short = gsa_tile.any_short %x rows %n last %n step 2 : !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_keys_c1(%x: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x8xi32, linear>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.mark_keys %t[%n], %x[%n to %n] step 48 by 1 : !gsa_tile.smem<1x8xi32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_keys_c2(%x: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x8xf32, linear>
  // expected-error @below {{expected a table of i32, got '!gsa_tile.smem<1x8xf32, linear>'}}
  gsa_tile.mark_keys %t[%n], %x[%n to %n] step 64 by 1 : !gsa_tile.smem<1x8xf32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_keys_c3(%x: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x8xi32, linear>
  // expected-error @below {{expected vectors of 1, 2 or 4 entries and a multiple of 32 of them, got 96 columns by 4}}
  gsa_tile.mark_keys %t[%n], %x[%n to %n] step 96 by 4 : !gsa_tile.smem<1x8xi32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_keys_c3_vector(%x: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x8xi32, linear>
  // expected-error @below {{expected vectors of 1, 2 or 4 entries and a multiple of 32 of them, got 96 columns by 3}}
  gsa_tile.mark_keys %t[%n], %x[%n to %n] step 96 by 3 : !gsa_tile.smem<1x8xi32, linear>, !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_strings_c1(%x: !gsa_tile.global<i64, write>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x8xi32, linear>
  // expected-error @below {{expected an array of i32, got '!gsa_tile.global<i64, write>'}}
  gsa_tile.store_strings %t[%n] to %x string %n of 64 words 4 : !gsa_tile.smem<1x8xi32, linear>, !gsa_tile.global<i64, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_strings_c2(%x: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x8xi32, linear>
  // expected-error @below {{expected whole strings of 8 words and at least one string, got 64 of 3 words}}
  gsa_tile.store_strings %t[%n] to %x string %n of 64 words 3 : !gsa_tile.smem<1x8xi32, linear>, !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_row_c1(%row: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %range = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{expected scores of f32 and as many cells of i32, got '!gsa_tile.lanes<4xf32>' and '!gsa_tile.lanes<3xi32>'}}
  gsa_tile.load_row %row count %n forced %n, %n below %n to %x, %c, %range by <0, 1> : !gsa_tile.global<f32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<3xi32>, !gsa_tile.smem<1x4xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_row_c2(%row: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %range = gsa_tile.smem_alloc : !gsa_tile.smem<1x3xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{range: expected at least 4 columns, got '!gsa_tile.smem<1x3xi32, linear>'}}
  gsa_tile.load_row %row count %n forced %n, %n below %n to %x, %c, %range by <0, 1> : !gsa_tile.global<f32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32>, !gsa_tile.smem<1x3xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_row_c2_row(%row: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %range = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{expected a row of f32, got '!gsa_tile.global<i32, read>'}}
  gsa_tile.load_row %row count %n forced %n, %n below %n to %x, %c, %range by <0, 1> : !gsa_tile.global<i32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32>, !gsa_tile.smem<1x4xi32, linear>
  gsa_tile.return
}
