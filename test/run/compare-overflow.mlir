// Right selections whose scores leave the range of the type that they are held
// in pass: there they are infinite and tie, while float64 still tells them
// apart. The same holds for what scores and budgets are computed from.

// RUN: split-file %s %t
// RUN: gsa-run %t/scores.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/scores.mlir --reference --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/dot-products.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/heads.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/operands.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/topk.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/variance.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/unfused.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/sums.mlir --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: gsa-run %t/sums.mlir --reference --compare | FileCheck %s --check-prefixes=PASSED,SAME
// RUN: %if host-cxx %{ gsa-run %t/scores.mlir --target=emu --compare | FileCheck %s --check-prefixes=PASSED,SAME %}
// RUN: %if host-cxx %{ gsa-run %t/sums.mlir --target=emu --compare | FileCheck %s --check-prefixes=PASSED,SAME %}
// PASSED: Comparison with the float64 reference: passed
// SAME: selection indices: [[ROWS:[0-9]+]] rows, [[ROWS]] identical

//--- scores.mlir
// Ten times 3e38 times the key: keys 2 to 5 are equal in f32, and key 0 is
// infinitely small, which hides it.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x1x3xi32> {gsa.name = "indices"}, tensor<1x1xi32> {gsa.name = "counts"},
        tensor<1x1x7xi32> {gsa.name = "all"}, tensor<1x1xi32> {gsa.name = "all_counts"}) {
  %q = arith.constant dense<3.0e38> : tensor<1x1x1x1xf32>
  %k = arith.constant dense<[[[-3.0], [0.1], [2.0], [3.0], [4.0], [6.0], [-0.1]]]>
      : tensor<1x7x1xf32>
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 3>
      {mask = #gsa.mask<none>, scale = 10.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x1x1x1xf32>, tensor<1x7x1xf32>)
      -> (tensor<1x1x3xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  %j, %d, %r = gsa.select %q, %k policy <fixed, base = 7>
      {mask = #gsa.mask<none>, scale = 10.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x1x1x1xf32>, tensor<1x7x1xf32>)
      -> (tensor<1x1x7xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c, %j, %d : tensor<1x1x3xi32>, tensor<1x1xi32>, tensor<1x1x7xi32>, tensor<1x1xi32>
}

//--- dot-products.mlir
// The scale comes after the dot product, and a sigmoid after it: 1 for all.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x1x2xi32> {gsa.name = "indices"}, tensor<1x1xi32> {gsa.name = "counts"}) {
  %q = arith.constant dense<3.0e38> : tensor<1x1x1x1xf32>
  %k = arith.constant dense<[[[2.0], [3.0], [4.0], [6.0]]]> : tensor<1x4x1xf32>
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 2>
      {mask = #gsa.mask<none>, scale = 1.0e-39 : f64}
      : (tensor<1x1x1x1xf32>, tensor<1x4x1xf32>)
      -> (tensor<1x1x2xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c : tensor<1x1x2xi32>, tensor<1x1xi32>
}

//--- heads.mlir
// The heads of keys 0 and 1 are infinities of both signs, whose sum is no
// number: counted, and not selected.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x1x3xi32> {gsa.name = "indices"}, tensor<1x1xi32> {gsa.name = "counts"},
        tensor<1x1xi32> {gsa.name = "status"}) {
  %q = arith.constant dense<[[[[3.0e38], [-2.0e38]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[4.0], [6.0], [1.0], [0.5]]]> : tensor<1x4x1xf32>
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 3>
      {mask = #gsa.mask<none>, scale = 1.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x1x2x1xf32>, tensor<1x4x1xf32>)
      -> (tensor<1x1x3xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c, %s : tensor<1x1x3xi32>, tensor<1x1xi32>, tensor<1x1xi32>
}

//--- operands.mlir
// Keys that f16 cannot hold are computed before.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x1x2xi32> {gsa.name = "indices"}, tensor<1x1xi32> {gsa.name = "counts"}) {
  %q = arith.constant dense<1.0> : tensor<1x1x1x1xf16>
  %a = arith.constant dense<[[[2.0], [300.0], [400.0], [500.0]]]> : tensor<1x4x1xf16>
  %b = tensor.empty() : tensor<1x4x1xf16>
  %k = linalg.mul ins(%a, %a : tensor<1x4x1xf16>, tensor<1x4x1xf16>)
      outs(%b : tensor<1x4x1xf16>) -> tensor<1x4x1xf16>
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 2>
      {mask = #gsa.mask<none>, scale = 1.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x1x1x1xf16>, tensor<1x4x1xf16>)
      -> (tensor<1x1x2xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c : tensor<1x1x2xi32>, tensor<1x1xi32>
}

//--- topk.mlir
// Scores that do not come from gsa.index_scores.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x1x2xi32> {gsa.name = "indices"}, tensor<1x1xi32> {gsa.name = "counts"}) {
  %a = arith.constant dense<[[[2.0, 3.0e30, 4.0e30, 5.0e30]]]> : tensor<1x1x4xf32>
  %b = tensor.empty() : tensor<1x1x4xf32>
  %scores = linalg.mul ins(%a, %a : tensor<1x1x4xf32>, tensor<1x1x4xf32>)
      outs(%b : tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %two = arith.constant dense<2> : tensor<1x1xi32>
  %i, %c, %s = gsa.topk %scores, %two slots 2
      : (tensor<1x1x4xf32>, tensor<1x1xi32>)
      -> (tensor<1x1x2xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c : tensor<1x1x2xi32>, tensor<1x1xi32>
}

//--- variance.mlir
// Scores around 1e20 have a variance that f32 cannot hold. It is infinite, and
// left out of the mean of all.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x2x6xi32> {gsa.name = "indices"}, tensor<1x2xi32> {gsa.name = "counts"}) {
  %q = arith.constant dense<1.0e20> : tensor<1x2x1x1xf32>
  %k = arith.constant dense<[[[1.0], [3.0], [-2.0], [5.0], [4.0], [-6.0]]]>
      : tensor<1x6x1xf32>
  %i, %c, %s = gsa.select %q, %k policy <upstream_variance, base = 4, min = 1, max = 6>
      {mask = #gsa.mask<none>, scale = 1.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x2x1x1xf32>, tensor<1x6x1xf32>)
      -> (tensor<1x2x6xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  return %i, %c : tensor<1x2x6xi32>, tensor<1x2xi32>
}

//--- unfused.mlir
// The same from single ops; their own results are right as well.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x2x6xi32> {gsa.name = "indices"}, tensor<1x2xi32> {gsa.name = "counts"},
        tensor<1x2xf32> {gsa.name = "variance"}, tensor<f32> {gsa.name = "mean"}) {
  %q = arith.constant dense<1.0e20> : tensor<1x2x1x1xf32>
  %k = arith.constant dense<[[[1.0], [3.0], [-2.0], [5.0], [4.0], [-6.0]]]>
      : tensor<1x6x1xf32>
  %scores = gsa.index_scores %q, %k
      {mask = #gsa.mask<none>, scale = 1.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x2x1x1xf32>, tensor<1x6x1xf32>) -> tensor<1x2x6xf32>
  %v, %n = gsa.row_statistics %scores {population = #gsa.population<zero_filled>, correction = 1 : i64}
      : (tensor<1x2x6xf32>) -> (tensor<1x2xf32>, tensor<1x2xi32>)
  %mean = gsa.stat_mean %v : (tensor<1x2xf32>) -> tensor<f32>
  %b = gsa.adaptive_k %n statistic %v normaliser %mean
      policy <upstream_variance, base = 4, min = 1, max = 6>
      : (tensor<1x2xi32>, tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xi32>
  %i, %c, %s = gsa.topk %scores, %b slots 6
      : (tensor<1x2x6xf32>, tensor<1x2xi32>)
      -> (tensor<1x2x6xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  return %i, %c, %v, %mean : tensor<1x2x6xi32>, tensor<1x2xi32>, tensor<1x2xf32>, tensor<f32>
}

//--- sums.mlir
// The sum of equal scores overflows in f32 and not in f64, in which they are
// added up: their variance is 0.
func.func @main(%x: tensor<1x1x1x1xf32> {gsa.name = "unit"})
    -> (tensor<1x2x5xi32> {gsa.name = "indices"}, tensor<1x2xi32> {gsa.name = "counts"}) {
  %q = arith.constant dense<3.0e38> : tensor<1x2x1x1xf32>
  %k = arith.constant dense<1.0> : tensor<1x6x1xf32>
  %i, %c, %s = gsa.select %q, %k policy <orth, base = 2, min = 1, max = 5>
      {mask = #gsa.mask<none>, scale = 1.0 : f64, score_activation = #gsa.score_activation<identity>}
      : (tensor<1x2x1x1xf32>, tensor<1x6x1xf32>)
      -> (tensor<1x2x5xi32>, tensor<1x2xi32>, tensor<1x2xi32>)
  return %i, %c : tensor<1x2x5xi32>, tensor<1x2xi32>
}
