// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-assign-roles))'

// What cannot be told apart by teams.

// Some warps of a role, not all.
gsa_tile.kernel @part(%n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.roles {
      role <"load", team = <0, 2>> {
      }
      role <"compute", team = <2, 2>> {
      }
    }
    // expected-error @below {{is run by a part of role load: expected all of its warps #gsa_tile.team<0, 2> or none, got #gsa_tile.team<1, 3>}}
    gsa_tile.sync #gsa_tile.team<1, 3> barrier 1
  }
  gsa_tile.return
}

// -----

// Two sets of roles.
gsa_tile.kernel @others(%n: index) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.roles {
      role <"load", team = <0, 2>> {
      }
      role <"compute", team = <2, 2>> {
      }
    }
  }
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{has other roles than the kernel's first: [#gsa_tile.role<"load", team = <0, 1>>, #gsa_tile.role<"compute", team = <1, 3>>] and [#gsa_tile.role<"load", team = <0, 2>>, #gsa_tile.role<"compute", team = <2, 2>>]}}
    gsa_tile.roles {
      role <"load", team = <0, 1>> {
      }
      role <"compute", team = <1, 3>> {
      }
    }
  }
  gsa_tile.return
}

// -----

// All warps would need the number that only warps of a role have.
gsa_tile.kernel @rank(%y: !gsa_tile.global<i32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %pitch = arith.constant 8 : i64
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<8x8xi32, linear>
  %x = gsa_tile.at %y[%c0] sizes [] : !gsa_tile.global<i32, write>
  %rank = gsa_tile.warp_rank #gsa_tile.team<2, 2>
  %view = gsa_tile.strided_rows %x pitch %pitch count %rank : !gsa_tile.global<i32, write> to !gsa_tile.rows<i32, strided, read>
  // expected-error @below {{is run by all warps, but depends on the number of a warp within one role}}
  gsa_tile.copy_rows %view[%c0] columns %c8 to %tile by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<i32, strided, read>, index to !gsa_tile.smem<8x8xi32, linear>
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.roles {
      role <"load", team = <0, 2>> {
      }
      role <"compute", team = <2, 2>> {
      }
    }
  }
  gsa_tile.return
}

// -----

// The warps that load do not have the number that ends their loop.
gsa_tile.kernel @bound() attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = gsa_tile.ring_alloc producers 2 consumers 2 : !gsa_tile.ring<2>
  // expected-note @below {{run by others}}
  %rank = gsa_tile.warp_rank #gsa_tile.team<2, 2>
  // expected-error @below {{is run by role load, but uses what only other warps run}}
  scf.for %i = %c0 to %rank step %c1 {
    gsa_tile.roles {
      role <"load", team = <0, 2>> {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
      }
      role <"compute", team = <2, 2>> {
      }
    }
  }
  gsa_tile.return
}
