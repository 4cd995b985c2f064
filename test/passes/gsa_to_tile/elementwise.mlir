// RUN: gsa-opt %s --gsa-to-tile --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --gsa-to-tile --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Loops that are contiguous in all operands are one: no division, and the
// element's number is the address.
// CHECK-LABEL: gsa_tile.kernel @map(
// CHECK-SAME: %[[COUNT:[^:]*]]: i64, %[[X:[^:]*]]: !gsa_tile.global<f32, read>, %[[Y:[^:]*]]: !gsa_tile.global<f32, write>) attributes {{{.*}}warps = 8 : i64}
// CHECK-NEXT: for_each %[[I:.*]] below %[[COUNT]] {
// CHECK-NEXT: %[[V:.*]] = gsa_tile.load %[[X]][%[[I]]]
// CHECK-NEXT: %[[N:.*]] = arith.negf %[[V]]
// CHECK-NEXT: gsa_tile.store %[[N]], %[[Y]][%[[I]]]
// CHECK-NEXT: }
// CHECK-LABEL: func.func @negate(
// CHECK: %[[B:.*]] = memref.alloc() : memref<2x3x5xf32>
// CHECK: gsa_tile.launch @map grid(%{{.*}}) args(%c30_i64, %{{.*}}, %[[B]])
// CHECK: bufferization.to_tensor %[[B]]
// REMARK: [Passed] LoweredToTile {{.*}}Remark=linalg.generic
func.func @negate(%x: tensor<2x3x5xf32>) -> tensor<2x3x5xf32> {
  %e = tensor.empty() : tensor<2x3x5xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(b, s, h) -> (b, s, h)>,
                       affine_map<(b, s, h) -> (b, s, h)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x3x5xf32>) outs(%e : tensor<2x3x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}

// The same op of another shape is the same kernel.
// CHECK-NOT: gsa_tile.kernel
// CHECK-LABEL: func.func @negate_again(
// CHECK: gsa_tile.launch @map grid(%{{.*}}) args(%c77_i64
func.func @negate_again(%x: tensor<7x11xf32>) -> tensor<7x11xf32> {
  %e = tensor.empty() : tensor<7x11xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(b, s) -> (b, s)>,
                       affine_map<(b, s) -> (b, s)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<7x11xf32>) outs(%e : tensor<7x11xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<7x11xf32>
  return %0 : tensor<7x11xf32>
}

// A broadcast operand needs the inner counter; other types than floats.
// CHECK-LABEL: gsa_tile.kernel @broadcast(
// CHECK: %[[H:.*]] = arith.remui %[[I:.*]], %c5_i64
// CHECK: gsa_tile.load %{{.*}}[%[[H]]] : <i32, read>
// CHECK: gsa_tile.store %{{.*}}, %{{.*}}[%[[I]]] : <i32, write>
func.func @broadcast_op(%x: tensor<5xi32>) -> tensor<2x3x5xi32> {
  %e = tensor.empty() : tensor<2x3x5xi32>
  %0 = linalg.broadcast ins(%x : tensor<5xi32>) outs(%e : tensor<2x3x5xi32>)
      dimensions = [0, 1]
  return %0 : tensor<2x3x5xi32>
}

// A transposition writes in order and reads with a stride.
// CHECK-LABEL: gsa_tile.kernel @transpose(
// CHECK: %[[C:.*]] = arith.remui %[[I:.*]], %c4_i64
// CHECK: %[[R:.*]] = arith.divui %[[I]]
// CHECK: %[[S:.*]] = arith.muli %[[C]], %c6_i64
// CHECK: gsa_tile.load %{{.*}}
// CHECK: gsa_tile.store %{{.*}}, %{{.*}}[%[[I]]]
func.func @transpose_op(%x: tensor<4x6xf16>) -> tensor<6x4xf16> {
  %e = tensor.empty() : tensor<6x4xf16>
  %0 = linalg.transpose ins(%x : tensor<4x6xf16>) outs(%e : tensor<6x4xf16>)
      permutation = [1, 0]
  return %0 : tensor<6x4xf16>
}

