// Ranges, gates and lengths in the loops of attention and selection.
//
// RUN: gsa-opt %s --split-input-file --gsa-lower-to-loops --canonicalize | FileCheck %s
// RUN: gsa-opt %s --split-input-file --gsa-lower-to-loops --gsa-decompose \
// RUN:   --gsa-cpu-lowering | FileCheck %s --check-prefix=LLVM

// LLVM-NOT: gsa.{{[a-z]+}}_attention
// LLVM-NOT: gsa.index_scores

// A range of lists: entries 3 to 7 at most, and lists of so many.
// CHECK-LABEL: func.func @lists
// CHECK-DAG: %[[FIRST:.*]] = arith.constant 3 : index
// CHECK-DAG: %[[END:.*]] = arith.constant 8 : index
// CHECK-DAG: memref.alloc() {{.*}} : memref<1x8x4x8xf32>
// CHECK: %[[COUNT:.*]] = arith.minsi %{{.*}}, %[[END]]
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[COUNT]]
// CHECK: arith.cmpi ult
// CHECK-NOT: truncf
// CHECK: return
func.func @lists(%q: tensor<1x8x4x8xbf16>, %k: tensor<1x96x2x8xbf16>,
    %i: tensor<1x8x48xi32>, %c: tensor<1x8xi32>) -> tensor<1x8x4x8xf32> {
  %o, %l = gsa.partial_attention %q, %k, %k indices %i, %c first 3 size 5
      {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2,
                                        vectors = 2>}
      : (tensor<1x8x4x8xbf16>, tensor<1x96x2x8xbf16>, tensor<1x96x2x8xbf16>,
         tensor<1x8x48xi32>, tensor<1x8xi32>)
      -> (tensor<1x8x4x8xf32>, tensor<1x4x8xf32>)
  return %o : tensor<1x8x4x8xf32>
}

// -----

// The gate multiplies what is stored, one logit for a head. Entries are
// compared with the length of their batch.
// CHECK-LABEL: func.func @gated
// CHECK: %[[GIVEN:.*]] = tensor.extract %arg5[%{{.*}}] : tensor<2xi32>
// CHECK: %[[POSITIVE:.*]] = arith.maxsi %[[GIVEN]]
// CHECK: %[[LENGTH:.*]] = arith.minsi %[[POSITIVE]]
// CHECK: arith.cmpi ult, %{{.*}}, %[[LENGTH]]
// CHECK: tensor.extract %arg4[%{{.*}}] : tensor<2x8x4xbf16>
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK: arith.truncf %{{.*}} : vector<4xf32> to vector<4xbf16>
func.func @gated(%q: tensor<2x8x4x8xbf16>, %k: tensor<2x96x2x8xbf16>,
    %i: tensor<2x8x48xi32>, %c: tensor<2x8xi32>, %g: tensor<2x8x4xbf16>,
    %n: tensor<2xi32>) -> tensor<2x8x4x8xbf16> {
  %o, %l = gsa.gather_attention %q, %k, %k indices %i, %c gate %g lengths %n
      {gate_activation = #gsa.gate_activation<tanh>,
       gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2,
                                        vectors = 2>}
      : (tensor<2x8x4x8xbf16>, tensor<2x96x2x8xbf16>, tensor<2x96x2x8xbf16>,
         tensor<2x8x48xi32>, tensor<2x8xi32>, tensor<2x8x4xbf16>, tensor<2xi32>)
      -> (tensor<2x8x4x8xbf16>, tensor<2x4x8xf32>)
  return %o : tensor<2x8x4x8xbf16>
}

// -----

// Only the 26 keys of the range are packed, from the seventieth on.
// CHECK-LABEL: func.func @keys
// CHECK-DAG: %[[FIRST:.*]] = arith.constant 70 : index
// CHECK-DAG: memref.alloc() {{.*}} : memref<1x2x4x8x8xf32>
// CHECK-DAG: memref.alloc() {{.*}} : memref<1x2x26x8xf32>
// CHECK: arith.addi %{{.*}}, %[[FIRST]] : index
func.func @keys(%q: tensor<1x8x4x8xbf16>, %k: tensor<1x96x2x8xbf16>)
    -> tensor<1x8x4x8xf32> {
  %o, %l = gsa.partial_attention %q, %k, %k first 70 size 1000
      {mask = #gsa.mask<causal>,
       gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2,
                                        vectors = 2>}
      : (tensor<1x8x4x8xbf16>, tensor<1x96x2x8xbf16>, tensor<1x96x2x8xbf16>)
      -> (tensor<1x8x4x8xf32>, tensor<1x4x8xf32>)
  return %o : tensor<1x8x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @scores
// CHECK: tensor.extract %arg2[%{{.*}}] : tensor<2xi32>
// CHECK: arith.maxsi
// CHECK: arith.minsi
func.func @scores(%q: tensor<2x20x2x8xf32>, %k: tensor<2x50x8xf32>,
    %n: tensor<2xi32>) -> tensor<2x20x50xf32> {
  %0 = gsa.index_scores %q, %k lengths %n {mask = #gsa.mask<none>,
      gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2,
                                       vectors = 2>}
    : (tensor<2x20x2x8xf32>, tensor<2x50x8xf32>, tensor<2xi32>)
    -> tensor<2x20x50xf32>
  return %0 : tensor<2x20x50xf32>
}
