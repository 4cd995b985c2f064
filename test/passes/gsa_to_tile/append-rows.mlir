// A step's rows in caches: an element at a time, under the test that its row has a
// place.
// RUN: gsa-opt %s --split-input-file --gsa-to-tile=arch=sm_90a --canonicalize --cse | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-to-cuda=arch=sm_90a | FileCheck %s --check-prefix=HOST

// CHECK-LABEL: gsa_tile.kernel @append_rows(
// CHECK-SAME: %[[ROWS:.*]]: !gsa_tile.global<bf16, read>, %[[TABLE:.*]]: !gsa_tile.global<i32, read>, %[[LENGTHS:.*]]: !gsa_tile.global<i32, read>, %[[COUNTS:.*]]: !gsa_tile.global<i32, read>, %[[CACHE:.*]]: !gsa_tile.global<bf16, write>
// CHECK: gsa_tile.for_each
// CHECK: gsa_tile.load %[[LENGTHS]]
// CHECK: gsa_tile.load %[[COUNTS]]
// CHECK: scf.if
// CHECK: gsa_tile.load %[[TABLE]]
// CHECK: scf.if
// CHECK: gsa_tile.load %[[ROWS]]
// CHECK: gsa_tile.store %{{.*}}, %[[CACHE]]
// CHECK-LABEL: func.func @pages(
// CHECK: %[[POOL:.*]] = bufferization.to_buffer %{{.*}} : tensor<7x2x16x8xbf16> to memref<7x2x16x8xbf16>
// CHECK: gsa_tile.launch @append_rows{{.*}}%[[POOL]]
// CHECK: bufferization.to_tensor %[[POOL]]

// The argument is copied into the result, and appended to there; where the two are
// one, who runs the copy leaves it out.
// HOST-LABEL: func.func @pages(
// HOST-SAME: %[[POOL:[a-z0-9]+]]: memref<7x2x16x8xbf16> {gsa.name = "pool"}
// HOST-SAME: %[[OUT:[a-z0-9]+]]: memref<7x2x16x8xbf16> {gsa.name = "pool", gsa.updates = "pool"}
// HOST: memref.copy %[[POOL]], %[[OUT]]
// HOST-NOT: memref.copy
// HOST: gsa_tile.launch @append_rows{{.*}}%[[OUT]]
// HOST-NOT: memref.copy
// HOST: return
func.func @pages(%x: tensor<2x3x2x8xbf16>,
                 %p: tensor<7x2x16x8xbf16> {gsa.name = "pool"},
                 %t: tensor<2x4xi32>, %n: tensor<2xi32>, %m: tensor<2xi32>)
    -> (tensor<7x2x16x8xbf16> {gsa.name = "pool", gsa.updates = "pool"}) {
  %0 = gsa.append_rows %x to %p, %t lengths %n counts %m {heads_first}
    : (tensor<2x3x2x8xbf16>, tensor<7x2x16x8xbf16>, tensor<2x4xi32>,
       tensor<2xi32>, tensor<2xi32>) -> tensor<7x2x16x8xbf16>
  return %0 : tensor<7x2x16x8xbf16>
}

// -----

// Rows of sequences; without the attribute the argument stays what it is.
// CHECK-LABEL: gsa_tile.kernel @append_rows(
// CHECK-NOT: i32, read>{{.*}}i32, read>
// CHECK: gsa_tile.for_each
// CHECK: scf.if
// CHECK-NOT: scf.if
// CHECK: gsa_tile.store
// HOST-LABEL: func.func @rows(
// HOST-SAME: %{{[a-z0-9]+}}: memref<2x3x6xf32>{{.*}}, %[[CACHE:[a-z0-9]+]]: memref<2x9x6xf32>{{.*}}, %{{[a-z0-9]+}}: memref<2xi32>{{.*}}, %[[OUT:[a-z0-9]+]]: memref<2x9x6xf32>
// HOST: memref.copy %[[CACHE]], %[[OUT]]
// HOST: gsa_tile.launch @append_rows{{.*}}%[[OUT]]
func.func @rows(%x: tensor<2x3x6xf32>, %c: tensor<2x9x6xf32>,
                %n: tensor<2xi32>) -> tensor<2x9x6xf32> {
  %0 = gsa.append_rows %x to %c lengths %n
    : (tensor<2x3x6xf32>, tensor<2x9x6xf32>, tensor<2xi32>)
    -> tensor<2x9x6xf32>
  return %0 : tensor<2x9x6xf32>
}

// -----

// A slice that is put back where it was taken from is the pool that is written;
// there is no kernel but the two.
// CHECK-LABEL: func.func @side_by_side(
// CHECK: %[[POOL:.*]] = bufferization.to_buffer %{{.*}} : tensor<7x16x2x16xf16>
// CHECK: gsa_tile.launch @append_rows{{.*}}%[[POOL]]
// CHECK-NOT: gsa_tile.launch @copy
// CHECK: gsa_tile.launch @append_rows_{{.*}}%[[POOL]]
// CHECK-NOT: gsa_tile.launch
// CHECK: return
// HOST-LABEL: func.func @side_by_side(
// HOST: memref.copy
// HOST-NOT: memref.copy
// HOST: return
func.func @side_by_side(%k: tensor<2x1x2x8xf16>, %v: tensor<2x1x2x8xf16>,
                        %p: tensor<7x16x2x16xf16> {gsa.name = "pool"},
                        %t: tensor<2x4xi32>, %n: tensor<2xi32>)
    -> (tensor<7x16x2x16xf16> {gsa.updates = "pool"}) {
  %ks = tensor.extract_slice %p[0, 0, 0, 0][7, 16, 2, 8][1, 1, 1, 1]
      : tensor<7x16x2x16xf16> to tensor<7x16x2x8xf16>
  %k1 = gsa.append_rows %k to %ks, %t lengths %n
    : (tensor<2x1x2x8xf16>, tensor<7x16x2x8xf16>, tensor<2x4xi32>,
       tensor<2xi32>) -> tensor<7x16x2x8xf16>
  %p1 = tensor.insert_slice %k1 into %p[0, 0, 0, 0][7, 16, 2, 8][1, 1, 1, 1]
      : tensor<7x16x2x8xf16> into tensor<7x16x2x16xf16>
  %vs = tensor.extract_slice %p1[0, 0, 0, 8][7, 16, 2, 8][1, 1, 1, 1]
      : tensor<7x16x2x16xf16> to tensor<7x16x2x8xf16>
  %v1 = gsa.append_rows %v to %vs, %t lengths %n
    : (tensor<2x1x2x8xf16>, tensor<7x16x2x8xf16>, tensor<2x4xi32>,
       tensor<2xi32>) -> tensor<7x16x2x8xf16>
  %p2 = tensor.insert_slice %v1 into %p1[0, 0, 0, 8][7, 16, 2, 8][1, 1, 1, 1]
      : tensor<7x16x2x8xf16> into tensor<7x16x2x16xf16>
  return %p2 : tensor<7x16x2x16xf16>
}

// -----

// Nothing to append: no kernel.
// CHECK-LABEL: func.func @none(
// CHECK-NOT: gsa_tile.launch
// CHECK: return
// HOST-LABEL: func.func @none(
func.func @none(%x: tensor<2x0x6xf32>, %c: tensor<2x9x6xf32>,
                %n: tensor<2xi32>) -> tensor<2x9x6xf32> {
  %0 = gsa.append_rows %x to %c lengths %n
    : (tensor<2x0x6xf32>, tensor<2x9x6xf32>, tensor<2xi32>)
    -> tensor<2x9x6xf32>
  return %0 : tensor<2x9x6xf32>
}
