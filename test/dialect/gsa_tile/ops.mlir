// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s

// Every op of the dialect in its pretty form survives a round trip, also by
// way of the generic form.

#all = #gsa_tile.team<0, 5>
#load = #gsa_tile.team<0, 1>
#mma = #gsa_tile.team<1, 4>

// CHECK-LABEL: gsa_tile.kernel @attend
// CHECK-SAME: warps = 5
gsa_tile.kernel @attend(%q: !gsa_tile.global<bf16, read>,
                        %k: !gsa_tile.global<bf16, read>,
                        %list: !gsa_tile.global<i32, read>,
                        %out: !gsa_tile.global<bf16, write>,
                        %n: index) attributes {warps = 5 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.125 : f32
  %t = gsa_tile.block_id 0
  %g = gsa_tile.grid_size 1
  %indices = gsa_tile.smem_alloc : !gsa_tile.smem<1x2048xi32, linear>
  // CHECK: gsa_tile.smem_alloc at 8192 : <4x64x64xbf16, swizzle>
  %keys = gsa_tile.smem_alloc at 8192 : !gsa_tile.smem<4x64x64xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 4 : !gsa_tile.ring<4>
  %from = gsa_tile.at %list[%t, %c0] sizes [%n] : !gsa_tile.global<i32, read>
  %list_row = gsa_tile.strided_rows %from pitch %pitch count %c1 : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
  gsa_tile.copy_rows %list_row[%c0] columns %n to %indices by #all vector 4 : !gsa_tile.rows<i32, strided, read>, index to !gsa_tile.smem<1x2048xi32, linear>
  gsa_tile.copy_wait #all
  // CHECK: gsa_tile.roles {
  gsa_tile.roles {
    // CHECK-NEXT: role <"load", team = <0, 1>, registers = 40> {
    role <"load", team = <0, 1>, registers = 40> {
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<4>
        %tile = gsa_tile.stage %keys[%slot] : !gsa_tile.smem<4x64x64xbf16, swizzle>
        %begin = arith.muli %i, %c64 : index
        %listed = gsa_tile.listed_rows %k pitch %pitch list %indices end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.smem<1x2048xi32, linear> to !gsa_tile.rows<bf16, listed, read>
        gsa_tile.copy_rows %listed[%begin] columns %c64 to %tile by #load vector 16 : !gsa_tile.rows<bf16, listed, read>, index to !gsa_tile.smem<64x64xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<4>
      }
    }
    // CHECK: role <"mma", team = <1, 4>> {
    role <"mma", team = <1, 4>> {
      %rank = gsa_tile.warp_rank #mma
      %s = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      %o = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
      %m = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      %l = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      gsa_tile.fill_rows %l, %zero : !gsa_tile.rowvec<16xf32>
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<4>
        %tile = gsa_tile.stage %keys[%slot] : !gsa_tile.smem<4x64x64xbf16, swizzle>
        gsa_tile.fill %s, %zero : !gsa_tile.frag<16x64xf32, acc>
        gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<64x64xbf16, swizzle> to !gsa_tile.frag<16x64xbf16, lhs>
        gsa_tile.mma_nt %s, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
        %strided = gsa_tile.strided_rows %q pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.mask_rows %s, %strided[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rows<bf16, strided, read>
        gsa_tile.softmax_update %s, %o, %m, %l scale %scale : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
        gsa_tile.softmax_update %s, %o, %m, %l scale %scale {bounded = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
        gsa_tile.softmax_weights %s, %l to %lhs : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<16x64xbf16, lhs>
        // CHECK: gsa_tile.softmax_grad %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale %{{.*}} rows %arg4 : <16x64xf32, acc>, <16xf32>
        gsa_tile.softmax_grad %s, %o, %m, %l scale %scale rows %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
        gsa_tile.convert %s to %lhs : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.frag<16x64xbf16, lhs>
        gsa_tile.mma_nn %o, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<4>
      }
      %to = gsa_tile.strided_rows %out pitch %pitch count %c64 : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write>
      gsa_tile.store_rows %o columns %c64 to %to[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<bf16, strided, write>
    }
  }
  gsa_tile.return
}

// CHECK-LABEL: gsa_tile.kernel @scale
gsa_tile.kernel @scale(%x: !gsa_tile.global<f32, read>,
                       %y: !gsa_tile.global<f32, write>, %n: i64)
    attributes {warps = 8 : i64} {
  // CHECK: gsa_tile.for_each %[[I:.*]] below
  gsa_tile.for_each %i below %n {
    %0 = gsa_tile.load %x[%i] : !gsa_tile.global<f32, read>, i64
    %1 = arith.addf %0, %0 : f32
    gsa_tile.store %1, %y[%i] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}

// CHECK-LABEL: gsa_tile.kernel @row_sums
gsa_tile.kernel @row_sums(%x: !gsa_tile.global<f32, read>,
                          %y: !gsa_tile.global<f32, write>, %n: i64,
                          %columns: i64)
    attributes {warps = 8 : i64} {
  // CHECK: gsa_tile.for_each %[[ROW:.*]] below %{{.*}} lanes 8 {
  gsa_tile.for_each %row below %n lanes 8 {
    %zero = arith.constant 0.0 : f32
    // CHECK: gsa_tile.first_term 8
    // CHECK: gsa_tile.term_step 8
    %first = gsa_tile.first_term 8
    %step = gsa_tile.term_step 8
    %own = scf.for %j = %first to %columns step %step
        iter_args(%sum = %zero) -> f32 : i64 {
      %start = arith.muli %row, %columns : i64
      %at = arith.addi %start, %j : i64
      %term = gsa_tile.load %x[%at] : !gsa_tile.global<f32, read>, i64
      %next = arith.addf %sum, %term : f32
      scf.yield %next : f32
    }
    // CHECK: gsa_tile.sum_terms %{{.*}} over 8 : f32
    %total = gsa_tile.sum_terms %own over 8 : f32
    gsa_tile.store %total, %y[%row] : !gsa_tile.global<f32, write>, i64
  }
  // CHECK: gsa_tile.for_each %{{.*}} below %{{[^ ]*}} {
  gsa_tile.for_each %row below %n lanes 1 {
  }
  gsa_tile.return
}

// CHECK-LABEL: func.func @main
func.func @main(%x: memref<8x8xf32>, %y: memref<8x8xf32>) {
  %c4 = arith.constant 4 : index
  %n = arith.constant 64 : i64
  // CHECK: gsa_tile.launch @scale grid(%{{.*}}) args(
  gsa_tile.launch @scale grid(%c4) args(%x, %y, %n) : memref<8x8xf32>, memref<8x8xf32>, i64
  // CHECK: gsa_tile.gemm
  gsa_tile.gemm %x, %y into %y {transpose_b = true} : memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>
  return
}
