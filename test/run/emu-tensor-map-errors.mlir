// What cuTensorMapEncodeTiled would refuse when the program runs is refused
// when it is compiled, at the launch.

// RUN: %expect-exit 3 gsa-run %s --target emu --arch sm_90a 2>&1 | FileCheck %s -DFILE=%s
// CHECK: [[FILE]]:[[# @LINE + 17]]:3: error: {{.*}}argument #0 of type 'memref<6x20xbf16>': the tensor map has rows every 40 bytes, expected a multiple of 16 below 2^40

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>,
                      %y: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  %n = arith.constant 8 : i64
  %zero = arith.constant 0.0 : f32
  gsa_tile.for_each %i below %n {
    gsa_tile.store %zero, %y[%i] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}

func.func @main(%x: tensor<6x20xbf16>) -> tensor<8xf32> {
  %c1 = arith.constant 1 : index
  %a = bufferization.to_buffer %x read_only : tensor<6x20xbf16> to memref<6x20xbf16>
  %y = memref.alloc() : memref<8xf32>
  gsa_tile.launch @load grid(%c1) args(%a, %y) : memref<6x20xbf16>, memref<8xf32>
  %t = bufferization.to_tensor %y restrict writable : memref<8xf32> to tensor<8xf32>
  return %t : tensor<8xf32>
}
