// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-registers))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s
// RUN: not gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-registers{limit=100}))' 2>&1 | FileCheck %s --check-prefix=LIMIT

// The two accumulators of 64 columns (32 registers each) never live together;
// the left operand (4) lives with the second.
// LIMIT-NOT: @in_turn
// CHECK: [Passed] RegistersChecked {{.*}}Remark="in_turn, all warps", fragments=36, limit=255
gsa_tile.kernel @in_turn(%y: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  %pitch = arith.constant 64 : i64
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<64x16xbf16, swizzle>
  %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %b = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
  gsa_tile.fill %a, %zero : !gsa_tile.frag<16x64xf32, acc>
  %view = gsa_tile.strided_rows %y pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %a columns %c16 to %view[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.fill %b, %zero : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<64x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
  gsa_tile.mma_nt %b, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x16xbf16, lhs>, !gsa_tile.smem<64x16xbf16, swizzle>
  gsa_tile.return
}

// What a loop adds to lives through all of it; %t, which it overwrites first, is
// dead before %s is made.
// CHECK: [Passed] RegistersChecked {{.*}}Remark="loop, load", fragments=0
// CHECK: [Passed] RegistersChecked {{.*}}Remark="loop, compute", fragments=96
// LIMIT: error: 'gsa_tile.kernel' op compute: fragments take 96 registers of a thread, with 32 for the rest more than the limit of 100
// LIMIT: note: 64 registers for '!gsa_tile.frag<16x128xf32, acc>'
// LIMIT: note: 32 registers for '!gsa_tile.frag<16x64xf32, acc>'
gsa_tile.kernel @loop(%n: index) attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
    }
    role <"compute", team = <1, 1>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x128xf32, acc>
      %t = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      scf.for %i = %c0 to %n step %c1 {
        gsa_tile.affine %acc, %zero, %zero : !gsa_tile.frag<16x128xf32, acc>
        gsa_tile.fill %t, %zero : !gsa_tile.frag<16x64xf32, acc>
        %s = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
        gsa_tile.fill %s, %zero : !gsa_tile.frag<16x64xf32, acc>
      }
    }
  }
  gsa_tile.return
}

// Of a loop in a loop, too: %t and %s (32 each) live in turn beside %acc (64).
// What the inner loop reads before it writes, %kept (32), lives through both.
// CHECK: [Passed] RegistersChecked {{.*}}Remark="nested, all warps", fragments=128
gsa_tile.kernel @nested(%n: index) attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x128xf32, acc>
  %kept = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %t = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %s = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.fill %kept, %zero : !gsa_tile.frag<16x64xf32, acc>
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %n step %c1 {
      gsa_tile.affine %acc, %zero, %zero : !gsa_tile.frag<16x128xf32, acc>
      gsa_tile.affine %kept, %zero, %zero : !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.fill %t, %zero : !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.fill %s, %zero : !gsa_tile.frag<16x64xf32, acc>
    }
  }
  gsa_tile.return
}
