// RUN: gsa-opt %s | gsa-opt | FileCheck %s --check-prefix=IR
// RUN: gsa-opt %s --mlir-print-op-generic --mlir-print-debuginfo | gsa-opt --mlir-print-debuginfo | gsa-translate --gsa-tile-to-cuda | FileCheck %s
// RUN: gsa-opt %s --emit-bytecode | gsa-opt | FileCheck %s --check-prefix=IR
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-emu %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Each op on keys that queries share survives a round trip and is one call,
// compiled with both sets of headers. Not an algorithm.

#load = #gsa_tile.team<0, 2>
!list = !gsa_tile.global<i32, read>
!out = !gsa_tile.global<i32, write>
!table = !gsa_tile.smem<1x1024xi32, linear>
!bits = !gsa_tile.smem<1x32xi32, linear>
!lanes = !gsa_tile.lanes<1xi32>
!kinds = !gsa_tile.lanes<3xi32>
!acc = !gsa_tile.frag<16x64xf32, acc>
!vec = !gsa_tile.rowvec<16xf32>
!rows = !gsa_tile.rows<bf16, listed, read>
!found = !gsa_tile.found_rows<64 x 8 by <0, 2>>

// USAGE-COUNT-6: unite registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0

// CHECK-LABEL: void unite(
gsa_tile.kernel @unite(%list: !list loc("list"), %keys: !out loc("keys"),
                       %words: !out loc("words"), %bits: !out loc("bits"),
                       %again: !out loc("again"), %count: !out loc("count"),
                       %x: !gsa_tile.global<bf16, read> loc("x"),
                       %out: !gsa_tile.global<f32, write> loc("out"),
                       %n: index loc("n"))
    attributes {warps = 2 : i64, shared_bytes = 12544 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %scale = arith.constant 0.125 : f32
  %limit = arith.constant 8192.0 : f32
  %table = gsa_tile.smem_alloc at 0 : !table loc("table")
  %mask = gsa_tile.smem_alloc at 4096 : !bits loc("mask")
  %tile = gsa_tile.smem_alloc at 4224 : !gsa_tile.smem<64x64xbf16, swizzle> loc("tile")
  %state = gsa_tile.lanes_alloc : !lanes loc("state")
  %kinds = gsa_tile.lanes_alloc : !kinds loc("kinds")
  %scores = gsa_tile.frag_alloc : !acc loc("scores")
  %factor = gsa_tile.rowvec_alloc : !vec loc("factor")
  %base = gsa_tile.rowvec_alloc : !vec loc("base")
  %sum = gsa_tile.rowvec_alloc : !vec loc("sum")
  // IR: %[[MARKED:.*]] = gsa_tile.mark_members %{{.*}}, %arg0[%{{.*}} to %{{.*}}] step 64 first %arg8 bit %{{.*}} : <1x1024xi32, linear>, <i32, read>
  // CHECK: mark_members<64>(table, list, 0, n, n, 16)
  %marked = gsa_tile.mark_members %table, %list[%c0 to %n] step 64 first %n bit %c16 : !table, !list loc("marked")
  // IR: gsa_tile.check_list %{{.*}}, %arg0[%{{.*}} to %[[MARKED]]] step 128 limit %arg8 : <1xi32>, <i32, read>
  // CHECK: check_list<128>(state, list, 0, marked, n);
  gsa_tile.check_list %state, %list[%c0 to %marked] step 128 limit %n : !lanes, !list
  // IR: gsa_tile.count_members %{{.*}}, %{{.*}}[%{{.*}} to %{{.*}}] step 32 : <1xi32>, <1x1024xi32, linear>
  // CHECK-NEXT: count_members<32>(state, table, 0, 64);
  gsa_tile.count_members %state, %table[%c0 to %c64] step 32 : !lanes, !table
  // IR: gsa_tile.emit_members %arg1, %arg2, %{{.*}}, %{{.*}}[%{{.*}} to %{{.*}}] step 32 first %arg8 : <i32, write>, <i32, write>, <1xi32>, <1x1024xi32, linear>
  // CHECK-NEXT: emit_members<32>(keys, words, state, table, 0, 64, n);
  gsa_tile.emit_members %keys, %words, %state, %table[%c0 to %c64] step 32 first %n : !out, !out, !lanes, !table
  // IR: gsa_tile.count_kinds %{{.*}}, %{{.*}}[%{{.*}} to %{{.*}}] step 32 half 16 : <3xi32>, <1x1024xi32, linear>
  // CHECK-NEXT: count_kinds<32, 16>(kinds, table, 0, 64);
  gsa_tile.count_kinds %kinds, %table[%c0 to %c64] step 32 half 16 : !kinds, !table
  // IR: gsa_tile.emit_kinds %arg1, %arg2, %{{.*}}, %{{.*}}[%{{.*}} to %{{.*}}] step 64 half 4 first %arg8 : <i32, write>, <i32, write>, <3xi32>, <1x1024xi32, linear>
  // CHECK-NEXT: emit_kinds<64, 4>(keys, words, kinds, table, 0, 64, n);
  gsa_tile.emit_kinds %keys, %words, %kinds, %table[%c0 to %c64] step 64 half 4 first %n : !out, !out, !kinds, !table
  // IR: gsa_tile.transpose_members %arg2[%arg8] to %arg3 strings 16 block 64 : <i32, write> to <i32, write>
  // CHECK-NEXT: transpose_members<16, 64>(bits, words, n);
  gsa_tile.transpose_members %words[%n] to %bits strings 16 block 64 : !out to !out
  // IR: gsa_tile.mask_bits %{{.*}}, %{{.*}}[%{{.*}}] row %{{.*}} {rows_per_string = 4 : i64} : <16x64xf32, acc>, <1x32xi32, linear>
  // CHECK-NEXT: mask_bits<4>(scores, mask, 0, 16);
  gsa_tile.mask_bits %scores, %mask[%c0] row %c16 {rows_per_string = 4 : i64} : !acc, !bits
  // IR: gsa_tile.softmax_step %[[S:.*]], %[[F:.*]], %{{.*}}, %[[SUM:.*]] scale %{{.*}} : <16x64xf32, acc>, <16xf32>
  // CHECK-NEXT: softmax_step(scores, factor, base, sum, 0.125f);
  gsa_tile.softmax_step %scores, %factor, %base, %sum scale %scale : !acc, !vec
  // IR-NEXT: gsa_tile.softmax_close %[[SUM]] : <16xf32>
  // CHECK-NEXT: softmax_close(sum);
  gsa_tile.softmax_close %sum : !vec
  // IR-NEXT: gsa_tile.scale_rows %[[S]], %[[F]] : <16x64xf32, acc>, <16xf32>
  // CHECK-NEXT: scale_rows(scores, factor);
  gsa_tile.scale_rows %scores, %factor : !acc, !vec
  // IR-NEXT: gsa_tile.any_out_of_range %[[S]], %[[SUM]] limit %{{.*}} : <16x64xf32, acc>, <16xf32>
  // CHECK-NEXT: bool spoilt = any_out_of_range(scores, sum, 8192.0f);
  %spoilt = gsa_tile.any_out_of_range %scores, %sum limit %limit : !acc, !vec loc("spoilt")
  // IR-NEXT: %[[ODD:.*]] = gsa_tile.any_not_finite %[[TILE:.*]] by <0, 2> : <64x64xbf16, swizzle>
  // CHECK-NEXT: bool odd = any_not_finite<team<0, 2>>(tile);
  %odd = gsa_tile.any_not_finite %tile by #load : !gsa_tile.smem<64x64xbf16, swizzle> loc("odd")
  scf.if %odd {
    // IR: gsa_tile.drop_rows %[[TILE]][%{{.*}}] by %[[SUM]] : <64x64xbf16, swizzle> by <16xf32>
    // CHECK: drop_rows(tile, 16, sum);
    gsa_tile.drop_rows %tile[%c16] by %sum : !gsa_tile.smem<64x64xbf16, swizzle> by !vec
  }
  scf.if %spoilt {
    // IR: gsa_tile.append %arg8 to %arg4 count %arg5 : <i32, write>, <i32, write>
    // CHECK: append(again, count, n);
    gsa_tile.append %n to %again count %count : !out, !out
  }
  // IR: %[[ROWS:.*]] = gsa_tile.listed_rows %arg6 pitch %{{.*}} list %arg0 end %arg8 limit %arg8 : <bf16, read>, !gsa_tile.global<i32, read> to <bf16, listed, read>
  %rows = gsa_tile.listed_rows %x pitch %pitch list %list end %n limit %n : !gsa_tile.global<bf16, read>, !list to !rows loc("rows")
  // IR-NEXT: %[[NEXT:.*]] = gsa_tile.found_alloc : <64 x 8 by <0, 2>>
  // CHECK: auto next = found_alloc<found_rows<team<0, 2>, 64, 8>>();
  %next = gsa_tile.found_alloc : !found loc("next")
  // IR-NEXT: %[[THIS:.*]] = gsa_tile.found_alloc
  %this = gsa_tile.found_alloc : !found loc("current")
  // IR-NEXT: gsa_tile.look_up %[[ROWS]][%{{.*}}] to %[[NEXT]] by <0, 2> : <bf16, listed, read> to <64 x 8 by <0, 2>>
  // CHECK: look_up(next, rows, 64);
  gsa_tile.look_up %rows[%c64] to %next by #load : !rows to !found
  // IR-NEXT: gsa_tile.keep_found %[[NEXT]] to %[[THIS]] by <0, 2> : <64 x 8 by <0, 2>>
  // CHECK: keep_found(current, next);
  gsa_tile.keep_found %next to %this by #load : !found
  gsa_tile.copy_rows %rows[%this] columns %c64 to %tile by #load vector 16 : !rows, !found to !gsa_tile.smem<64x64xbf16, swizzle>
  %to = gsa_tile.strided_rows %out pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %scores columns %c64 to %to[%c0] : !acc to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}
