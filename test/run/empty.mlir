// Empty batches and sequences compile and give empty outputs; queries over no
// keys give rows of zeros.

// RUN: gsa-run %s --shape x=1x0x4x16 --shape y=1x0x2x16 --compare | FileCheck %s
// RUN: gsa-run %s --shape x=0x5x4x16 --shape y=0x7x2x16 --compare | FileCheck %s
// RUN: gsa-run %s --shape x=2x0x4x16 --shape y=2x7x2x16 --compare | FileCheck %s
// RUN: gsa-run %s --shape x=2x5x4x16 --shape y=2x0x2x16 --compare | FileCheck %s
// RUN: gsa-run %s --reference --shape x=2x0x4x16 --shape y=2x0x2x16 --compare | FileCheck %s
// RUN: gsa-run %s --reference --shape x=2x5x4x16 --shape y=2x0x2x16 --compare | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %s --target=emu --shape x=2x0x4x16 --shape y=2x0x2x16 --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --target=emu --shape x=0x5x4x16 --shape y=0x7x2x16 --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --target=emu --shape x=2x5x4x16 --shape y=2x0x2x16 --compare | FileCheck %s %}
// CHECK: Comparison with the float64 reference: passed

#token = affine_map<(b, s) -> (b, s)>
func.func @main(
    %x: tensor<?x?x4x16xf32> {gsa.name = "x"}, %y: tensor<?x?x2x16xf32> {gsa.name = "y"},
    %ik: tensor<16x2xf32> {gsa.name = "index_key_of_value"})
    -> (tensor<?x?x4x16xf32> {gsa.name = "output"}, tensor<?x4x?xf32> {gsa.name = "lse"},
        tensor<?x?x3xi32> {gsa.name = "indices"}, tensor<?x?xi32> {gsa.name = "counts"},
        tensor<?x?xi32> {gsa.name = "status"},
        tensor<?x?x4x16xf32> {gsa.name = "dense"}, tensor<?x4x?xf32> {gsa.name = "dense_lse"},
        tensor<?x?x?xf32> {gsa.name = "scores"}, tensor<?x?xf32> {gsa.name = "entropy"},
        tensor<f32> {gsa.name = "mean"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %batch = tensor.dim %x, %c0 : tensor<?x?x4x16xf32>
  %queries = tensor.dim %x, %c1 : tensor<?x?x4x16xf32>
  %keys = tensor.dim %y, %c1 : tensor<?x?x2x16xf32>
  %p = tensor.generate %batch, %queries {
    ^bb0(%b: index, %s: index):
      %i = arith.index_cast %s : index to i64
      tensor.yield %i : i64
  } : tensor<?x?xi64>
  %kp = tensor.generate %batch, %keys {
    ^bb0(%b: index, %s: index):
      %i = arith.index_cast %s : index to i64
      tensor.yield %i : i64
  } : tensor<?x?xi64>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%batch, %keys) : tensor<?x?x16xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  // Head 0 of each key projected: a contraction over no rows.
  %k = linalg.generic {indexing_maps = [affine_map<(b, s, d, h) -> (b, s, h, d)>,
                                        affine_map<(b, s, d, h) -> (d, h)>,
                                        affine_map<(b, s, d, h) -> (b, s, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%y, %ik : tensor<?x?x2x16xf32>, tensor<16x2xf32>) outs(%init : tensor<?x?x16xf32>) {
    ^bb0(%a: f32, %w: f32, %c: f32):
      %m = arith.mulf %a, %w : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
  } -> tensor<?x?x16xf32>
  %r:5 = gsa.attention %x, %y, %y positions %p, %kp index %x, %k
      value_gate %y output_gate %x policy <upstream_variance, base = 2, max = 3>
    : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?xi64>,
       tensor<?x?xi64>, tensor<?x?x4x16xf32>, tensor<?x?x16xf32>, tensor<?x?x2x16xf32>,
       tensor<?x?x4x16xf32>)
    -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>, tensor<?x?x3xi32>, tensor<?x?xi32>,
        tensor<?x?xi32>)
  %o, %l = gsa.dense_attention %x, %y, %y
    : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>)
    -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>)
  %scores = gsa.index_scores %x, %k
    : (tensor<?x?x4x16xf32>, tensor<?x?x16xf32>) -> tensor<?x?x?xf32>
  %entropy, %visible = gsa.row_statistics %scores {statistic = #gsa.statistic<entropy>}
    : (tensor<?x?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi32>)
  %mean = gsa.stat_mean %entropy : (tensor<?x?xf32>) -> tensor<f32>
  return %r#0, %r#1, %r#2, %r#3, %r#4, %o, %l, %scores, %entropy, %mean
    : tensor<?x?x4x16xf32>, tensor<?x4x?xf32>, tensor<?x?x3xi32>, tensor<?x?xi32>,
      tensor<?x?xi32>, tensor<?x?x4x16xf32>, tensor<?x4x?xf32>, tensor<?x?x?xf32>,
      tensor<?x?xf32>, tensor<f32>
}
