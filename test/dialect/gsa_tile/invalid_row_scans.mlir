// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of the ops that go over a row of scores, and of what they leave.

gsa_tile.kernel @scan_row_c1(%row: !gsa_tile.global<bf16, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<5xi32>
  // expected-error @below {{expected scores of f32, got '!gsa_tile.global<bf16, read>'}}
  gsa_tile.scan_row %s, %row[%n to %n] step 256 : !gsa_tile.lanes<5xi32>, !gsa_tile.global<bf16, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @scan_row_c2(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<4xi32>
  // expected-error @below {{expected lanes of 5x'i32', got '!gsa_tile.lanes<4xi32>'}}
  gsa_tile.scan_row %s, %row[%n to %n] step 256 : !gsa_tile.lanes<4xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @finite_row_c1(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf64>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.finite_row %s, %row[%n to %n] step 48 : !gsa_tile.lanes<2xf64>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @finite_row_c2(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32>
  // expected-error @below {{expected lanes of 2x'f64', got '!gsa_tile.lanes<2xf32>'}}
  gsa_tile.finite_row %s, %row[%n to %n] step 256 : !gsa_tile.lanes<2xf32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @sum_row_c1(%row: !gsa_tile.global<bf16, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf64>
  // expected-error @below {{expected scores of f32, got '!gsa_tile.global<bf16, read>'}}
  gsa_tile.sum_row %s, %row[%n to %n] step 256 : !gsa_tile.lanes<1xf64>, !gsa_tile.global<bf16, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @sum_row_c2(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf32>
  // expected-error @below {{expected lanes of 1x'f64', got '!gsa_tile.lanes<1xf32>'}}
  gsa_tile.sum_row %s, %row[%n to %n] step 256 : !gsa_tile.lanes<1xf32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @histogram_row_c1(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.histogram_row %s, %row[%n to %n] step 48 range %f, %f forced %n, %n : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @histogram_row_c2(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.smem_alloc : !gsa_tile.smem<1x16xi32, linear>
  // expected-error @below {{histogram: expected one row of at least 32 i32, got '!gsa_tile.smem<1x16xi32, linear>'}}
  gsa_tile.histogram_row %s, %row[%n to %n] step 256 range %f, %f forced %n, %n : !gsa_tile.smem<1x16xi32, linear>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @radix_row_c1(%row: !gsa_tile.global<bf16, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  // expected-error @below {{expected scores of f32, got '!gsa_tile.global<bf16, read>'}}
  gsa_tile.radix_row %s, %row[%n to %n] step 256 prefix %k shift %k forced %n, %n : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.global<bf16, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @radix_row_c2(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xi32, linear>
  // expected-error @below {{histogram: expected one row of at least 256 i32, got '!gsa_tile.smem<1x128xi32, linear>'}}
  gsa_tile.radix_row %s, %row[%n to %n] step 256 prefix %k shift %k forced %n, %n : !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_row_c1(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected a positive multiple of 32 columns, got 48}}
  gsa_tile.count_row %s, %row[%n to %n] step 48 threshold %k forced %n, %n : !gsa_tile.lanes<2xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @count_row_c2(%row: !gsa_tile.global<f32, read>, %n: index, %f: f32, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32>
  // expected-error @below {{expected lanes of 2x'i32', got '!gsa_tile.lanes<2xf32>'}}
  gsa_tile.count_row %s, %row[%n to %n] step 256 threshold %k forced %n, %n : !gsa_tile.lanes<2xf32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_row_c1(%out: !gsa_tile.global<i32, write>, %row: !gsa_tile.global<bf16, read>, %n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected scores of f32, got '!gsa_tile.global<bf16, read>'}}
  gsa_tile.emit_row %out, %s, %row[%n to %n] step 256 threshold %k quota %k forced %n, %n : !gsa_tile.global<i32, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.global<bf16, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_row_c2(%out: !gsa_tile.global<i64, write>, %row: !gsa_tile.global<f32, read>, %n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  // expected-error @below {{expected positions of i32, got '!gsa_tile.global<i64, write>'}}
  gsa_tile.emit_row %out, %s, %row[%n to %n] step 256 threshold %k quota %k forced %n, %n : !gsa_tile.global<i64, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @emit_row_c2_cursor(%out: !gsa_tile.global<i32, write>, %row: !gsa_tile.global<f32, read>, %n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  // expected-error @below {{expected lanes of 2x'i32', got '!gsa_tile.lanes<1xi32>'}}
  gsa_tile.emit_row %out, %s, %row[%n to %n] step 256 threshold %k quota %k forced %n, %n : !gsa_tile.global<i32, write>, !gsa_tile.lanes<1xi32>, !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_totals_c1(%n: index)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf64>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<2x1xf64, linear>
  // expected-error @below {{expected a tile of 'f64' with at least 2 columns, got '!gsa_tile.smem<2x1xf64, linear>'}}
  gsa_tile.store_totals %s to %t[%n] : !gsa_tile.lanes<2xf64> to !gsa_tile.smem<2x1xf64, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @store_totals_c1_element(%n: index)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf64>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<2x1xf32, linear>
  // expected-error @below {{expected a tile of 'f64' with at least 1 columns, got '!gsa_tile.smem<2x1xf32, linear>'}}
  gsa_tile.store_totals %s to %t[%n] : !gsa_tile.lanes<1xf64> to !gsa_tile.smem<2x1xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @publish_scan_c1(%n: index)
    attributes {warps = 1 : i64} {
  %s = gsa_tile.lanes_alloc : !gsa_tile.lanes<5xi32>
  %t = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xi32, linear>
  // expected-error @below {{expected a tile of 'i32' with at least 5 columns, got '!gsa_tile.smem<1x4xi32, linear>'}}
  gsa_tile.publish_scan %s to %t : !gsa_tile.lanes<5xi32> to !gsa_tile.smem<1x4xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @find_rank_c1(%k: i32)
    attributes {warps = 1 : i64} {
  %h = gsa_tile.smem_alloc : !gsa_tile.smem<1x128xi32, linear>
  %f = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xi32, linear>
  // expected-error @below {{histogram: expected one row of at least 256 i32, got '!gsa_tile.smem<1x128xi32, linear>'}}
  gsa_tile.find_rank %h rank %k bins 256 to %f : !gsa_tile.smem<1x128xi32, linear> to !gsa_tile.smem<1x4xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @find_rank_c1_found(%k: i32)
    attributes {warps = 1 : i64} {
  %h = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %f = gsa_tile.smem_alloc : !gsa_tile.smem<1x2xi32, linear>
  // expected-error @below {{found: expected one row of at least 3 i32, got '!gsa_tile.smem<1x2xi32, linear>'}}
  gsa_tile.find_rank %h rank %k bins 256 to %f : !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x2xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @find_rank_c2(%k: i32)
    attributes {warps = 1 : i64} {
  %h = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %f = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xi32, linear>
  // expected-error @below {{expected a power of two from 32 to 8192 bins, got 48}}
  gsa_tile.find_rank %h rank %k bins 48 to %f : !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x4xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @radix_keys_c1(%n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<1x255xi32, linear>
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{histogram: expected one row of at least 256 i32, got '!gsa_tile.smem<1x255xi32, linear>'}}
  gsa_tile.radix_keys %a, %b[%n to %n by %n] prefix %k shift %k : !gsa_tile.smem<1x255xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @radix_keys_c1_keys(%n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xf32, linear>
  // expected-error @below {{keys: expected one row of at least 1 i32, got '!gsa_tile.smem<1x64xf32, linear>'}}
  gsa_tile.radix_keys %a, %b[%n to %n by %n] prefix %k shift %k : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x64xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @sort_step_c1(%n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<1x32xi32, linear>
  // expected-error @below {{expected keys and cells of equal length, a power of two, got '!gsa_tile.smem<1x64xi32, linear>' and '!gsa_tile.smem<1x32xi32, linear>'}}
  gsa_tile.sort_step %a, %b size %n stride %n by <0, 1> : !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x32xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @sort_step_c1_length(%n: index, %k: i32)
    attributes {warps = 1 : i64} {
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<1x48xi32, linear>
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<1x48xi32, linear>
  // expected-error @below {{expected keys and cells of equal length, a power of two, got '!gsa_tile.smem<1x48xi32, linear>' and '!gsa_tile.smem<1x48xi32, linear>'}}
  gsa_tile.sort_step %a, %b size %n stride %n by <0, 1> : !gsa_tile.smem<1x48xi32, linear>, !gsa_tile.smem<1x48xi32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @keep_cells_c1(%n: index)
    attributes {warps = 1 : i64} {
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xi32>
  %kept = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32>
  %counts = gsa_tile.smem_alloc : !gsa_tile.smem<2x1xi32, linear>
  %keys = gsa_tile.smem_alloc : !gsa_tile.smem<1x64xi32, linear>
  // expected-error @below {{expected scores of f32, got '!gsa_tile.lanes<8xi32>'}}
  gsa_tile.keep_cells %x at %n forced %n, %n count %counts[%n, %n] to %keys, %keys kept %kept : !gsa_tile.lanes<8xi32>, !gsa_tile.smem<2x1xi32, linear> to !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.lanes<1xi32>
  gsa_tile.return
}
