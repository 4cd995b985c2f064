// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

func.func @f64(%x: tensor<4x16xf64>, %w: tensor<16x8xf64>) -> tensor<4x8xf64> {
  %e = tensor.empty() : tensor<4x8xf64>
  // expected-error @+1 {{has no lowering to a product on this target: expected operands of one element type f16, bf16 or f32 and a result of it or f32, got 'f64', 'f64' and 'f64'}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x16xf64>, tensor<16x8xf64>)
      outs(%e : tensor<4x8xf64>) -> tensor<4x8xf64>
  return %0 : tensor<4x8xf64>
}

// -----

// Heads between the rows and the depth.
func.func @interleaved(%x: tensor<4x2x16xf32>, %w: tensor<2x16x8xf32>)
    -> tensor<2x4x8xf32> {
  %e = tensor.empty() : tensor<2x4x8xf32>
  // expected-error @+1 {{operand 0 is no batch of matrices: expected its dimensions as batch, then those of the result, then those of the sum, or with the last two exchanged, each in one order in all operands}}
  %0 = linalg.contract indexing_maps = [
      affine_map<(h, m, n, k) -> (m, h, k)>,
      affine_map<(h, m, n, k) -> (h, k, n)>,
      affine_map<(h, m, n, k) -> (h, m, n)>]
      ins(%x, %w : tensor<4x2x16xf32>, tensor<2x16x8xf32>)
      outs(%e : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return %0 : tensor<2x4x8xf32>
}

// -----

func.func @body(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // expected-error @+1 {{expected a sum of products of floats, got arith.negf in the body}}
  %0 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                       affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>)
      outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %n = arith.negf %a : f32
    %p = arith.mulf %n, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @repeated(%x: tensor<16xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // expected-error @+1 {{repeats its result along loop 0; expected each dimension of the result in an operand}}
  %0 = linalg.contract indexing_maps = [
      affine_map<(m, n, k) -> (k)>,
      affine_map<(m, n, k) -> (k, n)>,
      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : tensor<16xf32>, tensor<16x8xf32>)
      outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @sum_of_left(%x: tensor<4x16x3xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // expected-error @+1 {{sums over loop 3, which indexes only one operand}}
  %0 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k, l) -> (m, k, l)>, affine_map<(m, n, k, l) -> (k, n)>, affine_map<(m, n, k, l) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<4x16x3xf32>, tensor<16x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @sum_of_right(%x: tensor<4x16xf32>, %w: tensor<16x3x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // expected-error @+1 {{sums over loop 3, which indexes only one operand}}
  %0 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k, l) -> (m, k)>, affine_map<(m, n, k, l) -> (k, l, n)>, affine_map<(m, n, k, l) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<4x16xf32>, tensor<16x3x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @batch_between(%x: tensor<2x4x16xf32>, %w: tensor<2x16x8xf32>) -> tensor<4x2x8xf32> {
  %e = tensor.empty() : tensor<4x2x8xf32>
  // expected-error @+1 {{result is no batch of matrices: expected its dimensions as batch, then those of one operand, then those of the other}}
  %0 = linalg.contract indexing_maps = [
      affine_map<(m, h, n, k) -> (h, m, k)>,
      affine_map<(m, h, n, k) -> (h, k, n)>,
      affine_map<(m, h, n, k) -> (m, h, n)>]
      ins(%x, %w : tensor<2x4x16xf32>, tensor<2x16x8xf32>)
      outs(%e : tensor<4x2x8xf32>) -> tensor<4x2x8xf32>
  return %0 : tensor<4x2x8xf32>
}

// -----

func.func @no_products(%x: tensor<4x0xf32>, %w: tensor<0x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  // expected-error @+1 {{expected a sum over at least one product}}
  %0 = linalg.contract indexing_maps = [
      affine_map<(m, n, k) -> (m, k)>,
      affine_map<(m, n, k) -> (k, n)>,
      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : tensor<4x0xf32>, tensor<0x8xf32>)
      outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @buffers(%x: memref<4x16xf32>, %w: memref<16x8xf32>, %o: memref<4x8xf32>) {
  // expected-error @+1 {{expected operands on tensors}}
  linalg.matmul ins(%x, %w : memref<4x16xf32>, memref<16x8xf32>)
      outs(%o : memref<4x8xf32>)
  return
}

// -----

func.func @dynamic(%x: tensor<?x16xf32>, %w: tensor<16x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @+1 {{cannot be lowered to gsa_tile: expected static shapes, got 'tensor<?x16xf32>' for operand #0; gsa-specialize-shapes gives an entry's inputs their sizes}}
  %0 = linalg.matmul ins(%x, %w : tensor<?x16xf32>, tensor<16x8xf32>)
      outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
