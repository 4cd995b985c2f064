// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Each op of lists of candidates as one call, compiled with both sets of
// headers. Not an algorithm.

#all = #gsa_tile.team<0, 2>

// USAGE-COUNT-6: candidates registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void candidates(
gsa_tile.kernel @candidates(%list: !gsa_tile.global<i32, read> loc("list"),
                            %to: !gsa_tile.global<i32, write> loc("to"),
                            %counts: !gsa_tile.global<i32, write> loc("counts"),
                            %n: index loc("n"), %f: f32 loc("f"))
    attributes {warps = 2 : i64, shared_bytes = 4096 : i64} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %bitmap = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<1x256xi32, linear> loc("bitmap")
  %before = gsa_tile.smem_alloc at 1024 : !gsa_tile.smem<1x256xi32, linear> loc("before")
  %keys = gsa_tile.smem_alloc at 2048 : !gsa_tile.smem<1x128xi32, linear> loc("keys")
  %cells = gsa_tile.smem_alloc at 2560 : !gsa_tile.smem<1x128xi32, linear> loc("cells")
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
  // CHECK-NEXT: append_candidates(to, counts, scores, bounds, 2, n, 128, 0);
  %c128 = arith.constant 128 : index
  gsa_tile.append_candidates %scores above %bounds to %to, %counts[%c2 below %n] capacity %c128 column %c0 : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  // CHECK-NEXT: flag_rows(counts, sums, 2, n);
  gsa_tile.flag_rows %sums to %counts[%c2 below %n] : !gsa_tile.rowvec<16xf32> to !gsa_tile.global<i32, write>
  // CHECK-NEXT: mark_candidates<team<0, 2>>(bitmap, list, n, 2, n, n);
  gsa_tile.mark_candidates %bitmap, %list count %n forced %c2, %n below %n by #all : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.global<i32, read>
  // CHECK-NEXT: count_bits<64>(bits, bitmap, 0, n);
  gsa_tile.count_bits %bits, %bitmap[%c0 to %n] step 64 : !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  // CHECK-NEXT: scan_bits<64>(before, bits, bitmap, 0, n);
  gsa_tile.scan_bits %before, %bits, %bitmap[%c0 to %n] step 64 : !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.lanes<2xi32>, !gsa_tile.smem<1x256xi32, linear>
  // CHECK-NEXT: place_candidates<team<0, 2>>(keys, cells, bitmap, before, list, n, 2, n, n);
  gsa_tile.place_candidates %list count %n forced %c2, %n below %n at %bitmap, %before to %keys, %cells by #all : !gsa_tile.global<i32, read> at !gsa_tile.smem<1x256xi32, linear>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.smem<1x128xi32, linear>, !gsa_tile.smem<1x128xi32, linear>
  // CHECK-NEXT: store_cells
  gsa_tile.store_cells %cells to %to count %n by #all : !gsa_tile.smem<1x128xi32, linear> to !gsa_tile.global<i32, write>
  gsa_tile.return
}
