// RUN: gsa-opt %s --gsa-cpu-tile-contractions='tasks=2 vector-bits=512' \
// RUN:   --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-tile-contractions='tasks=2 vector-bits=512' --split-input-file \
// RUN:   --remarks-filter=gsa.cpu -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --gsa-cpu-tile-contractions='tasks=1' --split-input-file \
// RUN:   | FileCheck %s --check-prefix=ONE

// A projection with transposed weights. Rows or columns are divided among two
// tasks; both operands are packed; the inner loop is broadcast and fma.
// REMARK: remark: [Passed] TiledContraction | Category:gsa.cpu{{.*}}tiled
// CHECK-LABEL: func.func @projection
// CHECK-NOT: linalg
// CHECK: scf.parallel (%{{.*}}) = (%{{.*}}) to (%c2
// CHECK: memref.alloc() {{.*}} : memref<{{[0-9]+x[0-9]+}}xf32>
// CHECK: vector.shuffle
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.broadcast {{.*}} : f32 to vector<16xf32>
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: gsa.tasks
// ONE-LABEL: func.func @projection
// ONE-NOT: scf.parallel
// ONE: vector.fma
func.func @projection(%x: memref<96x64xf32>, %w: memref<128x64xf32>,
                      %y: memref<96x128xf32>) {
  linalg.matmul indexing_maps = [affine_map<(m,n,k)->(m,k)>,
                                 affine_map<(m,n,k)->(n,k)>,
                                 affine_map<(m,n,k)->(m,n)>]
      ins(%x, %w : memref<96x64xf32>, memref<128x64xf32>)
      outs(%y : memref<96x128xf32>)
  return
}

// -----

// Odd sizes with bf16 inputs: elements are extended while packing, and stores
// are masked. The work is too small for two tasks.
// CHECK-LABEL: func.func @odd_bf16
// CHECK-NOT: scf.parallel
// CHECK: arith.extf {{.*}} : vector<{{[0-9]+}}xbf16> to vector<{{[0-9]+}}xf32>
// CHECK: vector.create_mask
// CHECK: vector.maskedstore
func.func @odd_bf16(%x: memref<17x33xbf16>, %w: memref<5x33xbf16>,
                    %y: memref<17x5xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>,
                                   affine_map<(m,n,k)->(n,k)>,
                                   affine_map<(m,n,k)->(m,n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<17x33xbf16>, memref<5x33xbf16>)
      outs(%y : memref<17x5xf32>) {
  ^bb0(%a: bf16, %b: bf16, %c: f32):
    %0 = arith.extf %a : bf16 to f32
    %1 = arith.extf %b : bf16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %c, %2 : f32
    linalg.yield %3 : f32
  }
  return
}

// -----

// Already inside a parallel loop: sequential.
// CHECK-LABEL: func.func @nested
// CHECK-COUNT-1: scf.parallel
// CHECK-NOT: scf.parallel
// CHECK: vector.fma
// CHECK-NOT: gsa.tasks
func.func @nested(%x: memref<4x96x64xf32>, %w: memref<128x64xf32>,
                  %y: memref<4x96x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.parallel (%i) = (%c0) to (%c4) step (%c1) {
    %xi = memref.subview %x[%i, 0, 0] [1, 96, 64] [1, 1, 1]
        : memref<4x96x64xf32> to memref<96x64xf32, strided<[64, 1], offset: ?>>
    %yi = memref.subview %y[%i, 0, 0] [1, 96, 128] [1, 1, 1]
        : memref<4x96x128xf32>
        to memref<96x128xf32, strided<[128, 1], offset: ?>>
    linalg.matmul indexing_maps = [affine_map<(m,n,k)->(m,k)>,
                                   affine_map<(m,n,k)->(n,k)>,
                                   affine_map<(m,n,k)->(m,n)>]
        ins(%xi, %w : memref<96x64xf32, strided<[64, 1], offset: ?>>,
                      memref<128x64xf32>)
        outs(%yi : memref<96x128xf32, strided<[128, 1], offset: ?>>)
    scf.reduce
  }
  return
}

// -----

// Left alone: a dynamic size, integer accumulators, a sum of three.
// REMARK: remark: [Missed] NotTiled | Category:gsa.cpu{{.*}}not tiled: a loop has a dynamic size
// CHECK-LABEL: func.func @dynamic
// CHECK: linalg.matmul
func.func @dynamic(%x: memref<?x64xf32>, %w: memref<64x8xf32>,
                   %y: memref<?x8xf32>) {
  linalg.matmul ins(%x, %w : memref<?x64xf32>, memref<64x8xf32>)
      outs(%y : memref<?x8xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @integers
// CHECK: linalg.matmul
func.func @integers(%x: memref<8x64xi32>, %w: memref<64x8xi32>,
                    %y: memref<8x8xi32>) {
  linalg.matmul ins(%x, %w : memref<8x64xi32>, memref<64x8xi32>)
      outs(%y : memref<8x8xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @subtracts
// CHECK: linalg.generic
func.func @subtracts(%x: memref<8x64xf32>, %w: memref<8x64xf32>,
                     %y: memref<8x8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m,n,k)->(m,k)>,
                                   affine_map<(m,n,k)->(n,k)>,
                                   affine_map<(m,n,k)->(m,n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<8x64xf32>, memref<8x64xf32>)
      outs(%y : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.subf %c, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
