// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Each op of lists of candidates as one call, compiled with both sets of
// headers. Not an algorithm.

#all = #gsa_tile.team<0, 2>

// USAGE-COUNT-6: {{candidates|pairs}} registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void candidates(
gsa_tile.kernel @candidates(%list: !gsa_tile.global<i32, read> loc("list"),
                            %to: !gsa_tile.global<i32, write> loc("to"),
                            %counts: !gsa_tile.global<i32, write> loc("counts"),
                            %n: index loc("n"), %f: f32 loc("f"))
    attributes {warps = 2 : i64, shared_bytes = 32768 : i64} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %bitmap = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<1x256xi32, linear> loc("bitmap")
  %before = gsa_tile.smem_alloc at 1024 : !gsa_tile.smem<1x256xi32, linear> loc("before")
  %keys = gsa_tile.smem_alloc at 2048 : !gsa_tile.smem<1x128xi32, linear> loc("keys")
  %cells = gsa_tile.smem_alloc at 2560 : !gsa_tile.smem<1x128xi32, linear> loc("cells")
  %placed = gsa_tile.smem_alloc at 8192 : !gsa_tile.smem<1x128xf32, linear> loc("placed")
  %scores = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc> loc("scores")
  %bounds = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("bounds")
  %sums = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("sums")
  %bits = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32> loc("bits")
  gsa_tile.fill %scores, %f : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.fill_rows %bounds, %f : !gsa_tile.rowvec<16xf32>
  gsa_tile.fill_rows %sums, %f : !gsa_tile.rowvec<16xf32>
  // CHECK: activate<activation::fast_tanh>(scores);
  gsa_tile.activate %scores <fast_tanh> : !gsa_tile.frag<16x64xf32, acc>
  // CHECK-NEXT: add_partial_sums(sums, scores);
  gsa_tile.add_partial_sums %sums, %scores : !gsa_tile.rowvec<16xf32>, !gsa_tile.frag<16x64xf32, acc>
  %squares = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("squares")
  gsa_tile.fill_rows %squares, %f : !gsa_tile.rowvec<16xf32>
  // CHECK: add_partial_moments<false>(sums, squares, scores);
  gsa_tile.add_partial_moments %sums, %squares, %scores : !gsa_tile.rowvec<16xf32>, !gsa_tile.frag<16x64xf32, acc>
  // CHECK-NEXT: add_partial_moments<true>(sums, squares, scores);
  gsa_tile.add_partial_moments %sums, %squares, %scores {some_hidden = true} : !gsa_tile.rowvec<16xf32>, !gsa_tile.frag<16x64xf32, acc>
  // CHECK-NEXT: join_partial_sums(squares);
  gsa_tile.join_partial_sums %squares : !gsa_tile.rowvec<16xf32>
  // CHECK: append_candidates(to, counts, staged, staged_bytes, scores, bounds, 1, 2, n, 128, 0);
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %staged = gsa_tile.smem_alloc at 4096 : !gsa_tile.smem<128x52xi32, linear> loc("staged")
  %staged_bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32> loc("staged_bytes")
  gsa_tile.append_candidates %scores above %bounds to %to, %counts[%c2 below %n] capacity %c128 column %c0 by way of %staged, %staged_bytes warp %c1 : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<128x52xi32, linear>, !gsa_tile.lanes<2xi32>
  // CHECK-NEXT: flush_candidates(to, counts, staged, staged_bytes, 1, 2, n, 128);
  gsa_tile.flush_candidates %staged, %staged_bytes warp %c1 to %to, %counts[%c2 below %n] capacity %c128 : !gsa_tile.smem<128x52xi32, linear>, !gsa_tile.lanes<2xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  // CHECK-NEXT: flag_rows(counts, sums, 2, n);
  gsa_tile.flag_rows %sums to %counts[%c2 below %n] : !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>
  %found = gsa_tile.smem_alloc at 3072 : !gsa_tile.smem<1x4xi32, linear> loc("found")
  %range = gsa_tile.smem_alloc at 3088 : !gsa_tile.smem<1x4xi32, linear> loc("range")
  %x = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32> loc("x")
  %c = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32> loc("c")
  %bin = arith.constant 7 : i32
  // CHECK: load_candidates<team<0, 2>>(x, c, range, list, n, 2, n, n);
  gsa_tile.load_candidates %list count %n forced %c2, %n below %n to %x, %c, %range by #all : !gsa_tile.global<i32, read> to !gsa_tile.lanes<2xf32>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x4xi32, linear>
  // CHECK-NEXT: fetch_candidates<team<0, 2>>(x, c, list, n);
  gsa_tile.fetch_candidates %list room %n to %x, %c by #all : !gsa_tile.global<i32, read> to !gsa_tile.lanes<2xf32>, !gsa_tile.lanes<2xi32>
  // CHECK-NEXT: range_candidates<team<0, 2>>(x, c, range, n, 2, n, n);
  gsa_tile.range_candidates %x, %c count %n forced %c2, %n below %n to %range by #all : !gsa_tile.lanes<2xf32>, !gsa_tile.lanes<2xi32> to !gsa_tile.smem<1x4xi32, linear>
  // CHECK-NEXT: histogram_candidates(before, x, c, f, f);
  gsa_tile.histogram_candidates %before, %x, %c range %f, %f : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.lanes<2xf32>, !gsa_tile.lanes<2xi32>
  // CHECK-NEXT: drop_below(c, x, f);
  gsa_tile.drop_below %c, %x bound %f : !gsa_tile.lanes<2xi32>, !gsa_tile.lanes<2xf32>
  // CHECK-NEXT: mark_above<256>(bitmap, keys, cells, found, x, c, f, f, 7);
  gsa_tile.mark_above %bitmap, %x, %c range %f, %f bin %bin of 256 keep %keys, %cells, %found : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.lanes<2xf32>, !gsa_tile.lanes<2xi32> keep !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.smem<1x4xi32, linear>
  // CHECK-NEXT: mark_best<team<0, 2>>(bitmap, keys, cells, 7, 7);
  gsa_tile.mark_best %bitmap, %bin of %keys, %cells count %bin by #all : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.smem<1x128xi32, linear>
  // CHECK-NEXT: mark_forced<team<0, 2>>(bitmap, 2, n, n);
  gsa_tile.mark_forced %bitmap forced %c2, %n below %n by #all : !gsa_tile.smem<1x256xi32, linear>
  // CHECK-NEXT: count_bits<128>(bits, bitmap, 0, n);
  gsa_tile.count_bits %bits, %bitmap[%c0 to %n] step 128 : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  // CHECK-NEXT: scan_bits<128>(before, bits, bitmap, 0, n);
  gsa_tile.scan_bits %before, %bits, %bitmap[%c0 to %n] step 128 : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  // CHECK-NEXT: place_marked<team<0, 2>>(cells, bitmap, before, c, 2, n, n);
  gsa_tile.place_marked %c forced %c2, %n below %n at %bitmap, %before to %cells by #all : !gsa_tile.lanes<2xi32> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x128xi32, linear>
  // CHECK-NEXT: place_scores(placed, bitmap, before, x, c);
  gsa_tile.place_scores %x, %c at %bitmap, %before to %placed : !gsa_tile.lanes<2xf32>, !gsa_tile.lanes<2xi32> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x128xf32, linear>
  // CHECK-NEXT: look_up_cells<team<0, 2>>(cells, to, n);
  gsa_tile.look_up_cells %cells of %to count %n by #all : !gsa_tile.smem<1x128xi32, linear> of !gsa_tile.global<i32, write>
  // CHECK-NEXT: store_cells
  gsa_tile.store_cells %cells to %to count %n by #all : !gsa_tile.smem<1x128xi32, linear> to !gsa_tile.global<i32, write>
  gsa_tile.return
}

