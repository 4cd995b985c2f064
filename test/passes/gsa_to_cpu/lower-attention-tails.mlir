// Sizes that are no multiple of a vector: partial loads and stores, a tile of
// the heads that are left, a loop over a long D; one task needs no task loop.
//
// RUN: gsa-opt %s --gsa-lower-to-loops | FileCheck %s

// CHECK-LABEL: func.func @tails
// CHECK-NOT: scf.parallel
// CHECK: %[[K:.*]] = bufferization.to_buffer %arg1 read_only
// Three heads out of five, then two, in a loop over D with 12 and 8 sums.
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: vector.constant_mask [3] : vector<8xi1>
// CHECK: vector.maskedload %[[K]]
// CHECK: vector.maskedstore {{.*}}, vector<8xi1>, vector<8xf32>
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
func.func @tails(%q: tensor<2x7x10x267xf32>, %k: tensor<2x9x2x267xf32>,
                 %v: tensor<2x9x2x5xf32>, %i: tensor<2x7x4xi32>,
                 %c: tensor<2x7xi32>)
    -> (tensor<2x7x10x5xf32>, tensor<2x10x7xf32>) {
  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 3,
                                        vectors = 5>}
      : (tensor<2x7x10x267xf32>, tensor<2x9x2x267xf32>, tensor<2x9x2x5xf32>,
         tensor<2x7x4xi32>, tensor<2x7xi32>)
      -> (tensor<2x7x10x5xf32>, tensor<2x10x7xf32>)
  return %o, %l : tensor<2x7x10x5xf32>, tensor<2x10x7xf32>
}
