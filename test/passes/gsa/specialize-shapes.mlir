// RUN: gsa-opt %s --gsa-specialize-shapes="entry=layer shapes=2x6x16,24x16,2x6,2x6x3x7,2x6x7" | FileCheck %s
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,3x5" | FileCheck %s --check-prefix=CHAIN
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=partly shapes=,2x3" | FileCheck %s --check-prefix=PARTLY
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=scalars shapes=,,,0x4" | FileCheck %s --check-prefix=SCALARS
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x?5x2x8,3x?5" | FileCheck %s --check-prefix=BOUNDED
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=static" | FileCheck %s --check-prefix=STATIC

// What cannot be done is an error at the function that names the argument.
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8" 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: error: 'func.func' op expected 2 shapes, got 1
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x9,3x5" 2>&1 | FileCheck %s --check-prefix=STATIC-SIZE
// STATIC-SIZE: error: 'func.func' op argument 0 has type 'tensor<?x?x2x8xf32>', got shape '3x5x2x9'
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x16,3x5" 2>&1 | FileCheck %s --check-prefix=RANK
// RANK: error: 'func.func' op argument 0 has type 'tensor<?x?x2x8xf32>', got shape '3x5x16'
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,4x5" 2>&1 | FileCheck %s --check-prefix=CONTRADICTION
// CONTRADICTION: error: 'gsa.rope' op (C1) expected B = 3 (from 'input') in dimension 0 of 'positions', got 4
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain" 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// DYNAMIC: error: 'func.func' op result 0 of type 'tensor<?x?x2x8xf32>' has sizes that do not follow from the argument shapes
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=layre" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: gsa-specialize-shapes: option 'entry': expected one of layer, chain, {{.*}}, got 'layre'; did you mean 'layer'?
// NONE-NOT: see current operation
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=external shapes=2" 2>&1 | FileCheck %s --check-prefix=EXTERNAL
// EXTERNAL: error: 'func.func' op has no body
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=blocks shapes=2" 2>&1 | FileCheck %s --check-prefix=BLOCKS
// BLOCKS: error: 'func.func' op expected a body of one block, got 2
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=called shapes=2" 2>&1 | FileCheck %s --check-prefix=CALLED
// CALLED: error: 'func.func' op is referred to within the module, its type cannot change
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=scalars shapes=7,,,0x4" 2>&1 | FileCheck %s --check-prefix=SCALAR
// SCALAR: error: 'func.func' op argument 0 of type 'f32' has no shape, got shape '7'
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=scalars shapes=,2,,0x4" 2>&1 | FileCheck %s --check-prefix=RANK-ZERO
// RANK-ZERO: error: 'func.func' op argument 1 has type 'tensor<f32>', got shape '2'
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=unknown shapes=4" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: 'func.func' op result 0 of type 'tensor<?xf32>' has sizes that do not follow from the argument shapes
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=unranked shapes=4" 2>&1 | FileCheck %s --check-prefix=UNRANKED
// UNRANKED: error: 'func.func' op result 0 of type 'tensor<*xf32>' has sizes that do not follow from the argument shapes

// A shape is decimal sizes separated by single x.
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,3xx5" 2>&1 | FileCheck %s --check-prefix=PARSE
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,x" 2>&1 | FileCheck %s --check-prefix=PARSE
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,3x-5" 2>&1 | FileCheck %s --check-prefix=PARSE
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,3x?" 2>&1 | FileCheck %s --check-prefix=PARSE
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=chain shapes=3x5x2x8,3x99999999999999999999" 2>&1 | FileCheck %s --check-prefix=PARSE
// PARSE: error: 'func.func' op cannot parse shape '{{.*}}' of argument 1

// A size after ? stays free, and is noted as a bound.
// BOUNDED-LABEL: func.func @chain(
// BOUNDED-SAME: tensor<3x?x2x8xf32>
// BOUNDED-SAME: -> tensor<3x?x2x8xf32>
// BOUNDED-SAME: gsa.bounds = [array<i64: 3, 5, 2, 8>, array<i64: 3, 5>, array<i64: 3, 5, 2, 8>]