// A loop whose number the body uses is not merged.
// CHECK-LABEL: gsa_tile.kernel @map_0(
// CHECK: %[[S:.*]] = arith.remui %{{.*}}, %c7_i64
// CHECK: arith.index_cast %[[S]] : i64 to index
// CHECK: gsa_tile.store %{{.*}} : <i64, write>, i64
func.func @positions() -> tensor<2x7xi64> {
  %e = tensor.empty() : tensor<2x7xi64>
  %0 = linalg.generic {indexing_maps = [affine_map<(b, s) -> (b, s)>],
      iterator_types = ["parallel", "parallel"]} outs(%e : tensor<2x7xi64>) {
  ^bb0(%o: i64):
    %s = linalg.index 1 : index
    %p = arith.index_cast %s : index to i64
    linalg.yield %p : i64
  } -> tensor<2x7xi64>
  return %0 : tensor<2x7xi64>
}

// A slice with gaps is read in place, at its offset and stride: no copy. A
// scalar of a tensor is read by every lane, one of the host is an argument.
// CHECK-LABEL: gsa_tile.kernel @map_1(
// CHECK-SAME: f64, write>, %[[S:[^:]*]]: f64
// CHECK: gsa_tile.load %{{.*}}[%c0_i64] : <f64, read>
// CHECK: for_each
// CHECK: arith.muli %{{.*}}, %c2_i64
// CHECK: arith.addi %{{.*}}, %c1_i64
// CHECK-LABEL: func.func @slice_and_scalars(
// CHECK-NOT: memref.copy
// CHECK: gsa_tile.launch @map_1
func.func @slice_and_scalars(%x: tensor<12xf64>, %t: tensor<f64>, %s: f64)
    -> tensor<6xf64> {
  %half = tensor.extract_slice %x[1] [6] [2] : tensor<12xf64> to tensor<6xf64>
  %scale = tensor.extract %t[] : tensor<f64>
  %e = tensor.empty() : tensor<6xf64>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%half : tensor<6xf64>) outs(%e : tensor<6xf64>) {
  ^bb0(%a: f64, %o: f64):
    %m = arith.mulf %a, %scale : f64
    %n = arith.addf %m, %s : f64
    linalg.yield %n : f64
  } -> tensor<6xf64>
  return %0 : tensor<6xf64>
}

// Insertion into a tensor that others read: a copy, then the part.
// CHECK-LABEL: func.func @insert(
// CHECK: %[[OLD:.*]] = bufferization.to_buffer %{{.*}} read_only : tensor<4x6xf32>
// CHECK: memref.copy %[[OLD]], %[[NEW:.*]] : memref<4x6xf32>
// CHECK: gsa_tile.launch @copy grid(%{{.*}}) args(%c12_i64, %{{.*}}, %[[NEW]])
// CHECK-NOT: tensor.insert_slice
func.func @insert(%x: tensor<4x3xf32>, %d: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = tensor.insert_slice %x into %d[0, 2] [4, 3] [1, 1]
      : tensor<4x3xf32> into tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// A slice with gaps that leaves the function is copied by a kernel.
// CHECK-LABEL: func.func @returned_slice(
// CHECK: gsa_tile.launch @copy
// CHECK-NOT: tensor.extract_slice
func.func @returned_slice(%x: tensor<4x6xf32>) -> tensor<4x3xf32> {
  %0 = tensor.extract_slice %x[0, 1] [4, 3] [1, 2]
      : tensor<4x6xf32> to tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// Nothing to do for an empty tensor.
// CHECK-LABEL: func.func @empty(
// CHECK-NOT: gsa_tile.launch
// CHECK: return
func.func @empty(%x: tensor<0x4xf32>) -> tensor<0x4xf32> {
  %e = tensor.empty() : tensor<0x4xf32>
  %0 = linalg.copy ins(%x : tensor<0x4xf32>) outs(%e : tensor<0x4xf32>)
      -> tensor<0x4xf32>
  return %0 : tensor<0x4xf32>
}
