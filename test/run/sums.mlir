// Sums that modules write themselves: of a norm, of the gradients of a bias, a
// scale and a step of all numbers, with a NaN that concerns its own sum.

// RUN: gsa-run %s --batch 7 --compare | FileCheck %s
// RUN: gsa-run %s --batch 300 --compare -q
// RUN: %if host-cxx %{ gsa-run %s --batch 7 --target emu --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --batch 300 --target emu --compare -q %}
// RUN: %if nvrtc %{ gsa-run %s --batch 300 --target cuda --arch sm_90a --stop-after=code --dump-dir %t.code -q %}

// CHECK: Comparison with the float64 reference: passed

#all = affine_map<(t, i) -> (t, i)>
#token = affine_map<(t, i) -> (t)>
#column = affine_map<(t, i) -> (i)>
#number = affine_map<(t, i) -> ()>

func.func @main(%x: tensor<?x40xbf16> {gsa.name = "x"},
                %d: tensor<?x40xbf16> {gsa.name = "d"},
                %f: tensor<?x3xf32> {gsa.name = "f"},
                %s: tensor<40xf32> {gsa.name = "start"})
    -> (tensor<?xf32> {gsa.name = "squares"},
        tensor<40xbf16> {gsa.name = "bias_grad"},
        tensor<40xf32> {gsa.name = "scale_grad"},
        tensor<3xf32> {gsa.name = "few"},
        tensor<f32> {gsa.name = "total"},
        tensor<3xf32> {gsa.name = "transposed"}) {
  %zero = arith.constant 0.0 : f32
  %nan = arith.constant 0x7FC00000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?x40xbf16>

  %tokens = tensor.empty(%n) : tensor<?xf32>
  %token_zeros = linalg.fill ins(%zero : f32) outs(%tokens : tensor<?xf32>)
      -> tensor<?xf32>
  %squares = linalg.generic {indexing_maps = [#all, #token],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x40xbf16>) outs(%token_zeros : tensor<?xf32>) {
  ^bb0(%a: bf16, %sum: f32):
    %w = arith.extf %a : bf16 to f32
    %p = arith.mulf %w, %w : f32
    %q = arith.addf %sum, %p : f32
    linalg.yield %q : f32
  } -> tensor<?xf32>

  %wide = tensor.empty() : tensor<40xf32>
  %wide_zeros = linalg.fill ins(%zero : f32) outs(%wide : tensor<40xf32>)
      -> tensor<40xf32>
  %bias = linalg.generic {indexing_maps = [#all, #column],
      iterator_types = ["reduction", "parallel"]}
      ins(%d : tensor<?x40xbf16>) outs(%wide_zeros : tensor<40xf32>) {
  ^bb0(%a: bf16, %sum: f32):
    %w = arith.extf %a : bf16 to f32
    %q = arith.addf %sum, %w : f32
    linalg.yield %q : f32
  } -> tensor<40xf32>
  %bias_grad = arith.truncf %bias : tensor<40xf32> to tensor<40xbf16>

  // From something on, with the number of a token in it.
  %scale_grad = linalg.generic {indexing_maps = [#all, #all, #column],
      iterator_types = ["reduction", "parallel"]}
      ins(%x, %d : tensor<?x40xbf16>, tensor<?x40xbf16>)
      outs(%s : tensor<40xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %v = arith.extf %a : bf16 to f32
    %w = arith.extf %b : bf16 to f32
    %t = linalg.index 0 : index
    %i = arith.index_cast %t : index to i64
    %r = arith.sitofp %i : i64 to f32
    %p = arith.mulf %v, %w : f32
    %u = arith.divf %p, %r : f32
    %is_first = arith.cmpi eq, %t, %c0 : index
    %k = arith.select %is_first, %p, %u : f32
    %q = arith.addf %sum, %k : f32
    linalg.yield %q : f32
  } -> tensor<40xf32>

  %bad = linalg.generic {indexing_maps = [#all, #all],
      iterator_types = ["parallel", "parallel"]}
      ins(%f : tensor<?x3xf32>) outs(%f : tensor<?x3xf32>) {
  ^bb0(%a: f32, %old: f32):
    %t = linalg.index 0 : index
    %i = linalg.index 1 : index
    %is_token = arith.cmpi eq, %t, %c2 : index
    %is_column = arith.cmpi eq, %i, %c1 : index
    %is_bad = arith.andi %is_token, %is_column : i1
    %p = arith.select %is_bad, %nan, %a : f32
    linalg.yield %p : f32
  } -> tensor<?x3xf32>
  %few_room = tensor.empty() : tensor<3xf32>
  %few_zeros = linalg.fill ins(%zero : f32) outs(%few_room : tensor<3xf32>)
      -> tensor<3xf32>
  %few = linalg.reduce {arith.addf} ins(%bad : tensor<?x3xf32>)
      outs(%few_zeros : tensor<3xf32>) dimensions = [0]
  %number = tensor.empty() : tensor<f32>
  %number_zero = linalg.fill ins(%zero : f32) outs(%number : tensor<f32>)
      -> tensor<f32>
  %total = linalg.reduce {arith.addf} ins(%f : tensor<?x3xf32>)
      outs(%number_zero : tensor<f32>) dimensions = [0, 1]

  // Rows that lie apart: along them, a stride between terms.
  %turned_room = tensor.empty(%n) : tensor<3x?xf32>
  %turned = linalg.transpose ins(%f : tensor<?x3xf32>)
      outs(%turned_room : tensor<3x?xf32>) permutation = [1, 0]
  %transposed = linalg.reduce {arith.addf} ins(%turned : tensor<3x?xf32>)
      outs(%few_zeros : tensor<3xf32>) dimensions = [1]
  return %squares, %bias_grad, %scale_grad, %few, %total, %transposed
      : tensor<?xf32>, tensor<40xbf16>, tensor<40xf32>, tensor<3xf32>,
        tensor<f32>, tensor<3xf32>
}
