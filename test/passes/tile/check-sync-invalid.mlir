// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-sync))'

// One fault each.

// A missing commit: the consumers would wait for ever.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        // expected-error @+1 {{has no ring_commit of this ring below it in the same block}}
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// A commit on one path only.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        // expected-error @+1 {{has no ring_commit of this ring below it in the same block}}
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        %first = arith.cmpi eq, %i, %c0 : index
        scf.if %first {
          gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
        }
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// A wrong iteration.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        // expected-note @+1 {{the ring_acquire}}
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        %next = arith.addi %i, %c1 : index
        // expected-error @+1 {{is of another iteration than the ring_acquire above it}}
        gsa_tile.ring_commit %ring[%next] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// A missing release: the producer would wait for ever.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        // expected-error @+1 {{has no ring_release of this ring below it in the same block}}
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
      }
    }
  }
  gsa_tile.return
}

// -----

// A missing wait: the slot of an iteration that may not be full.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = arith.remui %i, %c16 : index
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        // expected-error @+1 {{has no ring_wait of this ring above it in the same block}}
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// A slot that the ring did not give.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %unused = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        // expected-error @+1 {{expected a slot from ring_acquire or ring_wait}}
        %t = gsa_tile.stage %buffer[%i] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// A read after the release.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        // expected-note @+1 {{given up here}}
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
        // expected-error @+1 {{uses a stage after its slot was given up}}
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
      }
    }
  }
  gsa_tile.return
}

// -----

// A read of what is being filled.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
        // expected-error @+1 {{reads a stage that is being filled}}
        gsa_tile.load_lhs %t[%c0] to %f : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// More warps than the ring counts.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  // expected-note @+1 {{the ring}}
  %ring = gsa_tile.ring_alloc producers 1 consumers 1 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        // expected-error @+1 {{is run by 2 warps, but the ring counts 1 consumers}}
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// No barrier before the first use.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  // expected-error @+1 {{is used without a sync of all 3 warps in between}}
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  // expected-note @+1 {{the first use}}
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// Nobody waits.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  // expected-error @+1 {{is filled, but no warp waits for it}}
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// -----

// A ring of more stages than its buffer.
gsa_tile.kernel @k(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  // expected-error @+1 {{has 2 stages, its ring 3}}
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<3>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<3>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<3>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<3>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<3>
      }
    }
  }
  gsa_tile.return
}

// -----

// A tile handed over without a barrier.
gsa_tile.kernel @k() attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %v = arith.constant 1.0 : f32
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xf32, linear>
  gsa_tile.roles {
    role <"a", team = <0, 1>> {
      // expected-note @+1 {{written here}}
      gsa_tile.store_shared %v, %tile[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
      gsa_tile.sync #gsa_tile.team<0, 2> barrier 2
    }
    role <"b", team = <1, 1>> {
      gsa_tile.sync #gsa_tile.team<0, 2> barrier 3
      // expected-error @+1 {{uses a tile that role a wrote, without a barrier of both in between}}
      %x = gsa_tile.load_shared %tile[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
    }
  }
  gsa_tile.return
}

// -----

// A tile that all warps wrote, read by a role at once.
gsa_tile.kernel @k() attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %v = arith.constant 1.0 : f32
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xf32, linear>
  // expected-note @+1 {{written here}}
  gsa_tile.store_shared %v, %tile[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
  gsa_tile.roles {
    role <"b", team = <1, 1>> {
      // expected-error @+1 {{uses a tile that all warps wrote, without a barrier of both in between}}
      %x = gsa_tile.load_shared %tile[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
    }
  }
  gsa_tile.return
}
