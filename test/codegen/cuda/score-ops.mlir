// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Each op on scores of few queries as one call, compiled with both sets of
// headers. Not an algorithm.

// USAGE-COUNT-6: scores_of_keys registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void scores_of_keys(
gsa_tile.kernel @scores_of_keys(%list: !gsa_tile.global<i32, write> loc("list"),
                                %counts: !gsa_tile.global<i32, write> loc("counts"),
                                %row: !gsa_tile.global<f32, write> loc("row"),
                                %n: index loc("n"), %f: f32 loc("f"))
    attributes {warps = 1 : i64, shared_bytes = 2432 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %heads = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<2x16xf32, linear> loc("heads")
  %products = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc> loc("products")
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32> loc("scores")
  %weights = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("weights")
  gsa_tile.fill %products, %f : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.fill_rows %weights, %f : !gsa_tile.rowvec<16xf32>
  gsa_tile.put_rowvec %weights to %heads[%c0] : !gsa_tile.rowvec<16xf32> to !gsa_tile.smem<2x16xf32, linear>
  // CHECK: score_columns<activation::sigmoid, 9>(scores, products, heads, 0, f);
  gsa_tile.score_columns %products heads 9 by %heads[%c0] scale %f <sigmoid> to %scores : !gsa_tile.frag<16x64xf32, acc> by !gsa_tile.smem<2x16xf32, linear> to !gsa_tile.lanes<2xf32>
  // CHECK-NEXT: store_scores(row, scores, 8, n);
  gsa_tile.store_scores %scores to %row[%c8 to %n] : !gsa_tile.lanes<2xf32> to !gsa_tile.global<f32, write>
  %line = gsa_tile.smem_alloc at 1408 : !gsa_tile.smem<2x128xf32, linear> loc("line")
  // CHECK: put_lanes(line, 0, 8, scores);
  gsa_tile.put_lanes %scores to %line[%c0, %c8] : !gsa_tile.lanes<2xf32> to !gsa_tile.smem<2x128xf32, linear>
  // CHECK-NEXT: take_lanes(scores, line, 0, 8);
  gsa_tile.take_lanes %line[%c0, %c8] to %scores : !gsa_tile.smem<2x128xf32, linear> to !gsa_tile.lanes<2xf32>
  %staged = gsa_tile.smem_alloc at 128 : !gsa_tile.smem<2x160xi32, linear> loc("staged")
  %held = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32> loc("held")
  %c1 = arith.constant 1 : index
  // CHECK: append_cells(list, counts, 0, staged, 1, held, scores, f, 8, n, 64);
  gsa_tile.append_cells %scores above %f [%c8 to %n] to %list, %counts[%c0] capacity %c64 by way of %staged[%c1], %held : !gsa_tile.lanes<2xf32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write> by way of !gsa_tile.smem<2x160xi32, linear>, !gsa_tile.lanes<1xi32>
  // CHECK-NEXT: flush_cells(list, counts, 0, staged, 1, held, 64);
  gsa_tile.flush_cells %staged[%c1], %held to %list, %counts[%c0] capacity %c64 : !gsa_tile.smem<2x160xi32, linear>, !gsa_tile.lanes<1xi32> to !gsa_tile.global<i32, write>, !gsa_tile.global<i32, write>
  gsa_tile.return
}
