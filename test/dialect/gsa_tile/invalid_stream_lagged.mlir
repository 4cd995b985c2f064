// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// Parts of a stream that are one tile behind: what they may use, and where they
// may stand.

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<1 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @stream_c8_loaders(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  // expected-error @below {{has lagged ops: expected loaders}}
  gsa_tile.stream below %n <loaders = 0> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by <0, 12> vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.copy_rows %v[%j] columns %c64 to %t by <0, 12> vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @stream_c8_ring(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.stream below %n <loaders = 4> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.copy_rows %v[%j] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    // expected-error @below {{uses a tile of a ring that lagged ops use, too: expected all of its uses in lagged ops}}
    gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @stream_c8_number(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.stream below %n <loaders = 4> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%j: index):
      // expected-error @below {{in a lagged op uses what its region has for the tile after: expected what is made of the lagged op's own argument}}
      gsa_tile.copy_rows %v[%i] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @lagged_c1_made(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.stream below %n <loaders = 4> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    %next = arith.addi %i, %c64 : index
    gsa_tile.lagged {
    ^bb0(%j: index):
      // expected-error @below {{uses what its region has for the tile after}}
      gsa_tile.copy_rows %v[%next] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @lagged_c2(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.stream below %n <loaders = 4> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.copy_rows %v[%j] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.lagged {
    ^bb0(%j: index):
      // expected-error @below {{is nested in another}}
      gsa_tile.lagged {
      ^bb0(%l: index):
      }
      gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @lagged_c3(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.stream below %n <loaders = 4> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.copy_rows %v[%j] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    // expected-error @below {{expected one argument, an index, got ()}}
    gsa_tile.lagged {
      gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @lagged_place(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  // expected-error @below {{expects parent op 'gsa_tile.stream'}}
  gsa_tile.lagged {
  ^bb0(%j: index):
  }
  gsa_tile.return
}

// -----

#load = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!ring = !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x64xbf16, linear>>
!acc = !gsa_tile.frag<16x64xf32, acc>
!lhs = !gsa_tile.frag<16x64xbf16, lhs>

gsa_tile.kernel @release_before_await(%x: !in, %n: index) attributes {warps = 12 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %acc = gsa_tile.frag_alloc : !acc
  %lhs = gsa_tile.frag_alloc : !lhs
  %keys = gsa_tile.tile_ring : !ring
  %values = gsa_tile.tile_ring : !ring
  %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
  gsa_tile.stream below %n <loaders = 4> rings(%keys, %values : !ring, !ring) load {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.copy_rows %v[%i] columns %c64 to %k by #load vector 16 : !view, index to !tile
    gsa_tile.lagged {
    ^bb0(%j: index):
      gsa_tile.copy_rows %v[%j] columns %c64 to %t by #load vector 16 : !view, index to !tile
    }
  } compute {
  ^bb0(%i: index, %k: !tile, %t: !tile):
    gsa_tile.lagged {
    ^bb0(%j: index):
      // expected-error @below {{releases a ring before its await}}
      gsa_tile.release %t : !tile
      gsa_tile.await %t : !tile
      gsa_tile.mma_nn %acc, %lhs, %t[%c0] : !acc, !lhs, !tile
    }
  }
  gsa_tile.return
}
