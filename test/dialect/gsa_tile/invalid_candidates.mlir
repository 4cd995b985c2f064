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

gsa_tile.kernel @append_candidates_c1(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, lhs>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<64x52xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{scores: expected f32 of layout acc, got '!gsa_tile.frag<16x64xf32, lhs>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n by way of %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, lhs>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<64x52xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c1_bounds(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<64x52xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{bounds: expected 16 rows, got '!gsa_tile.rowvec<8xf32>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n by way of %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<8xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<64x52xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c2(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<f32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<64x52xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{counts: expected i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n by way of %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<f32, write> by way of !gsa_tile.smem<64x52xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c3(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<64x52xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{bytes: expected lanes of 2xi32, got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n by way of %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<64x52xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c3_staged(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<64x52xf32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{staged: expected linear lines of pairs of i32, got '!gsa_tile.smem<64x52xf32, linear>'}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n by way of %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<64x52xf32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @append_candidates_c3_room(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<64x36xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{staged: expected lines of a multiple of 4 columns, at least 40, the hits of an op and 4 more, got 36}}
  gsa_tile.append_candidates %x above %bounds to %list, %counts[%n below %n] capacity %n column %n by way of %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<64x36xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @stage_products_c1(%f: f32, %n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, acc>
  %sum = gsa_tile.frag_alloc : !gsa_tile.frag<8x64xf32, acc>
  %w = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %rows = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x40xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected f32 of layout acc, 16 rows to add to 8 of as many columns, got}}
  gsa_tile.stage_products <relu> %x * %f + %w weights %w to %sum, %rows above %rows[%n below %n] column %n last %n stage %staged, %bytes warp %n : !gsa_tile.frag<16x32xf32, acc>, !gsa_tile.rowvec<16xf32>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.rowvec<8xf32> above !gsa_tile.rowvec<8xf32> stage !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @stage_products_c1_weights(%f: f32, %n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %sum = gsa_tile.frag_alloc : !gsa_tile.frag<8x64xf32, acc>
  %w = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  %rows = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x40xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected f32 of layout acc, 16 rows to add to 8 of as many columns, got '!gsa_tile.frag<16x64xf32, acc>' with '!gsa_tile.rowvec<8xf32>' and '!gsa_tile.rowvec<8xf32>' to '!gsa_tile.frag<8x64xf32, acc>' and '!gsa_tile.rowvec<8xf32>' above '!gsa_tile.rowvec<8xf32>'}}
  gsa_tile.stage_products <relu> %x * %f + %w weights %w to %sum, %rows above %rows[%n below %n] column %n last %n stage %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<8xf32>, !gsa_tile.rowvec<8xf32> to !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.rowvec<8xf32> above !gsa_tile.rowvec<8xf32> stage !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @stage_products_c2(%f: f32, %n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %sum = gsa_tile.frag_alloc : !gsa_tile.frag<8x64xf32, acc>
  %w = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %rows = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x40xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{bytes: expected lanes of 1xi32, got}}
  gsa_tile.stage_products <relu> %x * %f + %w weights %w to %sum, %rows above %rows[%n below %n] column %n last %n stage %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.rowvec<8xf32> above !gsa_tile.rowvec<8xf32> stage !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @stage_products_c2_room(%f: f32, %n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %sum = gsa_tile.frag_alloc : !gsa_tile.frag<8x64xf32, acc>
  %w = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  %rows = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32>
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x36xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{staged: expected lines of a multiple of 4 columns, at least 40, the hits of an op and 4 more, got 36}}
  gsa_tile.stage_products <relu> %x * %f + %w weights %w to %sum, %rows above %rows[%n below %n] column %n last %n stage %staged, %bytes warp %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.rowvec<8xf32> above !gsa_tile.rowvec<8xf32> stage !gsa_tile.smem<32x36xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @drain_candidates_c1(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<f32, write>, %n: index) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x40xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{counts: expected i32, got '!gsa_tile.global<f32, write>'}}
  gsa_tile.drain_candidates %staged, %bytes warp %n to %list, %counts[%n] capacity %n room 16 : !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<f32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @drain_candidates_c2(%list: !gsa_tile.global<i32, write>,
    %counts: !gsa_tile.global<i32, write>, %n: index) attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x40xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{staged: expected lines of a multiple of 4 columns, at least 42, the hits of an op and 4 more, got 40}}
  gsa_tile.drain_candidates %staged, %bytes warp %n to %list, %counts[%n] capacity %n room 17 : !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  gsa_tile.return
}

// -----

gsa_tile.kernel @flush_candidates_c1(%list: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %staged = gsa_tile.smem_alloc : !gsa_tile.smem<32x51xi32, linear>
  %bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{staged: expected linear lines of pairs of i32, got '!gsa_tile.smem<32x51xi32, linear>'}}
  gsa_tile.flush_candidates %staged, %bytes warp %n to %list, %list[%n below %n] capacity %n : !gsa_tile.smem<32x51xi32, linear>, !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
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

gsa_tile.kernel @load_candidates_c1(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{expected scores of f32 and as many cells of i32, got '!gsa_tile.lanes<4xf32>' and '!gsa_tile.lanes<3xi32>'}}
  gsa_tile.load_candidates %list count %n forced %n, %n below %n to %x, %less, %words by <0, 1> : !gsa_tile.global<i32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<3xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_candidates_c2(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{range: expected at least 3 columns, got '!gsa_tile.smem<1x2xi32, linear>'}}
  gsa_tile.load_candidates %list count %n forced %n, %n below %n to %x, %c, %few by <0, 1> : !gsa_tile.global<i32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32>, !gsa_tile.smem<1x2xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @histogram_candidates_c1(%f: f32, %i: i32)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{histogram: expected one row of i32, got '!gsa_tile.smem<2x256xi32, linear>'}}
  gsa_tile.histogram_candidates %two, %x, %c range %f, %f : !gsa_tile.smem<2x256xi32, linear>, !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @drop_below_c1(%f: f32) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{expected scores of f32 and as many cells of i32, got '!gsa_tile.lanes<4xf32>' and '!gsa_tile.lanes<3xi32>'}}
  gsa_tile.drop_below %less, %x bound %f : !gsa_tile.lanes<3xi32>, !gsa_tile.lanes<4xf32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_above_c1(%f: f32, %i: i32)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{found: expected at least 4 columns, got '!gsa_tile.smem<1x2xi32, linear>'}}
  gsa_tile.mark_above %words, %x, %c range %f, %f bin %i of 256 keep %words, %words, %few : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32> keep !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x2xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_best_c1(%f: f32, %i: i32)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{kept: expected one row of i32, got '!gsa_tile.smem<2x256xi32, linear>'}}
  gsa_tile.mark_best %words, %i of %words, %two count %i by <0, 1> : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<2x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_forced_c1(%n: index)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{bitmap: expected one row of i32, got '!gsa_tile.smem<2x256xi32, linear>'}}
  gsa_tile.mark_forced %two forced %n, %n below %n by <0, 1> : !gsa_tile.smem<2x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_bits_c1(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected a positive multiple of 128 columns, got 64}}
  gsa_tile.count_bits %bits, %bitmap[%n to %n] step 64 : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_bits_c1_words(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x6xi32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected a bitmap of a multiple of 4 words, got 6}}
  gsa_tile.count_bits %bits, %bitmap[%n to %n] step 128 : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x6xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_bits_c2(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected lanes of 2xi32, got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.count_bits %bits, %bitmap[%n to %n] step 128 : !gsa_tile.lanes<1xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @scan_bits_c1(%n: index) attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %before = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xf32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{before: expected one row of i32, got '!gsa_tile.smem<1x256xf32, linear>'}}
  gsa_tile.scan_bits %before, %bits, %bitmap[%n to %n] step 128 : !gsa_tile.smem<1x256xf32, linear>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @place_marked_c1(%n: index)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %two = gsa_tile.smem_alloc : !gsa_tile.smem<2x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{target: expected one row of i32, got '!gsa_tile.smem<2x256xi32, linear>'}}
  gsa_tile.place_marked %c forced %n, %n below %n at %words, %words to %two by <0, 1> : !gsa_tile.lanes<4xi32> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<2x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @scan_bits_c2(%n: index)
    attributes {warps = 1 : i64} {
  %bitmap = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32>
  // expected-error @below {{expected lanes of 2xi32, got '!gsa_tile.lanes<2xf32>'}}
  gsa_tile.scan_bits %bitmap, %bits, %bitmap[%n to %n] step 128 : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.lanes<2xf32>, !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @place_marked_c1_cells(%n: index)
    attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  // expected-error @below {{cells: expected lanes of i32, got '!gsa_tile.lanes<4xf32>'}}
  gsa_tile.place_marked %c forced %n, %n below %n at %words, %words to %words by <0, 1> : !gsa_tile.lanes<4xf32> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @fetch_candidates_c1(%list: !gsa_tile.global<i32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %less = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{expected scores of f32 and as many cells of i32, got '!gsa_tile.lanes<4xf32>' and '!gsa_tile.lanes<3xi32>'}}
  gsa_tile.fetch_candidates %list room %n to %x, %less by <0, 1> : !gsa_tile.global<i32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<3xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @fetch_candidates_c2(%list: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{list: expected i32, got '!gsa_tile.global<f32, read>'}}
  gsa_tile.fetch_candidates %list room %n to %x, %c by <0, 1> : !gsa_tile.global<f32, read> to !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @range_candidates_c1(%n: index) attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{expected scores of f32 and as many cells of i32, got '!gsa_tile.lanes<4xi32>' and '!gsa_tile.lanes<4xi32>'}}
  gsa_tile.range_candidates %x, %x count %n forced %n, %n below %n to %words by <0, 1> : !gsa_tile.lanes<4xi32>, !gsa_tile.lanes<4xi32> to !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @range_candidates_c2(%n: index) attributes {warps = 1 : i64} {
  %few = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{range: expected at least 3 columns, got '!gsa_tile.smem<1x2xi32, linear>'}}
  gsa_tile.range_candidates %x, %c count %n forced %n, %n below %n to %few by <0, 1> : !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32> to !gsa_tile.smem<1x2xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @place_scores_c1() attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{target: expected one row of f32, got '!gsa_tile.smem<1x256xi32, linear>'}}
  gsa_tile.place_scores %x, %c at %words, %words to %words : !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x256xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @place_scores_c2() attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %scores = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xf32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{bitmap: expected one row of i32, got '!gsa_tile.smem<1x256xf32, linear>'}}
  gsa_tile.place_scores %x, %c at %scores, %words to %scores : !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<4xi32> at !gsa_tile.smem<1x256xf32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x256xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @place_scores_c3() attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %scores = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xf32, linear>
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  // expected-error @below {{expected scores of f32 and as many cells of i32, got '!gsa_tile.lanes<4xf32>' and '!gsa_tile.lanes<3xi32>'}}
  gsa_tile.place_scores %x, %c at %words, %words to %scores : !gsa_tile.lanes<4xf32>, !gsa_tile.lanes<3xi32> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x256xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @look_up_cells_c1(%list: !gsa_tile.global<i32, read>, %n: index) attributes {warps = 1 : i64} {
  %scores = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xf32, linear>
  // expected-error @below {{cells: expected one row of i32, got '!gsa_tile.smem<1x256xf32, linear>'}}
  gsa_tile.look_up_cells %scores of %list count %n by <0, 1> : !gsa_tile.smem<1x256xf32, linear> of !gsa_tile.global<i32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @look_up_cells_c2(%list: !gsa_tile.global<f32, read>, %n: index) attributes {warps = 1 : i64} {
  %words = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  // expected-error @below {{expected a list of i32, got '!gsa_tile.global<f32, read>'}}
  gsa_tile.look_up_cells %words of %list count %n by <0, 1> : !gsa_tile.smem<1x256xi32, linear> of !gsa_tile.global<f32, read>
  gsa_tile.return
}