// Rows of two heads in turn: half as many rows of sums as of products.

// CHECK-LABEL: void pairs(
gsa_tile.kernel @pairs(%to: !gsa_tile.global<f32, write> loc("to"),
                       %list: !gsa_tile.global<i32, write> loc("list"),
                       %counts: !gsa_tile.global<i32, write> loc("counts"),
                       %n: index loc("n"), %f: f32 loc("f"))
    attributes {warps = 1 : i64, shared_bytes = 8192 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : i64
  // CHECK: auto products = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  %products = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc> loc("products")
  // CHECK-NEXT: auto sums = frag_alloc<frag<float, 8, 64, frag_layout::acc>>();
  %sums = gsa_tile.frag_alloc : !gsa_tile.frag<8x64xf32, acc> loc("sums")
  %offsets = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("offsets")
  // CHECK: fill_halves(offsets, f, f);
  gsa_tile.fill_halves %offsets, %f, %f : !gsa_tile.rowvec<16xf32>
  gsa_tile.fill %products, %f : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.fill %sums, %f : !gsa_tile.frag<8x64xf32, acc>
  // CHECK: affine_rows(products, f, offsets);
  gsa_tile.affine_rows %products, %f, %offsets : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
  // CHECK-NEXT: add_row_pairs(sums, products, offsets);
  gsa_tile.add_row_pairs %sums, %products, %offsets : !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
  // CHECK-NEXT: mask_causal(sums, 0, 0, 1);
  gsa_tile.mask_causal %sums, %c0, %c0 : !gsa_tile.frag<8x64xf32, acc>
  // CHECK: stage_products<activation::fast_tanh, false, 1>(staged, staged_bytes, sums, products, f, offsets, weights, check, check, 0, 0, n, 0, n);
  %staged = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<32x40xi32, linear> loc("staged")
  %staged_bytes = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32> loc("staged_bytes")
  %weights = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("weights")
  %check = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<8xf32> loc("check")
  gsa_tile.fill_rows %weights, %f : !gsa_tile.rowvec<16xf32>
  gsa_tile.fill_rows %check, %f : !gsa_tile.rowvec<8xf32>
  gsa_tile.stage_products <fast_tanh> %products * %f + %offsets weights %weights to %sums, %check above %check[%c0 below %n] column %c0 last %n stage %staged, %staged_bytes warp %c0 : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.rowvec<8xf32> above !gsa_tile.rowvec<8xf32> stage !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32>
  // CHECK-NEXT: drain_candidates<16>(list, counts, staged, staged_bytes, 0, 0, n);
  gsa_tile.drain_candidates %staged, %staged_bytes warp %c0 to %list, %counts[%c0] capacity %n room 16 : !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  // CHECK-NEXT: stage_products<activation::relu, true, 16>(staged,
  gsa_tile.stage_products <relu> %products * %f + %offsets weights %weights to %sums, %check above %check[%c0 below %n] column %c0 last %n stage %staged, %staged_bytes warp %c0 {some_hidden = true, rows_per_query = 16 : i64} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<8x64xf32, acc>, !gsa_tile.rowvec<8xf32> above !gsa_tile.rowvec<8xf32> stage !gsa_tile.smem<32x40xi32, linear>, !gsa_tile.lanes<1xi32>
  %rows = gsa_tile.strided_rows %to pitch %c64 count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // CHECK: store_rows({{.*}}, 0, sums, n);
  gsa_tile.store_rows %sums columns %n to %rows[%c0] : !gsa_tile.frag<8x64xf32, acc> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}
