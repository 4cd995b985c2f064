// RUN: gsa-opt %s --gsa-cpu-fuse-elementwise | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-fuse-elementwise --remarks-filter=gsa.fuse -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// A chain with one consumer is one op.
// REMARK: remark: [Passed] FusedElementwise | Category:gsa.fuse{{.*}}fused linalg.generic into linalg.generic
// REMARK-NOT: remark:
// CHECK-LABEL: func.func @chain(
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
#id = affine_map<(i, j) -> (i, j)>
func.func @chain(%x: tensor<3x5xf32>, %init: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<3x5xf32>) outs(%init : tensor<3x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %e = math.exp %in : f32
      linalg.yield %e : f32
  } -> tensor<3x5xf32>
  %b = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %x : tensor<3x5xf32>, tensor<3x5xf32>) outs(%init : tensor<3x5xf32>) {
    ^bb0(%in: f32, %other: f32, %out: f32):
      %m = arith.mulf %in, %other : f32
      linalg.yield %m : f32
  } -> tensor<3x5xf32>
  return %b : tensor<3x5xf32>
}

// An exponential that is broadcast would be computed once per use.
// CHECK-LABEL: func.func @broadcast(
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @broadcast(%x: tensor<5xf32>, %y: tensor<3x5xf32>, %row: tensor<5xf32>,
                     %init: tensor<3x5xf32>) -> tensor<3x5xf32> {
  %a = linalg.generic {indexing_maps = [affine_map<(j) -> (j)>, affine_map<(j) -> (j)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<5xf32>) outs(%row : tensor<5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %e = math.exp %in : f32
      linalg.yield %e : f32
  } -> tensor<5xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j)>, #id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a, %y : tensor<5xf32>, tensor<3x5xf32>) outs(%init : tensor<3x5xf32>) {
    ^bb0(%in: f32, %other: f32, %out: f32):
      %m = arith.mulf %in, %other : f32
      linalg.yield %m : f32
  } -> tensor<3x5xf32>
  return %b : tensor<3x5xf32>
}