// Sizes given for the arguments reach every result type of the body: through
// linalg.contract and linalg.generic with their tensor.empty, through
// reshapes, and through the ops of the dialect.

// CHECK-LABEL: func.func @layer(
// CHECK-SAME: %{{.*}}: tensor<2x6x16xf32>, %{{.*}}: tensor<24x16xf32>, %{{.*}}: tensor<2x6xi64>, %{{.*}}: tensor<2x6x3x7xf32>, %{{.*}}: tensor<2x6x7xf32>)
// CHECK-SAME: -> (tensor<2x6x24xf32>, tensor<2x4x6xf32>, tensor<2x6xi32>)
func.func @layer(%h: tensor<?x?x16xf32>, %w: tensor<24x16xf32>,
                 %p: tensor<?x?xi64>, %iq: tensor<?x?x3x7xf32>,
                 %ik: tensor<?x?x7xf32>)
    -> (tensor<?x?x24xf32>, tensor<?x4x?xf32>, tensor<?x?xi32>) {
  // CHECK-NOT: tensor.dim
  // CHECK-NOT: ?
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %b = tensor.dim %h, %c0 : tensor<?x?x16xf32>
  %s = tensor.dim %h, %c1 : tensor<?x?x16xf32>
  %empty = tensor.empty(%b, %s) : tensor<?x?x24xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x24xf32>)
    -> tensor<?x?x24xf32>
  // CHECK: linalg.contract
  // CHECK-SAME: -> tensor<2x6x24xf32>
  %x = linalg.contract
      indexing_maps = [affine_map<(b, s, o, i) -> (b, s, i)>,
                       affine_map<(b, s, o, i) -> (o, i)>,
                       affine_map<(b, s, o, i) -> (b, s, o)>]
      ins(%h, %w : tensor<?x?x16xf32>, tensor<24x16xf32>)
      outs(%init : tensor<?x?x24xf32>) -> tensor<?x?x24xf32>
  // CHECK: tensor.expand_shape
  // CHECK-SAME: into tensor<2x6x4x6xf32>
  %heads = tensor.expand_shape %x [[0], [1], [2, 3]]
      output_shape [%b, %s, 4, 6] : tensor<?x?x24xf32> into tensor<?x?x4x6xf32>
  // CHECK: linalg.generic
  // CHECK: -> tensor<2x6x4x6xf32>
  %empty4 = tensor.empty(%b, %s) : tensor<?x?x4x6xf32>
  %double = linalg.generic {
      indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>,
                       affine_map<(a, b, c, d) -> (a, b, c, d)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%heads : tensor<?x?x4x6xf32>) outs(%empty4 : tensor<?x?x4x6xf32>) {
    ^bb0(%e: f32, %o: f32):
      %sum = arith.addf %e, %e : f32
      linalg.yield %sum : f32
  } -> tensor<?x?x4x6xf32>
  // CHECK: gsa.rope
  // CHECK-SAME: -> tensor<2x6x4x6xf32>
  %r = gsa.rope %double, %p
    : (tensor<?x?x4x6xf32>, tensor<?x?xi64>) -> tensor<?x?x4x6xf32>
  // CHECK: gsa.select
  // CHECK-SAME: -> (tensor<2x6x5xi32>, tensor<2x6xi32>, tensor<2x6xi32>)
  %i:3 = gsa.select %iq, %ik policy <fixed, base = 5>
    : (tensor<?x?x3x7xf32>, tensor<?x?x7xf32>)
    -> (tensor<?x?x5xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  // CHECK: gsa.gather_attention
  // CHECK-SAME: -> (tensor<2x6x4x6xf32>, tensor<2x4x6xf32>)
  %o:2 = gsa.gather_attention %r, %r, %double indices %i#0, %i#1
    : (tensor<?x?x4x6xf32>, tensor<?x?x4x6xf32>, tensor<?x?x4x6xf32>,
       tensor<?x?x5xi32>, tensor<?x?xi32>)
    -> (tensor<?x?x4x6xf32>, tensor<?x4x?xf32>)
  // CHECK: gsa.gate
  // CHECK-SAME: -> tensor<2x6x4x6xf32>
  %g = gsa.gate %o#0, %double
    : (tensor<?x?x4x6xf32>, tensor<?x?x4x6xf32>) -> tensor<?x?x4x6xf32>
  // CHECK: tensor.collapse_shape
  // CHECK-SAME: into tensor<2x6x24xf32>
  %y = tensor.collapse_shape %g [[0], [1], [2, 3]]
    : tensor<?x?x4x6xf32> into tensor<?x?x24xf32>
  // CHECK: return {{.*}} : tensor<2x6x24xf32>, tensor<2x4x6xf32>, tensor<2x6xi32>
  return %y, %o#1, %i#1 : tensor<?x?x24xf32>, tensor<?x4x?xf32>, tensor<?x?xi32>
}

