// RUN: gsa-opt %s --gsa-check-lanes --split-input-file --verify-diagnostics | FileCheck %s

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// A wait orders what comes behind it on its lane, too.
// CHECK-LABEL: func.func @ordered
func.func @ordered(%in: memref<8xf32>, %x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  gsa_tile.launch @use grid(%c1) args(%in, %x) {gsa_tile.step = #gsa_tile.step<0, lane = 0>} : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%in, %y) {gsa_tile.step = #gsa_tile.step<1, lane = 1 waits = [0]>} : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%x, %z) {gsa_tile.step = #gsa_tile.step<2, lane = 1>} : memref<8xf32>, memref<8xf32>
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// Read after write.
func.func @missing(%in: memref<8xf32>, %x: memref<8xf32>, %z: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  // expected-note @+1 {{step 0 is here}}
  gsa_tile.launch @use grid(%c1) args(%in, %x) {gsa_tile.step = #gsa_tile.step<0, lane = 0>} : memref<8xf32>, memref<8xf32>
  // expected-error @+1 {{step 1 on lane 1 does not wait for step 0 on lane 0, and both take bytes from 0 on of one buffer, which that step writes}}
  gsa_tile.launch @use grid(%c1) args(%x, %z) {gsa_tile.step = #gsa_tile.step<1, lane = 1>} : memref<8xf32>, memref<8xf32>
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// Two buffers that share bytes of the workspace, of different iterations: one is
// used again while the other one may still be read.
func.func @reuse(%in: memref<8xf32>, %out: memref<8xf32>, %workspace: memref<?xi8>)
    attributes {gsa.lanes = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %a = memref.view %workspace[%c0][] {gsa_tile.buffer = 0 : i64} : memref<?xi8> to memref<8xf32>
  %b = memref.view %workspace[%c16][] {gsa_tile.buffer = 1 : i64} : memref<?xi8> to memref<8xf32>
  // expected-note @+1 {{step 0 is here}}
  gsa_tile.launch @use grid(%c1) args(%a, %out) {gsa_tile.step = #gsa_tile.step<0, lane = 0 parts = [0, 0]>} : memref<8xf32>, memref<8xf32>
  // expected-error @+1 {{step 1 on lane 1 does not wait for step 0 on lane 0, and both take bytes from 16 on of one buffer, which this step writes}}
  gsa_tile.launch @use grid(%c1) args(%in, %b) {gsa_tile.step = #gsa_tile.step<1, lane = 1 parts = [0, 1]>} : memref<8xf32>, memref<8xf32>
  return
}

// -----

func.func @unnumbered(%in: memref<8xf32>, %x: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  // expected-error @+1 {{expected 'gsa_tile.step', since the function has 2 lanes}}
  memref.copy %in, %x : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @number(%in: memref<8xf32>, %x: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  // expected-error @+1 {{expected step 0, got 1}}
  memref.copy %in, %x {gsa_tile.step = #gsa_tile.step<1, lane = 0>} : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @lane(%in: memref<8xf32>, %x: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  // expected-error @+1 {{expected a lane below 2, got 2}}
  memref.copy %in, %x {gsa_tile.step = #gsa_tile.step<0, lane = 2>} : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @own(%in: memref<8xf32>, %x: memref<8xf32>, %y: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  memref.copy %in, %x {gsa_tile.step = #gsa_tile.step<0, lane = 1>} : memref<8xf32> to memref<8xf32>
  // expected-error @+1 {{waits for step 0 of its own lane, expected steps of others}}
  memref.copy %x, %y {gsa_tile.step = #gsa_tile.step<1, lane = 1 waits = [0]>} : memref<8xf32> to memref<8xf32>
  return
}

// -----

gsa_tile.kernel @use(%a: !gsa_tile.global<f32, read>, %b: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// Steps that are apart: a step that has to do with neither stands between them.
func.func @apart(%in: memref<8xf32>, %x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>)
    attributes {gsa.lanes = 2 : i64} {
  %c1 = arith.constant 1 : index
  // expected-note @+1 {{step 0 is here}}
  gsa_tile.launch @use grid(%c1) args(%in, %x) {gsa_tile.step = #gsa_tile.step<0, lane = 0>} : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @use grid(%c1) args(%in, %y) {gsa_tile.step = #gsa_tile.step<1, lane = 1>} : memref<8xf32>, memref<8xf32>
  // expected-error @+1 {{step 2 on lane 1 does not wait for step 0 on lane 0, and both take bytes from 0 on of one buffer, which that step writes}}
  gsa_tile.launch @use grid(%c1) args(%x, %z) {gsa_tile.step = #gsa_tile.step<2, lane = 1>} : memref<8xf32>, memref<8xf32>
  return
}
