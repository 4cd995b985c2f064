// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=2 vector-bits=256" --gsa-lower-to-loops --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=2 vector-bits=256" --gsa-lower-to-loops --remarks-filter="gsa.schedule" --split-input-file -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// One task takes a key head of a batch with all of its rows, so that no two add
// to one number.

// REMARK: Scheduled{{.*}}gsa.gather_attention_grad
// REMARK: LoweredToLoops{{.*}}gsa.gather_attention_grad
// REMARK: LoweredToLoops{{.*}}gsa.dense_attention_grad
// REMARK: NotScheduled{{.*}}gsa.dense_attention_grad

// CHECK-LABEL: @gather
// CHECK-NOT: gsa.gather_attention_grad
// Sums in f32 are scratch of a task, for all keys of a head.
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<2x5x16xf32>
// CHECK: memref.alloc() {alignment = 64 : i64} : memref<2x5x16xf32>
// CHECK: scf.parallel (%[[TASK:.*]]) = (%{{.*}}) to (%{{.*}}) step
// CHECK: scf.for %[[ITEM:.*]] = %[[TASK]]
// CHECK: arith.divui %[[ITEM]]
// CHECK: arith.remui %[[ITEM]]
// The sums start at zero.
// CHECK: scf.for
// CHECK: vector.store %{{.*}}, %{{.*}} : memref<2x5x16xf32>, vector<8xf32>
// The list: what is no key is overwritten.
// CHECK: scf.for
// CHECK: arith.cmpi ult
// A head without keys takes no part.
// CHECK: arith.cmpf une
// CHECK: scf.if
// CHECK: math.exp
// CHECK: arith.select
// Each key's row is added to; 6 elements of a value are a vector and a mask.
// CHECK: vector.fma
// CHECK: vector.maskedstore %{{.*}} : memref<2x5x16xf32>, vector<8xi1>, vector<8xf32>
// Rounded once, at the end.
// CHECK: arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
// CHECK: gsa.tasks
func.func @gather(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>,
                  %v: tensor<2x5x2x6xf16>, %i: tensor<2x3x7xi32>,
                  %c: tensor<2x3xi32>, %o: tensor<2x3x4x6xf16>,
                  %l: tensor<2x4x3xf32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
      : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
         tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4x6xf16>,
         tensor<2x4x3xf32>, tensor<2x4x3xf32>)
      -> (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>)
  return %0#0, %0#1, %0#2
      : tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>
}

// -----

// Over all keys there is no list, but an end; in f32 results hold the sums.
// CHECK-LABEL: @dense
// CHECK-SAME: %{{.*}}: tensor<1x3x2x8xf32>
// CHECK-NOT: memref<2x16xi32>
// CHECK-NOT: memref<2x5x16xf32>
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: vector.store %{{.*}}, %{{.*}} : memref<1x5x1x8xf32>, vector<8xf32>
func.func @dense(%q: tensor<1x3x2x8xf32>, %k: tensor<1x5x1x8xf32>,
                 %l: tensor<1x2x3xf32>) -> tensor<1x5x1x8xf32> {
  %0:3 = gsa.dense_attention_grad %q, %k, %k output_grad %q lse %l row_sums %l
      : (tensor<1x3x2x8xf32>, tensor<1x5x1x8xf32>, tensor<1x5x1x8xf32>,
         tensor<1x3x2x8xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
      -> (tensor<1x3x2x8xf32>, tensor<1x5x1x8xf32>, tensor<1x5x1x8xf32>)
  return %0#1 : tensor<1x5x1x8xf32>
}

// -----

// CHECK-LABEL: @wide
// CHECK: gsa.dense_attention_grad
func.func @wide(%q: tensor<1x3x2x4096xf32>, %k: tensor<1x5x1x4096xf32>,
                %l: tensor<1x2x3xf32>) -> tensor<1x5x1x4096xf32> {
  %0:3 = gsa.dense_attention_grad %q, %k, %k output_grad %q lse %l row_sums %l
      : (tensor<1x3x2x4096xf32>, tensor<1x5x1x4096xf32>,
         tensor<1x5x1x4096xf32>, tensor<1x3x2x4096xf32>, tensor<1x2x3xf32>,
         tensor<1x2x3xf32>)
      -> (tensor<1x3x2x4096xf32>, tensor<1x5x1x4096xf32>,
          tensor<1x5x1x4096xf32>)
  return %0#1 : tensor<1x5x1x4096xf32>
}
