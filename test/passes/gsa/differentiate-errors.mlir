// RUN: gsa-opt %s --gsa-differentiate --split-input-file --verify-diagnostics

// What has no gradient is an error that names it and what to do.

// expected-error @+1 {{gsa-differentiate: option 'function': expected one of other, got 'main'}}
module {
  func.func @other() {
    return
  }
}

// -----

// expected-error @+1 {{gsa-differentiate: the module has a symbol 'main_backward', which the pass wants to make; rename it}}
module {
  func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
    return %x : tensor<2xf32>
  }
  func.func @main_backward() {
    return
  }
}

// -----

// expected-error @+1 {{gsa-differentiate: nothing to differentiate: no result of floats depends on an argument of floats}}
func.func @main(%x: tensor<2xf32>, %n: tensor<2xi32>) -> tensor<2xi32> {
  return %n : tensor<2xi32>
}

// -----

// expected-error @+1 {{gsa-differentiate: expected a function of one block}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  cf.br ^next
^next:
  return %x : tensor<2xf32>
}

// -----

func.func private @callee(%x: tensor<2xf32>) -> tensor<2xf32>
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{'func.call' op has no gradient: inline it first (--inline)}}
  %0 = func.call @callee(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// expected-error @+1 {{gsa-differentiate: @main_backward would have two arguments named 'y_grad'; rename the argument of @main}}
func.func @main(%x: tensor<2xf32> {gsa.name = "y_grad"},
                %z: tensor<2xf32>) -> (tensor<2xf32> {gsa.name = "y"}) {
  %0 = arith.mulf %x, %z : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @main(%q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>)
    -> tensor<1x3x2x4xf32> {
  // expected-error @+1 {{'gsa.partial_attention' op has no gradient: attention in parts is for inference; differentiate gsa.gather_attention or gsa.dense_attention, which it is a part of}}
  %o, %l = gsa.partial_attention %q, %k, %k first 0 size 2
      {mask = #gsa.mask<none>}
      : (tensor<1x3x2x4xf32>, tensor<1x5x1x4xf32>, tensor<1x5x1x4xf32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x2x3xf32>)
  return %o : tensor<1x3x2x4xf32>
}

// -----

func.func @main(%q: tensor<1x3x2x4xf32>, %p: tensor<9x2x1x4xf32>,
                %t: tensor<1x3xi32>) -> tensor<1x3x2x4xf32> {
  // expected-error @+1 {{'gsa.paged_rows' op has no gradient: pages are a cache, which is for inference; give keys and values as tensors}}
  %k = gsa.paged_rows %p, %t
      : (tensor<9x2x1x4xf32>, tensor<1x3xi32>) -> tensor<1x6x1x4xf32>
  %o, %l = gsa.dense_attention %q, %k, %k
      : (tensor<1x3x2x4xf32>, tensor<1x6x1x4xf32>, tensor<1x6x1x4xf32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x2x3xf32>)
  return %o : tensor<1x3x2x4xf32>
}

// -----

func.func @main(%x: tensor<1x3x4xf32>, %c: tensor<1x9x4xf32>,
                %n: tensor<1xi32>) -> tensor<1x9x4xf32> {
  // expected-error @+1 {{'gsa.append_rows' op has no gradient: appending is of a cache, which is for inference; give keys and values as tensors}}
  %0 = gsa.append_rows %x to %c lengths %n
      : (tensor<1x3x4xf32>, tensor<1x9x4xf32>, tensor<1xi32>)
      -> tensor<1x9x4xf32>
  return %0 : tensor<1x9x4xf32>
}

// -----

func.func @main(%x: tensor<1x3x5xf32>) -> tensor<1x3xf32> {
  // expected-error @+1 {{'gsa.row_statistics' op has no gradient: the statistics of a selection choose budgets, which are integers; leave results that depend on it out of 'outputs'}}
  %0:2 = gsa.row_statistics %x : (tensor<1x3x5xf32>) -> (tensor<1x3xf32>, tensor<1x3xi32>)
  return %0#0 : tensor<1x3xf32>
}

// -----

func.func @main(%iq: tensor<1x3x2x4xf32>, %ik: tensor<1x5x4xf32>,
                %q: tensor<1x3x2x4xf32>, %k: tensor<1x5x1x4xf32>,
                %l: tensor<1x2x3xf32>) -> tensor<1x3xf32> {
  %s:3 = gsa.select %iq, %ik policy <fixed, base = 8>
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>)
      -> (tensor<1x3x8xi32>, tensor<1x3xi32>, tensor<1x3xi32>)
  // expected-error @+1 {{'gsa.index_kl' op trains nothing: its lists hold every visible key whatever the scores}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l indices %s#0, %s#1
      : (tensor<1x3x2x4xf32>, tensor<1x5x4xf32>, tensor<1x3x2x4xf32>,
         tensor<1x5x1x4xf32>, tensor<1x2x3xf32>, tensor<1x3x8xi32>,
         tensor<1x3xi32>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// -----

func.func @main(%x: tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32> {
  // expected-error @+1 {{'gsa.gate_grad' op has no gradient: gradients of gradients are not known; leave results that depend on it out of 'outputs'}}
  %0:2 = gsa.gate_grad %x, %x output_grad %x
      : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>)
  return %0#0 : tensor<1x3x2x4xf32>
}

// -----

func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  // expected-error @+1 {{'linalg.softmax' op has no gradient: known are gsa.gather_attention, gsa.dense_attention, gsa.gate, gsa.rope, gsa.index_scores, gsa.index_kl, contractions, elementwise ops and sums of arith, math and linalg, and tensor.expand_shape, collapse_shape and cast; write it by these, or leave results that depend on it out of 'outputs'}}
  %0 = linalg.softmax dimension(1) ins(%x : tensor<4x4xf32>)
      outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

// A region may read what is no operand.
func.func @main(%x: tensor<4xf32>, %c: i1) -> tensor<4xf32> {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @+1 {{'scf.if' op has no gradient: known are}}
  %0 = scf.if %c -> tensor<4xf32> {
    scf.yield %x : tensor<4xf32>
  } else {
    scf.yield %zero : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'math.powf' op has no gradient: known are addf, subf, mulf, divf, negf, extf, truncf, select, maximumf and minimumf of arith, and exp, log, log1p, tanh, sqrt, rsqrt, sin, cos, absf and erf of math; write it by these}}
  %0 = math.powf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} outs(%e : tensor<4xf32>) {
  ^bb0(%old: f32):
    %i = linalg.index 0 : index
    // expected-error @+1 {{'tensor.extract' op has no gradient: it reads a tensor from within a linalg.generic; make it an operand of that}}
    %y = tensor.extract %x[%i] : tensor<4xf32>
    linalg.yield %y : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>, %c: i1) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %old: f32):
    // expected-error @+1 {{'scf.if' op has no gradient within a linalg.generic: expected arithmetic without regions}}
    %y = scf.if %c -> f32 {
      scf.yield %a : f32
    } else {
      %b = arith.addf %a, %a : f32
      scf.yield %b : f32
    }
    linalg.yield %y : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>, %y: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{'linalg.generic' op has no gradient: result 0 reads its output otherwise than to add to it; known are functions of single elements, and sums of them}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]} ins(%x : tensor<4xf32>) outs(%y : tensor<f32>) {
  ^bb0(%a: f32, %old: f32):
    %z = arith.mulf %a, %old : f32
    linalg.yield %z : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @main(%x: tensor<7xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %z = arith.constant dense<0.0> : tensor<3xf32>
  %w = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @+1 {{'linalg.generic' op has no gradient: an operand is read by the map affine_map<(d0, d1) -> (d0 + d1)>, expected a choice of loops}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i + j)>,
        affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%x, %z : tensor<7xf32>, tensor<3xf32>) outs(%w : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %old: f32):
    %s = arith.addf %a, %b : f32
    %t = arith.addf %old, %s : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Every second element.
func.func @main(%x: tensor<4xf32>, %e: tensor<7xf32>) -> tensor<7xf32> {
  // expected-error @+1 {{'linalg.generic' op has no gradient: result 0 is written by the map affine_map<(d0) -> (d0 * 2)>, expected a choice of loops}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (2 * i)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<7xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.mulf %a, %a : f32
    linalg.yield %c : f32
  } -> tensor<7xf32>
  return %0 : tensor<7xf32>
}

