// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// Names of attributes that ops of kernels, kernels and loops do not have.

// expected-error @+1 {{'gsa_tile.kernel' op has no attribute 'min_block', did you mean 'min_blocks'?}}
gsa_tile.kernel @option() attributes {warps = 1 : i64, min_block = 2 : i64} {
  gsa_tile.return
}

// -----

// expected-error @+1 {{'gsa_tile.kernel' op has no attribute 'gsa_tile.origins', did you mean 'gsa_tile.origin'?}}
gsa_tile.kernel @hint() attributes {warps = 1 : i64, gsa_tile.origins = "gsa.gate"} {
  gsa_tile.return
}

// -----

// expected-error @+1 {{'gsa_tile.kernel' op expected a string as 'gsa_tile.origin', got -1 : i64}}
gsa_tile.kernel @kind() attributes {warps = 1 : i64, gsa_tile.origin = -1} {
  gsa_tile.return
}

// -----

// expected-error @+1 {{'gsa_tile.kernel' op cannot have the attribute 'gsa_tile.rolled', which is for scf.for}}
gsa_tile.kernel @place() attributes {warps = 1 : i64, gsa_tile.rolled} {
  gsa_tile.return
}

// -----

// expected-error @+1 {{'gsa_tile.kernel' op expected the schedule of an op on a GPU as 'gsa.schedule', got #gsa.cpu_schedule<}}
gsa_tile.kernel @schedule() attributes {warps = 1 : i64,
    gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>} {
  gsa_tile.return
}

// -----

gsa_tile.kernel @loop() attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{'scf.for' op has no attribute 'gsa_tile.roled', did you mean 'gsa_tile.rolled'?}}
  scf.for %i = %c0 to %c1 step %c1 {
  } {gsa_tile.roled}
  gsa_tile.return
}

// -----

gsa_tile.kernel @op() attributes {warps = 1 : i64} {
  // expected-error @+1 {{'gsa_tile.block_id' op has no attribute 'dim', it takes 'dimension'}}
  %0 = gsa_tile.block_id 0 {dim = 1 : i64}
  gsa_tile.return
}

// -----

// expected-error @+1 {{'func.func' op argument #0 has no attribute "gsa_tile.pointer", it takes none}}
func.func @argument(%a: memref<4xf32> {gsa_tile.pointer}) { return }
