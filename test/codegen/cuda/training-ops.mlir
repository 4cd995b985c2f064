// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Each op of what trains the indexer as one call, compiled with both sets of
// headers. Not an algorithm.

!acc = !gsa_tile.frag<16x64xf32, acc>
!cells = !gsa_tile.global<f32, read>
!rows = !gsa_tile.rows<f32, listed, read>

// USAGE-COUNT-6: training registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void training(
gsa_tile.kernel @training(%list: !gsa_tile.global<i32, read> loc("list"),
                          %cells: !cells loc("cells"),
                          %out: !gsa_tile.global<f32, write> loc("out"),
                          %n: index loc("n"), %f: f32 loc("f"))
    attributes {warps = 1 : i64, shared_bytes = 2304 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %pitch = arith.constant 64 : i64
  %lse = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<2x16xf32, linear> loc("lse")
  %tile = gsa_tile.smem_alloc at 128 : !gsa_tile.smem<16x64xbf16, swizzle> loc("tile")
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs> loc("turned")
  %products = gsa_tile.frag_alloc : !acc loc("products")
  %slopes = gsa_tile.frag_alloc : !acc loc("slopes")
  %sums = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xf32> loc("sums")
  %base = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32> loc("base")
  gsa_tile.fill %products, %f : !acc
  gsa_tile.fill_rows %base, %f : !gsa_tile.rowvec<16xf32>
  gsa_tile.put_rowvec %base to %lse[%c0] : !gsa_tile.rowvec<16xf32> to !gsa_tile.smem<2x16xf32, linear>
  // CHECK: log_sum_columns<9>(sums, products, lse, 0, f);
  gsa_tile.log_sum_columns %sums, %products heads 9 less %lse[%c0] scale %f : !gsa_tile.lanes<2xf32>, !acc less !gsa_tile.smem<2x16xf32, linear>
  // CHECK-NEXT: slope<activation::sigmoid>(slopes, products);
  gsa_tile.slope %products to %slopes <sigmoid> : !acc
  %rows = gsa_tile.listed_rows %cells pitch %pitch list %list end %n limit %n : !cells, !gsa_tile.global<i32, read> to !rows loc("rows")
  // CHECK: weigh_columns(slopes, cells, rows, 8);
  gsa_tile.weigh_columns %slopes, %cells where %rows[%c8] : !acc, !cells where !rows
  gsa_tile.put_frag %slopes to %tile[%c0] : !acc to !gsa_tile.smem<16x64xbf16, swizzle>
  // CHECK: load_lhs_transposed(turned, tile, 0, 8);
  gsa_tile.load_lhs_transposed %tile[%c0, %c8] to %lhs : !gsa_tile.smem<16x64xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
  gsa_tile.fill %products, %f : !acc
  gsa_tile.mma_nn %products, %lhs, %tile[%c0] : !acc, !gsa_tile.frag<16x16xbf16, lhs>, !gsa_tile.smem<16x64xbf16, swizzle>
  %sum_rows = gsa_tile.listed_rows %out pitch %pitch list %list end %n limit %n : !gsa_tile.global<f32, write>, !gsa_tile.global<i32, read> to !gsa_tile.rows<f32, listed, accumulate> loc("key_sums")
  // CHECK: accumulate_rows(key_sums, 8, products, 64);
  %c64 = arith.constant 64 : index
  gsa_tile.accumulate_rows %products columns %c64 to %sum_rows[%c8] : !acc to !gsa_tile.rows<f32, listed, accumulate>
  gsa_tile.store_scores %sums to %out[%c8 to %n] : !gsa_tile.lanes<2xf32> to !gsa_tile.global<f32, write>
  gsa_tile.return
}
