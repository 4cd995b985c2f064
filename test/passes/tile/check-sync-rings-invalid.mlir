// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-sync))'

// Rings whose two sides do not go through the same slots, and slots that are
// given up before they are full. One fault each.

!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!ring = !gsa_tile.ring<2>
!tile = !gsa_tile.smem<16x16xbf16, linear>
!tiles = !gsa_tile.smem<2x16x16xbf16, linear>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// One warp of two gives the slot up: the other one only skips the work.
gsa_tile.kernel @condition(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        %rank = gsa_tile.warp_rank #gsa_tile.team<1, 2>
        %first = arith.cmpi eq, %rank, %c0 : index
        // expected-note @below {{the condition}}
        scf.if %first {
          %s = gsa_tile.ring_wait %ring[%i] : !ring
          %t = gsa_tile.stage %buffer[%s] : !tiles
          gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
          // expected-error @below {{is run by some of the 2 consumers only: a warp that skips a tile must wait for its slot and release it, too}}
          gsa_tile.ring_release %ring[%i] : !ring
        }
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

// As often as the number of the warp says.
gsa_tile.kernel @rounds(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
      %rank = gsa_tile.warp_rank #gsa_tile.team<1, 2>
      // expected-note @below {{the condition}}
      scf.for %i = %c0 to %rank step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        // expected-error @below {{is run by some of the 2 consumers only}}
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

// One side goes through fewer tiles.
gsa_tile.kernel @other_iterations(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-note @below {{the ring_acquire}}
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      %m = arith.subi %n, %c1 : index
      scf.for %i = %c0 to %m step %c1 {
        // expected-error @below {{counts other iterations than the ring_acquire of its ring}}
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

// One side is an iteration ahead.
gsa_tile.kernel @other_numbers(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-note @below {{the ring_acquire}}
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %next = arith.addi %i, %c1 : index
        // expected-error @below {{counts other iterations than the ring_acquire of its ring}}
        %s = gsa_tile.ring_wait %ring[%next] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%next] : !ring
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

// The same, somewhere below the op that makes the number.
gsa_tile.kernel @other_numbers_below(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        %p = arith.addi %i, %c0 : index
        %q = arith.muli %p, %c1 : index
        %r = arith.addi %q, %c0 : index
        // expected-note @below {{the ring_acquire}}
        %s = gsa_tile.ring_acquire %ring[%r] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%r] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %p = arith.addi %i, %c1 : index
        %q = arith.muli %p, %c1 : index
        %next = arith.addi %q, %c0 : index
        // expected-error @below {{counts other iterations than the ring_acquire of its ring}}
        %s = gsa_tile.ring_wait %ring[%next] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%next] : !ring
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

// One side leaves out a tile.
gsa_tile.kernel @other_condition(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-note @below {{the ring_acquire}}
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %some = arith.cmpi ne, %i, %c16 : index
        scf.if %some {
          // expected-error @below {{counts other iterations than the ring_acquire of its ring}}
          %s = gsa_tile.ring_wait %ring[%i] : !ring
          %t = gsa_tile.stage %buffer[%s] : !tiles
          gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
          gsa_tile.ring_release %ring[%i] : !ring
        }
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

// One side takes two steps where the other one takes one.
gsa_tile.kernel @other_places(%x: !in, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  // expected-error @below {{is acquired in 1 places and waited for in 2: expected as many}}
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
      }
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

// In a loop the iterations begin again, but the phases of the ring go on.
gsa_tile.kernel @again(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
      scf.for %round = %c0 to %n step %c1 {
        scf.for %i = %c0 to %n step %c1 {
          // expected-error @below {{is of iterations that do not follow each other from 0: a ring that is gone through again counts on from a cursor}}
          %s = gsa_tile.ring_acquire %ring[%i] : !ring
          %t = gsa_tile.stage %buffer[%s] : !tiles
          gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
          gsa_tile.ring_commit %ring[%i] : !ring
        }
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %round = %c0 to %n step %c1 {
        scf.for %i = %c0 to %n step %c1 {
          %s = gsa_tile.ring_wait %ring[%i] : !ring
          %t = gsa_tile.stage %buffer[%s] : !tiles
          gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
          gsa_tile.ring_release %ring[%i] : !ring
        }
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

// And so they do in a second loop.
gsa_tile.kernel @second_loop(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-error @below {{is of iterations that do not follow each other from 0: a ring that is gone through again counts on from a cursor}}
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
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
      }
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

// The same iteration twice.
gsa_tile.kernel @same_slot(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
      %s = gsa_tile.ring_acquire %ring[%c0] : !ring
      %t = gsa_tile.stage %buffer[%s] : !tiles
      gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
      gsa_tile.ring_commit %ring[%c0] : !ring
      // expected-error @below {{is of iterations that do not follow each other from 0: a ring that is gone through again counts on from a cursor}}
      %s2 = gsa_tile.ring_acquire %ring[%c0] : !ring
      %t2 = gsa_tile.stage %buffer[%s2] : !tiles
      gsa_tile.copy_rows %view[%c0] columns %c16 to %t2 by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
      gsa_tile.ring_commit %ring[%c0] : !ring
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      %s = gsa_tile.ring_wait %ring[%c0] : !ring
      %t = gsa_tile.stage %buffer[%s] : !tiles
      gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
      gsa_tile.ring_release %ring[%c0] : !ring
      %s2 = gsa_tile.ring_wait %ring[%c0] : !ring
      %t2 = gsa_tile.stage %buffer[%s2] : !tiles
      gsa_tile.load_lhs %t2[%c0] to %lhs : !tile to !lhs
      gsa_tile.ring_release %ring[%c0] : !ring
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

// Iterations from 1 on, although no slot was filled before.
gsa_tile.kernel @not_from_zero(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
      scf.for %i = %c1 to %n step %c1 {
        // expected-error @below {{is of iterations that do not follow each other from 0: a ring that is gone through again counts on from a cursor}}
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c1 to %n step %c1 {
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

// The warp arrives before its cp.async have landed.
gsa_tile.kernel @commit_at_once(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-note @below {{filled here}}
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !view, index to !tile
        // expected-error @below {{does not wait for what fills the stage: expected asynchronous = true after cp_async}}
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !ring
      }
    }
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

// It waits for cp.async, but stores fill the tile.
gsa_tile.kernel @commit_late(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-note @below {{filled here}}
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 2 : !view, index to !tile
        // expected-error @below {{does not wait for what fills the stage: expected asynchronous = false after stores}}
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

// The bytes of a bulk copy arrive at no barrier.
gsa_tile.kernel @bytes_nowhere(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        // expected-error @below {{fills a stage, but its bytes do not arrive at the stage's ring}}
        gsa_tile.bulk_rows %view[%c0] columns %c16 to %t by <0, 1> : !view to !tile
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !ring
      }
    }
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

// They arrive at another ring.
gsa_tile.kernel @bytes_elsewhere(%x: !in, %n: index) attributes {warps = 3 : i64} {
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
        %u = gsa_tile.ring_acquire %other[%i] : !ring
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        // expected-error @below {{fills a stage, but its bytes do not arrive at the stage's ring}}
        gsa_tile.bulk_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> arrives %other[%i] of !ring : !view to !tile
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !ring
        gsa_tile.ring_commit %other[%i] : !ring
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      scf.for %i = %c0 to %n step %c1 {
        %u = gsa_tile.ring_wait %other[%i] : !ring
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
        gsa_tile.ring_release %ring[%i] : !ring
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
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

// Two groups of warps share tiles, and a word for each says which group wants
// it. The other one waits for it and goes on.
gsa_tile.kernel @group_skips(%x: !in, %words: !gsa_tile.global<i32, read>, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !in to !view
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 4 consumers 8 : !ring
  gsa_tile.sync #gsa_tile.team<0, 12>
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 4> vector 16 : !view, index to !tile
        gsa_tile.ring_commit %ring[%i] : !ring
      }
    }
    role <"compute", team = <4, 8>> {
      %lhs = gsa_tile.frag_alloc : !lhs
      %rank = gsa_tile.warp_rank #gsa_tile.team<4, 8>
      %group = arith.divui %rank, %c4 : index
      %bit = arith.index_cast %group : index to i32
      scf.for %i = %c0 to %n step %c1 {
        %word = gsa_tile.load %words[%i] : !gsa_tile.global<i32, read>, index
        %shifted = arith.shrui %word, %bit : i32
        %wants = arith.andi %shifted, %one : i32
        %own = arith.cmpi ne, %wants, %zero : i32
        // expected-error @below {{has no ring_release of this ring below it in the same block}}
        %s = gsa_tile.ring_wait %ring[%i] : !ring
        %t = gsa_tile.stage %buffer[%s] : !tiles
        scf.if %own {
          gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
          gsa_tile.ring_release %ring[%i] : !ring
        }
      }
    }
  }
  gsa_tile.return
}
