// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s

// Buffers of any rank and offset, static or not, feed tensor maps of their
// element type.

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>,
                      %b: !gsa_tile.tensormap<8x32xi8, linear>, %n: index)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// CHECK-LABEL: func.func @main
func.func @main(%a: memref<2x75x64xbf16>, %row: memref<64xbf16>,
                %some: memref<?x64xbf16, strided<[64, 1], offset: ?>>,
                %b: memref<4x32xi8>) {
  %c2 = arith.constant 2 : index
  // CHECK: gsa_tile.launch @load grid({{.*}}) args({{.*}}) : memref<2x75x64xbf16>, memref<4x32xi8>, index
  gsa_tile.launch @load grid(%c2) args(%a, %b, %c2) : memref<2x75x64xbf16>, memref<4x32xi8>, index
  // CHECK: gsa_tile.launch @load grid({{.*}}) args({{.*}}) : memref<64xbf16>, memref<4x32xi8>, index
  gsa_tile.launch @load grid(%c2) args(%row, %b, %c2) : memref<64xbf16>, memref<4x32xi8>, index
  // CHECK: gsa_tile.launch @load grid({{.*}}) args({{.*}}) : memref<?x64xbf16, strided<[64, 1], offset: ?>>, memref<4x32xi8>, index
  gsa_tile.launch @load grid(%c2) args(%some, %b, %c2) : memref<?x64xbf16, strided<[64, 1], offset: ?>>, memref<4x32xi8>, index
  return
}
