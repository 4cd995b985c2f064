// The structure of gsa.dense_attention as loops: a task loop that packs keys
// and values, and one over blocks of rows.
//
// RUN: gsa-opt %s --gsa-lower-to-loops --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-lower-to-loops --gsa-decompose --gsa-cpu-lowering \
// RUN:   --split-input-file | FileCheck %s --check-prefix=LLVM

// LLVM-LABEL: llvm.func @dense
// LLVM-NOT: gsa.dense

// CHECK-LABEL: func.func @dense
// CHECK: %[[OUT:.*]] = memref.alloc() {{.*}} : memref<1x64x8x64xf32>
// Panels of 32 keys, transposed; values in whole vectors.
// CHECK: %[[K:.*]] = memref.alloc() {{.*}} : memref<1x2x3x64x32xf32>
// CHECK: %[[V:.*]] = memref.alloc() {{.*}} : memref<1x2x96x64xf32>
// One strip of 64 rows and 256 keys per task: memory is linear in S.
// CHECK: %[[LOGITS:.*]] = memref.alloc() {{.*}} : memref<2x64x256xf32>
// CHECK: scf.parallel
// CHECK-NOT: memref.alloc
// CHECK: memref.store {{.*}}, %[[K]]
// CHECK: vector.store {{.*}}, %[[V]]
// CHECK: } {gsa.tasks}
// CHECK: scf.parallel
// CHECK-NOT: memref.alloc
// Eight rows times two vectors of keys.
// CHECK: vector.load %[[K]]
// CHECK-COUNT-16: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-16: vector.store {{.*}}, %[[LOGITS]]
// CHECK: math.exp {{.*}} : vector<16xf32>
// Four rows times four vectors of a value; a token has four heads, so these
// rows see the same keys and none needs a loop of its own.
// CHECK: vector.load %[[V]]
// CHECK-COUNT-16: vector.fma
// CHECK-NOT: vector.fma
// CHECK: math.log
// CHECK: vector.store {{.*}}, %[[OUT]]
// CHECK: } {gsa.tasks}
func.func @dense(%q: tensor<1x64x8x64xf32>, %k: tensor<1x96x2x64xf32>,
                 %v: tensor<1x96x2x64xf32>)
    -> (tensor<1x64x8x64xf32>, tensor<1x8x64xf32>) {
  %o, %l = gsa.dense_attention %q, %k, %v
      {gsa.schedule = #gsa.cpu_schedule<tasks = 2, lanes = 16, rows = 8,
                                        vectors = 2, block_rows = 64>}
      : (tensor<1x64x8x64xf32>, tensor<1x96x2x64xf32>, tensor<1x96x2x64xf32>)
      -> (tensor<1x64x8x64xf32>, tensor<1x8x64xf32>)
  return %o, %l : tensor<1x64x8x64xf32>, tensor<1x8x64xf32>
}

// -----

// With one head per group, the rows of a tile are different tokens: each reads
// the keys that only it and later rows see in a loop of its own.
//
// CHECK-LABEL: func.func @uneven
// CHECK: math.exp
// CHECK-COUNT-16: vector.fma
// CHECK-COUNT-12: vector.fma
// CHECK-NOT: vector.fma
// CHECK: math.log
func.func @uneven(%q: tensor<1x64x2x64xf32>, %k: tensor<1x96x2x64xf32>,
                  %v: tensor<1x96x2x64xf32>)
    -> (tensor<1x64x2x64xf32>, tensor<1x2x64xf32>) {
  %o, %l = gsa.dense_attention %q, %k, %v
      {gsa.schedule = #gsa.cpu_schedule<tasks = 2, lanes = 16, rows = 8,
                                        vectors = 2, block_rows = 64>}
      : (tensor<1x64x2x64xf32>, tensor<1x96x2x64xf32>, tensor<1x96x2x64xf32>)
      -> (tensor<1x64x2x64xf32>, tensor<1x2x64xf32>)
  return %o, %l : tensor<1x64x2x64xf32>, tensor<1x2x64xf32>
}