// -----

// What would be two results of one name.
// expected-error @+1 {{gsa-differentiate: @main_backward would have two results named 'arg1_grad'; rename the argument of @main}}
func.func @main(%x: tensor<4xf32> {gsa.name = "arg1"}, %y: tensor<4xf32>)
    -> tensor<4xf32> {
  %0 = arith.addf %x, %y : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %old: f32):
    // expected-error @+1 {{'math.sincos' op has no gradient: known are}}
    %s, %c = math.sincos %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// The last element.
func.func @main(%x: tensor<4xf32>) -> tensor<f32> {
  %e = tensor.empty() : tensor<f32>
  // expected-error @+1 {{'linalg.generic' op has no gradient: result 0, written by the map affine_map<(d0) -> ()>, keeps the last of several numbers, expected their sum}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]} ins(%x : tensor<4xf32>) outs(%e : tensor<f32>) {
  ^bb0(%a: f32, %old: f32):
    linalg.yield %a : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// A sum of each element times the largest so far.
func.func @main(%x: tensor<4xf32>, %m: tensor<f32>) -> tensor<f32> {
  %z = arith.constant dense<0.0> : tensor<f32>
  // expected-error @+1 {{'linalg.generic' op has no gradient: a result is computed from output 1; make that an operand, or two ops of this one}}
  %0:2 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>,
        affine_map<(i) -> ()>, affine_map<(i) -> ()>],
      iterator_types = ["reduction"]}
      ins(%x : tensor<4xf32>) outs(%z, %m : tensor<f32>, tensor<f32>) {
  ^bb0(%a: f32, %sum: f32, %most: f32):
    %b = arith.maximumf %a, %most : f32
    %c = arith.mulf %b, %a : f32
    %d = arith.addf %c, %sum : f32
    linalg.yield %d, %b : f32, f32
  } -> (tensor<f32>, tensor<f32>)
  return %0#0 : tensor<f32>
}

// -----

// A number as an operand.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %i = arith.constant 1 : index
  %v = tensor.extract %x[%i] : tensor<4xf32>
  // expected-error @+1 {{'linalg.generic' op has no gradient: operand 1 depends on a differentiated argument, expected a ranked tensor, got 'f32'}}
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%x, %v : tensor<4xf32>, f32) outs(%x : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %old: f32):
    %c = arith.mulf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tensor.cast %x : tensor<4xf32> to tensor<*xf32>
  // expected-error @+1 {{'tensor.cast' op has no gradient: operand 0 depends on a differentiated argument, expected a ranked tensor, got 'tensor<*xf32>'}}
  %1 = tensor.cast %0 : tensor<*xf32> to tensor<4xf32>
  %2 = arith.mulf %1, %x : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// Complex numbers on the way.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %old: f32):
    %b = complex.create %a, %a : complex<f32>
    // expected-error @+1 {{'complex.abs' op has no gradient: known are}}
    %c = complex.abs %b : complex<f32>
    %d = arith.mulf %a, %c : f32
    linalg.yield %d : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
