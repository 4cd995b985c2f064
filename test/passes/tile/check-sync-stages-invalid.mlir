// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-sync))'

// Rings of which one side is missing or another team's, and stages that are used as
// if they were ordinary tiles. One fault each.

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!ring = !gsa_tile.ring<2>
!tile = !gsa_tile.smem<16x16xbf16, linear>
!tiles = !gsa_tile.smem<2x16x16xbf16, linear>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// Two roles of one warp fill the ring.
gsa_tile.kernel @teams(%x: !in, %n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !ring
  gsa_tile.sync #gsa_tile.team<0, 4>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"more", team = <1, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<1, 1> vector 16 : !view, index to !tile
        // expected-error-re @below {{is run by warps of {{.*}}<1, 1>{{.*}}, others of this ring by warps of {{.*}}<0, 1>}}
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <2, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%i] : !ring
      }
    }
  }
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!ring = !gsa_tile.ring<2>
!tile = !gsa_tile.smem<16x16xbf16, linear>
!tiles = !gsa_tile.smem<2x16x16xbf16, linear>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// Nobody fills the ring.
gsa_tile.kernel @unfilled(%x: !in, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  // expected-error @below {{is waited for, but no warp fills it}}
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !ring
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%i] : !ring
      }
    }
  }
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!ring = !gsa_tile.ring<2>
!tile = !gsa_tile.smem<16x16xbf16, linear>
!tiles = !gsa_tile.smem<2x16x16xbf16, linear>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// The stages are of one ring, the slots of two.
gsa_tile.kernel @two_rings(%x: !in, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !ring
  %other = gsa_tile.ring_alloc producers 1 consumers 2 : !ring
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
        %o = gsa_tile.ring_acquire %other[%i] : !ring
        gsa_tile.ring_commit %other[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        // expected-error @below {{takes its slot from another ring than other stages of the same buffer}}
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%i] : !ring
        %o = gsa_tile.ring_wait %other[%i] : !ring
        %u = gsa_tile.stage %buffer[%o] : !tiles
        gsa_tile.load_lhs %u[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %other[%i] : !ring
      }
    }
  }
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!ring = !gsa_tile.ring<2>
!tile = !gsa_tile.smem<16x16xbf16, linear>
!tiles = !gsa_tile.smem<2x16x16xbf16, linear>
#team = #gsa_tile.team<1, 2>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// A consumer writes what the other one may read.
gsa_tile.kernel @writes(%x: !in, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !ring
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        // expected-error @below {{writes a stage that others may still read}}
        gsa_tile.clear_shared %t by #team : !tile
        gsa_tile.ring_release %ring[%i] : !ring
      }
    }
  }
  gsa_tile.return
}

// -----

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!ring = !gsa_tile.ring<2>
!tile = !gsa_tile.smem<16x16xbf16, linear>
!tiles = !gsa_tile.smem<2x16x16xbf16, linear>
#team = #gsa_tile.team<1, 2>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// One op takes the buffer for a tile.
gsa_tile.kernel @all_stages(%x: !in, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !ring
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%i] : !ring
        // expected-error @below {{uses all stages of a ring's buffer}}
        gsa_tile.clear_shared %buffer by #team : !tiles
      }
    }
  }
  gsa_tile.return
}
