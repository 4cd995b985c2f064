// RUN: gsa-opt %s --split-input-file --gsa-to-tile --canonicalize --cse --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-to-tile --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// The row sums of attention: lanes that lie side by side read a row together.
// The number of an iteration is the place of its sum, in the order of the
// result.

// CHECK-LABEL: gsa_tile.kernel @row_sums(
// CHECK-SAME: %[[ROWS:[^:]*]]: i64, %[[TERMS:[^:]*]]: i64, %[[O:[^:]*]]: !gsa_tile.global<bf16, read>, %[[D:[^:]*]]: !gsa_tile.global<bf16, read>, %[[L:[^:]*]]: !gsa_tile.global<f32, read>, %[[OUT:[^:]*]]: !gsa_tile.global<f32, write>)
// CHECK: gsa_tile.for_each %[[ROW:.*]] below %[[ROWS]] lanes 16 {
// CHECK: %[[FIRST:.*]] = gsa_tile.first_term 16
// CHECK: %[[STEP:.*]] = gsa_tile.term_step 16
// CHECK: %[[OWN:.*]] = scf.for %{{.*}} = %[[FIRST]] to %[[TERMS]] step %[[STEP]] iter_args(%[[SUM:.*]] = %{{.*}}) -> (f32)
// CHECK: gsa_tile.load %[[O]]
// CHECK: gsa_tile.load %[[D]]
// CHECK: %[[PRODUCT:.*]] = arith.mulf
// CHECK: arith.addf %[[SUM]], %[[PRODUCT]]
// CHECK: %[[TOTAL:.*]] = gsa_tile.sum_terms %[[OWN]] over 16
// CHECK: %[[LSE:.*]] = gsa_tile.load %[[L]][%[[ROW]]]
// CHECK: %[[LESS:.*]] = arith.subf %[[TOTAL]], %[[LSE]]
// CHECK: gsa_tile.store %[[LESS]], %[[OUT]][%[[ROW]]]
// CHECK-LABEL: func.func @main
// CHECK: gsa_tile.launch @row_sums {{.*}} args(%c24_i64, %c64_i64,
// CHECK-NOT: gsa_tile.launch
// REMARK: [Passed] Sum {{.*}}lanes add terms in turn{{.*}} lanes=16, parts=1
func.func @main(%o: tensor<2x3x4x64xbf16>, %d: tensor<2x3x4x64xbf16>,
                %l: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  %0 = gsa.attention_row_sums %o, %d lse_grad %l
      : (tensor<2x3x4x64xbf16>, tensor<2x3x4x64xbf16>, tensor<2x4x3xf32>)
      -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}

// -----

// Both gradients of a gate for elements are one kernel.

