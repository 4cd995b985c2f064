// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What types of storage and the attributes of teams and roles are not made of.

// expected-error @below {{expected an element type of f16, bf16, f32, f64, i8, i32 or i64, got 'i16'}}
gsa_tile.kernel @element(%x: !gsa_tile.global<i16, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected [rows, columns] or [stages, rows, columns], got rank 1}}
gsa_tile.kernel @smem_c1(%x: !gsa_tile.smem<64xbf16, linear>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected sizes of at least 1}}
gsa_tile.kernel @smem_c1_size(%x: !gsa_tile.smem<0x64xbf16, linear>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{layout swizzle needs rows of a multiple of 16 bytes, got 120}}
gsa_tile.kernel @smem_c2(%x: !gsa_tile.smem<64x60xbf16, swizzle>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected [rows, columns], got rank 1}}
gsa_tile.kernel @frag_c1_rank(%x: !gsa_tile.frag<16xf32, acc>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{layout acc needs a multiple of 8 columns, got 12}}
gsa_tile.kernel @frag_c2(%x: !gsa_tile.frag<16x12xf32, acc>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{layout lhs needs a multiple of 16 columns, got 0}}
gsa_tile.kernel @frag_c2_none(%x: !gsa_tile.frag<16x0xbf16, lhs>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected one size, 16 or 8}}
gsa_tile.kernel @rowvec(%x: !gsa_tile.rowvec<24xf32>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected 1 to 64 stages, got 0}}
gsa_tile.kernel @ring(%x: !gsa_tile.ring<0>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected 1 to 64 stages, got 65}}
gsa_tile.kernel @tile_ring_c1_many(%x: !gsa_tile.tile_ring<65 by cp_async, !gsa_tile.smem<16x16xbf16, linear>>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected one size from 1 to 32}}
gsa_tile.kernel @lanes_size(%x: !gsa_tile.lanes<33xi32>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected a box [rows, columns] with sizes in [1, 256]}}
gsa_tile.kernel @tensormap_box(%x: !gsa_tile.tensormap<300x64xbf16, linear>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected layout linear or swizzle_128b: the copy engine does not know the layout swizzle}}
gsa_tile.kernel @tensormap_swizzle(%x: !gsa_tile.tensormap<64x64xbf16, swizzle>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected a box of one panel of 128 bytes, got rows of 64 bytes}}
gsa_tile.kernel @tensormap_panel(%x: !gsa_tile.tensormap<64x32xbf16, swizzle_128b>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected rows of a multiple of 16 bytes, got 24}}
gsa_tile.kernel @tensormap_row(%x: !gsa_tile.tensormap<64x12xbf16, linear>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected at least one row and unit}}
gsa_tile.kernel @found_rows_none(%x: !gsa_tile.found_rows<0 x 4 by <0, 1>>) attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

// expected-error @below {{expected a team within the 32 warps of a block, got 4 warps from warp 30}}
func.func private @team_c1() attributes {t = #gsa_tile.team<30, 4>}

// -----

// expected-error @below {{expected a role with a name}}
func.func private @role_name() attributes {r = #gsa_tile.role<"", team = <0, 1>>}

// -----

// expected-error @below {{role load: expected a multiple of 8 registers from 0 to 256, got 20}}
func.func private @role_registers() attributes {r = #gsa_tile.role<"load", team = <0, 1>, registers = 20>}
