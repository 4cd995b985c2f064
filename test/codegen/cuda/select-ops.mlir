// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Each op of row statistics and top-k as one call, compiled with both sets of
// headers. Not an algorithm.

#all = #gsa_tile.team<0, 2>

// USAGE-COUNT-6: selection registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void selection(
gsa_tile.kernel @selection(%row: !gsa_tile.global<f32, read> loc("row"),
                        %out: !gsa_tile.global<i32, write> loc("out"),
                        %max: !gsa_tile.global<f32, write> loc("max"),
                        %n: index loc("n"), %k: i32 loc("k"), %f: f32 loc("f"),
                        %d: f64 loc("d"))
    attributes {warps = 2 : i64, shared_bytes = 4096 : i64} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %totals = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<1x8xi32, linear> loc("totals")
  %histogram = gsa_tile.smem_alloc at 128 : !gsa_tile.smem<1x256xi32, linear> loc("histogram")
  %found = gsa_tile.smem_alloc at 1152 : !gsa_tile.smem<1x4xi32, linear> loc("found")
  %keys = gsa_tile.smem_alloc at 1280 : !gsa_tile.smem<1x64xi32, linear> loc("keys")
  %counts = gsa_tile.smem_alloc at 1664 : !gsa_tile.smem<2x2xi32, linear> loc("counts")
  %cells = gsa_tile.smem_alloc at 1792 : !gsa_tile.smem<1x64xi32, linear> loc("cells")
  %sums = gsa_tile.smem_alloc at 2048 : !gsa_tile.smem<2x1xf64, linear> loc("sums")
  // CHECK: auto state = lanes_alloc<lanes<int, 5>>();
  %state = gsa_tile.lanes_alloc : !gsa_tile.lanes<5xi32> loc("state")
  // CHECK-NEXT: auto sum = lanes_alloc<lanes<double, 1>>();
  %sum = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xf64> loc("sum")
  // CHECK-NEXT: auto two = lanes_alloc<lanes<int, 2>>();
  %two = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32> loc("two")
  // CHECK-NEXT: clear_shared<team<0, 2>>(totals);
  gsa_tile.clear_shared %totals by #all : !gsa_tile.smem<1x8xi32, linear>
  // CHECK-NEXT: set_lanes<1>(two, k);
  gsa_tile.set_lanes %k to %two[1] : !gsa_tile.lanes<2xi32>
  // CHECK-NEXT: scan_row<256>(state, row, 0, n);
  gsa_tile.scan_row %state, %row[%c0 to %n] step 256 : !gsa_tile.lanes<5xi32>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: publish_scan(totals, state);
  gsa_tile.publish_scan %state to %totals : !gsa_tile.lanes<5xi32> to !gsa_tile.smem<1x8xi32, linear>
  // CHECK-NEXT: sum_row<256>(sum, row, 0, n);
  gsa_tile.sum_row %sum, %row[%c0 to %n] step 256 : !gsa_tile.lanes<1xf64>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: squares_row<256>(sum, row, 0, n, d);
  gsa_tile.squares_row %sum, %row[%c0 to %n] step 256 mean %d : !gsa_tile.lanes<1xf64>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: exp_row<256>(sum, row, 0, n, f);
  gsa_tile.exp_row %sum, %row[%c0 to %n] step 256 maximum %f : !gsa_tile.lanes<1xf64>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: entropy_row<256>(sum, row, 0, n, f, f);
  gsa_tile.entropy_row %sum, %row[%c0 to %n] step 256 maximum %f inverse %f : !gsa_tile.lanes<1xf64>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: auto pair = lanes_alloc<lanes<double, 2>>();
  %pair = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf64> loc("pair")
  // CHECK-NEXT: finite_row<256>(pair, row, 0, n);
  gsa_tile.finite_row %pair, %row[%c0 to %n] step 256 : !gsa_tile.lanes<2xf64>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: store_totals(sums, 0, sum);
  gsa_tile.store_totals %sum to %sums[%c0] : !gsa_tile.lanes<1xf64> to !gsa_tile.smem<2x1xf64, linear>
  // CHECK-NEXT: const double total = sum_rows(sums, 2, 0);
  %total = gsa_tile.sum_rows %sums below %c2 column %c0 : !gsa_tile.smem<2x1xf64, linear> loc("total")
  %narrow = arith.truncf %total : f64 to f32
  // CHECK-NEXT: const float value = key_value(k);
  %value = gsa_tile.key_value %k loc("value")
  %larger = arith.maxnumf %narrow, %value : f32
  // CHECK-NEXT: store(max_0, 0, fmaxf((float)total, value));
  gsa_tile.store %larger, %max[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK-NEXT: histogram_row<256>(histogram, row, 0, n, f, f, 2, n);
  gsa_tile.histogram_row %histogram, %row[%c0 to %n] step 256 range %f, %f forced %c2, %n : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: find_rank<256>(found, histogram, k);
  gsa_tile.find_rank %histogram rank %k bins 256 to %found : !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x4xi32, linear>
  // CHECK-NEXT: auto kept = lanes_alloc<lanes<int, 1>>();
  %kept = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32> loc("kept")
  // CHECK-NEXT: auto x = lanes_alloc<lanes<float, 8>>();
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32> loc("x")
  // CHECK-NEXT: auto marked = lanes_alloc<lanes<float, 8>>();
  %marked = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32> loc("marked")
  // CHECK-NEXT: load_scores<256>(x, row, 0, n);
  gsa_tile.load_scores %x, %row[%c0 to %n] step 256 : !gsa_tile.lanes<8xf32>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: mark_scores(marked, x, counts, 0, 2, n, f, f, k, 256, 2, n);
  gsa_tile.mark_scores %x to %marked at %n range %f, %f bin %k of 256 forced %c2, %n count %counts[%c0, %c2] : !gsa_tile.lanes<8xf32>, !gsa_tile.smem<2x2xi32, linear>
  // CHECK-NEXT: keep_cells(keys, cells, kept, marked, counts, 0, 2, n, 2, n);
  gsa_tile.keep_cells %marked at %n forced %c2, %n count %counts[%c0, %c2] to %keys, %cells kept %kept : !gsa_tile.lanes<8xf32>, !gsa_tile.smem<2x2xi32, linear> to !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.lanes<1xi32>
  // CHECK-NEXT: radix_keys(histogram, keys, 0, n, 32, k, k);
  gsa_tile.radix_keys %histogram, %keys[%c0 to %n by %c32] prefix %k shift %k : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  // CHECK-NEXT: radix_row<256>(histogram, row, 0, n, k, k, 2, n);
  gsa_tile.radix_row %histogram, %row[%c0 to %n] step 256 prefix %k shift %k forced %c2, %n : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: count_row<256>(two, row, 0, n, k, 2, n);
  gsa_tile.count_row %two, %row[%c0 to %n] step 256 threshold %k forced %c2, %n : !gsa_tile.lanes<2xi32>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: emit_row<256>(out, two, row, 0, n, k, k, 2, n);
  gsa_tile.emit_row %out, %two, %row[%c0 to %n] step 256 threshold %k quota %k forced %c2, %n : !gsa_tile.global<i32, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.global<f32, read>
  // CHECK-NEXT: count_kept<64>(two, keys, 0, n, k);
  gsa_tile.count_kept %two, %keys[%c0 to %n] step 64 threshold %k : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x64xi32, linear>
  // CHECK-NEXT: emit_kept<64>(out, two, keys, cells, 0, n, k, k);
  gsa_tile.emit_kept %out, %two, %keys, %cells[%c0 to %n] step 64 threshold %k quota %k : !gsa_tile.global<i32, write>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  // CHECK-NEXT: fill_span<team<0, 2>>(out, 2, n, k);
  gsa_tile.fill_span %k to %out[%c2 to %n] by #all : !gsa_tile.global<i32, write>
  // CHECK-NEXT: take_candidates<team<0, 2>>(keys, cells, row, out, n);
  gsa_tile.take_candidates %row list %out count %n to %keys, %cells by #all : !gsa_tile.global<f32, read>, !gsa_tile.global<i32, write> to !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  // CHECK-NEXT: sort_step<team<0, 2>>(keys, cells, 32, 2);
  gsa_tile.sort_step %keys, %cells size %c32 stride %c2 by #all : !gsa_tile.smem<1x64xi32, linear>, !gsa_tile.smem<1x64xi32, linear>
  // CHECK-NEXT: store_cells<team<0, 2>>(out, cells, n);
  gsa_tile.store_cells %cells to %out count %n by #all : !gsa_tile.smem<1x64xi32, linear> to !gsa_tile.global<i32, write>
  gsa_tile.return
}
