// The backward function of what stands around attention: a norm with a scale,
// projections with biases, rotation, gates of both kinds, a residual.
// Kernels and products of the vendor's library against the float64 reference.

// RUN: sed 's/TYPE/bf16/g;s/WIDEN/arith.extf %a : bf16 to f32/;s/ROUND/arith.truncf %u : f32 to bf16/' %s | gsa-opt --gsa-differentiate -o %t.bf16.mlir
// RUN: sed 's/TYPE/f32/g;s/WIDEN/arith.mulf %a, %one : f32/;s/ROUND/arith.mulf %u, %one : f32/' %s | gsa-opt --gsa-differentiate -o %t.f32.mlir
// RUN: gsa-run %t.f32.mlir --entry main_backward --seq 45 --compare | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %t.f32.mlir --entry main_backward --seq 45 --target emu --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %t.bf16.mlir --entry main_backward --seq 300 --target emu --compare -q %}
// RUN: %if nvrtc %{ gsa-run %t.bf16.mlir --entry main_backward --seq 4096 --target cuda --arch sm_90a --stop-after=code --dump-dir %t.code -q %}

// CHECK: Comparison with the float64 reference: passed

#x = affine_map<(t, n, m) -> (t, m)>
#w = affine_map<(t, n, m) -> (n, m)>
#y = affine_map<(t, n, m) -> (t, n)>
#all = affine_map<(t, i) -> (t, i)>
#token = affine_map<(t, i) -> (t)>
#column = affine_map<(t, i) -> (i)>

func.func @main(%x: tensor<1x?x24xTYPE> {gsa.name = "x"},
                %scale: tensor<24xf32> {gsa.name = "scale"},
                %wv: tensor<32x24xTYPE> {gsa.name = "value_weight"},
                %wg: tensor<32x24xTYPE> {gsa.name = "gate_weight"},
                %bg: tensor<32xTYPE> {gsa.name = "gate_bias"},
                %wh: tensor<4x24xTYPE> {gsa.name = "head_weight"},
                %bh: tensor<4xTYPE> {gsa.name = "head_bias"},
                %wo: tensor<24x32xTYPE> {gsa.name = "output_weight"},
                %p: tensor<1x?xi64> {gsa.name = "positions"})
    -> (tensor<1x?x24xTYPE> {gsa.name = "output"}) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %zero16 = arith.constant 0.0 : TYPE
  %size = arith.constant 24.0 : f32
  %tiny = arith.constant 1.0e-6 : f32
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<1x?x24xTYPE>
  %flat = tensor.collapse_shape %x [[0, 1], [2]]
      : tensor<1x?x24xTYPE> into tensor<?x24xTYPE>

  // x / rms(x) * scale
  %tokens = tensor.empty(%n) : tensor<?xf32>
  %token_zeros = linalg.fill ins(%zero : f32) outs(%tokens : tensor<?xf32>)
      -> tensor<?xf32>
  %squares = linalg.generic {indexing_maps = [#all, #token],
      iterator_types = ["parallel", "reduction"]}
      ins(%flat : tensor<?x24xTYPE>) outs(%token_zeros : tensor<?xf32>) {
  ^bb0(%a: TYPE, %sum: f32):
    %v = WIDEN
    %q = arith.mulf %v, %v : f32
    %s = arith.addf %sum, %q : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %room = tensor.empty(%n) : tensor<?x24xTYPE>
  %normed = linalg.generic {indexing_maps = [#all, #token, #column, #all],
      iterator_types = ["parallel", "parallel"]}
      ins(%flat, %squares, %scale : tensor<?x24xTYPE>, tensor<?xf32>, tensor<24xf32>)
      outs(%room : tensor<?x24xTYPE>) {
  ^bb0(%a: TYPE, %b: f32, %c: f32, %old: TYPE):
    %v = WIDEN
    %m = arith.divf %b, %size : f32
    %e = arith.addf %m, %tiny : f32
    %r = math.rsqrt %e : f32
    %d = arith.mulf %v, %r : f32
    %u = arith.mulf %d, %c : f32
    %o = ROUND
    linalg.yield %o : TYPE
  } -> tensor<?x24xTYPE>

  %wide = tensor.empty(%n) : tensor<?x32xTYPE>
  %wide_zeros = linalg.fill ins(%zero16 : TYPE) outs(%wide : tensor<?x32xTYPE>)
      -> tensor<?x32xTYPE>
  %value = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%normed, %wv : tensor<?x24xTYPE>, tensor<32x24xTYPE>)
      outs(%wide_zeros : tensor<?x32xTYPE>) -> tensor<?x32xTYPE>
  %gate_bias = linalg.broadcast ins(%bg : tensor<32xTYPE>)
      outs(%wide : tensor<?x32xTYPE>) dimensions = [0]
  %gate = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%normed, %wg : tensor<?x24xTYPE>, tensor<32x24xTYPE>)
      outs(%gate_bias : tensor<?x32xTYPE>) -> tensor<?x32xTYPE>
  %narrow = tensor.empty(%n) : tensor<?x4xTYPE>
  %head_bias = linalg.broadcast ins(%bh : tensor<4xTYPE>)
      outs(%narrow : tensor<?x4xTYPE>) dimensions = [0]
  %head = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%normed, %wh : tensor<?x24xTYPE>, tensor<4x24xTYPE>)
      outs(%head_bias : tensor<?x4xTYPE>) -> tensor<?x4xTYPE>

  %v4 = tensor.expand_shape %value [[0, 1], [2, 3]] output_shape [1, %n, 4, 8]
      : tensor<?x32xTYPE> into tensor<1x?x4x8xTYPE>
  %g4 = tensor.expand_shape %gate [[0, 1], [2, 3]] output_shape [1, %n, 4, 8]
      : tensor<?x32xTYPE> into tensor<1x?x4x8xTYPE>
  %h3 = tensor.expand_shape %head [[0, 1], [2]] output_shape [1, %n, 4]
      : tensor<?x4xTYPE> into tensor<1x?x4xTYPE>
  %gated = gsa.gate %v4, %g4 {activation = #gsa.gate_activation<silu>}
      : (tensor<1x?x4x8xTYPE>, tensor<1x?x4x8xTYPE>) -> tensor<1x?x4x8xTYPE>
  %turned = gsa.rope %gated, %p
      : (tensor<1x?x4x8xTYPE>, tensor<1x?xi64>) -> tensor<1x?x4x8xTYPE>
  %twice = gsa.gate %turned, %h3
      : (tensor<1x?x4x8xTYPE>, tensor<1x?x4xTYPE>) -> tensor<1x?x4x8xTYPE>
  %joined = tensor.collapse_shape %twice [[0, 1], [2, 3]]
      : tensor<1x?x4x8xTYPE> into tensor<?x32xTYPE>
  %out = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%joined, %wo : tensor<?x32xTYPE>, tensor<24x32xTYPE>)
      outs(%flat : tensor<?x24xTYPE>) -> tensor<?x24xTYPE>
  %result = tensor.expand_shape %out [[0, 1], [2]] output_shape [1, %n, 24]
      : tensor<?x24xTYPE> into tensor<1x?x24xTYPE>
  return %result : tensor<1x?x24xTYPE>
}
