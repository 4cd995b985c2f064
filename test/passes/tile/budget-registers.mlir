// RUN: gsa-opt %s --split-input-file --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-budget-registers))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %s --split-input-file --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-budget-registers,gsa-tile-budget-registers))' | FileCheck %s
// RUN: gsa-opt %s --split-input-file --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-budget-registers{arch=sm_80}))' --remarks-filter="gsa.tile" -o %t.80 2>&1 | FileCheck %s --check-prefix=SM80
// RUN: FileCheck %s --check-prefix=NONE --input-file %t.80
// RUN: not gsa-opt %s --split-input-file --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-budget-registers{arch=sm_70}))' 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// SM80: [Missed] NoRegisterBudgets {{.*}}registers do not move on sm_80
// NONE-NOT: set_max_registers
// UNKNOWN: error: gsa-tile-budget-registers: architecture: expected one of {{.*}}, got 'sm_70'; did you mean 'sm_80'?
// UNKNOWN-NOT: see current operation

// Two blocks of 256 threads leave 128 registers to a thread; four warps that
// copy give 56 of them to the four that compute.
// REMARK: [Passed] RegisterBudgets {{.*}}Remark="two, load 72, compute 184", blocks=2, launch=128
// CHECK-LABEL: gsa_tile.kernel @two
// CHECK-SAME: min_blocks = 2
// CHECK: role <"load", team = <0, 4>, registers = 72> {
// CHECK-NEXT: gsa_tile.set_max_registers 72 grow = false
// CHECK-NOT: set_max_registers
// CHECK: role <"compute", team = <4, 4>, registers = 184> {
// CHECK-NEXT: gsa_tile.set_max_registers 184 grow = true
// CHECK-NOT: set_max_registers
gsa_tile.kernel @two() attributes {warps = 8 : i64, shared_bytes = 65536 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// One block fits, and its even share is all that a thread can use.
// REMARK: [Missed] NoRegisterBudgets {{.*}}one: an even share is all that a thread can use
// CHECK-LABEL: gsa_tile.kernel @one
// CHECK-NOT: set_max_registers
gsa_tile.kernel @one() attributes {warps = 8 : i64, shared_bytes = 131072 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// One block of 384 threads: 168 each, of which the copying ones give what the others can use.
// REMARK: [Passed] RegisterBudgets {{.*}}Remark="three, load 72, compute 216", blocks=1, launch=168
// CHECK-LABEL: gsa_tile.kernel @three
// CHECK-SAME: min_blocks = 1
gsa_tile.kernel @three() attributes {warps = 12 : i64, shared_bytes = 131072 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 8>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}halves: role compute is no whole warpgroups
// CHECK-LABEL: gsa_tile.kernel @halves
// CHECK-NOT: set_max_registers
gsa_tile.kernel @halves() attributes {warps = 6 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 2>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// Fragments of 128 registers do not fit into a share of two blocks of 384
// threads (84 = (80 * 384 - 72 * 128) / 256), but into that of one.
// REMARK: [Passed] RegisterBudgets {{.*}}Remark="wide, load 72, compute 216", blocks=1, launch=168
// CHECK-LABEL: gsa_tile.kernel @wide
gsa_tile.kernel @wide() attributes {warps = 12 : i64, shared_bytes = 1024 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 8>> {
      %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x256xf32, acc>
      gsa_tile.fill %a, %zero : !gsa_tile.frag<16x256xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}plain: there are no roles
// CHECK-LABEL: gsa_tile.kernel @plain
gsa_tile.kernel @plain() attributes {warps = 4 : i64} {
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}small: an even share is enough
// CHECK-LABEL: gsa_tile.kernel @small
// CHECK-NOT: set_max_registers
gsa_tile.kernel @small() attributes {warps = 8 : i64, shared_bytes = 1024 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.fill %a, %zero : !gsa_tile.frag<16x64xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}fma: products by FMA take all registers
// CHECK-LABEL: gsa_tile.kernel @fma
// CHECK-NOT: set_max_registers
gsa_tile.kernel @fma() attributes {warps = 8 : i64, shared_bytes = 65536 : i64} {
  %c0 = arith.constant 0 : index
  %keys = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x64xf32, swizzle>
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, lhs>
      gsa_tile.load_lhs %keys[%c0] to %lhs : !gsa_tile.smem<64x64xf32, swizzle> to !gsa_tile.frag<16x64xf32, lhs>
      gsa_tile.mma_nt %acc, %lhs, %keys[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf32, lhs>, !gsa_tile.smem<64x64xf32, swizzle>
    }
  }
  gsa_tile.return
}

// -----

// Scores of four heads, one product after the other: the compiler computes them
// side by side, 3 x (32 + 32) registers beside 64.
// REMARK: [Missed] NoRegisterBudgets {{.*}}heads: products side by side need all registers
// CHECK-LABEL: gsa_tile.kernel @heads
// CHECK-NOT: set_max_registers
gsa_tile.kernel @heads() attributes {warps = 8 : i64, shared_bytes = 1024 : i64} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %q = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x128xbf16, swizzle>
  %k = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x128xbf16, swizzle>
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %sum = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x128xbf16, lhs>
      gsa_tile.fill %sum, %zero : !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.load_lhs %q[%c0] to %lhs : !gsa_tile.smem<64x128xbf16, swizzle> to !gsa_tile.frag<16x128xbf16, lhs>
      gsa_tile.mma_nt %sum, %lhs, %k[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x128xbf16, lhs>, !gsa_tile.smem<64x128xbf16, swizzle>
      gsa_tile.load_lhs %q[%c0] to %lhs : !gsa_tile.smem<64x128xbf16, swizzle> to !gsa_tile.frag<16x128xbf16, lhs>
      gsa_tile.mma_nt %sum, %lhs, %k[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x128xbf16, lhs>, !gsa_tile.smem<64x128xbf16, swizzle>
      gsa_tile.load_lhs %q[%c0] to %lhs : !gsa_tile.smem<64x128xbf16, swizzle> to !gsa_tile.frag<16x128xbf16, lhs>
      gsa_tile.mma_nt %sum, %lhs, %k[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x128xbf16, lhs>, !gsa_tile.smem<64x128xbf16, swizzle>
      gsa_tile.load_lhs %q[%c0] to %lhs : !gsa_tile.smem<64x128xbf16, swizzle> to !gsa_tile.frag<16x128xbf16, lhs>
      gsa_tile.mma_nt %sum, %lhs, %k[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x128xbf16, lhs>, !gsa_tile.smem<64x128xbf16, swizzle>
    }
  }
  gsa_tile.return
}

// -----

// Less than a copying role keeps: nothing moves the wrong way.
// REMARK: [Missed] NoRegisterBudgets {{.*}}crowd: an even share is enough
// CHECK-LABEL: gsa_tile.kernel @crowd
// CHECK-NOT: set_max_registers
gsa_tile.kernel @crowd() attributes {warps = 16 : i64, shared_bytes = 1024 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 8>> {
    }
    role <"compute", team = <8, 8>> {
      %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x8xf32, acc>
      gsa_tile.fill %a, %zero : !gsa_tile.frag<16x8xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}many: fragments do not fit into their share
// CHECK-LABEL: gsa_tile.kernel @many
// CHECK-NOT: set_max_registers
gsa_tile.kernel @many() attributes {warps = 24 : i64, shared_bytes = 131072 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 8>> {
    }
    role <"compute", team = <8, 16>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}all: all roles hold fragments, or none does
// CHECK-LABEL: gsa_tile.kernel @all
// CHECK-NOT: set_max_registers
gsa_tile.kernel @all() attributes {warps = 8 : i64, shared_bytes = 131072 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"first", team = <0, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x64xf32, acc>
    }
    role <"second", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x64xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}given: the roles have some
// CHECK-LABEL: gsa_tile.kernel @given
// CHECK-NOT: set_max_registers
gsa_tile.kernel @given() attributes {warps = 8 : i64, shared_bytes = 131072 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>, registers = 72> {
    }
    role <"compute", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// REMARK: [Missed] NoRegisterBudgets {{.*}}idle: a warp has no role
// CHECK-LABEL: gsa_tile.kernel @idle
// CHECK-NOT: set_max_registers
gsa_tile.kernel @idle() attributes {warps = 12 : i64, shared_bytes = 131072 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// What is left for each of 384 threads, 146, is rounded down to a unit of 8.
// REMARK: [Passed] RegisterBudgets {{.*}}Remark="sixteen, load 72, compute 144", blocks=1, launch=128
// CHECK-LABEL: gsa_tile.kernel @sixteen
// CHECK: gsa_tile.set_max_registers 144 grow = true
gsa_tile.kernel @sixteen() attributes {warps = 16 : i64, shared_bytes = 65536 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 12>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x192xf32, acc>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x192xf32, acc>
    }
  }
  gsa_tile.return
}

// -----

// So is what is of use: twice 66 registers of fragments and 24 beside, 156.
// REMARK: [Passed] RegisterBudgets {{.*}}Remark="odd, load 72, compute 152", blocks=2, launch=128
// CHECK-LABEL: gsa_tile.kernel @odd
// CHECK: gsa_tile.set_max_registers 152 grow = true
gsa_tile.kernel @odd() attributes {warps = 8 : i64, shared_bytes = 65536 : i64} {
  %zero = arith.constant 0.0 : f32
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 4>> {
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x120xf32, acc>
      %a = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      %b = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      %c = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x120xf32, acc>
      gsa_tile.fill_rows %a, %zero : !gsa_tile.rowvec<16xf32>
      gsa_tile.fill_rows %b, %zero : !gsa_tile.rowvec<16xf32>
      gsa_tile.fill_rows %c, %zero : !gsa_tile.rowvec<16xf32>
      gsa_tile.affine_rows %acc, %zero, %a : !gsa_tile.frag<16x120xf32, acc>, !gsa_tile.rowvec<16xf32>
      gsa_tile.affine_rows %acc, %zero, %b : !gsa_tile.frag<16x120xf32, acc>, !gsa_tile.rowvec<16xf32>
      gsa_tile.affine_rows %acc, %zero, %c : !gsa_tile.frag<16x120xf32, acc>, !gsa_tile.rowvec<16xf32>
    }
  }
  gsa_tile.return
}

// -----

// Products of warpgroups sum up in 192 registers, which 216 (beside copying warps
// of 72) leave too little to. Of 168 * 3 = 504 for three warpgroups the two take 232
// each, rounded down from 236 (beside 32), and what they leave, 40, goes to the
// copying one.
// REMARK: [Passed] RegisterBudgets {{.*}}Remark="left, load 40, compute 232", blocks=1, launch=168
// CHECK-LABEL: gsa_tile.kernel @left
// CHECK: role <"load", team = <0, 4>, registers = 40> {
// CHECK-NEXT: gsa_tile.set_max_registers 40 grow = false
// CHECK: role <"compute", team = <4, 8>, registers = 232> {
// CHECK-NEXT: gsa_tile.set_max_registers 232 grow = true
gsa_tile.kernel @left() attributes {warps = 12 : i64, shared_bytes = 131072 : i64} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %a = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %b = gsa_tile.smem_alloc at 8192 : !gsa_tile.smem<256x64xbf16, swizzle_128b>
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
    role <"compute", team = <4, 8>> {
      %wide = gsa_tile.frag_alloc : !gsa_tile.frag<16x256xf32, acc>
      %narrow = gsa_tile.frag_alloc : !gsa_tile.frag<16x128xf32, acc>
      gsa_tile.fill %wide, %zero : !gsa_tile.frag<16x256xf32, acc>
      gsa_tile.fill %narrow, %zero : !gsa_tile.frag<16x128xf32, acc>
      gsa_tile.wgmma_nt %wide, %a[%c0], %b[%c0] : !gsa_tile.frag<16x256xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<256x64xbf16, swizzle_128b>
      gsa_tile.wgmma_nt %narrow, %a[%c0], %b[%c0] : !gsa_tile.frag<16x128xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<256x64xbf16, swizzle_128b>
    }
  }
  gsa_tile.return
}
