// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Constraints of streams, their rings and their schedules, by label. Those of
// what `compute` holds are in invalid_stream_compute.mlir.

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>

gsa_tile.kernel @stream_c1(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{expected the arguments ('index', '!gsa_tile.smem<64x64xbf16, linear>') in load, got ('index')}}
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index):

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

gsa_tile.kernel @stream_c1_compute(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{expected the arguments ('index', '!gsa_tile.smem<64x64xbf16, linear>') in compute, got ('!gsa_tile.smem<64x64xbf16, linear>', 'index')}}
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%t: !tile, %i: index):
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

gsa_tile.kernel @stream_c2(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>, !gsa_tile.smem<64x64xbf16, linear>>
  // expected-error @below {{fills no tile 1 of ring 0}}
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>, !gsa_tile.smem<64x64xbf16, linear>>) load {
  ^bb0(%i: index, %t: !tile, %u: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile, %u: !tile):
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

gsa_tile.kernel @stream_c2_nested(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    %some = arith.cmpi eq, %i, %c0 : index
    scf.if %some {
      // expected-error @below {{fills a tile of a stream within another op: expected it at the top of load}}
      gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
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

gsa_tile.kernel @stream_c2_foreign(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  %other = gsa_tile.smem_alloc : !tile
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
    // expected-error @below {{fills a tile that is none of the stream's rings'}}
    gsa_tile.copy_rows %v[%i] columns %c64 to %other by #load vector 16 : !view, index to !tile
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

gsa_tile.kernel @stream_c2_engine(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    // expected-error @below {{fills by stores a tile of a ring that is filled by cp_async}}
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 2 : !view, index to !tile
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

gsa_tile.kernel @stream_c2_team(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    // expected-error @below {{is run by warps of #gsa_tile.team<0, 2>: expected those that fill, #gsa_tile.team<0, 4>}}
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #gsa_tile.team<0, 2> vector 16 : !view, index to !tile
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

// Without loaders all warps fill.
gsa_tile.kernel @stream_c2_all(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<1 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
  gsa_tile.stream below %n <loaders = 0> rings(%ring : !gsa_tile.tile_ring<1 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    // expected-error @below {{is run by warps of #gsa_tile.team<0, 4>: expected those that fill, #gsa_tile.team<0, 12>}}
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

gsa_tile.kernel @stream_c2_twice(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{names a ring twice}}
  gsa_tile.stream below %n <loaders = 4> rings(%ring, %ring : !ring, !ring) load {
  ^bb0(%i: index, %t: !tile, %u: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile, %u: !tile):
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

gsa_tile.kernel @stream_c2_chosen(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  %some = arith.cmpi eq, %n, %c0 : index
  %chosen = arith.select %some, %ring, %ring : !ring
  // expected-error @below {{expected rings of tile_ring}}
  gsa_tile.stream below %n <loaders = 4> rings(%chosen : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @stream_c2_none(%n: index) attributes {warps = 12 : i64} {
  // expected-error @below {{expected at least one ring}}
  "gsa_tile.stream"(%n) <{pipeline = #gsa_tile.pipeline<loaders = 4>}> ({
  ^bb0(%i: index):
    gsa_tile.yield
  }, {
  ^bb0(%i: index):
    gsa_tile.yield
  }) : (index) -> ()
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

gsa_tile.kernel @stream_c3(%x: !in, %n: index) attributes {warps = 12 : i64} {
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
    // expected-error @below {{stands in the load region of a stream, which has neither fragments nor barriers nor steps}}
    gsa_tile.take_frag %t[%c0] to %acc : !tile to !acc
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

gsa_tile.kernel @stream_c3_barrier(%x: !in, %n: index) attributes {warps = 12 : i64} {
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
    // expected-error @below {{stands in the load region of a stream, which has neither fragments nor barriers nor steps}}
    gsa_tile.copy_wait #load barrier 1
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

gsa_tile.kernel @stream_c3_slot(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  %other = gsa_tile.ring_alloc producers 4 consumers 8 : !gsa_tile.ring<2>
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
    // expected-error @below {{stands in the load region of a stream, which has neither fragments nor barriers nor steps}}
    %slot = gsa_tile.ring_acquire %other[%i] : !gsa_tile.ring<2>
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

gsa_tile.kernel @stream_c3_step(%x: !in, %n: index) attributes {warps = 12 : i64} {
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
    // expected-error @below {{stands in the load region of a stream, which has neither fragments nor barriers nor steps}}
    gsa_tile.await %t : !tile
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

gsa_tile.kernel @stream_c3_fill(%x: !in, %n: index) attributes {warps = 12 : i64} {
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
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    // expected-error @below {{fills a tile in the compute region of a stream}}
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
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

gsa_tile.kernel @stream_c3_stream(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  %other = gsa_tile.tile_ring : !ring
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    // expected-error @below {{is nested in another stream}}
    gsa_tile.stream below %n <loaders = 4> rings(%other : !ring) load {
    ^bb0(%j: index, %u: !tile):
      %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
      gsa_tile.copy_rows %v[%i] columns %c64 to %u by #load vector 16 : !view, index to !tile
    } compute {
    ^bb0(%j: index, %u: !tile):
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

gsa_tile.kernel @stream_c4(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{expected loaders that leave 3 equal groups of the kernel's 12 warps, got 4 loaders}}
  gsa_tile.stream below %n <loaders = 4, groups = 3> rings(%ring : !ring) load {
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

gsa_tile.kernel @stream_c4_loaders(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{expected loaders that leave 1 equal groups of the kernel's 12 warps, got 12 loaders}}
  gsa_tile.stream below %n <loaders = 12> rings(%ring : !ring) load {
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

// Groups that take turns are whole warpgroups.
gsa_tile.kernel @stream_c4_turns(%x: !in, %n: index) attributes {warps = 10 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{expected groups of whole warpgroups of 4 warps that take turns, got 3 warps}}
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

gsa_tile.kernel @stream_c5(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !ring
  // expected-error @below {{without loaders expected rings of one stage, filled by stores or cp_async, got '!gsa_tile.tile_ring<2 by cp_async}}
  gsa_tile.stream below %n <loaders = 0> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c64 to %t by #gsa_tile.team<0, 12> vector 16 : !view, index to !tile
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

gsa_tile.kernel @stream_c5_bulk(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<1 by bulk, !gsa_tile.smem<64x64xbf16, linear>>
  // expected-error @below {{without loaders expected rings of one stage, filled by stores or cp_async, got '!gsa_tile.tile_ring<1 by bulk}}
  gsa_tile.stream below %n <loaders = 0> rings(%ring : !gsa_tile.tile_ring<1 by bulk, !gsa_tile.smem<64x64xbf16, linear>>) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.bulk_rows %v[%i] columns %c64 to %t by <0, 12> : !view to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
  }
  gsa_tile.return
}

// -----

func.func @stream_outside(%n: index, %ring: !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>) {
  // expected-error @below {{expected to be in a kernel}}
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>) load {
  ^bb0(%i: index, %t: !gsa_tile.smem<64x64xbf16, linear>):
  } compute {
  ^bb0(%i: index, %t: !gsa_tile.smem<64x64xbf16, linear>):
  }
  return
}

// -----

gsa_tile.kernel @tile_ring_op_c1(%n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{expected to stand at the top of a kernel: a ring is made once}}
    %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
  }
  gsa_tile.return
}

// -----

gsa_tile.kernel @tile_ring_c1() attributes {warps = 12 : i64} {
  // expected-error @below {{expected 1 to 64 stages, got 0}}
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<0 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @tile_ring_c2() attributes {warps = 12 : i64} {
  // expected-error @below {{expected tiles of a single stage, got '!gsa_tile.smem<2x64x64xbf16, linear>'}}
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<2x64x64xbf16, linear>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @tile_ring_c2_tile() attributes {warps = 12 : i64} {
  // expected-error @below {{expected tiles of a single stage, got 'f32'}}
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by cp_async, f32>
  gsa_tile.return
}

// -----

// expected-error @below {{expected 0 or more loaders and 1 or more groups, got -1 and 1}}
func.func private @pipeline_c1() attributes {p = #gsa_tile.pipeline<loaders = -1>}

// -----

// expected-error @below {{expected 0 or more loaders and 1 or more groups, got 4 and 0}}
func.func private @pipeline_c1_groups() attributes {p = #gsa_tile.pipeline<loaders = 4, groups = 0>}

// -----

// expected-error @below {{order ping_pong needs loaders and 2 or more groups, got 4 and 1}}
func.func private @pipeline_c2() attributes {p = #gsa_tile.pipeline<loaders = 4, order = ping_pong>}

// -----

// expected-error @below {{order ping_pong needs loaders and 2 or more groups, got 0 and 2}}
func.func private @pipeline_c2_loaders() attributes {p = #gsa_tile.pipeline<loaders = 0, groups = 2, order = ping_pong>}
