// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-tile

#v = affine_map<(i) -> (i)>
func.func @element_type(%x: tensor<4xi1>) -> tensor<4xi1> {
  %e = tensor.empty() : tensor<4xi1>
  // expected-error @+1 {{operand 0: expected elements of f16, bf16, f32, f64, i8, i32 or i64, got 'i1'}}
  %0 = linalg.copy ins(%x : tensor<4xi1>) outs(%e : tensor<4xi1>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// -----

#v = affine_map<(i) -> (i)>
func.func private @f(f32) -> f32
func.func @body(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{has a body without a lowering to a kernel: expected ops of arith, math and scf, linalg.index and tensor.extract, got func.call}}
  %0 = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = func.call @f(%a) : (f32) -> f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @reduction(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{has no lowering to gsa_tile: expected an op without a reduction, a batch of matrix products, one result that is a sum of floats, or an op of the gsa dialect}}
  %0 = linalg.reduce {arith.maximumf} ins(%x : tensor<4x3xf32>)
      outs(%e : tensor<4xf32>) dimensions = [1]
  return %0 : tensor<4xf32>
}

// -----

func.func @scalar_type(%x: tensor<4xbf16>, %s: bf16) -> tensor<4xbf16> {
  %e = tensor.empty() : tensor<4xbf16>
  // expected-error @+1 {{uses a scalar from outside: expected index, i32, i64, f32 or f64, got 'bf16'}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%x : tensor<4xbf16>) outs(%e : tensor<4xbf16>) {
  ^bb0(%a: bf16, %o: bf16):
    %n = arith.addf %a, %s : bf16
    linalg.yield %n : bf16
  } -> tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// -----

func.func @halved(%x: tensor<4xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @+1 {{expected indexing maps that are linear}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i floordiv 2)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

func.func @repeated(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{operand 1: expected an output that depends on every loop}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x3xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @read(%x: tensor<4xf32>, %t: tensor<4xi1>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{reads a tensor in its body: expected a static shape and elements of f16, bf16, f32, f64, i8, i32 or i64, got 'tensor<4xi1>'}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %i = linalg.index 0 : index
    %s = tensor.extract %t[%i] : tensor<4xi1>
    %n = arith.uitofp %s : i1 to f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @buffers(%x: memref<4xf32>, %o: memref<4xf32>) {
  // expected-error @+1 {{expected operands on tensors}}
  linalg.copy ins(%x : memref<4xf32>) outs(%o : memref<4xf32>)
  return
}

// -----

func.func @sum_of_buffers(%x: memref<4x3xf32>, %o: memref<4xf32>) {
  // expected-error @+1 {{expected operands on tensors}}
  linalg.reduce {arith.addf} ins(%x : memref<4x3xf32>) outs(%o : memref<4xf32>)
      dimensions = [1]
  return
}

// -----

func.func @overlapping_sums(%x: tensor<4x2x3xf32>, %o: tensor<5xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{has no lowering to a sum: expected an element of the result for each iteration of its parallel loops}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>, affine_map<(i, j, k) -> (i + j)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<4x2x3xf32>) outs(%o : tensor<5xf32>) {
  ^bb0(%a: f32, %b: f32):
    %n = arith.addf %a, %b : f32
    linalg.yield %n : f32
  } -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @sum_of_integers(%x: tensor<4x3xi32>, %o: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{has no lowering to gsa_tile: expected an op without a reduction, a batch of matrix products, one result that is a sum of floats, or an op of the gsa dialect}}
  %0 = linalg.reduce {arith.addi} ins(%x : tensor<4x3xi32>) outs(%o : tensor<4xi32>)
      dimensions = [1]
  return %0 : tensor<4xi32>
}

// -----

func.func @offset(%x: tensor<4xf32>, %y: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  // expected-error @+1 {{expected static offsets and strides}}
  %0 = tensor.insert_slice %x into %y[%n] [4] [1] : tensor<4xf32> into tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

func.func @statistics(%x: tensor<1x4xf64>) -> tensor<f64> {
  // expected-error @+1 {{has no lowering to kernels: expected f32, got 'tensor<1x4xf64>'}}
  %0 = gsa.stat_mean %x : (tensor<1x4xf64>) -> tensor<f64>
  return %0 : tensor<f64>
}

// -----

func.func @many_statistics(%x: tensor<1024x4194304xf32>) -> tensor<f32> {
  // expected-error @+1 {{has no lowering to kernels: expected fewer than 2^31 statistics, got 'tensor<1024x4194304xf32>'}}
  %0 = gsa.stat_mean %x : (tensor<1024x4194304xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @rope(%x: tensor<1x2x3x4xf64>, %p: tensor<1x2xi64>) -> tensor<1x2x3x4xf64> {
  // expected-error @+1 {{has no lowering to kernels: expected f16, bf16 or f32, got 'tensor<1x2x3x4xf64>'}}
  %0 = gsa.rope %x, %p : (tensor<1x2x3x4xf64>, tensor<1x2xi64>) -> tensor<1x2x3x4xf64>
  return %0 : tensor<1x2x3x4xf64>
}
