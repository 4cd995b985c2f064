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

// -----

// expected-error @+1 {{'func.func' op result #0 has no attribute "gsa_tile.pointer", it takes none}}
func.func @result(%a: memref<4xf32>) -> (memref<4xf32> {gsa_tile.pointer}) {
  return %a : memref<4xf32>
}

// -----

func.func @unit(%n: index) {
  // expected-error @+1 {{'scf.for' op expected a unit attribute as 'gsa_tile.rolled', got 1 : i64}}
  scf.for %i = %n to %n step %n {
  } {gsa_tile.rolled = 1}
  return
}

// -----

func.func @step_place(%n: index) {
  // expected-error @+1 {{'scf.for' op cannot have the attribute 'gsa_tile.step', which is for gsa_tile.launch, gsa_tile.gemm, memref.copy and linalg.fill}}
  scf.for %i = %n to %n step %n {
  } {gsa_tile.step = #gsa_tile.step<0, lane = 0>}
  return
}

// -----

func.func @step_kind(%a: memref<4xf32>) {
  // expected-error @+1 {{'memref.copy' op expected a #gsa_tile.step as 'gsa_tile.step', got 0 : i64}}
  memref.copy %a, %a {gsa_tile.step = 0} : memref<4xf32> to memref<4xf32>
  return
}

// -----

gsa_tile.kernel @k(%x: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @estimate_kind(%a: memref<4xf32>) {
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{'gsa_tile.launch' op expected an f64 that is not negative as 'gsa_tile.estimate', got -1.000000e+00 : f64}}
  gsa_tile.launch @k grid(%c1) args(%a) {gsa_tile.estimate = -1.0 : f64} : memref<4xf32>
  return
}

// -----

func.func @estimate_place(%a: memref<4xf32>) {
  // expected-error @+1 {{'memref.copy' op cannot have the attribute 'gsa_tile.estimate', which is for gsa_tile.launch}}
  memref.copy %a, %a {gsa_tile.estimate = 1.0 : f64} : memref<4xf32> to memref<4xf32>
  return
}

// -----

func.func @buffer_kind(%a: memref<64xi8>, %n: index) {
  // expected-error @+1 {{'memref.view' op expected an i64 that is not negative as 'gsa_tile.buffer', got -1 : i64}}
  %v = memref.view %a[%n][] {gsa_tile.buffer = -1} : memref<64xi8> to memref<4xf32>
  return
}

// -----

func.func @buffer_place(%a: memref<4xf32>) {
  // expected-error @+1 {{'memref.copy' op cannot have the attribute 'gsa_tile.buffer', which is for memref.view}}
  memref.copy %a, %a {gsa_tile.buffer = 1} : memref<4xf32> to memref<4xf32>
  return
}

// -----

// expected-error @+1 {{'gsa_tile.kernel' op cannot have the attribute 'gsa_tile.buffer', which is for memref.view}}
gsa_tile.kernel @buffer() attributes {warps = 1 : i64, gsa_tile.buffer = 1 : i64} {
  gsa_tile.return
}

// -----

func.func @origin(%a: memref<4xf32>) {
  // expected-error @+1 {{'memref.copy' op cannot have the attribute 'gsa_tile.origin', which is for gsa_tile.kernel}}
  memref.copy %a, %a {gsa_tile.origin = "gsa.gate"} : memref<4xf32> to memref<4xf32>
  return
}
