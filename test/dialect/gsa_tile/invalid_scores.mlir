// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops on scores of few queries.

gsa_tile.kernel @score_columns_c1(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x24xf32, acc>
  %heads = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{products: expected 16 rows and a multiple of 32 columns of f32 of layout acc, got '!gsa_tile.frag<16x24xf32, acc>'}}
  gsa_tile.score_columns %x heads 4 by %heads[%n] scale %f <sigmoid> to %scores : !gsa_tile.frag<16x24xf32, acc> by !gsa_tile.smem<2x16xf32, linear> to !gsa_tile.lanes<1xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @score_columns_c2(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %heads = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{scores: expected 2 numbers a lane for 64 columns, got '!gsa_tile.lanes<1xf32>'}}
  gsa_tile.score_columns %x heads 4 by %heads[%n] scale %f <sigmoid> to %scores : !gsa_tile.frag<16x64xf32, acc> by !gsa_tile.smem<2x16xf32, linear> to !gsa_tile.lanes<1xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @score_columns_c2_element(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %heads = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{scores: expected lanes of f32, got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.score_columns %x heads 4 by %heads[%n] scale %f <sigmoid> to %scores : !gsa_tile.frag<16x32xf32, acc> by !gsa_tile.smem<2x16xf32, linear> to !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @score_columns_c3(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %heads = gsa_tile.smem_alloc : !gsa_tile.smem<2x16xf32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{expected from 1 to 16 heads, got 17}}
  gsa_tile.score_columns %x heads 17 by %heads[%n] scale %f <sigmoid> to %scores : !gsa_tile.frag<16x32xf32, acc> by !gsa_tile.smem<2x16xf32, linear> to !gsa_tile.lanes<1xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @score_columns_c3_constants(%n: index, %f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %heads = gsa_tile.smem_alloc : !gsa_tile.smem<2x4xf32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{constants: expected two rows at least of 5 or more columns of f32, got '!gsa_tile.smem<2x4xf32, linear>'}}
  gsa_tile.score_columns %x heads 5 by %heads[%n] scale %f <sigmoid> to %scores : !gsa_tile.frag<16x32xf32, acc> by !gsa_tile.smem<2x4xf32, linear> to !gsa_tile.lanes<1xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_scores_c1(%row: !gsa_tile.global<bf16, write>, %n: index) attributes {warps = 1 : i64} {
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{target: expected f32, got '!gsa_tile.global<bf16, write>'}}
  gsa_tile.store_scores %scores to %row[%n to %n] : !gsa_tile.lanes<1xf32> to !gsa_tile.global<bf16, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_cells_c1(%list: !gsa_tile.global<i32, write>, %n: index, %f: f32) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xi32, linear>
  %held = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{scores: expected lanes of f32, got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.append_cells %scores above %f [%n to %n] to %list, %list[%n] capacity %n by way of %staged[%n], %held : !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_cells_c2(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<f32, write>, %n: index, %f: f32) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xi32, linear>
  %held = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{counts: expected i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.append_cells %scores above %f [%n to %n] to %list, %counts[%n] capacity %n by way of %staged[%n], %held : !gsa_tile.lanes<1xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<f32, write> by way of !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_cells_c3(%list: !gsa_tile.global<i32, write>, %n: index, %f: f32) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  %held = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{staged: expected lines of more than 32 pairs, the hits of an op, got 32}}
  gsa_tile.append_cells %scores above %f [%n to %n] to %list, %list[%n] capacity %n by way of %staged[%n], %held : !gsa_tile.lanes<1xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_cells_c3_held(%list: !gsa_tile.global<i32, write>, %n: index, %f: f32) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xi32, linear>
  %held = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{held: expected lanes<1xi32>, got '!gsa_tile.lanes<2xi32>'}}
  gsa_tile.append_cells %scores above %f [%n to %n] to %list, %list[%n] capacity %n by way of %staged[%n], %held : !gsa_tile.lanes<1xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @flush_cells_c1(%list: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xf32, linear>
  %held = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{staged: expected a linear tile of i32 of lines of pairs, got '!gsa_tile.smem<1x128xf32, linear>'}}
  gsa_tile.flush_cells %staged[%n], %held to %list, %list[%n] capacity %n : !gsa_tile.smem<1x128xf32, linear>, !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @put_lanes_c1(%n: index) attributes {warps = 1 : i64} {
  %line = gsa_tile.smem_alloc : !gsa_tile.smem<1x32xf32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32>
  // expected-error @below {{expected a linear tile of 'f32' with at least 64 columns for '!gsa_tile.lanes<2xf32>', got '!gsa_tile.smem<1x32xf32, linear>'}}
  gsa_tile.put_lanes %scores to %line[%n, %n] : !gsa_tile.lanes<2xf32> to !gsa_tile.smem<1x32xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @take_lanes_c1(%n: index) attributes {warps = 1 : i64} {
  %line = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32>
  // expected-error @below {{expected a linear tile of 'f32' with at least 64 columns for '!gsa_tile.lanes<2xf32>', got '!gsa_tile.smem<1x64xi32, linear>'}}
  gsa_tile.take_lanes %line[%n, %n] to %scores : !gsa_tile.smem<1x64xi32, linear> to !gsa_tile.lanes<2xf32>
  gsa_tile.return
}
