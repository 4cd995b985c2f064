// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Kernels and their parts, what launches them, products.

// expected-error @below {{expected no results, got 1}}
"gsa_tile.kernel"() <{sym_name = "kernel_c1", function_type = () -> i64, warps = 1 : i64}> ({
  "gsa_tile.return"() : () -> ()
}) : () -> ()

// -----

// expected-error @below {{argument 0: expected a pointer or a scalar of index, i32, i64, f32 or f64, got 'tensor<4xf32>'}}
gsa_tile.kernel @kernel_c1_argument(%x: tensor<4xf32>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected 1 to 32 warps, got 33}}
gsa_tile.kernel @kernel_c2() attributes {warps = 33 : i64} {
  gsa_tile.return
}

// -----

gsa_tile.kernel @roles_c1()
    attributes {warps = 2 : i64} {
  // expected-error @below {{expected one region per role, got 2 roles and 1 regions}}
  "gsa_tile.roles"() <{roles = [#gsa_tile.role<"load", team = <0, 1>>, #gsa_tile.role<"mma", team = <1, 1>>]}> ({
    "gsa_tile.yield"() : () -> ()
  }) : () -> ()
  gsa_tile.return
}

// -----

gsa_tile.kernel @roles_c2()
    attributes {warps = 2 : i64} {
  // expected-error-re @below {{role load: team {{.*}}<0, 4>{{.*}} exceeds the 2 warps of the kernel}}
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
    }
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @roles_c2_taken()
    attributes {warps = 4 : i64} {
  // expected-error @below {{role mma: warp 1 has another role}}
  gsa_tile.roles {
    role <"load", team = <0, 2>> {
    }
    role <"mma", team = <1, 2>> {
    }
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @roles_c3()
    attributes {warps = 1 : i64} {
  gsa_tile.roles {
    role <"all", team = <0, 1>> {
      // expected-error @below {{must not be nested in another roles op}}
      gsa_tile.roles {
        role <"one", team = <0, 1>> {
        }
      }
    }
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @for_each_variable(%n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected one i64 induction variable}}
  "gsa_tile.for_each"(%n) ({
  ^bb0(%i: index):
    "gsa_tile.yield"() : () -> ()
  }) : (i64) -> ()
  gsa_tile.return
}

// -----

gsa_tile.kernel @for_each_body(%n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{only scalar ops, load, store and sums of terms may be in the body, got gsa_tile.block_id}}
  gsa_tile.for_each %i below %n {
    %t = gsa_tile.block_id 0
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @for_each_c1(%n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected 1, 2, 4, 8, 16 or 32 lanes, got 12}}
  gsa_tile.for_each %i below %n lanes 12 {
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @for_each_c1_many(%n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected 1, 2, 4, 8, 16 or 32 lanes, got 64}}
  gsa_tile.for_each %i below %n lanes 64 {
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @first_term_c1(%n: i64)
    attributes {warps = 1 : i64} {
  gsa_tile.for_each %i below %n lanes 8 {
    // expected-error @below {{expected to be in the body of a for_each of 4 lanes, got one of 8}}
    %t = gsa_tile.first_term 4
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @term_step_c1(%n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected to be in the body of a for_each of 4 lanes, got none}}
  %t = gsa_tile.term_step 4
  gsa_tile.return
}

// -----

gsa_tile.kernel @sum_terms_c1(%n: i64, %x: f64)
    attributes {warps = 1 : i64} {
  gsa_tile.for_each %i below %n {
    // expected-error @below {{expected to be in the body of a for_each of 2 lanes, got one of 1}}
    %t = gsa_tile.sum_terms %x over 2 : f64
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @sum_terms_c2(%n: i64, %x: f32)
    attributes {warps = 1 : i64} {
  gsa_tile.for_each %i below %n lanes 2 {
    %b = arith.cmpi slt, %i, %n : i64
    scf.if %b {
      // expected-error @below {{expected to be run by all lanes of an iteration, got one in the body of scf.if}}
      %t = gsa_tile.sum_terms %x over 2 : f32
    }
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @at_c1(%x: !gsa_tile.global<f32, read>, %n: index)
    attributes {warps = 1 : i64} {
  // expected-error @below {{expected one size less than indices, got 1 indices and 1 sizes}}
  %y = gsa_tile.at %x[%n] sizes [%n] : !gsa_tile.global<f32, read>
  gsa_tile.return
}

// -----

func.func @launch_c1_none(%a: memref<4xf32>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{no kernel @none}}
  gsa_tile.launch @none grid(%c1) args(%a) : memref<4xf32>
  return
}

// -----

gsa_tile.kernel @k(%x: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @launch_c1_count(%a: memref<4xf32>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{kernel @k expects 1 arguments, got 2}}
  gsa_tile.launch @k grid(%c1) args(%a, %a) : memref<4xf32>, memref<4xf32>
  return
}

// -----

gsa_tile.kernel @k(%x: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @launch_c2(%a: memref<4xf32>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expected one to three grid sizes, got 4}}
  gsa_tile.launch @k grid(%c1, %c1, %c1, %c1) args(%a) : memref<4xf32>
  return
}

// -----

func.func @gemm_c1(%a: memref<8xf32>, %b: memref<8x8xf32>, %c: memref<8xf32>) {
  // expected-error @below {{expected matrices or batches of matrices, got 'memref<8xf32>', 'memref<8x8xf32>' and 'memref<8xf32>'}}
  gsa_tile.gemm %a, %b into %c : memref<8xf32>, memref<8x8xf32>, memref<8xf32>
  return
}

// -----

func.func @gemm_c1_sizes(%a: memref<4x8xf32>, %b: memref<16x8xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{sizes of 'memref<4x8xf32>' and 'memref<16x8xf32>' do not give 'memref<4x16xf32>'}}
  gsa_tile.gemm %a, %b into %c : memref<4x8xf32>, memref<16x8xf32>, memref<4x16xf32>
  return
}

// -----

func.func @gemm_c2(%a: memref<4x8xf64>, %b: memref<8x16xf64>, %c: memref<4x16xf64>) {
  // expected-error @below {{expected elements of f16, bf16 or f32, got 'f64'}}
  gsa_tile.gemm %a, %b into %c : memref<4x8xf64>, memref<8x16xf64>, memref<4x16xf64>
  return
}

// -----

func.func @gemm_c2_mixed(%a: memref<4x8xbf16>, %b: memref<8x16xf16>, %c: memref<4x16xf32>) {
  // expected-error @below {{expected operands of one element type and a result of it or f32, got 'memref<4x8xbf16>', 'memref<8x16xf16>' and 'memref<4x16xf32>'}}
  gsa_tile.gemm %a, %b into %c : memref<4x8xbf16>, memref<8x16xf16>, memref<4x16xf32>
  return
}

// -----

func.func @gemm_c3(%a: memref<4x8xf32>, %b: memref<8x16xf32>, %c: memref<4x16xf32>) {
  // expected-error @below {{attribute 'accumulate' failed to satisfy constraint: bool attribute}}
  gsa_tile.gemm %a, %b into %c {accumulate = 2 : i64} : memref<4x8xf32>, memref<8x16xf32>, memref<4x16xf32>
  return
}

// -----

gsa_tile.kernel @mma_nt_c1(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  // expected-error @below {{expected an f32 accumulator of layout acc and 16 rows, got '!gsa_tile.frag<16x64xbf16, acc>'}}
  gsa_tile.mma_nt %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xbf16, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nt_c1_lhs(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  // expected-error @below {{expected a left operand of layout lhs and element type 'bf16', got '!gsa_tile.frag<16x64xf16, lhs>'}}
  gsa_tile.mma_nt %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nt_c1_stages(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<2x64x64xbf16, swizzle>
  // expected-error @below {{expected a single stage as right operand, got '!gsa_tile.smem<2x64x64xbf16, swizzle>'}}
  gsa_tile.mma_nt %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<2x64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nt_c2(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x128xbf16, swizzle>
  // expected-error @below {{expected a right operand with 64 columns, got 128}}
  gsa_tile.mma_nt %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x128xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nt_c2_rows(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xbf16, swizzle>
  // expected-error @below {{expected a right operand with at least 64 rows, got 32}}
  gsa_tile.mma_nt %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<32x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nn_c1(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, acc>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  // expected-error @below {{expected a left operand of layout lhs and element type 'bf16', got '!gsa_tile.frag<16x64xbf16, acc>'}}
  gsa_tile.mma_nn %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, acc>, !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nn_c2(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<32x32xbf16, swizzle>
  // expected-error @below {{expected a right operand with 64 columns, got 32}}
  gsa_tile.mma_nn %acc, %lhs, %rhs[%n] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x32xbf16, lhs>, !gsa_tile.smem<32x32xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nn_causal_c1(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle>
  // expected-error @below {{expected a left operand of layout lhs and element type 'bf16', got '!gsa_tile.frag<16x64xf16, lhs>'}}
  gsa_tile.mma_nn_causal %acc, %lhs, %rhs[%n] last %n column %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @mma_nn_causal_c2(%n: index)
    attributes {warps = 4 : i64} {
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %rhs = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xbf16, swizzle>
  // expected-error @below {{expected a right operand with at least 64 rows, got 32}}
  gsa_tile.mma_nn_causal %acc, %lhs, %rhs[%n] last %n column %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<32x64xbf16, swizzle>
  gsa_tile.return
}

// -----

gsa_tile.kernel @part_of_c1(%n: index) attributes {warps = 4 : i64} {
  %ring = gsa_tile.ring_alloc producers 1 consumers 3 : !gsa_tile.ring<2>
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x64xbf16, swizzle>
  %slot = gsa_tile.ring_wait %ring[%n] : !gsa_tile.ring<2>
  %stage = gsa_tile.stage %buffer[%slot] : !gsa_tile.smem<2x16x64xbf16, swizzle>
  // expected-error @below {{takes a tile of a buffer that has stages; expected one of which others take parts, too}}
  %tile = gsa_tile.part_of %buffer[%n] : !gsa_tile.smem<2x16x64xbf16, swizzle>
  gsa_tile.return
}
