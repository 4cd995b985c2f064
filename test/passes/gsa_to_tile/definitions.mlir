// RUN: gsa-opt %s --gsa-to-tile --verify-roundtrip | FileCheck %s
// RUN: not gsa-opt %s --gsa-to-tile=arch=sm_70 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: error: gsa-to-tile: architecture: expected one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120, got 'sm_70'; did you mean 'sm_80'?
// ARCH-NOT: see current operation

// Angles in f64, once for all heads; then each pair once. Elements beyond the
// rotary dimension are copied.
// CHECK-LABEL: gsa_tile.kernel @rope_angles(
// CHECK: math.cos %{{.*}} : f64
// CHECK: math.sin %{{.*}} : f64
// CHECK-LABEL: gsa_tile.kernel @rope(
// CHECK-LABEL: func.func @rotate(
// CHECK: gsa_tile.launch @rope_angles {{.*}} memref<1x3xi64>, memref<2xf64>, memref<3x2xf32>, memref<3x2xf32>, i64
// CHECK: memref.copy
// CHECK: gsa_tile.launch @rope grid
func.func @rotate(%x: tensor<1x3x2x8xbf16>, %p: tensor<1x3xi64>)
    -> tensor<1x3x2x8xbf16> {
  %0 = gsa.rope %x, %p {rotary_dim = 4 : i64}
    : (tensor<1x3x2x8xbf16>, tensor<1x3xi64>) -> tensor<1x3x2x8xbf16>
  return %0 : tensor<1x3x2x8xbf16>
}

// One block, f64 sums, a fixed order.
// CHECK-LABEL: gsa_tile.kernel @stat_mean(
// CHECK: gsa_tile.finite_row %[[LANES:.*]], %{{.*}} step 256 : <2xf64>, <f32, read>
// CHECK: gsa_tile.store_totals %[[LANES]] to %[[SUMS:.*]][%{{.*}}]
// CHECK-NEXT: gsa_tile.sync <0, 32>
// CHECK: gsa_tile.sum_rows %[[SUMS]]
// CHECK: arith.select
// CHECK: gsa_tile.store {{.*}} : <f32, write>, index
func.func @mean(%x: tensor<2x3xf32>) -> tensor<f32> {
  %0 = gsa.stat_mean %x : (tensor<2x3xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @budget(
// CHECK: gsa_tile.launch @map
func.func @budget(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>, %m: tensor<f32>)
    -> tensor<2x3xi32> {
  %0 = gsa.adaptive_k %n statistic %v normaliser %m
      policy <upstream_variance, base = 8, min = 2, max = 16>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// One logit per head.
// CHECK-LABEL: func.func @gate(
// CHECK: gsa_tile.launch @map{{.*}} memref<1x3x2x8xbf16>, memref<1x3x2xf32>, memref<1x3x2x8xbf16>
func.func @gate(%x: tensor<1x3x2x8xbf16>, %l: tensor<1x3x2xf32>)
    -> tensor<1x3x2x8xbf16> {
  %0 = gsa.gate %x, %l
    : (tensor<1x3x2x8xbf16>, tensor<1x3x2xf32>) -> tensor<1x3x2x8xbf16>
  return %0 : tensor<1x3x2x8xbf16>
}
