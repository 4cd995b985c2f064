// A module that holds its kernel already goes through the whole path to a
// program and runs in emulation: host steps, workspace, stages, comparison of
// nothing but the values themselves.

// RUN: gsa-run %s --target emu --output %t.safetensors | FileCheck %s
// RUN: gsa-run %s --target emu --arch sm_90a --stop-after program | FileCheck %s --check-prefix=PROGRAM
// RUN: gsa-run %s --target emu --stop-after host | FileCheck %s --check-prefix=HOST
// RUN: rm -rf %t.dump && gsa-run %s --target emu --dump-dir %t.dump -q
// RUN: ls %t.dump | FileCheck %s --check-prefix=DUMP
// RUN: %expect-exit 2 gsa-run %s --target emu --stop-after llvm 2>&1 | FileCheck %s --check-prefix=PHASE
// RUN: %expect-exit 3 gsa-run %s --target emu --arch sm_75 2>&1 | FileCheck %s --check-prefix=ARCH

// CHECK: host emulation of sm_80
// CHECK: 256

// PROGRAM: architecture sm_90a, 1 kernels, workspace of 256 bytes
// PROGRAM-NEXT: other: scale<<<4x1x1, 256, 0>>>(input 0{{.*}}, workspace{{.*}}, 24)
// PROGRAM-NEXT: other: scale<<<4x1x1, 256, 0>>>(workspace{{.*}}, output 0{{.*}}, 24)
// PROGRAM-NEXT: other: fill 24 x 4 bytes of 1065353216 at output 2
// PROGRAM-NEXT: other: copy 96 bytes from input 0{{.*}} to output 1
// PROGRAM: __global__
// PROGRAM-NEXT: void scale(const float

// HOST: func.func @main(
// HOST-NOT: tensor
// HOST: memref.view

// DUMP: parse.mlir
// DUMP: specialize.mlir
// DUMP: tile.mlir
// DUMP: host.mlir
// DUMP: program.txt
// DUMP: kernel-scale.cu

// PHASE: target emu has no phase 'llvm'; it has: parse, specialize, gsa, schedule, tile
// ARCH: architecture: expected one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120, got 'sm_75'

gsa_tile.kernel @scale(%x: !gsa_tile.global<f32, read>,
                       %y: !gsa_tile.global<f32, write>, %n: i64)
    attributes {warps = 8 : i64} {
  gsa_tile.for_each %i below %n {
    %0 = gsa_tile.load %x[%i] : !gsa_tile.global<f32, read>, i64
    %1 = arith.addf %0, %0 : f32
    gsa_tile.store %1, %y[%i] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}

func.func @main(%x: tensor<3x8xf32> {gsa.name = "x"})
    -> (tensor<3x2x4xf32> {gsa.name = "fourfold"},
        tensor<3x8xf32> {gsa.name = "same"},
        tensor<24xf32> {gsa.name = "ones"}) {
  %c4 = arith.constant 4 : index
  %n = arith.constant 24 : i64
  %xb = bufferization.to_buffer %x read_only : tensor<3x8xf32> to memref<3x8xf32>
  %y = memref.alloc() : memref<3x8xf32>
  gsa_tile.launch @scale grid(%c4) args(%xb, %y, %n) : memref<3x8xf32>, memref<3x8xf32>, i64
  %z = memref.alloc() : memref<3x8xf32>
  gsa_tile.launch @scale grid(%c4) args(%y, %z, %n) : memref<3x8xf32>, memref<3x8xf32>, i64
  %t = bufferization.to_tensor %z restrict writable : memref<3x8xf32> to tensor<3x8xf32>
  %four = tensor.expand_shape %t [[0], [1, 2]] output_shape [3, 2, 4]
      : tensor<3x8xf32> into tensor<3x2x4xf32>
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty() : tensor<24xf32>
  %ones = linalg.fill ins(%one : f32) outs(%empty : tensor<24xf32>) -> tensor<24xf32>
  return %four, %x, %ones : tensor<3x2x4xf32>, tensor<3x8xf32>, tensor<24xf32>
}
