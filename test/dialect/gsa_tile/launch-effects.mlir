// RUN: gsa-opt %s --canonicalize | FileCheck %s

// What a launch does to its buffers is what its kernel's arguments say, so that
// one that writes nothing is dead.

gsa_tile.kernel @read(%x: !gsa_tile.global<f32, read>,
                      %m: !gsa_tile.tensormap<8x32xf32, linear>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

gsa_tile.kernel @write(%x: !gsa_tile.global<f32, read>,
                       %y: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// CHECK-LABEL: func.func @main
// CHECK-NOT: launch @read
// CHECK: launch @write
// CHECK-NEXT: return
func.func @main(%x: memref<64x32xf32>, %y: memref<64xf32>) {
  %c2 = arith.constant 2 : index
  gsa_tile.launch @read grid(%c2) args(%x, %x) : memref<64x32xf32>, memref<64x32xf32>
  gsa_tile.launch @write grid(%c2) args(%x, %y) : memref<64x32xf32>, memref<64xf32>
  return
}
