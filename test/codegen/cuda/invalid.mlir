// RUN: gsa-translate --gsa-tile-to-cuda --split-input-file --verify-diagnostics %s

gsa_tile.kernel @offset() attributes {warps = 1 : i64} {
  // expected-error @below {{'gsa_tile.smem_alloc' op attribute 'offset' is not set}}
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xf32, linear>
  gsa_tile.return
}

// -----

gsa_tile.kernel @type(%n: i64, %y: !gsa_tile.global<i64, write>)
    attributes {warps = 1 : i64} {
  // expected-error @below {{'arith.trunci' op has no CUDA C++ emission for 'i16'}}
  %0 = arith.trunci %n : i64 to i16
  %1 = arith.extsi %0 : i16 to i64
  gsa_tile.store %1, %y[%n] : !gsa_tile.global<i64, write>, i64
  gsa_tile.return
}

// -----


gsa_tile.kernel @op(%n: i64, %y: !gsa_tile.global<i64, write>)
    attributes {warps = 1 : i64} {
  // expected-error @below {{'arith.mulsi_extended' op has no CUDA C++ emission}}
  %low, %high = arith.mulsi_extended %n, %n : i64
  gsa_tile.store %low, %y[%high] : !gsa_tile.global<i64, write>, i64
  gsa_tile.return
}

// -----

// expected-error @below {{'gsa_tile.kernel' op name is not free in CUDA C++; gsa-tile-finalize makes it so}}
gsa_tile.kernel @fill() attributes {warps = 1 : i64} {
  gsa_tile.return
}

// -----

gsa_tile.kernel @left(%x: !gsa_tile.global<bf16, read>) attributes {warps = 2 : i64} {
  // expected-error @below {{has no CUDA C++ emission: gsa-tile-pipeline lowers it}}
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<16x16xbf16, linear>>
  gsa_tile.return
}

// -----

gsa_tile.kernel @constant(%y: !gsa_tile.global<i64, write>, %n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{'arith.constant' op has no CUDA C++ emission for 5 : i16}}
  %0 = arith.constant 5 : i16
  %1 = arith.extsi %0 : i16 to i64
  gsa_tile.store %1, %y[%n] : !gsa_tile.global<i64, write>, i64
  gsa_tile.return
}

// -----

gsa_tile.kernel @rounding(%f: f32, %y: !gsa_tile.global<bf16, write>, %n: i64)
    attributes {warps = 1 : i64} {
  // expected-error @below {{'arith.truncf' op has no CUDA C++ emission for a rounding mode}}
  %0 = arith.truncf %f downward : f32 to bf16
  gsa_tile.store %0, %y[%n] : !gsa_tile.global<bf16, write>, i64
  gsa_tile.return
}

// -----

gsa_tile.kernel @counted(%n: index) attributes {warps = 1 : i64} {
  %c1 = arith.constant 1 : index
  // expected-error @below {{'scf.for' op has no CUDA C++ emission for unsigned comparison}}
  scf.for unsigned %i = %n to %n step %c1 {
    gsa_tile.copy_wait #gsa_tile.team<0, 1>
  }
  gsa_tile.return
}
