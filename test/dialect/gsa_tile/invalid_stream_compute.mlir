// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of turns and of the steps of a stream's `compute` region, by label.

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{expected at the top of the compute region of a stream of order ping_pong, by #gsa_tile.team<4, 8>}}
    gsa_tile.turn_wait #mma groups 2 barrier 2
    gsa_tile.turn_pass #mma groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_nested(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    %some = arith.cmpi eq, %i, %c0 : index
    scf.if %some {
      // expected-error @below {{expected at the top of the compute region of a stream of order ping_pong, by #gsa_tile.team<4, 8>}}
      gsa_tile.turn_wait #mma groups 2 barrier 2
      gsa_tile.turn_pass #mma groups 2 barrier 2
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_team(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{expected at the top of the compute region of a stream of order ping_pong, by #gsa_tile.team<4, 8>}}
    gsa_tile.turn_wait #gsa_tile.team<0, 8> groups 2 barrier 2
    gsa_tile.turn_pass #mma groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_groups(%x: !in, %n: index) attributes {warps = 20 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 4, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{expected the stream's 4 groups and barrier 2, got 2 and 2}}
    gsa_tile.turn_wait #gsa_tile.team<4, 16> groups 2 barrier 2
    gsa_tile.turn_pass #gsa_tile.team<4, 16> groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_barrier(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.turn_wait #mma groups 2 barrier 2
    // expected-error @below {{expected the stream's 2 groups and barrier 2, got 2 and 4}}
    gsa_tile.turn_pass #mma groups 2 barrier 4
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_none(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{is of order ping_pong, but waits for no turn}}
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_kept(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{waits for a turn that it does not pass}}
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.turn_wait #mma groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_twice(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.turn_wait #mma groups 2 barrier 2
    // expected-error @below {{waits for a turn before it passed the last}}
    gsa_tile.turn_wait #mma groups 2 barrier 2
    gsa_tile.turn_pass #mma groups 2 barrier 2
    gsa_tile.turn_pass #mma groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_order(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{passes a turn that it did not wait for}}
    gsa_tile.turn_pass #mma groups 2 barrier 2
    gsa_tile.turn_wait #mma groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c6_start(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4, groups = 2, order = ping_pong> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{is for gsa-tile-pipeline to add}}
    gsa_tile.turn_start #mma groups 2 barrier 2
    gsa_tile.turn_wait #mma groups 2 barrier 2
    gsa_tile.turn_pass #mma groups 2 barrier 2
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c7(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.await %t : !tile
    gsa_tile.take_frag %t[%c0] to %acc : !tile to !acc
    // expected-error @below {{expected once for a ring, at the top of the compute region}}
    gsa_tile.await %t : !tile
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c7_nested(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    %some = arith.cmpi eq, %i, %c0 : index
    scf.if %some {
      // expected-error @below {{expected once for a ring, at the top of the compute region}}
      gsa_tile.release %t : !tile
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c7_before(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{uses a tile before its await}}
    gsa_tile.take_frag %t[%c0] to %acc : !tile to !acc
    gsa_tile.await %t : !tile
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c7_behind(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.release %t : !tile
    %some = arith.cmpi eq, %i, %c0 : index
    scf.if %some {
      // expected-error @below {{uses a tile behind its release}}
      gsa_tile.take_frag %t[%c0] to %acc : !tile to !acc
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c7_order(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{releases a ring before its await}}
    gsa_tile.release %t : !tile
    gsa_tile.await %t : !tile
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c7_foreign(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %other = gsa_tile.smem_alloc : !tile
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{names a tile that is none of the stream's rings'}}
    gsa_tile.release %other : !tile
    gsa_tile.await %t : !tile
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @turn_start_c1() attributes {warps = 12 : i64} {
  // expected-error @below {{expected a team of 2 groups of whole warpgroups, got #gsa_tile.team<4, 4>}}
  gsa_tile.turn_start <4, 4> groups 2 barrier 2
  gsa_tile.return
}

// -----

gsa_tile.kernel @turn_wait_c1() attributes {warps = 12 : i64} {
  // expected-error @below {{expected a team of 2 groups of whole warpgroups, got #gsa_tile.team<4, 4>}}
  gsa_tile.turn_wait <4, 4> groups 2 barrier 2
  gsa_tile.return
}

// -----

gsa_tile.kernel @turn_pass_c1() attributes {warps = 12 : i64} {
  // expected-error @below {{expected a team of 2 groups of whole warpgroups, got #gsa_tile.team<4, 4>}}
  gsa_tile.turn_pass <4, 4> groups 2 barrier 2
  gsa_tile.return
}

// -----

gsa_tile.kernel @turn_end_c1() attributes {warps = 12 : i64} {
  // expected-error @below {{expected a team of 2 groups of whole warpgroups, got #gsa_tile.team<4, 4>}}
  gsa_tile.turn_end <4, 4> groups 2 barrier 2
  gsa_tile.return
}

// -----

gsa_tile.kernel @turn_wait_c1_barrier() attributes {warps = 12 : i64} {
  // expected-error @below {{expected barriers up to 15, got 16}}
  gsa_tile.turn_wait <0, 12> groups 3 barrier 14
  gsa_tile.return
}

// -----

gsa_tile.kernel @turn_wait_barrier() attributes {warps = 12 : i64} {
  // expected-error @below {{attribute 'barrier' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  gsa_tile.turn_wait <0, 12> groups 3 barrier 0
  gsa_tile.return
}