// CHECK-LABEL: gsa_tile.kernel @map(
// CHECK: gsa_tile.for_each %[[I:.*]] below %{{[^ ]*}} {
// CHECK-COUNT-2: gsa_tile.load %{{.*}}[%[[I]]]
// CHECK-NOT: gsa_tile.load
// CHECK-COUNT-2: gsa_tile.store %{{.*}}, %{{.*}}[%[[I]]]
// CHECK-LABEL: func.func @main
// CHECK: gsa_tile.launch @map
// CHECK-NOT: gsa_tile.launch
func.func @main(%x: tensor<1x3x2x8xf16>, %z: tensor<1x3x2x8xf32>)
    -> (tensor<1x3x2x8xf16>, tensor<1x3x2x8xf32>) {
  %0:2 = gsa.gate_grad %x, %z output_grad %x
      {activation = #gsa.gate_activation<silu>}
      : (tensor<1x3x2x8xf16>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf16>)
      -> (tensor<1x3x2x8xf16>, tensor<1x3x2x8xf32>)
  return %0#0, %0#1 : tensor<1x3x2x8xf16>, tensor<1x3x2x8xf32>
}

// -----

// One that nobody reads is not made; that of a head's logit is a sum, which the
// slope multiplies.

// CHECK-LABEL: gsa_tile.kernel @gate_grad(
// CHECK: gsa_tile.for_each %[[I:.*]] below %{{.*}} lanes 2 {
// CHECK: %[[TOTAL:.*]] = gsa_tile.sum_terms %{{.*}} over 2
// CHECK: gsa_tile.load %{{.*}}[%[[I]]] : <bf16, read>
// CHECK: %[[GRAD:.*]] = arith.mulf %[[TOTAL]], %{{.*}} : f32
// CHECK: %[[ROUNDED:.*]] = arith.truncf %[[GRAD]] : f32 to bf16
// CHECK: gsa_tile.store %[[ROUNDED]]
// CHECK-LABEL: func.func @main
// CHECK: gsa_tile.launch @gate_grad
// CHECK-NOT: gsa_tile.launch
func.func @main(%x: tensor<1x3x2x8xbf16>, %z: tensor<1x3x2xbf16>)
    -> tensor<1x3x2xbf16> {
  %0:2 = gsa.gate_grad %x, %z output_grad %x
      : (tensor<1x3x2x8xbf16>, tensor<1x3x2xbf16>, tensor<1x3x2x8xbf16>)
      -> (tensor<1x3x2x8xbf16>, tensor<1x3x2xbf16>)
  return %0#1 : tensor<1x3x2xbf16>
}

// -----

// The gradient of a bias is a sum over all tokens: neighbouring lanes have
// neighbouring sums, which come in parts that a second kernel adds. Sums are in
// f32, whatever they are rounded to. The zeros that they start from are not
// read.

// CHECK-LABEL: gsa_tile.kernel @sum_parts(
// CHECK: gsa_tile.for_each %[[CELL:.*]] below %{{[^ ]*}} {
// CHECK: %[[SUM:.*]] = arith.remui %[[CELL]]
// CHECK: %[[PART:.*]] = arith.divui %[[CELL]]
// CHECK: scf.for
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: gsa_tile.store %{{.*}}, %{{.*}}[%[[CELL]]] : <f32, write>
// CHECK-LABEL: gsa_tile.kernel @join_parts(
// CHECK-SAME: %[[PARTS:[^:]*]]: !gsa_tile.global<f32, read>, %[[COUNT:[^:]*]]: i64, %[[LAST:[^:]*]]: i64
// CHECK: gsa_tile.for_each %{{.*}} below %[[COUNT]] lanes 32 {
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK-LABEL: func.func @main
// CHECK-NOT: linalg.fill
// CHECK: memref.alloc() : memref<64x64xf32>
// REMARK: [Passed] Sum {{.*}}lanes=1, parts=64
func.func @main(%d: tensor<2x1024x64xbf16>) -> tensor<64xbf16> {
  %zero = arith.constant 0.0 : bf16
  %e = tensor.empty() : tensor<64xbf16>
  %i = linalg.fill ins(%zero : bf16) outs(%e : tensor<64xbf16>) -> tensor<64xbf16>
  %0 = linalg.reduce {arith.addf} ins(%d : tensor<2x1024x64xbf16>)
      outs(%i : tensor<64xbf16>) dimensions = [0, 1]
  return %0 : tensor<64xbf16>
}

// -----

// The gradient of a scale of each element is a batch of products of vectors: a
// sum like any other, which starts from something here.

// CHECK-LABEL: gsa_tile.kernel @sum(
// CHECK: gsa_tile.for_each %[[I:.*]] below %{{[^ ]*}} {
// CHECK: %[[SUM:.*]] = scf.for
// CHECK: arith.mulf
// CHECK: %[[INIT:.*]] = gsa_tile.load %{{.*}}[%[[I]]]
// CHECK-NEXT: arith.addf %[[INIT]], %[[SUM]] : f32
// CHECK-LABEL: func.func @main
// CHECK-NOT: gsa_tile.gemm
// CHECK: gsa_tile.launch @sum
func.func @main(%x: tensor<2x3x64xf32>, %d: tensor<2x3x64xf32>,
                %s: tensor<64xf32>) -> tensor<64xf32> {
  %0 = linalg.generic {
      indexing_maps = [affine_map<(b, t, i) -> (b, t, i)>,
                       affine_map<(b, t, i) -> (b, t, i)>,
                       affine_map<(b, t, i) -> (i)>],
      iterator_types = ["reduction", "reduction", "parallel"]}
      ins(%x, %d : tensor<2x3x64xf32>, tensor<2x3x64xf32>)
      outs(%s : tensor<64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %q = arith.addf %p, %c : f32
    linalg.yield %q : f32
  } -> tensor<64xf32>
  return %0 : tensor<64xf32>
}

// -----

// Few sums side by side, of all numbers of a tensor, and of none.

// CHECK-LABEL: gsa_tile.kernel @sum(
// CHECK: gsa_tile.sum_terms %{{.*}} over 8 : f32
// CHECK-LABEL: gsa_tile.kernel @sum_0(
// CHECK: gsa_tile.sum_terms %{{.*}} over 32 : f64
// CHECK-LABEL: gsa_tile.kernel @sum_1(
// CHECK-NOT: scf.for
// CHECK-LABEL: func.func @none
// REMARK: [Passed] Sum {{.*}}lanes=8, parts=1
// REMARK: [Passed] Sum {{.*}}lanes=32, parts=1
// REMARK: [Passed] Sum {{.*}}lanes=1, parts=1
func.func @few(%x: tensor<100x4xf32>, %e: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.reduce {arith.addf} ins(%x : tensor<100x4xf32>)
      outs(%e : tensor<4xf32>) dimensions = [0]
  return %0 : tensor<4xf32>
}
func.func @all(%x: tensor<20x50xf64>, %e: tensor<f64>) -> tensor<f64> {
  %0 = linalg.reduce {arith.addf} ins(%x : tensor<20x50xf64>)
      outs(%e : tensor<f64>) dimensions = [0, 1]
  return %0 : tensor<f64>
}
func.func @none(%x: tensor<5x0xf32>, %e: tensor<5xf32>) -> tensor<5xf32> {
  %0 = linalg.reduce {arith.addf} ins(%x : tensor<5x0xf32>)
      outs(%e : tensor<5xf32>) dimensions = [1]
  return %0 : tensor<5xf32>
}
