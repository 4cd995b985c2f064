// A row is a mean of values, and stays within them: sums of weights times values
// near the largest number do not overflow before they are divided.

// RUN: split-file %s %t
// RUN: gsa-run %t/f32.mlir --compare | FileCheck %s
// RUN: gsa-run %t/bf16.mlir --compare | FileCheck %s
// RUN: gsa-run %t/f64.mlir --compare | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %t/f32.mlir --target=emu --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t/bf16.mlir --target=emu --compare | FileCheck %s %}
// CHECK: Comparison with the float64 reference: passed

//--- f32.mlir
// Dense and sparse; 40 keys are several blocks, 5 listed ones are one.
func.func @main(%q: tensor<1x40x2x8xf32> {gsa.name = "query"},
                %k: tensor<1x40x1x8xf32> {gsa.name = "key"})
    -> (tensor<1x40x2x8xf32> {gsa.name = "dense"}, tensor<1x2x40xf32> {gsa.name = "dense_lse"},
        tensor<1x40x2x8xf32> {gsa.name = "sparse"}, tensor<1x2x40xf32> {gsa.name = "sparse_lse"}) {
  %v = arith.constant dense<3.0e38> : tensor<1x40x1x8xf32>
  %w = arith.constant dense<-3.0e38> : tensor<1x40x1x8xf32>
  %i = arith.constant dense<[[[0, 3, 7, 20, 39]]]> : tensor<1x1x5xi32>
  %c = arith.constant dense<5> : tensor<1x40xi32>
  %empty = tensor.empty() : tensor<1x40x5xi32>
  %list = linalg.generic {indexing_maps = [affine_map<(b, t, s) -> (b, 0, s)>,
                                           affine_map<(b, t, s) -> (b, t, s)>],
                          iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%i : tensor<1x1x5xi32>) outs(%empty : tensor<1x40x5xi32>) {
    ^bb0(%in: i32, %out: i32):
      linalg.yield %in : i32
  } -> tensor<1x40x5xi32>
  %o, %l = gsa.dense_attention %q, %k, %v
      : (tensor<1x40x2x8xf32>, tensor<1x40x1x8xf32>, tensor<1x40x1x8xf32>)
      -> (tensor<1x40x2x8xf32>, tensor<1x2x40xf32>)
  %p, %m = gsa.gather_attention %q, %k, %w indices %list, %c
      : (tensor<1x40x2x8xf32>, tensor<1x40x1x8xf32>, tensor<1x40x1x8xf32>,
         tensor<1x40x5xi32>, tensor<1x40xi32>)
      -> (tensor<1x40x2x8xf32>, tensor<1x2x40xf32>)
  return %o, %l, %p, %m : tensor<1x40x2x8xf32>, tensor<1x2x40xf32>,
                          tensor<1x40x2x8xf32>, tensor<1x2x40xf32>
}

//--- bf16.mlir
func.func @main(%q: tensor<1x40x2x16xbf16> {gsa.name = "query"},
                %k: tensor<1x40x1x16xbf16> {gsa.name = "key"})
    -> (tensor<1x40x2x16xbf16> {gsa.name = "output"}, tensor<1x2x40xf32> {gsa.name = "lse"}) {
  %v = arith.constant dense<3.3e38> : tensor<1x40x1x16xbf16>
  %o, %l = gsa.dense_attention %q, %k, %v
      : (tensor<1x40x2x16xbf16>, tensor<1x40x1x16xbf16>, tensor<1x40x1x16xbf16>)
      -> (tensor<1x40x2x16xbf16>, tensor<1x2x40xf32>)
  return %o, %l : tensor<1x40x2x16xbf16>, tensor<1x2x40xf32>
}

//--- f64.mlir
// Made small before they are compared.
func.func @main(%q: tensor<1x40x2x8xf64> {gsa.name = "query"},
                %k: tensor<1x40x1x8xf64> {gsa.name = "key"})
    -> (tensor<1x40x2x8xf64> {gsa.name = "output"}, tensor<1x2x40xf64> {gsa.name = "lse"}) {
  %v = arith.constant dense<1.7e308> : tensor<1x40x1x8xf64>
  %o, %l = gsa.dense_attention %q, %k, %v
      : (tensor<1x40x2x8xf64>, tensor<1x40x1x8xf64>, tensor<1x40x1x8xf64>)
      -> (tensor<1x40x2x8xf64>, tensor<1x2x40xf64>)
  %small = arith.constant dense<1.0e-300> : tensor<1x40x2x8xf64>
  %empty = tensor.empty() : tensor<1x40x2x8xf64>
  %p = linalg.mul ins(%o, %small : tensor<1x40x2x8xf64>, tensor<1x40x2x8xf64>)
      outs(%empty : tensor<1x40x2x8xf64>) -> tensor<1x40x2x8xf64>
  return %p, %l : tensor<1x40x2x8xf64>, tensor<1x2x40xf64>
}
