// RUN: gsa-opt %s --gsa-to-tile --verify-roundtrip | FileCheck %s

// A projection x W^T that starts from zeros: the zeros are never written.
// CHECK-LABEL: func.func @projection(
// CHECK-NOT: linalg.fill
// CHECK: %[[A:.*]] = memref.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : memref<2x3x16xbf16> into memref<6x16xbf16>
// CHECK: %[[C:.*]] = memref.collapse_shape %{{.*}} : memref<2x3x8xbf16> into memref<6x8xbf16>
// CHECK: gsa_tile.gemm %[[A]], %{{.*}} into %[[C]] {transpose_b = true}
func.func @projection(%x: tensor<2x3x16xbf16>, %w: tensor<8x16xbf16>)
    -> tensor<2x3x8xbf16> {
  %zero = arith.constant 0.0 : bf16
  %e = tensor.empty() : tensor<2x3x8xbf16>
  %i = linalg.fill ins(%zero : bf16) outs(%e : tensor<2x3x8xbf16>)
      -> tensor<2x3x8xbf16>
  %0 = linalg.contract indexing_maps = [
      affine_map<(b, s, n, m) -> (b, s, m)>, affine_map<(b, s, n, m) -> (n, m)>,
      affine_map<(b, s, n, m) -> (b, s, n)>]
      ins(%x, %w : tensor<2x3x16xbf16>, tensor<8x16xbf16>)
      outs(%i : tensor<2x3x8xbf16>) -> tensor<2x3x8xbf16>
  return %0 : tensor<2x3x8xbf16>
}

// A bias is written by a kernel and the product is added to it, in place.
// CHECK-LABEL: func.func @bias(
// CHECK: gsa_tile.launch @broadcast grid(%{{.*}}) args(%{{.*}}, %{{.*}}, %[[BUFFER:.*]]) :
// CHECK: %[[C:.*]] = memref.collapse_shape %[[BUFFER]]
// CHECK: gsa_tile.gemm %{{.*}} into %[[C]] {accumulate = true, transpose_b = true}
func.func @bias(%x: tensor<2x3x16xf32>, %w: tensor<8x16xf32>, %b: tensor<8xf32>)
    -> tensor<2x3x8xf32> {
  %e = tensor.empty() : tensor<2x3x8xf32>
  %i = linalg.broadcast ins(%b : tensor<8xf32>) outs(%e : tensor<2x3x8xf32>)
      dimensions = [0, 1]
  %0 = linalg.contract indexing_maps = [
      affine_map<(b, s, n, m) -> (b, s, m)>, affine_map<(b, s, n, m) -> (n, m)>,
      affine_map<(b, s, n, m) -> (b, s, n)>]
      ins(%x, %w : tensor<2x3x16xf32>, tensor<8x16xf32>)
      outs(%i : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  return %0 : tensor<2x3x8xf32>
}

// A start that somebody else reads is copied.
// CHECK-LABEL: func.func @residual(
// CHECK: %[[OLD:.*]] = bufferization.to_buffer %{{.*}} read_only : tensor<4x8xf32>
// CHECK: memref.copy %[[OLD]], %[[NEW:.*]] : memref<4x8xf32>
// CHECK: gsa_tile.gemm %{{.*}}, %{{.*}} into %[[NEW]] {accumulate = true}
func.func @residual(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>,
                    %r: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>)
      outs(%r : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Batches, and f32 results of f16 operands.
// CHECK-LABEL: func.func @batch(
// CHECK: gsa_tile.gemm %{{.*}} : memref<3x4x16xf16>, memref<3x16x8xf16>, memref<3x4x8xf32>
func.func @batch(%x: tensor<3x4x16xf16>, %w: tensor<3x16x8xf16>)
    -> tensor<3x4x8xf32> {
  %e = tensor.empty() : tensor<3x4x8xf32>
  %0 = linalg.batch_matmul
      ins(%x, %w : tensor<3x4x16xf16>, tensor<3x16x8xf16>)
      outs(%e : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0 : tensor<3x4x8xf32>
}

// Y^T = W X^T: the operands change places.
// CHECK-LABEL: func.func @transposed_result(
// CHECK-SAME: %[[X:[^:]*]]: tensor<4x16xf32>, %[[W:[^:]*]]: tensor<16x8xf32>
// CHECK-DAG: %[[XB:.*]] = bufferization.to_buffer %[[X]]
// CHECK-DAG: %[[WB:.*]] = bufferization.to_buffer %[[W]]
// CHECK: gsa_tile.gemm %[[WB]], %[[XB]] into %{{.*}} {transpose_a = true, transpose_b = true}
func.func @transposed_result(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>)
    -> tensor<8x4xf32> {
  %e = tensor.empty() : tensor<8x4xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(n, m, k) -> (m, k)>,
                       affine_map<(n, m, k) -> (k, n)>,
                       affine_map<(n, m, k) -> (n, m)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>)
      outs(%e : tensor<8x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// A vector is a matrix of one row.
// CHECK-LABEL: func.func @vector(
// CHECK: memref.expand_shape %{{.*}} : memref<16xf32> into memref<16x1xf32>
// CHECK: gsa_tile.gemm
func.func @vector(%w: tensor<8x16xf32>, %x: tensor<16xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.matvec ins(%w, %x : tensor<8x16xf32>, tensor<16xf32>)
      outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// A slice with gaps is copied first.
// CHECK-LABEL: func.func @slice(
// CHECK: gsa_tile.launch @copy
// CHECK: gsa_tile.gemm
func.func @slice(%x: tensor<4x32xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %s = tensor.extract_slice %x[0, 16] [4, 16] [1, 1]
      : tensor<4x32xf32> to tensor<4x16xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.matmul ins(%s, %w : tensor<4x16xf32>, tensor<16x8xf32>)
      outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
