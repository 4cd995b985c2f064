// REQUIRES: gsa-translate, host-cxx
// RUN: gsa-translate --gsa-tile-to-emu %s > %t.cc
// RUN: FileCheck %s < %t.cc
// RUN: %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc

// The text of the kernels is that of --gsa-tile-to-cuda, and a table of them
// follows. Every op that prints as a call compiles against the emulation.

// CHECK: #include "gsa/emu/program.h"
// CHECK: #include <gsa/device/tile.cuh>

#all = #gsa_tile.team<0, 5>
#load = #gsa_tile.team<0, 1>
#mma = #gsa_tile.team<1, 4>

// CHECK: extern "C" __global__ __launch_bounds__(160, 1)
// CHECK: void tiles(
gsa_tile.kernel @tiles(%q: !gsa_tile.global<bf16, read>,
                       %list: !gsa_tile.global<i32, read>,
                       %out: !gsa_tile.global<bf16, write>,
                       %lse: !gsa_tile.global<f32, write>,
                       %n: index) attributes {warps = 5 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %one = arith.constant 1 : i64
  %zero = arith.constant 0.0 : f32
  %minus_inf = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.125 : f32
  %t = gsa_tile.block_id 0
  %g = gsa_tile.grid_size 1
  %u = arith.addi %t, %g : index
  %indices = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<1x512xi32, linear>
  %keys = gsa_tile.smem_alloc at 2048 : !gsa_tile.smem<2x64x64xbf16, swizzle>
  %parts = gsa_tile.smem_alloc at 18432 : !gsa_tile.smem<64x64xf32, linear>
  %staged = gsa_tile.smem_alloc at 18432 : !gsa_tile.smem<4x16x64xf32, linear>
  %odd = gsa_tile.any_not_finite %parts by #all : !gsa_tile.smem<64x64xf32, linear>
  %ring = gsa_tile.ring_alloc producers 1 consumers 4 at 34816 : !gsa_tile.ring<2>
  %from = gsa_tile.at %list[%u, %c0] sizes [%n] : !gsa_tile.global<i32, read>
  %view = gsa_tile.strided_rows %from pitch %one count %c1 : !gsa_tile.global<i32, read> to !gsa_tile.rows<i32, strided, read>
  gsa_tile.copy_rows %view[%c0] columns %n to %indices by #all vector 4 : !gsa_tile.rows<i32, strided, read>, index to !gsa_tile.smem<1x512xi32, linear>
  gsa_tile.prefetch_rows %view[%c0] columns %n rows 1 by #all : !gsa_tile.rows<i32, strided, read>
  gsa_tile.copy_wait #all
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      gsa_tile.set_max_registers 40 grow = false
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %keys[%slot] : !gsa_tile.smem<2x64x64xbf16, swizzle>
        %begin = arith.muli %i, %c64 : index
        %view1 = gsa_tile.listed_rows %q pitch %pitch list %indices end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.smem<1x512xi32, linear> to !gsa_tile.rows<bf16, listed, read>
        gsa_tile.copy_rows %view1[%begin] columns %c64 to %tile by #load vector 16 : !gsa_tile.rows<bf16, listed, read>, index to !gsa_tile.smem<64x64xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"mma", team = <1, 4>> {
      %rank = gsa_tile.warp_rank #mma
      %row = arith.muli %rank, %c16 : index
      %s = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      %o = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
      %m = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      %l = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      %e = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      gsa_tile.fill_rows %m, %minus_inf : !gsa_tile.rowvec<16xf32>
      gsa_tile.fill_rows %l, %zero : !gsa_tile.rowvec<16xf32>
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %keys[%slot] : !gsa_tile.smem<2x64x64xbf16, swizzle>
        gsa_tile.fill %s, %zero : !gsa_tile.frag<16x64xf32, acc>
        gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<64x64xbf16, swizzle> to !gsa_tile.frag<16x64xbf16, lhs>
        gsa_tile.mma_nt %s, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
        gsa_tile.affine %s, %scale, %zero : !gsa_tile.frag<16x64xf32, acc>
        gsa_tile.activate %s <sigmoid> : !gsa_tile.frag<16x64xf32, acc>
        gsa_tile.activate_rows %l <silu> : !gsa_tile.rowvec<16xf32>
        %view2 = gsa_tile.strided_rows %q pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.load_rowvec %view2[%c0] to %e : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.rowvec<16xf32>
        gsa_tile.add_scaled %o, %s, %e : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
        %view3 = gsa_tile.strided_rows %q pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.mask_rows %s, %view3[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rows<bf16, strided, read>
        gsa_tile.mask_causal %s, %row, %i {rows_per_query = 4 : i64} : !gsa_tile.frag<16x64xf32, acc>
        %view4 = gsa_tile.listed_rows %q pitch %pitch list %indices end %n limit %n : !gsa_tile.global<bf16, read>, !gsa_tile.smem<1x512xi32, linear> to !gsa_tile.rows<bf16, listed, read>
        gsa_tile.mask_rows %s, %view4[%i] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rows<bf16, listed, read>
        gsa_tile.softmax_update %s, %o, %m, %l scale %scale : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
        gsa_tile.softmax_grad %s, %o, %l, %e scale %scale rows %n : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
        gsa_tile.convert %s to %lhs : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.frag<16x64xbf16, lhs>
        gsa_tile.softmax_weights %s, %l to %lhs : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32> to !gsa_tile.frag<16x64xbf16, lhs>
        gsa_tile.mma_nn %o, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
      gsa_tile.put_frag %o to %parts[%row] {rows = 8 : i64} : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.smem<64x64xf32, linear>
      gsa_tile.put_rowvec %m to %parts[%rank] : !gsa_tile.rowvec<16xf32> to !gsa_tile.smem<64x64xf32, linear>
      gsa_tile.sync #mma barrier 1
      gsa_tile.take_frag %parts[%c0] to %s {rows = 8 : i64} : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.frag<16x64xf32, acc>
      gsa_tile.take_rowvec %parts[%c1] to %e : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.rowvec<16xf32>
      gsa_tile.softmax_merge %o, %m, %l with %s, %e, %e scale %scale : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
      gsa_tile.softmax_finish %o, %e, %m, %l scale %scale : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rowvec<16xf32>
      %view5 = gsa_tile.strided_rows %q pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
      gsa_tile.gate_rows %o, %view5[%c0] columns %c64 <tanh> {pairs = true} : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rows<bf16, strided, read>
      %view6 = gsa_tile.strided_rows %out pitch %pitch count %n : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write>
      gsa_tile.store_rows %o columns %c64 to %view6[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<bf16, strided, write>
      %sums = gsa_tile.strided_rows %lse pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
      gsa_tile.accumulate_rows %o columns %c64 to %sums[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<f32, strided, accumulate>
      %own = gsa_tile.part_of %staged[%rank] : !gsa_tile.smem<4x16x64xf32, linear>
      gsa_tile.reduce_tile %own[%c0] columns %c64 to %sums[%row] : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
      gsa_tile.reduce_tile_wait
      gsa_tile.drop_rows %own[%c0] by %e : !gsa_tile.smem<16x64xf32, linear> by !gsa_tile.rowvec<16xf32>
      %gate = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x64xbf16, swizzle>
      gsa_tile.gate_tile %parts[%c0] rows %n by %gate <tanh> : !gsa_tile.smem<64x64xf32, linear> by !gsa_tile.smem<64x64xbf16, swizzle>
      gsa_tile.store_tile %parts[%c0] rows %n columns %c64 to %view6[%c0] vector 16 : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.rows<bf16, strided, write>
      %view7 = gsa_tile.strided_rows %lse pitch %one count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
      gsa_tile.store_rowvec %e to %view7[%c0] : !gsa_tile.rowvec<16xf32> to !gsa_tile.rows<f32, strided, write>
    }
  }
  gsa_tile.return
}

// CHECK: void float_tiles(
gsa_tile.kernel @float_tiles(%x: !gsa_tile.global<f32, read>,
                             %y: !gsa_tile.global<f16, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %pitch = arith.constant 32 : i64
  %f = gsa_tile.load %x[%n] : !gsa_tile.global<f32, read>, index
  %tile = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<16x32xf32, linear>
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
  gsa_tile.copy_rows %view[%c0] columns %n to %tile by #gsa_tile.team<0, 4> vector 4 : !gsa_tile.rows<f32, strided, read>, index to !gsa_tile.smem<16x32xf32, linear>
  gsa_tile.copy_wait #gsa_tile.team<0, 4>
  gsa_tile.store_shared %f, %tile[%c0, %n] : !gsa_tile.smem<16x32xf32, linear>
  gsa_tile.sync #gsa_tile.team<0, 4>
  %s = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x32xf32, lhs>
  gsa_tile.fill %s, %f : !gsa_tile.frag<16x16xf32, acc>
  gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<16x32xf32, linear> to !gsa_tile.frag<16x32xf32, lhs>
  gsa_tile.mma_nt %s, %lhs, %tile[%c0] : !gsa_tile.frag<16x16xf32, acc>, !gsa_tile.frag<16x32xf32, lhs>, !gsa_tile.smem<16x32xf32, linear>
  %view1 = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f16, write> to !gsa_tile.rows<f16, strided, write>
  gsa_tile.store_rows %s columns %n to %view1[%c0] : !gsa_tile.frag<16x16xf32, acc> to !gsa_tile.rows<f16, strided, write>
  %g = gsa_tile.load_shared %tile[%c0, %n] : !gsa_tile.smem<16x32xf32, linear>
  %h = arith.truncf %g : f32 to f16
  gsa_tile.store %h, %y[%n] : !gsa_tile.global<f16, write>, index
  gsa_tile.return
}

// CHECK: void row_sums(
gsa_tile.kernel @row_sums(%x: !gsa_tile.global<f32, read>,
                          %y: !gsa_tile.global<f64, write>, %n: i64)
    attributes {warps = 8 : i64} {
  gsa_tile.for_each %row below %n lanes 4 {
    %zero = arith.constant 0.0 : f64
    %first = gsa_tile.first_term 4
    %step = gsa_tile.term_step 4
    %own = scf.for %j = %first to %n step %step
        iter_args(%sum = %zero) -> f64 : i64 {
      %start = arith.muli %row, %n : i64
      %at = arith.addi %start, %j : i64
      %term = gsa_tile.load %x[%at] : !gsa_tile.global<f32, read>, i64
      %wide = arith.extf %term : f32 to f64
      %next = arith.addf %sum, %wide : f64
      scf.yield %next : f64
    }
    %total = gsa_tile.sum_terms %own over 4 : f64
    gsa_tile.store %total, %y[%row] : !gsa_tile.global<f64, write>, i64
  }
  gsa_tile.return
}

// CHECK: void scalars(
gsa_tile.kernel @scalars(%x: !gsa_tile.global<bf16, read>,
                         %y: !gsa_tile.global<f64, write>,
                         %z: !gsa_tile.global<i64, write>, %n: i64)
    attributes {warps = 8 : i64} {
  // CHECK: for (long long i = first_element(); i < {{.*}}; i = next_element(i)) {
  gsa_tile.for_each %i below %n {
    %b = gsa_tile.load %x[%i] : !gsa_tile.global<bf16, read>, i64
    %b2 = arith.mulf %b, %b : bf16
    %f = arith.extf %b2 : bf16 to f32
    %r = math.rsqrt %f : f32
    %e = math.exp %r : f32
    %t = math.tanh %e : f32
    %max = arith.maximumf %t, %f : f32
    %num = arith.minnumf %max, %e : f32
    %d = arith.extf %num : f32 to f64
    %d2 = math.rsqrt %d : f64
    %d3 = arith.minimumf %d, %d2 : f64
    gsa_tile.store %d3, %y[%i] : !gsa_tile.global<f64, write>, i64
    %c = arith.ceildivsi %i, %n : i64
    %m = arith.maxsi %c, %n : i64
    %w = arith.minsi %m, %i : i64
    gsa_tile.store %w, %z[%i] : !gsa_tile.global<i64, write>, i64
  }
  gsa_tile.return
}

// CHECK: void warpgroup(
gsa_tile.kernel @warpgroup(%out: !gsa_tile.global<f32, write>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 64 : i64
  %a = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %b = gsa_tile.smem_alloc at 8192 : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  gsa_tile.fence_async
  gsa_tile.wgmma_fence %lhs : !gsa_tile.frag<16x64xbf16, lhs>
  gsa_tile.wgmma_fence %acc : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.wgmma_nt %acc, %a[%c0], %b[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.wgmma_nn %acc, %lhs, %b[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  %view = gsa_tile.strided_rows %out pitch %pitch count %c16 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.store_rows %acc columns %c16 to %view[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}

// CHECK: static const gsa::emu::Kernel kKernels[] = {
// CHECK-NEXT: GSA_EMU_KERNEL(tiles),
// CHECK-NEXT: GSA_EMU_KERNEL(float_tiles),
// CHECK-NEXT: GSA_EMU_KERNEL(row_sums),
// CHECK-NEXT: GSA_EMU_KERNEL(scalars),
// CHECK-NEXT: GSA_EMU_KERNEL(warpgroup),
// CHECK: return gsa::emu::runMain(argc, argv, kKernels, 5);
