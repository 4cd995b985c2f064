// NaN is reported, concerns the rows that read it, and nothing else: key 2 is
// never selected, the other rows are as if it did not exist.

// RUN: gsa-run %s --seq 5 --compare | FileCheck %s
// CHECK: warning   9 scores are NaN, in 5 rows; those keys are not selected
// CHECK: Comparison with the float64 reference: passed

func.func @main(%q: tensor<1x?x1x4xf32> {gsa.name = "index_query"},
                %k: tensor<1x5x4xf32> {gsa.name = "index_key"})
    -> (tensor<1x?x3xi32> {gsa.name = "indices"},
        tensor<1x?xi32> {gsa.name = "counts"},
        tensor<1x?xi32> {gsa.name = "status"}) {
  %nan = arith.constant 0x7FC00000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // Key 2 has a NaN, and so has query 1.
  %bad_k = tensor.insert %nan into %k[%c0, %c2, %c1] : tensor<1x5x4xf32>
  %bad_q = tensor.insert %nan into %q[%c0, %c1, %c0, %c0]
      : tensor<1x?x1x4xf32>
  %indices, %counts, %status = gsa.select %bad_q, %bad_k
      policy <fixed, base = 3> {mask = #gsa.mask<none>}
      : (tensor<1x?x1x4xf32>, tensor<1x5x4xf32>)
      -> (tensor<1x?x3xi32>, tensor<1x?xi32>, tensor<1x?xi32>)
  return %indices, %counts, %status
      : tensor<1x?x3xi32>, tensor<1x?xi32>, tensor<1x?xi32>
}
