// RUN: gsa-opt %s --gsa-cpu-vectorize-elementwise --gsa-cpu-distribute-parallel=tasks=2 --split-input-file | FileCheck %s
// RUN: not gsa-opt %s --gsa-cpu-tile-contractions --split-input-file 2>&1 | FileCheck %s --check-prefix=SUM
// RUN: not gsa-opt %s --gsa-cpu-tile-contractions --split-input-file 2>/dev/null | FileCheck %s --check-prefix=ROWS

// In a plan for bounds a loop runs to a size of its operands. Vectors, then the
// elements that fill none; tasks share what there is.
// CHECK-LABEL: func.func @flat(
// CHECK: %[[SIZE:.*]] = memref.dim
// CHECK: scf.parallel
// CHECK: vector.load
// CHECK: vector.store
// CHECK: memref.load
// CHECK: memref.store
// CHECK: gsa.tasks
func.func @flat(%x: memref<?x6xf32>, %y: memref<?x6xf32>)
    attributes {gsa.bounds = [array<i64: 9000, 6>, array<i64: 9000, 6>]} {
  linalg.generic {
      indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x6xf32>) outs(%y : memref<?x6xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// The innermost loop is static, the others are not.
// CHECK-LABEL: func.func @rows(
// CHECK: memref.dim
// CHECK: vector.load
func.func @rows(%x: memref<?x16xf32>, %s: memref<?xf32>, %y: memref<?x16xf32>)
    attributes {gsa.bounds = [array<i64: 9000, 16>, array<i64: 9000>, array<i64: 9000, 16>]} {
  linalg.generic {
      indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>,
                       affine_map<(a, b) -> (a, b)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<?x16xf32>, memref<?xf32>) outs(%y : memref<?x16xf32>) {
  ^bb0(%in: f32, %scale: f32, %out: f32):
    %0 = arith.mulf %in, %scale : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Rows may be dynamic, what is summed over not.
// SUM: error: a plan for bounds sums over static sizes only: expected rows to be all that is dynamic, got 'memref<32x?xf32>'
func.func @sum(%x: memref<32x?xf32>, %w: memref<?x8xf32>, %y: memref<32x8xf32>)
    attributes {gsa.bounds = [array<i64: 32, 64>, array<i64: 64, 8>, array<i64: 32, 8>]} {
  linalg.matmul ins(%x, %w : memref<32x?xf32>, memref<?x8xf32>) outs(%y : memref<32x8xf32>)
  return
}

// -----

// ROWS-LABEL: func.func @product(
// ROWS: memref.dim
// ROWS: arith.ceildivui
// ROWS: vector.fma
// ROWS: vector.maskedstore
func.func @product(%x: memref<?x64xf32>, %w: memref<64x8xf32>, %y: memref<?x8xf32>)
    attributes {gsa.bounds = [array<i64: 32, 64>, array<i64: 64, 8>, array<i64: 32, 8>]} {
  linalg.generic {
      indexing_maps = [affine_map<(a, b, c) -> (a, c)>, affine_map<(a, b, c) -> (c, b)>,
                       affine_map<(a, b, c) -> (a, b)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x64xf32>, memref<64x8xf32>) outs(%y : memref<?x8xf32>) {
  ^bb0(%l: f32, %r: f32, %sum: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %sum, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
