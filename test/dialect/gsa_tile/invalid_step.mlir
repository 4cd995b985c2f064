// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// Where a step stands and what it waits for.

func.func @step_c1(%a: memref<8xf32>, %b: memref<8xf32>) {
  // expected-error @+1 {{expected a number and a lane from 0 on, got 0 and -1}}
  memref.copy %a, %b {gsa_tile.step = #gsa_tile.step<0, lane = -1>} : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @step_c2(%a: memref<8xf32>, %b: memref<8xf32>) {
  // expected-error @+1 {{expected ascending numbers of steps before step 2 to wait for, got 1, 1}}
  memref.copy %a, %b {gsa_tile.step = #gsa_tile.step<2, lane = 0 waits = [1, 1]>} : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @step_c3(%a: memref<8xf32>, %b: memref<8xf32>) {
  // expected-error @+1 {{expected pairs of a loop and an iteration, got 1}}
  memref.copy %a, %b {gsa_tile.step = #gsa_tile.step<0, lane = 0 parts = [1]>} : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @place() {
  // expected-error @+1 {{cannot have the attribute 'gsa_tile.step', which is for gsa_tile.launch, gsa_tile.gemm, memref.copy and linalg.fill}}
  %a = memref.alloc() {gsa_tile.step = #gsa_tile.step<0, lane = 0>} : memref<8xf32>
  return
}

// -----

// expected-error @+1 {{expected an i64 from 1 to 8 as 'gsa.lanes', got 9 : i64}}
func.func @lanes() attributes {gsa.lanes = 9 : i64} {
  return
}
