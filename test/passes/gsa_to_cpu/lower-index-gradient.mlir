// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=2 vector-bits=256" --gsa-lower-to-loops --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=2 vector-bits=256" --gsa-lower-to-loops --remarks-filter="gsa.schedule" --split-input-file -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// Rows one by one; gradients of keys are summed up by eight parts of the rows,
// however many tasks there are, and the parts' sums in order.

// REMARK: Scheduled{{.*}}gsa.index_scores_grad
// REMARK: LoweredToLoops{{.*}}gsa.index_scores_grad
// REMARK: LoweredToLoops{{.*}}gsa.index_kl
// REMARK: LoweredToLoops{{.*}}gsa.index_kl_grad

// CHECK-LABEL: @scores
// CHECK-NOT: gsa.index_scores_grad
// Per task: queries of a row, its weights, gradients; per part: sums of 5 keys.
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<2x4x16xf32>
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<16x5x16xf32>
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<16x16xf32>
// CHECK: scf.parallel
// A part is cleared, and takes every eighth row.
// CHECK: vector.store %{{.*}}, %{{.*}} : memref<16x5x16xf32>, vector<8xf32>
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c8
// What is no key is left out.
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK: vector.fma
// CHECK: vector.store %{{.*}}, %{{.*}} : memref<16x5x16xf32>, vector<8xf32>
// CHECK: gsa.tasks
// Eight sums, rounded once.
// CHECK: scf.parallel
// CHECK-COUNT-7: arith.addf %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK: arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
// CHECK: gsa.tasks
func.func @scores(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x8xf16>,
                  %w: tensor<2x3x4xf16>, %g: tensor<2x3x7xf32>,
                  %i: tensor<2x3x7xi32>, %c: tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>,
        tensor<4xf32>) {
  %0:4 = gsa.index_scores_grad %q, %k weights %w scores_grad %g indices %i, %c
      : (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>,
         tensor<2x3x7xf32>, tensor<2x3x7xi32>, tensor<2x3xi32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>,
          tensor<4xf32>)
  return %0#0, %0#1, %0#2, %0#3
      : tensor<2x3x4x8xf16>, tensor<2x5x8xf16>, tensor<2x3x4xf16>, tensor<4xf32>
}

// -----

// Of a row of 100 keys a task holds the logits of a head, the target and the scores;
// no buffer has a cell for each query and key.
// CHECK-LABEL: @loss
// CHECK-NOT: memref<1x64x100xf32>
// CHECK-COUNT-3: memref.alloc() {alignment = 64 : i64} : memref<2x112xf32>
// CHECK-NOT: memref<1x64x100xf32>
// CHECK: scf.parallel
// A head that sees nothing.
// CHECK: arith.cmpf oeq
// CHECK: math.exp
// CHECK: math.log
// CHECK: math.log
// CHECK: memref.store %{{.*}} : memref<1x64xf32>
// CHECK: gsa.tasks
func.func @loss(%iq: tensor<1x64x2x8xf32>, %ik: tensor<1x100x8xf32>,
                %q: tensor<1x64x4x8xf32>, %k: tensor<1x100x2x8xf32>,
                %l: tensor<1x4x64xf32>) -> tensor<1x64xf32> {
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l {mask = #gsa.mask<causal>}
      : (tensor<1x64x2x8xf32>, tensor<1x100x8xf32>, tensor<1x64x4x8xf32>,
         tensor<1x100x2x8xf32>, tensor<1x4x64xf32>) -> tensor<1x64xf32>
  return %0 : tensor<1x64xf32>
}

// -----

// The mean over heads needs the weights of a head until their sum is known.
// CHECK-LABEL: @gradient
// CHECK-COUNT-3: memref.alloc() {alignment = 64 : i64} : memref<2x112xf32>
// CHECK-NOT: memref<1x64x100xf32>
// CHECK: gsa.tasks
func.func @gradient(%iq: tensor<1x64x2x8xf32>, %ik: tensor<1x100x8xf32>,
                    %q: tensor<1x64x4x8xf32>, %k: tensor<1x100x2x8xf32>,
                    %l: tensor<1x4x64xf32>, %g: tensor<1x64xf32>)
    -> tensor<1x100x8xf32> {
  %0:4 = gsa.index_kl_grad %iq, %ik attention %q, %k lse %l loss_grad %g
      {mask = #gsa.mask<causal>, mean_heads}
      : (tensor<1x64x2x8xf32>, tensor<1x100x8xf32>, tensor<1x64x4x8xf32>,
         tensor<1x100x2x8xf32>, tensor<1x4x64xf32>, tensor<1x64xf32>)
      -> (tensor<1x64x2x8xf32>, tensor<1x100x8xf32>, tensor<1x64x2xf32>,
          tensor<2xf32>)
  return %0#1 : tensor<1x100x8xf32>
}
