// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops that keep cells of a row.

// expected-error @below {{expected an element type of i32, f32 or f64, got 'bf16'}}
gsa_tile.kernel @lanes(%x: !gsa_tile.lanes<2xbf16>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_scores_c1(%row: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.load_scores %x, %row[%n to %n] step 48 : !gsa_tile.lanes<8xf32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @load_scores_c2(%row: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xf32>
  // expected-error @below {{expected lanes of 8x'f32', got '!gsa_tile.lanes<4xf32>'}}
  gsa_tile.load_scores %x, %row[%n to %n] step 256 : !gsa_tile.lanes<4xf32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_scores_c1(%n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xi32>
  %counts = gsa_tile.smem_alloc : !gsa_tile.smem<2x1xi32, linear>
  // expected-error @below {{expected scores of f32, got '!gsa_tile.lanes<8xi32>'}}
  gsa_tile.mark_scores %x to %x at %n range %f, %f bin %k of 256 forced %n, %n count %counts[%n, %n] : !gsa_tile.lanes<8xi32>, !gsa_tile.smem<2x1xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mark_scores_c1_counts(%n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32>
  %counts = gsa_tile.smem_alloc : !gsa_tile.smem<2x33xi32, linear>
  // expected-error @below {{expected counts of i32 of at most 32 warps, got '!gsa_tile.smem<2x33xi32, linear>'}}
  gsa_tile.mark_scores %x to %x at %n range %f, %f bin %k of 256 forced %n, %n count %counts[%n, %n] : !gsa_tile.lanes<8xf32>, !gsa_tile.smem<2x33xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @keep_cells_c2(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32>
  %kept = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %counts = gsa_tile.smem_alloc : !gsa_tile.smem<2x1xi32, linear>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  %cells = gsa_tile.smem_alloc : !gsa_tile.smem<1x32xi32, linear>
  // expected-error @below {{cells: expected one row of at least 64 i32, got '!gsa_tile.smem<1x32xi32, linear>'}}
  gsa_tile.keep_cells %x at %n forced %n, %n count %counts[%n, %n] to %keys, %cells kept %kept : !gsa_tile.lanes<8xf32>, !gsa_tile.smem<2x1xi32, linear> to !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x32xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @keep_cells_c2_kept(%n: index) attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32>
  %kept = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  %counts = gsa_tile.smem_alloc : !gsa_tile.smem<2x1xi32, linear>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  %cells = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected lanes of 1x'i32', got '!gsa_tile.lanes<2xi32>'}}
  gsa_tile.keep_cells %x at %n forced %n, %n count %counts[%n, %n] to %keys, %cells kept %kept : !gsa_tile.lanes<8xf32>, !gsa_tile.smem<2x1xi32, linear> to !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.lanes<2xi32>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_kept_c1(%n: index, %k: i32) attributes {warps = 1 : i64} {
  %counts = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<2x64xi32, linear>
  // expected-error @below {{keys: expected one row of at least 1 i32, got '!gsa_tile.smem<2x64xi32, linear>'}}
  gsa_tile.count_kept %counts, %keys[%n to %n] step 64 threshold %k : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<2x64xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_kept_c2(%n: index, %k: i32) attributes {warps = 1 : i64} {
  %counts = gsa_tile.lanes_alloc : !gsa_tile.lanes<3xi32>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected lanes of 2x'i32', got '!gsa_tile.lanes<3xi32>'}}
  gsa_tile.count_kept %counts, %keys[%n to %n] step 64 threshold %k : !gsa_tile.lanes<3xi32>, !gsa_tile.smem<1x64xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_kept_c1(%out: !gsa_tile.global<i32, write>, %n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %cursor = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected a positive multiple of 32 columns, got 8}}
  gsa_tile.emit_kept %out, %cursor, %keys, %keys[%n to %n] step 8 threshold %k quota %k : !gsa_tile.global<i32, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_kept_c2(%out: !gsa_tile.global<i64, write>, %n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %cursor = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected positions of i32, got '!gsa_tile.global<i64, write>'}}
  gsa_tile.emit_kept %out, %cursor, %keys, %keys[%n to %n] step 64 threshold %k quota %k : !gsa_tile.global<i64, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  gsa_tile.return
}
