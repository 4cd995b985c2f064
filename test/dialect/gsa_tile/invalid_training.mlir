// RUN: gsa-opt %s --split-input-file --verify-diagnostics

gsa_tile.kernel @log_sum_columns_c1(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %lse = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x24xf32, acc>
  %sums = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{products: expected 16 rows and a multiple of 32 columns of f32 of layout acc, got '!gsa_tile.frag<16x24xf32, acc>'}}
  gsa_tile.log_sum_columns %sums, %x heads 4 less %lse[%n] scale %f : !gsa_tile.lanes<1xf32>, !gsa_tile.frag<16x24xf32, acc> less !gsa_tile.smem<2x16xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @log_sum_columns_c2(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %lse = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %sums = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{sums: expected 2 numbers of f32 a lane for 64 columns, got '!gsa_tile.lanes<1xf32>'}}
  gsa_tile.log_sum_columns %sums, %x heads 4 less %lse[%n] scale %f : !gsa_tile.lanes<1xf32>, !gsa_tile.frag<16x64xf32, acc> less !gsa_tile.smem<2x16xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @log_sum_columns_c3(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %lse = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %sums = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{expected from 1 to 16 heads, got 17}}
  gsa_tile.log_sum_columns %sums, %x heads 17 less %lse[%n] scale %f : !gsa_tile.lanes<1xf32>, !gsa_tile.frag<16x32xf32, acc> less !gsa_tile.smem<2x16xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @log_sum_columns_c3_lse(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %lse = gsa_tile.smem_alloc : !gsa_tile.smem<2x4xf32, linear>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %sums = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{lse: expected 5 or more columns of f32, got '!gsa_tile.smem<2x4xf32, linear>'}}
  gsa_tile.log_sum_columns %sums, %x heads 5 less %lse[%n] scale %f : !gsa_tile.lanes<1xf32>, !gsa_tile.frag<16x32xf32, acc> less !gsa_tile.smem<2x4xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @slope_c1() attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  // expected-error @below {{expected activation sigmoid, relu or identity, got silu}}
  gsa_tile.slope %x to %x <silu> : !gsa_tile.frag<16x32xf32, acc>
  gsa_tile.return
}

// -----

gsa_tile.kernel @slope_c2() attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, lhs>
  // expected-error @below {{expected fragments of f32 of layout acc, got '!gsa_tile.frag<16x32xf32, lhs>'}}
  gsa_tile.slope %x to %x <sigmoid> : !gsa_tile.frag<16x32xf32, lhs>
  gsa_tile.return
}

// -----

gsa_tile.kernel @weigh_columns_c1(%cells: !gsa_tile.global<i32, read>, %n: index) attributes {warps = 1 : i64} {
  %pitch = arith.constant 1 : i64
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %rows = gsa_tile.strided_rows %cells pitch %pitch count %n : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
  // expected-error @below {{expected a fragment of f32 of layout acc and cells of f32, got '!gsa_tile.frag<16x32xf32, acc>' and '!gsa_tile.global<i32, read>'}}
  gsa_tile.weigh_columns %x, %cells where %rows[%n] : !gsa_tile.frag<16x32xf32, acc>, !gsa_tile.global<i32, read> where !gsa_tile.rows<i32, strided, read>
  gsa_tile.return
}