// A chain longer than the rewriter's usual number of iterations.
// CHAIN-LABEL: func.func @chain(
// CHAIN-SAME: -> tensor<3x5x2x8xf32>
// CHAIN-NOT: ?
// CHAIN: return %{{.*}} : tensor<3x5x2x8xf32>
func.func @chain(%x: tensor<?x?x2x8xf32>, %p: tensor<?x?xi64>)
    -> tensor<?x?x2x8xf32> {
  %0 = gsa.rope %x, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %1 = gsa.rope %0, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %2 = gsa.rope %1, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %3 = gsa.rope %2, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %4 = gsa.rope %3, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %5 = gsa.rope %4, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %6 = gsa.rope %5, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %7 = gsa.rope %6, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %8 = gsa.rope %7, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %9 = gsa.rope %8, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %10 = gsa.rope %9, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %11 = gsa.rope %10, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %12 = gsa.rope %11, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  %13 = gsa.rope %12, %p
    : (tensor<?x?x2x8xf32>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  return %13 : tensor<?x?x2x8xf32>
}

// An empty shape leaves an argument as it is; the sizes of another one may
// be enough.
// PARTLY-LABEL: func.func @partly(
// PARTLY-SAME: %{{.*}}: tensor<?x3x4xf32>, %{{.*}}: tensor<2x3xi32>)
// PARTLY-SAME: -> tensor<2x3x7xi32>
func.func @partly(%s: tensor<?x3x4xf32>, %k: tensor<?x?xi32>)
    -> tensor<?x3x7xi32> {
  %0:3 = gsa.topk %s, %k slots 7
    : (tensor<?x3x4xf32>, tensor<?x?xi32>)
    -> (tensor<?x3x7xi32>, tensor<?x3xi32>, tensor<?x3xi32>)
  return %0#0 : tensor<?x3x7xi32>
}

// Arguments without a shape, of rank 0, of another container; a size of 0.
// SCALARS-LABEL: func.func @scalars(
// SCALARS-SAME: %{{.*}}: f32, %{{.*}}: tensor<f32>, %{{.*}}: index, %{{.*}}: tensor<0x4xf32>) -> (tensor<f32>, tensor<0x4xf32>)
func.func @scalars(%a: f32, %b: tensor<f32>, %c: index, %d: tensor<?x?xf32>)
    -> (tensor<f32>, tensor<?x?xf32>) {
  return %b, %d : tensor<f32>, tensor<?x?xf32>
}

// Nothing to do is no error.
// STATIC-LABEL: func.func @static(
// STATIC-SAME: tensor<2xf32>
func.func @static(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

func.func private @external(%x: tensor<?xf32>)

func.func @blocks(%x: tensor<?xf32>) -> tensor<?xf32> {
  cf.br ^end(%x : tensor<?xf32>)
^end(%y: tensor<?xf32>):
  return %y : tensor<?xf32>
}

func.func @called(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

func.func @caller(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = call @called(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// The size of the result is only known when it runs.
func.func @unknown(%x: tensor<?xindex>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.extract %x[%c0] : tensor<?xindex>
  %0 = tensor.empty(%n) : tensor<?xf32>
  return %0 : tensor<?xf32>
}

func.func @unranked(%x: tensor<?xf32>) -> tensor<*xf32> {
  %0 = tensor.cast %x : tensor<?xf32> to tensor<*xf32>
  return %0 : tensor<*xf32>
}
