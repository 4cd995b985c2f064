// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-sync))'

// What is in flight beside the program, and what no fence has ordered. One fault
// each.

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// cp.async wrote the tile through another proxy than wgmma reads it.
gsa_tile.kernel @no_fence_async(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  // expected-note @below {{the tile}}
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-error @below {{reads, through the asynchronous proxy, a tile that ordinary stores or cp.async wrote: expected a fence_async in between}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// The fence came before the wait for the data.
gsa_tile.kernel @fence_before_wait(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  // expected-note @below {{the tile}}
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.fence_async
  gsa_tile.copy_wait #all
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-error @below {{reads, through the asynchronous proxy, a tile}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// Ordinary instructions wrote the accumulator.
gsa_tile.kernel @no_wgmma_fence(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  // expected-error @below {{uses a fragment that ordinary instructions used before, without a wgmma_fence of it in between}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// They read it in the iteration before.
gsa_tile.kernel @no_wgmma_fence_in_loop(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  %max = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{uses a fragment that ordinary instructions used before}}
    gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 0
    gsa_tile.activate %acc <sigmoid> : !acc
  }
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// A left operand in registers needs the fence, too.
gsa_tile.kernel @no_wgmma_fence_of_operand(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.convert %acc to %lhs : !acc to !lhs
  gsa_tile.wgmma_fence %acc : !acc
  // expected-error @below {{uses a fragment that ordinary instructions used before}}
  gsa_tile.wgmma_nn %acc, %lhs, %tile[%c0] : !acc, !lhs, !tile
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// The accumulator is read before the wait.
gsa_tile.kernel @touched(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-note @below {{the product}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  // expected-error @below {{uses a fragment of a product that is in flight: expected a wgmma_wait in between}}
  gsa_tile.activate %acc <sigmoid> : !acc
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// The left operand is overwritten before the wait; to read it would do no harm.
gsa_tile.kernel @touched_operand(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  %lhs = gsa_tile.frag_alloc : !lhs
  gsa_tile.wgmma_fence %lhs : !lhs
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-note @below {{the product}}
  gsa_tile.wgmma_nn %acc, %lhs, %tile[%c0] : !acc, !lhs, !tile
  gsa_tile.wgmma_commit
  // expected-error @below {{uses a fragment of a product that is in flight}}
  gsa_tile.load_lhs %tile[%c0] to %lhs : !tile to !lhs
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// The wait leaves the last of two groups in flight.
gsa_tile.kernel @last_group(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  %other = gsa_tile.frag_alloc : !acc
  gsa_tile.wgmma_fence %acc : !acc
  gsa_tile.wgmma_fence %other : !acc
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  // expected-note @below {{the product}}
  gsa_tile.wgmma_nt %other, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 1
  gsa_tile.activate %acc <sigmoid> : !acc
  // expected-error @below {{uses a fragment of a product that is in flight}}
  gsa_tile.activate %other <sigmoid> : !acc
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// The wait ends groups, and this product is in none.
gsa_tile.kernel @not_committed(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-note @below {{the product}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_wait 0
  // expected-error @below {{uses a fragment of a product that is in flight}}
  gsa_tile.activate %acc <sigmoid> : !acc
  gsa_tile.wgmma_commit
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// A product goes on when the iteration ends.
gsa_tile.kernel @over_the_end(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-error @below {{ends an iteration with other products in flight than it began with}}
  scf.for %i = %c0 to %n step %c1 {
    // expected-note @below {{in flight}}
    gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
  }
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// On one path there is a product in flight, on the other none.
gsa_tile.kernel @in_a_branch(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  %some = arith.cmpi eq, %n, %c0 : index
  // expected-error @below {{ends a branch with other products in flight than it began with}}
  scf.if %some {
    // expected-note @below {{in flight}}
    gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
    gsa_tile.wgmma_commit
  }
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// Nothing waits.
gsa_tile.kernel @never_waited(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-error @below {{is in flight at the end of the kernel: expected a wait}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>

// The tile is filled again while the product reads it.
gsa_tile.kernel @overwritten(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.fence_async
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-note @below {{issued here}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  // expected-error @below {{writes a tile that is read until the wait for what was issued}}
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #all vector 16 : !view, index to !tile
  gsa_tile.copy_wait #all
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>
#all = #gsa_tile.team<0, 4>
!ring = !gsa_tile.ring<2>
!tiles = !gsa_tile.smem<2x64x64xbf16, swizzle_128b>

// The slot is given up while the product reads its tile.
gsa_tile.kernel @released(%map: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>, %n: index)
    attributes {warps = 5 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 1 consumers 4 : !ring
  gsa_tile.sync #gsa_tile.team<0, 5>
  gsa_tile.roles {
    role <"load", team = <4, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.tma_load %map[%i, %c0] to %t by #gsa_tile.team<4, 1> arrives %ring[%i] of !ring : !gsa_tile.tensormap<64x64xbf16, swizzle_128b> to !tile
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !ring
      }
    }
    role <"compute", team = <0, 4>> {
      %acc = gsa_tile.frag_alloc : !acc
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.wgmma_fence %acc : !acc
        // expected-note @below {{issued here}}
        gsa_tile.wgmma_nt %acc, %t[%c0], %t[%c0] : !acc, !tile, !tile
        gsa_tile.wgmma_commit
        // expected-error @below {{gives up a slot that what was issued still reads: expected the wait for it before}}
        gsa_tile.ring_release %ring[%i] : !ring
        gsa_tile.wgmma_wait 0
      }
    }
  }
  gsa_tile.return
}

// -----

!sums = !gsa_tile.rows<f32, strided, accumulate>
!part = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
#all = #gsa_tile.team<0, 4>

// The bulk engine reads the tile through the asynchronous proxy, too.
gsa_tile.kernel @sums_no_fence(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !sums
  // expected-note @below {{the tile}}
  %part = gsa_tile.smem_alloc : !part
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
  gsa_tile.sync #all
  // expected-error @below {{reads, through the asynchronous proxy, a tile}}
  gsa_tile.reduce_rows %part columns %c64 to %sums[%c0] by #all : !part to !sums
  gsa_tile.reduce_wait #all
  gsa_tile.return
}

// -----

!sums = !gsa_tile.rows<f32, strided, accumulate>
!part = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
#all = #gsa_tile.team<0, 4>

// The tile is written before the engine has read it.
gsa_tile.kernel @sums_overwritten(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !sums
  %part = gsa_tile.smem_alloc : !part
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
  gsa_tile.sync #all
  gsa_tile.fence_async
  // expected-note @below {{issued here}}
  gsa_tile.reduce_rows %part columns %c64 to %sums[%c0] by #all : !part to !sums
  // expected-error @below {{writes a tile that is read until the wait for what was issued}}
  gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
  gsa_tile.reduce_wait #all
  gsa_tile.return
}

// -----

!sums = !gsa_tile.rows<f32, strided, accumulate>
!part = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
#all = #gsa_tile.team<0, 4>

// The block may end before the engine has read its memory.
gsa_tile.kernel @sums_never_waited(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !sums
  %part = gsa_tile.smem_alloc : !part
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
  gsa_tile.sync #all
  gsa_tile.fence_async
  // expected-error @below {{is in flight at the end of the kernel: expected a wait}}
  gsa_tile.reduce_rows %part columns %c64 to %sums[%c0] by #all : !part to !sums
  gsa_tile.return
}

// -----

!tile = !gsa_tile.smem<64x64xbf16, swizzle_128b>
!acc = !gsa_tile.frag<16x64xf32, acc>

// The fence names what the product before it still sums into.
gsa_tile.kernel @fence_in_flight() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %tile = gsa_tile.smem_alloc : !tile
  %acc = gsa_tile.frag_alloc : !acc
  gsa_tile.fill %acc, %zero : !acc
  gsa_tile.wgmma_fence %acc : !acc
  // expected-note @below {{the product}}
  gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !acc, !tile, !tile
  gsa_tile.wgmma_commit
  // expected-error @below {{names a fragment of a product that is in flight}}
  gsa_tile.wgmma_fence %acc : !acc
  gsa_tile.wgmma_wait 0
  gsa_tile.return
}

// -----

!sums = !gsa_tile.rows<f32, strided, accumulate>
!part = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
#all = #gsa_tile.team<0, 4>

// What an iteration issues is in flight when the next one overwrites the tile.
gsa_tile.kernel @sums_overwritten_in_next(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !sums
  %part = gsa_tile.smem_alloc : !part
  %acc = gsa_tile.frag_alloc : !acc
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{writes a tile that is read until the wait for what was issued}}
    gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
    gsa_tile.sync #all
    gsa_tile.fence_async
    // expected-note @below {{issued here}}
    gsa_tile.reduce_rows %part columns %c64 to %sums[%i] by #all : !part to !sums
  }
  gsa_tile.reduce_wait #all
  gsa_tile.return
}

// -----

!sums = !gsa_tile.rows<f32, strided, accumulate>
!part = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
#all = #gsa_tile.team<0, 4>

// The same of a warp's own rows: the wait comes too late.
gsa_tile.kernel @rows_overwritten_in_next(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !sums
  %part = gsa_tile.smem_alloc : !part
  %acc = gsa_tile.frag_alloc : !acc
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{writes a tile that is read until the wait for what was issued}}
    gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
    gsa_tile.reduce_tile_wait
    gsa_tile.fence_async
    // expected-note @below {{issued here}}
    gsa_tile.reduce_tile %part[%c0] columns %c64 to %sums[%i] : !part to !sums
  }
  gsa_tile.reduce_tile_wait
  gsa_tile.return
}

// -----

!sums = !gsa_tile.rows<f32, strided, accumulate>
!part = !gsa_tile.smem<64x64xf32, linear>
!acc = !gsa_tile.frag<16x64xf32, acc>
#all = #gsa_tile.team<0, 4>

// Each iteration waits for the one before, and nobody for the last.
gsa_tile.kernel @last_rows_never_waited(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !sums
  %part = gsa_tile.smem_alloc : !part
  %acc = gsa_tile.frag_alloc : !acc
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.reduce_tile_wait
    gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
    gsa_tile.fence_async
    // expected-error @below {{is in flight at the end of the kernel: expected a wait}}
    gsa_tile.reduce_tile %part[%c0] columns %c64 to %sums[%i] : !part to !sums
  }
  gsa_tile.return
}
