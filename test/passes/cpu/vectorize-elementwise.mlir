// RUN: gsa-opt %s --gsa-cpu-vectorize-elementwise --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-vectorize-elementwise --split-input-file \
// RUN:   --remarks-filter=gsa.cpu -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// A broadcast operand keeps the loops; 37 = 2 vectors and a tail of 5.
// REMARK: remark: [Passed] Vectorized | Category:gsa.cpu{{.*}}vectorised{{.*}}lanes=16{{.*}}size=37
// CHECK-LABEL: func.func @bias
// CHECK: scf.parallel
// CHECK: scf.for %{{.*}} = %{{.*}} to %c32
// CHECK: vector.load {{.*}} vector<16xbf16>
// CHECK: arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK: math.exp {{.*}} : vector<16xf32>
// CHECK: vector.store
// CHECK: scf.for %{{.*}} = %c32{{.*}} to %c37
// CHECK: math.exp {{.*}} : f32
// CHECK-NOT: linalg
func.func @bias(%x: memref<9x37xbf16>, %bias: memref<37xf32>,
                %y: memref<9x37xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>,
                                   affine_map<(i,j)->(j)>,
                                   affine_map<(i,j)->(i,j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %bias : memref<9x37xbf16>, memref<37xf32>)
      outs(%y : memref<9x37xf32>) {
  ^bb0(%a: bf16, %b: f32, %o: f32):
    %0 = arith.extf %a : bf16 to f32
    %1 = arith.addf %0, %b : f32
    %2 = math.exp %1 : f32
    linalg.yield %2 : f32
  }
  return
}

// -----

// A last dimension of 3 without broadcasts: flattened to 300 elements.
// CHECK-LABEL: func.func @flat
// CHECK: memref.collapse_shape
// CHECK: vector.load {{.*}} vector<8xf64>
func.func @flat(%x: memref<100x3xf64>, %y: memref<100x3xf64>) {
  linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>,
                                   affine_map<(i,j)->(i,j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<100x3xf64>) outs(%y : memref<100x3xf64>) {
  ^bb0(%a: f64, %o: f64):
    %0 = arith.negf %a : f64
    linalg.yield %0 : f64
  }
  return
}

// -----

// Indices become vectors of consecutive values along the innermost loop.
// CHECK-LABEL: func.func @index
// CHECK: vector.step
func.func @index(%y: memref<4x32xi64>) {
  linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>],
                  iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<4x32xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %s = arith.addi %i, %j : index
    %r = arith.index_cast %s : index to i64
    linalg.yield %r : i64
  }
  return
}

// -----

// A body that reads memory is left alone.
// REMARK: remark: [Missed] NotVectorized | Category:gsa.cpu{{.*}}not vectorised: its body is not
// CHECK-LABEL: func.func @gather
// CHECK: linalg.generic
func.func @gather(%t: memref<10xf32>, %x: memref<32xindex>,
                  %y: memref<32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i)->(i)>,
                                   affine_map<(i)->(i)>],
                  iterator_types = ["parallel"]}
      ins(%x : memref<32xindex>) outs(%y : memref<32xf32>) {
  ^bb0(%a: index, %o: f32):
    %0 = memref.load %t[%a] : memref<10xf32>
    linalg.yield %0 : f32
  }
  return
}
