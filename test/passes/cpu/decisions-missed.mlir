// RUN: gsa-opt %s --gsa-cpu-tile-contractions='tasks=3 vector-bits=512' \
// RUN:   --gsa-cpu-vectorize-elementwise --gsa-cpu-distribute-parallel='tasks=3' \
// RUN:   --split-input-file --remarks-filter=gsa.cpu -o /dev/null 2>&1 | FileCheck %s

// Why products, elementwise ops and loops stay as they are: one case for a reason.

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: its operands are no buffers
func.func @contraction_tensors(%x0: tensor<4x8xf32>, %x1: tensor<8x16xf32>, %x2: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,k)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : tensor<4x8xf32>, tensor<8x16xf32>) outs(%x2 : tensor<4x16xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x16xf32>
  return %r : tensor<4x16xf32>
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: an operand is not indexed by plain loops
func.func @contraction_shifted(%x0: memref<12xf32>, %x1: memref<8x16xf32>, %x2: memref<4x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i + k)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : memref<12xf32>, memref<8x16xf32>) outs(%x2 : memref<4x16xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: a loop has a dynamic size
func.func @contraction_dynamic_sum(%x0: memref<4x?xf32>, %x1: memref<?x16xf32>, %x2: memref<4x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,k)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : memref<4x?xf32>, memref<?x16xf32>) outs(%x2 : memref<4x16xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: it is empty
func.func @contraction_empty(%x0: memref<4x0xf32>, %x1: memref<0x16xf32>, %x2: memref<4x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,k)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : memref<4x0xf32>, memref<0x16xf32>) outs(%x2 : memref<4x16xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: it does not accumulate in f32 or f64
func.func @contraction_half(%x0: memref<4x8xf16>, %x1: memref<8x16xf16>, %x2: memref<4x16xf16>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,k)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : memref<4x8xf16>, memref<8x16xf16>) outs(%x2 : memref<4x16xf16>) {
  ^bb0(%a0: f16, %a1: f16, %a2: f16):
    %0 = arith.mulf %a0, %a1 : f16
    %1 = arith.addf %a2, %0 : f16
    linalg.yield %1 : f16
  }
  return
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: its last dimension is a batch
func.func @contraction_batch(%x0: memref<4x8x16xf32>, %x1: memref<8x16xf32>, %x2: memref<4x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,k,j)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : memref<4x8x16xf32>, memref<8x16xf32>) outs(%x2 : memref<4x16xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: its result is not contiguous
func.func @contraction_strided(%x0: memref<4x8xf32>, %x1: memref<8x16xf32>, %x2: memref<4x16xf32, strided<[64, 2]>>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k)->(i,k)>, affine_map<(i,j,k)->(k,j)>, affine_map<(i,j,k)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x0, %x1 : memref<4x8xf32>, memref<8x16xf32>) outs(%x2 : memref<4x16xf32, strided<[64, 2]>>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotTiled {{.*}}not tiled: a loop is used by one operand only
func.func @contraction_one(%x0: memref<4x8x3xf32>, %x1: memref<8x16xf32>, %x2: memref<4x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j,k,l)->(i,k,l)>, affine_map<(i,j,k,l)->(k,j)>, affine_map<(i,j,k,l)->(i,j)>],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x0, %x1 : memref<4x8x3xf32>, memref<8x16xf32>) outs(%x2 : memref<4x16xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.mulf %a0, %a1 : f32
    %1 = arith.addf %a2, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: its operands are no buffers
func.func @elementwise_tensors(%x0: tensor<64xf32>, %x1: tensor<64xf32>) -> tensor<64xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>],
                       iterator_types = ["parallel"]}
      ins(%x0 : tensor<64xf32>) outs(%x1 : tensor<64xf32>) {
  ^bb0(%a0: f32, %a1: f32):
    %0 = arith.negf %a0 : f32
    linalg.yield %0 : f32
  } -> tensor<64xf32>
  return %r : tensor<64xf32>
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: it has no loops
func.func @elementwise_scalar(%x0: memref<f32>, %x1: memref<f32>) {
  linalg.generic {indexing_maps = [affine_map<()->()>, affine_map<()->()>],
                  iterator_types = []}
      ins(%x0 : memref<f32>) outs(%x1 : memref<f32>) {
  ^bb0(%a0: f32, %a1: f32):
    %0 = arith.negf %a0 : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: an operand is not indexed by plain loops
func.func @elementwise_shifted(%x0: memref<65xf32>, %x1: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i)->(i + 1)>, affine_map<(i)->(i)>],
                  iterator_types = ["parallel"]}
      ins(%x0 : memref<65xf32>) outs(%x1 : memref<64xf32>) {
  ^bb0(%a0: f32, %a1: f32):
    %0 = arith.negf %a0 : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: a result is not indexed by every loop
func.func @elementwise_repeated(%x0: memref<4x64xf32>, %x1: memref<4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x0 : memref<4x64xf32>) outs(%x1 : memref<4xf32>) {
  ^bb0(%a0: f32, %a1: f32):
    %0 = arith.negf %a0 : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: its results have different innermost loops
func.func @elementwise_turned(%x0: memref<4x64xf32>, %x1: memref<4x64xf32>, %x2: memref<64x4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(j,i)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x0 : memref<4x64xf32>) outs(%x1, %x2 : memref<4x64xf32>, memref<64x4xf32>) {
  ^bb0(%a0: f32, %a1: f32, %a2: f32):
    %0 = arith.negf %a0 : f32
    linalg.yield %0, %0 : f32, f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: a result is not contiguous
func.func @elementwise_strided(%x0: memref<64xf32>, %x1: memref<64xf32, strided<[2]>>) {
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>],
                  iterator_types = ["parallel"]}
      ins(%x0 : memref<64xf32>) outs(%x1 : memref<64xf32, strided<[2]>>) {
  ^bb0(%a0: f32, %a1: f32):
    %0 = arith.negf %a0 : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: its body is not elementwise
func.func private @f(f32) -> f32
func.func @elementwise_call(%x0: memref<64xf32>, %x1: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>],
                  iterator_types = ["parallel"]}
      ins(%x0 : memref<64xf32>) outs(%x1 : memref<64xf32>) {
  ^bb0(%a0: f32, %a1: f32):
    %0 = func.call @f(%a0) : (f32) -> f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK: remark: [Missed] NotVectorized {{.*}}not vectorised: its body is not scalar
func.func @elementwise_complex(%x0: memref<64xcomplex<f32>>, %x1: memref<64xcomplex<f32>>) {
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>, affine_map<(i)->(i)>],
                  iterator_types = ["parallel"]}
      ins(%x0 : memref<64xcomplex<f32>>) outs(%x1 : memref<64xcomplex<f32>>) {
  ^bb0(%a0: complex<f32>, %a1: complex<f32>):
    linalg.yield %a0 : complex<f32>
  }
  return
}

// -----

// CHECK: remark: [Missed] NotDistributed {{.*}}kept sequential: it has reductions
func.func @loop_reduction(%y: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %f = arith.constant 0.0 : f32
  %s = scf.parallel (%i) = (%c0) to (%c64) step (%c1) init (%f) -> f32 {
    %v = memref.load %y[%i] : memref<64xf32>
    scf.reduce(%v : f32) {
    ^bb0(%a: f32, %b: f32):
      %t = arith.addf %a, %b : f32
      scf.reduce.return %t : f32
    }
  }
  memref.store %s, %y[%c0] : memref<64xf32>
  return
}

// -----

// CHECK: remark: [Missed] NotDistributed {{.*}}kept sequential: its bounds are not constant
func.func @loop_start(%y: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  scf.parallel (%i) = (%n) to (%c64) step (%c1) {
    %v = memref.load %y[%i] : memref<64xf32>
    %w = math.exp %v : f32
    memref.store %w, %y[%i] : memref<64xf32>
  }
  return
}

// -----

// CHECK: remark: [Missed] NotDistributed {{.*}}kept sequential: it has fewer iterations than tasks
func.func @loop_short(%y: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  scf.parallel (%i) = (%c0) to (%c2) step (%c1) {
    %v = memref.load %y[%i] : memref<64xf32>
    %w = math.exp %v : f32
    memref.store %w, %y[%i] : memref<64xf32>
  }
  return
}
