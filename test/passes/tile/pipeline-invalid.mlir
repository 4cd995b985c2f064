// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))'

// Streams of one ring are filled by the same warps.

#load = #gsa_tile.team<0, 2>
#more = #gsa_tile.team<0, 4>
!in = !gsa_tile.global<bf16, read>
!view = !gsa_tile.rows<bf16, strided, read>
!tile = !gsa_tile.smem<16x32xbf16, swizzle>
!ring = !gsa_tile.tile_ring<3 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
!lhs = !gsa_tile.frag<16x32xbf16, lhs>

gsa_tile.kernel @loaders(%x: !in, %n: index) attributes {warps = 6 : i64} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %pitch = arith.constant 32 : i64
  %ring = gsa_tile.tile_ring : !ring
  %lhs = gsa_tile.frag_alloc : !lhs
  // expected-note @below {{the other stream}}
  gsa_tile.stream below %n <loaders = 2> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #load vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
  }
  // expected-error @below {{has 4 loaders, but another stream of its ring 2}}
  gsa_tile.stream below %n <loaders = 4> rings(%ring : !ring) load {
  ^bb0(%i: index, %t: !tile):
    %v = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !view
    gsa_tile.copy_rows %v[%i] columns %c32 to %t by #more vector 16 : !view, index to !tile
  } compute {
  ^bb0(%i: index, %t: !tile):
    gsa_tile.load_lhs %t[%c0] to %lhs : !tile to !lhs
  }
  gsa_tile.return
}

// -----

// A ring is no value to choose from.

!ring = !gsa_tile.tile_ring<3 by cp_async, !gsa_tile.smem<16x32xbf16, swizzle>>
gsa_tile.kernel @chosen(%b: i32) attributes {warps = 6 : i64} {
  %zero = arith.constant 0 : i32
  %c = arith.cmpi eq, %b, %zero : i32
  %x = gsa_tile.tile_ring : !ring
  %y = gsa_tile.tile_ring : !ring
  // expected-error @below {{uses a tile_ring: expected streams alone}}
  %z = arith.select %c, %x, %y : !ring
  gsa_tile.return
}
