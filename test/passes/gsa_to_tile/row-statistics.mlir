// gsa.row_statistics: a block per row, sums in f64 in a fixed order.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile --canonicalize --cse | FileCheck %s

// Mean first, then centred squares; cells that are not visible add mean^2.

// CHECK-LABEL: gsa_tile.kernel @row_statistics
// CHECK: gsa_tile.scan_row
// CHECK: gsa_tile.sum_row
// CHECK: gsa_tile.store_totals {{.*}} to <2x1xf64, linear>
// CHECK: gsa_tile.sync <0, 2>
// CHECK: %[[SUM:.*]] = gsa_tile.sum_rows
// CHECK: %[[MEAN:.*]] = arith.divf %[[SUM]]
// CHECK: gsa_tile.squares_row {{.*}} mean %[[MEAN]]
// CHECK: arith.mulf %[[MEAN]], %[[MEAN]] : f64
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @main(%s: tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>) {
  %v, %n = gsa.row_statistics %s {
      population = #gsa.population<zero_filled>, correction = 1 : i64,
      gsa.schedule = #gsa.topk_schedule<warps = 2, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return %v, %n : tensor<2x3xf32>, tensor<2x3xi32>
}

// -----

// CHECK-LABEL: gsa_tile.kernel @row_statistics
// CHECK: gsa_tile.exp_row
// CHECK: gsa_tile.entropy_row
func.func @main(%s: tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>) {
  %v, %n = gsa.row_statistics %s {
      statistic = #gsa.statistic<entropy>,
      gsa.schedule = #gsa.topk_schedule<warps = 2, bins = 256, capacity = 64,
                                        chunk = 2>}
      : (tensor<2x3x77xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return %v, %n : tensor<2x3xf32>, tensor<2x3xi32>
}
