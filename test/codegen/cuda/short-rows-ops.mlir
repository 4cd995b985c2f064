// Ops of rows that take all keys, and of lists as strings of bits: the text of
// the IR and of CUDA C++.

// RUN: gsa-opt %s --verify-roundtrip | FileCheck %s --check-prefix=IR
// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_80 %s | FileCheck %s --check-prefix=USAGE %}

// USAGE: sm_80 rows registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0

// CHECK-LABEL: rows(
gsa_tile.kernel @rows(%x: !gsa_tile.global<bf16, read> loc("x"),
                      %flags: !gsa_tile.global<i32, read> loc("flags"),
                      %row: !gsa_tile.global<f32, read> loc("row"),
                      %list: !gsa_tile.global<i32, read> loc("list"),
                      %out: !gsa_tile.global<i32, write> loc("out"),
                      %n: index loc("n"))
    attributes {warps = 2 : i64, shared_bytes = 96 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %limit = arith.constant 1048576.0 : f32
  %beyond = gsa_tile.lanes_alloc : !gsa_tile.lanes<1xi32> loc("beyond")
  // IR: gsa_tile.count_beyond %{{.*}}, %{{.*}}[%{{.*}} to %{{.*}}] step 1024 by 8 limit %{{.*}} : <1xi32>, <bf16, read>
  // CHECK: count_beyond<1024, 8>(beyond, x, 0, n, 1048576.0f);
  gsa_tile.count_beyond %beyond, %x[%c0 to %n] step 1024 by 8 limit %limit : !gsa_tile.lanes<1xi32>, !gsa_tile.global<bf16, read>
  // IR: gsa_tile.list_all %{{.*}} count %{{.*}} slots %{{.*}} by 4 : <i32, write>
  // CHECK-NEXT: list_all<4>(out, n, n);
  gsa_tile.list_all %out count %n slots %n by 4 : !gsa_tile.global<i32, write>
  // IR: gsa_tile.any_set %{{.*}}[%{{.*}} to %{{.*}}] : <i32, read>
  // CHECK-NEXT: bool set = any_set(flags, 0, n);
  %set = gsa_tile.any_set %flags[%c0 to %n] : !gsa_tile.global<i32, read> loc("set")
  // IR: gsa_tile.any_short %{{.*}} rows %{{.*}} last %{{.*}} step 1 : <i32, read>
  // CHECK-NEXT: bool is_short = any_short<1>(flags, n, n);
  %short = gsa_tile.any_short %flags rows %n last %n step 1 : !gsa_tile.global<i32, read> loc("is_short")
  %both = arith.andi %set, %short : i1
  %table = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<2x8xi32, linear> loc("table")
  scf.if %both {
    // IR: gsa_tile.mark_keys %{{.*}}[%{{.*}}], %{{.*}}[%{{.*}} to %{{.*}}] step 256 by 4 : <2x8xi32, linear>, <i32, read>
    // CHECK: mark_keys<256, 4>(table, 1, list, 0, n);
    gsa_tile.mark_keys %table[%c1], %list[%c0 to %n] step 256 by 4 : !gsa_tile.smem<2x8xi32, linear>, !gsa_tile.global<i32, read>
    // IR: gsa_tile.store_strings %{{.*}}[%{{.*}}] to %{{.*}} string %{{.*}} of 64 words 4 : <2x8xi32, linear>, <i32, write>
    // CHECK-NEXT: store_strings<64, 4>(out, table, 1, n);
    gsa_tile.store_strings %table[%c1] to %out string %n of 64 words 4 : !gsa_tile.smem<2x8xi32, linear>, !gsa_tile.global<i32, write>
  }
  %range = gsa_tile.smem_alloc at 64 : !gsa_tile.smem<1x4xi32, linear> loc("range")
  %scores = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xf32> loc("scores")
  %cells = gsa_tile.lanes_alloc : !gsa_tile.lanes<8xi32> loc("cells")
  // IR: gsa_tile.load_row %{{.*}} count %{{.*}} forced %{{.*}}, %{{.*}} below %{{.*}} to %{{.*}}, %{{.*}}, %{{.*}} by <0, 2> : <f32, read> to <8xf32>, <8xi32>, <1x4xi32, linear>
  // CHECK: load_row<team<0, 2>>(scores, cells, range, row, n, 0, n, n);
  gsa_tile.load_row %row count %n forced %c0, %n below %n to %scores, %cells, %range by <0, 2> : !gsa_tile.global<f32, read> to !gsa_tile.lanes<8xf32>, !gsa_tile.lanes<8xi32>, !gsa_tile.smem<1x4xi32, linear>
  gsa_tile.return
}
