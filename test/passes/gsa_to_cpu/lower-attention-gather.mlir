// The structure of gsa.gather_attention as loops: one task loop, compaction of
// the index list, logits, softmax and values in register tiles.
//
// RUN: gsa-opt %s --gsa-lower-to-loops | FileCheck %s
// RUN: gsa-opt %s --gsa-lower-to-loops --gsa-decompose --gsa-cpu-lowering \
// RUN:   | FileCheck %s --check-prefix=LLVM

// LLVM-LABEL: llvm.func @gather
// LLVM-NOT: gsa.gather
// LLVM-NOT: masked

// CHECK-LABEL: func.func @gather
// CHECK-DAG: %[[Q:.*]] = bufferization.to_buffer %{{.*}} read_only : tensor<1x64x8x64xbf16>
// CHECK-DAG: %[[K:.*]] = bufferization.to_buffer %arg1 read_only : tensor<1x96x2x64xbf16>
// CHECK-DAG: %[[V:.*]] = bufferization.to_buffer %arg2 read_only : tensor<1x96x2x64xbf16>
// CHECK-DAG: %[[OUT:.*]] = memref.alloc() {{.*}} : memref<1x64x8x64xbf16>
// CHECK-DAG: %[[LSE:.*]] = memref.alloc() {{.*}} : memref<1x8x64xf32>
// Scratch of both tasks, allocated once.
// CHECK-DAG: memref.alloc() {{.*}} : memref<2x16x64xi32>
// CHECK: scf.parallel
// CHECK-NOT: memref.alloc
// Compaction without a branch.
// CHECK: scf.for
// CHECK: arith.cmpi ult
// CHECK: arith.index_castui
// Four heads share four keys: 16 accumulators, one reduction per head.
// CHECK: memref.prefetch %[[K]]
// CHECK: vector.load %[[K]]{{.*}}, vector<16xbf16>
// CHECK: arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK-COUNT-64: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-4: vector.store {{.*}}, vector<4xf32>
// CHECK: math.exp {{.*}} : vector<16xf32>
// CHECK: math.log {{.*}} : f32
// CHECK: memref.store {{.*}}, %[[LSE]]
// Four heads share the four vectors of a value.
// CHECK: memref.prefetch %[[V]]
// CHECK-COUNT-16: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-16: vector.store {{.*}}, %[[OUT]]{{.*}}, vector<16xbf16>
// CHECK: } {gsa.tasks}
// CHECK: bufferization.to_tensor %[[OUT]] restrict writable
func.func @gather(%q: tensor<1x64x8x64xbf16>, %k: tensor<1x96x2x64xbf16>,
                  %v: tensor<1x96x2x64xbf16>, %i: tensor<1x64x48xi32>,
                  %c: tensor<1x64xi32>)
    -> (tensor<1x64x8x64xbf16>, tensor<1x8x64xf32>) {
  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.cpu_schedule<tasks = 2, lanes = 16, rows = 4,
                                        vectors = 4>}
      : (tensor<1x64x8x64xbf16>, tensor<1x96x2x64xbf16>,
         tensor<1x96x2x64xbf16>, tensor<1x64x48xi32>, tensor<1x64xi32>)
      -> (tensor<1x64x8x64xbf16>, tensor<1x8x64xf32>)
  return %o, %l : tensor<1x64x8x64xbf16>, tensor<1x8x64xf32>
}
